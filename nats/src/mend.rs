//! Deliveries that the client library cannot read: headers that are no UTF-8, or no headers.
//!
//! The library ends the connection over one, and so would every redelivery, for ever. So whenever the connection
//! was lost, what a consumer has given out and not seen settled is read by another way; such a message is published
//! anew with its headers made readable, and the original goes away. The usual checks say the rest.

mod heal;

use async_nats::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    jetstream::{context::PublishError, publish::PublishAck},
};
use bytes::Bytes;
use data_encoding::BASE64;
use serde_json::{Value, json};

pub(crate) use self::heal::Heal;
use crate::bus::Streams;

/// Messages that one look goes through; the next look begins again at the first unsettled one.
const LOOKS_MAX: usize = 1_024;

/// Headers that were conditions of the first publishing and must not be checked again.
const CONDITIONS: &str = "Nats-Expected-";

/// Replaces the unreadable ones among a consumer's unsettled messages. Best effort: it is tried
/// again when the connection is lost again.
pub(crate) async fn mend(streams: &Streams, stream: &str, consumer: &str) {
    let api = format!("CONSUMER.INFO.{stream}.{consumer}");
    let Some(info) = ask(streams, &api, &json!({})).await else { return };
    let number = |path: &str| info.pointer(path).and_then(Value::as_u64).unwrap_or_default();
    let last = number("/delivered/stream_seq");
    let mut next = number("/ack_floor/stream_seq") + 1;
    if number("/num_ack_pending") == 0 {
        return;
    }
    for _ in 0..LOOKS_MAX {
        let request = json!({"seq": next, "next_by_subj": filter_of(&info)});
        let Some(found) = ask(streams, &format!("STREAM.MSG.GET.{stream}"), &request).await else {
            return;
        };
        let Some(message) = Stored::read(&found) else { return };
        if message.sequence > last {
            return;
        }
        if !message.headers.is_empty() && !is_readable(&message.headers) {
            replace(streams, stream, &message).await;
        }
        next = message.sequence + 1;
    }
}

/// What a consumer is given, by what the broker says of it.
fn filter_of(info: &Value) -> &str {
    let one = info.pointer("/config/filter_subject");
    let filter = one.or_else(|| info.pointer("/config/filter_subjects/0")).and_then(Value::as_str);
    filter.filter(|filter| !filter.is_empty()).unwrap_or(">")
}

/// A message as it lies in its stream.
struct Stored<'a> {
    subject: &'a str,
    sequence: u64,
    headers: Vec<u8>,
    body: Vec<u8>,
}

impl<'a> Stored<'a> {
    fn read(found: &'a Value) -> Option<Self> {
        let message = found.get("message")?;
        let bytes = |key: &str| match message.get(key).and_then(Value::as_str) {
            Some(text) => BASE64.decode(text.as_bytes()).ok(),
            None => Some(Vec::new()),
        };
        Some(Self {
            subject: message.get("subject")?.as_str()?,
            sequence: message.get("seq")?.as_u64()?,
            headers: bytes("hdrs")?,
            body: bytes("data")?,
        })
    }
}

async fn replace(streams: &Streams, stream: &str, message: &Stored<'_>) {
    let sequence = message.sequence;
    tracing::warn!(stream, sequence, "message with unreadable headers is published anew");
    match publish(streams, message, readable(&message.headers)).await {
        // The broker has only this one: it stays until the window of duplicates is over.
        Ok(ack) if ack.duplicate => {}
        // Without an answer it is replaced twice: a goal's key and a report's attempt make that one.
        Ok(_) => remove(streams, stream, sequence).await,
        Err(error) => tracing::warn!(stream, sequence, %error, "it was not, later again"),
    }
}

async fn publish(
    streams: &Streams,
    message: &Stored<'_>,
    headers: HeaderMap,
) -> Result<PublishAck, PublishError> {
    let (subject, body) = (message.subject.to_owned(), Bytes::copy_from_slice(&message.body));
    streams.js.publish_with_headers(subject, headers, body).await?.await
}

