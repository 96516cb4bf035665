//! Where messages come from: ordered consumers for streams that keep, single requests for queues.

use std::{sync::Arc, time::Duration};

use async_nats::{
    datetime::{DateTime, parse_rfc3339},
    jetstream::{
        Message,
        consumer::{
            DeliverPolicy,
            pull::{Ordered, OrderedConfig},
        },
    },
};
use bytes::Bytes;
use cadre_core::{check::Place, ports::BusError, time::UnixMillis};
use data_encoding::BASE64;
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::AuditError;
use crate::{
    bus::{JetStreamBus, pairs},
    connect::ride_out,
};

/// The time the broker has for the next message, before its leader is asked whether there is one.
const NEXT_WITHIN: Duration = Duration::from_secs(2);

/// How often a message that the leader has may fail to come.
const TRIES_MAX: usize = 10;

/// The pause after a consumer that does not see what the leader has.
const TRY_PAUSE: Duration = Duration::from_millis(100);

/// What the broker says when there is no such message.
const NO_MESSAGE: u64 = 10_037;

/// One message as it is stored.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) place: Place,
    pub(crate) subject: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Raw {
    /// The only value of a header; `None` for none or several.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value.as_str())
    }
}

/// How far a stream goes.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) first_at: UnixMillis,
    /// The broker's clock.
    pub(crate) now: UnixMillis,
    pub(crate) bytes: u64,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) max_age: Option<Duration>,
}

impl Span {
    pub(crate) async fn of(bus: &JetStreamBus, stream: &str) -> Result<Self, AuditError> {
        let info = ask(bus, &format!("STREAM.INFO.{stream}"), &json!({})).await;
        let info = info.map_err(|why| AuditError::new(stream, &why))?;
        let number = |path: &str| info.pointer(path).and_then(Value::as_u64);
        let time = |path: &str| info.pointer(path).and_then(Value::as_str).and_then(point);
        let state = (number("/state/first_seq"), number("/state/last_seq"));
        let (Some(first), Some(last)) = state else {
            let why = info.pointer("/error/description").and_then(Value::as_str);
            return Err(AuditError::new(stream, &why.unwrap_or("its state is unknown")));
        };
        Ok(Self {
            first,
            last,
            first_at: time("/state/first_ts").unwrap_or_default(),
            now: time("/ts").unwrap_or_default(),
            bytes: number("/state/bytes").unwrap_or_default(),
            max_bytes: number("/config/max_bytes").filter(|max| *max > 0),
            max_age: number("/config/max_age").filter(|age| *age > 0).map(Duration::from_nanos),
        })
    }
}

/// Reads one stream from its first message to what was its last one at the beginning.
pub(crate) struct Reader {
    pub(crate) span: Span,
    stream: Arc<str>,
    shard: u16,
    messages: Option<Ordered>,
    /// The last message that was read.
    seen: u64,
}

impl Reader {
    pub(crate) async fn open(
        bus: &JetStreamBus,
        stream: &str,
        shard: u16,
    ) -> Result<Self, AuditError> {
        let span = Span::of(bus, stream).await?;
        let stream = Arc::from(stream);
        Ok(Self { span, stream, shard, messages: None, seen: 0 })
    }

    pub(crate) fn is_log(&self) -> bool {
        self.stream.starts_with("CADRE_LOG")
    }

    /// The last message that could be read.
    pub(crate) fn end(&self) -> Place {
        let (sequence, at) = (self.span.last, self.span.now);
        Place { stream: Arc::clone(&self.stream), shard: self.shard, sequence, at }
    }

    pub(crate) async fn next(&mut self, bus: &JetStreamBus) -> Result<Option<Raw>, AuditError> {
        for _ in 0..TRIES_MAX {
            if self.messages.is_none() && !self.begin(bus).await? {
                return Ok(None);
            }
            let Some(messages) = &mut self.messages else { continue };
            let Ok(message) = tokio::time::timeout(NEXT_WITHIN, messages.next()).await else {
                // It was removed in the meantime, or the consumer is lost: the leader knows.
                tracing::debug!(stream = %self.stream, seen = self.seen, "no message came");
                self.messages = None;
                continue;
            };
            let message = message.ok_or_else(|| self.lost(&"the consumer ended"))?;
            let message = message.map_err(|error| self.lost(&error))?;
            return self.take(&message);
        }
        Err(self.lost(&"the next message does not come"))
    }

    fn lost(&self, why: &dyn std::fmt::Display) -> AuditError {
        AuditError::new(&self.stream, why)
    }

    fn take(&mut self, message: &Message) -> Result<Option<Raw>, AuditError> {
        let info = message.info().map_err(|error| self.lost(&error))?;
        let (sequence, at, pending) = (info.stream_sequence, unix(info.published), info.pending);
        self.seen = sequence.min(self.span.last);
        if pending == 0 || sequence >= self.span.last {
            self.messages = None;
        }
        if sequence > self.span.last {
            return Ok(None);
        }
        let (stream, shard) = (Arc::clone(&self.stream), self.shard);
        Ok(Some(Raw {
            place: Place { stream, shard, sequence, at },
            subject: message.subject.to_string(),
            headers: pairs(message.headers.as_ref()),
            body: message.payload.clone(),
        }))
    }

