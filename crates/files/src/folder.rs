//! A folder that appears under its name only when it is complete.
//!
//! No system call of the standard library exchanges two folders at once, so a folder is replaced in
//! two renames: the old one to its backup's name, then the new one to the final name. A kill between
//! them leaves the backup, which [`recover_folder`] gives its name back.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::temporary::{Scratch, create_beside, folder_of, missing_folder, name_of, sync_folder};

/// A folder being filled under a temporary name beside its place. Dropping it removes it.
#[derive(Debug)]
pub struct AtomicFolder {
    temporary: PathBuf,
    path: PathBuf,
    target: Target,
    /// Has it removed when the program must end at once; a folder that takes another's place has a
    /// name that the next run clears.
    _guard: Option<Scratch>,
}

/// What may be at the final name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// Nothing, or an empty folder.
    Free,
    /// The folder to replace.
    Replaced,
}

impl AtomicFolder {
    /// Begins a folder that will be called `path`, which may not exist yet or must be empty.
    ///
    /// # Errors
    /// `AlreadyExists` if something is there; otherwise if the folder around it is missing or cannot
    /// be written to.
    pub fn create(path: &Path) -> io::Result<Self> {
        let is_free = match fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == ErrorKind::NotFound,
        };
        if !is_free {
            let message = "it exists and is not an empty folder";
            return Err(io::Error::new(ErrorKind::AlreadyExists, message));
        }
        let ((), temporary) = create_beside(path, |temporary| fs::create_dir(temporary))?;
        Ok(Self {
            _guard: Some(Scratch::at(temporary.clone())),
            temporary,
            path: path.to_owned(),
            target: Target::Free,
        })
    }

    /// Begins a folder that takes the place of the one at `path`, if there is one.
    ///
    /// Only one process at a time may replace a folder: what a killed one left is removed here.
    ///
    /// # Errors
    /// If the folder around it is missing or cannot be written to.
    pub fn replace(path: &Path) -> io::Result<Self> {
        recover_folder(path)?;
        let temporary = sibling(path, ".new")?;
        remove_if_there(&temporary)?;
        discard(&backup_of(path)?, &temporary)?;
        fs::create_dir(&temporary).map_err(|error| missing_folder(path, error))?;
        Ok(Self {
            temporary,
            path: path.to_owned(),
            target: Target::Replaced,
            _guard: None,
        })
    }

    /// Where the folder is for now.
    pub fn temporary_path(&self) -> &Path {
        &self.temporary
    }

    /// What the folder will be called.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that everything in the folder is on the disk and gives it its name.
    ///
    /// # Errors
    /// What the system says; the target is then as it was before, or [`recover_folder`] makes it so.
    pub fn commit(self) -> io::Result<()> {
        sync_all_in(&self.temporary)?;
        match self.target {
            Target::Free => fs::rename(&self.temporary, &self.path)?,
            Target::Replaced => {
                let backup = backup_of(&self.path)?;
                rename_if_there(&self.path, &backup)?;
                fs::rename(&self.temporary, &self.path)?;
            }
        }
        // The backup may only go when the new name is sure to survive a power cut.
        sync_folder(folder_of(&self.path))?;
        match self.target {
            Target::Free => Ok(()),
            Target::Replaced => discard(&backup_of(&self.path)?, &self.temporary),
        }
    }
}

impl Drop for AtomicFolder {
    fn drop(&mut self) {
        // After `commit` nothing is left under the temporary name; before it a leftover is untidy only.
        drop(fs::remove_dir_all(&self.temporary));
        if self.target == Target::Replaced {
            // A commit that failed halfway has moved the old folder away.
            drop(recover_folder(&self.path));
        }
    }
}

/// Gives a folder back that a kill during its replacement left under its backup's name alone.
///
/// Call it before looking for a folder that [`AtomicFolder::replace`] writes. Does nothing where the
/// folder is in its place, or there never was one.
///
/// # Errors
/// If the backup cannot be renamed.
pub fn recover_folder(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if rename_if_there(&backup_of(path)?, path)? {
        sync_folder(folder_of(path))?;
    }
    Ok(())
}

/// Where the folder at `path` lies while another takes its place.
///
/// # Errors
/// If `path` names no folder.
pub fn backup_of(path: &Path) -> io::Result<PathBuf> {
    sibling(path, ".old")
}

/// A fixed name beside `path`, so that what a kill leaves is found again.
fn sibling(path: &Path, ending: &str) -> io::Result<PathBuf> {
    let mut name = OsString::from(".");
    name.push(name_of(path)?);
    name.push(ending);
    Ok(path.with_file_name(name))
}

