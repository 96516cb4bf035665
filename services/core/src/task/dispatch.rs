//! Attempts: who makes the next one, when, and with what grant.
//!
//! ```text
//!            role's breaker open, no fallback           due
//!  unstarted ───────────────────────────────► delayed ───────► dispatched ──► completed
//!      └────────────────────────────────────────▲───────────►     │
//!                        transient failure, tries left ◄──────────┤
//!                        no tries left, fallback declared ◄───────┤
//!                        rate limited, nobody else to ask ◄───────┤
//!                                                                 └─► failed, or a person is asked
//! ```
//!
//! Waiting for a breaker burns no attempt, and waiting for a rate limit no try. Whatever waits, waits inside
//! the deadline.

mod again;

use std::time::Duration;

use super::{
    ask::{Ask, AskKind},
    budget::{Afford, afford},
    crew,
    event::Event,
    input::{Failure, FailureKind, Usage, clip},
    plan::Planner,
    state::{Step, StepState},
};
use crate::{
    ids::{Name, StepId},
    limits::{BUDGET_POLL, TIMEOUT_MIN},
    payload::Payload,
    time::UnixMillis,
    workflow::{Approval, AskTerms, Doer, Effects, Role, StepPlan},
};

/// What the shell knows about roles that no log says: breakers, and the fleet's retry budget.
pub trait Roles {
    /// Whether a work order for this role may go out now. A half-open breaker gives one probe.
    fn permit(&self, role: &Name) -> Permit;

    /// Takes one retry out of the role's retry budget; `false` when it is used up.
    fn may_retry(&self, role: &Name) -> bool;

    /// What the attempt of this step has spent that is out and ends now without a report; nothing when
    /// nobody knows of anything.
    fn spent(&self, _step: &StepId) -> Usage {
        Usage::default()
    }
}

/// Whether a role may be given work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit {
    /// It may.
    Go,
    /// Its breaker is open.
    Wait {
        /// When it is worth asking again.
        until: UnixMillis,
        /// Why it is open.
        reason: String,
    },
}

/// Every role may always be given work, and retried.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl Roles for Unlimited {
    fn permit(&self, _role: &Name) -> Permit {
        Permit::Go
    }

    fn may_retry(&self, _role: &Name) -> bool {
        true
    }
}

/// The next attempt of a step.
pub(super) struct Attempt<'a> {
    pub(super) role: &'a Role,
    pub(super) degraded: Option<String>,
    pub(super) input: Payload,
}

