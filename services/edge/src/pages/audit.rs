//! The audit trail: who did what, and why.

use maud::{Markup, html};

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Live, Tone},
    text,
};

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Newest first.
    pub rows: Vec<AuditRow>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
    /// What is wrong with what was read; empty when nothing is.
    pub verdict: String,
    /// Where the page is fetched again when something is noted; empty for a page that stays as it is.
    pub address: String,
    /// Only about this task; empty for everything.
    pub task: String,
}

/// One record.
#[derive(Debug, Clone, Default)]
pub struct AuditRow {
    /// Its place in the chain.
    pub number: u64,
    /// When.
    pub at_ms: u64,
    /// Who.
    pub by: String,
    /// What.
    pub what: String,
    /// To what, beside the task: a step, a breaker, a letter; empty when there is nothing to say.
    pub of: String,
    /// Why.
    pub reason: String,
    /// The task; empty when it has none.
    pub task: String,
    /// Whose.
    pub tenant: String,
    /// Its hash.
    pub hash: String,
}

/// The page.
#[must_use]
pub fn page(chrome: &Chrome, view: &Audit) -> Page {
    let shown = html! {
        div.stack {
            @if !view.verdict.is_empty() { (part::note(Tone::Bad, &html! { p { (view.verdict) } })) }
            section.card {
                @if view.rows.is_empty() { (part::empty(Icon::Audit, "Nothing to audit yet", &html! { "Each decision that people or policies make is kept here, in a chain that shows any change." })) }
                @else { (table(chrome, view)) }
            }
        }
    };
    // Older pages stay as they are.
    let body = match view.address.as_str() {
        "" => shown,
        address => {
            let (topics, address) = ("audit".to_owned(), address.to_owned());
            part::live(&Live { id: "audit", topics, address }, &shown)
        }
    };
    let command = match view.task.as_str() {
        "" => "cadre audit ls".to_owned(),
        task => format!("cadre audit ls --task {task}"),
    };
    Page { command, ..Page::new("Audit", "/audit", body) }
}

fn table(chrome: &Chrome, view: &Audit) -> Markup {
    html! {
        div.scroll { table.list {
            thead { tr { th scope="col" { "#" } th scope="col" { "What" } th scope="col" { "Who" } th.md scope="col" { "Task" } th.num scope="col" { "When" } th.num.lg scope="col" { "Hash" } } }
            tbody { @for row in &view.rows {
                tr {
                    td.mono.mute { (row.number) }
                    td.main { span { (row.what) @if !row.of.is_empty() { " " span.mono { (row.of) } } } small { (row.tenant) @if !row.reason.is_empty() { " · " (row.reason) } } }
                    td { (row.by) }
                    td.md { @if !row.task.is_empty() { a.link.mono href={ "/tasks/" (row.task) } { (text::brief_id(&row.task)) } } }
                    td.num.mute { (text::ago(row.at_ms, chrome.now_ms)) }
                    td.num.lg.mono.mute { (text::brief_id(&row.hash)) }
                }
            } }
        } }
        (part::pager(view.rows.len(), "record", view.next.as_deref()))
    }
}
