//! Guarded publishing: every message is confirmed, and repeated through a broker gap.
//!
//! One task owns the publications of a connection: it sends them as they come, hundreds
//! unconfirmed at once, matches the broker's answers, and repeats what got none. The
//! client library's own way costs two timers, a random inbox and a map entry a message,
//! and futures of several kilobytes in every caller; here a caller holds one receiver.
//!
//! With [`Grouping::On`] messages of one stream travel in atomic batches; see [`lanes`].
//!
//! A publish without an answer may have happened. Repeating it is safe, because every
//! message that matters carries the sequence that its subject must end with: the
//! second copy is refused, and [`Published::Refused`] tells the caller to look.

mod answer;
mod lanes;

use std::{
    collections::HashMap,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use async_nats::{Client, HeaderMap, Message, Subscriber};
use bytes::Bytes;
use cadre_core::{limits::BUS_GAP_MAX, ports::BusError};
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::{mpsc, oneshot};

use answer::Answer;
use lanes::{Lane, Lanes};

use crate::signs::{SIGN_MAX, Signs};

/// Header that guards a subject.
pub(crate) const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";

/// An answer that takes longer is not waited for: the message is sent again. Long, because a broker
/// that is only slow would drown in repetitions; a lost connection is noticed at once.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Pause before a message is sent again that was refused for a passing reason.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// How often it is looked for messages without an answer.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Messages that wait for the task; callers wait beyond that.
const QUEUE_MAX: usize = 16_384;

/// Messages without an answer; more wait in the queue.
const UNCONFIRMED_MAX: usize = 16_384;

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
    /// The guard did not hold.
    Refused {
        /// Sequence that the subject ends with, when the broker said so.
        actual: Option<u64>,
        /// An earlier try may have been stored itself.
        repeated: bool,
    },
}

type Done = oneshot::Sender<Result<Published, BusError>>;

/// Whether messages of one stream travel together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// Each alone: best for brokers that sync now and then, and for replicated streams.
    #[default]
    Off,
    /// In atomic batches: for one replica with `sync_interval: always`.
    On,
}

/// The way to publish on one connection. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Publisher(mpsc::Sender<(Outgoing, Done)>);

impl Publisher {
    /// Starts the task that publishes; it ends with its last handle.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] when the connection is closed.
    pub(crate) async fn start(
        client: &Client,
        shards: u16,
        grouping: Grouping,
        signs: &Signs,
    ) -> Result<Self, BusError> {
        let inbox = client.new_inbox();
        let answers = client
            .subscribe(format!("{inbox}.*"))
            .await
            .map_err(|error| BusError::Unavailable(format!("subscribe for answers: {error}")))?;
        let (sender, jobs) = mpsc::channel(QUEUE_MAX);
        let task = Task {
            connects: connects(client),
            client: client.clone(),
            inbox,
            shards,
            grouping,
            signs: signs.clone(),
            next: 0,
            unconfirmed: HashMap::new(),
            batches: HashMap::new(),
            lanes: Lanes::default(),
        };
        tokio::spawn(task.run(jobs, answers));
        Ok(Self(sender))
    }

