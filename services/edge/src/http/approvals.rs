//! `/v1/approvals`: what tasks ask people.

use axum::{Json, extract::State, response::Response};
use cadre_core::{
    access::Act,
    document,
    ids::StepId,
    payload::Payload,
    ports::desk::DecisionWish,
    question::{self, Verdict},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use super::{
    Identity, Problem,
    actions::{self, OutcomeBody},
    extract::{Body, Segments},
    state::AppState,
};

/// An open question, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuestionDocument {
    /// The task.
    task: String,
    /// The step that asks.
    step: String,
    /// Whose task.
    tenant: String,
    /// Its workflow.
    workflow: String,
    /// The step's attempt.
    attempt: u32,
    /// Who asks; `None` when the workflow does.
    role: Option<String>,
    /// Who published the goal.
    user: Option<String>,
    /// What a decision must name: 64 hexadecimal digits.
    hash: String,
    /// When it was asked.
    asked_at_ms: u64,
    /// When it expires.
    expires_at_ms: u64,
    /// Who has agreed so far.
    votes: Vec<String>,
    /// What is asked: `kind`, `question`, `content`, `quorum`, `four_eyes`, `editable`, `when_expired`.
    #[schema(value_type = Object)]
    ask: Value,
    /// What the task has cost so far, in millionths of a US dollar.
    cost_micros: u64,
}

/// What a person can say.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Say {
    /// Yes, to what is shown; with `content`, to this instead.
    Grant,
    /// No.
    Deny,
    /// `content` is the step's output.
    Answer,
    /// The call in doubt has happened, and gave back `content`.
    Happened,
    /// The call in doubt has not happened.
    DidNotHappen,
}

/// A decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionBody {
    /// What.
    decision: Say,
    /// The hash of exactly what was shown, or its beginning of at least 8 digits.
    #[schema(min_length = 8, max_length = 64)]
    hash: String,
    /// What goes with it.
    #[schema(value_type = Option<Object>)]
    content: Option<Box<RawValue>>,
    /// Why.
    #[serde(default)]
    comment: String,
}

/// Shows what a step asks, whole.
#[utoipa::path(get, path = "/v1/approvals/{task}/{step}", tag = "approvals",
    params(("task" = String, Path, description = "The task"), ("step" = String, Path, description = "The step that asks")),
    responses((status = 200, description = "The question.", body = QuestionDocument)))]
pub(super) async fn show(
    State(app): State<AppState>,
    identity: Identity,
    Segments((task, step)): Segments<(String, String)>,
) -> Result<Json<QuestionDocument>, Problem> {
    identity.require(Act::Read)?;
    let task = app.task(&identity, &task).await?;
    let step = StepId::parse(&step).map_err(Problem::not_found)?;
    let open = question::all(&task);
    let found = open.iter().find(|one| *one.id == step);
    let found = found.ok_or_else(|| {
        Problem::not_found(format!("step {step} of task {} asks nobody anything now", task.id()))
    })?;
    Ok(Json(QuestionDocument {
        task: task.id().to_string(),
        step: step.to_string(),
        tenant: task.goal.tenant.to_string(),
        workflow: task.goal.workflow.to_string(),
        attempt: found.step.attempt,
        role: found.step.role.as_ref().map(ToString::to_string),
        user: task.goal.user.clone(),
        hash: found.hash.to_string(),
        asked_at_ms: found.step.changed_at.0,
        expires_at_ms: found.expires().0,
        votes: found.votes.to_vec(),
        ask: document::ask(found.ask),
        cost_micros: task.usage.usd_micros,
    }))
}

/// Decides what a step asks; the decision holds for exactly what its hash names.
#[utoipa::path(post, path = "/v1/approvals/{task}/{step}", tag = "approvals", request_body = DecisionBody,
    params(("task" = String, Path, description = "The task"), ("step" = String, Path, description = "The step that asks")),
    responses((status = 200, description = "It counts.", body = OutcomeBody),
        (status = 202, description = "It is stored, and nobody has handled it yet.", body = OutcomeBody)))]
pub(super) async fn decide(
    State(app): State<AppState>,
    identity: Identity,
    Segments((id, step)): Segments<(String, String)>,
    Body(body): Body<DecisionBody>,
) -> Result<Response, Problem> {
    identity.require(Act::Decide)?;
    let task = app.task(&identity, &id).await?;
    let content = body.content.map(|content| Payload::parse_unique(content.get().as_bytes()));
    let content = content.transpose().map_err(|error| Problem::at("/content", error))?;
    let wanted = || Problem::at("/content", "this decision needs it");
    let wish = DecisionWish {
        step: StepId::parse(&step).map_err(Problem::not_found)?,
        hash: body.hash,
        by: identity.user().to_owned(),
        verdict: match body.decision {
            Say::Grant => Verdict::Grant(content),
            Say::Deny => Verdict::Deny,
            Say::Answer => Verdict::Answer(content.ok_or_else(wanted)?),
            Say::Happened => Verdict::Happened(content.unwrap_or_else(Payload::null)),
            Say::DidNotHappen => Verdict::DidNotHappen,
        },
        comment: body.comment,
    };
    actions::answer(&id, &app.desk().decide(&task, wish).await?)
}
