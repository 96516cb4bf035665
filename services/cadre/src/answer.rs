//! The answer of a task, for people: result, conflicts, what is missing, cost.
//!
//! Reads the document that is published on `answers.<tenant>.<workflow>.<task>`. Total: what is
//! missing or of another shape is left out, so an answer of a newer build prints as well.

mod brief;
mod note;
#[cfg(test)]
mod tests;
mod tree;

use std::time::Duration;

use cadre_core::task::EndStatus;
use serde_json::Value;

use crate::{
    exit::Code,
    output::{
        self, Look, Style,
        text::{brief, clean, count, span, usd, wrap},
    },
};

/// Lines are not made longer than this, since nobody reads them.
const WIDTH_MAX: usize = 100;

/// Characters of one value of a conflict.
const CLAIM_CHARS_MAX: usize = 120;

/// How the task of an answer ended; `None` when the document does not say.
#[must_use]
pub fn status(document: &Value) -> Option<EndStatus> {
    EndStatus::parse(document.get("status")?.as_str()?)
}

/// The exit code that goes with how a task ended; `None` for a completed one.
#[must_use]
pub fn code(status: EndStatus) -> Option<Code> {
    match status {
        EndStatus::Completed => None,
        EndStatus::Partial => Some(Code::TaskPartial),
        EndStatus::Failed | EndStatus::Cancelled | EndStatus::Incomplete => Some(Code::TaskFailed),
    }
}

/// Prints an answer, its findings made short, as wide as the terminal allows.
///
/// `more` is the command that shows what was left out; it is said when something was.
///
/// # Errors
/// [`output::Closed`].
pub fn print(document: &Value, more: &str) -> Result<(), output::Closed> {
    let width = output::width().map_or(WIDTH_MAX, usize::from).min(WIDTH_MAX);
    let short = brief::of(document);
    lines(&short, Style::detect(), width).iter().try_for_each(|line| output::data(line))?;
    if short != *document {
        output::say(&format!("every source and quote: {more}"));
    }
    Ok(())
}

/// An answer as lines of about `width` characters.
#[must_use]
pub fn lines(document: &Value, style: Style, width: usize) -> Vec<String> {
    let mut page = Page { lines: Vec::new(), style, width: width.clamp(20, WIDTH_MAX) };
    page.head(document);
    match document.get("result") {
        None | Some(Value::Null) => {}
        // What did not end well has no result, whatever stands in its place.
        Some(Value::Object(fields)) if fields.is_empty() && !is_done(document) => {}
        Some(result) => {
            page.heading("result");
            page.lines.extend(tree::lines(result, 2, page.width));
        }
    }
    page.conflicts(list(document, "conflicts"));
    page.missing(list(document, "missing"));
    page.degraded(list(document, "degraded"));
    page.figures(document);
    page.lines
}

fn is_done(document: &Value) -> bool {
    match status(document) {
        Some(EndStatus::Completed | EndStatus::Partial) => true,
        Some(EndStatus::Failed | EndStatus::Cancelled | EndStatus::Incomplete) | None => false,
    }
}

struct Page {
    lines: Vec<String>,
    style: Style,
    width: usize,
}

impl Page {
    fn heading(&mut self, text: &str) {
        self.lines.push(String::new());
        self.lines.push(self.style.paint(Look::Strong, text));
    }

    fn wrapped(&mut self, indent: usize, text: &str) {
        let gap = " ".repeat(indent);
        let width = self.width.saturating_sub(indent);
        self.lines.extend(wrap(text, width).into_iter().map(|line| format!("{gap}{line}")));
    }

    fn head(&mut self, document: &Value) {
        let word = clean(text(document, "status"));
        let look = match status(document) {
            Some(EndStatus::Completed) => Look::Good,
            Some(EndStatus::Partial) => Look::Warn,
            Some(EndStatus::Failed | EndStatus::Cancelled | EndStatus::Incomplete) | None => {
                Look::Bad
            }
        };
        let status = self.style.paint(look, &word);
        let (workflow, task) = (clean(text(document, "workflow")), clean(text(document, "task")));
        self.lines.push(format!("{status}  {workflow}  {task}"));
        self.wrapped(0, text(document, "reason"));
    }

