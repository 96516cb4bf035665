//! `/v1/webhooks`: who is told of the ends of tasks.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use cadre_core::{
    access::Act,
    ids::Name,
    webhook::{Message, Outcome, Secret, State as How, Webhook},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Identity, Problem,
    extract::{Body, Segments},
    fleet::Rows,
    state::AppState,
};
use crate::webhooks::{Sent, check};

/// Somebody to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookBody {
    /// Where to send: https, and a public address unless this server allows others.
    #[schema(example = "https://example.com/cadre")]
    url: String,
    /// Only ends of this workflow; of all if it is left out.
    workflow: Option<String>,
}

/// Somebody who is told of ends.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookRow {
    /// Names it.
    #[schema(example = "wh3f2a9c41b07e1122")]
    id: String,
    /// Whose tasks.
    tenant: String,
    /// Only of this workflow.
    workflow: Option<String>,
    /// Where to send.
    url: String,
    /// Who wants it.
    by: String,
    /// Ends from then on.
    created_at_ms: u64,
    /// `new`, `ok`, `failing`, or `gone`: it has answered 410, and is told of nothing any more.
    state: &'static str,
    /// When something was delivered last, to the minute.
    delivered_at_ms: Option<u64>,
    /// Since when everything fails.
    failing_since_ms: Option<u64>,
    /// What the last failure said.
    error: Option<String>,
    /// Ends that were given up after a day of tries.
    given_up: u64,
    /// The task of the last of those.
    lost_task: Option<String>,
}

/// A new webhook.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookMade {
    /// As it is listed.
    webhook: WebhookRow,
    /// What its messages are signed with, by Standard Webhooks. It is not shown again.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    secret: String,
}

/// What came of a message that says nothing but that it came.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookTested {
    /// Whether the receiver took it.
    is_delivered: bool,
    /// What it answered with; `None` when it did not answer.
    status: Option<u16>,
    /// Why it was not delivered.
    error: Option<String>,
    /// How long that took.
    took_ms: u64,
}

fn row(webhook: &Webhook, how: How) -> WebhookRow {
    WebhookRow {
        id: webhook.id.to_string(),
        tenant: webhook.tenant.to_string(),
        workflow: webhook.workflow.as_ref().map(ToString::to_string),
        url: webhook.url.clone(),
        by: webhook.by.clone(),
        created_at_ms: webhook.created_at.0,
        state: how.as_str(),
        delivered_at_ms: how.delivered_at.map(|at| at.0),
        failing_since_ms: how.failing_since.map(|at| at.0),
        error: how.error,
        given_up: how.given_up,
        lost_task: how.lost.map(|task| task.to_string()),
    }
}

/// The webhooks that somebody may see.
pub(crate) async fn seen(
    app: &AppState,
    identity: &Identity,
) -> Result<Vec<(Webhook, How)>, Problem> {
    identity.require(Act::Steer)?;
    let mut all = app.desk().webhooks().await?;
    all.retain(|(webhook, _)| identity.sees(&webhook.tenant));
    Ok(all)
}

pub(crate) async fn one(
    app: &AppState,
    identity: &Identity,
    id: &str,
) -> Result<(Webhook, How), Problem> {
    let found = seen(app, identity).await?.into_iter().find(|(it, _)| it.id.as_str() == id);
    found.ok_or_else(|| Problem::not_found(format!("there is no webhook {id}")))
}

/// Lists webhooks, the oldest first.
#[utoipa::path(get, path = "/v1/webhooks", tag = "webhooks",
    responses((status = 200, description = "Webhooks.", body = Rows<WebhookRow>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    identity: Identity,
) -> Result<Json<Rows<WebhookRow>>, Problem> {
    let rows = seen(&app, &identity).await?.into_iter().map(|(it, how)| row(&it, how)).collect();
    Ok(Json(Rows { rows }))
}

/// Wants a program to be told of the ends of the credential's tenant, from now on.
///
/// Each end is a POST with `{"type": "task.ended", "timestamp", "data": <the answer>}`, signed by Standard
/// Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`). Anything but 2xx within 10 s is tried again
/// for a day; the same `webhook-id` may come more than once.
#[utoipa::path(post, path = "/v1/webhooks", tag = "webhooks", request_body = WebhookBody,
    responses((status = 201, description = "It is told from now on.", body = WebhookMade,
        headers(("Location" = String, description = "The webhook")))))]
