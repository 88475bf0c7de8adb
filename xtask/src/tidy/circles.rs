//! Modules of a crate that use each other in a circle cannot be read one after the other.
//!
//! Neighbours alone count: a module and the one it lies in belong together. What is used is read
//! from paths that begin with `crate` or `super`. Tests may use anything, and a module called
//! `error` names all that can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::sources::read;

/// A module's names from the crate's root on.
type Module = Vec<String>;

/// By the module they lie in: which neighbours use which.
type Uses = BTreeMap<Module, BTreeSet<(String, String)>>;

pub(super) fn check(root: &Path, paths: &[PathBuf]) -> Result<Vec<String>> {
    let mut crates: BTreeMap<PathBuf, Vec<(Module, String)>> = BTreeMap::new();
    for path in paths {
        if let Some((folder, module)) = module_of(path) {
            let text = read(root, path)?;
            crates.entry(folder).or_default().push((module, text));
        }
    }
    let complaints = crates.iter().flat_map(|(folder, files)| {
        let circles = circles(&uses(files));
        circles
            .into_iter()
            .map(move |circle| format!("{}: modules in a circle: {circle}", folder.display()))
    });
    Ok(complaints.collect())
}

/// The crate's folder and the module that a source file is; none for tests and errors.
fn module_of(path: &Path) -> Option<(PathBuf, Module)> {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let at = parts.iter().position(|part| *part == "src")?;
    let (file, folders) = parts[at + 1..].split_last()?;
    let stem = file.strip_suffix(".rs")?;
    if matches!(stem, "tests" | "error") {
        return None;
    }
    let mut module: Module = folders.iter().map(|&name| name.to_owned()).collect();
    if !(module.is_empty() && matches!(stem, "lib" | "main")) {
        module.push(stem.to_owned());
    }
    Some((parts[..at].iter().collect(), module))
}

fn uses(files: &[(Module, String)]) -> Uses {
    let known: BTreeSet<&[String]> = files
        .iter()
        .flat_map(|(module, _)| (1..=module.len()).map(|depth| &module[..depth]))
        .collect();
    let mut uses = Uses::new();
    for (module, text) in files {
        for path in paths_in(text) {
            let Some(target) = resolve(module, &path, &known) else {
                continue;
            };
            let shared = module.iter().zip(&target).take_while(|(a, b)| a == b);
            let depth = shared.count();
            if let (Some(user), Some(used)) = (module.get(depth), target.get(depth)) {
                let neighbours = uses.entry(module[..depth].to_vec()).or_default();
                neighbours.insert((user.clone(), used.clone()));
            }
        }
    }
    uses
}

/// The innermost module that a path written in `module` names.
fn resolve(module: &Module, path: &[String], known: &BTreeSet<&[String]>) -> Option<Module> {
    let mut names = path.iter().peekable();
    let mut target = module.clone();
    if names.next_if(|name| *name == "crate").is_some() {
        target.clear();
    }
    while names.next_if(|name| *name == "super").is_some() {
        target.pop()?;
    }
    for name in names {
        target.push(name.clone());
        if !known.contains(target.as_slice()) {
            target.pop();
            break;
        }
    }
    Some(target)
}

