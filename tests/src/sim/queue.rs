//! A work queue: stored once, delivered until it is settled, guarded by its subjects.

use std::collections::BTreeMap;

/// One message of a queue.
#[derive(Debug, Clone)]
pub struct Message<T> {
    /// Its subject.
    pub subject: String,
    /// What it says.
    pub value: T,
    /// When it was stored, in virtual milliseconds.
    pub stored_at: u64,
    /// How often it was delivered.
    pub deliveries: u32,
    /// Not delivered before: it travels, or somebody has it.
    visible_at: u64,
}

/// A stream of retention `workqueue` with one ack wait for all of its consumers.
#[derive(Debug)]
pub struct Queue<T> {
    /// By sequence.
    pub messages: BTreeMap<u64, Message<T>>,
    last: u64,
    ack_wait_ms: u64,
}

impl<T: Clone> Queue<T> {
    /// An empty queue.
    #[must_use]
    pub fn new(ack_wait_ms: u64) -> Self {
        Self { messages: BTreeMap::new(), last: 0, ack_wait_ms }
    }

    /// Whether a message that is not settled has this subject.
    #[must_use]
    pub fn holds(&self, subject: &str) -> bool {
        self.messages.values().any(|message| message.subject == subject)
    }

    /// Stores a message that arrives `delay_ms` later; says its sequence.
    pub fn store(&mut self, subject: String, value: T, (now, delay_ms): (u64, u64)) -> u64 {
        self.last += 1;
        let visible_at = now + delay_ms;
        let message = Message { subject, value, stored_at: now, deliveries: 0, visible_at };
        self.messages.insert(self.last, message);
        self.last
    }

    /// Hands out up to `max` messages; each comes again unless it is settled in time.
    pub fn pull(
        &mut self,
        now: u64,
        max: usize,
        is_wanted: impl Fn(&Message<T>) -> bool,
    ) -> Vec<(u64, Message<T>)> {
        let wait = self.ack_wait_ms;
        let ready = self.messages.iter_mut();
        let ready = ready.filter(|(_, message)| message.visible_at <= now && is_wanted(message));
        let hand_out = |(sequence, message): (&u64, &mut Message<T>)| {
            message.visible_at = now + wait;
            message.deliveries += 1;
            (*sequence, message.clone())
        };
        ready.take(max).map(hand_out).collect()
    }

    /// When the next message can be handed out.
    pub fn next_at(&self, is_wanted: impl Fn(&Message<T>) -> bool) -> Option<u64> {
        let wanted = self.messages.values().filter(|message| is_wanted(message));
        wanted.map(|message| message.visible_at).min()
    }

    /// Settles a message.
    pub fn remove(&mut self, sequence: u64) {
        self.messages.remove(&sequence);
    }

    /// Somebody is still at it, or it is to come again at another time.
    pub fn put_off(&mut self, sequence: u64, until: Option<u64>, now: u64) {
        let wait = self.ack_wait_ms;
        if let Some(message) = self.messages.get_mut(&sequence) {
            message.visible_at = until.unwrap_or(now + wait);
        }
    }
}
