//! How a webhook goes: what becomes of each try, and what people are told of it.

use std::time::Duration;

use crate::{
    ids::TaskId,
    limits::{
        WEBHOOK_ERROR_BYTES_MAX, WEBHOOK_PAUSE_MAX, WEBHOOK_PAUSE_MIN, WEBHOOK_SEEN_EVERY,
        WEBHOOK_TRIES_MAX,
    },
    task::clip_to,
    time::UnixMillis,
};

/// Growth of the pause from try to try.
const PAUSE_GROWTH: u32 = 3;

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// It has not, or did not say so.
    Failed {
        /// Why, without what an address may hold.
        error: String,
        /// When it wants to be asked again.
        again: Option<Duration>,
        /// It says that it will never want anything again (410).
        is_gone: bool,
    },
}

/// What becomes of an end after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is dealt with.
    Done,
    /// It is tried again after this pause.
    Later(Duration),
}

/// How a webhook goes, as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// When something was delivered last, to the minute.
    pub delivered_at: Option<UnixMillis>,
    /// Since when everything fails; `None` while it goes well.
    pub failing_since: Option<UnixMillis>,
    /// What the last failure said.
    pub error: Option<String>,
    /// Ends that were given up: nobody will be told of them.
    pub given_up: u64,
    /// The last of those.
    pub lost: Option<TaskId>,
    /// The receiver has said that it wants nothing any more: nothing is sent.
    pub is_gone: bool,
}

/// What has changed about a webhook: small, so that several processes can add theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// When something was delivered.
    pub delivered_at: Option<UnixMillis>,
    /// When something failed, and why; nothing delivered was after it.
    pub failed: Option<(UnixMillis, String)>,
    /// Ends that were given up.
    pub given_up: Vec<TaskId>,
    /// The receiver wants nothing any more.
    pub is_gone: bool,
}

impl News {
    /// Takes what came of try number `tries` at an end, and says what becomes of that end. `jitter` is
    /// anywhere from 0 to 1.
    pub fn take(
        &mut self,
        (task, tries): (&TaskId, u32),
        outcome: &Outcome,
        (now, jitter): (UnixMillis, f64),
    ) -> Settled {
        match outcome {
            Outcome::Delivered => {
                (self.delivered_at, self.failed) = (Some(now), None);
                Settled::Done
            }
            Outcome::Failed { error, again, is_gone } => {
                self.failed = Some((now, clip_to(error, WEBHOOK_ERROR_BYTES_MAX)));
                self.is_gone |= is_gone;
                if *is_gone || tries >= WEBHOOK_TRIES_MAX {
                    self.given_up.push(task.clone());
                    return Settled::Done;
                }
                let wanted = again.unwrap_or_default().min(WEBHOOK_PAUSE_MAX);
                Settled::Later(pause(tries, jitter).max(wanted))
            }
        }
    }

    /// Whether people should hear of it, who know `state`.
    #[must_use]
    pub fn matter_to(&self, state: &State) -> bool {
        let is_first = |at: UnixMillis| {
            state.delivered_at.is_none_or(|last| at.since(last) >= WEBHOOK_SEEN_EVERY)
        };
        let is_over = self.failed.is_none() && state.failing_since.is_some();
        !self.given_up.is_empty()
            || self.is_gone
            || self.failed.as_ref().is_some_and(|(_, error)| state.error.as_ref() != Some(error))
            || self.delivered_at.is_some_and(|at| is_over || is_first(at))
    }
}

impl State {
    /// How it goes, as one word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match (self.is_gone, self.failing_since, self.delivered_at) {
            (true, ..) => "gone",
            (false, Some(_), _) => "failing",
            (false, None, Some(_)) => "ok",
            (false, None, None) => "new",
        }
    }

    /// The state with what has changed.
    #[must_use]
    pub fn with(self, news: &News) -> Self {
        let delivered_at = news.delivered_at.max(self.delivered_at);
        let (failing_since, error) = match (&news.failed, news.delivered_at) {
            (Some((at, error)), _) => (self.failing_since.or(Some(*at)), Some(error.clone())),
            (None, Some(_)) => (None, None),
            (None, None) => (self.failing_since, self.error),
        };
        Self {
            delivered_at,
            failing_since,
            error,
            given_up: self.given_up.saturating_add(news.given_up.len() as u64),
            lost: news.given_up.last().cloned().or(self.lost),
            is_gone: self.is_gone || news.is_gone,
        }
    }
}

/// The pause behind try number `tries`: it grows to an hour, and differs by a quarter each way.
fn pause(tries: u32, jitter: f64) -> Duration {
    let growth = PAUSE_GROWTH.saturating_pow(tries.saturating_sub(1));
    let bound = WEBHOOK_PAUSE_MIN.saturating_mul(growth).min(WEBHOOK_PAUSE_MAX);
    bound.mul_f64(0.75 + 0.5 * jitter.clamp(0.0, 1.0))
}
