//! What people say: decisions about what they were asked, and wishes to steer a task.
//!
//! A decision counts once, is bound to the hash of what was shown, and closes with the
//! question: a late, second or foreign one is refused, and the refusal is kept.

use serde_json::json;

use super::{
    ask::{Ask, AskKind},
    decide::{Seen, Verdict},
    event::Event,
    input::{Action, Budget, Control, Decision, Failure, FailureKind, Input, Ruling, Usage, clip},
    plan::Planner,
    retry,
    state::{Phase, Step, StepState},
};
use crate::{
    ids::StepId,
    journal::CallRuling,
    limits::{BUDGET_ADDITIONS_MAX, REFUSALS_MAX, TASK_DEADLINE_MAX},
    payload::Payload,
    workflow::WhenExpired,
};

/// Why a task that undoes its steps cannot be steered.
const UNDOING: &str = "the task comes to its end: what it has done is being undone";

/// Why an output counts that nobody has granted: its question has expired.
pub const NOBODY_DECIDED: &str = "nobody decided in time";

/// What a ruling does to the step that waits.
enum Ruled {
    Vote,
    Complete(Payload),
    Deny,
    Again(CallRuling),
}

pub(super) fn on_decision(mut plan: Planner<'_>, decision: &Decision) -> Verdict {
    let ruled = match weigh(&plan, decision) {
        Ok(Some(ruled)) => ruled,
        Ok(None) => return Verdict::Ignore(Seen::Known),
        Err(why) => return refuse(plan, "decision", &why),
    };
    let (step, by) = (decision.step.clone(), decision.by.as_str());
    let comment =
        if decision.comment.is_empty() { String::new() } else { format!(": {}", decision.comment) };
    let (word, reason) = match ruled {
        Ruled::Vote => {
            plan.emit(Event::Voted { step: step.clone(), by: by.to_owned() });
            ("vote", format!("{by} agreed to step {step}{comment}"))
        }
        Ruled::Deny => {
            let failure = denied(&plan, &step, &format!("{by} denied it{comment}"));
            let usage = Usage::default();
            plan.emit(Event::StepFailed { step: step.clone(), failure, usage });
            ("deny", format!("{by} denied step {step}{comment}"))
        }
        Ruled::Again(ruling) => {
            let word = ruling.as_str();
            plan.run_again(&step, by, ruling);
            (word, format!("{by} ruled on step {step}: {word}{comment}"))
        }
        Ruled::Complete(output) => {
            let (confidence, unsure, usage) = (None, None, Usage::default());
            plan.emit(Event::StepCompleted {
                step: step.clone(),
                output,
                confidence,
                unsure,
                degraded: None,
                usage,
            });
            ("grant", format!("{by} granted step {step}{comment}"))
        }
    };
    plan.advance();
    plan.finish(word, &reason)
}

/// What a decision does; `None` when it is reflected already; an error says why it does not count.
fn weigh(plan: &Planner<'_>, decision: &Decision) -> Result<Option<Ruled>, String> {
    let (task, id) = (plan.task(), &decision.step);
    let step = task.steps.get(id).ok_or_else(|| format!("there is no step {id}"))?;
    let StepState::Waiting { ask, votes } = &step.state else { return Err(closed(id, step)) };
    if ask.hash(task.id(), id, step.attempt) != decision.hash {
        return Err(format!("step {id} asks something else by now: look at it again"));
    }
    if ask.expires.is_some_and(|at| at <= plan.now()) {
        return Err(format!("the question of step {id} has expired"));
    }
    if ask.four_eyes && task.goal.user.as_deref() == Some(decision.by.as_str()) {
        return Err(format!("{} published the goal, so another person must decide", decision.by));
    }
    let output = match &decision.ruling {
        Ruling::Deny => return Ok(Some(Ruled::Deny)),
        Ruling::Grant => None,
        Ruling::GrantWith(output) => Some(output),
        Ruling::Call(_) => None,
    };
    let call = match &decision.ruling {
        Ruling::Call(ruling) => Some(knows(id, step, ask, ruling)?),
        Ruling::Grant | Ruling::GrantWith(_) | Ruling::Deny => None,
    };
    if votes.contains(&decision.by) {
        return Ok(None);
    }
    let agreed = votes.len().saturating_add(1);
    let quorum = usize::try_from(ask.quorum).unwrap_or(usize::MAX);
    // Where nothing was shown, an answer changes nothing: it is what the question wants.
    let is_shown = ask.content.is_some() && ask.kind != AskKind::Doubt;
    if output.is_some() && is_shown && (!ask.editable || quorum > 1) {
        let why = if quorum > 1 { "several people must agree to it" } else { "the pack says so" };
        return Err(format!("the content of step {id} cannot be changed: {why}"));
    }
    if let Some(ruling) = call {
        return Ok(Some(if agreed < quorum { Ruled::Vote } else { Ruled::Again(ruling) }));
    }
    let mut voters: Vec<_> = votes.iter().map(String::as_str).collect();
    voters.push(&decision.by);
    let output = settle(plan, id, ask, (&voters, output))?;
    Ok(Some(if agreed < quorum { Ruled::Vote } else { Ruled::Complete(output) }))
}

