//! One task: where it is and why, when each step ran, the plan, every decision, the answer, the money.

mod act;
mod axis;
mod calls;
mod detail;
mod graph;
mod result;
mod timeline;

use maud::{Markup, html};

pub use self::{
    act::Act,
    calls::{Call, Calls, Told},
    detail::{Attempt, StepView},
    graph::Node,
    result::{Answer, Conflict, Missing},
    timeline::{Bar, BarKind, Lane, Timeline},
};
use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Live, Tone},
    text::{self, Query},
};

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// As one word.
    pub status: String,
    /// The beginning of the goal.
    pub goal: String,
    /// Which workflow.
    pub workflow: String,
    /// Which revision of it.
    pub revision: String,
    /// Whose.
    pub tenant: String,
    /// The publisher's key; empty when there is none.
    pub key: String,
    /// Who published it; empty when that is not known.
    pub by: String,
    /// When it was accepted.
    pub accepted_ms: u64,
    /// When it ended; `None` while it is open.
    pub ended_ms: Option<u64>,
    /// When it ends at the latest.
    pub deadline_ms: u64,
    /// Where it is, what it waits for, what comes next.
    pub why: String,
    /// Whether it makes no progress.
    pub is_stuck: bool,
    /// The task that this one is a fork of.
    pub parent: Option<String>,
    /// Work orders so far.
    pub steps_used: u64,
    /// Work orders allowed.
    pub steps_limit: u64,
    /// Tokens used.
    pub tokens: u64,
    /// Tokens allowed.
    pub tokens_limit: u64,
    /// Money used.
    pub cost_micros: u64,
    /// Money set aside for attempts that are out.
    pub cost_held_micros: u64,
    /// Money allowed.
    pub cost_limit_micros: u64,
    /// Attempts beyond the first ones.
    pub retries: u64,
    /// Steps that another role did.
    pub fallbacks: u64,
    /// What the person may do with it.
    pub acts: Vec<Act>,
    /// Which part is looked at.
    pub tab: Tab,
    /// The selected step; empty when none is.
    pub selected: String,
    /// What is known of it.
    pub step: Option<StepView>,
    /// The bars.
    pub timeline: Timeline,
    /// The plan.
    pub nodes: Vec<Node>,
    /// What became of it: each turn of a crew, and nothing that never ran.
    pub ran: Vec<Node>,
    /// Records of the log, oldest first.
    pub events: Vec<EventRow>,
    /// Where the next events begin; `None` when all are shown.
    pub events_after: Option<u64>,
    /// Calls of models and tools.
    pub calls: Calls,
    /// The answer; `None` while there is none.
    pub answer: Option<Answer>,
    /// What it cost, by step, the dearest first.
    pub spend: Vec<SpendRow>,
    /// Steps that cost something and are left out there.
    pub spend_left_out: u64,
}

/// A part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    /// When each step ran.
    #[default]
    Timeline,
    /// The plan and how far it is.
    Graph,
    /// Every record of the log.
    Events,
    /// What models and tools were asked.
    Calls,
    /// The answer.
    Result,
    /// The money.
    Spend,
}

impl Tab {
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Timeline, "timeline", "Timeline"),
        (Self::Graph, "graph", "Graph"),
        (Self::Events, "events", "Events"),
        (Self::Calls, "calls", "Calls"),
        (Self::Result, "result", "Result"),
        (Self::Spend, "spend", "Spend"),
    ];

    /// The tab of this word; the first one for any other.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|(_, word, _)| *word == text)
            .map_or(Self::Timeline, |(tab, ..)| tab)
    }

    fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(tab, ..)| *tab == self).map_or("timeline", |(_, word, _)| word)
    }
}

/// One record of the log.
#[derive(Debug, Clone, Default)]
pub struct EventRow {
    /// Its place in the task's log.
    pub rev: u64,
    /// When.
    pub at_ms: u64,
    /// What happened, in one line.
    pub text: String,
    /// Why, and what caused it; empty when nothing is known.
    pub reason: String,
    /// State that the event leads to, for its colour.
    pub state: String,
}

/// What one step spent.
#[derive(Debug, Clone, Default)]
pub struct SpendRow {
    /// The step.
    pub name: String,
    /// Who did it; empty for nobody.
    pub role: String,
    /// Tokens.
    pub tokens: u64,
    /// Money.
    pub cost_micros: u64,
}

impl Task {
    fn query(&self) -> Query {
        let tab = if self.tab == Tab::Timeline { "" } else { self.tab.word() };
        Query::default()
            .with("tab", tab)
            .with("step", &self.selected)
            .with("fold", if self.timeline.is_folded { "1" } else { "" })
            .with("failed", if self.timeline.is_failed_only { "1" } else { "" })
    }

