//! The fetched program under the user's cache directory, and the proof that it is still the one that was fetched.
//!
//! Beside the binary lies a stamp: its size, its time of change and its sha256 as verified at installation. As long
//! as size and time agree, starting costs two `stat` calls; when they differ, the binary is hashed again. That
//! protects against half-written, truncated and replaced files, not against somebody with the user's rights, who
//! could forge the stamp and everything else. Writers hold a file lock; binary and stamp appear by rename, so readers
//! need none.

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::server::pins::{Pin, VERSION_PINNED};

/// How long one process waits for another one's fetch: a little more than both fetches may take.
const LOCK_LIMIT: Duration = Duration::from_secs(400);

/// How often the lock is tried.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The start of the names of folders that hold a fetch under way.
const FETCH_PREFIX: &str = "fetch-";

/// Where the program of one platform and version is kept.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
    wheel_binary_sha256: &'static str,
}

/// Why the cache has no usable program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CacheError {
    #[error("nothing at {0}")]
    Absent(PathBuf),
    #[error("{path} is damaged: its sha256 is {found}")]
    Damaged { path: PathBuf, found: String },
    #[error("{path} has sha256 {found}, expected {expected}")]
    Mismatch { path: PathBuf, found: String, expected: &'static str },
    #[error("use {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("another process holds {path} for {LOCK_LIMIT:?}; end it or remove the file")]
    Locked { path: PathBuf },
}

/// What is known of the installed binary.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size_bytes: u64,
    changed_ns: u64,
    sha256: String,
}

/// The directory of Cadre's files that can be fetched or made again.
///
/// Takes what the caller read from the environment: `XDG_CACHE_HOME` and `HOME`. `None` when neither says.
pub fn cache_dir(xdg_cache_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let base = xdg_cache_home.map(PathBuf::from).filter(|path| path.is_absolute());
    let home_cache = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
    let home = home.map(PathBuf::from).filter(|path| path.is_absolute());
    base.or_else(|| home.map(|path| path.join(home_cache))).map(|path| path.join("cadre"))
}

impl Cache {
    pub(crate) fn at(cache_dir: &Path, pin: &Pin) -> Self {
        let version = VERSION_PINNED.to_string();
        let folder = cache_dir.join("nats-server").join(version).join(pin.release_target);
        Self { folder, wheel_binary_sha256: pin.wheel_binary_sha256 }
    }

    pub(crate) fn binary(&self) -> PathBuf {
        self.folder.join("nats-server")
    }

    /// Says that the cached binary is the one that was installed, hashing it only when its stamp does not fit.
    pub(crate) fn check(&self) -> Result<(), CacheError> {
        let path = self.binary();
        let metadata = match path.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(CacheError::Absent(path));
            }
            Err(source) => return Err(CacheError::Io { path, source }),
        };
        let stamp = self.read_stamp();
        let (size_bytes, changed_ns) = (metadata.len(), changed_ns(&metadata));
        if stamp
            .as_ref()
            .is_some_and(|stamp| stamp.size_bytes == size_bytes && stamp.changed_ns == changed_ns)
        {
            return Ok(());
        }
        let found = sha256_of(&path)?;
        if found != self.wheel_binary_sha256 && stamp.is_none_or(|stamp| stamp.sha256 != found) {
            return Err(CacheError::Damaged { path, found });
        }
        self.write_stamp(&Stamp { size_bytes, changed_ns, sha256: found })
    }

    /// Waits for the right to install, and clears what a killed fetch left.
    ///
    /// The lock ends when the file is dropped or the process dies.
    pub(crate) async fn lock(&self) -> Result<File, CacheError> {
        fs::create_dir_all(&self.folder)
            .map_err(|source| CacheError::Io { path: self.folder.clone(), source })?;
        let path = self.folder.join("lock");
        let file = match File::options().create(true).append(true).open(&path) {
            Ok(file) => file,
            Err(source) => return Err(CacheError::Io { path, source }),
        };
        let give_up = Instant::now() + LOCK_LIMIT;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(CacheError::Io { path, source }),
                Err(TryLockError::WouldBlock) if Instant::now() > give_up => {
                    return Err(CacheError::Locked { path });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            }
        }
        self.sweep();
        Ok(file)
    }

    /// A folder on the same file system to fetch into; it goes when dropped.
    pub(crate) fn fetch_folder(&self) -> Result<tempfile::TempDir, CacheError> {
        let folder = tempfile::Builder::new().prefix(FETCH_PREFIX).tempdir_in(&self.folder);
        folder.map_err(|source| CacheError::Io { path: self.folder.clone(), source })
    }

    /// Puts an unpacked binary in place. `expected` is its pinned sha256; `None` when its archive was verified instead.
    pub(crate) fn install(
        &self,
        unpacked: &Path,
        expected: Option<&'static str>,
    ) -> Result<(), CacheError> {
        let found = sha256_of(unpacked)?;
        if let Some(expected) = expected
            && found != expected
        {
            return Err(CacheError::Mismatch { path: unpacked.to_owned(), found, expected });
        }
        let path = self.binary();
        let installed = make_executable(unpacked).and_then(|()| fs::rename(unpacked, &path));
        let metadata = installed.and_then(|()| path.metadata());
        let metadata = metadata.map_err(|source| CacheError::Io { path, source })?;
        self.write_stamp(&Stamp {
            size_bytes: metadata.len(),
            changed_ns: changed_ns(&metadata),
            sha256: found,
        })
    }

    fn stamp_path(&self) -> PathBuf {
        self.folder.join("nats-server.stamp")
    }

    fn read_stamp(&self) -> Option<Stamp> {
        let text = fs::read(self.stamp_path()).ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn write_stamp(&self, stamp: &Stamp) -> Result<(), CacheError> {
        let path = self.stamp_path();
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            serde_json::to_writer(&mut file, stamp)?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|source| CacheError::Io { path: path.clone(), source })
    }

    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(FETCH_PREFIX) {
                // A leftover that cannot be removed costs disk, nothing else.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// The sha256 of a file, in hex.
pub(crate) fn sha256_of(path: &Path) -> Result<String, CacheError> {
    let read = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let count = file.read(&mut buffer)?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            hasher.update(bytes);
        }
        Ok(hex::encode(hasher.finalize()))
    };
    read().map_err(|source| CacheError::Io { path: path.to_owned(), source })
}

fn make_executable(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    File::open(path)?.sync_all()
}

fn changed_ns(metadata: &fs::Metadata) -> u64 {
    let since = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
