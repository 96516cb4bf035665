//! Messages of a work queue that their consumer has passed over and will never deliver.
//!
//! What is acknowledged leaves a work queue, so nothing may lie at or below its consumer's ack floor. After a broker was
//! killed something can: the consumer's state and the stream are written apart, and floors have run ahead of
//! messages that were never given out (nats-server issues 5727, 7680, 8036). Nobody but us would notice. So who pulls
//! looks now and then: what lies there at two looks is published anew, and the original goes away. Two, because an
//! acknowledged message may be on its way out. What was done already comes twice then, which inputs and orders allow.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use async_nats::HeaderMap;
use cadre_proto::header::{MSG_ID, own_key};
use serde_json::{Value, json};

use super::{Stored, ask, filter_of, publish, readable, remove};
use crate::{bus::Streams, topology::GOALS_STREAM};

/// From one look to the next, while nothing is found.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The same while something is: longer than a message that was acknowledged takes to leave.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// Longest look: pulling waits for it.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// Messages that one look goes through; the next one begins where they were.
const FOUND_MAX: usize = 256;

/// What one consumer's puller remembers from look to look.
#[derive(Debug)]
pub(crate) struct Heal {
    due: Instant,
    suspects: BTreeSet<u64>,
}

impl Heal {
    /// Begins with a look at once.
    pub(crate) fn new() -> Self {
        Self { due: Instant::now(), suspects: BTreeSet::new() }
    }

    /// Looks at once next time: the broker may have been restarted.
    pub(crate) fn soon(&mut self) {
        self.due = Instant::now();
    }

    /// Looks, when it is time. Best effort: a look that fails is made again.
    pub(crate) async fn look(&mut self, streams: &Streams, stream: &str, consumer: &str) {
        if Instant::now() < self.due {
            return;
        }
        // Before the look, which may be dropped in the midst of it.
        self.due = Instant::now() + LOOK_AGAIN;
        let look = tokio::time::timeout(LOOK_MAX, self.find(streams, stream, consumer)).await;
        let Ok(Some(found)) = look else { return };
        if found.is_empty() {
            self.due = Instant::now() + LOOK_EVERY;
        }
        self.suspects = found;
    }

    /// Publishes anew what was found before and still lies there; the rest of what is found.
    async fn find(&self, streams: &Streams, stream: &str, consumer: &str) -> Option<BTreeSet<u64>> {
        let info = ask(streams, &format!("CONSUMER.INFO.{stream}.{consumer}"), &json!({})).await?;
        let floor = info.pointer("/ack_floor/stream_seq").and_then(Value::as_u64)?;
        let mut found = BTreeSet::new();
        let mut next = 1;
        while next <= floor && found.len() < FOUND_MAX {
            let request = json!({"seq": next, "next_by_subj": filter_of(&info)});
            let api = format!("STREAM.MSG.GET.{stream}");
            // Nothing behind this place, or no answer: either way this look is over.
            let Some(answer) = ask(streams, &api, &request).await else { break };
            let message = Stored::read(&answer)?;
            if message.sequence > floor {
                break;
            }
            next = message.sequence + 1;
            let is_known = self.suspects.contains(&message.sequence);
            if !(is_known && again(streams, stream, &message).await) {
                found.insert(message.sequence);
            }
        }
        Some(found)
    }
}

/// Publishes a message anew and removes the original; says whether that is done.
async fn again(streams: &Streams, stream: &str, message: &Stored<'_>) -> bool {
    let (subject, sequence) = (message.subject, message.sequence);
    tracing::warn!(stream, sequence, subject, "message was passed over, it is published anew");
    let mut headers = readable(&message.headers);
    if stream == GOALS_STREAM {
        // A goal keeps its key, or it would become another task.
        if headers.get(MSG_ID).is_none() && !name_goal(streams, &mut headers, sequence).await {
            return false;
        }
    } else {
        // Whoever else finds it publishes it once with us; its own name is perhaps known already.
        headers.insert(MSG_ID, format!("passed-over:{stream}:{sequence}"));
    }
    match publish(streams, message, headers).await {
        Ok(_) => {
            remove(streams, stream, sequence).await;
            true
        }
        Err(error) => {
            tracing::warn!(stream, sequence, %error, "it was not, later again");
            false
        }
    }
}

/// Gives a goal without a key the one that it has by its place.
async fn name_goal(streams: &Streams, headers: &mut HeaderMap, sequence: u64) -> bool {
    let Ok(stream) = streams.js.get_stream(GOALS_STREAM).await else { return false };
    let epoch = stream.cached_info().created.unix_timestamp().to_string();
    headers.insert(MSG_ID, own_key(&epoch, sequence));
    true
}
