//! Tells the person who watches what was done and what the system did about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use cadre_core::{breaker::port::BreakerBoard as _, ids::TaskId};
use cadre_nats::{
    breakers::KvBreakers,
    bus::JetStreamBus,
    tail::{Begin, TailItem, TailOptions, tail},
};
use cadre_proto::{record, subject::Subject};
use futures::StreamExt as _;
use tokio::sync::{Notify, watch};

use super::{
    book::{Book, Told},
    call::Call,
};
use crate::output::{self, Look, Style, text::clean};

/// How often the breakers are looked at: they have no event for people.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The book, and who reads it aloud.
pub(super) struct Story {
    book: watch::Sender<Book>,
    began: Instant,
    style: Style,
    /// The broker was away: its consumers in memory are gone.
    is_back: Notify,
}

impl Story {
    pub(super) fn new() -> Arc<Self> {
        let style = Style { has_color: output::has_color_on_stderr(), has_glyphs: false };
        let (book, began) = (watch::Sender::new(Book::default()), Instant::now());
        Arc::new(Self { book, began, style, is_back: Notify::new() })
    }

    /// Since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// What is known by now.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Book) -> T) -> T {
        look(&self.book.borrow())
    }

    /// Notes something.
    pub(super) fn note(&self, note: impl FnOnce(&mut Book)) {
        self.book.send_modify(note);
    }

    /// Waits until the book says so; false when it does not `within`.
    pub(super) async fn until(&self, within: Duration, is: impl FnMut(&Book) -> bool) -> bool {
        let mut book = self.book.subscribe();
        matches!(tokio::time::timeout(within, book.wait_for(is)).await, Ok(Ok(_)))
    }

    /// Notes what a worker tells, and tells it on.
    pub(super) fn call(&self, worker: &str, call: Call) {
        let mut told = None;
        self.note(|book| told = book.call(worker, call));
        told.into_iter().for_each(|told| self.tell(&told));
    }

    /// A thing that was done to the system.
    pub(super) fn did(&self, text: &str) {
        self.line(Look::Bad, "do", text);
    }

    fn tell(&self, Told { word, text }: &Told) {
        let look = match *word {
            "resumed" | "goes on" | "granted" | "closed" => Look::Good,
            "failed" | "ended" => Look::Bad,
            _ => Look::Warn,
        };
        self.line(look, word, text);
    }

    fn line(&self, look: Look, word: &str, text: &str) {
        let time = format!("{:>7}", format!("+{:.1}s", self.elapsed().as_secs_f64()));
        let time = self.style.paint(Look::Dim, &time);
        let word = self.style.paint(look, &format!("{word:<8}"));
        output::say(&format!("{time}  {word}  {}", clean(text)));
    }

    /// Reads every record as it is written, for ever.
    pub(super) async fn follow_log(&self, bus: &JetStreamBus) -> anyhow::Result<()> {
        let streams = bus.streams();
        let options = TailOptions {
            filter: Some("cadre.*.log.>".to_owned()),
            from: Begin::All,
            follow: true,
            headers_only: false,
        };
        // A reader that was set up anew sees all of it again.
        let mut seen: BTreeMap<TaskId, u64> = BTreeMap::new();
        loop {
            let Ok(mut items) = tail(&streams.js, &streams.topology, &options).await else {
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            };
            loop {
                let item = tokio::select! {
                    item = items.next() => item,
                    () = self.is_back.notified() => break,
                };
                match item {
                    Some(Ok(item)) => self.item(&mut seen, &item)?,
                    Some(Err(error)) => tracing::debug!(%error, "log was not read"),
                    None => break,
                }
            }
        }
    }

    fn item(&self, seen: &mut BTreeMap<TaskId, u64>, item: &TailItem) -> anyhow::Result<()> {
        let Ok(Subject::Log(_, task)) = Subject::parse(&item.subject) else { return Ok(()) };
        let record = record::parse(&item.body)?.into_core(&BTreeMap::new())?.record;
        let last = seen.entry(task.clone()).or_default();
        if record.rev > *last {
            *last = record.rev;
            let mut told = Vec::new();
            self.note(|book| told = book.record(&task, &record));
            told.iter().for_each(|told| self.tell(told));
        }
        Ok(())
    }

    /// The broker is back: whoever reads must begin anew.
    pub(super) fn broker_is_back(&self) {
        self.is_back.notify_one();
    }

    /// Looks at the breakers for ever and tells when one changes.
    pub(super) async fn follow_breakers(&self, bus: &JetStreamBus) -> anyhow::Result<()> {
        let streams = bus.streams();
        let board = KvBreakers::open(&streams.js, streams.clock.clone()).await?;
        let mut open = BTreeSet::new();
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            look.tick().await;
            // The broker may be away: that is one of the faults.
            let Ok(content) = board.content().await else { continue };
            let now = board.now();
            for (target, posted) in content.hints {
                let Ok(Some(hint)) = posted.hint else { continue };
                let opening =
                    hint.opening.as_ref().filter(|_| hint.witnesses(now).next().is_some());
                let (name, was_open) = (target.to_string(), open.contains(&target.to_string()));
                match opening {
                    Some(opening) if !was_open => {
                        open.insert(name);
                        self.note(|book| book.is_breaker_open = true);
                        let text = format!("breaker of {target}: {}", opening.reason);
                        self.tell(&Told { word: "open", text });
                    }
                    None if was_open => {
                        open.remove(&name);
                        let text = format!("breaker of {target}: it answers again");
                        self.tell(&Told { word: "closed", text });
                        self.note(|book| book.breaker_closed(now));
                    }
                    Some(_) | None => {}
                }
            }
        }
    }
}
