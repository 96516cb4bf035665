//! Reads every stream once, as facts for [`cadre_core::check`]: nothing is taken from anybody.
//!
//! First what is on its way (goals, inputs, orders, timers; inputs and timers once more), then what
//! was decided and told: the logs and the answers together, in order of time, up to the sequence that
//! they have at that moment. In this order nothing that moves meanwhile can look like a loss.
//!
//! Logs, timers and answers come through ordered consumers, which the broker forgets by itself. Work
//! queues allow no second reader, so they are asked message by message, at their leader.

mod decode;
pub(crate) mod source;

use std::{collections::BTreeSet, fmt, sync::Arc};

use cadre_core::{
    check::{Content, Fact, Place},
    ports::{BusError, Packs as _},
    task::Event,
    time::UnixMillis,
};

use self::{
    decode::decode,
    source::{Raw, Reader, Span, acknowledged, queue},
};
use crate::{
    bus::JetStreamBus,
    packs::KvPacks,
    topology::{
        ANSWERS_STREAM, DUE_CONSUMER, GOALS_STREAM, PACKS_BUCKET, in_stream, log_stream,
        run_stream, timer_stream, work_stream,
    },
};

/// Share of the answers' cap, in percent, from which on old ones may have been dropped.
const NEARLY_FULL_PERCENT: u64 = 90;

/// Why the streams cannot be read to the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// The broker did not answer, or refused; what was read so far proves nothing.
    #[error("read stream {stream}: {reason}; check again when the broker is well")]
    Bus {
        /// The stream.
        stream: String,
        /// What the broker said.
        reason: String,
    },
}

impl AuditError {
    fn new(stream: &str, reason: &dyn fmt::Display) -> Self {
        Self::Bus { stream: stream.to_owned(), reason: reason.to_string() }
    }
}

/// Reads all streams of the deployment and gives each message to `take`.
///
/// # Errors
/// [`AuditError`] when a stream cannot be read to its end.
pub async fn read(bus: &JetStreamBus, mut take: impl FnMut(Fact) + Send) -> Result<(), AuditError> {
    let shards = || bus.streams().topology.all_shards();
    for shard in shards() {
        edge(bus, (&log_stream(shard), shard), Content::Settled, &mut take).await?;
    }
    one_by_one(bus, (GOALS_STREAM, 0), &mut take).await?;
    for shard in shards() {
        one_by_one(bus, (&in_stream(shard), shard), &mut take).await?;
        one_by_one(bus, (&work_stream(shard), shard), &mut take).await?;
        timers(bus, shard, &mut take).await?;
        // What moved from the timers to the inputs, or from the orders, since the first look.
        one_by_one(bus, (&in_stream(shard), shard), &mut take).await?;
        timers(bus, shard, &mut take).await?;
    }
    for shard in shards() {
        journals(bus, shard, &mut take).await?;
    }
    let answers = Reader::open(bus, ANSWERS_STREAM, 0).await?;
    take(since(&answers.span));
    let mut readers = vec![answers];
    for shard in shards() {
        readers.push(Reader::open(bus, &log_stream(shard), shard).await?);
    }
    together(bus, &mut readers, &mut take).await
}

/// The last sequence of a stream as a fact of its own.
async fn edge(
    bus: &JetStreamBus,
    (stream, shard): (&str, u16),
    content: Content,
    take: &mut (impl FnMut(Fact) + Send),
) -> Result<(), AuditError> {
    let span = Span::of(bus, stream).await?;
    let (sequence, at) = (span.last, span.now);
    take(Fact { place: Place { stream: stream.into(), shard, sequence, at }, content });
    Ok(())
}

async fn one_by_one(
    bus: &JetStreamBus,
    (stream, shard): (&str, u16),
    take: &mut (impl FnMut(Fact) + Send),
) -> Result<(), AuditError> {
    let span = Span::of(bus, stream).await?;
    let mut next = span.first.max(1);
    while next <= span.last {
        let Some(raw) = queue(bus, (stream, shard), next).await? else { return Ok(()) };
        if raw.place.sequence > span.last {
            return Ok(());
        }
        next = raw.place.sequence + 1;
        take(decode(bus, raw).await?);
    }
    Ok(())
}

