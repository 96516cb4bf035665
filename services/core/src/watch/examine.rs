//! What a replayed task tells: whether it is stuck and why, its budget, its questions.

use super::{Finding, Key, Kind, Queues, Settings, Severity, evidence, span};
use crate::{
    ids::{Partition, TaskId},
    ports::LoadError,
    task::{Phase, Resource, Step, StepState, Task},
    time::UnixMillis,
};

/// Where the timer of a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerState {
    /// Nowhere: it was never set, or somebody removed it.
    Missing,
    /// It waits for its time.
    Set,
    /// It fired, and was not moved to the partition yet.
    Fired,
    /// It waits among the partition's inputs.
    Queued,
}

/// What a look at one task came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Examined {
    /// What is wrong with it; mostly nothing.
    pub findings: Vec<Finding>,
    /// When it must be looked at again, if it has not changed before.
    pub again_at: UnixMillis,
    /// Steps that wait for a person.
    pub questions: u32,
}

/// Whether `task` should have gone on by now; then its timer is worth a look.
#[must_use]
pub fn is_overdue(task: &Task, now: UnixMillis, settings: &Settings) -> bool {
    let due = task.wake_at().unwrap_or(task.changed_at);
    task.ended().is_none() && due.after(settings.grace) <= now
}

/// What is wrong with an open task; `None` once it has ended. `timer` is asked for if it is overdue.
#[must_use]
pub fn examine(
    (task, timer): (&Task, Option<TimerState>),
    partition: Partition,
    queues: &Queues,
    (now, settings): (UnixMillis, &Settings),
) -> Option<Examined> {
    if task.ended().is_some() {
        return None;
    }
    let mut findings = Vec::new();
    let again_at = if is_overdue(task, now, settings) {
        findings.push(stuck((task, timer), partition, queues, (now, settings)));
        now.after(settings.grace)
    } else {
        task.wake_at().unwrap_or(task.changed_at).after(settings.grace)
    };
    findings.extend(budget(task));
    let expiring = Expiring::of(task, settings);
    findings.extend(expiring.as_ref().filter(|it| it.warn_at <= now).map(|it| it.finding(task)));
    let soon = expiring.map(|it| it.warn_at).filter(|at| *at > now);
    let waiting = |step: &&Step| matches!(step.state, StepState::Waiting { .. });
    let questions = task.steps.values().filter(waiting).count();
    Some(Examined {
        findings,
        again_at: soon.map_or(again_at, |soon| soon.min(again_at)),
        questions: u32::try_from(questions).unwrap_or(u32::MAX),
    })
}

/// What it means that the log of `task` cannot be read; the bus not answering means nothing.
#[must_use]
pub fn unreadable(task: &TaskId, error: &LoadError, now: UnixMillis) -> Option<Finding> {
    let (cause, next) = match error {
        LoadError::Bus(_) => return None,
        LoadError::Damaged { .. } => (
            "damaged_log",
            "Nothing is appended to it any more. Compare with a replica or a backup; `cadre check` \
             says where its log breaks",
        ),
        LoadError::TooNew { .. } => {
            ("too_new", "Update this fleet: a newer build wrote the record, and can go on")
        }
    };
    Some(Finding {
        key: Key { kind: Kind::Stuck, subject: task.to_string() },
        severity: Severity::Critical,
        cause,
        since: now,
        text: format!("Task {task} cannot go on: {error}."),
        next: format!("{next}."),
        evidence: evidence([("error", error.to_string())]),
    })
}

fn stuck(
    (task, timer): (&Task, Option<TimerState>),
    partition: Partition,
    queues: &Queues,
    (now, settings): (UnixMillis, &Settings),
) -> Finding {
    let id = task.id();
    let due = task.wake_at().unwrap_or(task.changed_at);
    let late = span(now.since(due));
    let wake = format!("nats pub cadre.{partition}.in.timer.wake.{id} ''");
    let start =
        "Start an orchestrator (`cadre serve --role orchestrator`), or look why none goes on";
    let is_lonely = queues.is_lonely(&format!("partition.{partition}"));
    let (cause, why, next) = match timer.unwrap_or(TimerState::Missing) {
        TimerState::Queued | TimerState::Fired if is_lonely => (
            "no_owner",
            format!("nobody takes the inputs of its partition {partition}"),
            format!("{start}: one that met a record of a newer build leaves the partition alone"),
        ),
        TimerState::Queued => (
            "not_taken",
            format!("its timer waits among the inputs of partition {partition}"),
            "The partition is behind, or fails at it: look at the orchestrator's log".to_owned(),
        ),
        TimerState::Fired => (
            "not_forwarded",
            "its timer has fired, and nobody moved it to its partition".to_owned(),
            start.to_owned(),
        ),
        TimerState::Set => (
            "not_fired",
            "its timer is set, and has not fired".to_owned(),
            "Look at the broker: does the timer stream have a leader, is its clock right?"
                .to_owned(),
        ),
        TimerState::Missing => (
            "timer_lost",
            "its timer is gone, so nothing wakes it".to_owned(),
            format!("Wake it by hand: {wake}"),
        ),
    };
    let (state, waiting) = (task.status(), waits_for(task));
    Finding {
        key: Key { kind: Kind::Stuck, subject: id.to_string() },
        severity: Severity::Critical,
        cause,
        since: due,
        text: format!(
            "Task {id} ({}) is {state} and should have gone on {late} ago, at {due}: {why}. {waiting}",
            task.goal.workflow
        ),
        next: format!("{next}."),
        evidence: evidence([
            ("workflow", task.goal.workflow.to_string()),
            ("tenant", task.goal.tenant.to_string()),
            ("partition", partition.to_string()),
            ("rev", task.rev.to_string()),
            ("due", due.to_string()),
            ("grace_ms", settings.grace.as_millis().to_string()),
        ]),
    }
}

