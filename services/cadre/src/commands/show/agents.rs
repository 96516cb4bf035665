//! `cadre show agents`: the roles of the page Agents; its processes are `cadre bus members`.

use std::time::Duration;

use cadre_core::{ports::desk::Desk as _, time::UnixMillis};
use cadre_edge::pages::{agents::RoleRow, roles_of};
use clap::Args;
use serde::Serialize;

use super::{Folded, ScopeArgs, failed};
use crate::{
    output::{self, Listing, OutputArgs, text::span},
    settings::Settings,
};

/// How far back attempts are counted, as on the page.
const WINDOW: Duration = Duration::from_secs(3_600);

/// List roles: what is in flight and queued, how long it takes, what fails. Attempts, errors and times are of the last
/// hour.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre show agents
  cadre show agents --all-tenants -o json | jq '.[] | select(.errors > 0)'")]
pub(super) struct AgentsArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// One role as it is printed.
#[derive(Debug, Serialize)]
struct Row {
    role: String,
    breaker: String,
    in_flight: u64,
    concurrency: u64,
    queued: Option<u64>,
    free: Option<u64>,
    p50_ms: Option<u64>,
    p95_ms: Option<u64>,
    attempts: u64,
    errors: u64,
    restarts: u64,
}

impl From<RoleRow> for Row {
    fn from(row: RoleRow) -> Self {
        Self {
            role: row.name,
            breaker: row.breaker,
            in_flight: row.in_flight,
            concurrency: row.concurrency,
            queued: row.queued,
            free: row.free,
            p50_ms: row.p50_ms,
            p95_ms: row.p95_ms,
            attempts: row.attempts,
            errors: row.errors,
            restarts: row.restarts,
        }
    }
}

pub(super) async fn run(args: &AgentsArgs, settings: &Settings) -> anyhow::Result<()> {
    let folded = Folded::open(&args.scope, settings).await?;
    let (model, desk) = (folded.model(), &folded.desk);
    let window = u64::try_from(WINDOW.as_millis()).unwrap_or(u64::MAX);
    let since = UnixMillis(model.now().0.saturating_sub(window));
    let rows = model.agents(folded.scope(), since).await.map_err(|error| failed(&error))?;
    // What the bus says is beside what is known: without it the columns are empty.
    let (bus, breakers) = (desk.bus().await.ok(), desk.breakers().await.unwrap_or_default());
    let members = desk.members().await.unwrap_or_default();
    let rows = roles_of(rows, bus.as_ref(), (&breakers, &members));
    let rows: Vec<_> = rows.into_iter().map(Row::from).collect();
    folded.close().await;
    output::list(args.output.format(settings), &rows, &listing())
}

fn listing() -> Listing<'static, Row> {
    Listing {
        header: &[
            "role",
            "breaker",
            "in flight",
            "queued",
            "free",
            "p50",
            "p95",
            "attempts",
            "errors",
            "restarts",
        ],
        row: |row| {
            let number = |value: Option<u64>| value.map_or("-".to_owned(), |it| it.to_string());
            let time = |value: Option<u64>| {
                value.map_or("-".to_owned(), |ms| span(Duration::from_millis(ms)))
            };
            let flight = match row.concurrency {
                0 => row.in_flight.to_string(),
                most => format!("{}/{most}", row.in_flight),
            };
            vec![
                row.role.clone(),
                row.breaker.clone(),
                flight,
                number(row.queued),
                number(row.free),
                time(row.p50_ms),
                time(row.p95_ms),
                row.attempts.to_string(),
                row.errors.to_string(),
                row.restarts.to_string(),
            ]
        },
        id: |row| row.role.clone(),
    }
}
