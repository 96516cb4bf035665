//! Webhooks, noted in the audit trail of their tenant.

use cadre_core::{
    audit::{Action, Chain},
    ports::{BusError, desk::DeskError},
    webhook::Webhook,
    wish::Unfit,
};

use super::{JetStreamDesk, absent, deed::About};
use crate::webhooks::KvWebhooks;

impl JetStreamDesk {
    pub(super) fn hooks(&self) -> Result<&KvWebhooks, BusError> {
        self.webhooks.as_ref().ok_or_else(|| absent("webhooks"))
    }

    pub(super) async fn add_hook(&self, webhook: &Webhook) -> Result<(), DeskError> {
        let hooks = self.hooks()?;
        let about = about((Action::WebhookAdded, webhook), &webhook.by);
        self.audited(about, async { hooks.add(webhook).await.map_err(refused) }).await
    }

    pub(super) async fn remove_hook(&self, webhook: &Webhook, by: &str) -> Result<(), DeskError> {
        let hooks = self.hooks()?;
        let about = about((Action::WebhookRemoved, webhook), by);
        self.audited(about, async { Ok(hooks.remove(webhook).await?) }).await
    }

    pub(super) async fn change_hook(&self, webhook: &Webhook, by: &str) -> Result<(), DeskError> {
        let hooks = self.hooks()?;
        let about = about((Action::WebhookRotated, webhook), by);
        self.audited(about, async { hooks.change(webhook).await.map_err(refused) }).await
    }
}

/// What cannot be is no failure of the bus.
fn refused(error: BusError) -> DeskError {
    match error {
        BusError::Refused(why) => Unfit::Refused(why).into(),
        error @ BusError::Unavailable(_) => error.into(),
    }
}

/// What stands behind the host may be a secret, and the trail is for ever.
fn about<'a>((action, webhook): (Action, &Webhook), by: &'a str) -> About<'a> {
    let of = webhook
        .workflow
        .as_ref()
        .map_or("every workflow".to_owned(), |name| format!("workflow {name}"));
    let reason = format!("{of}, at {}", webhook.host());
    let (chain, object) =
        (Chain::Tenant(webhook.tenant.clone()), format!("webhook/{}", webhook.id));
    About { chain, action, object, by, reason }
}
