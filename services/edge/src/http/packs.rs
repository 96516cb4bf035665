//! `/v1/packs`: what can be asked for.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use cadre_core::{access::Act, ids::Name};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{
    Identity, Problem,
    extract::{Params, Segments},
    fleet::Rows,
    state::AppState,
};

/// A pack.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PackRow {
    /// Name of pack and workflow.
    name: String,
    /// The revision that new goals get.
    revision: String,
    /// When it became current.
    since_ms: u64,
}

/// One revision of a pack.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PackDocument {
    /// Name of pack and workflow.
    name: String,
    /// The revision.
    revision: String,
    /// JSON Schema of a goal's input.
    #[schema(value_type = Object)]
    input: Value,
    /// JSON Schema of the answer.
    #[schema(value_type = Object)]
    output: Value,
    /// Roles that it needs.
    roles: Vec<String>,
    /// Steps, each behind everything that it comes after.
    steps: Vec<PackStep>,
    /// Its files by path.
    files: BTreeMap<String, String>,
}

/// A step of a pack.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PackStep {
    /// Its name.
    name: String,
    /// Steps that it comes after.
    after: Vec<String>,
    /// Who does it; `None` for a person's step and for crews.
    role: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PackParams {
    /// Another revision than the current one, in full.
    revision: Option<String>,
}

/// Lists packs.
#[utoipa::path(get, path = "/v1/packs", tag = "packs",
    responses((status = 200, description = "Packs by name.", body = Rows<PackRow>)))]
pub(super) async fn list(
    State(app): State<AppState>,
    identity: Identity,
) -> Result<Json<Rows<PackRow>>, Problem> {
    identity.require(Act::Read)?;
    let rows = app.desk().packs().await?.into_iter().map(|pack| PackRow {
        name: pack.name.to_string(),
        revision: pack.revision,
        since_ms: pack.since.0,
    });
    Ok(Json(Rows { rows: rows.collect() }))
}

/// Shows one revision of a pack: its contracts, roles, steps and files.
#[utoipa::path(get, path = "/v1/packs/{name}", tag = "packs",
    params(("name" = String, Path, description = "Its name"), PackParams),
    responses((status = 200, description = "The revision.", body = PackDocument)))]
pub(super) async fn show(
    State(app): State<AppState>,
    identity: Identity,
    Segments(name): Segments<String>,
    Params(params): Params<PackParams>,
) -> Result<Json<PackDocument>, Problem> {
    identity.require(Act::Read)?;
    let name = Name::new(&name).map_err(Problem::not_found)?;
    let found = app.desk().pack(&name, params.revision.as_deref()).await?;
    let workflow = &found.workflow;
    let steps = workflow.steps.iter().map(|step| PackStep {
        name: step.name.to_string(),
        after: step.after.iter().map(ToString::to_string).collect(),
        role: step.role().map(|role| role.name.to_string()),
    });
    let files = found.source.files.iter();
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    Ok(Json(PackDocument {
        name: workflow.name.to_string(),
        revision: workflow.revision.clone(),
        input: workflow.input.schema().clone(),
        output: workflow.output.schema().clone(),
        roles: workflow.roles.keys().map(ToString::to_string).collect(),
        steps: steps.collect(),
        files: files.map(|(path, bytes)| (path.clone(), text(bytes))).collect(),
    }))
}
