//! The one place where it is decided what an input means for a task.

use std::sync::Arc;

use super::{
    ask::AskKind,
    dispatch::{Roles, Unlimited},
    env::Env,
    event::{EndStatus, Event},
    fork,
    input::{Cancel, Failure, FailureKind, Goal, Input, Outcome, Report, Usage, clip},
    person::{after_the_end, on_control, on_decision},
    plan::Planner,
    state::{AGGREGATE, Phase, StepState, Task},
};
use crate::{
    payload::Payload,
    time::UnixMillis,
    workflow::{Otherwise, StepPlan, WhenLimited, Workflow},
};

/// What the shell knows when an input is decided.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The broker's time.
    pub now: UnixMillis,
    /// Which roles may be given work.
    pub roles: &'a dyn Roles,
}

impl From<UnixMillis> for Moment<'_> {
    /// A moment in which every role may be given work.
    fn from(now: UnixMillis) -> Self {
        Self { now, roles: &Unlimited }
    }
}

/// What an input means.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// A transition: append it, then continue with its `next` state.
    Append(Box<Draft>),
    /// Nothing to write: settle the input after paying what the state owes.
    Ignore(Seen),
}

/// A transition that is not durable yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What was decided, as one word.
    pub decision: &'static str,
    /// Why, in one sentence.
    pub reason: String,
    /// What follows.
    pub events: Vec<Event>,
    /// The state after `events`; equal to what a replay gives.
    pub next: Task,
    /// The record is full: ask again with [`Input::Advance`] once it is durable.
    pub more: bool,
}

/// Why an input changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The log reflects it already.
    Known,
    /// It came too late; the text says for what.
    Late(String),
    /// There is no such task.
    NoTask,
    /// Another goal has the same key.
    Conflict,
}

/// Decides what `input` means for `task` at this moment; `None` is a task without a log.
#[must_use]
pub fn decide(
    workflow: &Workflow,
    task: Option<&Task>,
    input: &Input,
    moment: &Moment<'_>,
) -> Verdict {
    let Some(task) = task else {
        return match input {
            Input::Goal(goal) => match &goal.fork {
                None => accept(workflow, goal, moment),
                Some(wanted) => fork::begin(workflow, (goal, wanted), None, moment),
            },
            Input::Fork(goal, source) => match &goal.fork {
                None => accept(workflow, goal, moment),
                Some(wanted) => fork::begin(workflow, (goal, wanted), Some(source), moment),
            },
            Input::Report(_)
            | Input::Due
            | Input::Cancel(_)
            | Input::Control(_)
            | Input::Decision(_)
            | Input::Advance => Verdict::Ignore(Seen::NoTask),
        };
    };
    if let Input::Goal(goal) | Input::Fork(goal, _) = input {
        let is_same = task.goal.digest == goal.digest;
        return Verdict::Ignore(if is_same { Seen::Known } else { Seen::Conflict });
    }
    let plan = Planner::new(workflow, task.clone(), moment);
    if task.ended().is_some() {
        return after_the_end(plan, input);
    }
    match input {
        Input::Goal(_) | Input::Fork(..) => Verdict::Ignore(Seen::Known),
        Input::Report(report) => on_report(plan, report),
        Input::Due | Input::Advance => look_again(plan),
        Input::Cancel(cancel) => on_cancel(plan, cancel),
        Input::Control(control) => on_control(plan, control),
        Input::Decision(decision) => on_decision(plan, decision),
    }
}

fn accept(workflow: &Workflow, goal: &Arc<Goal>, moment: &Moment<'_>) -> Verdict {
    let mut plan = accepted(workflow, goal, moment);
    plan.advance();
    let reason = format!("goal {:?} of tenant {} is valid", clip(&goal.key), goal.tenant);
    plan.finish("accept", &reason)
}

