//! `cadre breaker ls`: breakers as the fleet knows them.

use cadre_core::{
    breaker::{ForcedTo, Hint, port::BreakerBoard as _, quorum},
    limits::BREAKER_POD_LIVES_FOR,
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
    let live_pods = live_pods(&content, now);
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

pub(super) fn live_pods(content: &BoardContent, now: UnixMillis) -> usize {
    content.pods.iter().filter(|(_, at)| now.since(*at) < BREAKER_POD_LIVES_FOR).count()
}

/// A hint as every pod sees it that has no calls of its own.
pub(super) fn row(hint: &Hint, live_pods: usize, now: UnixMillis) -> Row {
    let reporters: Vec<_> = hint.witnesses(now).map(|one| one.pod.to_string()).collect();
    let opening = hint.opening.as_ref().filter(|_| !reporters.is_empty());
    let held = hint.held(now);
    let state = match (held.map(|forced| forced.to), opening) {
        (Some(ForcedTo::Open), _) => "forced open",
        (Some(ForcedTo::Closed), _) => "forced closed",
        (None, None) => "closed",
        (None, Some(_)) if reporters.len() < quorum(live_pods) => "reported",
        (None, Some(opening)) if opening.until > now => "open",
        (None, Some(_)) => "half-open",
    };
    let times = match (held, opening) {
        (Some(forced), _) => Some((forced.since, forced.until)),
        (None, Some(opening)) => Some((opening.since, opening.until)),
        (None, None) => None,
    };
    let reason = match (held, opening) {
        (Some(forced), _) => Some(forced.reason.clone()),
        (None, opening) => opening.map(|opening| opening.reason.to_string()),
    };
    Row {
        target: hint.target.to_string(),
        state,
        since: times.map(|(since, _)| since.to_string()),
        until: times.map(|(_, until)| until.to_string()),
        reporters,
        probe: hint.lease(now).map(|lease| lease.pod.to_string()),
        reason,
        forced_by: held.map(|forced| forced.by.clone()),
        age: times.map_or("-".to_owned(), |(since, _)| format!("{} ago", span(now.since(since)))),
        left: times.map_or("-".to_owned(), |(_, until)| match until > now {
            true => format!("in {}", span(until.since(now))),
            false => format!("{} ago", span(now.since(until))),
        }),
    }
}

#[cfg(test)]
mod tests {
    use cadre_core::breaker::{Forced, Opening, Reporter, Target};

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
