//! Webhooks and their states as they are kept.

use serde::{Deserialize, Serialize};

use super::{Former, Secret, State, Webhook};
use crate::{
    ids::{Name, TaskId},
    time::UnixMillis,
};

/// The version of a document that this build writes, and the newest that it reads.
const VERSION: u32 = 1;

/// A document that is no webhook; it is not repeated, for it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A newer build wrote it.
    #[error("webhook has version {0}, this build reads up to {VERSION}: update this process")]
    TooNew(u32),
    /// It is not what this build writes.
    #[error("webhook cannot be read")]
    Malformed,
}

#[derive(Deserialize)]
struct VersionWire {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct WebhookWire {
    v: u32,
    tenant: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
    url: String,
    secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    former_until_unix_ms: Option<u64>,
    by: String,
    created_unix_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct StateWire {
    v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivered_unix_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing_since_unix_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(default)]
    given_up: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost: Option<String>,
    #[serde(default)]
    gone: bool,
}

fn checked<'a, T: Deserialize<'a>>(document: &'a [u8]) -> Result<T, WireError> {
    let VersionWire { v } = serde_json::from_slice(document).map_err(|_| WireError::Malformed)?;
    if v > VERSION {
        return Err(WireError::TooNew(v));
    }
    serde_json::from_slice(document).map_err(|_| WireError::Malformed)
}

impl Webhook {
    /// Its document, with its secret.
    #[must_use]
    pub fn encode(&self) -> String {
        let wire = WebhookWire {
            v: VERSION,
            tenant: self.tenant.to_string(),
            workflow: self.workflow.as_ref().map(ToString::to_string),
            url: self.url.clone(),
            secret: self.secret.reveal(),
            former_secret: self.former.as_ref().map(|former| former.secret.reveal()),
            former_until_unix_ms: self.former.as_ref().map(|former| former.until.0),
            by: self.by.clone(),
            created_unix_ms: self.created_at.0,
        };
        // Texts and numbers always become JSON.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// Reads the document of the webhook `id`.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(id: &Name, document: &[u8]) -> Result<Self, WireError> {
        let wire: WebhookWire = checked(document)?;
        let name = |text: &str| Name::new(text).map_err(|_| WireError::Malformed);
        let secret = |text: &str| Secret::parse(text).map_err(|_| WireError::Malformed);
        let former = wire.former_secret.as_deref().map(secret).transpose()?;
        let former = former.zip(wire.former_until_unix_ms);
        Ok(Self {
            id: id.clone(),
            tenant: name(&wire.tenant)?,
            workflow: wire.workflow.as_deref().map(name).transpose()?,
            url: wire.url,
            secret: secret(&wire.secret)?,
            former: former.map(|(secret, until)| Former { secret, until: UnixMillis(until) }),
            by: wire.by,
            created_at: UnixMillis(wire.created_unix_ms),
        })
    }
}

impl State {
    /// Its document.
    #[must_use]
    pub fn encode(&self) -> String {
        let wire = StateWire {
            v: VERSION,
            delivered_unix_ms: self.delivered_at.map(|at| at.0),
            failing_since_unix_ms: self.failing_since.map(|at| at.0),
            error: self.error.clone(),
            given_up: self.given_up,
            lost: self.lost.as_ref().map(ToString::to_string),
            gone: self.is_gone,
        };
        // Texts and numbers always become JSON.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// Reads the document of a state.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(document: &[u8]) -> Result<Self, WireError> {
        let wire: StateWire = checked(document)?;
        let lost = wire.lost.as_deref().map(TaskId::parse).transpose();
        Ok(Self {
            delivered_at: wire.delivered_unix_ms.map(UnixMillis),
            failing_since: wire.failing_since_unix_ms.map(UnixMillis),
            error: wire.error,
            given_up: wire.given_up,
            lost: lost.map_err(|_| WireError::Malformed)?,
            is_gone: wire.gone,
        })
    }
}