/// A task that has its goal, and nothing else yet.
pub(super) fn accepted<'a>(
    workflow: &'a Workflow,
    goal: &Arc<Goal>,
    moment: &'a Moment<'a>,
) -> Planner<'a> {
    let now = moment.now;
    let latest = now.after(workflow.limits.deadline);
    let deadline = goal.deadline.map_or(latest, |wanted| wanted.min(latest));
    let mut plan = Planner::new(workflow, Task::accepted(goal, deadline, now), moment);
    plan.first(Event::Accepted { goal: Arc::clone(goal), deadline });
    plan
}

fn on_report(mut plan: Planner<'_>, report: &Report) -> Verdict {
    let Some(step) = plan.task().steps.get(&report.step) else {
        return Verdict::Ignore(Seen::Late(format!("step {} was never dispatched", report.step)));
    };
    let current = step.role.as_ref() == Some(&report.role) && step.attempt == report.attempt;
    if !(current && matches!(step.state, StepState::Dispatched { .. })) {
        let (attempt, state) = (step.attempt, step.state.as_str());
        let text = format!("step {} is {state} at attempt {attempt}", report.step);
        return Verdict::Ignore(Seen::Late(text));
    }
    if report.step.name.as_str() == AGGREGATE {
        return on_answer(plan, report);
    }
    let (decision, reason) = judge(&mut plan, report);
    plan.check_spending();
    plan.advance();
    plan.finish(decision, &reason)
}

/// Turns a report into the step's next state; says what was decided and why.
fn judge(plan: &mut Planner<'_>, report: &Report) -> (&'static str, String) {
    let Some(declared) = plan.workflow().step(&report.step.name) else {
        let failure = Failure::new(FailureKind::Error, "the pack does not declare this step");
        return fail(plan, report, failure);
    };
    // The role that has the attempt: a fallback has the contracts of the one that the step names.
    let Some(role) = plan.workflow().roles.get(&report.role) else {
        let failure = Failure::new(FailureKind::Error, "the pack does not declare this role");
        return fail(plan, report, failure);
    };
    match &report.outcome {
        Outcome::Completed { output, confidence } => {
            if let Err(failure) = plan.check_output(declared, role, &report.step, output) {
                return fail(plan, report, failure);
            }
            judge_output(plan, declared, report, output, share(*confidence))
        }
        Outcome::Unsure { output, confidence, reason } => {
            let valid = output.as_ref().map(|output| role.returns.check(output.value()));
            match (output, valid) {
                (Some(output), Some(Err(violations))) => {
                    fail(plan, report, refused(&violations.to_string(), output))
                }
                (output, _) => {
                    let output = output.as_ref().map(|output| (output, share(*confidence)));
                    doubt(plan, declared, report, output, reason)
                }
            }
        }
        Outcome::Failed(failure) => {
            let message = clip(&failure.message);
            fail(plan, report, Failure { message, ..failure.clone() })
        }
        Outcome::Handoff { to, reason, output } => {
            match plan.hand_off(declared, report, (to, reason, output.as_ref())) {
                Ok(done) => done,
                Err(failure) => fail(plan, report, failure),
            }
        }
        Outcome::NeedsHuman { question } => ask(plan, declared, report, (question, None)),
    }
}

/// A confidence that a state can hold: 0 to 1. What is no number says nothing.
fn share(confidence: Option<f64>) -> Option<f64> {
    confidence
        .filter(|confidence| !confidence.is_nan())
        .map(|confidence| confidence.clamp(0.0, 1.0))
}

fn judge_output(
    plan: &mut Planner<'_>,
    declared: &StepPlan,
    report: &Report,
    output: &Payload,
    confidence: Option<f64>,
) -> (&'static str, String) {
    // Of a crew it is about what all turns together have made.
    let Some(accept_if) = declared.accept_if.as_ref().filter(|_| declared.crew().is_none()) else {
        return complete(plan, report, (output, confidence), None);
    };
    let env = Env::new(plan.workflow(), plan.task()).with_report(&report.step, output, confidence);
    match accept_if.holds(&env) {
        Ok(true) => complete(plan, report, (output, confidence), None),
        Ok(false) => {
            let reason = format!("accept_if does not hold: {}", accept_if.source());
            doubt(plan, declared, report, Some((output, confidence)), &reason)
        }
        Err(error) => fail(
            plan,
            report,
            Failure::new(FailureKind::Expression, &format!("accept_if: {error}")),
        ),
    }
}