pub(super) async fn add(
    State(app): State<AppState>,
    identity: Identity,
    Body(body): Body<WebhookBody>,
) -> Result<Response, Problem> {
    identity.require(Act::Steer)?;
    check(&body.url, app.options().webhooks).map_err(|error| Problem::at("/url", error))?;
    let workflow = body.workflow.as_deref().map(Name::new).transpose();
    let webhook = Webhook {
        id: Webhook::id_of(rand::random()),
        tenant: identity.tenant().clone(),
        workflow: workflow.map_err(|error| Problem::at("/workflow", error))?,
        url: body.url,
        secret: Secret::new(rand::random()),
        former: None,
        by: identity.user().to_owned(),
        created_at: app.desk().now(),
    };
    app.desk().add_webhook(&webhook).await?;
    let place = format!("/v1/webhooks/{}", webhook.id);
    let secret = webhook.secret.reveal();
    let made = WebhookMade { webhook: row(&webhook, How::default()), secret };
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(made)).into_response())
}

/// Shows one webhook, without its secret.
#[utoipa::path(get, path = "/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook.", body = WebhookRow)))]
pub(super) async fn show(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
) -> Result<Json<WebhookRow>, Problem> {
    let (webhook, how) = one(&app, &identity, &id).await?;
    Ok(Json(row(&webhook, how)))
}

/// Removes a webhook: nothing is told any more, also not what was waiting.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 204, description = "It is gone.")))]
pub(super) async fn remove(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Problem> {
    let (webhook, _) = one(&app, &identity, &id).await?;
    app.desk().remove_webhook(&webhook, identity.user()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a webhook a new secret. For a day messages carry a signature of the former one as well.
#[utoipa::path(post, path = "/v1/webhooks/{id}/rotate", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, description = "The new secret counts from now on.", body = WebhookMade)))]
pub(super) async fn rotate(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
) -> Result<Json<WebhookMade>, Problem> {
    let (webhook, how) = rotated(&app, &identity, &id).await?;
    let secret = webhook.secret.reveal();
    Ok(Json(WebhookMade { webhook: row(&webhook, how), secret }))
}

/// The webhook with a new secret, as it is kept.
pub(crate) async fn rotated(
    app: &AppState,
    identity: &Identity,
    id: &str,
) -> Result<(Webhook, How), Problem> {
    let (webhook, how) = one(app, identity, id).await?;
    let webhook = webhook.rotated(Secret::new(rand::random()), app.desk().now());
    app.desk().change_webhook(&webhook, identity.user()).await?;
    Ok((webhook, how))
}

/// Sends a webhook one message and says what came of it.
pub(crate) async fn tried(app: &AppState, webhook: &Webhook) -> Result<Sent, Problem> {
    let off = || Problem::refused("this server sends none: cadre serve --webhooks public");
    let (sender, now) = (app.sender().ok_or_else(off)?, app.desk().now());
    Ok(sender.send(webhook, &Message::test(webhook, now), now).await)
}

/// Sends a webhook one message of the type `webhook.test`, once, and says what came of it.
#[utoipa::path(post, path = "/v1/webhooks/{id}/test", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, description = "What came of it.", body = WebhookTested)))]
pub(super) async fn test(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
) -> Result<Json<WebhookTested>, Problem> {
    let (webhook, _) = one(&app, &identity, &id).await?;
    let sent = tried(&app, &webhook).await?;
    let error = match sent.outcome {
        Outcome::Delivered => None,
        Outcome::Failed { error, .. } => Some(error),
    };
    Ok(Json(WebhookTested {
        is_delivered: error.is_none(),
        status: sent.status,
        error,
        took_ms: u64::try_from(sent.took.as_millis()).unwrap_or(u64::MAX),
    }))
}
