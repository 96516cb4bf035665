//! What people do by commands that no task's log tells of: written to the audit trail before it is done, and once
//! more when it was not done.

use std::{fmt::Display, future::Future};

use cadre_core::{
    audit::{Action, Chain, Deed},
    ports::BusError,
};
use cadre_nats::{bus::JetStreamBus, trail::JetStreamTrail};

use super::client::{now, unavailable};
use crate::{output, settings::Settings};

/// The trail, for whoever is about to do something; a fleet that has none yet is only told so.
pub(crate) struct Deeds {
    trail: Option<JetStreamTrail>,
    bus: JetStreamBus,
    by: String,
}

impl Deeds {
    /// Opens the trail of the broker.
    ///
    /// # Errors
    /// [`crate::exit::Code::BusUnavailable`].
    pub(crate) async fn open(bus: &JetStreamBus, settings: &Settings) -> anyhow::Result<Self> {
        let trail = match JetStreamTrail::open(bus).await {
            Ok(trail) => Some(trail),
            Err(BusError::Refused(why)) => {
                output::say(&format!("warning: this is not audited: {why}"));
                None
            }
            Err(error @ BusError::Unavailable(_)) => return Err(unavailable(&error).into()),
        };
        let by = settings.login.clone().unwrap_or_else(|| "cli".to_owned());
        Ok(Self { trail, bus: bus.clone(), by })
    }

    /// Notes a deed, then does it; nothing is done unless that is noted. What comes to nothing is noted too.
    ///
    /// # Errors
    /// [`crate::exit::Code::BusUnavailable`] when it was not noted; the inner error is the deed's own.
    pub(crate) async fn audited<T, E: Display>(
        &self,
        (action, object): (Action, String),
        reason: &str,
        deed: impl Future<Output = Result<T, E>>,
    ) -> anyhow::Result<Result<T, E>> {
        self.note(action, object.clone(), reason).await?;
        let done = deed.await;
        if let Err(error) = &done {
            let text = format!("{action}: {error}");
            if let Err(lost) = self.note(Action::DeedFailed, object, &text).await {
                output::say(&format!("warning: its failure was not audited: {lost}"));
            }
        }
        Ok(done)
    }

    async fn note(&self, action: Action, object: String, reason: &str) -> anyhow::Result<()> {
        let Some(trail) = &self.trail else { return Ok(()) };
        let (at, actor, reason) = (now(&self.bus), self.by.clone(), reason.to_owned());
        let deed = Deed { at, actor, action, object, reason };
        Ok(trail.note(&Chain::Fleet, &deed).await.map_err(|error| unavailable(&error))?)
    }
}
