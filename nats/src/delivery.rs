//! What the broker says of a delivery, and how it is answered (ADR-15).

use std::time::Duration;

use async_nats::{Client, Message, jetstream::stream::RawMessageErrorKind};
use bytes::Bytes;
use cadre_core::time::UnixMillis;
use tokio::sync::OwnedSemaphorePermit;

use crate::bus::Streams;

/// Where a delivered message stands in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp<'a> {
    /// The stream.
    pub(crate) stream: &'a str,
    /// Its sequence there.
    pub(crate) sequence: u64,
    /// When the broker stored it.
    pub(crate) stored_at: UnixMillis,
    /// Deliveries so far, this one included.
    pub(crate) deliveries: u32,
}

impl<'a> Stamp<'a> {
    /// Reads the reply subject of a delivery; `None` when the message is none.
    pub(crate) fn of(message: &'a Message) -> Option<Self> {
        Self::parse(message.reply.as_ref()?)
    }

    /// `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<ns>.<pending>`,
    /// with domain and account hash before the stream in the newer form.
    fn parse(reply: &'a str) -> Option<Self> {
        let rest = reply.strip_prefix("$JS.ACK.")?;
        let skipped = if rest.split('.').count() == 7 { 0 } else { 2 };
        let mut tokens = rest.split('.').skip(skipped);
        let stream = tokens.next()?;
        let deliveries = tokens.nth(1)?.parse().ok()?;
        let sequence = tokens.next()?.parse().ok()?;
        let stored_ns: u64 = tokens.nth(1)?.parse().ok()?;
        Some(Self { stream, sequence, stored_at: UnixMillis(stored_ns / 1_000_000), deliveries })
    }
}

/// How a delivery is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// Done with it.
    Ack,
    /// Still at it.
    Progress,
    /// To be delivered again after this pause.
    Later(Duration),
}

/// Settles one delivery; keeps the whole message, for a dead letter.
#[derive(Debug)]
pub struct Receipt {
    pub(crate) message: Message,
    /// Room that the message takes in a worker; free again when the receipt is dropped.
    _room: Option<OwnedSemaphorePermit>,
}

impl Receipt {
    pub(crate) fn new(message: Message) -> Self {
        Self { message, _room: None }
    }

    pub(crate) fn held(message: Message, room: OwnedSemaphorePermit) -> Self {
        Self { message, _room: Some(room) }
    }

    /// Whether the message is still where it was delivered from; yes when the broker does not say.
    pub(crate) async fn is_open(&self, streams: &Streams) -> bool {
        let Some(stamp) = Stamp::of(&self.message) else { return true };
        let Ok(stream) = streams.js.get_stream_no_info(stamp.stream).await else { return true };
        match stream.get_raw_message(stamp.sequence).await {
            Ok(_) => true,
            Err(error) => !matches!(error.kind(), RawMessageErrorKind::NoMessageFound),
        }
    }

    /// Best effort: a settlement that is lost is a redelivery.
    pub(crate) async fn settle(&self, client: &Client, settlement: Settlement) {
        let Some(reply) = self.message.reply.clone() else { return };
        let body = match settlement {
            Settlement::Ack => Bytes::from_static(b"+ACK"),
            Settlement::Progress => Bytes::from_static(b"+WPI"),
            Settlement::Later(pause) => {
                Bytes::from(format!(r#"-NAK {{"delay": {}}}"#, pause.as_nanos()))
            }
        };
        if let Err(error) = client.publish(reply, body).await {
            tracing::debug!(subject = %self.message.subject, %error, "message was not settled");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_reply_subject_are_read() {
        let expected = Stamp {
            stream: "CADRE_IN_0",
            sequence: 17,
            stored_at: UnixMillis(1_700_000_000_123),
            deliveries: 2,
        };
        for reply in [
            "$JS.ACK.CADRE_IN_0.p3.2.17.5.1700000000123456789.42",
            "$JS.ACK._.hash.CADRE_IN_0.p3.2.17.5.1700000000123456789.42",
            "$JS.ACK.hub.hash.CADRE_IN_0.p3.2.17.5.1700000000123456789.42.random",
        ] {
            assert_eq!(Stamp::parse(reply), Some(expected), "{reply}");
        }
        for reply in ["", "_INBOX.x", "$JS.ACK.", "$JS.ACK.a.b.c", "$JS.ACK.s.c.x.17.5.1.0"] {
            assert_eq!(Stamp::parse(reply), None, "{reply}");
        }
    }
}
