//! A folder of one's own for a read model that nobody wants to keep.
//!
//! It goes with its process, but a killed one cannot remove it. So each holds the lock of a file in its folder
//! for as long as it lives, and whoever makes the next folder removes those whose lock is free.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
};

use tempfile::TempDir;

/// How the folders' names begin.
const PREFIX: &str = "cadre-model-";

/// The file whose lock its process holds.
const LOCK: &str = "lock";

/// A folder, removed when dropped.
#[derive(Debug)]
pub(super) struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    /// Makes one below `parent`, and removes those that killed processes have left there.
    pub(super) fn new(parent: &Path) -> io::Result<Self> {
        sweep(parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        // It gets its name once it is locked: nobody is to find it free before.
        let begun = folder.path().join("begun");
        let lock = File::create(&begun)?;
        lock.lock()?;
        fs::rename(begun, folder.path().join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// What cannot be removed is left: it is in nobody's way.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.filter_map(Result::ok) {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_ours && is_left(&entry.path()) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// Whether its process is gone. One without a lock is being made.
fn is_left(folder: &Path) -> bool {
    let Ok(lock) = File::open(folder.join(LOCK)) else { return false };
    match lock.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_processes_left_is_removed_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let alive = Folder::new(parent.path()).unwrap();
        let killed = parent.path().join("cadre-model-killed");
        let others = ["cadre-model-begun", "cadre-other"].map(|name| parent.path().join(name));
        for folder in others.iter().chain([&killed]) {
            fs::create_dir(folder).unwrap();
        }
        fs::write(killed.join("lock"), "").unwrap();
        fs::write(killed.join("model.db"), "x").unwrap();
        fs::write(others[1].join("lock"), "").unwrap();
        let next = Folder::new(parent.path()).unwrap();
        assert!(!killed.exists());
        assert!(others.iter().all(|folder| folder.exists()));
        assert!(alive.path().exists() && next.path().exists());
        let path = alive.path().to_owned();
        drop(alive);
        assert!(!path.exists(), "it goes with its process");
    }
}
