//! `cadre show spend`: the page Spend.

use std::time::Duration;

use cadre_core::time::UnixMillis;
use cadre_edge::model::{SpendBy, sums::SpendRow};
use clap::Args;

use super::{Folded, ScopeArgs, failed};
use crate::{
    output::{
        self, Listing, OutputArgs,
        text::{count, usd},
    },
    settings::Settings,
};

/// An hour of the read model, in milliseconds: spend is kept by it.
const HOUR_MS: u64 = 3_600_000;

/// Add up what was spent, the dearest first. Only models that answered are named: what a worker names no model for
/// stands without one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre show spend
  cadre show spend --by role --range 7d
  cadre show spend --by day,workflow --range 30d -o json")]
pub(super) struct SpendArgs {
    /// What it is added up by, with commas between: hour, day, tenant, workflow, role, model.
    #[arg(long, value_name = "WORDS", default_value = "model", value_delimiter = ',')]
    by: Vec<SpendBy>,
    /// How far back; whole hours count.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    range: Duration,
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: &SpendArgs, settings: &Settings) -> anyhow::Result<()> {
    let folded = Folded::open(&args.scope, settings).await?;
    let range = window(folded.model().now(), args.range);
    let rows = folded.model().spend(folded.scope(), range, &args.by).await;
    let rows = rows.map_err(|error| failed(&error))?;
    folded.close().await;
    output::list(args.output.format(settings), &rows, &listing())?;
    let total: u64 = rows.iter().map(|row| row.cost_micros).sum();
    let tokens: u64 = rows.iter().map(|row| row.tokens).sum();
    let range = humantime::format_duration(args.range);
    output::say(&format!("{} and {} in {range}", usd(total), count(tokens, "token")));
    Ok(())
}

/// Whole hours up to the present one, as the page has them.
fn window(now: UnixMillis, range: Duration) -> (UnixMillis, UnixMillis) {
    let until = now.0.div_ceil(HOUR_MS) * HOUR_MS;
    let millis = u64::try_from(range.as_millis()).unwrap_or(u64::MAX);
    (UnixMillis(until.saturating_sub(millis)), UnixMillis(until))
}

/// What a row is of, in the order in which it is added up.
fn name(row: &SpendRow) -> String {
    let from = row.from_ms.map(|at| UnixMillis(at).to_string());
    let names = [&row.tenant, &row.workflow, &row.role, &row.model];
    let named = |name: &String| if name.is_empty() { "(none)".to_owned() } else { name.clone() };
    let names = names.into_iter().flatten().map(named);
    from.into_iter().chain(names).collect::<Vec<_>>().join(" ")
}

fn listing() -> Listing<'static, SpendRow> {
    Listing {
        header: &["of", "cost", "tokens", "calls", "attempts", "failed"],
        row: |row| {
            vec![
                name(row),
                usd(row.cost_micros),
                row.tokens.to_string(),
                row.calls.to_string(),
                row.attempts.to_string(),
                row.failures.to_string(),
            ]
        },
        id: name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_with_the_hour_as_on_the_page() {
        let now = UnixMillis(10 * HOUR_MS + 1);
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        let of = |from: u64, until: u64| (UnixMillis(from * HOUR_MS), UnixMillis(until * HOUR_MS));
        assert_eq!(window(now, hours(1)), of(10, 11));
        assert_eq!(window(UnixMillis(10 * HOUR_MS), hours(4)), of(6, 10));
        assert_eq!(window(now, hours(1_000)), of(0, 11));
    }

    #[test]
    fn a_row_is_named_by_what_it_is_added_up_by() {
        let by = |role: Option<&str>, model: Option<&str>| SpendRow {
            role: role.map(str::to_owned),
            model: model.map(str::to_owned),
            ..SpendRow::default()
        };
        assert_eq!(name(&by(Some("reader"), Some("openai/x"))), "reader openai/x");
        assert_eq!(name(&by(None, Some(""))), "(none)");
        let hour = SpendRow { from_ms: Some(0), ..by(None, None) };
        assert_eq!(name(&hour), "1970-01-01T00:00:00.000Z");
    }
}
