//! Who did what.

use axum::{extract::Query as Asked, response::Response};
use cadre_core::{
    audit::{Entry, Query, Spot},
    ids::TaskId,
};
use serde::Deserialize;

use super::{Oops, OrOops as _, Visit};
use crate::{
    http::{Problem, audit_chain},
    pages::audit::{Audit, AuditRow, page},
};

/// Entries of one page.
const SHOWN: usize = 50;

#[derive(Debug, Deserialize)]
pub(super) struct AuditQuery {
    /// Where the page begins.
    before: Option<String>,
    /// Only about this task.
    task: Option<String>,
}

pub(super) async fn list(visit: Visit, Asked(asked): Asked<AuditQuery>) -> Result<Response, Oops> {
    let before = asked.before.as_deref().map(str::parse::<Spot>).transpose();
    let task = asked.task.as_deref().map(TaskId::parse).transpose();
    let query = Query {
        chain: audit_chain(&visit.identity, None).or_oops(&visit)?,
        task: task.map_err(Problem::malformed).or_oops(&visit)?,
        before: before.map_err(Problem::malformed).or_oops(&visit)?,
        ..Query::newest(SHOWN)
    };
    let about = query.task.as_ref().map(|task| format!("task={task}&")).unwrap_or_default();
    let found = visit.app.desk().audit(query).await.or_oops(&visit)?;
    let verdict = match found.unread {
        0 => String::new(),
        1 => "One line here cannot be read: run cadre audit verify.".to_owned(),
        lines => format!("{lines} lines here cannot be read: run cadre audit verify."),
    };
    let view = Audit {
        rows: found.entries.into_iter().map(|(_, entry)| row(entry)).collect(),
        next: found.next.map(|spot| format!("/audit?{about}before={spot}")),
        verdict,
        address: match (&asked.before, about.trim_end_matches('&')) {
            (Some(_), _) => String::new(),
            (None, "") => "/audit".to_owned(),
            (None, about) => format!("/audit?{about}"),
        },
        task: asked.task.unwrap_or_default(),
    };
    visit.show(&page(&visit.chrome(), &view)).await
}

fn row(entry: Entry) -> AuditRow {
    let task = entry.task().unwrap_or_default().to_owned();
    let step = entry.object.strip_prefix(&format!("task/{task}/")).map(str::to_owned);
    let tenant = entry.chain.strip_prefix("tenant.").unwrap_or("every tenant").to_owned();
    AuditRow {
        number: entry.number,
        at_ms: entry.at.0,
        by: entry.actor,
        what: entry.action.replace('_', " "),
        of: step.unwrap_or(if task.is_empty() { entry.object } else { String::new() }),
        reason: entry.reason,
        task,
        tenant,
        hash: entry.hash.to_string(),
    }
}