    fn path(&self) -> String {
        format!("/tasks/{}", self.id)
    }

    fn address(&self) -> String {
        self.query().address(&self.path())
    }

    /// The address of the page with this step selected.
    fn address_of_step(&self, step: &str) -> String {
        Self { selected: step.to_owned(), ..self.brief() }.address()
    }

    /// What addresses depend on, without the rest.
    fn brief(&self) -> Self {
        let Timeline { is_folded, is_failed_only, .. } = self.timeline;
        Self {
            id: self.id.clone(),
            tab: self.tab,
            selected: self.selected.clone(),
            timeline: Timeline { is_folded, is_failed_only, ..Timeline::default() },
            ..Self::default()
        }
    }
}

/// The page.
#[must_use]
pub fn page(chrome: &Chrome, view: &Task) -> Page {
    let topics = format!("task.{}", view.id);
    let body = part::live(
        &Live { id: "task", topics, address: view.address() },
        &html! {
            div.stack {
                @if has_why(view) { (why(chrome, view)) }
                (figures(chrome, view))
                div {
                    (tabs(view))
                    (body(chrome, view))
                }
            }
        },
    );
    let crumb = html! { a href="/tasks" { "Tasks" } (Icon::Next.draw()) span.mono { (view.id) } (part::copy(&view.id, "the id")) };
    let title = if view.goal.is_empty() {
        format!("Task {}", text::brief_id(&view.id))
    } else {
        view.goal.clone()
    };
    Page {
        crumb: Some(crumb),
        sub: Some(sub(chrome, view)),
        actions: Some(act::buttons(chrome, view)),
        command: format!("cadre task {} {}", verb(view.tab), view.id),
        ..Page::new(&title, "/tasks", body)
    }
}

/// What `cadre task` calls what the tab shows.
fn verb(tab: Tab) -> &'static str {
    match tab {
        Tab::Timeline | Tab::Graph | Tab::Spend => "show",
        Tab::Events => "events",
        Tab::Calls => "calls",
        Tab::Result => "result",
    }
}

fn sub(chrome: &Chrome, view: &Task) -> Markup {
    html! {
        (part::pill(if view.is_stuck { "stuck" } else { &view.status }))
        span { (view.workflow) @if !view.revision.is_empty() { " " span.mono { "@" (text::brief_id(&view.revision)) } } }
        span { (view.tenant) }
        @if !view.by.is_empty() { span { "by " (view.by) } }
        @if !view.key.is_empty() { span { "key " span.mono { (view.key) } } }
        span { "accepted " (text::ago(view.accepted_ms, chrome.now_ms)) }
        @if let Some(parent) = &view.parent {
            span { "fork of " a.link.mono href={ "/tasks/" (parent) } { (text::brief_id(parent)) } }
        }
    }
}

/// A task that has all its parts needs no word of it, and the result says it itself.
fn has_why(view: &Task) -> bool {
    !view.why.is_empty() && view.status != "completed" && view.tab != Tab::Result
}

fn why(chrome: &Chrome, view: &Task) -> Markup {
    let tone = if view.is_stuck { Tone::Bad } else { part::look(&view.status).0 };
    part::note(tone, &html! { p { (text::prose(&view.why, chrome.now_ms)) } })
}

fn figures(chrome: &Chrome, view: &Task) -> Markup {
    let allowed = view.deadline_ms.saturating_sub(view.accepted_ms);
    let until = view.ended_ms.unwrap_or(chrome.now_ms);
    let elapsed = until.saturating_sub(view.accepted_ms);
    let of =
        |limit: String, is_set: bool| if is_set { format!("of {limit}") } else { String::new() };
    let attempts = format!("{} / {}", view.retries, view.fallbacks);
    html! {
        section.kpis aria-label="Limits" {
            div.kpi {
                small { "Elapsed" }
                b {
                    @if view.ended_ms.is_some() { (text::span(elapsed)) } @else { (text::since(view.accepted_ms, chrome.now_ms)) }
                    " " i { (of(text::span(allowed), allowed > 0)) }
                }
                (part::meter(elapsed, 0, allowed))
            }
            (part::kpi("Cost", &text::usd(view.cost_micros), &of(text::usd(view.cost_limit_micros), view.cost_limit_micros > 0), &part::meter(view.cost_micros, view.cost_held_micros, view.cost_limit_micros)))
            (part::kpi("Tokens", &text::short(view.tokens), &of(text::short(view.tokens_limit), view.tokens_limit > 0), &part::meter(view.tokens, 0, view.tokens_limit)))
            (part::kpi("Steps", &view.steps_used.to_string(), &of(view.steps_limit.to_string(), view.steps_limit > 0), &part::meter(view.steps_used, 0, view.steps_limit)))
            (part::kpi("Retries / fallbacks", &attempts, "", &html! {}))
        }
    }
}

