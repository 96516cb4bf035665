//! The directory a private server lives in: `lock` and one folder per node.
//!
//! One server at a time: nats-server itself does not refuse a store that is in use. The lock is handed on to the
//! guards, so it outlives a killed owner until the servers are dead too.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::server::{options::StoreDir, start::StartError};

/// How long a new owner waits for the servers of a killed one to end.
const LOCK_LIMIT: Duration = Duration::from_secs(3);

/// How often the lock is tried.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The locked directory.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
    lock: File,
    /// Removes the directory on drop.
    temporary: Option<TempDir>,
}

impl Store {
    pub(crate) async fn open(wanted: &StoreDir) -> Result<Self, StartError> {
        let (root, temporary) = match wanted {
            StoreDir::Temporary => {
                let made = tempfile::Builder::new().prefix("cadre-nats-").tempdir();
                let made =
                    made.map_err(|source| StartError::Io { path: std::env::temp_dir(), source })?;
                (made.path().to_owned(), Some(made))
            }
            StoreDir::Path(path) => {
                // The configuration file needs a path that does not depend on the working directory.
                let made = fs::create_dir_all(path).and_then(|()| path.canonicalize());
                (made.map_err(|source| StartError::Io { path: path.clone(), source })?, None)
            }
        };
        let lock = locked(&root.join("lock")).await?;
        Ok(Self { root, lock, temporary })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The directory the guards remove when their owner is killed.
    pub(crate) fn temporary_root(&self) -> Option<&Path> {
        self.temporary.as_ref().map(TempDir::path)
    }

    /// The same lock once more, for a process that is to hold it too.
    pub(crate) fn share_lock(&self) -> Result<File, StartError> {
        self.lock
            .try_clone()
            .map_err(|source| StartError::Io { path: self.root.join("lock"), source })
    }
}

async fn locked(path: &Path) -> Result<File, StartError> {
    let io_error = |source: io::Error| StartError::Io { path: path.to_owned(), source };
    let file = File::options().create(true).append(true).open(path).map_err(io_error)?;
    let give_up = Instant::now() + LOCK_LIMIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(io_error(source)),
            Err(TryLockError::WouldBlock) if Instant::now() > give_up => {
                return Err(StartError::StoreInUse { folder: path.with_file_name("") });
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
        }
    }
}
