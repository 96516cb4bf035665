//! What one task's row says, out of the task's state. Pure.

use cadre_core::{
    ids::StepId,
    payload::Hash,
    task::{AGGREGATE, AskKind, EndStatus, Phase, Step, StepState, Task},
    time::UnixMillis,
};

use super::{
    status::Status,
    terms::{Limits, Terms},
    text::{brief, without_figures},
};

/// Share of a limit, in hundredths, from which on it is news.
const NEAR_PERCENT: u64 = 80;

/// Characters of a text in a row of a list.
const TEXT_CHARS_MAX: usize = 300;

/// The part of a task's row that changes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Card {
    pub(super) status: Status,
    pub(super) started: Option<UnixMillis>,
    pub(super) ended: Option<UnixMillis>,
    pub(super) due: Option<UnixMillis>,
    pub(super) steps_done: u32,
    pub(super) steps_total: u32,
    pub(super) steps_failed: u32,
    pub(super) limits: Option<Limits>,
    pub(super) retries: u32,
    pub(super) fallbacks: u32,
    pub(super) is_near: bool,
    pub(super) waits: Option<Waits>,
    pub(super) reason: Option<String>,
    pub(super) failure: Option<Failed>,
}

/// What keeps an open task from going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waits {
    pub(super) what: &'static str,
    pub(super) text: String,
    /// `None` where the state does not tell.
    pub(super) since: Option<UnixMillis>,
}

/// What failed last in a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) fingerprint: String,
    pub(super) step: Option<String>,
    pub(super) kind: &'static str,
    pub(super) text: String,
    pub(super) at: UnixMillis,
}

impl Card {
    pub(super) fn of(task: &Task, terms: Option<&Terms>) -> Self {
        let counted = Counted::of(task, terms);
        let limits = terms.map(|terms| terms.limits(task));
        let end = task.ended();
        Self {
            status: Status::of(task),
            started: counted.started,
            ended: end.map(|end| end.at),
            due: task.wake_at(),
            steps_done: counted.done,
            steps_total: counted.total,
            steps_failed: counted.failed,
            limits,
            retries: counted.tries.saturating_sub(counted.fallbacks),
            fallbacks: counted.fallbacks,
            is_near: end.is_none() && limits.is_some_and(|limits| is_near(task, limits, terms)),
            waits: waits(task),
            reason: end.map(|end| end.reason.clone()),
            failure: failure(task),
        }
    }
}

/// Sums over the steps of a task.
#[derive(Default)]
struct Counted {
    started: Option<UnixMillis>,
    done: u32,
    total: u32,
    failed: u32,
    /// Attempts beyond the first of each step.
    tries: u32,
    fallbacks: u32,
}

impl Counted {
    fn of(task: &Task, terms: Option<&Terms>) -> Self {
        let mut counted = Self::default();
        for (id, step) in &task.steps {
            if step.attempt > 0 {
                let at = step.started_at;
                counted.started = Some(counted.started.map_or(at, |known| known.min(at)));
            }
            counted.tries = counted.tries.saturating_add(step.attempt.saturating_sub(1));
            // A fallback that takes the first attempt is no try beyond it.
            counted.fallbacks += u32::from(step.degraded.is_some() && step.attempt > 1);
            if !is_counted(task, terms, id) {
                continue;
            }
            counted.total += 1;
            match &step.state {
                StepState::Completed { .. } | StepState::Skipped(_) => counted.done += 1,
                StepState::Failed(_) => {
                    counted.done += 1;
                    counted.failed += 1;
                }
                StepState::Dispatched { .. }
                | StepState::Delayed { .. }
                | StepState::Waiting { .. }
                | StepState::Cancelled => {}
            }
        }
        counted.total += not_begun(task, terms);
        counted
    }
}

/// Whether a step counts for itself: not the gate, not what undoes others, not the whole of which its items
/// are counted.
fn is_counted(task: &Task, terms: Option<&Terms>, id: &StepId) -> bool {
    let is_whole = id.item.is_none()
        && (task.fan_outs.contains_key(&id.name) || task.crews.contains_key(&id.name));
    let is_undo = terms.is_some_and(|terms| terms.compensations.contains(&id.name));
    id.name.as_str() != AGGREGATE && !is_whole && !is_undo
}

/// Steps that are known and have not begun: declared ones, and items of fan-outs.
fn not_begun(task: &Task, terms: Option<&Terms>) -> u32 {
    let items = task.fan_outs.values().filter(|fan_out| fan_out.closed.is_none());
    let items: u32 = items.map(|fan_out| fan_out.total().saturating_sub(fan_out.begun)).sum();
    let declared = terms.map_or(&[][..], |terms| &terms.steps).iter().filter(|name| {
        !task.fan_outs.contains_key(*name)
            && !task.crews.contains_key(*name)
            && !task.steps.contains_key(&StepId::single((*name).clone()))
    });
    items.saturating_add(u32::try_from(declared.count()).unwrap_or(u32::MAX))
}

fn is_near(task: &Task, limits: Limits, terms: Option<&Terms>) -> bool {
    let near = |used: u64, max: u64| {
        used > 0 && u128::from(used) * 100 >= u128::from(max) * u128::from(NEAR_PERCENT)
    };
    // A limit that every task of the workflow uses up is no news.
    let declared = terms.map_or(0, |terms| terms.steps.len());
    let is_usual = usize::try_from(limits.dispatches).is_ok_and(|max| max <= declared);
    near(task.usage.usd_micros, limits.cost)
        || near(task.usage.tokens, limits.tokens)
        || (!is_usual && near(task.dispatches.into(), limits.dispatches.into()))
}

