//! Reads the messages of a subject: of a task's log, of a step's journal.

use std::time::{Duration, Instant};

use async_nats::{HeaderMap, StatusCode, datetime::parse_rfc3339, jetstream::stream::Stream};
use bytes::Bytes;
use cadre_core::{limits::BUS_GAP_MAX, ports::BusError, time::UnixMillis};
use futures::StreamExt as _;
use serde_json::json;

use crate::{bus::Streams, tail::unix};

/// Messages asked for in one read.
pub(crate) const READ_BATCH: u64 = 1_000;

/// End of a direct batch get (ADR-31).
const END_OF_BATCH: u16 = 204;

/// Waits for the next message of one read.
const READ_GAP: Duration = Duration::from_secs(3);

/// One stored message.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) subject: String,
    pub(crate) sequence: u64,
    /// When the broker stored it.
    pub(crate) at: UnixMillis,
    pub(crate) body: Bytes,
}

/// The last message on `subject`, from the stream's leader; `None` when there is none.
pub(crate) async fn last(stream: &Stream<()>, subject: &str) -> Result<Option<Stored>, BusError> {
    use async_nats::jetstream::stream::LastRawMessageErrorKind as Kind;
    let begun = Instant::now();
    loop {
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => {
                let (sequence, at) = (message.sequence, unix(message.time));
                let body = message.payload;
                return Ok(Some(Stored { subject: subject.to_owned(), sequence, at, body }));
            }
            Err(error) if matches!(error.kind(), Kind::NoMessageFound) => return Ok(None),
            Err(error) if begun.elapsed() >= BUS_GAP_MAX => {
                return Err(BusError::Unavailable(format!("read of {subject}: {error}")));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Messages on `subject`, which may have wildcards, at or behind `from`; fewer than [`READ_BATCH`]
/// are the last ones.
pub(crate) async fn read(
    streams: &Streams,
    (stream, subject): (&str, &str),
    from: u64,
) -> Result<Vec<Stored>, BusError> {
    read_few(streams, (stream, subject), from, READ_BATCH).await
}

/// The same, at most `batch` at once: for messages that are large.
pub(crate) async fn read_few(
    streams: &Streams,
    (stream, subject): (&str, &str),
    from: u64,
    batch: u64,
) -> Result<Vec<Stored>, BusError> {
    let begun = Instant::now();
    loop {
        match try_read(streams, (stream, subject), (from, batch)).await {
            Ok(batch) => return Ok(batch),
            Err(why) if begun.elapsed() >= BUS_GAP_MAX => {
                return Err(BusError::Unavailable(format!("read of {subject}: {why}")));
            }
            Err(why) => {
                tracing::debug!(subject, %why, "read is tried again");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// One direct batch get (ADR-31): all messages from `from` on, and the end marker.
async fn try_read(
    streams: &Streams,
    (stream, subject): (&str, &str),
    (from, batch): (u64, u64),
) -> Result<Vec<Stored>, String> {
    let client = &streams.client;
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await.map_err(|e| e.to_string())?;
    let request = json!({"seq": from, "batch": batch, "next_by_subj": subject});
    let api = format!("$JS.API.DIRECT.GET.{stream}");
    let body = Bytes::from(request.to_string());
    client.publish_with_reply(api, inbox, body).await.map_err(|e| e.to_string())?;
    let mut found = Vec::new();
    loop {
        let answer = tokio::time::timeout(READ_GAP, answers.next()).await;
        let answer = answer.map_err(|_| "no answer".to_owned())?.ok_or("connection closed")?;
        match answer.status {
            None => {}
            // End of batch, or nothing (any more) under this subject.
            Some(status) if status.as_u16() == END_OF_BATCH => return Ok(found),
            Some(StatusCode::NOT_FOUND) => return Ok(found),
            Some(status) => {
                let text = answer.description.unwrap_or_default();
                return Err(format!("{status} {text}"));
            }
        }
        let headers = answer.headers.as_ref();
        let sequence = header(headers, "Nats-Sequence").and_then(|text| text.parse().ok());
        let sequence = sequence.ok_or("answer without a sequence")?;
        let subject = header(headers, "Nats-Subject").unwrap_or_default().to_owned();
        let at = header(headers, "Nats-Time-Stamp").and_then(|text| parse_rfc3339(text).ok());
        let at = at.map(unix).unwrap_or_default();
        found.push(Stored { subject, sequence, at, body: answer.payload });
    }
}

fn header<'a>(headers: Option<&'a HeaderMap>, name: &str) -> Option<&'a str> {
    Some(headers?.get(name)?.as_str())
}
