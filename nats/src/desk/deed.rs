//! What people do at the desk that no task's log tells of: written to the audit trail before it is done, in the
//! words of the command line.

use cadre_core::{
    audit::{Action, Chain, Deed},
    breaker::{ForcedTo, Target},
    ports::{
        Clock as _,
        desk::{DeskError, Hold},
    },
};

use super::{JetStreamDesk, letters};

impl JetStreamDesk {
    pub(super) async fn note_letter(
        &self,
        action: Action,
        id: &str,
        by: &str,
    ) -> Result<(), DeskError> {
        let head = letters::get(&self.bus, id).await?.head;
        let reason = format!("{} on {}: {}", head.kind, head.subject, head.reason);
        self.note(&Chain::Fleet, (action, format!("letter/{id}")), (by, &reason)).await
    }

    pub(super) async fn note_hold(&self, target: &Target, hold: &Hold) -> Result<(), DeskError> {
        let action = match hold.to {
            None => Action::BreakerReset,
            Some(ForcedTo::Open) => Action::BreakerOpened,
            Some(ForcedTo::Closed) => Action::BreakerClosed,
        };
        let reason = match hold.to {
            None => String::new(),
            Some(_) => format!("for {}: {}", humantime::format_duration(hold.lasts), hold.reason),
        };
        self.note(&Chain::Fleet, (action, format!("breaker/{target}")), (&hold.by, &reason)).await
    }

    /// Notes one deed; it must not be done when that fails. A fleet that has no trail yet goes without.
    pub(super) async fn note(
        &self,
        chain: &Chain,
        (action, object): (Action, String),
        (by, reason): (&str, &str),
    ) -> Result<(), DeskError> {
        let Some(trail) = &self.trail else {
            tracing::warn!(%action, object, by, "this is not audited: run `cadre bus apply`");
            return Ok(());
        };
        let (actor, reason) = (by.to_owned(), reason.to_owned());
        let deed = Deed { at: self.bus.time(), actor, action, object, reason };
        Ok(trail.note(chain, &deed).await?)
    }
}
