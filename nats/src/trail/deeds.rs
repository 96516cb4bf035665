//! What a message of a log stream says that somebody did, without the documents that it may refer to.

use async_nats::Message;
use bytes::Bytes;
use cadre_core::{
    audit::{Action, Deed, Source, Whose},
    ids::Name,
    task::{EndStatus, NOBODY_DECIDED},
    time::UnixMillis,
};
use cadre_proto::{
    Reader, record,
    subject::Subject,
    v1::{self, event::Kind},
};

use crate::{bus::header, delivery::Stamp};

/// Who acts when nobody in particular does.
const RUNTIME: &str = "cadre";

/// A person or program of which nothing is known.
const UNKNOWN: &str = "unknown";

/// Whose task a log with this first record is.
pub(super) fn tenant(reader: Reader, first: &Bytes) -> Option<Name> {
    let parsed = record::parse_by(reader, first).ok()?;
    tenant_of(parsed.wire())
}

fn tenant_of(first: &v1::Record) -> Option<Name> {
    let Some(Kind::Accepted(accepted)) = &first.events.first()?.kind else { return None };
    accepted.goal.as_ref()?.tenant.parse().ok()
}

/// What a message of a log stream says.
pub(super) fn source(reader: Reader, message: &Message, stamp: Stamp<'_>) -> Source {
    let (stream, sequence) = (stamp.stream.into(), stamp.sequence);
    let (whose, deeds) = match Subject::parse(&message.subject) {
        Ok(Subject::Log(_, task)) => match record::parse_by(reader, &message.payload) {
            Ok(parsed) => {
                let told = Told { record: parsed.wire(), task: task.as_str() };
                let deeds = told.deeds();
                let is_last = deeds.iter().any(|deed| deed.action == Action::TaskEnded);
                let whose = match tenant_of(parsed.wire()) {
                    Some(tenant) if !is_last => Whose::Begins(task, tenant),
                    Some(tenant) => Whose::Tenant(tenant),
                    None if is_last => Whose::Ends(task),
                    None => Whose::Task(task),
                };
                (whose, deeds)
            }
            Err(error) => {
                let deed = Deed {
                    at: stamp.stored_at,
                    actor: RUNTIME.to_owned(),
                    action: Action::RecordUnreadable,
                    object: format!("task/{task}"),
                    reason: error.to_string(),
                };
                (Whose::Task(task), vec![deed])
            }
        },
        Ok(Subject::Dead { .. }) => letter(message, stamp.stored_at),
        // Nothing else is on these streams.
        Ok(_) | Err(_) => (Whose::Fleet, Vec::new()),
    };
    Source { stream, sequence, whose, deeds }
}

/// A goal that was rejected is a dead letter; others are no deed of anybody.
fn letter(message: &Message, at: UnixMillis) -> (Whose, Vec<Deed>) {
    let subject = header(message, "Cadre-Dead-Subject").unwrap_or_default();
    let mut tokens = subject.split('.');
    if tokens.next() != Some("goals") {
        return (Whose::Fleet, Vec::new());
    }
    let tenant = tokens.next().and_then(|tenant| tenant.parse().ok());
    let workflow = tokens.next().unwrap_or_default();
    let text = |name: &str| header(message, name).map(str::to_owned);
    let deed = Deed {
        at,
        actor: text("Cadre-Dead-Header-Cadre-User").unwrap_or_else(|| UNKNOWN.to_owned()),
        action: Action::GoalRefused,
        object: format!("goal/{workflow}"),
        reason: text("Cadre-Dead-Reason").unwrap_or_default(),
    };
    (tenant.map_or(Whose::Fleet, Whose::Tenant), vec![deed])
}

/// A record as it tells of people.
struct Told<'a> {
    record: &'a v1::Record,
    task: &'a str,
}

