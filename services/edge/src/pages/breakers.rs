//! Circuit breakers: what is held back, since when, by whom, until when.

use maud::{Markup, html};

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Live},
    text,
};

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Breakers {
    /// Those that are not closed first.
    pub rows: Vec<BreakerRow>,
    /// Whether the person may hold one open or closed.
    pub can_steer: bool,
}

/// One breaker.
#[derive(Debug, Clone, Default)]
pub struct BreakerRow {
    /// `role.<name>`, `model.<name>` or `tool.<name>`.
    pub target: String,
    /// As one word or two.
    pub state: String,
    /// Since when; `None` while nothing holds it.
    pub since_ms: Option<u64>,
    /// When it is tried again.
    pub until_ms: Option<u64>,
    /// Processes that say so.
    pub reporters: Vec<String>,
    /// The process that may probe.
    pub probe: String,
    /// What the last failures said.
    pub reason: String,
    /// Who holds it by hand, and why.
    pub forced_by: String,
}

/// The page.
#[must_use]
pub fn page(chrome: &Chrome, view: &Breakers) -> Page {
    let live =
        Live { id: "breakers", topics: "breakers".to_owned(), address: "/breakers".to_owned() };
    let body = part::live(
        &live,
        &html! {
            section.card {
                @if view.rows.is_empty() { (part::empty(Icon::Breakers, "Every breaker is closed", &html! { "A breaker appears here when calls of a role, model or tool keep failing. Steps then wait, and burn no attempts." })) }
                @for row in &view.rows { (one(chrome, view, row)) }
            }
        },
    );
    Page {
        command: "cadre breaker ls --all".to_owned(),
        ..Page::new("Circuit breakers", "/breakers", body)
    }
}

fn one(chrome: &Chrome, view: &Breakers, row: &BreakerRow) -> Markup {
    let (kind, name) = row.target.split_once('.').unwrap_or(("", &row.target));
    html! {
        article.breaker {
            div.grow {
                div.row { (part::pill(&row.state)) h2 { (name) } span.tag { (kind) } }
                @if !row.reason.is_empty() { p { (row.reason) } }
                p.mute {
                    @if let Some(since) = row.since_ms { "for " (text::since(since, chrome.now_ms)) }
                    @if let Some(until) = row.until_ms { " · tried again in " (text::until(until, chrome.now_ms)) }
                    @if !row.reporters.is_empty() { " · reported by " (row.reporters.join(", ")) }
                    @if !row.probe.is_empty() { " · " (row.probe) " may probe" }
                    @if !row.forced_by.is_empty() { " · held by " (row.forced_by) }
                }
            }
            @if view.can_steer { (wishes(chrome, row)) }
        }
    }
}

fn wishes(chrome: &Chrome, row: &BreakerRow) -> Markup {
    let address = format!("/breakers/{}", row.target);
    let is_forced = row.state.starts_with("forced");
    html! {
        form.acts method="post" action=(address) hx-post=(address) hx-target="#toasts" {
            (chrome.csrf_field())
            @if is_forced { button.btn.tiny name="wish" value="reset" { "Let go" } }
            @else {
                button.btn.tiny name="wish" value="open" { "Hold open" }
                button.btn.tiny name="wish" value="close" { "Hold closed" }
                button.btn.tiny name="wish" value="reset" { "Reset" }
            }
        }
    }
}
