//! What a run came to, as a table and as data.

use std::{collections::BTreeMap, time::Duration};

use cadre_core::check::Verdict;
use serde::Serialize;

use super::{book::Counts, director::Faults, story::Story};
use crate::{
    commands::check,
    output::{self, Format, text::span},
};

/// Tasks of a run.
#[derive(Debug, Serialize)]
pub(super) struct Tasks {
    published: usize,
    accepted: usize,
    ended: BTreeMap<&'static str, usize>,
}

impl Tasks {
    /// Those that have not ended.
    pub(super) fn open(&self) -> usize {
        self.published.saturating_sub(self.ended.values().sum())
    }
}

/// Calls of roles.
#[derive(Debug, Serialize)]
struct Calls {
    /// What a run without faults makes.
    undisturbed: usize,
    /// Results that the log holds, each accepted once.
    results: usize,
    /// Of these, by the fallback.
    degraded: usize,
    begun: usize,
    made: usize,
    /// By the role that was broken.
    refused: usize,
    /// Orders that came again.
    redelivered: usize,
    /// Attempts that were made again.
    retried: usize,
}

/// How long it took until what a fault had met went on.
#[derive(Debug, Serialize)]
struct Recovery {
    fault: &'static str,
    count: usize,
    p50_ms: u128,
    max_ms: u128,
}

/// What a run came to.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    seed: u64,
    took_s: f64,
    pub(super) tasks: Tasks,
    faults: Faults,
    calls: Calls,
    recoveries: Vec<Recovery>,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    figures: &'a Figures,
    records: u64,
    violations: u64,
}

impl Figures {
    pub(super) fn of(
        seed: u64,
        story: &Story,
        (published, undisturbed): (usize, usize),
        mut faults: Faults,
    ) -> Self {
        let took_s = story.elapsed().as_secs_f64();
        let (counts, recoveries) =
            story.read(|book| (book.counts.clone(), book.recoveries.clone()));
        let Counts { accepted, ended, results, degraded, redelivered, retried, expired, .. } =
            counts;
        faults.insert("approval expired", expired);
        let calls = Calls {
            undisturbed,
            results,
            degraded,
            begun: counts.calls_begun,
            made: counts.calls_made,
            refused: counts.calls_refused,
            redelivered,
            retried,
        };
        let recoveries = recoveries.into_iter().map(recovery).collect();
        Self {
            seed,
            took_s,
            tasks: Tasks { published, accepted, ended },
            faults,
            calls,
            recoveries,
        }
    }
}

fn recovery((fault, mut took): (&'static str, Vec<Duration>)) -> Recovery {
    took.sort_unstable();
    let ms = |index: usize| took.get(index).map_or(0, Duration::as_millis);
    let last = took.len().saturating_sub(1);
    Recovery { fault, count: took.len(), p50_ms: ms(last / 2), max_ms: ms(last) }
}

/// Prints figures and verdict.
pub(super) fn print(figures: &Figures, verdict: &Verdict, format: Format) -> anyhow::Result<()> {
    let document =
        Document { figures, records: verdict.counts.records, violations: verdict.violations_total };
    match format {
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(&figures.seed.to_string())?),
        Format::Table => people(figures, verdict),
    }
}

fn people(figures: &Figures, verdict: &Verdict) -> anyhow::Result<()> {
    let Figures { tasks, faults, calls, recoveries, .. } = figures;
    output::say("");
    let named = |counts: &BTreeMap<&'static str, usize>| {
        let counts: Vec<_> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        counts.join(", ")
    };
    let row =
        |name: &str, count: usize, text: String| vec![name.to_owned(), count.to_string(), text];
    let Calls { undisturbed, results, degraded, begun, made, refused, redelivered, retried } =
        calls;
    let made_more = made.saturating_sub(*results);
    output::table(
        &["what", "count", ""],
        &[
            row("tasks", tasks.published, named(&tasks.ended)),
            row("faults", faults.values().sum(), named(faults)),
            row("calls undisturbed", *undisturbed, "what a run without faults makes".to_owned()),
            row(
                "results accepted",
                *results,
                format!("each once; {degraded} of them by the fallback"),
            ),
            row(
                "calls begun",
                *begun,
                format!("{redelivered} of them delivered again, {retried} retries"),
            ),
            row(
                "calls made",
                *made,
                format!("{made_more} of them for nothing, {refused} more were refused"),
            ),
        ],
    )?;
    output::data("")?;
    let rows: Vec<_> = recoveries
        .iter()
        .map(|Recovery { fault, count, p50_ms, max_ms }| {
            let ms =
                |ms: &u128| span(Duration::from_millis(u64::try_from(*ms).unwrap_or(u64::MAX)));
            vec![(*fault).to_owned(), count.to_string(), ms(p50_ms), ms(max_ms)]
        })
        .collect();
    output::table(&["recovery", "count", "p50", "max"], &rows)?;
    output::data("")?;
    check::people(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_worst_are_named() {
        let took = [3, 1, 2].map(Duration::from_secs).to_vec();
        let Recovery { count, p50_ms, max_ms, .. } = recovery(("x", took));
        assert_eq!((count, p50_ms, max_ms), (3, 2_000, 3_000));
        assert_eq!(recovery(("x", Vec::new())).max_ms, 0);
    }
}