impl Told<'_> {
    fn deeds(&self) -> Vec<Deed> {
        let mut deeds: Vec<_> = self.wish().into_iter().collect();
        let events = self.record.events.iter().filter_map(|event| event.kind.as_ref());
        deeds.extend(events.filter_map(|kind| self.deed(kind)));
        deeds
    }

    /// What the record's cause is by itself, whatever follows from it.
    fn wish(&self) -> Option<Deed> {
        let cause = self.record.cause.as_ref()?;
        let (by, step) = cause.source.rsplit_once('#').unwrap_or((&cause.source, ""));
        let reason = self.record.reason.as_str();
        match (cause.kind.as_str(), self.record.decision.as_str()) {
            ("cancel", "cancel") => {
                Some(self.by(&cause.source, Action::TaskCancelled, "").because(reason))
            }
            ("control", "kill") => Some(self.by(by, Action::TaskKilled, "").because(reason)),
            ("decision", "grant") => {
                Some(self.by(by, Action::QuestionGranted, step).because(reason))
            }
            ("decision", "deny") => Some(self.by(by, Action::QuestionDenied, step).because(reason)),
            _ => None,
        }
    }

    fn deed(&self, kind: &Kind) -> Option<Deed> {
        let why = self.record.reason.as_str();
        let deed = match kind {
            Kind::Accepted(accepted) => self.accepted(accepted),
            Kind::StepWaiting(waiting) => {
                self.by(RUNTIME, Action::QuestionAsked, &waiting.step).because(&waiting.question)
            }
            Kind::Voted(voted) => {
                self.by(&voted.by, Action::QuestionVoted, &voted.step).because(why)
            }
            Kind::CallRuled(ruled) => {
                self.by(&ruled.by, Action::QuestionRuled, &ruled.step).because(why)
            }
            Kind::StepFailed(failed) => {
                let failure = failed.failure.as_ref()?;
                let is_expired = failure.kind() == v1::failure::Kind::Expired;
                let expired = self.by(RUNTIME, Action::QuestionExpired, &failed.step);
                is_expired.then(|| expired.because(&failure.message))?
            }
            Kind::StepCompleted(completed) => {
                let unsure = completed.unsure.as_deref()?;
                let expired = self.by(RUNTIME, Action::QuestionExpired, &completed.step);
                (unsure == NOBODY_DECIDED).then(|| expired.because(unsure))?
            }
            Kind::Paused(paused) => self.by(&paused.by, Action::TaskPaused, "").because(why),
            Kind::Resumed(resumed) => self.by(&resumed.by, Action::TaskResumed, "").because(why),
            Kind::BudgetAdded(added) => self.by(&added.by, Action::BudgetAdded, "").because(why),
            Kind::Retried(retried) => {
                self.by(&retried.by, Action::StepRetried, &retried.step).because(why)
            }
            Kind::Refused(refused) => {
                let source = self.record.cause.as_ref().map_or("", |cause| cause.source.as_str());
                let by = source.rsplit_once('#').map_or(source, |(by, _)| by);
                let reason = format!("{}: {}", refused.what, refused.why);
                self.by(by, Action::WishRefused, "").because(&reason)
            }
            Kind::Ended(ended) => self.ended(ended),
            Kind::Expanded(_)
            | Kind::StepDispatched(_)
            | Kind::StepDelayed(_)
            | Kind::StepSkipped(_)
            | Kind::LimitReached(_)
            | Kind::BudgetNear(_)
            | Kind::CrewBegan(_)
            | Kind::HandedOff(_)
            | Kind::LoopFound(_)
            | Kind::Compensating(_)
            | Kind::Joined(_)
            | Kind::TakenOver(_)
            | Kind::Forked(_) => return None,
        };
        Some(deed)
    }

    fn accepted(&self, accepted: &v1::Accepted) -> Deed {
        let goal = accepted.goal.as_ref();
        let user = goal.and_then(|goal| goal.user.as_deref()).unwrap_or(UNKNOWN);
        let workflow = goal.map_or("", |goal| goal.workflow.as_str());
        match goal.and_then(|goal| goal.fork.as_ref()) {
            Some(fork) => {
                let text = format!("{workflow}, from step {} of task {}", fork.from, fork.task);
                self.by(user, Action::TaskForked, "").because(&text)
            }
            None => {
                let text = format!("{workflow}: {}", self.record.reason);
                self.by(user, Action::GoalAccepted, "").because(&text)
            }
        }
    }

    fn ended(&self, ended: &v1::Ended) -> Deed {
        let status = match ended.status() {
            v1::ended::Status::Unspecified => "unknown",
            v1::ended::Status::Completed => EndStatus::Completed.as_str(),
            v1::ended::Status::Partial => EndStatus::Partial.as_str(),
            v1::ended::Status::Failed => EndStatus::Failed.as_str(),
            v1::ended::Status::Cancelled => EndStatus::Cancelled.as_str(),
            v1::ended::Status::Incomplete => EndStatus::Incomplete.as_str(),
        };
        let text = format!("{status}: {}", ended.reason);
        self.by(RUNTIME, Action::TaskEnded, "").because(&text)
    }

    fn by(&self, actor: &str, action: Action, step: &str) -> Draft {
        let actor = if actor.is_empty() { UNKNOWN } else { actor }.to_owned();
        let slash = if step.is_empty() { "" } else { "/" };
        let object = format!("task/{}{slash}{step}", self.task);
        Draft(Deed {
            at: UnixMillis(self.record.at_unix_ms),
            actor,
            action,
            object,
            reason: String::new(),
        })
    }
}

/// A deed that lacks its reason.
struct Draft(Deed);

impl Draft {
    fn because(self, reason: &str) -> Deed {
        Deed { reason: reason.to_owned(), ..self.0 }
    }
}
