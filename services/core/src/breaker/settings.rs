//! When a breaker opens, and for how long.

use std::time::Duration;

/// Shortest window that a bucket can be cut out of.
const WINDOW_MIN: Duration = Duration::from_secs(1);

/// Tunables of every breaker. The same on all pods, or they will not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How far back calls count, in ten buckets. Default 30 s: long enough for slow roles,
    /// short enough to open within one.
    pub window: Duration,
    /// Calls in the window below which nothing is concluded from rates. Default 20: fewer are chance.
    pub calls_min: u32,
    /// Failures in a thousand calls that open it. Default 500.
    pub failure_permille: u32,
    /// A call that took this long is slow; `None` knows no slow calls. Default `None`: roles differ.
    pub slow_after: Option<Duration>,
    /// Slow calls in a thousand that open it. Default 800: slow is better than nothing.
    pub slow_permille: u32,
    /// Millionths of a US dollar a minute, over the window, that open it; `None` is no limit. Default
    /// `None`: budgets guard single tasks, this guards a price list that was misread.
    pub usd_micros_per_minute_max: Option<u64>,
    /// How long it is open for the first time; doubles with each failed probe. Default 5 s.
    pub open_first: Duration,
    /// How long it is open at most. Default 2 min: somebody is waiting.
    pub open_max: Duration,
    /// How long a pod may hold the one probe. Default 30 s: a longer call gets a second probe beside
    /// it, and a pod that dies with the probe holds up the fleet for as long.
    pub probe_for: Duration,
    /// When to ask again while a probe is out. Default 1 s.
    pub ask_again: Duration,
    /// How long a report counts after the opening that it reports, if nobody probed. Default 60 s.
    pub linger: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(30),
            calls_min: 20,
            failure_permille: 500,
            slow_after: None,
            slow_permille: 800,
            usd_micros_per_minute_max: None,
            open_first: Duration::from_secs(5),
            open_max: Duration::from_secs(120),
            probe_for: Duration::from_secs(30),
            ask_again: Duration::from_secs(1),
            linger: Duration::from_secs(60),
        }
    }
}

/// Settings that no breaker can work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A rate that is never or always reached.
    #[error("set the breakers' {field} to {value}: use 1 to 1000")]
    Permille {
        /// Which one.
        field: &'static str,
        /// As given.
        value: u32,
    },
    /// Nothing to count in.
    #[error("set the breakers' window to {0:?}: use 1 s or more")]
    Window(Duration),
    /// A breaker that never opens, or whose longest opening is its shortest.
    #[error(
        "open the breakers for {first:?} to {max:?}: the first must be above 0 and at most the last"
    )]
    Open {
        /// `open_first`.
        first: Duration,
        /// `open_max`.
        max: Duration,
    },
}

impl Settings {
    /// Checks that a breaker can work with them.
    ///
    /// # Errors
    /// [`SettingsError`] names the first setting that is out of range.
    pub fn check(&self) -> Result<(), SettingsError> {
        let rates =
            [("failure_permille", self.failure_permille), ("slow_permille", self.slow_permille)];
        if let Some((field, value)) =
            rates.into_iter().find(|(_, value)| !(1..=1_000).contains(value))
        {
            return Err(SettingsError::Permille { field, value });
        }
        if self.window < WINDOW_MIN {
            return Err(SettingsError::Window(self.window));
        }
        if self.open_first.is_zero() || self.open_first > self.open_max {
            let (first, max) = (self.open_first, self.open_max);
            return Err(SettingsError::Open { first, max });
        }
        Ok(())
    }

    /// How long the opening number `row` (from 1) lasts.
    #[must_use]
    pub(super) fn open_for(&self, row: u32) -> Duration {
        let doublings = row.saturating_sub(1).min(30);
        self.open_first.saturating_mul(1 << doublings).min(self.open_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_double_up_to_the_longest() {
        let settings = Settings::default();
        let seconds = |row| settings.open_for(row).as_secs();
        let all: Vec<_> = [1, 2, 3, 4, 5, 6, 7, u32::MAX].map(seconds).into();
        assert_eq!(all, [5, 10, 20, 40, 80, 120, 120, 120]);
    }

    #[test]
    fn what_cannot_work_is_named() {
        let good = Settings::default();
        assert_eq!(good.check(), Ok(()));
        let error = |change: fn(&mut Settings)| {
            let mut settings = good;
            change(&mut settings);
            settings.check().unwrap_err().to_string()
        };
        assert!(error(|it| it.failure_permille = 0).contains("failure_permille to 0"));
        assert!(error(|it| it.slow_permille = 1_001).contains("slow_permille to 1001"));
        assert!(error(|it| it.window = Duration::ZERO).contains("window"));
        assert!(error(|it| it.open_first = Duration::ZERO).contains("above 0"));
        assert!(error(|it| it.open_max = Duration::from_secs(1)).contains("at most the last"));
    }
}
