//! Packs and their revisions: which is used, by how many tasks, what it does.

use maud::{Markup, html};

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part, text,
};

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Packs {
    /// By name.
    pub packs: Vec<Pack>,
    /// The pack that is looked at; empty for none.
    pub selected: String,
    /// Its plan.
    pub nodes: Vec<super::task::Node>,
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
    let body = html! {
        div.stack {
            @if view.packs.is_empty() {
                section.card { (part::empty(Icon::Packs, "No packs yet", &html! { "Bring one onto the bus: " code { "cadre pack apply contract" } ", or begin your own: " code { "cadre init my-pack" } "." })) }
            }
            @for pack in &view.packs { (one(chrome, view, pack)) }
        }
    };
    Page { command: "cadre pack ls".to_owned(), ..Page::new("Packs", "/packs", body) }
}

fn one(chrome: &Chrome, view: &Packs, pack: &Pack) -> Markup {
    let is_on = view.selected == pack.name;
    html! {
        section.card id={ "pack-" (pack.name) } {
            header {
                h2 { (pack.name) }
                span.mute { (text::count(pack.revisions.len() as u64, "revision")) }
                div.acts {
                    @if !is_on { a.btn.tiny href={ "/packs?pack=" (pack.name) "#pack-" (pack.name) } { "Graph" } }
                    a.btn.tiny href={ "/publish?workflow=" (pack.name) } { (Icon::Publish.draw()) "Publish" }
                }
            }
            @if is_on && !view.nodes.is_empty() { (super::task::drawn(&view.nodes)) }
            table.list {
                thead.vh { tr { th { "Revision" } th { "Tasks" } th { "Open tasks" } th { "Since" } } }
                tbody { @for revision in &pack.revisions {
                    tr {
                        td { code { (text::brief_id(&revision.hash)) } @if revision.is_current { " " span.tag.tint.s-ok { "current" } } }
                        td.main.short { span.mute { (text::count(revision.tasks, "task")) } }
                        td.num.mute { @if revision.open_tasks > 0 { a.link href={ "/tasks?workflow=" (pack.name) } { (text::count(revision.open_tasks, "open task")) } } @else { "no open tasks" } }
                        td.num.mute { @if let Some(at) = revision.at_ms { (text::ago(at, chrome.now_ms)) } }
                    }
                } }
            }
            @if pack.revisions.len() > 1 { p.hint.mute { "What a revision changes: " code { "cadre pack diff" } } }
        }
    }
}