/// Does what the step declares for a report that is not good enough.
fn doubt(
    plan: &mut Planner<'_>,
    declared: &StepPlan,
    report: &Report,
    output: Option<(&Payload, Option<f64>)>,
    reason: &str,
) -> (&'static str, String) {
    match (declared.otherwise, output) {
        (Otherwise::AcceptUnsure, Some(output)) => {
            complete(plan, report, output, Some(clip(reason)))
        }
        (Otherwise::AskHuman, output) => {
            let output = output.map(|(output, _)| output.clone());
            ask(plan, declared, report, (reason, output))
        }
        (Otherwise::Fail, _) | (Otherwise::AcceptUnsure, None) => {
            let refused = output.map(|(output, _)| output.clone());
            let failure = Failure { refused, ..Failure::new(FailureKind::NotAccepted, reason) };
            fail(plan, report, failure)
        }
    }
}

pub(super) fn refused(message: &str, output: &Payload) -> Failure {
    let refused = Some(output.clone());
    Failure { refused, ..Failure::new(FailureKind::InvalidOutput, message) }
}

fn complete(
    plan: &mut Planner<'_>,
    report: &Report,
    (output, confidence): (&Payload, Option<f64>),
    unsure: Option<String>,
) -> (&'static str, String) {
    let reason = match &unsure {
        None => format!("step {} returned a valid output", report.step),
        Some(doubt) => format!("step {} is used although unsure: {doubt}", report.step),
    };
    plan.emit(Event::StepCompleted {
        step: report.step.clone(),
        output: output.clone(),
        confidence,
        unsure,
        degraded: plan.degraded(report),
        usage: report.usage,
    });
    ("complete", reason)
}

pub(super) fn fail(
    plan: &mut Planner<'_>,
    report: &Report,
    failure: Failure,
) -> (&'static str, String) {
    let reason =
        format!("step {} failed ({}): {}", report.step, failure.kind.as_str(), failure.message);
    let decision = plan.fail_attempt(&report.step, failure, report.usage);
    (decision, clip(&reason))
}

fn ask(
    plan: &mut Planner<'_>,
    declared: &StepPlan,
    report: &Report,
    (question, proposal): (&str, Option<Payload>),
) -> (&'static str, String) {
    let reason = clip(&format!("step {} needs a person: {question}", report.step));
    // A person who grants it makes it theirs, so they are told.
    let question = match &report.degraded {
        Some(why) => &clip(&format!("{question} ({why})")),
        None => question,
    };
    let ask = plan.ask(AskKind::Question, question, proposal, declared.ask);
    let (step, usage) = (report.step.clone(), report.usage);
    plan.emit(Event::StepWaiting { step, ask: ask.into(), usage });
    ("ask", reason)
}

/// The aggregator's report ends the task, whatever it says.
fn on_answer(mut plan: Planner<'_>, report: &Report) -> Verdict {
    let (status, reason, answer) = read_answer(plan.workflow(), &report.outcome);
    let usage = report.usage;
    plan.conclude(status, &reason, answer, usage);
    let decision = if plan.is_compensating() { "compensate" } else { "end" };
    plan.finish(decision, &reason)
}

