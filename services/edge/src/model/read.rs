//! The door to the read model: cheap to clone, asked from anywhere.
//!
//! Queries run on a few read-only connections, each on a thread that may block. What they see is one commit of the
//! projector. Every query takes whose tasks it may see: `None` is everybody's, and for nobody but operators.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use cadre_core::{
    ids::TaskId,
    payload::{BlobRef, Payload},
    ports::{
        BusError,
        history::{DocumentError, LogItem},
    },
    time::UnixMillis,
};
use rusqlite::Connection;
use tokio::sync::{Semaphore, broadcast, watch};

use super::{
    folder::Folder,
    lag::{Change, Lag},
    source::Source,
    store,
};

/// Queries at once; more wait. Each holds a connection with some megabytes of cache.
const READERS_MAX: usize = 4;

/// How often a query looks whether the file is there, and the pause between: two seconds in all, on a thread that
/// may block.
const OPEN_TRIES: u32 = 100;
const OPEN_PAUSE: Duration = Duration::from_millis(20);

/// Changes that a slow listener may be behind before it hears only that it has missed some.
const CHANGES_KEPT: usize = 256;

/// Why the read model gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It has just begun; try again.
    #[error("the read model is being opened: try again in a moment")]
    NotReady,
    /// The database says no. It is folded anew if it is damaged.
    #[error("ask the read model")]
    Store(#[from] rusqlite::Error),
    /// The process is ending.
    #[error("the read model has stopped")]
    Stopped,
}

/// The read model. Cheap to clone.
#[derive(Clone)]
pub struct ReadModel {
    pub(super) shared: Arc<Shared>,
}

/// What readers and the projector share.
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) source: Arc<dyn Source>,
    /// Lives of the file in this process: odd while it is open, even between two. Connections to an earlier one are
    /// let go.
    life: AtomicU64,
    /// Somebody has met damage: the file is to be folded anew.
    pub(super) is_damaged: AtomicBool,
    pub(super) lag: watch::Sender<Lag>,
    pub(super) changes: broadcast::Sender<Change>,
    idle: Mutex<Vec<(u64, Connection)>>,
    readers: Arc<Semaphore>,
    /// Removes the file in the end, where nobody named one.
    _folder: Option<Folder>,
}

impl Shared {
    pub(super) fn new(path: PathBuf, folder: Option<Folder>, source: Arc<dyn Source>) -> Self {
        Self {
            path,
            source,
            life: AtomicU64::new(0),
            is_damaged: AtomicBool::new(false),
            lag: watch::Sender::new(Lag::default()),
            changes: broadcast::Sender::new(CHANGES_KEPT),
            idle: Mutex::new(Vec::new()),
            readers: Arc::new(Semaphore::new(READERS_MAX)),
            _folder: folder,
        }
    }

    /// The file may go: whoever asks now waits.
    pub(super) fn close(&self) {
        self.life.fetch_or(1, Ordering::AcqRel);
        self.life.fetch_add(1, Ordering::AcqRel);
    }

    /// The file is there.
    pub(super) fn open(&self) {
        self.life.fetch_or(1, Ordering::AcqRel);
    }

    /// A connection to the present life of the file; waits for one, but not long.
    fn connection(&self) -> Result<(u64, Connection), ModelError> {
        for _ in 0..OPEN_TRIES {
            let life = self.life.load(Ordering::Acquire);
            if life % 2 == 1 {
                let found = self.connection_to(life);
                // What was opened while the file changed is neither one nor the other.
                if self.life.load(Ordering::Acquire) == life {
                    return Ok((life, found?));
                }
            }
            std::thread::sleep(OPEN_PAUSE);
        }
        Err(ModelError::NotReady)
    }

    fn connection_to(&self, life: u64) -> rusqlite::Result<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(other, _)| *other == life);
        if let Some((_, found)) = idle.pop() {
            return Ok(found);
        }
        drop(idle);
        store::open_reader(&self.path)
    }

    fn ask<T>(
        &self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, ModelError> {
        let (life, connection) = self.connection()?;
        let answer = ask(&connection);
        if let Err(error) = &answer
            && store::is_damage(error)
        {
            self.is_damaged.store(true, Ordering::Release);
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((life, connection));
        Ok(answer?)
    }
}

impl ReadModel {
    /// The broker's time, as well as this process knows it.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.shared.source.now()
    }

    /// How far it is behind the log.
    #[must_use]
    pub fn lag(&self) -> Lag {
        *self.shared.lag.borrow()
    }

    /// The same as it changes; for metrics and pages.
    #[must_use]
    pub fn lag_changes(&self) -> watch::Receiver<Lag> {
        self.shared.lag.subscribe()
    }

    /// What changes from now on, after it can be seen in queries. A listener that lags has missed some.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.shared.changes.subscribe()
    }

    /// Records of one task straight from the log, behind the stream sequence `after`, oldest first, with whole
    /// documents; so many as one read brings, none when there are no more yet. The caller knows that the task may
    /// be seen.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not answer.
    pub async fn records(&self, task: &TaskId, after: u64) -> Result<Vec<LogItem>, BusError> {
        self.shared.source.records(task, after).await
    }

    /// A large document that a record refers to.
    ///
    /// # Errors
    /// [`DocumentError`] when it is gone, or the broker does not answer.
    pub async fn document(&self, blob: BlobRef) -> Result<Payload, DocumentError> {
        self.shared.source.document(blob).await
    }

    /// Runs a query on a thread that may block. Dropping the future lets it run to its end.
    pub(super) async fn query<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ModelError> {
        let readers = Arc::clone(&self.shared.readers);
        let permit = readers.acquire_owned().await.map_err(|_| ModelError::Stopped)?;
        let shared = Arc::clone(&self.shared);
        let run = move || {
            let answer = shared.ask(ask);
            drop(permit);
            answer
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| ModelError::Stopped)?
    }
}

impl std::fmt::Debug for ReadModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReadModel({})", self.shared.path.display())
    }
}
