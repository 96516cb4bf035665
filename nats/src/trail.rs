//! The audit trail on the bus: what it is made from, its pages in `CADRE_AUDIT`, and all of it in order.
//!
//! A chain's pages are on `audit.<chain>`, each written behind the one before it, so of two writers one is
//! refused. Called by the orchestrator's auditor (as [`AuditBus`]), by commands that change something which no
//! log tells of ([`JetStreamTrail::note`]), and by `cadre audit`. Not to be taken for `audit`, which reads
//! streams for `cadre check`.

mod deeds;
mod look;

use std::time::Duration;

use async_nats::{
    HeaderMap,
    jetstream::{
        consumer::{
            DeliverPolicy,
            pull::{Ordered, OrderedConfig},
        },
        stream::{DirectGetErrorKind, Stream},
    },
};
use bytes::Bytes;
use cadre_core::{
    audit::{
        Chain, Deed, Page, Seen, Source, Tip,
        port::{AuditBus, PageError, Standing, Turn},
    },
    ids::{Name, TaskId},
    ports::{BusError, Inbox},
};
use cadre_proto::subject::{self, audit};
use futures::{FutureExt as _, StreamExt as _, stream::SelectAll};

use crate::{
    audit::{AuditError, source::Reader},
    bus::JetStreamBus,
    connect::{open_error, ride_out},
    delivery::Stamp,
    pages,
    publish::{EXPECTED, Outgoing, Published},
    topology::{AUDIT_STREAM, log_stream},
    watch::{JetStreamWatch, lease},
};

/// How long nothing may come before an empty batch says so.
const QUIET: Duration = Duration::from_secs(2);

/// Messages handed over at once.
const BATCH_MAX: usize = 512;

/// How often a command tries to be behind the last entry of its chain.
const NOTES_TRIED_MAX: u32 = 20;

/// The audit trail of one bus. Cheap to clone.
#[derive(Clone)]
pub struct JetStreamTrail {
    bus: JetStreamBus,
    watch: JetStreamWatch,
    stream: Stream<()>,
}

/// One message of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place in the stream.
    pub sequence: u64,
    /// The chain of its subject.
    pub chain: String,
    /// Its lines.
    pub body: Bytes,
}

impl JetStreamTrail {
    /// Opens the stream.
    ///
    /// # Errors
    /// [`BusError::Refused`] on a broker without it; else the broker does not answer.
    pub async fn open(bus: &JetStreamBus) -> Result<Self, BusError> {
        let js = &bus.streams().js;
        let found = ride_out(|| async {
            let found = js.get_stream(AUDIT_STREAM).await;
            found.map_err(|error| open_error(AUDIT_STREAM, &error))
        });
        found.await?;
        let stream = js.get_stream_no_info(AUDIT_STREAM).await;
        let stream = stream.map_err(|error| unavailable("open the audit trail", &error))?;
        Ok(Self { bus: bus.clone(), watch: JetStreamWatch::open(bus).await?, stream })
    }

    /// Writes down what somebody is about to do, behind everything else of that chain.
    ///
    /// # Errors
    /// [`BusError`] when it is not known to be stored: what it says must not be done then.
    pub async fn note(&self, chain: &Chain, deed: &Deed) -> Result<(), BusError> {
        for _ in 0..NOTES_TRIED_MAX {
            let Standing { tip, sequence } = self.standing(chain).await?;
            match self.append(chain, &tip.note(chain, deed), sequence).await {
                Ok(_) => return Ok(()),
                Err(PageError::Conflict(_)) => {}
                Err(PageError::Bus(error)) => return Err(error),
            }
        }
        let text = format!("audit chain {chain}: others are always faster, try again");
        Err(BusError::Unavailable(text))
    }

    /// Reads the whole trail in order and gives each message to `take`; says where the stream ends.
    ///
    /// # Errors
    /// [`AuditError`] when it cannot be read to its end.
    pub async fn read(&self, mut take: impl FnMut(Stored)) -> Result<u64, AuditError> {
        let mut reader = Reader::open(&self.bus, AUDIT_STREAM, 0).await?;
        while let Some(raw) = reader.next(&self.bus).await? {
            let chain = audit::chain_of(&raw.subject).unwrap_or(&raw.subject).to_owned();
            take(Stored { sequence: raw.place.sequence, chain, body: raw.body });
        }
        Ok(reader.span.last)
    }
}

impl AuditBus for JetStreamTrail {
    type Sources = Sources;

