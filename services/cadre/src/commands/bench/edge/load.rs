//! Goals at a fixed rate, while tabs and followers listen.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use cadre_core::{
    ids::{Name, TaskId},
    time::UnixMillis,
};
use cadre_edge::{
    bench::{BenchError, Browser, Heard},
    model::{ReadModel, TaskFilter},
};
use cadre_nats::{bench::GoalPublisher, connect::Connection};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

use crate::broker::local_now;

/// The workflow of these goals.
pub(super) const WORKFLOW: &str = "bench-live";

/// Whose they are.
pub(super) const TENANT: &str = "bench";

/// How often goals are published: so many of them at once as the rate wants.
const TICK: Duration = Duration::from_millis(20);

/// How long somebody waits before they ask again for a task that is not there yet.
const AGAIN: Duration = Duration::from_millis(50);

/// Goals that wait for a follower, at most: a follower takes up the newest ones.
const WAITING_MAX: usize = 1_000;

/// How long the last tasks may take, once no goals come any more.
const REST_WITHIN: Duration = Duration::from_secs(60);

/// Who listens, to what.
#[derive(Debug)]
pub(super) struct Listeners {
    pub(super) browser: Browser,
    pub(super) followers: usize,
    /// Tasks that were there before.
    pub(super) made: usize,
}

/// What became of it.
#[derive(Debug, Serialize)]
pub(super) struct Load {
    pub(super) followers: usize,
    pub(super) seconds: f64,
    pub(super) goals: u64,
    pub(super) goals_per_s: f64,
    pub(super) goals_per_s_aim: f64,
    /// Tasks that somebody followed to their end.
    pub(super) followed: u64,
    /// Records that followers heard.
    pub(super) heard: u64,
    /// Records that they did not hear, or heard twice or in another order.
    pub(super) missed: u64,
    /// Tasks that are not in the read model when all is over.
    pub(super) tasks_missed: i64,
    pub(super) heard_p50_ms: f64,
    pub(super) heard_p99_ms: f64,
    pub(super) heard_max_ms: f64,
    /// Longest time that a tab was told nothing while goals came.
    pub(super) silence_max_ms: f64,
    /// Farthest that the read model was behind the log.
    pub(super) behind_max_ms: f64,
}

/// What everybody adds to.
#[derive(Debug, Default)]
struct Book {
    waiting: Mutex<VecDeque<TaskId>>,
    late: Mutex<Vec<f64>>,
    followed: AtomicU64,
    missed: AtomicU64,
    silence_ms: AtomicU64,
    behind_ms: AtomicU64,
    is_over: AtomicBool,
}

