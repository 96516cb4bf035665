//! What a suite came to, for people and programs.

use std::collections::BTreeMap;

use cadre_core::eval::{CaseScore, Change, Totals};
use serde::Serialize;

use super::folder::Folder;
use crate::{
    exit::{Code, Failure},
    output::{
        self, Format,
        text::{clean, usd},
    },
};

/// What one case came to.
#[derive(Debug, Serialize)]
pub(super) struct Scored {
    #[serde(flatten)]
    pub(super) score: CaseScore,
    /// What its tries missed.
    pub(super) missed: Vec<String>,
}

/// What a suite came to.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    suite: String,
    workflow: String,
    revision: String,
    /// Worse than the baseline; without one: a try has missed something.
    regressed: bool,
    totals: Totals,
    cases: BTreeMap<String, Scored>,
    /// What is not as in the baseline; null without one.
    changes: Option<Vec<Change>>,
}

impl Report {
    pub(super) fn new(
        (folder, revision): (&Folder, String),
        cases: BTreeMap<String, Scored>,
        changes: Option<Vec<Change>>,
    ) -> Self {
        let scores = cases.iter().map(|(name, case)| (name.clone(), case.score.clone())).collect();
        let regressed = match &changes {
            Some(changes) => changes.iter().any(|change| change.is_regress),
            None => cases.values().any(|case| !case.score.is_passed_always()),
        };
        Self {
            suite: folder.path.display().to_string(),
            workflow: folder.workflow.name.to_string(),
            revision,
            regressed,
            totals: Totals::of(&scores),
            cases,
            changes,
        }
    }

    /// Fails when it is worse than it must be.
    ///
    /// # Errors
    /// [`Code::Regressed`].
    pub(super) fn verdict(&self) -> anyhow::Result<()> {
        if !self.regressed {
            return Ok(());
        }
        let text = match &self.changes {
            Some(_) => format!(
                "suite {} is worse than its baseline; if this is right, keep it: --write-baseline",
                self.suite
            ),
            None => format!("suite {} does not come to what is expected", self.suite),
        };
        Err(Failure::new(Code::Regressed, text).into())
    }

    pub(super) fn print(&self, format: Format) -> anyhow::Result<()> {
        match format {
            Format::Json => output::json(self),
            Format::Ndjson => output::ndjson(self),
            Format::Id => {
                let mut worse = self.cases.keys().filter(|name| self.is_worse(name));
                Ok(worse.try_for_each(|name| output::data(&clean(name)))?)
            }
            Format::Table => self.table(),
        }
    }

    fn is_worse(&self, name: &str) -> bool {
        match &self.changes {
            Some(changes) => changes.iter().any(|it| it.is_regress && it.case == name),
            None => self.cases.get(name).is_some_and(|case| !case.score.is_passed_always()),
        }
    }

    fn table(&self) -> anyhow::Result<()> {
        let rows = self.cases.iter().map(|(name, Scored { score, .. })| {
            let tries = u64::from(score.tries.max(1));
            let tools = score.tools_in_order_permille.zip(score.tools_any_order_permille);
            let percent = |permille: u32| u64::from(permille) / tries / 10;
            let tools = tools.map(|(order, any)| format!("{}/{} %", percent(order), percent(any)));
            vec![
                clean(name),
                format!("{}/{}", score.passed, score.tries),
                format!("{}/{}", score.valid, score.answered),
                tools.unwrap_or_else(|| "-".to_owned()),
                (score.steps / tries).to_string(),
                score.wrong_turns.to_string(),
                score.loops.to_string(),
                usd(score.usd_micros / tries),
                format!("{} ms", score.latency_ms / tries),
                if self.is_worse(name) { "WORSE" } else { "" }.to_owned(),
            ]
        });
        let header =
            ["case", "passed", "valid", "tools", "steps", "wrong", "loops", "cost", "latency", ""];
        output::table(&header, &rows.collect::<Vec<_>>())?;
        let missed = self.cases.iter().flat_map(|(name, case)| {
            case.missed.iter().map(move |why| clean(&format!("  {name}, {why}")))
        });
        lines("\nmissed:", missed)?;
        let changes = self.changes.iter().flatten().map(|it| {
            let mark = if it.is_regress { "!" } else { " " };
            let before =
                if it.before.is_empty() { String::new() } else { format!("{} -> ", it.before) };
            clean(&format!("{mark} {}: {}: {before}{}", it.case, it.what, it.after))
        });
        lines("\nsince the baseline:", changes)?;
        Ok(output::data(&format!("\n{}", self.summary()))?)
    }

    fn summary(&self) -> String {
        let Totals { cases, tries, success_rate, contract_validity, pass_k, .. } = &self.totals;
        let Totals { wrong_turns, loops, usd_micros, latency_ms, steps, .. } = &self.totals;
        let tools = self.totals.tools_in_order.zip(self.totals.tools_any_order);
        let tools =
            tools.map(|(order, any)| format!(", tools {order} in order, {any} in any order"));
        format!(
            "{cases} cases, {tries} tries: success {success_rate}, pass^k {pass_k}, valid {contract_validity}\
             {}; a try: {steps} steps, {latency_ms} ms; in all {wrong_turns} wrong turns, {loops} loops, {}",
            tools.unwrap_or_default(),
            usd(*usd_micros)
        )
    }
}

/// A heading and what stands below it; nothing when that is nothing.
fn lines(heading: &str, lines: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        output::data(heading)?;
    }
    Ok(lines.try_for_each(|line| output::data(&line))?)
}
