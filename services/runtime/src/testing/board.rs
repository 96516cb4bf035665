//! The breakers' board.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cadre_core::{
    breaker::{
        Hint, Target,
        port::{BreakerBoard, News, PostError, Posted},
    },
    ids::Name,
    ports::{BusError, Inbox},
    time::UnixMillis,
};
use tokio::{sync::Notify, time::Instant};

/// When every board began, on the broker's clock.
const BEGAN: UnixMillis = UnixMillis(1_800_000_000_000);

/// How long a watch waits before it says that nothing came.
const QUIET: Duration = Duration::from_secs(5);

/// Ways to fail; all off by default.
#[derive(Debug, Default, Clone)]
pub struct BoardFlags {
    /// Nothing is answered, and every watch breaks.
    pub is_down: bool,
    /// Hints are kept, but nobody is told so.
    pub loses_answers: bool,
    /// Nobody can say that it lives.
    pub refuses_beats: bool,
    /// Nobody can watch.
    pub refuses_watches: bool,
}

/// A board in memory; clones share it. Hints pass through their wire form.
#[derive(Debug, Clone)]
pub struct MemoryBoard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    began: Instant,
    world: Mutex<World>,
    news: Notify,
}

#[derive(Debug, Default)]
struct World {
    flags: BoardFlags,
    sequence: u64,
    hints: BTreeMap<Target, (String, u64)>,
    pods: BTreeMap<Name, (UnixMillis, u64)>,
}

impl Default for MemoryBoard {
    fn default() -> Self {
        let (world, news) = (Mutex::default(), Notify::new());
        Self(Arc::new(Inner { began: Instant::now(), world, news }))
    }
}

impl MemoryBoard {
    /// Changes the ways to fail.
    pub fn fail(&self, flags: BoardFlags) {
        self.world().flags = flags;
        self.0.news.notify_waiters();
    }

    /// Changes a hint as a person does.
    pub fn edit(&self, target: &Target, edit: impl FnOnce(Hint) -> Hint) {
        let mut world = self.world();
        let hint = world.posted(target).hint.ok().flatten();
        let hint = edit(hint.unwrap_or_else(|| Hint::new(target.clone())));
        world.put(&hint);
        drop(world);
        self.0.news.notify_waiters();
    }

    /// The hint of `target`, if there is one.
    #[must_use]
    pub fn hint(&self, target: &Target) -> Option<Hint> {
        self.world().posted(target).hint.ok().flatten()
    }

    /// How often anything was written.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.world().sequence
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn up(&self) -> Result<MutexGuard<'_, World>, BusError> {
        let world = self.world();
        if world.flags.is_down {
            return Err(BusError::Unavailable("the board is down".to_owned()));
        }
        Ok(world)
    }
}

impl World {
    fn posted(&self, target: &Target) -> Posted {
        match self.hints.get(target) {
            None => Posted { hint: Ok(None), revision: 0 },
            Some((text, revision)) => {
                let hint = Hint::decode(target, text.as_bytes()).map(Some);
                Posted { hint, revision: *revision }
            }
        }
    }

    fn put(&mut self, hint: &Hint) -> u64 {
        self.sequence += 1;
        self.hints.insert(hint.target.clone(), (hint.encode(), self.sequence));
        self.sequence
    }

    fn since(&self, seen: u64) -> Vec<News> {
        let pods = self.pods.iter().filter(|(_, (_, sequence))| *sequence > seen);
        let pods = pods.map(|(pod, (at, sequence))| (*sequence, News::Pod(pod.clone(), *at)));
        let hints = self.hints.iter().filter(|(_, (_, sequence))| *sequence > seen);
        let hints = hints.map(|(target, (_, sequence))| {
            (*sequence, News::Hint(target.clone(), Box::new(self.posted(target))))
        });
        let mut news: Vec<_> = pods.chain(hints).collect();
        news.sort_by_key(|(sequence, _)| *sequence);
        news.into_iter().map(|(_, news)| news).collect()
    }
}

impl BreakerBoard for MemoryBoard {
    type Watch = MemoryWatch;

    fn now(&self) -> UnixMillis {
        BEGAN.after(self.0.began.elapsed())
    }

    async fn read(&self, target: &Target) -> Result<Posted, BusError> {
        Ok(self.up()?.posted(target))
    }

    async fn post(&self, hint: &Hint, revision: u64) -> Result<u64, PostError> {
        let mut world = self.up()?;
        if world.posted(&hint.target).revision != revision {
            return Err(PostError::Conflict(hint.target.clone()));
        }
        let revision = world.put(hint);
        let is_lost = world.flags.loses_answers;
        drop(world);
        self.0.news.notify_waiters();
        if is_lost {
            return Err(BusError::Unavailable("the answer was lost".to_owned()).into());
        }
        Ok(revision)
    }

    async fn beat(&self, pod: &Name) -> Result<(), BusError> {
        let now = self.now();
        let mut world = self.up()?;
        if world.flags.refuses_beats {
            return Err(BusError::Unavailable("beats are refused".to_owned()));
        }
        world.sequence += 1;
        let sequence = world.sequence;
        world.pods.insert(pod.clone(), (now, sequence));
        drop(world);
        self.0.news.notify_waiters();
        Ok(())
    }

    async fn watch(&self) -> Result<MemoryWatch, BusError> {
        if self.up()?.flags.refuses_watches {
            return Err(BusError::Unavailable("watches are refused".to_owned()));
        }
        Ok(MemoryWatch { board: self.clone(), seen: 0 })
    }
}

/// A watch of a [`MemoryBoard`].
#[derive(Debug)]
pub struct MemoryWatch {
    board: MemoryBoard,
    seen: u64,
}

impl Inbox<News> for MemoryWatch {
    async fn next(&mut self) -> Result<Vec<News>, BusError> {
        let end = Instant::now() + QUIET;
        loop {
            let inner = Arc::clone(&self.board.0);
            let changed = inner.news.notified();
            {
                let world = self.board.up()?;
                let news = world.since(self.seen);
                self.seen = world.sequence;
                if !news.is_empty() {
                    return Ok(news);
                }
            }
            if tokio::time::timeout_at(end, changed).await.is_err() {
                return Ok(Vec::new());
            }
        }
    }
}
