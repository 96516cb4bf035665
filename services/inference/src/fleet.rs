//! What the gateways of a fleet know of each other: how many live, and whom to leave alone.
//!
//! A provider that answers 429 to one gateway is left alone by all of them: the word goes out at once, and
//! again every second, so a lost one is repeated and a gateway that starts hears it within a second. Times
//! are durations from now: no two clocks are compared.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cadre_core::{
    ids::Name,
    limits::{GATEWAY_HOLD_MAX, GATEWAY_HOLDS_MAX, GATEWAY_LIVES_FOR, MEMBERS_MAX},
    model::gateway::Word,
};
use tokio::{sync::Notify, time::Instant};

/// The fleet as one gateway sees it.
#[derive(Debug)]
pub(crate) struct Fleet {
    pod: Name,
    inner: Mutex<Inner>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    /// When each of the others was heard last.
    others: BTreeMap<Name, Instant>,
    /// Until when each model wants to be left alone.
    holds: BTreeMap<String, Instant>,
}

impl Fleet {
    pub(crate) fn new(pod: Name) -> Self {
        Self { pod, inner: Mutex::default(), news: Notify::new() }
    }

    /// Leaves `model` alone for `wait`; a longer hold stands.
    pub(crate) fn hold(&self, model: &str, wait: Duration) {
        if self.lock().hold(model, wait) {
            self.news.notify_one();
        }
    }

    /// How long `model` still wants to be left alone; `None` when it may be asked.
    pub(crate) fn held(&self, model: &str) -> Option<Duration> {
        let until = self.lock().holds.get(model).copied()?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Gateways that live, this one included.
    pub(crate) fn live(&self) -> usize {
        self.lock().others.len() + 1
    }

    /// Hears what a gateway says.
    pub(crate) fn hear(&self, word: Word) {
        let now = Instant::now();
        let mut inner = self.lock();
        if word.pod != self.pod {
            if word.is_leaving {
                inner.others.remove(&word.pod);
            } else if inner.others.len() < MEMBERS_MAX || inner.others.contains_key(&word.pod) {
                inner.others.insert(word.pod, now);
            }
        }
        for (model, wait) in word.holds {
            inner.hold(&model, wait);
        }
    }

    /// Whether this gateway says so itself.
    pub(crate) fn is_own(&self, word: &Word) -> bool {
        word.pod == self.pod
    }

    /// What this gateway says now, but for the limits; forgets whoever has fallen silent.
    pub(crate) fn word(&self, is_leaving: bool) -> Word {
        let now = Instant::now();
        let mut inner = self.lock();
        inner.others.retain(|_, heard| now.saturating_duration_since(*heard) < GATEWAY_LIVES_FOR);
        inner.holds.retain(|_, until| *until > now);
        let holds = inner.holds.iter();
        let holds =
            holds.map(|(model, until)| (model.clone(), until.duration_since(now))).collect();
        Word { pod: self.pod.clone(), holds, limits: Vec::new(), is_leaving }
    }

    /// Waits until something is to be told at once, `tick` at most.
    pub(crate) async fn news(&self, tick: Duration) {
        // Both ends are fine.
        let _ = tokio::time::timeout(tick, self.news.notified()).await;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// True when that is longer than what was known, by more than the words' own delay.
    fn hold(&mut self, model: &str, wait: Duration) -> bool {
        /// Echoes of one hold differ by as much.
        const ECHO: Duration = Duration::from_millis(50);
        let until = Instant::now() + wait.min(GATEWAY_HOLD_MAX);
        if self.holds.len() >= GATEWAY_HOLDS_MAX && !self.holds.contains_key(model) {
            return false;
        }
        let known = self.holds.get(model).copied();
        if known.is_some_and(|known| until <= known + ECHO) {
            return false;
        }
        self.holds.insert(model.to_owned(), until);
        true
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MODEL: &str = "anthropic/large";

    fn fleet(pod: &str) -> Fleet {
        Fleet::new(Name::new(pod).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_of_one_is_a_hold_of_all_and_ends() {
        let (one, two) = (fleet("one"), fleet("two"));
        one.hold(MODEL, Duration::from_secs(3));
        advance(Duration::from_secs(1)).await;
        two.hear(one.word(false));
        assert_eq!(two.held(MODEL), Some(Duration::from_secs(2)));
        assert_eq!(two.held("anthropic/small"), None);
        one.hear(two.word(false));
        assert_eq!(one.held(MODEL), Some(Duration::from_secs(2)), "an echo prolongs nothing");
        advance(Duration::from_secs(2)).await;
        assert_eq!((one.held(MODEL), two.held(MODEL)), (None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_hold_does_not_shorten_and_none_is_for_ever() {
        let one = fleet("one");
        one.hold(MODEL, Duration::from_secs(9));
        one.hold(MODEL, Duration::from_secs(2));
        assert_eq!(one.held(MODEL), Some(Duration::from_secs(9)));
        one.hold(MODEL, Duration::MAX);
        assert_eq!(one.held(MODEL), Some(GATEWAY_HOLD_MAX));
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_or_falls_silent_does_not_count() {
        let (one, two, three) = (fleet("one"), fleet("two"), fleet("three"));
        for other in [&one, &two, &three] {
            one.hear(other.word(false));
        }
        assert_eq!(one.live(), 3);
        one.hear(two.word(true));
        assert_eq!(one.live(), 2);
        advance(GATEWAY_LIVES_FOR).await;
        let _ = one.word(false);
        assert_eq!(one.live(), 1);
    }
}
