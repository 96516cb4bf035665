//! The breaker in front of a tool: whether a call may go out, and what its end says about the tool.
//!
//! Roles have theirs in the orchestrator and models in the gateway; tools are called by the steps
//! themselves. Invariant: a probe that was permitted is counted or given back, also when its step is
//! dropped in mid-call.

use std::future::Future;

use cadre_core::{
    breaker::{Call, CallOutcome, Lease, Permit, Target, classify},
    ids::Name,
    journal::CallKind,
    task::{Failure, FailureKind},
    workflow::Grant,
};
use tokio::time::Instant;

use super::{CallSpec, Made};
use crate::breaker::Breakers;

/// What a call goes through.
pub(super) enum Door {
    /// Nobody counts: a model, a tool whose name is no name, or a worker without breakers.
    Unwatched,
    /// It may go out, and its end counts.
    Watched(Passage),
    /// It may not go out.
    Shut(Failure),
}

impl Door {
    /// The door in front of `spec`, for a step that is dropped at `deadline`.
    pub(super) fn of(breakers: Option<&Breakers>, spec: &CallSpec, deadline: Instant) -> Self {
        let tool = match spec.kind {
            CallKind::Tool => Name::new(spec.target.as_str()).ok(),
            CallKind::Model => None,
        };
        let Some((breakers, tool)) = breakers.zip(tool) else { return Self::Unwatched };
        let target = Target::Tool(tool);
        let lease = match breakers.permit(&target) {
            Permit::Yes => None,
            Permit::Probe(lease) => Some(lease),
            Permit::No { until, reason } => {
                let text = format!("calls of {target} are held back until {until}: {reason}");
                let mut failure = Failure::new(FailureKind::Unavailable, &text);
                failure.retry_after = Some(until.since(breakers.now()));
                return Self::Shut(failure);
            }
        };
        let breakers = breakers.clone();
        let begun = Instant::now();
        let passage = Passage { breakers, target, lease, begun, deadline, is_over: false };
        Self::Watched(passage)
    }

    /// Makes the call if it may go out; what came of it.
    pub(super) async fn pass<F: Future<Output = Made>>(self, make: impl FnOnce() -> F) -> Made {
        match self {
            Self::Unwatched => make().await,
            Self::Shut(failure) => Made::Failed { failure, cost: Grant::default() },
            Self::Watched(passage) => {
                let made = make().await;
                passage.end(&made);
                made
            }
        }
    }
}

/// A call on its way to its tool.
pub(super) struct Passage {
    breakers: Breakers,
    target: Target,
    lease: Option<Lease>,
    begun: Instant,
    deadline: Instant,
    is_over: bool,
}

impl Passage {
    fn end(mut self, made: &Made) {
        self.is_over = true;
        let (outcome, usd_micros) = match made {
            Made::Done { cost, .. } => (CallOutcome::Success, cost.usd_micros),
            Made::Failed { failure, cost } => (classify(failure.kind), cost.usd_micros),
            Made::Unknown(_) => (CallOutcome::InfrastructureFailure, 0),
        };
        self.count(outcome, usd_micros);
    }

    fn count(&self, outcome: CallOutcome, usd_micros: u64) {
        let call = Call { outcome, took: self.begun.elapsed(), usd_micros };
        self.breakers.record(&self.target, call);
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        if Instant::now() >= self.deadline {
            // The tool had all the time of its step.
            self.count(CallOutcome::InfrastructureFailure, 0);
        } else if let Some(lease) = &self.lease {
            self.breakers.give_back(&self.target, lease);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cadre_core::{breaker::Settings, payload::Payload, time::UnixMillis};
    use futures::future::join_all;
    use tokio::time::{sleep, timeout, timeout_at};

    use super::*;
    use crate::{
        breaker::BreakerOptions,
        testing::Memory,
        worker::{
            CallError,
            journal::tests::{facts, held, pay, thank},
        },
    };

    const SOON: Duration = Duration::from_millis(10);

    fn breakers() -> Breakers {
        let pod = Name::new("pod").unwrap();
        let options = BreakerOptions { pod, settings: Settings::default() };
        let begun = Instant::now();
        Breakers::local(options, move || UnixMillis(1_000_000).after(begun.elapsed()))
    }

    fn bank() -> Target {
        "tool.pay".parse().unwrap()
    }

    fn is_open(breakers: &Breakers) -> bool {
        breakers.not_closed().iter().any(|(target, _)| *target == bank())
    }

    fn down() -> Made {
        let failure = Failure::new(FailureKind::Unavailable, "no route");
        Made::Failed { failure, cost: Grant::default() }
    }

    fn done() -> Made {
        let result = Payload::null();
        Made::Done { result, cost: Grant::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_tool_that_keeps_failing_is_left_alone_and_one_probe_brings_it_back() {
        let breakers = breakers();
        // Each attempt of a step of its own, as a fleet would.
        for attempt in 1..=Settings::default().calls_min {
            assert!(!is_open(&breakers), "attempt {attempt}");
            let step = held(&Memory::default(), (attempt, 1), Some(&breakers));
            assert!(step.call(pay(), |_| async { down() }).await.is_err());
        }
        assert!(is_open(&breakers));

        let memory = Memory::default();
        let step = held(&memory, (1, 1), Some(&breakers));
        let kept_back = step.call(pay(), |_| async { panic!("it went out") }).await;
        let Err(CallError::Failed(failure)) = kept_back else { panic!("{kept_back:?}") };
        assert_eq!(failure.kind, FailureKind::Unavailable);
        assert!(failure.message.starts_with("calls of tool.pay are held back"), "{failure:?}");
        // Other tools go on, and the journal says what did not happen.
        assert!(step.call(thank(), |_| async { done() }).await.is_ok());
        assert_eq!(facts(&memory), ["claimed", "begun", "failed", "begun", "done"]);

        sleep(failure.retry_after.unwrap()).await;
        let next = held(&memory, (2, 1), Some(&breakers));
        assert!(next.call(pay(), |_| async { done() }).await.is_ok());
        assert!(!is_open(&breakers));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_dropped_is_given_back_and_a_tool_that_hangs_counts() {
        let breakers = breakers();
        let calls = Settings::default().calls_min;
        for attempt in 1..=calls {
            let step = held(&Memory::default(), (attempt, 1), Some(&breakers));
            let never = step.call(pay(), |_| std::future::pending::<Made>());
            assert!(timeout(SOON, never).await.is_err());
        }
        assert!(!is_open(&breakers), "whoever is stopped says nothing of the tool");
        // All at once: the window forgets.
        let hangs = (1..=calls).map(|attempt| {
            let step = held(&Memory::default(), (attempt, 1), Some(&breakers));
            async move {
                let never = step.call(pay(), |_| std::future::pending::<Made>());
                assert!(timeout_at(step.deadline, never).await.is_err());
            }
        });
        join_all(hangs).await;
        assert!(is_open(&breakers), "it had all the time there was");

        sleep(Settings::default().open_max).await;
        let step = held(&Memory::default(), (1, 1), Some(&breakers));
        let probe = step.call(pay(), |_| std::future::pending::<Made>());
        assert!(timeout(SOON, probe).await.is_err());
        // The next one is the probe.
        let step = held(&Memory::default(), (2, 1), Some(&breakers));
        assert!(step.call(pay(), |_| async { done() }).await.is_ok());
        assert!(!is_open(&breakers));
    }
}
