//! What people do at the desk that no task's log tells of: written to the audit trail before it is done, in the
//! words of the command line, and once more when it was not done.

use std::future::Future;

use cadre_core::{
    audit::{Action, Chain, Deed},
    breaker::{ForcedTo, Target},
    ports::{
        Clock as _,
        desk::{DeskError, Hold},
    },
};

use super::{JetStreamDesk, letters};

/// Something that is about to be done.
pub(super) struct About<'a> {
    pub(super) chain: Chain,
    pub(super) action: Action,
    pub(super) object: String,
    pub(super) by: &'a str,
    pub(super) reason: String,
}

impl JetStreamDesk {
    pub(super) async fn about_letter<'a>(
        &self,
        action: Action,
        id: &str,
        by: &'a str,
    ) -> Result<About<'a>, DeskError> {
        let head = letters::get(&self.bus, id).await?.head;
        let reason = format!("{} on {}: {}", head.kind, head.subject, head.reason);
        Ok(About { chain: Chain::Fleet, action, object: format!("letter/{id}"), by, reason })
    }

    pub(super) fn about_hold<'a>(target: &Target, hold: &'a Hold) -> About<'a> {
        let action = match hold.to {
            None => Action::BreakerReset,
            Some(ForcedTo::Open) => Action::BreakerOpened,
            Some(ForcedTo::Closed) => Action::BreakerClosed,
        };
        let reason = match hold.to {
            None => String::new(),
            Some(_) => format!("for {}: {}", humantime::format_duration(hold.lasts), hold.reason),
        };
        let object = format!("breaker/{target}");
        About { chain: Chain::Fleet, action, object, by: &hold.by, reason }
    }

    /// Notes a deed, then does it; nothing is done unless that is noted. What comes to nothing is noted too, so
    /// that the trail tells how it went.
    pub(super) async fn audited<T>(
        &self,
        about: About<'_>,
        deed: impl Future<Output = Result<T, DeskError>>,
    ) -> Result<T, DeskError> {
        self.note(&about, (about.action, &about.reason)).await?;
        let done = deed.await;
        if let Err(error) = &done {
            let reason = format!("{}: {error}", about.action);
            if let Err(lost) = self.note(&about, (Action::DeedFailed, &reason)).await {
                let object = &about.object;
                tracing::warn!(action = %about.action, object, error = %lost, "its failure was not audited");
            }
        }
        done
    }

    /// A fleet that has no trail yet goes without.
    async fn note(
        &self,
        about: &About<'_>,
        (action, reason): (Action, &str),
    ) -> Result<(), DeskError> {
        let About { chain, object, by, .. } = about;
        let Some(trail) = &self.trail else {
            tracing::warn!(%action, object, by, "this is not audited: run `cadre bus apply`");
            return Ok(());
        };
        let (actor, object, reason) = ((*by).to_owned(), object.clone(), reason.to_owned());
        let deed = Deed { at: self.bus.time(), actor, action, object, reason };
        Ok(trail.note(chain, &deed).await?)
    }
}
