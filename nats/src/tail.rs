//! Reads every stream as it is, for people: raw messages, without taking anything from anybody.
//!
//! Log, timers and answers come through ordered consumers. Work queues allow no second reader, so they are looked at by
//! sequence: what a worker took between two looks is not seen there, but the log tells what became of it.

mod decode;
mod filter;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use async_nats::{
    HeaderMap,
    datetime::{DateTime, now},
    jetstream::{
        self, Context,
        consumer::{DeliverPolicy, pull::OrderedConfig},
        context::GetStreamErrorKind,
        message::StreamMessage,
        stream::{DirectGetErrorKind, RetentionPolicy},
    },
};
use bytes::Bytes;
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};

use cadre_core::time::UnixMillis;

pub use self::decode::{Decoded, decode};
use self::filter::Filter;
use crate::topology::{
    ANSWERS_STREAM, GOALS_STREAM, Topology, in_stream, log_stream, run_stream, timer_stream,
    work_stream,
};

/// The pause between two looks at a work queue.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

/// Nothing on any broker is older, and calendars end somewhere.
const AGO_MAX: Duration = Duration::from_secs(50 * 365 * 24 * 3_600);

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailOptions {
    /// A subject with wildcards, or a task id; `None` for everything.
    pub filter: Option<String>,
    /// Where to begin.
    pub from: Begin,
    /// Goes on for ever instead of ending at what exists now.
    pub follow: bool,
    /// Leaves out bodies where the broker can: the header `Nats-Msg-Size` tells how large each is.
    pub headers_only: bool,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// With the next message.
    Now,
    /// With the oldest message.
    All,
    /// With what was stored this long ago.
    Since(Duration),
}

/// One message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailItem {
    /// The stream that holds it.
    pub stream: String,
    /// Its subject.
    pub subject: String,
    /// Its place in the stream.
    pub sequence: u64,
    /// When the broker stored it.
    pub at: UnixMillis,
    /// What it is, by its subject.
    pub kind: TailKind,
    /// Its headers, in no particular order.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Bytes,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TailKind {
    /// A published goal.
    Goal,
    /// An input of a partition.
    Input,
    /// A transition record.
    Record,
    /// A timer that is set.
    Timer,
    /// A timer that fired.
    Due,
    /// A dead letter.
    Dead,
    /// A work order.
    Order,
    /// The answer of a task.
    Answer,
    /// Something that we do not know.
    Other,
}

impl TailKind {
    fn of(subject: &str) -> Self {
        let mut tokens = subject.split('.');
        match (tokens.next(), tokens.nth(1)) {
            (Some("goals"), _) => Self::Goal,
            (Some("answers"), _) => Self::Answer,
            (Some("cadre"), Some("in")) => Self::Input,
            (Some("cadre"), Some("log")) => Self::Record,
            (Some("cadre"), Some("timer")) => Self::Timer,
            (Some("cadre"), Some("due")) => Self::Due,
            (Some("cadre"), Some("dead")) => Self::Dead,
            (Some("cadre"), Some("work")) => Self::Order,
            (_, _) => Self::Other,
        }
    }
}

impl fmt::Display for TailKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Goal => "goal",
            Self::Input => "input",
            Self::Record => "record",
            Self::Timer => "timer",
            Self::Due => "due",
            Self::Dead => "dead",
            Self::Order => "order",
            Self::Answer => "answer",
            Self::Other => "other",
        })
    }
}

/// Why messages cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TailError {
    /// The filter is neither a task id nor a subject.
    #[error(
        "read the filter {filter:?}: give a task id, or a subject such as cadre.*.log.> or goals.acme.*"
    )]
    Filter {
        /// The filter as given.
        filter: String,
    },
    /// The broker did not answer, or refused.
    #[error("read stream {stream}: {reason}")]
    Bus {
        /// The stream.
        stream: String,
        /// What the broker said.
        reason: String,
    },
}

type Items = BoxStream<'static, Result<TailItem, TailError>>;

/// Reads all streams at once; messages of one stream come in order, those of several as they arrive.
///
/// A missing stream is left out. An error in the middle is passed on and reading goes on, as far as it can.
///
/// # Errors
/// [`TailError`] when the filter is none, or a stream cannot be opened.
pub async fn tail(
    js: &Context,
    topology: &Topology,
    options: &TailOptions,
) -> Result<impl Stream<Item = Result<TailItem, TailError>> + Send + Unpin + use<>, TailError> {
    let filter = Filter::parse(options.filter.as_deref())?;
    let shards = topology.all_shards();
    let sharded = shards.flat_map(|shard| {
        [in_stream, log_stream, work_stream, timer_stream, run_stream].map(|name| name(shard))
    });
    let names = [GOALS_STREAM.to_owned(), ANSWERS_STREAM.to_owned()].into_iter().chain(sharded);
    let mut all: Vec<Items> = Vec::new();
    for name in names {
        let found = match js.get_stream(&name).await {
            Ok(found) => found,
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(error)
                    if error.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND =>
                {
                    continue;
                }
                GetStreamErrorKind::EmptyName
                | GetStreamErrorKind::Request
                | GetStreamErrorKind::InvalidStreamName
                | GetStreamErrorKind::JetStream(_) => return Err(bus(&name, &error)),
            },
        };
        let config = &found.cached_info().config;
        let Some(filters) = filter.of_stream(&config.subjects) else { continue };
        let is_queue = config.retention == RetentionPolicy::WorkQueue;
        let source = Source { name, stream: found, filters, options: options.clone() };
        let items = if is_queue { source.look() } else { source.consume().await? };
        let filter = filter.clone();
        let wanted = move |item: &Result<TailItem, TailError>| {
            std::future::ready(item.as_ref().map_or(true, |item| filter.wants(&item.subject)))
        };
        all.push(items.filter(wanted).boxed());
    }
    Ok(stream::select_all(all))
}

