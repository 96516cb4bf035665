//! The first page.

use axum::response::Response;
use cadre_core::watch::{Alert, Kind, Severity};

use super::{Oops, OrOops as _, Visit, or_empty, tasks};
use crate::{
    model::{
        Status, TaskFilter,
        sums::{FailureRow, Minute, Overview as Sums},
    },
    pages::{
        overview::{FailureGroup, Figure, Need, Overview, page},
        text::{percent, span, usd, whole},
    },
};

/// Open tasks that are shown.
const OPEN_SHOWN: u32 = 8;

/// Groups of failures that are shown.
const FAILURES_SHOWN: usize = 8;

pub(super) async fn show(visit: Visit) -> Result<Response, Oops> {
    let (model, scope) = (visit.app.model(), visit.identity.scope());
    let sums = model.overview(scope).await.or_oops(&visit)?;
    let open = TaskFilter {
        statuses: Status::ALL.into_iter().filter(|status| !status.is_end()).collect(),
        ..TaskFilter::default()
    };
    let running = model.tasks(scope, &open, None, OPEN_SHOWN).await.or_oops(&visit)?;
    // Alerts tell of every tenant; and without the bus the read model's own findings are still shown.
    let alerts = match scope {
        None => visit.app.desk().alerts().await.unwrap_or_default(),
        Some(_) => Vec::new(),
    };
    let view = Overview {
        needs: needs_of(&alerts, &sums),
        figures: figures_of(&sums),
        failures: sums.failures.iter().take(FAILURES_SHOWN).map(failure).collect(),
        running: running.rows.into_iter().map(tasks::row).collect(),
    };
    visit.show(&page(&visit.chrome(), &view)).await
}

/// What needs a person, the most urgent first: open alerts, and what the read model has found beside them.
#[must_use]
pub fn needs_of(alerts: &[Alert], sums: &Sums) -> Vec<Need> {
    let mut needs: Vec<Need> = alerts.iter().map(told).collect();
    let is_told = |kind: Kind, subject: &str| {
        alerts.iter().any(|alert| alert.key.kind == kind && alert.key.subject == subject)
    };
    for row in sums.stuck.iter().filter(|row| !is_told(Kind::Stuck, &row.task)) {
        needs.push(Need {
            severity: Severity::Critical.as_str().to_owned(),
            title: format!("Stuck: {}", row.excerpt),
            text: or_empty(row.waits_text.clone()),
            since_ms: row.due_at_ms.unwrap_or(row.updated_at_ms),
            address: format!("/tasks/{}", row.task),
        });
    }
    for row in &sums.questions {
        needs.push(Need {
            severity: Severity::Warning.as_str().to_owned(),
            title: row.question.clone(),
            text: format!("{} waits for a decision in {}", row.workflow, row.step),
            since_ms: row.asked_at_ms,
            address: "/approvals".to_owned(),
        });
    }
    for row in sums.budgets_near.iter().filter(|row| !is_told(Kind::BudgetNear, &row.task)) {
        needs.push(Need {
            severity: Severity::Warning.as_str().to_owned(),
            title: format!("Budget nearly used: {}", row.excerpt),
            text: format!("{} of {}", usd(row.cost_micros), usd(row.cost_max_micros.unwrap_or(0))),
            since_ms: row.updated_at_ms,
            address: format!("/tasks/{}", row.task),
        });
    }
    needs.sort_by_key(|need| need.severity != Severity::Critical.as_str());
    needs
}

fn told(alert: &Alert) -> Need {
    let subject = &alert.key.subject;
    let name = subject.split_once('.').map_or(subject.as_str(), |(_, name)| name);
    let (title, address) = match alert.key.kind {
        Kind::Stuck => ("A task is stuck".to_owned(), format!("/tasks/{subject}")),
        Kind::BudgetNear => ("A budget is nearly used".to_owned(), format!("/tasks/{subject}")),
        Kind::BudgetOver => ("A task has met a limit".to_owned(), format!("/tasks/{subject}")),
        Kind::QuestionExpiring => ("A question expires soon".to_owned(), "/approvals".to_owned()),
        Kind::Unserved => (format!("Nobody does the work of {name}"), "/agents".to_owned()),
        Kind::Errors => (format!("{name} keeps failing"), "/agents".to_owned()),
        Kind::Backlog => (format!("The backlog of {name} grows"), "/bus".to_owned()),
        Kind::BreakerOpen => (format!("The breaker of {name} is open"), "/breakers".to_owned()),
        Kind::DeadLetters => ("Messages were given up".to_owned(), "/dlq".to_owned()),
        Kind::StreamFull => (format!("Stream {subject} is nearly full"), "/bus".to_owned()),
    };
    Need {
        severity: alert.severity.as_str().to_owned(),
        title,
        text: format!("{} {}", alert.text, alert.next),
        since_ms: alert.since.0,
        address,
    }
}

/// How the last hour was.
#[must_use]
pub fn figures_of(sums: &Sums) -> Vec<Figure> {
    let past = |value: fn(&Minute) -> u64| sums.minutes.iter().map(value).collect::<Vec<u64>>();
    let hour = &sums.hour;
    let open: u64 = sums
        .counts
        .by_status
        .iter()
        .filter(|(status, _)| !status.is_end())
        .map(|(_, count)| count)
        .sum();
    let ended = hour.completed + hour.failed;
    let figure = |name: &str, (value, rest): (String, &str), past: Vec<u64>, tone: &str| Figure {
        name: name.to_owned(),
        value,
        rest: rest.to_owned(),
        past,
        tone: tone.to_owned(),
    };
    let p95 = hour.p95_ms.map_or("–".to_owned(), span);
    let share = match hour.failed {
        0 => "in an hour".to_owned(),
        failed => format!("{} % of all", percent(failed, ended)),
    };
    vec![
        figure("Completed", (whole(hour.completed), "in an hour"), past(|at| at.completed), "ok"),
        figure("Failed", (whole(hour.failed), &share), past(|at| at.failed), "bad"),
        figure("Open", (whole(open), "tasks"), past(|at| at.accepted), "run"),
        figure("p95 duration", (p95, ""), past(|at| at.p95_ms.unwrap_or(0)), "idle"),
        figure("Spent", (usd(hour.cost_micros), "in an hour"), past(|at| at.cost_micros), "idle"),
    ]
}

fn failure(row: &FailureRow) -> FailureGroup {
    let place = match &row.step {
        Some(step) => format!("{} · {step}", row.workflow),
        None => row.workflow.clone(),
    };
    FailureGroup {
        text: format!("{}: {}", row.kind, row.text),
        place,
        count: row.tasks,
        last_ms: row.last_at_ms,
        task: row.last_task.clone(),
    }
}
