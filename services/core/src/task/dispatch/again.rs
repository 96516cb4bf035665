//! What follows when an attempt has failed: another try of its role, patience, or a person.

use std::time::Duration;

use super::{After, Next};
use crate::{
    ids::StepId,
    limits::TIMEOUT_MIN,
    payload::{Hash, Payload},
    task::{
        ask::AskKind,
        input::{Failure, FailureKind, clip},
        plan::Planner,
        state::Step,
    },
    time::UnixMillis,
    workflow::{Otherwise, Retry, Role, StepPlan},
};

impl Planner<'_> {
    /// When the next try of the same role is due; `None` when there is none.
    pub(super) fn retry_at(
        &self,
        id: &StepId,
        step: &Step,
        role: &Role,
        failure: &Failure,
    ) -> Option<UnixMillis> {
        // Whoever asks for patience counts as waiting, so that is no try; but a fallback is not kept waiting.
        let is_patience = failure.is_patience();
        let tries = if is_patience { step.attempt } else { step.tries };
        if !failure.kind.is_transient() || tries >= role.retry.attempts_max {
            return None;
        }
        let until = self.next_try(id, (role, tries), failure)?;
        (is_patience || self.moment().roles.may_retry(&role.name)).then_some(until)
    }

    /// When a try after so many is due, if that is inside the deadline.
    fn next_try(
        &self,
        id: &StepId,
        (role, tries): (&Role, u32),
        failure: &Failure,
    ) -> Option<UnixMillis> {
        let attempt = self.task().steps.get(id).map_or(0, |step| step.attempt);
        let seed = format!("{}.{id}.{attempt}", self.task().id());
        let wait = jittered(role.retry, tries, Hash::of(seed.as_bytes()));
        let until = self.now().after(wait.max(failure.retry_after.unwrap_or_default()));
        (until.after(TIMEOUT_MIN) < self.task().ends_at()).then_some(until)
    }

    /// Where nobody else can do it: who asks for patience is waited for, and what fits no contract is left to a
    /// person, where the step says so.
    pub(super) fn last_resort(
        &self,
        declared: &StepPlan,
        (id, step, role): (&StepId, &Step, &Role),
        (input, failure): (&Payload, &Failure),
    ) -> After {
        let (name, what) = (role.name.clone(), &failure.message);
        if failure.kind == FailureKind::InvalidOutput
            && declared.otherwise == Otherwise::AskHuman
            && declared.crew().is_none()
        {
            let sent = failure.refused.as_ref().map_or("nothing", Payload::text);
            let question = format!(
                "attempt {} of role {name}: {what}. Answer with the step's output, or deny it. What \
                 was sent: {sent}",
                step.attempt
            );
            return After::Ask(self.ask(AskKind::Question, &question, None, declared.ask));
        }
        let wait = failure.is_patience().then_some(step.attempt);
        let Some(until) = wait.and_then(|tries| self.next_try(id, (role, tries), failure)) else {
            return After::Fail;
        };
        let (role, degraded, input) = (name, step.degraded.clone(), input.clone());
        let (reason, decision) = (clip(&format!("waits for role {role}: {what}")), "wait");
        After::Again(Box::new(Next { role, degraded, input, until, reason, decision }))
    }
}

/// Anything from zero to a ceiling that doubles with each try. The same for the same seed, so
/// that deciding needs no randomness.
fn jittered(retry: Retry, tries: u32, seed: Hash) -> Duration {
    let doublings = tries.saturating_sub(1).min(20);
    let ceiling = retry.backoff.saturating_mul(1 << doublings).min(retry.backoff_max);
    let ceiling_ms = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX);
    let [a, b, c, d, e, f, g, h, ..] = seed.0;
    let random = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    Duration::from_millis(random % ceiling_ms.saturating_add(1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_spread_from_zero_to_a_doubling_ceiling() {
        let retry = Retry {
            attempts_max: 9,
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_millis(700),
        };
        for (tries, ceiling) in [(1, 100), (2, 200), (3, 400), (4, 700), (u32::MAX, 700)] {
            let waits: Vec<_> = (0..2000_u32)
                .map(|n| jittered(retry, tries, Hash::of(&n.to_be_bytes())).as_millis())
                .collect();
            assert!(waits.iter().all(|wait| *wait <= ceiling), "try {tries}");
            assert!(waits.iter().any(|wait| *wait < ceiling / 20), "try {tries}");
            assert!(waits.iter().any(|wait| *wait > ceiling * 19 / 20), "try {tries}");
        }
        let none = Retry { backoff: Duration::ZERO, ..retry };
        assert_eq!(jittered(none, 1, Hash::of(b"x")), Duration::ZERO);
    }
}
