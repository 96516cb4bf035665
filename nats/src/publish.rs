//! Guarded publishing: every message is confirmed, and repeated through a broker gap.
//!
//! A publish without an answer may have happened. Repeating it is safe, because every
//! message that matters carries the sequence that its subject must end with: the
//! second copy is refused, and [`Published::Refused`] tells the caller to look.

use std::time::{Duration, Instant};

use async_nats::{
    HeaderMap,
    jetstream::{self, Context, context::PublishErrorKind},
};
use bytes::Bytes;
use cadre_core::{limits::BUS_GAP_MAX, ports::BusError};

/// First pause between two tries; doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(250);

/// Something was in flight on the guarded subject: the answer to a retry tells.
const IN_FLIGHT: u64 = 10_164;

/// Header that guards a subject.
pub(crate) const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";

/// One message to publish.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) subject: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Published {
    /// Stored under this sequence.
    Stored(u64),
    /// The guard did not hold. `repeated`: an earlier try may have been stored itself.
    Refused {
        /// Sequence that the subject ends with, when the broker said so.
        actual: Option<u64>,
        /// Whether this was not the first try.
        repeated: bool,
    },
}

/// Publishes one message and waits until the stream has it.
///
/// # Errors
/// [`BusError::Unavailable`] after [`BUS_GAP_MAX`] without an answer: the message may be stored or
/// not. [`BusError::Refused`] when the broker will never take it.
pub(crate) async fn publish(js: &Context, message: Outgoing) -> Result<Published, BusError> {
    let begun = Instant::now();
    let mut pause = PAUSE_MIN;
    let mut repeated = false;
    loop {
        let error = match try_publish(js, message.clone()).await {
            Ok(sequence) => return Ok(Published::Stored(sequence)),
            Err(error) => error,
        };
        match judge(&error) {
            Fault::Guard(actual) => return Ok(Published::Refused { actual, repeated }),
            Fault::Final => return Err(BusError::Refused(describe(&message.subject, &error))),
            Fault::Unclear => repeated = true,
            Fault::Harmless => {}
        }
        if begun.elapsed() >= BUS_GAP_MAX {
            return Err(BusError::Unavailable(describe(&message.subject, &error)));
        }
        tracing::debug!(subject = message.subject, %error, "publish is tried again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn try_publish(
    js: &Context,
    message: Outgoing,
) -> Result<u64, jetstream::context::PublishError> {
    let ack = js.publish_with_headers(message.subject, message.headers, message.body).await?;
    Ok(ack.await?.sequence)
}

enum Fault {
    /// The subject does not end where it was expected to.
    Guard(Option<u64>),
    /// It may be stored all the same.
    Unclear,
    /// It was not stored, but may be next time.
    Harmless,
    /// It will never be stored.
    Final,
}

fn judge(error: &jetstream::context::PublishError) -> Fault {
    match error.kind() {
        PublishErrorKind::WrongLastSequence => Fault::Guard(actual_sequence(error)),
        PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => Fault::Unclear,
        // No responders: the stream has no leader, or the server is just starting.
        PublishErrorKind::StreamNotFound | PublishErrorKind::MaxAckPending => Fault::Harmless,
        PublishErrorKind::MaxPayloadExceeded | PublishErrorKind::WrongLastMessageId => Fault::Final,
        PublishErrorKind::Other => match api_code(error) {
            Some(IN_FLIGHT) => Fault::Harmless,
            // 10077: stream is full. 10054: message over the stream's size limit.
            Some(10_054 | 10_077) => Fault::Final,
            Some(_) | None => Fault::Unclear,
        },
    }
}

fn api_error(error: &jetstream::context::PublishError) -> Option<&jetstream::Error> {
    std::error::Error::source(error)?.downcast_ref::<jetstream::Error>()
}

fn api_code(error: &jetstream::context::PublishError) -> Option<u64> {
    Some(api_error(error)?.error_code().0)
}

/// The broker says `wrong last sequence: 17`.
fn actual_sequence(error: &jetstream::context::PublishError) -> Option<u64> {
    let text = api_error(error)?.to_string();
    let digits: String = text
        .rsplit("wrong last sequence: ")
        .next()?
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

fn describe(subject: &str, error: &jetstream::context::PublishError) -> String {
    match api_error(error) {
        Some(source) => format!("publish on {subject}: {source}"),
        None => format!("publish on {subject}: {error}"),
    }
}
