//! What tasks ask people, and what a person may say to it.
//!
//! The task itself has the last word; here a decision that it would refuse is refused before it is sent, with
//! what to do instead. Called by `cadre approval`, the HTTP API and the pages. Pure.

use crate::{
    ids::StepId,
    journal::CallRuling,
    payload::{Hash, Payload},
    task::{Ask, AskKind, Event, FailureKind, Record, Ruling, Step, StepState, Task},
    time::UnixMillis,
    wish::Unfit,
};

/// Fewest digits of a hash that name a content: fewer are met by chance.
pub const HASH_DIGITS_MIN: usize = 8;

/// Steps that an error names.
const NAMED_MAX: usize = 10;

/// A step that waits for a person.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Its task.
    pub task: &'a Task,
    /// Its name.
    pub id: &'a StepId,
    /// The step.
    pub step: &'a Step,
    /// What is asked.
    pub ask: &'a Ask,
    /// Who has agreed so far.
    pub votes: &'a [String],
    /// What a decision about it must name.
    pub hash: Hash,
}

/// What a person wants to say to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Yes, to what is shown, or to this instead.
    Grant(Option<Payload>),
    /// No.
    Deny,
    /// This is the step's output.
    Answer(Payload),
    /// The call in doubt has happened, and gave this back.
    Happened(Payload),
    /// The call in doubt has not happened.
    DidNotHappen,
}

impl Verdict {
    /// It as the task reads it.
    #[must_use]
    pub fn ruling(self) -> Ruling {
        match self {
            Self::Grant(None) => Ruling::Grant,
            Self::Grant(Some(content)) | Self::Answer(content) => Ruling::GrantWith(content),
            Self::Deny => Ruling::Deny,
            Self::Happened(result) => Ruling::Call(CallRuling::Happened(result)),
            Self::DidNotHappen => Ruling::Call(CallRuling::DidNot),
        }
    }
}

impl Question<'_> {
    /// When it expires: by itself, or with its task.
    #[must_use]
    pub fn expires(&self) -> UnixMillis {
        self.ask.expires.unwrap_or(self.task.deadline).min(self.task.deadline)
    }
}

/// The open questions of a task, in the order of its steps.
#[must_use]
pub fn all(task: &Task) -> Vec<Question<'_>> {
    task.steps.iter().filter_map(|(id, step)| of(task, id, step)).collect()
}

fn of<'a>(task: &'a Task, id: &'a StepId, step: &'a Step) -> Option<Question<'a>> {
    let StepState::Waiting { ask, votes } = &step.state else { return None };
    let hash = ask.hash(task.id(), id, step.attempt);
    Some(Question { task, id, step, ask, votes, hash })
}

/// The question that is meant: of `step`, or the only one.
///
/// # Errors
/// [`Unfit::Refused`] when it was decided already or has expired, [`Unfit::NotFound`] when nothing is
/// asked, [`Unfit::Invalid`] when several things are.
pub fn choose<'a>(
    task: &'a Task,
    records: &[Record],
    step: Option<&StepId>,
) -> Result<Question<'a>, Unfit> {
    let id = task.id();
    if let Some(step) = step {
        let known = task.steps.get_key_value(step);
        if let Some(found) = known.and_then(|(id, step)| of(task, id, step)) {
            return Ok(found);
        }
        if let Some(why) = decided(records, step) {
            return Err(Unfit::Refused(why));
        }
    }
    if let Some(end) = task.ended() {
        let text = format!(
            "task {id} ended as {} at {}: nothing is decided any more",
            end.status.as_str(),
            end.at
        );
        return Err(Unfit::Refused(text));
    }
    let open = all(task);
    let names: Vec<_> = open.iter().take(NAMED_MAX).map(|one| one.id.to_string()).collect();
    let names = names.join(", ");
    match (step, open.as_slice()) {
        (None, [one]) => Ok(*one),
        (_, []) => {
            let what = step.map_or("task".to_owned(), |step| format!("step {step} of task"));
            let text = format!("{what} {id} asks nobody anything now: see `cadre task why {id}`");
            Err(Unfit::NotFound(text))
        }
        (Some(step), _) => {
            let text = format!("step {step} of task {id} asks nobody anything now; {names} does");
            Err(Unfit::NotFound(text))
        }
        (None, many) => {
            let count = many.len();
            let text = format!("task {id} asks {count} questions: name the step, one of {names}");
            Err(Unfit::Invalid(text))
        }
    }
}

/// Whether what is asked is still what a person has seen: its hash begins with `prefix`.
///
/// # Errors
/// [`Unfit::Refused`] when it is something else by now.
pub fn same(question: &Question<'_>, prefix: &str) -> Result<(), Unfit> {
    if question.hash.to_string().starts_with(prefix) {
        return Ok(());
    }
    let (id, hash, task) = (question.id, question.hash.short(), question.task.id());
    let text = format!(
        "step {id} asks something else than {prefix}, it is {hash} by now: look at it again with \
         `cadre approval show {task} {id}`"
    );
    Err(Unfit::Refused(text))
}