async fn remove(streams: &Streams, stream: &str, sequence: u64) {
    let request = json!({"seq": sequence, "no_erase": true});
    ask(streams, &format!("STREAM.MSG.DELETE.{stream}"), &request).await;
}

/// Whether the client library can surely read these headers. Broken lines are let through by it under
/// circumstances; here they are not, for a message loses nothing by being published anew.
fn is_readable(headers: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(headers) else { return false };
    let mut lines = text.lines();
    let is_version = |line: &str| {
        let rest = line.strip_prefix("NATS/1.0").map(str::trim);
        let status = rest.map(|rest| rest.split(' ').next().unwrap_or_default());
        status.is_some_and(|status| status.is_empty() || status.parse::<StatusCode>().is_ok())
    };
    let is_header = |line: &str| {
        let name = line.split_once(':').map(|(name, _)| name.parse::<HeaderName>());
        line.is_empty() || matches!(name, Some(Ok(_)))
    };
    lines.next().is_some_and(is_version) && lines.all(is_header)
}

/// The headers as far as they are text; what is none becomes `_` in names and U+FFFD in values.
fn readable(headers: &[u8]) -> HeaderMap {
    let text = String::from_utf8_lossy(headers);
    let mut readable = HeaderMap::new();
    for (name, value) in text.lines().skip(1).filter_map(|line| line.split_once(':')) {
        let token = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let name: String = name.chars().map(token).collect();
        if name.starts_with(CONDITIONS) {
            continue;
        }
        let value = value.trim().parse::<HeaderValue>();
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value) {
            readable.append(name, value);
        }
    }
    readable
}

/// One request to the stream server; `None` when it has no answer to it.
async fn ask(streams: &Streams, api: &str, request: &Value) -> Option<Value> {
    let request = Bytes::from(request.to_string());
    let reply = streams.client.request(format!("$JS.API.{api}"), request).await;
    let reply: Value = match reply {
        Ok(reply) => serde_json::from_slice(&reply.payload).ok()?,
        Err(error) => {
            tracing::debug!(api, %error, "no answer");
            return None;
        }
    };
    if let Some(error) = reply.get("error") {
        tracing::debug!(api, %error, "refused");
        return None;
    }
    Some(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_library_can_read_is_left_alone() {
        for good in ["NATS/1.0\r\n\r\n", "NATS/1.0\r\nA: b\r\nC:\r\n\r\n", "NATS/1.0 503\r\n\r\n"] {
            assert!(is_readable(good.as_bytes()), "{good:?}");
        }
        for bad in [
            &b"NATS/1.0\r\nA: \xff\r\n\r\n"[..],
            b"NATS/1.0\r\nno colon\r\n\r\n",
            "NATS/1.0\r\n\u{c4}: b\r\n\r\n".as_bytes(),
            b"NATS/1.0 what\r\n\r\n",
            b"NATS/2.0\r\nA: b\r\n\r\n",
            b"\r\n",
        ] {
            assert!(!is_readable(bad), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_text_is_marked_and_conditions_are_left_out() {
        let headers =
            b"NATS/1.0\r\nCadre-User: \xff\xfe \r\nCadre-\xffX: 1\r\nNats-Msg-Id: k:1\r\n\
            Nats-Expected-Last-Subject-Sequence: 0\r\nno colon\r\n\r\n";
        let readable = readable(headers);
        let get = |name: &str| readable.get(name).map(|value| value.as_str());
        assert_eq!(get("Cadre-User"), Some("\u{fffd}\u{fffd}"));
        assert_eq!(get("Cadre-_X"), Some("1"));
        assert_eq!(get("Nats-Msg-Id"), Some("k:1"));
        assert_eq!(readable.len(), 3, "{readable:?}");
    }
}
