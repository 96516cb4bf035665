//! Figures of webhooks.

use super::super::instrument::{Metric, Row};

const HOOKS: &str = "only where webhooks are";

/// Webhooks that fail.
pub static WEBHOOKS_FAILING: Metric = Row::gauge(
    "cadre_webhooks_failing",
    &[],
    "Webhooks at which every try fails, as each process that serves HTTP sees it.",
)
.metric();

/// Tries of webhooks.
pub static WEBHOOK_TRIES: Metric = Row::counter(
    "cadre_webhook_tries_total",
    &["outcome"],
    "Messages that were sent to webhooks: delivered, failed.",
)
.seldom(HOOKS)
.metric();

/// Ends that webhooks will never hear of.
pub static WEBHOOK_ENDS_LOST: Metric = Row::counter(
    "cadre_webhook_ends_lost_total",
    &[],
    "Ends of tasks that a webhook was given up on after a day of tries, or because it answered 410.",
)
.seldom(HOOKS)
.metric();
