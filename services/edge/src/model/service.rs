//! Keeps the read model at the end of the log: the projector as a supervised child.
//!
//! ```text
//!  open the file ─► shards: ours? ─ no ─► file anew ─► feed behind our positions ─► batch ─► commit ─► tell
//!       ▲                                                     │ bus lost, file damaged          │
//!       └──────────────── a moment ◄──────────────────────────┴─────────────────────────────────┘
//! ```

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use cadre_core::{
    ports::{
        BusError, History, Inbox as _, Packs,
        history::{LogItem, Positions, Shard},
    },
    time::UnixMillis,
};
use cadre_runtime::{
    metrics::table,
    supervise::{Child, JobResult, Options, RestartPolicy, Snapshot, StopOrder, Supervisor},
    task::Linked,
};
use ractor::{ActorCell, SpawnErr};
use rusqlite::Connection;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::spawn_blocking,
    time::sleep,
};

use super::{
    folder::Folder,
    lag::{Change, Lag},
    projector::{FoldError, Projector, Taken},
    read::{ReadModel, Shared},
    source::{Beside, Ports},
    store::{self, StoreError},
};

/// Records of one transaction at most, about: the more of a task's records it has, the less is written twice.
const BATCH_MAX: usize = 16_384;

/// Batches that are read while another one is written.
const BATCHES_AHEAD: usize = 16;

/// Kilobytes that these may hold: documents can make a single batch large.
const AHEAD_KB_MAX: u32 = 48 * 1024;

/// The pause before a read model that was interrupted goes on.
const PAUSE: Duration = Duration::from_secs(1);

/// How long the start waits for the file.
const OPEN_WITHIN: Duration = Duration::from_secs(10);

/// Tasks that one change names; with more, everything has changed.
const CHANGED_MAX: usize = 512;

/// What one read model is told.
#[derive(Debug, Clone, Default)]
pub struct ModelOptions {
    /// Where its file is; `None` for a temporary one, which is folded anew in each process. Default: `None`.
    pub path: Option<PathBuf>,
}

/// Why a read model does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no folder for a temporary file.
    #[error("make a folder for the read model")]
    Folder(#[from] std::io::Error),
    /// Its supervisor does not start: the parent is stopping.
    #[error("start the read model")]
    Spawn(#[from] SpawnErr),
}

/// A running read model; stops when told to, not when dropped.
#[derive(Debug, Clone)]
pub struct ModelService {
    supervisor: Supervisor,
    model: ReadModel,
}

impl ModelService {
    /// Starts it, under `parent` if there is one. It answers from now on, and tells by its lag how far it is.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start<H: History, P: Packs>(
        (history, packs): (H, P),
        options: ModelOptions,
        parent: Option<ActorCell>,
    ) -> Result<Self, StartError> {
        let (path, folder) = match options.path {
            Some(path) => (path, None),
            None => {
                let folder = Folder::new(&tempfile::env::temp_dir())?;
                (folder.path().join("model.db"), Some(folder))
            }
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let source = Arc::new(Ports { history: history.clone(), packs });
        let shared = Arc::new(Shared::new(path, folder, source));
        let model = ReadModel { shared: Arc::clone(&shared) };
        let mut lag = model.lag_changes();
        let child = Child::job("projector", move || run(history.clone(), Arc::clone(&shared)));
        let supervision = Options {
            restarts: RestartPolicy { max: 20, ..RestartPolicy::default() },
            grace: Duration::from_secs(5),
            stop: StopOrder::Together,
        };
        let supervisor = Supervisor::start("model", supervision, vec![child], parent).await?;
        // Told with the first life of the file; a late one is no error: queries say so.
        let _ = tokio::time::timeout(OPEN_WITHIN, lag.changed()).await;
        Ok(Self { supervisor, model })
    }

    /// The read model.
    #[must_use]
    pub fn model(&self) -> &ReadModel {
        &self.model
    }

    /// Stops it; queries still answer with what it knew.
    pub async fn stop(&self) {
        self.supervisor.stop().await;
    }

    /// How it is; `None` when it has stopped.
    pub async fn inspect(&self) -> Option<Snapshot> {
        self.supervisor.inspect(Duration::from_secs(1)).await
    }
}

/// Why the projector begins anew.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Fold(#[from] FoldError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a query has met damage in the read model's file")]
    Damaged,
    #[error("the projector's thread ended: {0}")]
    Thread(String),
}