/// Every path in the code that begins with `crate` or `super`, those in braces written out.
fn paths_in(text: &str) -> Vec<Vec<String>> {
    let code = text.split("#[cfg(test)]\nmod tests").next();
    let lines = code.unwrap_or_default().lines();
    let bare: Vec<&str> = lines
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let bare = bare.join("\n");
    let tokens = tokens(&bare);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begins = matches!(tokens[at], "crate" | "super") && tokens.get(at + 1) == Some(&"::");
        if begins {
            at = read_tree(&tokens, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Names, `::`, and every other mark by itself.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let length = if is_name(first) {
            rest.find(|c| !is_name(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, behind) = rest.split_at(length);
        tokens.push(token);
        rest = behind.trim_start();
    }
    tokens
}

/// Reads `a::{b, c::d}` from `at` on, adds the paths to `found`, and gives where it ends.
fn read_tree(
    tokens: &[&str],
    mut at: usize,
    before: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = before.to_vec();
    while let Some(&token) = tokens.get(at) {
        if token == "{" {
            at += 1;
            while tokens.get(at).is_some_and(|token| *token != "}") {
                at = read_tree(tokens, at, &path, found);
                at += usize::from(tokens.get(at) == Some(&","));
            }
            return at + 1;
        }
        path.push(token.to_owned());
        at += 1;
        if tokens.get(at) != Some(&"::") {
            break;
        }
        at += 1;
    }
    // `as other` in a list.
    if !before.is_empty() && tokens.get(at) == Some(&"as") {
        at += 2;
    }
    found.push(path);
    at
}

/// The circles among neighbours, each once, as `a → b → a`.
fn circles(uses: &Uses) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (parent, edges) in uses {
        for (from, to) in edges {
            if let Some(way) = way(edges, to, from) {
                found.insert(shown(parent, &way));
            }
        }
    }
    found.into_iter().collect()
}

/// The shortest way from one module to another, both included.
fn way(edges: &BTreeSet<(String, String)>, from: &str, to: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![from.to_owned()]];
    let mut seen = BTreeSet::from([from.to_owned()]);
    let mut at = 0;
    while at < ways.len() {
        let way = ways[at].clone();
        let last = way.last()?;
        if last == to {
            return Some(way);
        }
        for (_, next) in edges.iter().filter(|(user, _)| user == last) {
            if seen.insert(next.clone()) {
                ways.push([way.clone(), vec![next.clone()]].concat());
            }
        }
        at += 1;
    }
    None
}

/// A circle that begins with the first of its names, so that each is shown in one way only.
fn shown(parent: &[String], way: &[String]) -> String {
    let first = (0..way.len()).min_by_key(|&i| &way[i]).unwrap_or(0);
    let round = (0..=way.len()).map(|i| &way[(first + i) % way.len()]);
    let whole = round.map(|name| [parent, std::slice::from_ref(name)].concat().join("::"));
    whole.collect::<Vec<_>>().join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = files.iter().map(|(path, _)| path.into()).collect();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        check(folder.path(), &paths).unwrap()
    }

    #[test]
    fn circle_of_neighbours_is_shown_once() {
        let complaints = found(&[
            ("crates/mark/src/lib.rs", "mod keys;\nmod log;\nmod sign;"),
            (
                "crates/mark/src/keys.rs",
                "use crate::{Error, sign::{Signer, seal}};",
            ),
            ("crates/mark/src/sign.rs", "fn f() { super::log::add() }"),
            (
                "crates/mark/src/log/entry.rs",
                "use crate::keys::Keys as Ring;",
            ),
            ("crates/mark/src/log.rs", "use super::Error;"),
        ]);
        let wanted = "crates/mark: modules in a circle: keys → sign → log → keys";
        assert_eq!(complaints, [wanted]);
    }

    #[test]
    fn parents_tests_errors_and_comments_make_no_circle() {
        let complaints = found(&[
            ("crates/mark/src/lib.rs", "use crate::keys::Keys;"),
            (
                "crates/mark/src/keys.rs",
                "use crate::{Error, sign};\nuse crate::error::Why;",
            ),
            ("crates/mark/src/keys/ring.rs", "use super::Keys;"),
            (
                "crates/mark/src/sign.rs",
                "// see crate::keys\n#[cfg(test)]\nmod tests {\n    use crate::keys;\n}",
            ),
            ("crates/mark/src/sign/tests.rs", "use crate::keys;"),
            ("crates/mark/src/error.rs", "use crate::keys;"),
        ]);
        assert_eq!(complaints, Vec::<String>::new());
    }

    #[test]
    fn circle_deep_within_a_module_is_found() {
        let complaints = found(&[
            ("crates/mark/src/log/a.rs", "use super::b::X;"),
            ("crates/mark/src/log/b.rs", "use crate::log::a::Y;"),
        ]);
        let wanted = "crates/mark: modules in a circle: log::a → log::b → log::a";
        assert_eq!(complaints, [wanted]);
    }
}
