//! Webhooks, noted in the audit trail of their tenant.

use cadre_core::{
    audit::{Action, Chain},
    ports::{BusError, desk::DeskError},
    webhook::Webhook,
    wish::Unfit,
};

use super::{JetStreamDesk, absent};
use crate::webhooks::KvWebhooks;

impl JetStreamDesk {
    pub(super) fn hooks(&self) -> Result<&KvWebhooks, BusError> {
        self.webhooks.as_ref().ok_or_else(|| absent("webhooks"))
    }

    pub(super) async fn add_hook(&self, webhook: &Webhook) -> Result<(), DeskError> {
        let hooks = self.hooks()?;
        self.note_hook((Action::WebhookAdded, webhook), &webhook.by).await?;
        hooks.add(webhook).await.map_err(|error| match error {
            BusError::Refused(why) => Unfit::Refused(why).into(),
            error @ BusError::Unavailable(_) => error.into(),
        })
    }

    pub(super) async fn remove_hook(&self, webhook: &Webhook, by: &str) -> Result<(), DeskError> {
        let hooks = self.hooks()?;
        self.note_hook((Action::WebhookRemoved, webhook), by).await?;
        Ok(hooks.remove(webhook).await?)
    }

    /// What stands behind the host may be a secret, and the trail is for ever.
    async fn note_hook(
        &self,
        (action, webhook): (Action, &Webhook),
        by: &str,
    ) -> Result<(), DeskError> {
        let chain = Chain::Tenant(webhook.tenant.clone());
        let of = webhook
            .workflow
            .as_ref()
            .map_or("every workflow".to_owned(), |name| format!("workflow {name}"));
        let reason = format!("{of}, at {}", webhook.host());
        self.note(&chain, (action, format!("webhook/{}", webhook.id)), (by, &reason)).await
    }
}
