//! What the headers of a dead letter say. Pure.

use cadre_core::{
    ids::{Name, TaskId},
    payload::Hash,
    time::UnixMillis,
};
use cadre_proto::subject::Subject;

use super::LetterId;
use crate::tail::TailItem;

/// Before the name of each header of the message itself.
const OWN: &str = "Cadre-Dead-Header-";

/// A dead letter without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its name.
    pub id: LetterId,
    /// What its message was meant as: `goal`, `input` or `work`.
    pub kind: String,
    /// When it was given up.
    pub at: UnixMillis,
    /// Why.
    pub reason: String,
    /// Subject that the message came on.
    pub subject: String,
    /// Whose message it was, where subject or headers say so.
    pub tenant: Option<Name>,
    /// The task that it was about, where subject or headers say so.
    pub task: Option<TaskId>,
    /// How often it was delivered; `None` in letters of builds that did not say.
    pub deliveries: Option<u32>,
    /// Size of the message's body, even where only its beginning is kept.
    pub size_bytes: u64,
    /// Where a body is kept that is too large for the letter.
    pub blob: Option<Hash>,
    /// The key of a goal that has one.
    pub(super) key: Option<String>,
    /// What of the message is not kept, if anything.
    pub(super) lost: Option<String>,
}

/// Which letters are wanted; the default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only of this tenant, as far as it is known whose a message was.
    pub tenant: Option<Name>,
    /// Only about this task, as far as that is known.
    pub task: Option<TaskId>,
}

impl Query {
    /// Whether this letter is one of them.
    #[must_use]
    pub fn wants(&self, head: &Head) -> bool {
        self.kind.as_ref().is_none_or(|kind| *kind == head.kind)
            && self.tenant.as_ref().is_none_or(|tenant| head.tenant.as_ref() == Some(tenant))
            && self.task.as_ref().is_none_or(|task| head.task.as_ref() == Some(task))
    }
}

impl Head {
    /// Reads what lies in a log stream; `None` when it is no dead letter.
    pub(crate) fn read(item: &TailItem) -> Option<Self> {
        let Ok(Subject::Dead { kind, .. }) = Subject::parse(&item.subject) else { return None };
        let shard = item.stream.rsplit('_').next()?.parse().ok()?;
        let id = LetterId { shard, sequence: item.sequence };
        let text = |name: &str| header(item, name).unwrap_or_default().to_owned();
        let subject = text("Cadre-Dead-Subject");
        let key = header(item, &format!("{OWN}Nats-Msg-Id")).map(str::to_owned);
        let (tenant, task) = about(&subject, key.as_deref());
        let number = |name: &str| header(item, name).and_then(|value| value.parse::<u64>().ok());
        let kept = item.body.len() as u64;
        // Without bodies the broker tells how large they are.
        let kept = number("Nats-Msg-Size").filter(|_| kept == 0).unwrap_or(kept);
        let (whole, blob) = (number("Cadre-Dead-Size"), header(item, "Cadre-Dead-Blob"));
        let blob = blob.and_then(Hash::parse);
        // Letters of older builds call goals inputs.
        let kind = if subject.starts_with("goals.") { "goal" } else { kind.as_str() };
        Some(Self {
            kind: kind.to_owned(),
            at: item.at,
            reason: text("Cadre-Dead-Reason"),
            tenant,
            task,
            deliveries: number("Cadre-Dead-Deliveries").and_then(|count| count.try_into().ok()),
            size_bytes: whole.unwrap_or(kept),
            lost: lost(number("Cadre-Dead-Headers-Left-Out"), whole.filter(|_| blob.is_none())),
            id,
            subject,
            blob,
            key,
        })
    }

    /// What of the message is not kept, if anything: it cannot be published again then.
    #[must_use]
    pub fn lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }
}

/// Tenant and task, as far as the message's subject and key name them.
fn about(subject: &str, key: Option<&str>) -> (Option<Name>, Option<TaskId>) {
    match Subject::parse(subject) {
        Ok(Subject::Goals(intake)) => {
            let task = key.map(|key| TaskId::derive(intake.tenant(), key));
            (Some(intake.tenant().clone()), task)
        }
        Ok(Subject::InGoal { tenant, task, .. } | Subject::Answer { tenant, task, .. }) => {
            (Some(tenant), Some(task))
        }
        Ok(Subject::Work(_, attempt) | Subject::InReport(_, attempt)) => (None, Some(attempt.task)),
        Ok(
            Subject::InTimer(_, task)
            | Subject::InCancel { task, .. }
            | Subject::InControl { task, .. }
            | Subject::InDecision { task, .. }
            | Subject::Stop(_, task)
            | Subject::Log(_, task)
            | Subject::Timer(_, task)
            | Subject::Due(_, task)
            | Subject::Run { task, .. },
        ) => (None, Some(task)),
        Ok(Subject::Rejected(_) | Subject::Dead { .. }) | Err(_) => (None, None),
    }
}

fn lost(headers: Option<u64>, body: Option<u64>) -> Option<String> {
    match (headers, body) {
        (None, None) => None,
        (Some(headers), None) => Some(format!("{headers} of its headers")),
        (None, Some(size)) => Some(format!("most of its {size} bytes")),
        (Some(headers), Some(size)) => {
            Some(format!("{headers} of its headers, and most of its {size} bytes"))
        }
    }
}

/// Headers of the message itself.
pub(super) fn own(item: &TailItem) -> Vec<(String, String)> {
    let own = item
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(OWN)?.to_owned(), value.clone())));
    own.collect()
}

fn header<'a>(item: &'a TailItem, name: &str) -> Option<&'a str> {
    item.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