impl Planner<'_> {
    /// Begins a step or one item of it; `false` when it must wait for what others give back.
    pub(super) fn dispatch(&mut self, declared: &StepPlan, item: Option<u32>) -> bool {
        let step = StepId { name: declared.name.clone(), item };
        let (role, fallback) = match &declared.doer {
            Doer::Role { role, fallback } => (role, fallback.as_deref()),
            Doer::Person(approval) => {
                self.ask_approval(declared, approval, step);
                return true;
            }
            Doer::Crew(crew) => {
                self.begin_crew(declared, crew);
                return true;
            }
        };
        match afford(self.workflow(), self.task(), role.grant, self.now()) {
            Afford::Yes => {}
            Afford::Later => return false,
            Afford::No(limit) => {
                self.meet_limit(limit);
                if item.is_none() && !self.task().is_still() {
                    // Asked again at once, now with the limit on record.
                    self.begin(declared);
                }
                return false;
            }
        }
        match self.render(declared, item, role) {
            Ok(input) => {
                let attempt = Attempt { role, degraded: None, input };
                self.send(step, attempt, (fallback, declared.timeout));
            }
            Err(failure) => self.fail(step, failure),
        }
        true
    }

    /// Dispatches what was delayed until now.
    pub(super) fn begin_delayed(&mut self) {
        let is_over = self.task().limited.is_some() && !self.is_compensating();
        let now = self.now();
        let due = |step: &Step| matches!(&step.state, StepState::Delayed { until, .. } if is_over || *until <= now);
        let due: Vec<_> = self
            .task()
            .steps
            .iter()
            .filter(|(_, step)| due(step))
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            if self.is_full() || self.task().is_still() {
                return;
            }
            self.begin_again(id);
        }
    }

    fn begin_again(&mut self, id: StepId) {
        if let Some(limit) = self.task().limited.as_ref().filter(|_| !self.is_compensating()) {
            let failure = Failure::new(FailureKind::Limit, limit);
            return self.fail(id, failure);
        }
        let workflow = self.workflow();
        let Some(declared) = workflow.step(&id.name) else { return };
        let Some(step) = self.task().steps.get(&id) else { return };
        let StepState::Delayed { input, .. } = &step.state else { return };
        let Some(role) = step.role.as_ref().and_then(|role| workflow.roles.get(role)) else {
            return;
        };
        let (degraded, input) = (step.degraded.clone(), input.clone());
        let attempt = Attempt { role, degraded, input };
        if self.is_compensating() {
            return self.send(id, attempt, (None, declared.timeout));
        }
        match afford(workflow, self.task(), role.grant, self.now()) {
            Afford::Yes => {
                let fallback = declared.fallback().map(AsRef::as_ref);
                self.send(id, attempt, (fallback, declared.timeout));
            }
            Afford::Later => {
                let until = self.now().after(BUDGET_POLL);
                self.delay(id, attempt, (until, "other steps hold what it needs of the budget"));
            }
            Afford::No(limit) => {
                self.meet_limit(limit);
                if !self.task().is_still() {
                    // Asked again at once, now with the limit on record.
                    self.begin_again(id);
                }
            }
        }
    }

    /// Sends a work order, or waits for the role's breaker, or turns to the fallback.
    pub(super) fn send(
        &mut self,
        step: StepId,
        attempt: Attempt<'_>,
        (fallback, timeout): (Option<&Role>, Duration),
    ) {
        let Attempt { role, degraded, input } = attempt;
        let Permit::Wait { until, reason } = self.moment().roles.permit(&role.name) else {
            return self.order(step, Attempt { role, degraded, input }, timeout);
        };
        let spare = fallback.filter(|spare| spare.name != role.name);
        if let Some(spare) = spare
            && self.moment().roles.permit(&spare.name) == Permit::Go
            && afford(self.workflow(), self.task(), spare.grant, self.now()) == Afford::Yes
        {
            let degraded = Some(clip(&format!("breaker of role {} is open: {reason}", role.name)));
            // Said before it is done, so that the log shows why another role has it.
            let attempt = Attempt { role: spare, degraded, input };
            let text = attempt.degraded.clone().unwrap_or_default();
            if self.delay(step.clone(), attempt, (self.now(), &text)) {
                self.order_delayed(step, spare, timeout);
            }
            return;
        }
        let text = format!("breaker of role {} is open: {reason}", role.name);
        if until.after(TIMEOUT_MIN) >= self.task().ends_at() {
            return self.fail(step, Failure::new(FailureKind::Unavailable, &text));
        }
        // A breaker that says "now" is asked again soon, not at once.
        let until = until.max(self.now().after(TIMEOUT_MIN));
        self.delay(step, Attempt { role, degraded, input }, (until, &text));
    }

    fn order_delayed(&mut self, step: StepId, role: &Role, timeout: Duration) {
        let state = self.task().steps.get(&step).map(|step| (&step.state, step.degraded.clone()));
        let Some((StepState::Delayed { input, .. }, degraded)) = state else { return };
        let input = input.clone();
        self.order(step, Attempt { role, degraded, input }, timeout);
    }

    fn order(&mut self, step: StepId, attempt: Attempt<'_>, timeout: Duration) {
        let Attempt { role, input, .. } = attempt;
        if !self.take_room(input.inline_bytes()) {
            return;
        }
        let before = self.task().steps.get(&step).map_or(0, |step| step.attempt);
        let deadline = self.now().after(timeout.min(role.timeout)).min(self.task().ends_at());
        self.emit(Event::StepDispatched {
            step,
            attempt: before.saturating_add(1),
            role: role.name.clone(),
            input,
            deadline,
            grant: role.grant,
        });
    }

    /// Notes that the next attempt waits; `false` when the record is full.
    fn delay(
        &mut self,
        step: StepId,
        attempt: Attempt<'_>,
        (until, reason): (UnixMillis, &str),
    ) -> bool {
        let Attempt { role, degraded, input } = attempt;
        if !self.take_room(input.inline_bytes() + reason.len()) {
            return false;
        }
        self.emit(Event::StepDelayed {
            step,
            role: role.name.clone(),
            degraded,
            input,
            until,
            reason: clip(reason),
            failure: None,
            usage: Usage::default(),
        });
        true
    }

    /// Deals with an attempt that failed: tries again, turns to the fallback or to a person, or
    /// fails the step. Says what was decided.
    pub(super) fn fail_attempt(
        &mut self,
        id: &StepId,
        failure: Failure,
        usage: Usage,
    ) -> &'static str {
        match self.after_failure(id, &failure) {
            After::Fail => {
                self.emit(Event::StepFailed { step: id.clone(), failure, usage });
                "fail"
            }
            After::Ask(ask) => {
                self.emit(Event::StepWaiting { step: id.clone(), ask: ask.into(), usage });
                "ask"
            }
            After::Again(next) => {
                let Next { role, degraded, input, until, reason, decision } = *next;
                let (step, failure) = (id.clone(), Some(failure));
                self.emit(Event::StepDelayed {
                    step,
                    role,
                    degraded,
                    input,
                    until,
                    reason,
                    failure,
                    usage,
                });
                decision
            }
        }
    }

    fn after_failure(&self, id: &StepId, failure: &Failure) -> After {
        let workflow = self.workflow();
        let (Some(declared), Some(step)) = (workflow.step(&id.name), self.task().steps.get(id))
        else {
            return After::Fail;
        };
        let StepState::Dispatched { input, .. } = &step.state else { return After::Fail };
        let Some(role) = step.role.as_ref().and_then(|role| workflow.roles.get(role)) else {
            return After::Fail;
        };
        if self.task().limited.is_some() && !self.is_compensating() {
            return After::Fail;
        }
        if failure.kind == FailureKind::OutcomeUnknown
            || (role.effects == Effects::Once && failure.kind.is_outcome_unknown())
        {
            return After::Ask(self.doubt(declared, step, role, failure));
        }
        if let Some(input) = crew::replan(declared, (id, role), input, failure) {
            let (role, degraded) = (role.name.clone(), step.degraded.clone());
            let reason = clip(&format!("the plan is refused: {}", failure.message));
            let (until, decision) = (self.now(), "replan");
            return After::Again(Box::new(Next { role, degraded, input, until, reason, decision }));
        }
        if let Some(until) = self.retry_at(id, step, role, failure) {
            let reason = clip(&format!(
                "attempt {} failed ({}): {}",
                step.attempt,
                failure.kind.as_str(),
                failure.message
            ));
            let (role, degraded) = (role.name.clone(), step.degraded.clone());
            let (input, decision) = (input.clone(), "retry");
            return After::Again(Box::new(Next { role, degraded, input, until, reason, decision }));
        }
        match declared.fallback().filter(|spare| spare.name != role.name) {
            Some(spare) if failure.kind.may_fall_back() => {
                let reason = clip(&format!(
                    "role {} failed ({}): {}",
                    role.name,
                    failure.kind.as_str(),
                    failure.message
                ));
                let (role, degraded) = (spare.name.clone(), Some(reason.clone()));
                let (input, until, decision) = (input.clone(), self.now(), "fall_back");
                After::Again(Box::new(Next { role, degraded, input, until, reason, decision }))
            }
            Some(_) | None => self.last_resort(declared, (id, step, role), (input, failure)),
        }
    }

    /// Asks whether what an attempt does has happened. What its worker knows of single calls is shown.
    fn doubt(&self, declared: &StepPlan, step: &Step, role: &Role, failure: &Failure) -> Ask {
        let (attempt, name, what) = (step.attempt, &role.name, &failure.message);
        let (content, question) = if failure.kind == FailureKind::OutcomeUnknown {
            let text = format!(
                "attempt {attempt} of role {name}: {what}. Look, then say whether it happened."
            );
            (failure.refused.clone(), text)
        } else {
            let text = format!(
                "attempt {attempt} of role {name} ended without a report ({what}); what it does may \
                 have happened. Look, then answer with the step's output, say that it did not \
                 happen, or deny."
            );
            (None, text)
        };
        self.ask(AskKind::Doubt, &question, content, declared.ask)
    }

    fn ask_approval(&mut self, declared: &StepPlan, approval: &Approval, step: StepId) {
        if let Err(failure) = self.try_ask(declared, approval, &step) {
            self.fail(step, failure);
        }
    }

    fn try_ask(
        &mut self,
        declared: &StepPlan,
        approval: &Approval,
        step: &StepId,
    ) -> Result<(), Failure> {
        let question = self.fill(declared, &approval.question, step.item)?;
        let plain = question.value().as_str();
        let question = plain.map_or_else(|| clip(question.text()), clip);
        let content = self.fill(declared, &declared.with, step.item)?;
        if self.take_room(content.inline_bytes() + question.len()) {
            let ask = self.ask(AskKind::Approval, &question, Some(content), approval.terms);
            let (step, usage) = (step.clone(), Usage::default());
            self.emit(Event::StepWaiting { step, ask: ask.into(), usage });
        }
        Ok(())
    }

    pub(super) fn ask(
        &self,
        kind: AskKind,
        question: &str,
        content: Option<Payload>,
        terms: AskTerms,
    ) -> Ask {
        let expires = terms.expires.map(|after| self.now().after(after).min(self.task().ends_at()));
        Ask {
            kind,
            question: clip(question),
            content,
            expires,
            when_expired: terms.when_expired,
            quorum: terms.quorum,
            four_eyes: terms.four_eyes,
            editable: terms.editable,
        }
    }
}

/// What follows a failed attempt.
enum After {
    Fail,
    Ask(Ask),
    Again(Box<Next>),
}

struct Next {
    role: Name,
    degraded: Option<String>,
    input: Payload,
    until: UnixMillis,
    reason: String,
    decision: &'static str,
}
