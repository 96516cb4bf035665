//! What lies in a pack's folder beside its files: samples, and the baseline that it is tested against.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{BuiltIn, ENTRIES_MAX, FolderError, PACK_FILE, at};

/// The folder of sample inputs.
const SAMPLES: &str = "samples";

/// Where a pack is.
#[derive(Debug, Clone)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// In the program.
    BuiltIn(BuiltIn),
}

impl Place {
    /// The place of the pack that a person named, as [`super::read`] takes it; `None` when there is none.
    #[must_use]
    pub fn find(named: &Path) -> Option<Self> {
        if named.is_dir() {
            return Some(Self::Folder(named.to_owned()));
        }
        if named.file_name().is_some_and(|name| name == PACK_FILE) && named.is_file() {
            return Some(Self::Folder(named.parent().map(Path::to_owned).unwrap_or_default()));
        }
        named.to_str().and_then(BuiltIn::find).map(Self::BuiltIn)
    }

    /// The folder; `None` for a pack in the program, which nobody can write to.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::BuiltIn(_) => None,
        }
    }

    /// The content of a file beside the pack's own; `None` when there is none.
    ///
    /// # Errors
    /// [`FolderError::Io`] when it cannot be read.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>, FolderError> {
        match self {
            Self::BuiltIn(pack) => Ok(pack.file(path).map(<[u8]>::to_vec)),
            Self::Folder(folder) => {
                let file = folder.join(path);
                if !file.is_file() {
                    return Ok(None);
                }
                fs::read(&file).map(Some).map_err(at(&file))
            }
        }
    }

    /// Names of the sample inputs, in order.
    ///
    /// # Errors
    /// [`FolderError`] when the folder cannot be read.
    pub fn samples(&self) -> Result<Vec<String>, FolderError> {
        let mut names = match self {
            Self::BuiltIn(pack) => pack.names(SAMPLES),
            Self::Folder(folder) => {
                let folder = folder.join(SAMPLES);
                if !folder.is_dir() {
                    return Ok(Vec::new());
                }
                let entries = fs::read_dir(&folder).map_err(at(&folder))?;
                let entries: Vec<_> = entries.take(ENTRIES_MAX).filter_map(Result::ok).collect();
                let name = |entry: &fs::DirEntry| entry.file_name().into_string().ok();
                entries.iter().filter(|entry| entry.path().is_file()).filter_map(name).collect()
            }
        };
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        Ok(names)
    }
}