/// Folds for ever; a lost bus is waited for, a damaged file folded anew.
async fn run<H: History>(history: H, shared: Arc<Shared>) -> JobResult {
    // Queries need no bus.
    let mut opened = Some(open(&shared, None).await);
    loop {
        let Err(error) = fold(&history, &shared, opened.take()).await else { return Ok(()) };
        if let Interrupted::Fold(FoldError::Store(error)) = &error
            && store::is_damage(error)
        {
            shared.is_damaged.store(true, Ordering::Release);
        }
        let chain =
            std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let text: Vec<_> = chain.map(ToString::to_string).collect();
        tracing::warn!(error = text.join(": "), "the read model was interrupted");
        shared.lag.send_modify(|lag| lag.is_interrupted = true);
        sleep(PAUSE).await;
    }
}

/// Folds until something is wrong.
async fn fold<H: History>(
    history: &H,
    shared: &Arc<Shared>,
    opened: Option<Result<Connection, Interrupted>>,
) -> Result<(), Interrupted> {
    let shards = history.shards().await?;
    let db = match opened {
        Some(opened) => opened?,
        None => open(shared, None).await?,
    };
    let (db, positions) = match owned(db, shards.clone()).await? {
        Some(ours) => ours,
        None => {
            tracing::info!("the read model is of another log: it is folded anew");
            shared.is_damaged.store(true, Ordering::Release);
            let db = open(shared, Some(shards.clone())).await?;
            (db, shards.iter().map(|shard| (shard.shard, 0)).collect())
        }
    };
    let mut feed = history.feed(&positions).await?;
    let (sender, mut batches) = mpsc::channel(BATCHES_AHEAD);
    let _reading = Linked::spawn("read the log", async move {
        let room = Arc::new(Semaphore::new(AHEAD_KB_MAX as usize));
        loop {
            let batch = feed.next().await;
            let is_over = batch.is_err();
            // Nobody closes it.
            let Ok(held) = Arc::clone(&room).acquire_many_owned(size_kb(&batch)).await else {
                return;
            };
            if sender.send((batch, held)).await.is_err() || is_over {
                return;
            }
        }
    });
    let beside = Beside { source: Arc::clone(&shared.source), runtime: Handle::current() };
    let mut projector = Projector::new(db, beside);
    let mut progress = Progress::new(&shards, &positions);
    progress.tell(shared, history.now());
    loop {
        let (items, failed) = next(&mut batches).await?;
        if shared.is_damaged.load(Ordering::Acquire) {
            return Err(Interrupted::Damaged);
        }
        progress.see(&items);
        tracing::trace!(records = items.len(), "read from the log");
        if !items.is_empty() {
            let taken;
            (projector, taken) = write(projector, items).await?;
            progress.taken += taken.records;
            announce(shared, taken);
        }
        progress.tell(shared, history.now());
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
}

/// What was read, with the room that it takes.
type Read = (Result<Vec<LogItem>, BusError>, OwnedSemaphorePermit);

fn size_kb(batch: &Result<Vec<LogItem>, BusError>) -> u32 {
    let bytes: u64 = batch.iter().flatten().map(|item| item.size_bytes).sum();
    u32::try_from(bytes / 1024).unwrap_or(u32::MAX).min(AHEAD_KB_MAX)
}

/// What has come, in one; with the error behind it that ends the feed.
async fn next(
    batches: &mut mpsc::Receiver<Read>,
) -> Result<(Vec<LogItem>, Option<BusError>), Interrupted> {
    let ended = || BusError::Unavailable("the log's feed has ended".to_owned());
    let mut items = batches.recv().await.ok_or_else(ended)?.0?;
    while items.len() < BATCH_MAX {
        match batches.try_recv() {
            Ok((Ok(more), _)) => items.extend(more),
            Ok((Err(error), _)) => return Ok((items, Some(error))),
            Err(_) => break,
        }
    }
    Ok((items, None))
}

/// Writes a batch on a thread that may block.
async fn write(
    mut projector: Projector,
    items: Vec<LogItem>,
) -> Result<(Projector, Taken), Interrupted> {
    let run = move || projector.take(&items).map(|taken| (projector, taken));
    let done = spawn_blocking(run).await.map_err(|error| Interrupted::Thread(error.to_string()))?;
    Ok(done?)
}

/// Opens the file, anew if it is damaged; with `shards` they are noted in it.
async fn open(shared: &Arc<Shared>, shards: Option<Vec<Shard>>) -> Result<Connection, Interrupted> {
    let own = Arc::clone(shared);
    let run = move || -> Result<Connection, Interrupted> {
        own.close();
        if own.is_damaged.load(Ordering::Acquire) {
            store::remove(&own.path)?;
        }
        let db = store::open(&own.path)?;
        own.is_damaged.store(false, Ordering::Release);
        if let Some(shards) = shards {
            note(&db, &shards).map_err(FoldError::from)?;
        }
        own.open();
        Ok(db)
    };
    let opened =
        spawn_blocking(run).await.map_err(|error| Interrupted::Thread(error.to_string()))?;
    // Whoever waits for the first life is told.
    shared.lag.send_modify(|_| {});
    opened
}

/// How far the file is in these shards; `None` when it is about another log.
async fn owned(
    db: Connection,
    shards: Vec<Shard>,
) -> Result<Option<(Connection, Positions)>, Interrupted> {
    let run = move || -> rusqlite::Result<Option<(Connection, Positions)>> {
        let mut known: BTreeMap<u16, (String, u64)> = BTreeMap::new();
        let mut find = db.prepare("SELECT shard, epoch, sequence FROM positions")?;
        let mut rows = find.query([])?;
        while let Some(row) = rows.next()? {
            known.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
        }
        drop(rows);
        drop(find);
        if known.is_empty() {
            note(&db, &shards)?;
            let positions = shards.iter().map(|shard| (shard.shard, 0)).collect();
            return Ok(Some((db, positions)));
        }
        let is_ours = known.len() == shards.len()
            && shards.iter().all(|shard| {
                let found = known.get(&shard.shard);
                found.is_some_and(|(epoch, sequence)| {
                    *epoch == shard.epoch && *sequence <= shard.last
                })
            });
        let positions = known.into_iter().map(|(shard, (_, sequence))| (shard, sequence)).collect();
        Ok(is_ours.then_some((db, positions)))
    };
    let done = spawn_blocking(run).await.map_err(|error| Interrupted::Thread(error.to_string()))?;
    Ok(done.map_err(FoldError::from)?)
}

fn note(db: &Connection, shards: &[Shard]) -> rusqlite::Result<()> {
    for Shard { shard, epoch, .. } in shards {
        let sql = "INSERT INTO positions (shard, epoch, sequence) VALUES (?1, ?2, 0)";
        db.execute(sql, (shard, epoch))?;
    }
    Ok(())
}

fn announce(shared: &Shared, taken: Taken) {
    if taken.changed.is_empty() && !taken.is_spoiled {
        return;
    }
    // Whose a log is that cannot be read is not always known.
    let is_all = taken.is_spoiled || taken.changed.len() > CHANGED_MAX;
    let tasks = if is_all { Vec::new() } else { taken.changed };
    // Nobody listens: nobody is told.
    let _ = shared.changes.send(Change { tasks: tasks.into(), is_all });
}

/// How far the feed is.
struct Progress {
    waiting: BTreeMap<u16, Waiting>,
    newest: Option<UnixMillis>,
    taken: u64,
    is_caught_up: bool,
}

/// What waits in one shard behind what was taken.
enum Waiting {
    /// At most so many: the stream has other messages too.
    AtMost(u64),
    /// So many records, as the feed says.
    Records(u64),
}

impl Progress {
    fn new(shards: &[Shard], positions: &Positions) -> Self {
        let waiting = shards.iter().map(|shard| {
            let position = positions.get(&shard.shard).copied().unwrap_or_default();
            (shard.shard, Waiting::AtMost(shard.last.saturating_sub(position)))
        });
        Self { waiting: waiting.collect(), newest: None, taken: 0, is_caught_up: false }
    }

    /// Sees what was read; nothing at all means that what was only guessed is not there.
    fn see(&mut self, items: &[LogItem]) {
        if items.is_empty() {
            self.waiting.retain(|_, waiting| matches!(waiting, Waiting::Records(_)));
        }
        for item in items {
            self.waiting.insert(item.shard, Waiting::Records(item.pending));
            self.newest = Some(item.stored_at);
        }
    }

    fn tell(&mut self, shared: &Shared, now: UnixMillis) {
        let counts = self.waiting.values().map(|waiting| match waiting {
            Waiting::AtMost(count) | Waiting::Records(count) => *count,
        });
        let records: u64 = counts.sum();
        self.is_caught_up |= records == 0;
        let behind = match (records, self.newest) {
            (0, _) | (_, None) => Duration::ZERO,
            (_, Some(newest)) => now.since(newest),
        };
        table::PROJECTION_LAG.set(&["read_model"], behind.as_secs());
        shared.lag.send_replace(Lag {
            is_caught_up: self.is_caught_up,
            is_interrupted: false,
            records,
            behind_ms: u64::try_from(behind.as_millis()).unwrap_or(u64::MAX),
            taken: self.taken,
            at_ms: now.0,
        });
    }
}
