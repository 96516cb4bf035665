//! Packs and their revisions: which is used, by how many tasks, what it does.

use maud::{Markup, html};

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Live},
    text::{self, Query},
};

/// Other revisions that are offered to compare with.
const OTHERS_MAX: usize = 6;

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Packs {
    /// By name.
    pub packs: Vec<Pack>,
    /// The pack that is looked at; empty for none.
    pub selected: String,
    /// Which of its revisions.
    pub revision: String,
    /// The plan of that one.
    pub nodes: Vec<super::task::Node>,
    /// What that one has changed; `None` when there is nothing to compare with.
    pub diff: Option<Diff>,
    /// The page's own.
    pub address: String,
}

/// What one revision has changed of another.
#[derive(Debug, Clone, Default)]
pub struct Diff {
    /// The other one.
    pub from: String,
    /// Changed lines of changed files, as `cadre pack diff` has them; empty when nothing differs.
    pub text: String,
    /// Lines that are left out at the end.
    pub left_out: u64,
}

/// One pack.
#[derive(Debug, Clone, Default)]
pub struct Pack {
    /// Its name, also the workflow's.
    pub name: String,
    /// Newest first.
    pub revisions: Vec<Revision>,
}

/// One revision.
#[derive(Debug, Clone, Default)]
pub struct Revision {
    /// Its hash.
    pub hash: String,
    /// When the first task got it, or it came onto the bus; `None` when not known.
    pub at_ms: Option<u64>,
    /// New goals get it.
    pub is_current: bool,
    /// Open tasks that keep it.
    pub open_tasks: u64,
    /// Tasks that ever had it.
    pub tasks: u64,
}

/// The page.
#[must_use]
pub fn page(chrome: &Chrome, view: &Packs) -> Page {
    let live =
        Live { id: "packs", topics: "packs tasks".to_owned(), address: view.address.clone() };
    let body = html! {
        div.stack {
            @if view.packs.is_empty() {
                section.card { (part::empty(Icon::Packs, "No packs yet", &html! { "Bring one onto the bus: " code { "cadre pack apply contract" } ", or begin your own: " code { "cadre init my-pack" } "." })) }
            }
            @for pack in &view.packs { (one(chrome, view, pack)) }
        }
    };
    let command = match (view.selected.as_str(), view.revision.as_str()) {
        ("", _) => "cadre pack ls".to_owned(),
        (pack, "") => format!("cadre pack show {pack}"),
        (pack, revision) => format!("cadre pack show {pack} --revision {revision}"),
    };
    Page { command, ..Page::new("Packs", "/packs", part::live(&live, &body)) }
}

fn one(chrome: &Chrome, view: &Packs, pack: &Pack) -> Markup {
    let is_on = view.selected == pack.name;
    html! {
        section.card id={ "pack-" (pack.name) } {
            header {
                h2 { (pack.name) }
                span.mute { (text::count(pack.revisions.len() as u64, "revision")) }
                div.acts {
                    @if !is_on { a.btn.tiny href=(address(pack, "", "")) { "Graph" } }
                    a.btn.tiny href={ "/publish?workflow=" (pack.name) } { (Icon::Publish.draw()) "Publish" }
                }
            }
            @if is_on && !view.nodes.is_empty() { (super::task::drawn(&view.nodes)) }
            @if is_on { @if let Some(diff) = &view.diff { (changes(view, pack, diff)) } }
            table.list {
                thead.vh { tr { th { "Revision" } th { "Tasks" } th { "Open tasks" } th { "Since" } th { "Look" } } }
                tbody { @for revision in &pack.revisions {
                    tr {
                        td { code title=(revision.hash) { (text::brief_id(&revision.hash)) } @if revision.is_current { " " span.tag.tint.s-ok { "current" } } }
                        td.main.short { (of_tasks(pack, revision)) }
                        td.num.mute { @if revision.open_tasks > 0 { (text::count(revision.open_tasks, "open task")) } @else { "no open tasks" } }
                        td.num.mute { @if let Some(at) = revision.at_ms { (text::ago(at, chrome.now_ms)) } }
                        td.num {
                            @if is_on && view.revision == revision.hash { span.mute { "shown" } }
                            @else { a.link href=(address(pack, &revision.hash, "")) aria-label={ "Show revision " (text::brief_id(&revision.hash)) } { "Show" } }
                        }
                    }
                } }
            }
        }
    }
}

fn of_tasks(pack: &Pack, revision: &Revision) -> Markup {
    let short = revision.hash.get(..12).unwrap_or(&revision.hash);
    let tasks = Query::default().with("workflow", &pack.name).with("revision", short);
    html! {
        @if revision.tasks > 0 { a href=(tasks.address("/tasks")) { (text::count(revision.tasks, "task")) } } @else { span.mute { "no tasks" } }
    }
}

fn address(pack: &Pack, revision: &str, against: &str) -> String {
    let query = Query::default().with("pack", &pack.name).with("revision", revision);
    format!("{}#pack-{}", query.with("against", against).address("/packs"), pack.name)
}

/// Changed lines, each with its sign, so that colour says nothing alone.
fn changes(view: &Packs, pack: &Pack, diff: &Diff) -> Markup {
    let others = pack.revisions.iter().map(|revision| revision.hash.as_str());
    let others = others.filter(|hash| *hash != view.revision && *hash != diff.from);
    html! {
        details.body open[!diff.text.is_empty()] {
            summary { "What " code { (text::brief_id(&view.revision)) } " changes of " code { (text::brief_id(&diff.from)) } }
            @if diff.text.is_empty() { p.mute { "Nothing: both have the same files." } }
            @else { pre.doc.diff tabindex="0" role="group" aria-label="Changes" { code { @for line in diff.text.lines() { span.(sign(line)) { (line) "\n" } } } } }
            @if diff.left_out > 0 { p.hint.mute { (text::count(diff.left_out, "more line")) " not shown." } }
            p.hint.mute {
                "Compare it with "
                @for hash in others.take(OTHERS_MAX) { a.link href=(address(pack, &view.revision, hash)) { code { (text::brief_id(hash)) } } ", " }
                "your own files: " code { "cadre pack diff DIR" }
            }
        }
    }
}

fn sign(line: &str) -> &'static str {
    match line.as_bytes() {
        [b'-', b'-', b'-', ..] | [b'+', b'+', b'+', ..] => "file",
        [b'+', ..] => "plus",
        [b'-', ..] => "minus",
        _ => "both",
    }
}
