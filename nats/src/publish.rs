//! Guarded publishing: every message is confirmed, and repeated through a broker gap.
//!
//! One task owns the publications of a connection: it sends them as they come, hundreds
//! unconfirmed at once, matches the broker's answers, and repeats what got none. The
//! client library's own way costs two timers, a random inbox and a map entry a message,
//! and futures of several kilobytes in every caller; here a caller holds one receiver.
//!
//! A publish without an answer may have happened. Repeating it is safe, because every
//! message that matters carries the sequence that its subject must end with: the
//! second copy is refused, and [`Published::Refused`] tells the caller to look.

mod answer;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use async_nats::{Client, HeaderMap, Message, Subscriber};
use bytes::Bytes;
use cadre_core::{limits::BUS_GAP_MAX, ports::BusError};
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::{mpsc, oneshot};

use answer::Answer;

/// Header that guards a subject.
pub(crate) const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";

/// An answer that takes longer is not waited for: the message is sent again.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

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

/// The way to publish on one connection. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Publisher(mpsc::Sender<(Outgoing, Done)>);

impl Publisher {
    /// Starts the task that publishes; it ends with its last handle.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] when the connection is closed.
    pub(crate) async fn start(client: &Client) -> Result<Self, BusError> {
        let inbox = client.new_inbox();
        let answers = client
            .subscribe(format!("{inbox}.*"))
            .await
            .map_err(|error| BusError::Unavailable(format!("subscribe for answers: {error}")))?;
        let (sender, jobs) = mpsc::channel(QUEUE_MAX);
        let task = Task { client: client.clone(), inbox, next: 0, unconfirmed: HashMap::new() };
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
    next: u64,
    unconfirmed: HashMap<u64, Unconfirmed>,
}

struct Unconfirmed {
    message: Outgoing,
    done: Done,
    first_sent: Instant,
    /// When it is sent again if nothing is heard.
    again_at: Instant,
    /// A try before this one may have been stored.
    is_unclear: bool,
    last_error: String,
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
                        self.hear(&message);
                        while let Some(Some(message)) = answers.next().now_or_never() {
                            self.hear(&message);
                        }
                    }
                    None => return,
                },
                job = jobs.recv(), if has_room => match job {
                    Some((message, done)) => self.begin(message, done).await,
                    None if self.unconfirmed.is_empty() => return,
                    // No more callers, but publications that somebody may still wait for.
                    None => self.look(&mut look).await,
                },
                _ = look.tick() => self.repeat().await,
            }
        }
    }

    async fn look(&mut self, look: &mut tokio::time::Interval) {
        look.tick().await;
        self.repeat().await;
    }

    async fn begin(&mut self, message: Outgoing, done: Done) {
        let now = Instant::now();
        self.next += 1;
        let waiting = Unconfirmed {
            message,
            done,
            first_sent: now,
            again_at: now + ANSWER_WITHIN,
            is_unclear: false,
            last_error: String::new(),
        };
        self.unconfirmed.insert(self.next, waiting);
        self.send(self.next).await;
    }

    async fn send(&mut self, id: u64) {
        let Some(waiting) = self.unconfirmed.get_mut(&id) else { return };
        let Outgoing { subject, headers, body } = waiting.message.clone();
        let reply = format!("{}.{id}", self.inbox);
        let sent =
            self.client.publish_with_reply_and_headers(subject, reply, headers, body).await;
        if let Err(error) = sent {
            waiting.last_error = error.to_string();
        }
    }

    fn hear(&mut self, message: &Message) {
        let id = message.subject.rsplit('.').next().and_then(|id| id.parse().ok());
        let Some(id) = id else { return };
        // An answer to a message that was settled by another try means nothing any more.
        let Some(waiting) = self.unconfirmed.get_mut(&id) else { return };
        let outcome = match Answer::of(message) {
            Answer::Stored(sequence) => Ok(Published::Stored(sequence)),
            Answer::Guarded(actual) => {
                Ok(Published::Refused { actual, repeated: waiting.is_unclear })
            }
            Answer::Never(why) => {
                Err(BusError::Refused(format!("publish on {}: {why}", waiting.message.subject)))
            }
            Answer::Later(why) => {
                waiting.last_error = why;
                waiting.again_at = Instant::now() + RETRY_PAUSE;
                return;
            }
        };
        if let Some(waiting) = self.unconfirmed.remove(&id) {
            // Whoever asked may have gone; the message is where it belongs.
            let _ = waiting.done.send(outcome);
        }
    }

    /// Sends again what got no answer, and gives up on what got none for too long.
    async fn repeat(&mut self) {
        let now = Instant::now();
        let due: Vec<u64> = self
            .unconfirmed
            .iter()
            .filter(|(_, waiting)| waiting.again_at <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let Some(waiting) = self.unconfirmed.get_mut(&id) else { continue };
            if now.duration_since(waiting.first_sent) >= BUS_GAP_MAX {
                let Some(waiting) = self.unconfirmed.remove(&id) else { continue };
                let (subject, why) = (&waiting.message.subject, &waiting.last_error);
                let error = BusError::Unavailable(format!("publish on {subject}: no answer {why}"));
                let _ = waiting.done.send(Err(error));
                continue;
            }
            // Nothing was heard: the last try may have been stored.
            waiting.is_unclear |= waiting.last_error.is_empty();
            waiting.last_error.clear();
            waiting.again_at = now + ANSWER_WITHIN;
            self.send(id).await;
        }
    }
}
