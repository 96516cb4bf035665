//! Packs on this side of the bus: those built into the program, and folders.
//!
//! Both become a [`PackSource`]: of a folder only the files that count are read, and nothing
//! outside of it, whatever its links say.

mod beside;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use cadre_core::{
    limits::PACK_BYTES_MAX,
    pack::{PackSource, with_model},
};
use include_dir::{Dir, DirEntry, include_dir};

use crate::exit::{Code, Failure};

pub use self::beside::Place;

/// Entries of one folder that are looked at.
const ENTRIES_MAX: usize = 4_096;

/// The folders inside a pack whose files count.
const FOLDERS: [&str; 4] = ["contracts", "prompts", "documents", "cassettes"];

/// The file that makes a folder a pack.
const PACK_FILE: &str = "pack.yaml";

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/packs");

/// A pack that is part of the program.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn(&'static Dir<'static>);

/// Why a folder gives no pack.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Neither a folder nor the name of a pack that is built in.
    #[error(
        "could not find the pack {path}: no such folder, and the packs that are built in are: {built_in}"
    )]
    NotFound {
        /// As given.
        path: PathBuf,
        /// Names, separated by commas.
        built_in: String,
    },
    /// A folder without its declaration.
    #[error("read the pack {0}: it has no pack.yaml")]
    NoPackFile(PathBuf),
    /// A link that leads out of the folder.
    #[error("read {0}: it is a link that leads out of the pack; copy the file into the pack")]
    Outside(PathBuf),
    /// A pipe, a device, a folder where a file is expected.
    #[error("read {0}: it is no regular file")]
    NoFile(PathBuf),
    /// More than a pack can hold.
    #[error("read {path}: the pack is over the limit of {PACK_BYTES_MAX} bytes")]
    TooLarge {
        /// The file that was too much.
        path: PathBuf,
    },
    /// More files than anybody writes.
    #[error("read {0}: it has over {ENTRIES_MAX} entries; is that a pack?")]
    TooMany(PathBuf),
    /// The system refused.
    #[error("read {path}")]
    Io {
        /// What was read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl BuiltIn {
    /// The pack of this name: its folder's name, or the name that its declaration states.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::all().find(|pack| pack.folder() == name || pack.workflow() == Some(name))
    }

    /// Every pack that is built in, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        BUILT_IN.dirs().map(Self)
    }

    /// The name of its folder.
    #[must_use]
    pub fn folder(self) -> &'static str {
        self.0.path().to_str().unwrap_or_default()
    }

    /// The name that its declaration states.
    fn workflow(self) -> Option<&'static str> {
        let text = str::from_utf8(self.file(PACK_FILE)?).ok()?;
        text.lines().find_map(|line| line.strip_prefix("name:")).map(str::trim)
    }

    /// A file of it, those that do not count (samples) included.
    #[must_use]
    pub fn file(self, path: &str) -> Option<&'static [u8]> {
        self.0.get_file(self.0.path().join(path)).map(include_dir::File::contents)
    }

    /// Names of the files in one of its folders.
    fn names(self, folder: &str) -> Vec<String> {
        let folder = self.0.get_dir(self.0.path().join(folder));
        let name = |path: &Path| path.file_name()?.to_str().map(str::to_owned);
        folder.into_iter().flat_map(Dir::files).filter_map(|file| name(file.path())).collect()
    }

    /// Every file of it, those that do not count included, by path.
    pub fn files(self) -> impl Iterator<Item = (&'static str, &'static [u8])> {
        let inner = self.0.dirs().flat_map(Dir::entries);
        let files = self.0.entries().iter().chain(inner).filter_map(DirEntry::as_file);
        files.filter_map(move |file| {
            let path = file.path().strip_prefix(self.0.path()).ok()?.to_str()?;
            Some((path, file.contents()))
        })
    }

    /// The files that count.
    #[must_use]
    pub fn source(self) -> PackSource {
        let files = self.files().filter(|(path, _)| PackSource::counts(path));
        PackSource {
            files: files.map(|(path, content)| (path.to_owned(), content.to_vec())).collect(),
        }
    }
}

/// Reads the pack that a person named: a folder, its `pack.yaml`, or one that is built in.
///
/// # Errors
/// [`FolderError`] names the file.
pub fn read(named: &Path) -> Result<PackSource, FolderError> {
    if named.is_dir() {
        return read_folder(named);
    }
    if named.file_name().is_some_and(|name| name == PACK_FILE) && named.is_file() {
        let parent = named.parent().filter(|parent| !parent.as_os_str().is_empty());
        return read_folder(parent.unwrap_or(Path::new(".")));
    }
    let built_in = named.to_str().and_then(BuiltIn::find).map(BuiltIn::source);
    built_in.ok_or_else(|| {
        let names: Vec<_> = BuiltIn::all().map(BuiltIn::folder).collect();
        FolderError::NotFound { path: named.to_owned(), built_in: names.join(", ") }
    })
}

/// The same pack with this one model (`provider/model`) behind every name of its models.
///
/// # Errors
/// [`Code::Usage`] when the model is none.
pub fn asking(source: &PackSource, model: &str) -> Result<PackSource, Failure> {
    let is_model = model
        .split_once('/')
        .is_some_and(|(provider, name)| !provider.is_empty() && !name.is_empty());
    with_model(source, model).filter(|_| is_model).ok_or_else(|| {
        let text = format!(
            "ask model {model}: write provider/model, such as openai/gpt-5-mini-2025-08-07"
        );
        Failure::new(Code::Usage, text)
    })
}

