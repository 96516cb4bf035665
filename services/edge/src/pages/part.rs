//! Parts that several pages share: states, meters, sparklines, empty lists, hints.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::{icon::Icon, text};

/// What a state means for whoever looks, as a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Ok,
    Run,
    Wait,
    Bad,
    Idle,
}

impl Tone {
    /// The class that sets the colour.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Ok => "s-ok",
            Self::Run => "s-run",
            Self::Wait => "s-wait",
            Self::Bad => "s-bad",
            Self::Idle => "s-idle",
        }
    }
}

/// Colour and icon of a task's, step's or breaker's state; unknown words are shown plainly.
pub(super) fn look(state: &str) -> (Tone, Icon) {
    match state {
        "completed" | "closed" | "granted" | "ok" | "delivered" => (Tone::Ok, Icon::Done),
        "running" | "dispatched" | "aggregating" | "compensating" => (Tone::Run, Icon::Running),
        "waiting" | "delayed" | "half-open" | "reported" | "warning" | "restarting" => {
            (Tone::Wait, Icon::Waiting)
        }
        "paused" => (Tone::Wait, Icon::Paused),
        "partial" | "unsure" => (Tone::Wait, Icon::Partial),
        "failed" | "open" | "forced open" | "damaged" | "denied" | "critical" | "parked" => {
            (Tone::Bad, Icon::Failed)
        }
        "incomplete" | "expired" | "stuck" => (Tone::Bad, Icon::Warning),
        _ => (Tone::Idle, Icon::Stopped),
    }
}

/// A state as icon and word.
pub(super) fn state(word: &str) -> Markup {
    let (tone, icon) = look(word);
    let is_turning = matches!(icon, Icon::Running);
    html! { span.st.(tone.class()).turning[is_turning] { (icon.draw()) (word) } }
}

/// A state as a pill, for headings.
pub(super) fn pill(word: &str) -> Markup {
    let (tone, icon) = look(word);
    let is_turning = matches!(icon, Icon::Running);
    html! { span.st.pill.(tone.class()).turning[is_turning] { (icon.draw()) (word) } }
}

/// How much of a limit is used and set aside; amber from four fifths, red when it is met.
pub(super) fn meter(used: u64, held: u64, limit: u64) -> Markup {
    let (share, all) =
        (text::percent(used, limit), text::percent(used.saturating_add(held), limit));
    let tone = match share {
        0..80 => "",
        80..100 => "s-wait",
        _ => "s-bad",
    };
    let label = format!("{share} % used");
    html! {
        svg.meter.(tone) role="img" aria-label=(label) preserveAspectRatio="none" {
            rect.rail width="100%" height="100%" rx="2.5" {}
            @if held > 0 { rect.held width={ (all.min(100)) "%" } height="100%" rx="2.5" {} }
            rect.used width={ (share.min(100)) "%" } height="100%" rx="2.5" {}
        }
    }
}

/// A small line of values over time; flat and empty without values.
pub(super) fn spark(values: &[u64], tone: Tone, label: &str) -> Markup {
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let last = values.len().saturating_sub(1).max(1);
    let mut line = String::new();
    for (index, value) in values.iter().enumerate() {
        let x = index as f64 * 100.0 / last as f64;
        let y = 28.0 - *value as f64 * 26.0 / most as f64;
        let _infallible = write!(line, "{}{x:.1} {y:.1}", if index == 0 { "M" } else { "L" });
    }
    html! {
        svg.spark.(tone.class()) role="img" aria-label=(label) viewBox="0 0 100 30" preserveAspectRatio="none" {
            @if values.len() > 1 {
                path.fill d={ (line) "L100 30L0 30Z" } {}
                path.stroke d=(line) {}
            }
        }
    }
}

/// One figure with its name, and whatever stands below it.
pub(super) fn kpi(name: &str, value: &str, rest: &str, below: &Markup) -> Markup {
    html! {
        div.kpi {
            small { (name) }
            b { (value) @if !rest.is_empty() { " " i { (rest) } } }
            (below)
        }
    }
}

/// A list or page that has nothing to show, and what would change that.
pub(super) fn empty(icon: Icon, title: &str, rest: &Markup) -> Markup {
    html! { div.empty { (icon.draw()) b { (title) } p { (rest) } } }
}

/// A sentence that should be read before the rest of the page.
pub(super) fn note(tone: Tone, body: &Markup) -> Markup {
    let icon = match tone {
        Tone::Bad | Tone::Wait => Icon::Warning,
        Tone::Ok => Icon::Done,
        Tone::Run | Tone::Idle => Icon::Note,
    };
    html! { div.note.(tone.class()) { (icon.draw()) (body) } }
}

/// Copies a text.
pub(super) fn copy(text: &str, what: &str) -> Markup {
    html! {
        button.copy type="button" data-copy=(text) title={ "Copy " (what) } aria-label={ "Copy " (what) } {
            (Icon::Copy.draw())
        }
    }
}

/// The command that shows the same thing.
pub(super) fn same(command: &str) -> Markup {
    html! {
        p.same { span { "On the command line" } code { (command) } (copy(command, "the command")) }
    }
}

/// To the next page of a list that is read by key, never by number.
pub(super) fn pager(shown: usize, noun: &str, next: Option<&str>) -> Markup {
    html! {
        div.pager {
            span { (text::count(shown as u64, noun)) " shown" }
            @if let Some(next) = next {
                a.btn.tiny href=(next) rel="next" { "Older" (Icon::Next.draw()) }
            }
        }
    }
}

/// A JSON document, whose parts the script colours; text from elsewhere stays text.
pub(super) fn document(json: &str) -> Markup {
    html! { pre.doc tabindex="0" role="group" aria-label="Document" { code { (json) } } }
}

/// The attributes of a part that fetches itself again when one of its topics is stale.
#[derive(Debug, Clone)]
pub(super) struct Live {
    /// The part's id, unique on the page.
    pub(super) id: &'static str,
    /// Topics of `/live`, separated by spaces.
    pub(super) topics: String,
    /// The page's own address, filters included.
    pub(super) address: String,
}

/// A part of a page that keeps itself up to date while it is in view, and the page's heading with it.
pub(super) fn live(live: &Live, body: &Markup) -> Markup {
    html! {
        div id=(live.id) data-live=(live.topics) hx-get=(live.address) hx-trigger="live"
            hx-select={ "#" (live.id) } hx-target="this" hx-swap="outerMorph"
            hx-select-oob="#head:outerMorph" { (body) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_warns_before_the_limit_is_met() {
        assert!(!meter(79, 0, 100).into_string().contains("s-wait"));
        assert!(meter(80, 0, 100).into_string().contains("s-wait"));
        let over = meter(150, 0, 100).into_string();
        assert!(over.contains("s-bad") && over.contains("150 % used") && over.contains("\"100%\""));
        assert!(meter(5, 0, 0).into_string().contains("0 % used"));
    }

    #[test]
    fn a_sparkline_needs_two_values() {
        assert!(!spark(&[3], Tone::Ok, "x").into_string().contains("path"));
        assert!(
            spark(&[0, 4, 2], Tone::Ok, "x")
                .into_string()
                .contains("M0.0 28.0L50.0 2.0L100.0 15.0")
        );
    }

    #[test]
    fn text_from_elsewhere_stays_text() {
        let hostile = "<script>alert(1)</script>";
        for page in [document(hostile), state(hostile), same(hostile), copy(hostile, hostile)] {
            assert!(!page.into_string().contains("<script"), "escaped");
        }
    }
}
