//! Roles and who does them.

use cadre_core::fleet::{Actor, Actors};
use maud::{Markup, html};

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Live},
    text,
};

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Agents {
    /// Roles by name.
    pub roles: Vec<RoleRow>,
    /// Processes and what runs in them; `None` when nobody can tell.
    pub members: Vec<Member>,
}

/// One role.
#[derive(Debug, Clone, Default)]
pub struct RoleRow {
    /// Its name.
    pub name: String,
    /// Who runs it: `rules`, `model`, `remote`…
    pub runtime: String,
    /// Requests that wait for work: about as many workers as are free. `None` when not known.
    pub free: Option<u64>,
    /// Work orders that nobody has.
    pub queued: Option<u64>,
    /// Steps that somebody has.
    pub in_flight: u64,
    /// Over the fleet at most; 0 when not known.
    pub concurrency: u64,
    /// Half of the attempts took no longer.
    pub p50_ms: Option<u64>,
    /// Nineteen of twenty took no longer.
    pub p95_ms: Option<u64>,
    /// Attempts within the last hour.
    pub attempts: u64,
    /// Of these, failed.
    pub errors: u64,
    /// State of its breaker.
    pub breaker: String,
    /// Restarts of its actors, in the processes that serve now.
    pub restarts: u64,
}

/// One process.
#[derive(Debug, Clone, Default)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its build.
    pub version: String,
    /// What it serves as.
    pub services: Vec<String>,
    /// Since when it serves; 0 when it does not say.
    pub since_ms: u64,
    /// What runs in it.
    pub actors: Actors,
}

/// The page.
#[must_use]
pub fn page(chrome: &Chrome, view: &Agents) -> Page {
    let live =
        Live { id: "agents", topics: "tasks members".to_owned(), address: "/agents".to_owned() };
    let body = part::live(&live, &html! { div.stack { (roles(view)) (members(chrome, view)) } });
    let command = format!("cadre show agents {}; cadre bus members", chrome.whose());
    Page { command, ..Page::new("Agents", "/agents", body) }
}

fn roles(view: &Agents) -> Markup {
    if view.roles.is_empty() {
        let hint = html! { "Roles come with packs: " code { "cadre pack apply contract" } "." };
        return html! { section.card { (part::empty(Icon::Agents, "No roles yet", &hint)) } };
    }
    html! {
        section.card {
            header { h2 { "Roles" } span.mute { "attempts, errors and times are of the last hour" } }
            div.scroll { table.list {
                thead { tr {
                    th scope="col" { "Role" } th scope="col" { "Breaker" } th.num scope="col" { "In flight" } th.num scope="col" { "Queued" }
                    th.num.lg scope="col" { "Free workers" } th.num.lg scope="col" { "p50" } th.num scope="col" { "p95" } th.num scope="col" { "Attempts" } th.num scope="col" { "Errors" } th.num scope="col" { "Restarts" }
                } }
                tbody { @for role in &view.roles { (row(role)) } }
            } }
        }
    }
}

fn row(role: &RoleRow) -> Markup {
    let optional = |value: Option<u64>| value.map_or("–".to_owned(), text::whole);
    let time = |value: Option<u64>| value.map_or("–".to_owned(), text::span);
    let share = match text::percent(role.errors, role.attempts) {
        0 => "< 1 %".to_owned(),
        share => format!("{share} %"),
    };
    let is_alone =
        role.queued.is_some_and(|queued| queued > 0) && role.free == Some(0) && role.in_flight == 0;
    html! {
        tr {
            td.main.short { a href={ "/tasks?q=" (role.name) } { (role.name) } small { (role.runtime) @if is_alone { @if !role.runtime.is_empty() { " · " } span.s-bad.st { "nobody takes its work" } } } }
            td { @if role.breaker == "closed" { span.mute { "closed" } } @else { (part::state(&role.breaker)) } }
            td.num data-label="in flight" { (role.in_flight) @if role.concurrency > 0 { span.mute { "/" (role.concurrency) } } }
            td.num data-label="queued" { (optional(role.queued)) }
            td.num.lg { (optional(role.free)) }
            td.num.lg data-label="p50" { (time(role.p50_ms)) }
            td.num data-label="p95" { (time(role.p95_ms)) }
            td.num data-label="attempts" { (text::whole(role.attempts)) }
            td.num data-label="errors" { span.st.s-bad[role.errors > 0].s-idle[role.errors == 0] { (text::whole(role.errors)) @if role.errors > 0 { " · " (share) } } }
            td.num data-label="restarts" { (restarts(role.restarts)) }
        }
    }
}

/// None is no news.
fn restarts(count: u64) -> Markup {
    html! { @if count == 0 { span.mute { "0" } } @else { span.st.s-wait { (text::whole(count)) } } }
}

fn members(chrome: &Chrome, view: &Agents) -> Markup {
    html! {
        section.card {
            header { h2 { "Processes" } span.mute { "who supervises what, as they report it themselves" } }
            @if view.members.is_empty() { (part::empty(Icon::Bus, "No process reports itself", &html! { "Start one with " code { "cadre serve" } "." })) }
            ul.tree.body { @for member in &view.members { (process(chrome, member)) } }
        }
    }
}

fn process(chrome: &Chrome, member: &Member) -> Markup {
    let Actors { rows, left_out } = &member.actors;
    html! {
        li {
            div {
                (Icon::Bus.draw()) b { (member.name) } span.mute { (member.version) }
                @if member.since_ms > 0 { span.mute { "up " (text::since(member.since_ms, chrome.now_ms)) } }
                @if rows.is_empty() { span.mute { (member.services.join(" · ")) } }
            }
            // Two levels: a service's supervisor, and what it supervises.
            @if !rows.is_empty() { ul { @for (top, children) in services(rows) {
                li {
                    div { b { (top.name) } span.mute { "supervises " (children.len()) } (actor(top)) }
                    @if !children.is_empty() { ul.actors { @for child in children { li { div { (child.name) (actor(child)) } } } } }
                }
            } } }
            @if *left_out > 0 { div { span.mute { "and " (left_out) " more that run" } } }
        }
    }
}

/// How an actor is: nothing for one that runs and always did.
fn actor(actor: &Actor) -> Markup {
    html! {
        @if actor.state != "running" { (part::state(&actor.state)) }
        @if actor.restarts > 0 {
            span.st.s-wait { (text::whole(actor.restarts.into())) @if actor.restarts == 1 { " restart" } @else { " restarts" } }
        }
        @if let Some(error) = &actor.error { span.mute.cut { (error) } }
    }
}

/// Each supervisor with its children.
fn services(rows: &[Actor]) -> Vec<(&Actor, &[Actor])> {
    let trees = rows.chunk_by(|_, next| next.depth > 0);
    trees.filter_map(|tree| tree.split_first()).collect()
}