    /// Begins, or goes on behind a consumer that believed to be at the end: a replica that hosts
    /// one can be behind its leader. False when the leader has nothing more either.
    async fn begin(&mut self, bus: &JetStreamBus) -> Result<bool, AuditError> {
        if self.seen >= self.span.last {
            return Ok(false);
        }
        let next = queue(bus, (&self.stream, self.shard), self.seen + 1).await?;
        let Some(next) = next.filter(|next| next.place.sequence <= self.span.last) else {
            return Ok(false);
        };
        let stream = bus.streams().js.get_stream_no_info(self.stream.as_ref()).await;
        let stream = stream.map_err(|error| self.lost(&error))?;
        let start_sequence = next.place.sequence;
        let deliver_policy = DeliverPolicy::ByStartSequence { start_sequence };
        let config = OrderedConfig { deliver_policy, ..OrderedConfig::default() };
        let consumer = stream.create_consumer(config).await.map_err(|error| self.lost(&error))?;
        if consumer.cached_info().num_pending > 0 {
            let messages = consumer.messages().await.map_err(|error| self.lost(&error))?;
            self.messages = Some(messages);
        } else {
            tokio::time::sleep(TRY_PAUSE).await;
        }
        Ok(true)
    }
}

/// The first message at or behind `from`, from the stream's leader; `None` when there is none.
///
/// It comes as base64 inside JSON: headers that are no text, which anybody can publish, would end
/// the connection otherwise.
pub(super) async fn queue(
    bus: &JetStreamBus,
    (stream, shard): (&str, u16),
    from: u64,
) -> Result<Option<Raw>, AuditError> {
    let request = json!({"seq": from, "next_by_subj": ">"});
    let found = ask(bus, &format!("STREAM.MSG.GET.{stream}"), &request).await;
    let found = found.map_err(|why| AuditError::new(stream, &why))?;
    if let Some(error) = found.get("error") {
        if error.get("err_code").and_then(Value::as_u64) == Some(NO_MESSAGE) {
            return Ok(None);
        }
        return Err(AuditError::new(stream, error));
    }
    let raw = stored(&found, (stream, shard));
    raw.map(Some).ok_or_else(|| AuditError::new(stream, &"the broker's answer is no message"))
}

/// The sequence up to which a consumer has seen everything settled; 0 when there is none.
pub(super) async fn acknowledged(
    bus: &JetStreamBus,
    (stream, consumer): (&str, &str),
) -> Result<u64, AuditError> {
    let info = ask(bus, &format!("CONSUMER.INFO.{stream}.{consumer}"), &json!({})).await;
    let info = info.map_err(|why| AuditError::new(stream, &why))?;
    Ok(info.pointer("/ack_floor/stream_seq").and_then(Value::as_u64).unwrap_or_default())
}

fn stored(found: &Value, (stream, shard): (&str, u16)) -> Option<Raw> {
    let message = found.get("message")?;
    let text = |key: &str| message.get(key).and_then(Value::as_str);
    let bytes = |key: &str| match text(key) {
        Some(text) => BASE64.decode(text.as_bytes()).ok(),
        None => Some(Vec::new()),
    };
    let (sequence, at) = (message.get("seq")?.as_u64()?, point(text("time")?)?);
    let headers = String::from_utf8_lossy(&bytes("hdrs")?).into_owned();
    let headers = headers.lines().skip(1).filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    let (subject, body) = (text("subject")?.to_owned(), Bytes::from(bytes("data")?));
    Some(Raw {
        place: Place { stream: stream.into(), shard, sequence, at },
        subject,
        headers,
        body,
    })
}

/// One request to the stream server, repeated through a gap of the broker.
async fn ask(bus: &JetStreamBus, api: &str, request: &Value) -> Result<Value, String> {
    let subject = format!("$JS.API.{api}");
    let attempt = || async {
        let client = &bus.streams().client;
        let sent = client.request(subject.clone(), Bytes::from(request.to_string())).await;
        let reply = sent.map_err(|error| BusError::Unavailable(error.to_string()))?;
        let answer = serde_json::from_slice::<Value>(&reply.payload);
        answer.map_err(|error| BusError::Refused(error.to_string()))
    };
    ride_out(attempt).await.map_err(|error| error.to_string())
}

fn point(text: &str) -> Option<UnixMillis> {
    parse_rfc3339(text).ok().map(unix)
}

pub(super) fn unix(at: DateTime) -> UnixMillis {
    UnixMillis(u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default())
}

/// The time of a header `Nats-Schedule: @at <time>`.
pub(super) fn scheduled(text: &str) -> Option<UnixMillis> {
    point(text.strip_prefix("@at ")?)
}
