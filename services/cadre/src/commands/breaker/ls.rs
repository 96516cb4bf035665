//! `cadre breaker ls`: breakers as the fleet knows them.

use cadre_core::{
    breaker::{Hint, port::BreakerBoard as _},
    ports::desk::BreakerView,
    time::UnixMillis,
};
use cadre_nats::breakers::BoardContent;
use clap::Args;
use serde::Serialize;

use super::board;
use crate::{
    commands::client::{Client, unavailable},
    output::{
        self, Listing, OutputArgs,
        text::{brief, span},
    },
    settings::Settings,
};

/// Characters of a reason in a table.
const REASON_CHARS: usize = 60;

/// List breakers that the fleet knows something about.
///
/// open: no calls; half-open: its time is over, one probe decides; reported: open on the pods that
/// report it, too few for the others to follow.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre breaker ls
  cadre breaker ls --all -o json
  cadre breaker ls -o id | xargs -n1 cadre breaker reset")]
pub(super) struct LsArgs {
    /// Also those that are closed by now.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// One breaker.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    target: String,
    state: &'static str,
    /// None while nothing holds it.
    since: Option<String>,
    until: Option<String>,
    reporters: Vec<String>,
    /// Pod that may probe.
    probe: Option<String>,
    reason: Option<String>,
    forced_by: Option<String>,
    #[serde(skip)]
    age: String,
    #[serde(skip)]
    left: String,
}

pub(super) async fn run(args: &LsArgs, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let board = board(&client).await?;
    let content = board.content().await;
    let content = content.map_err(|error| unavailable(&error))?;
    let mut rows = rows(content, board.now());
    rows.retain(|row| args.all || row.state != "closed");
    output::list(args.output.format(settings), &rows, &listing())
}

pub(super) fn listing() -> Listing<'static, Row> {
    Listing {
        header: &["target", "state", "since", "until", "reporters", "forced by", "reason"],
        row: |row| {
            let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            let reporters = (!row.reporters.is_empty()).then(|| row.reporters.join(" "));
            let by = row.forced_by.as_ref().map(|by| brief(by, REASON_CHARS));
            let reason = row.reason.as_ref().map(|reason| brief(reason, REASON_CHARS));
            vec![
                row.target.clone(),
                row.state.to_owned(),
                row.age.clone(),
                row.left.clone(),
                or_dash(reporters),
                or_dash(by),
                or_dash(reason),
            ]
        },
        id: |row| row.target.clone(),
    }
}

fn rows(content: BoardContent, now: UnixMillis) -> Vec<Row> {
    let live_pods = content.live_pods(now);
    let hints = content.hints.into_iter();
    hints
        .filter_map(|(target, posted)| match posted.hint {
            Ok(hint) => Some(row(&hint.unwrap_or_else(|| Hint::new(target)), live_pods, now)),
            Err(error) => {
                output::say(&format!("breaker {target} is not listed: {error}"));
                None
            }
        })
        .collect()
}

/// A hint as every pod sees it that has no calls of its own.
pub(super) fn row(hint: &Hint, live_pods: usize, now: UnixMillis) -> Row {
    let view = BreakerView::of(hint, live_pods, now);
    Row {
        target: view.target.to_string(),
        state: view.state,
        since: view.since.map(|since| since.to_string()),
        until: view.until.map(|until| until.to_string()),
        reporters: view.reporters.iter().map(ToString::to_string).collect(),
        probe: view.probe.map(|pod| pod.to_string()),
        reason: view.reason,
        forced_by: view.forced_by,
        age: view.since.map_or("-".to_owned(), |since| format!("{} ago", span(now.since(since)))),
        left: view.until.map_or("-".to_owned(), |until| match until > now {
            true => format!("in {}", span(until.since(now))),
            false => format!("{} ago", span(now.since(until))),
        }),
    }
}

#[cfg(test)]
mod tests {
    use cadre_core::breaker::{Forced, ForcedTo, Opening, Reporter, Target};

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn hint(reporters: &[&str], until: u64) -> Hint {
        let target: Target = "role.extractor".parse().unwrap();
        let reporter = |name: &&str| Reporter {
            pod: name.parse().unwrap(),
            at: UnixMillis(990_000),
            until: UnixMillis(1_060_000),
        };
        Hint {
            opening: Some(Opening {
                since: UnixMillis(990_000),
                until: UnixMillis(until),
                row: 1,
                reason: "it failed".into(),
            }),
            reporters: reporters.iter().map(reporter).collect(),
            ..Hint::new(target)
        }
    }

    #[test]
    fn states_are_those_of_a_pod_that_follows() {
        let forced = |to| Forced {
            to,
            since: NOW,
            until: UnixMillis(NOW.0 + 1),
            by: "ann".to_owned(),
            reason: "a rollout".to_owned(),
        };
        for (hint, live, expected) in [
            (hint(&["a", "b"], 1_005_000), 3, "open"),
            (hint(&["a", "b"], 999_000), 3, "half-open"),
            (hint(&["a"], 1_005_000), 3, "reported"),
            (hint(&["a"], 1_005_000), 2, "open"),
            (hint(&[], 1_005_000), 2, "closed"),
            (hint(&["a", "b"], 999_000).force(forced(ForcedTo::Open)), 3, "forced open"),
            (hint(&["a", "b"], 999_000).force(forced(ForcedTo::Closed)), 3, "forced closed"),
            (hint(&["a", "b"], 999_000).reset(NOW), 3, "closed"),
        ] {
            let row = row(&hint, live, NOW);
            assert_eq!(row.state, expected, "{hint:?}");
            assert_eq!(row.forced_by.is_some(), expected.starts_with("forced"));
        }
    }

    #[test]
    fn a_row_says_when_by_whom_and_why() {
        let row = row(&hint(&["a", "b"], 1_005_000), 3, NOW);
        let cells = (listing().row)(&row);
        let expected =
            ["role.extractor", "open", "10.0 s ago", "in 5.0 s", "a b", "-", "it failed"];
        assert_eq!(cells, expected);
    }
}
