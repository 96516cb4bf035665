//! What the watch wants to know of one record, without the documents that it may refer to.

use async_nats::Message;
use cadre_core::{
    time::UnixMillis,
    watch::{Digest, StepNews, tracker::step_key},
};
use cadre_proto::{
    record,
    subject::Subject,
    v1::{self, event::Kind},
};

/// The digest of a log's message; `None` when it is on no log's subject.
pub(super) fn digest(message: &Message, stored_at: UnixMillis) -> Option<Digest> {
    let Ok(Subject::Log(_, task)) = Subject::parse(&message.subject) else { return None };
    let blank = Digest {
        task,
        rev: 0,
        at: stored_at,
        is_ended: false,
        due: None,
        // Nothing to read: the replay says why.
        is_notable: true,
        steps: Vec::new(),
    };
    let Ok(parsed) = record::parse(&message.payload) else { return Some(blank) };
    let wire = parsed.wire();
    let mut digest =
        Digest { rev: wire.rev, at: UnixMillis(wire.at_unix_ms), is_notable: false, ..blank };
    wire.events.iter().filter_map(|event| event.kind.as_ref()).for_each(|kind| {
        take(&mut digest, kind);
    });
    Some(digest)
}

fn take(digest: &mut Digest, kind: &Kind) {
    match kind {
        Kind::Accepted(accepted) => due(digest, accepted.deadline_unix_ms),
        Kind::StepDispatched(step) => {
            due(digest, step.deadline_unix_ms);
            if let Ok(role) = step.role.parse() {
                digest.steps.push((step_key(&step.step), StepNews::Dispatched(role)));
            }
        }
        Kind::StepCompleted(step) => {
            digest.steps.push((step_key(&step.step), StepNews::Completed));
        }
        Kind::StepFailed(step) => failed(digest, &step.step, step.failure.as_ref()),
        Kind::StepDelayed(step) => {
            due(digest, step.until_unix_ms);
            if step.failure.is_some() {
                failed(digest, &step.step, step.failure.as_ref());
            }
        }
        Kind::StepWaiting(_)
        | Kind::LimitReached(_)
        | Kind::BudgetNear(_)
        | Kind::BudgetAdded(_) => digest.is_notable = true,
        // Its end has a limit of its own.
        Kind::Compensating(compensating) => due(digest, compensating.until_unix_ms),
        Kind::Ended(_) => digest.is_ended = true,
        Kind::Expanded(_)
        | Kind::StepSkipped(_)
        | Kind::Voted(_)
        | Kind::Paused(_)
        | Kind::Resumed(_)
        | Kind::CrewBegan(_)
        | Kind::HandedOff(_)
        | Kind::LoopFound(_)
        | Kind::Joined(_)
        | Kind::Retried(_)
        | Kind::TakenOver(_)
        | Kind::Forked(_)
        | Kind::CallRuled(_)
        | Kind::Refused(_) => {}
    }
}

fn due(digest: &mut Digest, at: u64) {
    let at = UnixMillis(at);
    digest.due = Some(digest.due.map_or(at, |known| known.min(at)));
}

fn failed(digest: &mut Digest, step: &str, failure: Option<&v1::Failure>) {
    let why = failure.map_or_else(String::new, |failure| failure.message.clone());
    digest.steps.push((step_key(step), StepNews::Failed(why)));
}