fn read_answer(workflow: &Workflow, outcome: &Outcome) -> (EndStatus, String, Option<Payload>) {
    let failed = |reason: String| (EndStatus::Failed, reason, None);
    let output = match outcome {
        Outcome::Completed { output, .. } => output,
        Outcome::Failed(failure) => {
            return failed(format!("aggregation failed: {}", failure.message));
        }
        Outcome::Unsure { reason, .. } | Outcome::Handoff { reason, .. } => {
            return failed(format!("the aggregator gave no answer: {reason}"));
        }
        Outcome::NeedsHuman { question } => {
            return failed(format!("the aggregator gave no answer but a question: {question}"));
        }
    };
    let text = |key: &str| output.value().get(key).and_then(serde_json::Value::as_str);
    let is_an_answer = |status: &EndStatus| match status {
        EndStatus::Completed | EndStatus::Partial | EndStatus::Failed => true,
        EndStatus::Cancelled | EndStatus::Incomplete => false,
    };
    let status = text("status").and_then(EndStatus::parse).filter(is_an_answer);
    let Some(status) = status else {
        return failed("the aggregator's answer has no status".to_owned());
    };
    let result = output.value().get("result").unwrap_or(&serde_json::Value::Null);
    // The gate checked it; checked again here, because only this check is on record.
    if status == EndStatus::Completed
        && let Err(violations) = workflow.output.check(result)
    {
        let reason = format!("the answer breaks contract {}: {violations}", workflow.output.id());
        return (EndStatus::Failed, reason, Some(output.clone()));
    }
    (status, text("reason").unwrap_or("the answer is complete").to_owned(), Some(output.clone()))
}

/// Fails what is overdue; without such, begins what is due or what the last record had no room for.
fn look_again(mut plan: Planner<'_>) -> Verdict {
    let now = plan.now();
    let overdue: Vec<_> = plan
        .task()
        .steps
        .iter()
        .filter(|(_, step)| step.state.is_overdue(now))
        .map(|(id, _)| id.clone())
        .collect();
    if plan.is_compensating() && plan.task().ends_at() <= now {
        plan.compensate();
        return plan.finish("expire", "the time for compensations is over");
    }
    let aggregating = plan.task().phase == Phase::Aggregating;
    if aggregating && !overdue.is_empty() {
        let reason = "the aggregator gave no answer in time".to_owned();
        return end(plan, EndStatus::Incomplete, &reason, "expire");
    }
    if plan.task().phase == Phase::Running && plan.task().deadline <= now {
        return on_deadline(plan);
    }
    let Some(first) = overdue.first() else {
        plan.check_spending();
        plan.advance();
        return plan.finish("advance", "its time has come, or the last record was full");
    };
    let reason = format!("step {first} met its deadline ({} did)", overdue.len());
    let reason = reason.replace("(1 did)", "alone");
    for step in &overdue {
        if plan.is_full() {
            break;
        }
        plan.overdue(step);
    }
    // What a journal says of an attempt without a report counts as if it had been reported.
    plan.check_spending();
    if !plan.is_full() {
        plan.advance();
    }
    plan.finish("expire", &reason)
}

fn on_deadline(mut plan: Planner<'_>) -> Verdict {
    let reason = format!("the task's deadline {} has passed", plan.task().deadline);
    if plan.workflow().when_limited == WhenLimited::Fail {
        return end(plan, EndStatus::Incomplete, &reason, "expire");
    }
    if plan.task().limited.is_none() {
        plan.emit(Event::LimitReached { limit: reason.clone(), is_held: false });
    }
    let open = plan.task().steps.iter().filter(|(_, step)| step.state.is_open());
    let open: Vec<_> = open.map(|(id, _)| id.clone()).collect();
    plan.fail_all(open, FailureKind::Limit, &reason);
    plan.finish("expire", &reason)
}

fn on_cancel(plan: Planner<'_>, cancel: &Cancel) -> Verdict {
    if plan.is_compensating() {
        return Verdict::Ignore(Seen::Known);
    }
    let reason = clip(&format!("cancelled by {}: {}", cancel.by, cancel.reason));
    end(plan, EndStatus::Cancelled, &reason, "cancel")
}

fn end(mut plan: Planner<'_>, status: EndStatus, reason: &str, decision: &'static str) -> Verdict {
    plan.conclude(status, reason, None, Usage::default());
    plan.finish(decision, reason)
}
