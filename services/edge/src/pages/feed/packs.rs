//! Packs, their revisions, and what one of them does.

use axum::{extract::Query, response::Response};
use cadre_core::{
    ids::Name,
    ports::desk::PackView,
    workflow::{Doer, StepPlan, Workflow},
};
use serde::Deserialize;

use super::{Oops, OrOops as _, Visit};
use crate::{
    model::sums::RevisionRow,
    pages::{
        packs::{Pack, Packs, Revision, page},
        task::Node,
    },
};

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    pack: String,
}

pub(super) async fn list(visit: Visit, Query(params): Query<Params>) -> Result<Response, Oops> {
    let (model, scope, desk) = (visit.app.model(), visit.identity.scope(), visit.app.desk());
    let packs = desk.packs().await.or_oops(&visit)?;
    let pinned = model.revisions(scope, None).await.or_oops(&visit)?;
    let selected = if params.pack.is_empty() && packs.len() == 1 {
        packs.first().map(|pack| pack.name.to_string()).unwrap_or_default()
    } else {
        params.pack
    };
    let nodes = match Name::new(&selected) {
        Ok(name) => {
            desk.pack(&name, None).await.map(|pack| planned(&pack.workflow)).unwrap_or_default()
        }
        Err(_) => Vec::new(),
    };
    let packs = packs.iter().map(|pack| shown(pack, &pinned)).collect();
    let view = Packs { packs, selected, nodes };
    visit.show(&page(&visit.chrome(), &view)).await
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