/// What the task would refuse anyway, said before it is sent.
///
/// # Errors
/// [`Unfit::Invalid`] when it is no answer to this question; [`Unfit::Refused`] when it comes too late, from
/// the wrong person, or changes what must not be changed.
pub fn may(
    question: &Question<'_>,
    verdict: &Verdict,
    by: &str,
    now: UnixMillis,
) -> Result<(), Unfit> {
    let Question { task, id, ask, votes, .. } = question;
    let refused = |text: String| Err(Unfit::Refused(text));
    suits(question, verdict)?;
    if question.expires() <= now {
        return refused(format!("the question of step {id} expired at {}", question.expires()));
    }
    if ask.four_eyes && task.goal.user.as_deref() == Some(by) {
        return refused(format!(
            "{by} published the goal, so another person must decide (four eyes)"
        ));
    }
    let is_shown = ask.content.is_some() && ask.kind != AskKind::Doubt;
    let is_changed = matches!(verdict, Verdict::Grant(Some(_)) | Verdict::Answer(_)) && is_shown;
    if is_changed && (!ask.editable || ask.quorum > 1) {
        let why = if ask.quorum > 1 { "several people must agree" } else { "the pack says so" };
        return refused(format!("the content of step {id} cannot be changed: {why}"));
    }
    if *verdict != Verdict::Deny && votes.iter().any(|voter| voter == by) {
        let (agreed, quorum) = (votes.len(), ask.quorum);
        return refused(format!(
            "{by} agreed to step {id} already ({agreed} of {quorum}): another person must"
        ));
    }
    Ok(())
}

/// Whether it is an answer to this kind of question at all.
fn suits(question: &Question<'_>, verdict: &Verdict) -> Result<(), Unfit> {
    let Question { id, ask, .. } = question;
    let invalid = |text: String| Err(Unfit::Invalid(text));
    match (verdict, ask.kind) {
        (Verdict::Answer(_), AskKind::Approval) => {
            invalid(format!("step {id} asks for yes or no: grant it (--with …) or deny it"))
        }
        (Verdict::Grant(None), AskKind::Question) if ask.content.is_none() => {
            invalid(format!("step {id} wants an answer: use `cadre approval answer`"))
        }
        (Verdict::Grant(_), AskKind::Doubt) => invalid(format!(
            "step {id} asks whether something has happened: use `cadre approval happened`, \
             `did-not-happen`, `answer` or `deny`"
        )),
        (Verdict::Happened(_) | Verdict::DidNotHappen, AskKind::Approval | AskKind::Question) => {
            invalid(format!("step {id} does not ask whether something has happened"))
        }
        (
            Verdict::Grant(_)
            | Verdict::Deny
            | Verdict::Answer(_)
            | Verdict::Happened(_)
            | Verdict::DidNotHappen,
            AskKind::Approval | AskKind::Question | AskKind::Doubt,
        ) => Ok(()),
    }
}

/// The beginning of a hash, as it is printed.
///
/// # Errors
/// [`Unfit::Invalid`] when it is none, or too short to name a content.
pub fn prefix(text: &str) -> Result<String, Unfit> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex || text.len() < HASH_DIGITS_MIN || text.len() > 64 {
        return Err(Unfit::Invalid(format!("use {HASH_DIGITS_MIN} to 64 hexadecimal digits")));
    }
    Ok(text.to_ascii_lowercase())
}

/// Who decided about a step and when, or that nobody did in time; `None` when it was never asked.
fn decided(records: &[Record], step: &StepId) -> Option<String> {
    let mut was_asked = false;
    let mut found = None;
    for record in records {
        for event in &record.events {
            match closes(event, step) {
                Some(Closed::Asked) => (was_asked, found) = (true, None),
                Some(end) if was_asked && found.is_none() => found = Some((record, end)),
                Some(_) | None => {}
            }
        }
    }
    let (record, end) = found?;
    let reason = &record.reason;
    Some(match (end, record.cause.kind.as_str()) {
        (Closed::Expired, _) => {
            format!("the question of step {step} expired at {}: nobody decided in time", record.at)
        }
        (_, "decision") => format!("step {step} was decided already at {}: {reason}", record.at),
        (_, kind) => format!("step {step} was closed by a {kind} at {}: {reason}", record.at),
    })
}

/// What an event does to the question of a step.
#[derive(Debug, Clone, Copy)]
enum Closed {
    Asked,
    Decided,
    Expired,
}

fn closes(event: &Event, step: &StepId) -> Option<Closed> {
    match event {
        Event::StepWaiting { step: at, .. } if at == step => Some(Closed::Asked),
        Event::StepFailed { step: at, failure, .. } if at == step => {
            let is_expired = failure.kind == FailureKind::Expired;
            Some(if is_expired { Closed::Expired } else { Closed::Decided })
        }
        Event::StepCompleted { step: at, .. } if at == step => Some(Closed::Decided),
        Event::Accepted { .. }
        | Event::Expanded { .. }
        | Event::CrewBegan { .. }
        | Event::HandedOff { .. }
        | Event::LoopFound { .. }
        | Event::StepDispatched { .. }
        | Event::StepDelayed { .. }
        | Event::StepCompleted { .. }
        | Event::StepFailed { .. }
        | Event::StepSkipped { .. }
        | Event::StepWaiting { .. }
        | Event::Voted { .. }
        | Event::CallRuled { .. }
        | Event::LimitReached { .. }
        | Event::BudgetNear { .. }
        | Event::BudgetAdded { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::Compensating { .. }
        | Event::Joined { .. }
        | Event::Retried { .. }
        | Event::TakenOver { .. }
        | Event::Forked { .. }
        | Event::Refused { .. }
        | Event::Ended { .. } => None,
    }
}