fn tabs(view: &Task) -> Markup {
    let count = |tab: Tab| match tab {
        Tab::Timeline => view.timeline.lanes.len(),
        Tab::Calls => view.calls.shown.len(),
        Tab::Graph | Tab::Events | Tab::Result | Tab::Spend => 0,
    };
    html! {
        nav.tabs aria-label="Parts of the task" {
            @for (tab, _, name) in Tab::ALL {
                @let address = Task { tab, ..view.brief() }.address();
                a href=(address) aria-current=[(tab == view.tab).then_some("page")] hx-get=(address)
                    hx-select="#task" hx-target="#task" hx-swap="outerMorph" hx-push-url="true" {
                    (name)
                    @if count(tab) > 0 { span.n { (count(tab)) } }
                }
            }
        }
    }
}

fn body(chrome: &Chrome, view: &Task) -> Markup {
    let main = match view.tab {
        Tab::Timeline => timeline::draw(view, chrome.now_ms),
        Tab::Graph => graphs(view),
        Tab::Events => events(view),
        Tab::Calls => calls::draw(&view.calls, &format!("cadre task calls {}", view.id)),
        Tab::Result => result::draw(view),
        Tab::Spend => spend(view),
    };
    html! {
        @if let Some(step) = &view.step {
            div.cols.wide { (main) (detail::step(view, step)) }
        } @else { (main) }
    }
}

/// The plan, and what became of it.
fn graphs(view: &Task) -> Markup {
    let selected = Some(view.selected.as_str());
    let gone = html! { "The pack of this task's revision is not on the bus any more." };
    let none = html! { "Nothing has begun." };
    html! {
        div.stack {
            section.card {
                header { h2 { "The plan" } }
                @if view.nodes.is_empty() { (part::empty(Icon::Crew, "No plan", &gone)) }
                @else { (graph::draw(&view.nodes, selected, "Graph of the plan")) }
            }
            section.card {
                header { h2 { "As it ran" } }
                @if view.ran.is_empty() { (part::empty(Icon::Waiting, "Nothing yet", &none)) }
                @else { (graph::draw(&view.ran, selected, "Graph of what ran")) }
            }
        }
    }
}

fn events(view: &Task) -> Markup {
    html! {
        section.card {
            @if view.events.is_empty() { (part::empty(Icon::Audit, "No events yet", &html! { "The read model has not reached this task's log." })) }
            ol.events {
                @for event in &view.events {
                    @let (tone, icon) = part::look(&event.state);
                    li.event.(tone.class()) id={ "r" (event.rev) } {
                        span.rev { "#" (event.rev) }
                        span.at { (text::clock(event.at_ms)) }
                        (if event.state.is_empty() { Icon::Note.draw() } else { icon.draw() })
                        p { (event.text) @if !event.reason.is_empty() { small { (event.reason) } } }
                    }
                }
            }
            @if let Some(after) = view.events_after {
                @let next = view.query().with("after", &after.to_string()).address(&view.path());
                div.pager { span { (text::count(view.events.len() as u64, "record")) " shown" } a.btn.tiny href=(next) { "Later" (Icon::Next.draw()) } }
            }
        }
    }
}

fn spend(view: &Task) -> Markup {
    if view.spend.is_empty() {
        return html! { section.card { (part::empty(Icon::Spend, "Nothing spent", &html! { "No step of this task has reported a cost." })) } };
    }
    html! {
        section.card {
            div.scroll { table.list {
                thead { tr { th scope="col" { "Step" } th scope="col" { "Role" } th.num scope="col" { "Tokens" } th.num scope="col" { "Cost" } th.num scope="col" { "Share" } } }
                tbody { @for row in &view.spend {
                    tr {
                        td { (row.name) }
                        td.mute { @if row.role.is_empty() { "–" } @else { (row.role) } }
                        td.num { (text::whole(row.tokens)) }
                        td.num { (text::usd(row.cost_micros)) }
                        td.num { span.metered { (part::meter(row.cost_micros, 0, view.cost_micros.saturating_mul(100) / 79)) span { (text::percent(row.cost_micros, view.cost_micros)) " %" } } }
                    }
                } }
            } }
            @if view.spend_left_out > 0 { div.pager { span { (text::count(view.spend_left_out, "step")) " that cost less" } } }
        }
    }
}

/// The plan of a pack, where nothing runs.
pub(super) fn drawn(nodes: &[Node]) -> Markup {
    graph::draw(nodes, None, "Graph of the plan")
}
