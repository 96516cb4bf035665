//! Who is told of the ends of tasks.

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::{Html, IntoResponse as _, Response},
};
use cadre_core::webhook::{Outcome, State as How, Webhook};
use serde::Deserialize;

use super::{Oops, OrOops as _, Visit, after, chrome_of, or_empty};
use crate::{
    http::{
        AppState, Identity, Problem, SafeForm, rotated_webhook, try_webhook, webhook, webhooks_seen,
    },
    pages::{
        chrome::document,
        webhooks::{Row, Webhooks, page, renewed},
    },
};

pub(super) async fn list(visit: Visit) -> Result<Response, Oops> {
    let found = webhooks_seen(&visit.app, &visit.identity).await.or_oops(&visit)?;
    let rows = found.into_iter().map(|(webhook, how)| row(&webhook, how)).collect();
    let view = Webhooks { rows, is_off: visit.app.sender().is_none() };
    visit.show(&page(&visit.chrome(), &view)).await
}

fn row(webhook: &Webhook, how: How) -> Row {
    Row {
        id: webhook.id.to_string(),
        host: webhook.host().to_owned(),
        tenant: webhook.tenant.to_string(),
        workflow: or_empty(webhook.workflow.as_ref().map(ToString::to_string)),
        by: webhook.by.clone(),
        created_ms: webhook.created_at.0,
        state: how.as_str().to_owned(),
        delivered_ms: how.delivered_at.map(|at| at.0),
        failing_ms: how.failing_since.map(|at| at.0),
        error: or_empty(how.error),
        given_up: how.given_up,
        lost: or_empty(how.lost.map(|task| task.to_string())),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct WebhookForm {
    wish: String,
}

pub(super) async fn act(
    State(app): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    SafeForm(identity, form): SafeForm<WebhookForm>,
) -> Response {
    if form.wish == "rotate" {
        return match rotated_webhook(&app, &identity, &id).await {
            Ok((webhook, _)) => {
                let chrome = chrome_of(&app, &identity, &headers);
                let page = renewed(&id, &webhook.secret.reveal());
                Html(document(&chrome, &page).into_string()).into_response()
            }
            Err(problem) => after(&headers, "/webhooks", Err(problem)),
        };
    }
    let outcome = done(&app, &identity, (&id, &form.wish)).await;
    after(&headers, "/webhooks", outcome)
}

async fn done(
    app: &AppState,
    identity: &Identity,
    (id, wish): (&str, &str),
) -> Result<String, Problem> {
    let (webhook, _) = webhook(app, identity, id).await?;
    match wish {
        "test" => match try_webhook(app, &webhook).await?.outcome {
            Outcome::Delivered => Ok(format!("Webhook {id} has taken a message.")),
            Outcome::Failed { error, .. } => Err(Problem::refused(error)),
        },
        "remove" => {
            app.desk().remove_webhook(&webhook, identity.user()).await?;
            Ok(format!("Webhook {id} is removed."))
        }
        other => Err(Problem::malformed(format!("{other:?} is no test, rotate or remove"))),
    }
}