/// Timers that are set, and those that fired and are not known to be forwarded: a fired one stays in
/// its stream for a month and wakes nobody any more.
async fn timers(
    bus: &JetStreamBus,
    shard: u16,
    take: &mut (impl FnMut(Fact) + Send),
) -> Result<(), AuditError> {
    let stream = timer_stream(shard);
    let forwarded = acknowledged(bus, (&stream, DUE_CONSUMER)).await?;
    let mut reader = Reader::open(bus, &stream, shard).await?;
    while let Some(raw) = reader.next(bus).await? {
        let fact = decode(bus, raw).await?;
        let is_due = matches!(fact.content, Content::Due { .. });
        if !is_due || fact.place.sequence > forwarded {
            take(fact);
        }
    }
    Ok(())
}

/// The journals of steps, before the logs: whoever had reported before the first look had noted all.
async fn journals(
    bus: &JetStreamBus,
    shard: u16,
    take: &mut (impl FnMut(Fact) + Send),
) -> Result<(), AuditError> {
    let mut reader = Reader::open(bus, &run_stream(shard), shard).await?;
    while let Some(raw) = reader.next(bus).await? {
        take(decode(bus, raw).await?);
    }
    Ok(())
}

/// Reads several streams as one, in order of time: what belongs together comes close together.
async fn together(
    bus: &JetStreamBus,
    readers: &mut [Reader],
    take: &mut (impl FnMut(Fact) + Send),
) -> Result<(), AuditError> {
    let mut packs = Revisions::open(bus).await?;
    let mut heads: Vec<Option<Raw>> = Vec::new();
    for reader in readers.iter_mut() {
        heads.push(reader.next(bus).await?);
    }
    loop {
        let waiting = heads.iter_mut().zip(readers.iter_mut());
        let waiting = waiting.filter_map(|(head, reader)| {
            let at = head.as_ref()?.place.at;
            Some((at, head, reader))
        });
        let Some((_, head, reader)) = waiting.min_by_key(|(at, ..)| *at) else { break };
        let Some(raw) = std::mem::replace(head, reader.next(bus).await?) else { break };
        let fact = decode(bus, raw).await?;
        let fresh = pinned(&fact).filter(|revision| !packs.seen.contains(revision));
        if let Some(revision) = fresh
            && let Some(pack) = packs.read(revision, &fact.place).await?
        {
            take(pack);
        }
        take(fact);
    }
    for reader in readers.iter().filter(|reader| reader.is_log()) {
        take(Fact { place: reader.end(), content: Content::LogEnd });
    }
    Ok(())
}

/// The pack revision that a task's first record pins it to.
fn pinned(fact: &Fact) -> Option<Arc<str>> {
    let Content::Record(record) = &fact.content else { return None };
    let Some(Event::Accepted { goal, .. }) = record.record.events.first() else { return None };
    Some(Arc::clone(&goal.revision))
}

/// Pack revisions, each read once and only if a task is pinned to it.
struct Revisions {
    packs: KvPacks,
    seen: BTreeSet<Arc<str>>,
}

impl Revisions {
    async fn open(bus: &JetStreamBus) -> Result<Self, AuditError> {
        let streams = bus.streams();
        let opened = KvPacks::open(streams.js.clone(), streams.topology).await;
        let packs = opened.map_err(|error| AuditError::new(PACKS_BUCKET, &error))?;
        Ok(Self { packs, seen: BTreeSet::new() })
    }

    /// One that is not there, or that this build cannot compile, is nothing to compare with.
    async fn read(
        &mut self,
        revision: Arc<str>,
        place: &Place,
    ) -> Result<Option<Fact>, AuditError> {
        let found = self.packs.revision(&revision).await;
        self.seen.insert(revision);
        let pack = match found {
            Ok(pack) => pack,
            Err(BusError::Refused(_)) => None,
            Err(error @ BusError::Unavailable(_)) => {
                return Err(AuditError::new(PACKS_BUCKET, &error));
            }
        };
        Ok(pack.map(|pack| Fact { place: place.clone(), content: Content::Pack(pack) }))
    }
}

/// Since when every answer must still be there.
fn since(span: &Span) -> Fact {
    let too_old = span.max_age.map_or(UnixMillis(0), |max_age| {
        // A minute for the broker, which does not drop them to the second.
        let kept = max_age.saturating_sub(std::time::Duration::from_secs(60));
        UnixMillis(0).after(span.now.since(UnixMillis(0).after(kept)))
    });
    let is_full = span.max_bytes.is_some_and(|max| span.bytes * 100 >= max * NEARLY_FULL_PERCENT);
    let at = if is_full { too_old.max(span.first_at) } else { too_old };
    let place = Place { stream: ANSWERS_STREAM.into(), shard: 0, sequence: 0, at };
    Fact { place, content: Content::AnswersSince }
}