    async fn turn(
        &self,
        auditor: &Name,
        lasts: Duration,
        seen: Option<&Seen>,
    ) -> Result<Turn, BusError> {
        let (term, seen) = lease::lead(&self.watch, (audit::AUDITOR, auditor), lasts, seen).await?;
        Ok(Turn { auditor: term.watcher, seen })
    }

    async fn sources(&self, seen: &Seen) -> Result<Sources, BusError> {
        let streams = self.bus.streams();
        let mut messages = SelectAll::new();
        for shard in streams.topology.all_shards() {
            let name = log_stream(shard);
            let lost =
                |error: &dyn std::fmt::Display| unavailable(&format!("follow {name}"), error);
            let stream = streams.js.get_stream_no_info(&name).await;
            let stream = stream.map_err(|error| lost(&error))?;
            let start_sequence = seen.get(&name).map_or(1, |seen| seen.saturating_add(1));
            let config = OrderedConfig {
                deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
                // No filter: all of it is of interest, and with two of them the server walks all of the
                // stream's subjects for each message (two fifths of its CPU with 10,000 tasks).
                ..OrderedConfig::default()
            };
            let consumer = stream.create_consumer(config).await.map_err(|error| lost(&error))?;
            messages.push(consumer.messages().await.map_err(|error| lost(&error))?);
        }
        Ok(Sources { messages, bus: self.bus.clone() })
    }

    async fn tenant(&self, task: &TaskId) -> Result<Option<Name>, BusError> {
        let streams = self.bus.streams();
        let partition = streams.partition(task);
        let (stream, subject) = (streams.log(partition)?, subject::log(partition, task));
        ride_out(|| async {
            let get = stream.direct_get_builder().sequence(1).next_by_subject(subject.as_str());
            match get.send().await {
                Ok(first) => Ok(deeds::tenant(streams.wire.reader(), &first.payload)),
                Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
                Err(error) => Err(unavailable(&format!("read {subject}"), &error)),
            }
        })
        .await
    }

    async fn standing(&self, chain: &Chain) -> Result<Standing, BusError> {
        let Some(last) = pages::last(&self.stream, &audit::chain(chain)).await? else {
            return Ok(Standing::default());
        };
        let tip = Tip::of_page(&last.body).map_err(|error| {
            let text = format!("the last entry of audit chain {chain} is damaged: {error}");
            BusError::Refused(format!("{text}; see `cadre audit verify`"))
        })?;
        Ok(Standing { tip, sequence: last.sequence })
    }

    async fn append(&self, chain: &Chain, page: &Page, after: u64) -> Result<u64, PageError> {
        let mut headers = HeaderMap::new();
        headers.insert(EXPECTED, after.to_string());
        headers.insert("Content-Type", "application/x-ndjson");
        let (subject, body) = (audit::chain(chain), Bytes::from(page.text.clone()));
        let message = Outgoing { subject, headers, body };
        match self.bus.streams().publisher.publish(message).await? {
            Published::Stored(sequence) => Ok(sequence),
            // Perhaps by an earlier try of this very page: its end tells.
            Published::Refused { .. } => Err(PageError::Conflict(chain.clone())),
        }
    }
}

/// All logs and dead letters, as they are written.
pub struct Sources {
    messages: SelectAll<Ordered>,
    bus: JetStreamBus,
}

impl Inbox<Source> for Sources {
    async fn next(&mut self) -> Result<Vec<Source>, BusError> {
        let mut batch = Vec::new();
        let Ok(mut next) = tokio::time::timeout(QUIET, self.messages.next()).await else {
            return Ok(batch);
        };
        loop {
            let message = next.ok_or_else(|| unavailable("follow the logs", &"they have ended"))?;
            let message = message.map_err(|error| unavailable("follow the logs", &error))?;
            if let Some(stamp) = Stamp::of(&message.message) {
                let streams = self.bus.streams();
                streams.clock.observe(stamp.stored_at);
                batch.push(deeds::source(streams.wire.reader(), &message.message, stamp));
            }
            if batch.len() >= BATCH_MAX {
                return Ok(batch);
            }
            // What else is there already.
            match self.messages.next().now_or_never() {
                Some(more) => next = more,
                None => return Ok(batch),
            }
        }
    }
}

fn unavailable(what: &str, error: &dyn std::fmt::Display) -> BusError {
    BusError::Unavailable(format!("{what}: {error}"))
}
