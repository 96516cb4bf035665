//! How often something may be restarted, and how long to wait before. Pure: time is an argument.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Doublings of the pause; more would be out of any window.
const DOUBLINGS_MAX: u32 = 10;

/// At most `max` restarts within any `window`, each after a pause twice as long.
#[derive(Debug, Clone)]
pub struct RestartBudget {
    policy: RestartPolicy,
    spent: VecDeque<Instant>,
}

/// What a full [`RestartBudget`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Restarts within one window. Default 5: enough for a hiccup, too few to hide a bug.
    pub max: usize,
    /// Default 60 s.
    pub window: Duration,
    /// Before the first restart; doubles with each one spent. Default 100 ms.
    pub first_pause: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self { max: 5, window: Duration::from_secs(60), first_pause: Duration::from_millis(100) }
    }
}

impl RestartBudget {
    /// Makes a full budget.
    #[must_use]
    pub fn new(policy: RestartPolicy) -> Self {
        Self { policy, spent: VecDeque::new() }
    }

    /// Takes one restart and says how long to wait first; `None` once spent.
    pub fn take(&mut self, now: Instant) -> Option<Duration> {
        self.spent.retain(|at| now.saturating_duration_since(*at) < self.policy.window);
        if self.spent.len() >= self.policy.max {
            return None;
        }
        let doublings = u32::try_from(self.spent.len()).unwrap_or(u32::MAX).min(DOUBLINGS_MAX);
        self.spent.push_back(now);
        Some(self.policy.first_pause.saturating_mul(1 << doublings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_until_the_budget_is_spent_and_time_refills_it() {
        let second = Duration::from_secs(1);
        let policy = RestartPolicy { max: 3, window: 60 * second, first_pause: second };
        let (mut budget, start) = (RestartBudget::new(policy), Instant::now());
        let taken: Vec<_> = (0..4).map(|_| budget.take(start)).collect();
        assert_eq!(taken, [Some(second), Some(2 * second), Some(4 * second), None]);
        assert_eq!(budget.take(start + 59 * second), None);
        assert_eq!(budget.take(start + 60 * second), Some(second));
    }
}
