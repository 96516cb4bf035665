//! Packs, their revisions, and what one of them does.

use axum::{extract::Query, response::Response};
use cadre_core::{
    pack::{PackSource, diff},
    ports::desk::{Desk, PackView},
    workflow::{Doer, StepPlan, Workflow},
};
use serde::Deserialize;

use super::{Oops, OrOops as _, Visit};
use crate::{
    model::sums::RevisionRow,
    pages::{
        packs::{Diff, Pack, Packs, Revision, page},
        task::Node,
        text,
    },
};

/// Revisions of a pack that nobody has used yet and that are looked for.
const UNUSED_MAX: usize = 64;

/// Lines of a comparison that are shown.
const DIFF_LINES_MAX: usize = 600;

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    pack: String,
    #[serde(default)]
    revision: String,
    #[serde(default)]
    against: String,
}

pub(super) async fn list(visit: Visit, Query(params): Query<Params>) -> Result<Response, Oops> {
    let (model, scope, desk) = (visit.app.model(), visit.identity.scope(), visit.app.desk());
    let packs = desk.packs().await.or_oops(&visit)?;
    let pinned = model.revisions(scope, None).await.or_oops(&visit)?;
    let selected = match packs.as_slice() {
        [only] if params.pack.is_empty() => only.name.to_string(),
        _ => params.pack.clone(),
    };
    let address = text::Query::default()
        .with("pack", &params.pack)
        .with("revision", &params.revision)
        .with("against", &params.against)
        .address("/packs");
    let mut view = Packs { selected, address, ..Packs::default() };
    for pack in &packs {
        let mut shown = shown(pack, &pinned);
        if pack.name.as_str() == view.selected {
            unused(desk, pack, (&mut shown.revisions, &pinned)).await;
            look(desk, pack, (&shown.revisions, &params), &mut view).await;
        }
        view.packs.push(shown);
    }
    visit.show(&page(&visit.chrome(), &view)).await
}

/// Adds the pack's revisions that no task has had. What cannot be read is left out.
async fn unused(
    desk: &dyn Desk,
    pack: &PackView,
    (revisions, pinned): (&mut Vec<Revision>, &[RevisionRow]),
) {
    let kept = desk.revisions(UNUSED_MAX).await.unwrap_or_default();
    let is_known =
        |hash: &String| *hash == pack.revision || pinned.iter().any(|row| row.revision == *hash);
    for hash in kept.into_iter().filter(|hash| !is_known(hash)) {
        if desk.pack(&pack.name, Some(&hash)).await.is_ok() {
            revisions.push(Revision { hash, ..Revision::default() });
        }
    }
}

/// What the selected revision does, and what it has changed of the one before it, or of another one.
async fn look(
    desk: &dyn Desk,
    pack: &PackView,
    (revisions, params): (&[Revision], &Params),
    view: &mut Packs,
) {
    let is_named = !params.revision.is_empty();
    let wanted = if is_named { params.revision.as_str() } else { pack.revision.as_str() };
    let Ok(found) = desk.pack(&pack.name, Some(wanted)).await else { return };
    view.revision = found.workflow.revision.clone();
    view.nodes = planned(&found.workflow);
    let at = revisions.iter().position(|one| one.hash == view.revision);
    let before = at.and_then(|at| revisions.get(at + 1)).map(|one| one.hash.as_str());
    let against = Some(params.against.as_str()).filter(|hash| !hash.is_empty()).or(before);
    let Some(against) = against else { return };
    if let Ok(other) = desk.pack(&pack.name, Some(against)).await {
        view.diff = Some(compared(other.workflow.revision.clone(), &other.source, &found.source));
    }
}

fn compared(from: String, old: &PackSource, new: &PackSource) -> Diff {
    let text = diff(old, new);
    let left_out = text.lines().count().saturating_sub(DIFF_LINES_MAX) as u64;
    let lines: Vec<&str> = text.lines().take(DIFF_LINES_MAX).collect();
    Diff { from, text: lines.join("\n"), left_out }
}

fn shown(pack: &PackView, pinned: &[RevisionRow]) -> Pack {
    let name = pack.name.to_string();
    let of_pack = pinned.iter().filter(|row| row.workflow == name);
    let current = of_pack.clone().find(|row| row.revision == pack.revision);
    let revision = |row: &RevisionRow| Revision {
        hash: row.revision.clone(),
        at_ms: Some(row.first_at_ms),
        is_current: row.revision == pack.revision,
        open_tasks: row.open,
        tasks: row.tasks,
    };
    let mut revisions: Vec<Revision> = of_pack.map(revision).collect();
    if current.is_none() {
        let hash = pack.revision.clone();
        revisions.push(Revision {
            hash,
            at_ms: Some(pack.since.0),
            is_current: true,
            open_tasks: 0,
            tasks: 0,
        });
    }
    revisions.sort_by_key(|revision| std::cmp::Reverse((revision.is_current, revision.at_ms)));
    Pack { name, revisions }
}

/// The steps of a workflow before anything has begun.
pub(super) fn planned(workflow: &Workflow) -> Vec<Node> {
    workflow.steps.iter().map(node).collect()
}

fn node(step: &StepPlan) -> Node {
    let detail = match &step.doer {
        Doer::Role { role, fallback: None } => role.name.to_string(),
        Doer::Role { role, fallback: Some(other) } => format!("{}, else {}", role.name, other.name),
        Doer::Person(_) => "a person".to_owned(),
        Doer::Crew(crew) => format!("crew of {}", crew.roles().count()),
    };
    Node {
        name: step.name.to_string(),
        detail: if step.each.is_some() { format!("{detail}, each") } else { detail },
        state: "planned".to_owned(),
        after: step.after.iter().map(ToString::to_string).collect(),
        items: if step.each.is_some() { 2 } else { 0 },
        is_person: matches!(step.doer, Doer::Person(_)),
        address: String::new(),
    }
}