/// Whether a person can say so about a call: a step can only be told of a result that its worker
/// notes, and only what had a worker can be run again.
fn knows(id: &StepId, step: &Step, ask: &Ask, ruling: &CallRuling) -> Result<CallRuling, String> {
    if ask.kind != AskKind::Doubt || step.input.is_none() {
        return Err(format!("step {id} does not ask whether something has happened"));
    }
    if matches!(ruling, CallRuling::Happened(_)) && ask.content.is_none() {
        return Err(format!(
            "step {id} does not know which call it was: answer with the step's whole output"
        ));
    }
    Ok(ruling.clone())
}

/// The output of the step when its question is granted.
fn settle(
    plan: &Planner<'_>,
    id: &StepId,
    ask: &Ask,
    (voters, changed): (&[&str], Option<&Payload>),
) -> Result<Payload, String> {
    // What is shown of a doubt is evidence, no output.
    let shown = ask.content.as_ref().filter(|_| ask.kind != AskKind::Doubt);
    let content = changed.or(shown);
    match ask.kind {
        AskKind::Approval => approved("granted", voters, content),
        AskKind::Question | AskKind::Doubt => {
            let output = content
                .ok_or_else(|| format!("step {id} wants an answer: a grant alone is none"))?;
            let role = plan.task().steps.get(id).and_then(|step| step.role.as_ref());
            if let Some(contract) = plan.workflow().contract_of(id, role)
                && let Err(violations) = contract.check(output.value())
            {
                return Err(format!("the answer breaks contract {}: {violations}", contract.id()));
            }
            Ok(output.clone())
        }
    }
}

/// What a no means: that a crew which went in circles gives nothing, or that it must not happen.
fn denied(plan: &Planner<'_>, id: &StepId, text: &str) -> Failure {
    let run = plan.task().crews.get(&id.name).filter(|_| id.item.is_none());
    match run.and_then(|run| run.loop_found.as_ref()) {
        Some(found) => Failure::new(FailureKind::NotConverging, &format!("{found}; {text}")),
        None => Failure::new(FailureKind::Denied, text),
    }
}

/// The output of an approval.
fn approved(word: &str, by: &[&str], content: Option<&Payload>) -> Result<Payload, String> {
    let content = content.map(Payload::value);
    Payload::from_value(json!({"decision": word, "by": by, "content": content}))
        .map_err(|error| error.to_string())
}

fn closed(id: &StepId, step: &Step) -> String {
    match &step.state {
        StepState::Failed(failure) if failure.kind == FailureKind::Expired => {
            format!("the question of step {id} expired at {}", step.changed_at)
        }
        StepState::Failed(failure) if failure.kind == FailureKind::Denied => {
            format!("step {id} was denied already at {}: {}", step.changed_at, failure.message)
        }
        StepState::Completed { .. } => {
            format!("step {id} was decided already at {}", step.changed_at)
        }
        StepState::Dispatched { .. }
        | StepState::Delayed { .. }
        | StepState::Waiting { .. }
        | StepState::Failed(_)
        | StepState::Skipped(_)
        | StepState::Cancelled => {
            format!("step {id} waits for no decision: it is {}", step.state.as_str())
        }
    }
}

/// Keeps a wish that cannot be fulfilled, so that whoever had it can see why.
pub(super) fn refuse(mut plan: Planner<'_>, what: &str, why: &str) -> Verdict {
    if plan.task().refusals >= REFUSALS_MAX {
        return Verdict::Ignore(Seen::Late(clip(why)));
    }
    plan.emit(Event::Refused { what: what.to_owned(), why: clip(why) });
    plan.finish("refuse", why)
}

pub(super) fn on_control(mut plan: Planner<'_>, control: &Control) -> Verdict {
    let by = control.by.clone();
    let because =
        if control.reason.is_empty() { String::new() } else { format!(": {}", control.reason) };
    match &control.action {
        Action::Pause if plan.task().paused.is_some() => Verdict::Ignore(Seen::Known),
        Action::Pause if plan.task().phase == Phase::Aggregating => {
            refuse(plan, "pause", "the task has all its parts already")
        }
        Action::Pause if plan.is_compensating() => refuse(plan, "pause", UNDOING),
        Action::Pause => {
            let reason = format!("paused by {by}{because}");
            plan.emit(Event::Paused { by });
            plan.finish("pause", &reason)
        }
        Action::Resume if plan.task().paused.is_none() => Verdict::Ignore(Seen::Known),
        Action::Resume => {
            let reason = format!("resumed by {by}{because}");
            plan.emit(Event::Resumed { by });
            plan.advance();
            plan.finish("resume", &reason)
        }
        Action::Kill => {
            let reason = format!("killed by {by}{because}");
            plan.kill(&reason);
            plan.finish("kill", &reason)
        }
        Action::AddBudget(budget) => add_budget(plan, control, *budget),
        Action::Retry(step) => retry::on_retry(plan, control, step.as_ref()),
    }
}