struct Source {
    name: String,
    stream: jetstream::stream::Stream,
    filters: Vec<String>,
    options: TailOptions,
}

impl Source {
    async fn consume(self) -> Result<Items, TailError> {
        let deliver_policy = match self.options.from {
            Begin::Now => DeliverPolicy::New,
            Begin::All => DeliverPolicy::All,
            Begin::Since(ago) => DeliverPolicy::ByStartTime { start_time: before(ago) },
        };
        let config = OrderedConfig {
            deliver_policy,
            filter_subjects: self.filters,
            headers_only: self.options.headers_only,
            ..OrderedConfig::default()
        };
        let consumer = self.stream.create_consumer(config).await;
        let consumer = consumer.map_err(|error| bus(&self.name, &error))?;
        let follow = self.options.follow;
        if !follow && consumer.cached_info().num_pending == 0 {
            return Ok(stream::empty().boxed());
        }
        let messages = consumer.messages().await.map_err(|error| bus(&self.name, &error))?;
        let name = self.name;
        // Ends behind the message that says that none are pending.
        let items = stream::unfold((messages, false), move |(mut messages, is_last)| {
            let name = name.clone();
            async move {
                if is_last {
                    return None;
                }
                let message = messages.next().await?;
                let (item, is_last) = match message.map_err(|error| bus(&name, &error)) {
                    Ok(message) => match message
                        .info()
                        .map(|info| (info.stream_sequence, info.published, info.pending))
                    {
                        Ok((sequence, at, pending)) => {
                            let item = item(&name, sequence, at, message.message);
                            (Ok(item), !follow && pending == 0)
                        }
                        Err(error) => (Err(bus(&name, &error)), false),
                    },
                    Err(error) => (Err(error), false),
                };
                Some((item, (messages, is_last)))
            }
        });
        Ok(items.boxed())
    }

    fn look(self) -> Items {
        let state = &self.stream.cached_info().state;
        let next = match self.options.from {
            Begin::Now => state.last_sequence + 1,
            Begin::All | Begin::Since(_) => state.first_sequence.max(1),
        };
        let oldest = match self.options.from {
            Begin::Now | Begin::All => None,
            Begin::Since(ago) => Some(before(ago)),
        };
        let items = stream::unfold((self, Some(next)), |(source, next)| async move {
            let outcome = source.next(next?).await?;
            // Only a reader that does not follow hears of an error, and stops there.
            let after = outcome.as_ref().ok().map(|message| message.sequence + 1);
            Some((outcome, (source, after)))
        });
        let recent = items.filter(move |message| {
            let is_recent = |message: &Message| oldest.is_none_or(|oldest| message.at >= oldest);
            std::future::ready(message.as_ref().map_or(true, is_recent))
        });
        recent.map(|message| message.map(|message| message.item)).boxed()
    }

    /// The first message at or behind `next`; `None` when there is none and none is waited for.
    async fn next(&self, next: u64) -> Option<Result<Message, TailError>> {
        // Work queues are asked with one filter at most: of a task, each has one pattern.
        let filter = self.filters.first().map_or(">", String::as_str);
        loop {
            let get = self.stream.direct_get_builder().sequence(next).next_by_subject(filter);
            match get.send().await {
                Ok(message) => return Some(Ok(Message::of(&self.name, message))),
                Err(error) if error.kind() == DirectGetErrorKind::NotFound => {
                    if !self.options.follow {
                        return None;
                    }
                }
                Err(error) if !self.options.follow => return Some(Err(bus(&self.name, &error))),
                Err(error) => {
                    tracing::debug!(stream = self.name, %error, "could not look at a stream")
                }
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }
}

/// An item of a work queue with what is needed to go on.
struct Message {
    item: TailItem,
    sequence: u64,
    at: DateTime,
}

impl Message {
    fn of(stream: &str, message: StreamMessage) -> Self {
        let (sequence, at) = (message.sequence, message.time);
        let item = TailItem {
            stream: stream.to_owned(),
            kind: TailKind::of(&message.subject),
            subject: message.subject.to_string(),
            sequence,
            at: unix(at),
            headers: headers(&message.headers),
            body: message.payload,
        };
        Self { item, sequence, at }
    }
}

/// One stored message that was looked up.
pub(crate) fn stored(stream: &str, message: StreamMessage) -> TailItem {
    Message::of(stream, message).item
}

fn item(stream: &str, sequence: u64, at: DateTime, message: async_nats::Message) -> TailItem {
    TailItem {
        stream: stream.to_owned(),
        kind: TailKind::of(&message.subject),
        subject: message.subject.to_string(),
        sequence,
        at: unix(at),
        headers: message.headers.as_ref().map(headers).unwrap_or_default(),
        body: message.payload,
    }
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    let one = |(name, values): (&async_nats::HeaderName, &Vec<async_nats::HeaderValue>)| {
        values.iter().map(|value| (name.to_string(), value.to_string())).collect::<Vec<_>>()
    };
    map.iter().flat_map(one).collect()
}

fn before(ago: Duration) -> DateTime {
    now() - ago.min(AGO_MAX)
}

pub(crate) fn unix(at: DateTime) -> UnixMillis {
    UnixMillis(u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default())
}

fn bus(stream: &str, error: &dyn fmt::Display) -> TailError {
    TailError::Bus { stream: stream.to_owned(), reason: error.to_string() }
}