    /// Publishes one message and waits until the stream has it.
    ///
    /// Cancellation: the message is published all the same.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] after [`BUS_GAP_MAX`] without an answer: the message may be
    /// stored or not. [`BusError::Refused`] when the broker will never take it.
    pub(crate) async fn publish(&self, message: Outgoing) -> Result<Published, BusError> {
        let closed = || BusError::Unavailable("connection was closed".to_owned());
        let (done, answer) = oneshot::channel();
        self.0.send((message, done)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

struct Task {
    client: Client,
    inbox: String,
    shards: u16,
    grouping: Grouping,
    signs: Signs,
    /// Connections so far: one more means that answers to what was sent before are lost.
    connects: u64,
    next: u64,
    unconfirmed: HashMap<u64, Unconfirmed>,
    batches: HashMap<u64, Batch>,
    lanes: Lanes,
}

struct Unconfirmed {
    message: Outgoing,
    done: Done,
    begun: Instant,
    /// When it is sent again if nothing is heard; `None` while it waits or travels in a batch.
    again_at: Option<Instant>,
    /// The lane that waits for it.
    lane: Option<Lane>,
    /// A try before this one may have been stored.
    is_unclear: bool,
    last_error: String,
}

/// Messages that are stored together or not at all.
struct Batch {
    lane: Lane,
    ids: Vec<u64>,
    sent: Instant,
}

fn connects(client: &Client) -> u64 {
    client.statistics().connects.load(Ordering::Relaxed)
}

impl Task {
    async fn run(mut self, mut jobs: mpsc::Receiver<(Outgoing, Done)>, mut answers: Subscriber) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let has_room = self.unconfirmed.len() < UNCONFIRMED_MAX;
            tokio::select! {
                answer = answers.next() => match answer {
                    Some(message) => {
                        self.hear(&message).await;
                        while let Some(Some(message)) = answers.next().now_or_never() {
                            self.hear(&message).await;
                        }
                    }
                    None => return,
                },
                job = jobs.recv(), if has_room => match job {
                    Some((message, done)) => self.begin(message, done).await,
                    None if self.unconfirmed.is_empty() => return,
                    None => {
                        // No more callers, but publications that somebody may still wait for.
                        look.tick().await;
                        self.repeat().await;
                    }
                },
                _ = look.tick() => self.repeat().await,
            }
        }
    }

    async fn begin(&mut self, message: Outgoing, done: Done) {
        self.next += 1;
        let id = self.next;
        let lane = match self.grouping {
            Grouping::On => Lane::of(&message.subject, self.shards),
            Grouping::Off => None,
        };
        let (begun, last_error) = (Instant::now(), String::new());
        let waiting = Unconfirmed {
            message,
            done,
            begun,
            again_at: None,
            lane,
            is_unclear: false,
            last_error,
        };
        self.unconfirmed.insert(id, waiting);
        match lane {
            None => self.send(id).await,
            Some(lane) => {
                let group = self.lanes.push(lane, id);
                self.send_group(lane, group).await;
            }
        }
    }

    async fn send(&mut self, id: u64) {
        let Some(waiting) = self.unconfirmed.get_mut(&id) else { return };
        let Outgoing { subject, headers, body } = waiting.message.clone();
        waiting.again_at = Some(Instant::now() + ANSWER_WITHIN);
        let reply = format!("{}.{id}", self.inbox);
        let sent = self.client.publish_with_reply_and_headers(subject, reply, headers, body).await;
        if let Err(error) = sent {
            waiting.last_error = error.to_string();
        }
    }

    async fn send_group(&mut self, lane: Lane, ids: Vec<u64>) {
        let count = ids.len();
        match ids.as_slice() {
            [] => return,
            [only] => return self.send(*only).await,
            [_, _, ..] => {}
        }
        self.next += 1;
        let number = self.next;
        let name = format!("{}-{number}", self.inbox.rsplit('.').next().unwrap_or_default());
        for (index, id) in ids.iter().enumerate() {
            let Some(waiting) = self.unconfirmed.get(id) else { continue };
            let Outgoing { subject, mut headers, body } = waiting.message.clone();
            headers.insert("Nats-Batch-Id", name.as_str());
            headers.insert("Nats-Batch-Sequence", (index + 1).to_string());
            let sent = if index + 1 < count {
                self.client.publish_with_headers(subject, headers, body).await
            } else {
                headers.insert("Nats-Batch-Commit", "1");
                let reply = format!("{}.{number}", self.inbox);
                self.client.publish_with_reply_and_headers(subject, reply, headers, body).await
            };
            if let Err(error) = sent {
                tracing::debug!(%error, "a batch was not sent whole");
            }
        }
        self.batches.insert(number, Batch { lane, ids, sent: Instant::now() });
    }

    async fn hear(&mut self, message: &Message) {
        let id = message.subject.rsplit('.').next().and_then(|id| id.parse().ok());
        let Some(id) = id else { return };
        let answer = Answer::of(message);
        match answer {
            Answer::Stored(_) | Answer::Guarded(_) | Answer::Never(_) => self.signs.seen(),
            Answer::Later(_) => {}
        }
        if let Some(batch) = self.batches.remove(&id) {
            return self.hear_batch(batch, answer).await;
        }
        // An answer to a message that was settled by another try means nothing any more.
        let Some(waiting) = self.unconfirmed.get_mut(&id) else { return };
        let outcome = match answer {
            Answer::Stored(sequence) => Ok(Published::Stored(sequence)),
            Answer::Guarded(actual) => {
                Ok(Published::Refused { actual, repeated: waiting.is_unclear })
            }
            Answer::Never(why) => {
                Err(BusError::Refused(format!("publish on {}: {why}", waiting.message.subject)))
            }
            Answer::Later(why) => {
                waiting.last_error = why;
                waiting.again_at = Some(Instant::now() + RETRY_PAUSE);
                return;
            }
        };
        self.settle(id, outcome).await;
    }

    /// Answers the caller, and lets the lane go on.
    async fn settle(&mut self, id: u64, outcome: Result<Published, BusError>) {
        let Some(waiting) = self.unconfirmed.remove(&id) else { return };
        // Whoever asked may have gone; the message is where it belongs.
        let _ = waiting.done.send(outcome);
        if let Some(lane) = waiting.lane {
            let group = self.lanes.settled(lane);
            self.send_group(lane, group).await;
        }
    }

    async fn hear_batch(&mut self, batch: Batch, answer: Answer) {
        match answer {
            // Stored one behind the other; the answer names the last one's sequence.
            Answer::Stored(last) => {
                let first = (last + 1).saturating_sub(batch.ids.len() as u64);
                for (id, sequence) in batch.ids.iter().zip(first..) {
                    if let Some(waiting) = self.unconfirmed.remove(id) {
                        let _ = waiting.done.send(Ok(Published::Stored(sequence)));
                    }
                }
                let group = self.lanes.settled(batch.lane);
                self.send_group(batch.lane, group).await;
            }
            // One of them is to blame, and only the broker knows which.
            Answer::Guarded(_) | Answer::Never(_) | Answer::Later(_) => {
                self.disband(batch, false).await;
            }
        }
    }

    /// Sends the messages of a batch one by one.
    async fn disband(&mut self, batch: Batch, is_unclear: bool) {
        for id in &batch.ids {
            if let Some(waiting) = self.unconfirmed.get_mut(id) {
                (waiting.lane, waiting.is_unclear) = (None, waiting.is_unclear | is_unclear);
                self.send(*id).await;
            }
        }
        let group = self.lanes.settled(batch.lane);
        Box::pin(self.send_group(batch.lane, group)).await;
    }

    /// Sends again what got no answer, and gives up on what got none for too long.
    async fn repeat(&mut self) {
        let now = Instant::now();
        let connects = connects(&self.client);
        let is_new_connection = std::mem::replace(&mut self.connects, connects) != connects;
        let is_lost = |batch: &Batch| is_new_connection || batch.sent + ANSWER_WITHIN <= now;
        let lost: Vec<u64> =
            self.batches.iter().filter(|(_, batch)| is_lost(batch)).map(|(id, _)| *id).collect();
        for id in lost {
            if let Some(batch) = self.batches.remove(&id) {
                self.disband(batch, true).await;
            }
        }
        let is_due = |waiting: &Unconfirmed| {
            waiting.again_at.is_some_and(|at| is_new_connection || at <= now)
        };
        let due = self.unconfirmed.iter().filter(|(_, waiting)| is_due(waiting));
        let due: Vec<u64> = due.map(|(id, _)| *id).collect();
        for id in due {
            self.repeat_one(id, now).await;
        }
        if self.unconfirmed.values().any(|waiting| now > waiting.begun + SIGN_MAX) {
            self.signs.doubt(&self.client).await;
        }
    }

    async fn repeat_one(&mut self, id: u64, now: Instant) {
        let Some(waiting) = self.unconfirmed.get_mut(&id) else { return };
        if now.duration_since(waiting.begun) >= BUS_GAP_MAX {
            let (subject, why) = (&waiting.message.subject, &waiting.last_error);
            let error = BusError::Unavailable(format!("publish on {subject}: no answer {why}"));
            return self.settle(id, Err(error)).await;
        }
        // Nothing was heard: the last try may have been stored.
        waiting.is_unclear |= waiting.last_error.is_empty();
        waiting.last_error.clear();
        self.send(id).await;
    }
}