fn add_budget(mut plan: Planner<'_>, control: &Control, budget: Budget) -> Verdict {
    let task = plan.task();
    if task.additions.contains(&control.key) {
        return Verdict::Ignore(Seen::Known);
    }
    if budget == Budget::default() {
        let why = "it adds nothing: name steps, money, tokens or time";
        return refuse(plan, "budget", why);
    }
    if let Some(limit) = &task.limited {
        let why = format!("the task is coming to its end, a limit was met: {limit}");
        return refuse(plan, "budget", &why);
    }
    if task.phase == Phase::Aggregating {
        return refuse(plan, "budget", "the task has all its parts already");
    }
    if plan.is_compensating() {
        return refuse(plan, "budget", UNDOING);
    }
    if task.additions.len() >= BUDGET_ADDITIONS_MAX {
        let why = format!("the budget was added to {BUDGET_ADDITIONS_MAX} times already");
        return refuse(plan, "budget", &why);
    }
    if task.deadline.after(budget.time).since(task.accepted_at) > TASK_DEADLINE_MAX {
        return refuse(plan, "budget", "the task would live for more than 400 days");
    }
    let (by, key) = (control.by.clone(), control.key.clone());
    let reason = format!(
        "{by} added {} steps, {} micro-USD, {} tokens, {} s",
        budget.steps,
        budget.usd_micros,
        budget.tokens,
        budget.time.as_secs()
    );
    plan.emit(Event::BudgetAdded { by, key, budget });
    plan.advance();
    plan.finish("add_budget", &reason)
}

/// What anybody may still say to a task that has ended.
pub(super) fn after_the_end(plan: Planner<'_>, input: &Input) -> Verdict {
    let ended = || {
        plan.task().ended().map_or(String::new(), |end| {
            format!("the task ended as {} at {}", end.status.as_str(), end.at)
        })
    };
    match input {
        Input::Report(_) => Verdict::Ignore(Seen::Late("the task has ended".to_owned())),
        // Ending an ended task is harmless; timers of it mean nothing.
        Input::Goal(_) | Input::Fork(..) | Input::Due | Input::Cancel(_) | Input::Advance => {
            Verdict::Ignore(Seen::Known)
        }
        Input::Control(control) => match &control.action {
            Action::Kill => Verdict::Ignore(Seen::Known),
            Action::AddBudget(_) if plan.task().additions.contains(&control.key) => {
                Verdict::Ignore(Seen::Known)
            }
            Action::Pause | Action::Resume | Action::AddBudget(_) => {
                let why = ended();
                refuse(plan, "control", &why)
            }
            Action::Retry(_) => {
                let why = format!(
                    "{}: an end is final; `cadre task fork` goes on from it in a new task",
                    ended()
                );
                refuse(plan, "retry", &why)
            }
        },
        Input::Decision(_) => {
            let why = ended();
            refuse(plan, "decision", &why)
        }
    }
}

impl Planner<'_> {
    /// Lets a step that waits for a person run again, with what the person knows.
    fn run_again(&mut self, id: &StepId, by: &str, ruling: CallRuling) {
        let Some(step) = self.task().steps.get(id) else { return };
        let (Some(input), Some(role)) = (step.input.clone(), step.role.clone()) else { return };
        let (step, degraded, until) = (id.clone(), step.degraded.clone(), self.now());
        let reason = format!("{by} knows whether it happened: {}", ruling.as_str());
        self.emit(Event::CallRuled { step: id.clone(), by: by.to_owned(), ruling });
        let (failure, usage) = (None, Usage::default());
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
    }

    /// Ends a question that nobody has decided in time.
    pub(super) fn expire(&mut self, id: &StepId) {
        let Some(step) = self.task().steps.get(id) else { return };
        let StepState::Waiting { ask, votes } = &step.state else { return };
        let text = NOBODY_DECIDED;
        let output = match (ask.when_expired, &ask.content) {
            (WhenExpired::Fail, _) | (WhenExpired::Accept, None) => None,
            (WhenExpired::Accept, Some(_)) => {
                let voters: Vec<_> = votes.iter().map(String::as_str).collect();
                match ask.kind {
                    AskKind::Approval => approved("expired", &voters, ask.content.as_ref()).ok(),
                    AskKind::Question | AskKind::Doubt => {
                        settle(self, id, ask, (&voters, None)).ok()
                    }
                }
            }
        };
        let Some(output) = output else {
            return self.fail(id.clone(), Failure::new(FailureKind::Expired, text));
        };
        if self.take_room(output.inline_bytes()) {
            let (step, unsure) = (id.clone(), Some(text.to_owned()));
            let (confidence, degraded, usage) = (None, None, Usage::default());
            self.emit(Event::StepCompleted { step, output, confidence, unsure, degraded, usage });
        }
    }
}