impl Book {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn late(&self) -> Vec<f64> {
        std::mem::take(&mut self.late.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Publishes goals and listens.
pub(super) async fn measure(
    connection: &Connection,
    model: &ReadModel,
    listeners: Listeners,
    (rate, lasts): (u64, Duration),
) -> anyhow::Result<Load> {
    let book = Arc::new(Book::default());
    let mut listening = JoinSet::new();
    for index in 0..listeners.followers {
        let (browser, book) = (listeners.browser.clone(), Arc::clone(&book));
        if index % 2 == 0 {
            listening.spawn(async move { tab(&browser, &book).await });
        } else {
            listening.spawn(async move { follower(&browser, &book).await });
        }
    }
    let watching = tokio::spawn(watch(model.clone(), Arc::clone(&book)));
    let begun = Instant::now();
    let goals = publish(connection, &book, (rate, lasts)).await?;
    let seconds = begun.elapsed().as_secs_f64();
    book.is_over.store(true, Ordering::Release);
    while let Some(ended) = listening.join_next().await {
        ended??;
    }
    watching.abort();
    let expected = i64::try_from(listeners.made as u64 + goals)?;
    let tasks_missed = missing(model, expected).await?;
    let mut late = book.late();
    late.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let place = (late.len() * percent / 100).min(late.len().saturating_sub(1));
        late.get(place).copied().unwrap_or_default()
    };
    Ok(Load {
        followers: listeners.followers,
        seconds,
        goals,
        goals_per_s: goals as f64 / seconds,
        goals_per_s_aim: rate as f64,
        followed: book.followed.load(Ordering::Relaxed),
        heard: late.len() as u64,
        missed: book.missed.load(Ordering::Relaxed),
        tasks_missed,
        heard_p50_ms: at(50),
        heard_p99_ms: at(99),
        heard_max_ms: at(100),
        silence_max_ms: book.silence_ms.load(Ordering::Relaxed) as f64,
        behind_max_ms: book.behind_ms.load(Ordering::Relaxed) as f64,
    })
}

/// Goals at this rate, whether or not those before have ended; how many were stored.
async fn publish(
    connection: &Connection,
    book: &Book,
    (rate, lasts): (u64, Duration),
) -> anyhow::Result<u64> {
    let tenant = Name::new(TENANT)?;
    let body: bytes::Bytes = json!({"text": "x".repeat(188)}).to_string().into();
    let (publisher, begun) = (GoalPublisher::new(connection), Instant::now());
    let (mut sent, mut acks) = (0_u64, JoinSet::new());
    while begun.elapsed() < lasts {
        let due = u64::try_from(begun.elapsed().as_millis())?.saturating_mul(rate) / 1_000;
        while sent < due {
            sent += 1;
            let key = format!("live-{sent}");
            let mut waiting = book.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.push_back(TaskId::derive(&tenant, &key));
            while waiting.len() > WAITING_MAX {
                waiting.pop_front();
            }
            drop(waiting);
            let (publisher, body) = (publisher.clone(), body.clone());
            acks.spawn(async move { publisher.publish(TENANT, WORKFLOW, &key, body).await });
        }
        sleep(TICK).await;
    }
    while let Some(ack) = acks.join_next().await {
        ack??;
    }
    Ok(sent)
}

/// A tab of the dashboard, which hears that its list is stale.
async fn tab(browser: &Browser, book: &Book) -> Result<(), BenchError> {
    let Some(mut live) = browser.follow("/live?topics=tasks,spend").await? else { return Ok(()) };
    let mut last: Option<Instant> = None;
    while let Some(heard) = live.next().await? {
        if book.is_over() {
            return Ok(());
        }
        if heard.event == "stale" {
            if let Some(last) = last {
                let silence = u64::try_from(last.elapsed().as_millis()).unwrap_or(u64::MAX);
                book.silence_ms.fetch_max(silence, Ordering::Relaxed);
            }
            last = Some(Instant::now());
        }
    }
    Ok(())
}

/// Somebody who follows one task after the other, each to its end.
async fn follower(browser: &Browser, book: &Book) -> Result<(), BenchError> {
    loop {
        let next = book.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_back();
        match next {
            Some(_) | None if book.is_over() => return Ok(()),
            Some(task) => follow(browser, book, &task).await?,
            None => sleep(AGAIN).await,
        }
    }
}

async fn follow(browser: &Browser, book: &Book, task: &TaskId) -> Result<(), BenchError> {
    let path = format!("/v1/tasks/{task}/events");
    let until = Instant::now() + REST_WITHIN;
    let mut events = loop {
        match browser.follow(&path).await? {
            Some(events) => break events,
            None if Instant::now() > until => {
                book.missed.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            None => sleep(AGAIN).await,
        }
    };
    // What was written before somebody listened is told as well, and is late by no fault of the server's.
    let since = local_now();
    let (mut last, mut is_ended) = (0, false);
    while let Some(heard) = events.next().await? {
        let record = heard.document();
        let rev = record.get("rev").and_then(Value::as_u64).unwrap_or_default();
        if rev != last + 1 {
            book.missed.fetch_add(1, Ordering::Relaxed);
        }
        last = rev;
        is_ended |= ends(&record);
        note(book, &heard, since);
    }
    if !is_ended {
        book.missed.fetch_add(1, Ordering::Relaxed);
    }
    book.followed.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// How late a record was heard.
fn note(book: &Book, heard: &Heard, since: UnixMillis) {
    let record = heard.document();
    let at = record.get("at").and_then(Value::as_str);
    let Some(at) = at.and_then(|at| humantime::parse_rfc3339(at).ok()) else { return };
    let at = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
    let at = UnixMillis(u64::try_from(at).unwrap_or(u64::MAX)).max(since);
    let late = local_now().since(at).as_secs_f64() * 1_000.0;
    book.late.lock().unwrap_or_else(PoisonError::into_inner).push(late);
}

fn ends(record: &Value) -> bool {
    let events = record.get("events").and_then(Value::as_array).into_iter().flatten();
    let mut kinds = events.filter_map(|event| event.get("event").and_then(Value::as_str));
    kinds.any(|kind| kind == "ended")
}

/// How far the read model is behind, as often as it says so.
async fn watch(model: ReadModel, book: Arc<Book>) {
    let mut lag = model.lag_changes();
    while lag.changed().await.is_ok() {
        let behind = lag.borrow_and_update().behind_ms;
        book.behind_ms.fetch_max(behind, Ordering::Relaxed);
    }
}

/// Tasks that the read model lacks, when it has had time.
async fn missing(model: &ReadModel, expected: i64) -> anyhow::Result<i64> {
    let until = Instant::now() + REST_WITHIN;
    loop {
        let found = model.counts(None, &TaskFilter::default()).await?.total();
        let missing = expected - i64::try_from(found)?;
        if missing == 0 || Instant::now() > until {
            return Ok(missing);
        }
        sleep(AGAIN).await;
    }
}