    fn conflicts(&mut self, conflicts: &[Value]) {
        if conflicts.is_empty() {
            return;
        }
        self.heading(&format!("conflicts ({})", conflicts.len()));
        for conflict in conflicts {
            let (field, rule) = (clean(text(conflict, "field")), clean(text(conflict, "rule")));
            let is_resolved = conflict.get("winner").is_some_and(|winner| !winner.is_null());
            let end = match is_resolved {
                true => String::new(),
                false => self.style.paint(Look::Bad, "  unresolved"),
            };
            self.lines.push(format!("  {field}  (rule {rule}){end}"));
            if let Some(winner) = conflict.get("winner").filter(|winner| !winner.is_null()) {
                let line = format!("won   {}", claim(winner));
                let line = self.style.paint(Look::Good, &line);
                self.lines.push(format!("    {line}"));
            }
            for loser in list(conflict, "losers") {
                let line = self.style.paint(Look::Dim, &format!("lost  {}", claim(loser)));
                self.lines.push(format!("    {line}"));
            }
            self.wrapped(4, text(conflict, "why"));
        }
    }

    fn missing(&mut self, missing: &[Value]) {
        if missing.is_empty() {
            return;
        }
        self.heading(&format!("missing ({})", missing.len()));
        for absence in missing {
            let (step, cause) = (clean(text(absence, "step")), clean(text(absence, "cause")));
            match text(absence, "field") {
                "" => self.wrapped(2, &format!("{step}: {cause}")),
                field => self.wrapped(2, &format!("{}: {step}: {cause}", clean(field))),
            }
        }
    }

    fn degraded(&mut self, steps: &[Value]) {
        if steps.is_empty() {
            return;
        }
        let heading = self.style.paint(Look::Warn, &format!("degraded ({})", steps.len()));
        self.lines.extend([String::new(), heading]);
        for one in steps {
            let (step, role) = (clean(text(one, "step")), clean(text(one, "role")));
            let reason = clean(text(one, "reason"));
            self.wrapped(2, &format!("{step}: done by role {role}: {reason}"));
        }
    }

    fn figures(&mut self, document: &Value) {
        let number = |key: &str| document.get(key).and_then(Value::as_u64);
        let took = number("duration_ms").map(|ms| span(Duration::from_millis(ms)));
        let tokens = number("tokens").filter(|tokens| *tokens > 0);
        let parts = [
            number("steps").map(|steps| count(steps, "step")),
            took,
            number("usd_micros").map(usd),
            tokens.map(|tokens| count(tokens, "token")),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let separator = if self.style.has_glyphs { " · " } else { ", " };
        self.lines.push(String::new());
        self.lines.push(self.style.paint(Look::Dim, &parts.join(separator)));
    }
}

/// One side of a conflict: value, source, and what it was judged by.
fn claim(claim: &Value) -> String {
    let value = claim.get("value").unwrap_or(&Value::Null);
    let value = value.as_str().map_or_else(|| value.to_string(), |text| format!("{text:?}"));
    let mut line = brief(&value, CLAIM_CHARS_MAX);
    if let Some(as_of) = claim.get("as_of") {
        let as_of = as_of.as_str().map_or_else(|| as_of.to_string(), str::to_owned);
        line = format!("{line}  as of {}", brief(&as_of, CLAIM_CHARS_MAX));
    }
    if let Some(confidence) = claim.get("confidence").and_then(Value::as_f64) {
        line = format!("{line}  confidence {confidence:.2}");
    }
    format!("{line}  from {}", brief(text(claim, "from"), CLAIM_CHARS_MAX))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
