//! Publishing a goal from a form.

use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use cadre_core::{access::Act, ids::Name, payload::Payload, task::GoalLimits, wish::GoalWish};
use serde::Deserialize;

use super::{Oops, Visit, cookie, theme};
use crate::{
    http::{AppState, Identity, Problem, SafeForm, random_key},
    pages::publish::{Publish, collect, page},
};

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    workflow: String,
}

pub(super) async fn form(visit: Visit, Query(params): Query<Params>) -> Result<Response, Oops> {
    let view = view(&visit, params.workflow).await;
    visit.show(&page(&visit.chrome(), &view)).await
}

async fn view(visit: &Visit, workflow: String) -> Publish {
    let desk = visit.app.desk();
    // Without the bus there is nothing to publish to, and the page says so.
    let packs = desk.packs().await.unwrap_or_default();
    let only = (workflow.is_empty() && packs.len() == 1).then(|| packs.first()).flatten();
    let workflow = only.map_or(workflow, |pack| pack.name.to_string());
    let pack = match Name::new(&workflow) {
        Ok(name) => desk.pack(&name, None).await.ok(),
        Err(_) => None,
    };
    Publish {
        workflows: packs.iter().map(|pack| pack.name.to_string()).collect(),
        schema: pack.map(|pack| pack.workflow.input.schema().clone()),
        tenant: visit.identity.tenant().to_string(),
        can_publish: visit.may(Act::Steer),
        workflow,
        ..Publish::default()
    }
}

pub(super) async fn publish(
    State(app): State<AppState>,
    headers: HeaderMap,
    SafeForm(identity, fields): SafeForm<Vec<(String, String)>>,
) -> Result<Response, Oops> {
    let of = |wanted: &str| {
        fields.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value)
    };
    let (workflow, key) = (of("workflow").to_owned(), of("key").trim().to_owned());
    let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let filled = collect(pairs);
    let outcome = match &filled {
        Ok(filled) => published(&app, &identity, (&workflow, key, filled)).await,
        Err(wrong) => Err(Problem::invalid(wrong)),
    };
    match outcome {
        Ok(task) => {
            let to = format!("/tasks/{task}");
            Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
        }
        Err(problem) => {
            let has_session = cookie(&headers, "cadre_session").is_some();
            let visit =
                Visit { app, identity, theme: theme(&headers), is_part: false, has_session };
            let refused = problem.detail().to_owned();
            let filled = filled.unwrap_or_default();
            let view = Publish { refused, filled, ..view(&visit, workflow).await };
            let mut response = visit.show(&page(&visit.chrome(), &view)).await?;
            *response.status_mut() = problem.status();
            Ok(response)
        }
    }
}

async fn published(
    app: &AppState,
    identity: &Identity,
    (workflow, key, filled): (&str, String, &str),
) -> Result<String, Problem> {
    identity.require(Act::Steer)?;
    let wish = GoalWish {
        tenant: identity.tenant().clone(),
        workflow: Name::new(workflow).map_err(|error| Problem::at("/workflow", error))?,
        key: if key.is_empty() { random_key() } else { key },
        input: Payload::parse_unique(filled.as_bytes())
            .map_err(|error| Problem::at("/input", error))?,
        deadline: None,
        limits: GoalLimits::default(),
        user: Some(identity.user().to_owned()).filter(|user| !user.is_empty()),
        trace: None,
    };
    Ok(app.desk().publish(wish).await?.task.to_string())
}