/// Removes a folder that may be there. It is renamed first, since a kill while it is being emptied
/// must not leave half of it under a name that counts as whole.
fn discard(folder: &Path, temporary: &Path) -> io::Result<()> {
    rename_if_there(folder, temporary)?;
    remove_if_there(temporary)
}

fn remove_if_there(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Syncs every file and folder in `folder`, and `folder` itself.
fn sync_all_in(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            sync_all_in(&entry.path())?;
        } else if kind.is_file() {
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn filled(draft: AtomicFolder, text: &str) -> AtomicFolder {
        fs::create_dir(draft.temporary_path().join("in")).unwrap();
        fs::write(draft.temporary_path().join("in/x"), text).unwrap();
        draft
    }

    fn write(path: &Path, text: &str) {
        filled(AtomicFolder::replace(path).unwrap(), text)
            .commit()
            .unwrap();
    }

    fn text(path: &Path) -> String {
        fs::read_to_string(path.join("in/x")).unwrap()
    }

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set");
        drop(filled(AtomicFolder::create(&path).unwrap(), "1"));
        assert!(names(folder.path()).is_empty());

        let draft = filled(AtomicFolder::create(&path).unwrap(), "1");
        assert!(!path.exists());
        draft.commit().unwrap();
        assert_eq!(text(&path), "1");
        assert_eq!(names(folder.path()), ["set"]);
        let refused = AtomicFolder::create(&path).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
    }

    #[test]
    fn an_empty_folder_may_be_filled_and_a_missing_one_around_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set");
        fs::create_dir(&path).unwrap();
        filled(AtomicFolder::create(&path).unwrap(), "1")
            .commit()
            .unwrap();
        assert_eq!(text(&path), "1");
        let missing = folder.path().join("nowhere/set");
        for refused in [
            AtomicFolder::create(&missing),
            AtomicFolder::replace(&missing),
        ] {
            let refused = refused.unwrap_err();
            assert!(refused.to_string().contains("no folder"), "{refused}");
        }
    }

    #[test]
    fn a_folder_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set");
        write(&path, "1");
        let draft = filled(AtomicFolder::replace(&path).unwrap(), "2");
        assert_eq!(text(&path), "1");
        draft.commit().unwrap();
        assert_eq!(text(&path), "2");
        drop(filled(AtomicFolder::replace(&path).unwrap(), "3"));
        assert_eq!(text(&path), "2");
        assert_eq!(names(folder.path()), ["set"]);
    }

    /// Every state that a kill can leave, by doing the steps of `commit` up to there.
    #[test]
    fn a_kill_at_any_step_leaves_the_old_or_the_new_folder() {
        let steps: [fn(&Path, &Path, &Path); 4] = [
            |path, backup, _| fs::rename(path, backup).unwrap(),
            |path, _, new| fs::rename(new, path).unwrap(),
            |_, backup, new| fs::rename(backup, new).unwrap(),
            |_, _, new| fs::remove_file(new.join("in/x")).unwrap(),
        ];
        for done in 0..=steps.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("set");
            write(&path, "old");
            let draft = filled(AtomicFolder::replace(&path).unwrap(), "new");
            let new = draft.temporary_path().to_owned();
            std::mem::forget(draft); // As a kill would.
            for step in &steps[..done] {
                step(&path, &backup_of(&path).unwrap(), &new);
            }
            assert_eq!(path.exists(), done != 1, "after {done} steps");

            recover_folder(&path).unwrap();
            let expected = if done < 2 { "old" } else { "new" };
            assert_eq!(text(&path), expected, "after {done} steps");
            // The next one clears up.
            write(&path, "newest");
            assert_eq!(text(&path), "newest");
            assert_eq!(names(folder.path()), ["set"]);
        }
    }

    #[test]
    fn a_backup_alone_is_recovered_by_the_next_replacement_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set");
        write(&path, "old");
        fs::rename(&path, backup_of(&path).unwrap()).unwrap();
        drop(AtomicFolder::replace(&path).unwrap());
        assert_eq!(text(&path), "old");
    }

    #[test]
    fn a_commit_that_fails_gives_the_old_folder_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set");
        write(&path, "old");
        let draft = AtomicFolder::replace(&path).unwrap();
        fs::remove_dir_all(draft.temporary_path()).unwrap();
        draft.commit().unwrap_err();
        assert_eq!(text(&path), "old");
        assert_eq!(names(folder.path()), ["set"]);
    }
}