/// What an overdue task waits for, for people.
fn waits_for(task: &Task) -> String {
    if let Some(by) = task.paused.as_ref().filter(|_| task.is_still()) {
        return format!("{by} paused it, so only its own deadline ends it.");
    }
    if let Some(limit) = task.held.as_ref().filter(|_| task.is_still()) {
        return format!("It is held for a larger budget: {limit}.");
    }
    let open = |(_, step): &(_, &Step)| step.state.is_open();
    match (task.steps.iter().find(open), &task.phase) {
        (Some((id, Step { state: StepState::Dispatched { .. }, role, .. })), _) => {
            let role = role.as_ref().map_or("nobody", |role| role.as_str());
            format!("Step {id} waits for a report of role {role}.")
        }
        (Some((id, Step { state: StepState::Waiting { .. }, .. })), _) => {
            format!("Step {id} waits for a person.")
        }
        (Some((id, _)), _) => format!("Step {id} waits for its next attempt."),
        (None, Phase::Compensating(_)) => "It undoes what its steps have done.".to_owned(),
        (None, Phase::Aggregating) => "Nothing is out, not even its answer.".to_owned(),
        (None, Phase::Running | Phase::Ended(_)) => "Nothing of it is out.".to_owned(),
    }
}

fn budget(task: &Task) -> Option<Finding> {
    let usage = format!(
        "{} steps, {} micro-USD and {} tokens are used",
        task.dispatches, task.usage.usd_micros, task.usage.tokens
    );
    let id = task.id();
    let add = format!("`cadre task budget add {id}` widens its limits");
    let (kind, severity, cause, text, next) = match (&task.held, &task.limited) {
        (Some(limit), None) => (
            Kind::BudgetOver,
            Severity::Critical,
            "held",
            format!("Task {id} waits for a larger budget ({limit}); {usage}."),
            format!("{add}, and it goes on; `cadre task cancel {id}` ends it."),
        ),
        (_, Some(limit)) => (
            Kind::BudgetOver,
            Severity::Warning,
            "limited",
            format!("Task {id} has met a limit ({limit}) and comes to its end; {usage}."),
            "Nothing to do for this one: widen the pack's limits if that happens often.".to_owned(),
        ),
        (None, None) if !task.warned.is_empty() => {
            let near: Vec<_> = task.warned.iter().copied().map(Resource::as_str).collect();
            (
                Kind::BudgetNear,
                Severity::Warning,
                "near",
                format!("Task {id} has used four fifths of its {}; {usage}.", near.join(" and ")),
                format!("{add} before it meets them."),
            )
        }
        (None, None) => return None,
    };
    Some(Finding {
        key: Key { kind, subject: id.to_string() },
        severity,
        cause,
        since: task.changed_at,
        text,
        next,
        evidence: evidence([
            ("workflow", task.goal.workflow.to_string()),
            ("tenant", task.goal.tenant.to_string()),
            ("steps", task.dispatches.to_string()),
            ("usd_micros", task.usage.usd_micros.to_string()),
            ("tokens", task.usage.tokens.to_string()),
        ]),
    })
}

/// The question of a task that expires first.
struct Expiring {
    step: String,
    question: String,
    asked_at: UnixMillis,
    expires: UnixMillis,
    warn_at: UnixMillis,
}

impl Expiring {
    fn of(task: &Task, settings: &Settings) -> Option<Self> {
        let asked = task.steps.iter().filter_map(|(id, step)| {
            let StepState::Waiting { ask, .. } = &step.state else { return None };
            let (asked_at, expires) = (step.changed_at, ask.expires?);
            // A person who has little time at all is not told at once that it is running out.
            let within = settings.expires_within.min(expires.since(asked_at) / 4);
            let warn_at = asked_at.after(expires.since(asked_at).saturating_sub(within));
            let (step, question) = (id.to_string(), ask.question.clone());
            Some(Self { step, question, asked_at, expires, warn_at })
        });
        asked.min_by_key(|one| one.warn_at)
    }

    fn finding(&self, task: &Task) -> Finding {
        let (id, step, question) = (task.id(), &self.step, &self.question);
        Finding {
            key: Key { kind: Kind::QuestionExpiring, subject: id.to_string() },
            severity: Severity::Warning,
            cause: "expiring",
            since: self.asked_at,
            text: format!(
                "Step {step} of task {id} has waited for a person since {}, and expires at {}: \
                 {question}",
                self.asked_at, self.expires
            ),
            next: "Decide: `cadre approval ls` lists what waits.".to_owned(),
            evidence: evidence([
                ("workflow", task.goal.workflow.to_string()),
                ("tenant", task.goal.tenant.to_string()),
                ("step", step.clone()),
                ("expires", self.expires.to_string()),
            ]),
        }
    }
}