/// Reads the files of a folder that count.
///
/// # Errors
/// [`FolderError`] names the file; nothing outside of the folder was read.
pub fn read_folder(folder: &Path) -> Result<PackSource, FolderError> {
    let root = folder.canonicalize().map_err(at(folder))?;
    let mut reader = Reader { root, files: BTreeMap::new(), left_bytes: PACK_BYTES_MAX };
    let pack_file = reader.root.join(PACK_FILE);
    if pack_file.symlink_metadata().is_err() {
        return Err(FolderError::NoPackFile(folder.to_owned()));
    }
    reader.read(PACK_FILE, &pack_file)?;
    for name in FOLDERS {
        reader.folder(name)?;
    }
    Ok(PackSource { files: reader.files })
}

struct Reader {
    root: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
    left_bytes: usize,
}

impl Reader {
    fn folder(&mut self, name: &str) -> Result<(), FolderError> {
        let folder = self.root.join(name);
        if folder.symlink_metadata().is_err() {
            return Ok(());
        }
        let folder = self.inside(&folder)?;
        for (index, entry) in fs::read_dir(&folder).map_err(at(&folder))?.enumerate() {
            if index >= ENTRIES_MAX {
                return Err(FolderError::TooMany(folder));
            }
            let entry = entry.map_err(at(&folder))?;
            let file = entry.file_name();
            let path = file.to_str().map(|file| format!("{name}/{file}"));
            if let Some(path) = path.filter(|path| PackSource::counts(path)) {
                self.read(&path, &entry.path())?;
            }
        }
        Ok(())
    }

    fn read(&mut self, path: &str, file: &Path) -> Result<(), FolderError> {
        let real = self.inside(file)?;
        // A pipe must not even be opened: that would wait for its writer.
        if !real.metadata().map_err(at(file))?.is_file() {
            return Err(FolderError::NoFile(file.to_owned()));
        }
        let mut content = Vec::new();
        let opened = File::open(&real).map_err(at(file))?;
        let limit = u64::try_from(self.left_bytes).unwrap_or(u64::MAX).saturating_add(1);
        opened.take(limit).read_to_end(&mut content).map_err(at(file))?;
        let Some(left_bytes) = self.left_bytes.checked_sub(content.len()) else {
            return Err(FolderError::TooLarge { path: file.to_owned() });
        };
        self.left_bytes = left_bytes;
        self.files.insert(path.to_owned(), content);
        Ok(())
    }

    /// Where `path` really is, if that is inside of the pack.
    fn inside(&self, path: &Path) -> Result<PathBuf, FolderError> {
        let real = path.canonicalize().map_err(at(path))?;
        if real.starts_with(&self.root) {
            return Ok(real);
        }
        Err(FolderError::Outside(path.to_owned()))
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use cadre_core::pack::compile;
    use tempfile::TempDir;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn every_built_in_pack_compiles_and_has_both_names() {
        for pack in BuiltIn::all() {
            let workflow = compile(&pack.source()).unwrap_or_else(|error| panic!("{error}"));
            let by_workflow = BuiltIn::find(workflow.name.as_str()).unwrap();
            assert_eq!(by_workflow.folder(), pack.folder());
        }
        let contract = BuiltIn::find("contract").unwrap();
        assert!(contract.file("samples/msa.txt").is_some());
        assert!(!contract.source().files.contains_key("samples/msa.txt"));
    }

    #[test]
    fn a_built_in_pack_is_the_same_as_its_folder() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packs/contract");
        let source = BuiltIn::find("contract").unwrap().source();
        assert_eq!(read(&path).unwrap(), source);
        assert_eq!(read(&path.join("pack.yaml")).unwrap(), source);
        assert_eq!(read(Path::new("contract")).unwrap(), source);
    }

    #[test]
    fn only_what_counts_is_read() {
        let files = [
            ("pack.yaml", "a"),
            ("contracts/a.v1.json", "{}"),
            ("contracts/a.txt", "x"),
            ("samples/s", "s"),
        ];
        let folder = folder(&files);
        let source = read_folder(folder.path()).unwrap();
        assert_eq!(source.files.keys().collect::<Vec<_>>(), ["contracts/a.v1.json", "pack.yaml"]);
    }

    #[test]
    fn links_stay_inside() {
        let outside = folder(&[("secret.json", "{}"), ("contracts/x.json", "{}")]);
        for (link, target) in [("contracts/a.v1.json", "secret.json"), ("prompts", "contracts")] {
            let pack = folder(&[("pack.yaml", "a"), ("contracts/b.v1.json", "{}")]);
            symlink(outside.path().join(target), pack.path().join(link)).unwrap();
            let error = read_folder(pack.path()).unwrap_err();
            assert!(matches!(error, FolderError::Outside(_)), "{error:?}");
        }
        let pack = folder(&[("pack.yaml", "a"), ("contracts/b.v1.json", "{}")]);
        symlink("b.v1.json", pack.path().join("contracts/c.v1.json")).unwrap();
        assert!(read_folder(pack.path()).unwrap().files.contains_key("contracts/c.v1.json"));
    }

    #[test]
    fn what_is_no_pack_is_named() {
        let empty = folder(&[]);
        assert!(matches!(read(empty.path()), Err(FolderError::NoPackFile(_))));
        assert!(matches!(read(Path::new("nowhere")), Err(FolderError::NotFound { .. })));
        let huge = folder(&[("pack.yaml", "a"), ("prompts/a", &" ".repeat(PACK_BYTES_MAX))]);
        assert!(matches!(read(huge.path()), Err(FolderError::TooLarge { .. })));
        let odd = folder(&[("pack.yaml", "a"), ("contracts/a.v1.json/x", "")]);
        assert!(matches!(read(odd.path()), Err(FolderError::NoFile(_))));
    }
}
