//! Webhooks: programs that are told of the ends of tasks over HTTP. Pure.
//!
//! ```text
//!  answers of a tenant ─► one durable consumer a webhook ─► envelope ─► sign ─► POST ─┬─► done
//!                                      ▲                                             └─► later, given up
//!                                      └──────────── State::take ◄────── Outcome ◄───────┘
//! ```
//!
//! Messages follow Standard Webhooks 1.0 (<https://www.standardwebhooks.com>): id, time and signature stand in
//! headers, the id is the same at every try. Called by the edge, which sends, and by `cadre webhook`. Invariant:
//! nothing here shows a secret, and an end is only let go of when it was taken or its loss is in the state.

pub mod port;
mod sign;
mod state;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;

use serde_json::value::RawValue;

pub use self::{
    sign::{Secret, SecretError},
    state::{News, Outcome, Settled, State},
    wire::WireError,
};
use crate::{
    ids::{Name, TaskId},
    limits::WEBHOOK_SECRET_OVERLAP,
    time::UnixMillis,
};

/// Somebody who is told of ends.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Names it, and its consumer; never used again.
    pub id: Name,
    /// Whose tasks.
    pub tenant: Name,
    /// Only of this workflow; `None` for all.
    pub workflow: Option<Name>,
    /// Where to send.
    pub url: String,
    /// What messages are signed with.
    pub secret: Secret,
    /// What they were signed with before, and are for a while yet; `None` for one that was never changed.
    pub former: Option<Former>,
    /// Who wants it.
    pub by: String,
    /// Since when, on the broker's clock: ends from then on.
    pub created_at: UnixMillis,
}

impl Webhook {
    /// An id of 64 random bits.
    #[must_use]
    pub fn id_of(random: u64) -> Name {
        // Letters and digits always make a name.
        Name::new(&format!("wh{random:016x}")).unwrap_or_else(|_| Name::nobody())
    }

    /// The same webhook with another secret; the one before counts beside it for [`WEBHOOK_SECRET_OVERLAP`].
    #[must_use]
    pub fn rotated(self, secret: Secret, now: UnixMillis) -> Self {
        let former = Former { secret: self.secret, until: now.after(WEBHOOK_SECRET_OVERLAP) };
        Self { secret, former: Some(former), ..self }
    }

    /// The header `webhook-signature` of a message that is sent now: one signature for each secret that counts.
    #[must_use]
    pub fn sign(&self, message: &Message, now: UnixMillis) -> String {
        let former = self.former.iter().filter(|former| now < former.until);
        let secrets = std::iter::once(&self.secret).chain(former.map(|former| &former.secret));
        let timestamp = seconds(now);
        let signed = secrets.map(|secret| secret.sign(&message.id, timestamp, &message.body));
        signed.collect::<Vec<_>>().join(" ")
    }

    /// Host and port of its address: what may be said of it anywhere.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or_default()
    }
}

/// The header `webhook-timestamp`: seconds since 1970.
#[must_use]
pub fn seconds(now: UnixMillis) -> u64 {
    now.0 / 1_000
}

impl fmt::Debug for Webhook {
    /// Without the secret, and without what an address may hold behind its host.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("workflow", &self.workflow)
            .field("host", &self.host())
            .finish_non_exhaustive()
    }
}

/// A secret that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    /// It.
    pub secret: Secret,
    /// Until when messages carry its signature beside the new one's.
    pub until: UnixMillis,
}

/// One message, without time and signature, which are new at every try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same at every try: receivers know by it what they have seen.
    pub id: String,
    /// The body.
    pub body: String,
}

impl Message {
    /// The end of a task: `answer` is what was published of it, `None` when that is no JSON, or too large to
    /// be in a message.
    #[must_use]
    pub fn end(
        (tenant, workflow): (&Name, &Name),
        task: &TaskId,
        at: UnixMillis,
        answer: &[u8],
    ) -> Self {
        let reference = |why: &str| {
            format!(
                r#"{{"task":"{task}","tenant":"{tenant}","workflow":"{workflow}","left_out":"{why}"}}"#
            )
        };
        let data = match serde_json::from_slice::<&RawValue>(answer) {
            Ok(answer) if !answer.get().starts_with(r#"{"$blob""#) => answer.get().to_owned(),
            Ok(_) => reference("too large, ask for the task's result"),
            Err(_) => reference("no JSON"),
        };
        Self { id: format!("end_{task}"), body: envelope("task.ended", at, &data) }
    }

    /// A message that says nothing but that it came.
    #[must_use]
    pub fn test(webhook: &Webhook, at: UnixMillis) -> Self {
        let data = format!(r#"{{"webhook":"{}","tenant":"{}"}}"#, webhook.id, webhook.tenant);
        let id = format!("test_{}_{}", webhook.id, at.0);
        Self { id, body: envelope("webhook.test", at, &data) }
    }
}

fn envelope(kind: &str, at: UnixMillis, data: &str) -> String {
    format!(r#"{{"type":"{kind}","timestamp":"{at}","data":{data}}}"#)
}
