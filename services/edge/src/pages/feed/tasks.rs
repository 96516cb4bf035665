//! The list of tasks.

use axum::{extract::Query, response::Response};
use cadre_core::{access::Act, ids::Name};
use serde::Deserialize;

use super::{Oops, OrOops as _, Visit, or_empty};
use crate::{
    model::{Cursor, Status, TaskFilter, rows},
    pages::tasks::{Filter, TaskRow, Tasks, page},
};

/// Rows of one page.
const ROWS: u32 = 50;

/// What stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    status: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    workflow: String,
    #[serde(default)]
    revision: String,
    #[serde(default)]
    failed: String,
    #[serde(default)]
    stuck: String,
    #[serde(default)]
    after: String,
}

impl Params {
    fn shown(&self) -> Filter {
        Filter {
            status: self.status.clone(),
            text: self.q.trim().to_owned(),
            workflow: self.workflow.clone(),
            revision: self.revision.clone(),
            has_failed: !self.failed.is_empty(),
            is_stuck: !self.stuck.is_empty(),
        }
    }
}

/// What the model is asked; words that name nothing do not filter.
pub(super) fn asked(filter: &Filter) -> TaskFilter {
    TaskFilter {
        statuses: filter.status.parse::<Status>().into_iter().collect(),
        workflow: Name::new(&filter.workflow).ok(),
        text: Some(filter.text.clone()).filter(|text| !text.is_empty()),
        revision: Some(filter.revision.clone()).filter(|digits| !digits.is_empty()),
        has_failed: filter.has_failed,
        is_stuck: filter.is_stuck,
        ..TaskFilter::default()
    }
}

pub(super) fn row(row: rows::TaskRow) -> TaskRow {
    let remark = match (row.problem, row.ended_at_ms) {
        (Some(problem), _) => problem,
        (None, Some(_)) if row.status != Status::Completed => or_empty(row.reason),
        (None, Some(_)) => String::new(),
        (None, None) => match row.waits_for.as_deref() {
            Some("role") | None => String::new(),
            Some(_) => or_empty(row.waits_text),
        },
    };
    let goal = if row.excerpt.is_empty() { row.key } else { row.excerpt };
    TaskRow {
        id: row.task,
        status: row.status.as_str().to_owned(),
        goal,
        workflow: row.workflow,
        tenant: row.tenant,
        remark,
        steps_done: row.steps_done.into(),
        steps_total: row.steps_total.into(),
        tokens: row.tokens,
        cost_micros: row.cost_micros,
        cost_limit_micros: row.cost_max_micros.unwrap_or(0),
        retries: row.retries.into(),
        fallbacks: row.fallbacks.into(),
        accepted_ms: row.accepted_at_ms,
        ended_ms: row.ended_at_ms,
        is_stuck: row.is_stuck,
    }
}

pub(super) async fn list(visit: Visit, Query(params): Query<Params>) -> Result<Response, Oops> {
    let (model, scope) = (visit.app.model(), visit.identity.scope());
    let filter = params.shown();
    let wanted = asked(&filter);
    let after = params.after.parse::<Cursor>().ok();
    let found = model.tasks(scope, &wanted, after, ROWS).await.or_oops(&visit)?;
    let counts = model.counts(scope, &wanted).await.or_oops(&visit)?;
    // Workflows to choose from are a convenience: without the bus the list is there all the same.
    let packs = visit.app.desk().packs().await.unwrap_or_default();
    let is_counted_partly = !counts.is_exact;
    let counts =
        counts.by_status.iter().map(|(status, count)| (status.as_str().to_owned(), *count));
    let view = Tasks {
        counts: counts.collect(),
        is_counted_partly,
        workflows: packs.iter().map(|pack| pack.name.to_string()).collect(),
        next: found.next.map(|cursor| cursor.to_string()),
        rows: found.rows.into_iter().map(row).collect(),
        filter,
        can_steer: visit.may(Act::Steer),
    };
    visit.show(&page(&visit.chrome(), &view)).await
}
