//! Licence expressions as crates state them: `(MIT OR Apache-2.0) AND Unicode-3.0`.
//!
//! Only what is found in practice: `OR`, `AND`, `WITH`, brackets, and the old `MIT/Apache-2.0`.

/// Whether `expression` can be met with licences of `allowed` alone. `None` if it cannot be read.
///
/// `AND` binds stronger than `OR`; an exception counts as part of its licence:
/// `Apache-2.0 WITH LLVM-exception` is met by exactly that entry.
pub(crate) fn is_met(expression: &str, allowed: &[String]) -> Option<bool> {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let met = either(&mut words, allowed)?;
    words.next().is_none().then_some(met)
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut met = all(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        met |= all(words, allowed)?;
    }
    Some(met)
}

fn all(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut met = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed)?;
    }
    Some(met)
}

fn one(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    match words.next()? {
        "(" => {
            let met = either(words, allowed)?;
            (words.next()? == ")").then_some(met)
        }
        ")" | "OR" | "AND" | "WITH" => None,
        licence if words.next_if_eq(&"WITH").is_some() => {
            let full = format!("{licence} WITH {}", words.next()?);
            Some(allowed.contains(&full))
        }
        licence => Some(allowed.iter().any(|one| one == licence)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: Option<bool>) {
        let allowed = ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(String::from);
        assert_eq!(is_met(expression, &allowed), expected, "{expression}");
    }

    #[test]
    fn one_allowed_choice_is_enough() {
        check("MIT", Some(true));
        check("GPL-3.0", Some(false));
        check("Apache-2.0 OR MIT", Some(true));
        check("MIT/Apache-2.0", Some(true));
        check("Apache-2.0 / MIT", Some(true));
    }

    #[test]
    fn every_part_of_and_is_needed() {
        check("MIT AND GPL-3.0", Some(false));
        check("(MIT OR Apache-2.0) AND Unicode-3.0", Some(true));
        check("GPL-3.0 OR MIT AND Unicode-3.0", Some(true));
        check("MIT OR GPL-3.0 AND LGPL-3.0", Some(true));
    }

    #[test]
    fn exception_belongs_to_its_licence() {
        check("Apache-2.0 WITH LLVM-exception", Some(true));
        check("MIT WITH LLVM-exception", Some(false));
    }

    #[test]
    fn unreadable_is_not_a_yes() {
        for expression in [
            "",
            "MIT OR",
            "(MIT",
            "MIT)",
            "MIT Apache-2.0",
            "AND",
            "MIT WITH",
        ] {
            check(expression, None);
        }
    }
}