/// What keeps an open task from going on; `None` once it has ended.
fn waits(task: &Task) -> Option<Waits> {
    if task.ended().is_some() {
        return None;
    }
    let wait =
        |what, text: String, since| Some(Waits { what, text: brief(&text, TEXT_CHARS_MAX), since });
    if let Some(by) = task.paused.as_ref().filter(|_| task.is_still()) {
        return wait("pause", format!("paused by {by}"), None);
    }
    if let Some(limit) = task.held.as_ref().filter(|_| task.is_still()) {
        return wait("budget", limit.clone(), None);
    }
    let open = || task.steps.iter().filter(|(_, step)| step.state.is_open());
    let oldest = |is_it: fn(&StepState) -> bool| {
        open().filter(|(_, step)| is_it(&step.state)).min_by_key(|(_, step)| step.changed_at)
    };
    if let Some((id, step)) = oldest(|state| matches!(state, StepState::Dispatched { .. })) {
        if id.name.as_str() == AGGREGATE {
            return wait(
                "gate",
                "the gate puts the answer together".to_owned(),
                Some(step.changed_at),
            );
        }
        let role = step.role.as_ref().map_or("nobody", |role| role.as_str());
        return wait("role", format!("{role} · {id}"), Some(step.changed_at));
    }
    if let Some((_, step)) = oldest(|state| matches!(state, StepState::Waiting { .. }))
        && let StepState::Waiting { ask, .. } = &step.state
    {
        return wait("person", ask.question.clone(), Some(step.changed_at));
    }
    if let Some((_, step)) = oldest(|state| matches!(state, StepState::Delayed { .. }))
        && let StepState::Delayed { reason, .. } = &step.state
    {
        return wait("time", reason.clone(), Some(step.changed_at));
    }
    wait("role", "its next step is about to begin".to_owned(), Some(task.changed_at))
}

/// What failed last: a step that ended without an output, or else the task itself.
fn failure(task: &Task) -> Option<Failed> {
    let failed = task.steps.iter().filter_map(|(id, step)| match &step.state {
        StepState::Failed(failure) => Some((step.changed_at, id, failure)),
        StepState::Dispatched { .. }
        | StepState::Delayed { .. }
        | StepState::Waiting { .. }
        | StepState::Completed { .. }
        | StepState::Skipped(_)
        | StepState::Cancelled => None,
    });
    let workflow = task.goal.workflow.as_str();
    if let Some((at, id, failure)) = failed.max_by_key(|(at, ..)| *at) {
        let (kind, text) = (failure.kind.as_str(), brief(&failure.message, TEXT_CHARS_MAX));
        let fingerprint = fingerprint(&[workflow, id.name.as_str(), kind, &text]);
        return Some(Failed { fingerprint, step: Some(id.to_string()), kind, text, at });
    }
    let Phase::Ended(end) = &task.phase else { return None };
    match end.status {
        EndStatus::Completed | EndStatus::Cancelled => None,
        EndStatus::Partial | EndStatus::Failed | EndStatus::Incomplete => {
            let (kind, text) = (end.status.as_str(), brief(&end.reason, TEXT_CHARS_MAX));
            let fingerprint = fingerprint(&[workflow, "", kind, &text]);
            Some(Failed { fingerprint, step: None, kind, text, at: end.at })
        }
    }
}

/// The same for failures that are alike: 16 hexadecimal digits.
fn fingerprint(parts: &[&str]) -> String {
    let text: Vec<_> = parts.iter().map(|part| without_figures(part)).collect();
    Hash::of(text.join("\n").as_bytes()).to_string().chars().take(16).collect()
}

/// One step's row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StepCard<'a> {
    pub(super) id: &'a StepId,
    pub(super) step: &'a Step,
    pub(super) state: &'static str,
    pub(super) until: Option<UnixMillis>,
    pub(super) confidence: Option<f64>,
    pub(super) note: Option<String>,
    pub(super) failure: Option<(&'static str, String)>,
}

impl<'a> StepCard<'a> {
    pub(super) fn of(task: &Task, id: &'a StepId, step: &'a Step) -> Self {
        let (mut until, mut confidence_of, mut note, mut failure) = (None, None, None, None);
        match &step.state {
            StepState::Dispatched { deadline, .. } => until = Some(*deadline),
            StepState::Delayed { until: at, reason, .. } => {
                (until, note) = (Some(*at), Some(reason.clone()));
            }
            StepState::Waiting { ask, .. } => {
                let question = match ask.kind {
                    AskKind::Approval | AskKind::Question | AskKind::Doubt => ask.question.clone(),
                };
                (until, note) = (Some(ask.expires.unwrap_or(task.deadline)), Some(question));
            }
            StepState::Completed { confidence, unsure, .. } => {
                (confidence_of, note) = (*confidence, unsure.clone());
            }
            StepState::Failed(why) => failure = Some((why.kind.as_str(), why.message.clone())),
            StepState::Skipped(reason) => note = Some(reason.clone()),
            StepState::Cancelled => {}
        }
        // The gate's step is closed by the end of the task, not by itself.
        let has_answer = task.ended().is_some_and(|end| end.answer.is_some());
        let is_gate = id.name.as_str() == AGGREGATE && has_answer;
        let is_closed = matches!(step.state, StepState::Cancelled);
        let state = if is_gate && is_closed { "completed" } else { step.state.as_str() };
        Self { id, step, state, until, confidence: confidence_of, note, failure }
    }
}
