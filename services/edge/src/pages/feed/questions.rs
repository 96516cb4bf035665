//! The inbox, and decisions.

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use cadre_core::{
    access::Act,
    ids::{StepId, TaskId},
    payload::Payload,
    ports::desk::DecisionWish,
    question::{self, Verdict},
};
use serde::Deserialize;

use super::{Oops, OrOops as _, Visit, after, or_empty, steps::pretty};
use crate::{
    http::{AppState, Identity, Problem, SafeForm},
    model::{QuestionFilter, rows::QuestionRow},
    pages::approvals::{Approvals, Question, page},
};

/// Open questions of one page.
const OPEN_SHOWN: u32 = 50;

/// Decided questions below them.
const DECIDED_SHOWN: u32 = 20;

/// Questions whose content is read whole, from the log; the others show its beginning.
const WHOLE: usize = 20;

pub(super) async fn list(visit: Visit) -> Result<Response, Oops> {
    let (model, scope) = (visit.app.model(), visit.identity.scope());
    let open = QuestionFilter { is_open: true, ..QuestionFilter::default() };
    let found = model.questions(scope, &open, None, OPEN_SHOWN).await.or_oops(&visit)?;
    let recent = model.questions(scope, &QuestionFilter::default(), None, DECIDED_SHOWN).await;
    let recent = recent.or_oops(&visit)?;
    let mut rows = Vec::new();
    for (index, row) in found.rows.into_iter().enumerate() {
        let whole =
            if index < WHOLE { content(&visit.app, &visit.identity, &row).await } else { None };
        let shown = shown(row);
        rows.push(Question { content: whole.or(shown.content.clone()), ..shown });
    }
    let view = Approvals {
        open: rows,
        decided: recent.rows.into_iter().filter(|row| row.state != "open").map(shown).collect(),
        can_decide: visit.may(Act::Decide),
    };
    visit.show(&page(&visit.chrome(), &view)).await
}

/// The whole of what is decided about, if it is still asked.
async fn content(app: &AppState, identity: &Identity, row: &QuestionRow) -> Option<String> {
    row.content.as_ref()?;
    let task = app.task(identity, &row.task).await.ok()?;
    let open = question::all(&task);
    let found = open.iter().find(|one| one.id.to_string() == row.step)?;
    let payload = found.ask.content.as_ref()?;
    let whole = match payload.blob() {
        Some(blob) => app.model().document(blob).await.ok()?,
        None => payload.clone(),
    };
    Some(pretty(&whole))
}

fn shown(row: QuestionRow) -> Question {
    let is_open = row.state == "open";
    Question {
        id: format!("{}/{}", row.task, row.step),
        step: row.step,
        workflow: row.workflow,
        tenant: row.tenant,
        question: row.question,
        role: or_empty(row.role),
        why: row.why,
        by: or_empty(row.user),
        content: row.content,
        content_hash: row.hash,
        cost_micros: row.cost_micros,
        asked_ms: row.asked_at_ms,
        expires_ms: Some(row.expires_at_ms),
        quorum: row.quorum.into(),
        votes: row.votes.len() as u64,
        four_eyes: row.four_eyes,
        choices: choices(&row.kind),
        decision: if is_open { String::new() } else { row.state },
        decided_by: or_empty(row.decided_by),
        task: row.task,
    }
}

/// What can be said to a question of this kind.
fn choices(kind: &str) -> Vec<String> {
    let words: &[&str] = match kind {
        "doubt" => &["happened", "did not happen", "deny"],
        "question" => &["answer", "approve", "deny"],
        _ => &["approve", "deny"],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[derive(Debug, Deserialize)]
pub(super) struct DecisionForm {
    choice: String,
    hash: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    answer: String,
}

pub(super) async fn decide(
    State(app): State<AppState>,
    Path((task, step)): Path<(String, String)>,
    headers: HeaderMap,
    SafeForm(identity, form): SafeForm<DecisionForm>,
) -> Response {
    let outcome = decided(&app, &identity, (&task, &step), form).await;
    after(&headers, "/approvals", outcome)
}

async fn decided(
    app: &AppState,
    identity: &Identity,
    (task, step): (&str, &str),
    form: DecisionForm,
) -> Result<String, Problem> {
    identity.require(Act::Decide)?;
    let task = app.task(identity, task).await?;
    let answer = || {
        let text = form.answer.trim();
        Payload::parse_unique(text.as_bytes()).map_err(|error| Problem::at("/answer", error))
    };
    let verdict = match form.choice.as_str() {
        "approve" => Verdict::Grant(None),
        "deny" => Verdict::Deny,
        "answer" => Verdict::Answer(answer()?),
        "happened" if form.answer.trim().is_empty() => Verdict::Happened(Payload::null()),
        "happened" => Verdict::Happened(answer()?),
        "did not happen" => Verdict::DidNotHappen,
        other => return Err(Problem::malformed(format!("{other:?} is no decision"))),
    };
    let wish = DecisionWish {
        step: StepId::parse(step).map_err(Problem::not_found)?,
        hash: form.hash,
        by: identity.user().to_owned(),
        verdict,
        comment: form.comment,
    };
    super::steer::said(&app.desk().decide(&task, wish).await?)
}

/// Names as the path of a task has them.
pub(super) fn task_id(id: &str) -> Result<TaskId, Problem> {
    TaskId::parse(id).map_err(Problem::not_found)
}
