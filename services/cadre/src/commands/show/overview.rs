//! `cadre show overview`: the first page.

use cadre_core::{ports::desk::Desk as _, time::UnixMillis};
use cadre_edge::pages::{figures_of, needs_of};
use clap::Args;
use serde_json::json;

use super::{Folded, ScopeArgs, failed};
use crate::{
    output::{
        self, Format, OutputArgs,
        text::{brief, span},
    },
    settings::Settings,
};

/// Characters of a text in a table; `-o json` has all of it.
const TEXT_CHARS: usize = 120;

/// Show what needs a person, how the last hour was, and what failed within a day.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre show overview
  cadre show overview --all-tenants -o json | jq '.needs[] | select(.severity == \"critical\")'")]
pub(super) struct OverviewArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &OverviewArgs, settings: &Settings) -> anyhow::Result<()> {
    let folded = Folded::open(&args.scope, settings).await?;
    let sums = folded.model().overview(folded.scope()).await.map_err(|error| failed(&error))?;
    // Alerts tell of every tenant.
    let alerts = match folded.scope() {
        None => folded.desk.alerts().await.unwrap_or_default(),
        Some(_) => Vec::new(),
    };
    let (needs, now) = (needs_of(&alerts, &sums), folded.model().now());
    folded.close().await;
    let document = || {
        let needs = needs.iter().map(|need| {
            json!({"severity": need.severity, "title": need.title, "text": need.text, "since_ms": need.since_ms})
        });
        json!({"needs": needs.collect::<Vec<_>>(), "sums": sums})
    };
    match args.output.format(settings) {
        Format::Json => return output::json(&document()),
        Format::Ndjson => return output::ndjson(&document()),
        Format::Id => return needs.iter().try_for_each(|need| Ok(output::data(&need.title)?)),
        Format::Table => {}
    }
    let ago = |at: u64| format!("{} ago", span(now.since(UnixMillis(at))));
    let rows: Vec<_> = needs
        .iter()
        .map(|need| {
            let text = brief(&need.text, TEXT_CHARS);
            vec![need.severity.clone(), need.title.clone(), text, ago(need.since_ms)]
        })
        .collect();
    output::table(&["severity", "needs a person", "why", "since"], &rows)?;
    let rows: Vec<_> = figures_of(&sums)
        .into_iter()
        .map(|figure| vec![figure.name, figure.value, figure.rest])
        .collect();
    output::table(&["the last hour", "", ""], &rows)?;
    let rows: Vec<_> = sums
        .failures
        .iter()
        .map(|row| {
            let text = brief(&format!("{}: {}", row.kind, row.text), TEXT_CHARS);
            let place = row.step.as_deref().unwrap_or("the task itself");
            let place = format!("{} {place}", row.workflow);
            vec![row.tasks.to_string(), place, text, ago(row.last_at_ms), row.last_task.clone()]
        })
        .collect();
    Ok(output::table(&["failed", "where", "how, within a day", "last", "task"], &rows)?)
}
