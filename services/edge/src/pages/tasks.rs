//! The list of tasks: counts, filters in the address, bulk actions that say first what they would do.

use maud::{Markup, html};

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Live, Tone},
    text::{self, Query},
};

/// Statuses in the order of their chips.
const STATUSES: [&str; 10] = [
    "running",
    "waiting",
    "paused",
    "aggregating",
    "compensating",
    "completed",
    "partial",
    "failed",
    "cancelled",
    "incomplete",
];

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    /// Newest first.
    pub rows: Vec<TaskRow>,
    /// Tasks by status, those of other filters left aside.
    pub counts: Vec<(String, u64)>,
    /// There are more than were counted.
    pub is_counted_partly: bool,
    /// What was asked for.
    pub filter: Filter,
    /// Workflows to choose from.
    pub workflows: Vec<String>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
    /// Whether the person may steer tasks.
    pub can_steer: bool,
}

/// What was asked for; empty texts ask for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One status.
    pub status: String,
    /// Words of the goal, or the beginning of an id.
    pub text: String,
    /// One workflow.
    pub workflow: String,
    /// One revision of it; its first 12 digits.
    pub revision: String,
    /// Only tasks with a failed step, a retry or a fallback.
    pub has_failed: bool,
    /// Only tasks that make no progress.
    pub is_stuck: bool,
}

/// One task.
#[derive(Debug, Clone, Default)]
pub struct TaskRow {
    /// Its id.
    pub id: String,
    /// As one word.
    pub status: String,
    /// The beginning of the goal.
    pub goal: String,
    /// Which workflow.
    pub workflow: String,
    /// Whose.
    pub tenant: String,
    /// What it waits for, or why it ended; empty when there is nothing to say.
    pub remark: String,
    /// Steps that have ended.
    pub steps_done: u64,
    /// Steps that have begun.
    pub steps_total: u64,
    /// Tokens used.
    pub tokens: u64,
    /// Money used.
    pub cost_micros: u64,
    /// Money allowed.
    pub cost_limit_micros: u64,
    /// Attempts beyond the first ones.
    pub retries: u64,
    /// Steps that another role did.
    pub fallbacks: u64,
    /// When it was accepted.
    pub accepted_ms: u64,
    /// When it ended; `None` while it is open.
    pub ended_ms: Option<u64>,
    /// Whether it makes no progress.
    pub is_stuck: bool,
}

impl Filter {
    /// The address of the list with this filter.
    #[must_use]
    pub fn address(&self) -> String {
        self.query().address("/tasks")
    }

    fn query(&self) -> Query {
        Query::default()
            .with("status", &self.status)
            .with("q", &self.text)
            .with("workflow", &self.workflow)
            .with("revision", &self.revision)
            .with("failed", if self.has_failed { "1" } else { "" })
            .with("stuck", if self.is_stuck { "1" } else { "" })
    }

    fn with_status(&self, status: &str) -> Self {
        Self { status: status.to_owned(), ..self.clone() }
    }

    fn command(&self, whose: &str) -> String {
        let mut command = format!("cadre show tasks {whose}");
        let flags = [
            ("--status", text::quoted(&self.status)),
            ("--q", text::quoted(&self.text)),
            ("--workflow", text::quoted(&self.workflow)),
            ("--revision", text::quoted(&self.revision)),
        ];
        for (flag, value) in flags.iter().filter(|(_, value)| !value.is_empty()) {
            command = format!("{command} {flag} {value}");
        }
        for (flag, is_on) in [("--failed", self.has_failed), ("--stuck", self.is_stuck)] {
            if is_on {
                command = format!("{command} {flag}");
            }
        }
        command
    }
}

/// The page.
#[must_use]
pub fn page(chrome: &Chrome, view: &Tasks) -> Page {
    let body = html! {
        (filters(view))
        (part::live(&Live { id: "tasks", topics: "tasks".to_owned(), address: view.filter.address() }, &html! {
            (chips(view))
            form method="post" action="/tasks/bulk" hx-post="/tasks/bulk" hx-target="#confirm" {
                (chrome.csrf_field())
                div.card { (table(chrome, view)) }
                @if view.can_steer { (bulk()) }
            }
        }))
        div.pop #confirm popover {}
    };
    let publish = html! { a.btn.first href="/publish" { (Icon::Publish.draw()) "Publish a goal" } };
    Page {
        actions: Some(publish),
        command: view.filter.command(&chrome.whose()),
        ..Page::new("Tasks", "/tasks", body)
    }
}

fn filters(view: &Tasks) -> Markup {
    let filter = &view.filter;
    html! {
        form.bar method="get" action="/tasks" role="search" hx-get="/tasks" hx-select="#tasks" hx-target="#tasks"
            hx-swap="outerMorph" hx-push-url="true" hx-trigger="input delay:250ms, submit" {
            input type="hidden" name="status" value=(filter.status);
            div.search {
                (Icon::Search.draw())
                input type="search" name="q" value=(filter.text) placeholder="Words of the goal, or an id" aria-label="Search tasks" autocomplete="off";
                kbd aria-hidden="true" { "/" }
            }
            select.pick-workflow name="workflow" aria-label="Workflow" {
                option value="" { "Every workflow" }
                @for name in &view.workflows { option value=(name) selected[*name == filter.workflow] { (name) } }
            }
            @if !filter.revision.is_empty() {
                label.check { input type="checkbox" name="revision" value=(filter.revision) checked; "Revision " code { (filter.revision) } }
            }
            label.check { input type="checkbox" name="failed" value="1" checked[filter.has_failed]; "With failures" }
            label.check { input type="checkbox" name="stuck" value="1" checked[filter.is_stuck]; "Stuck" }
        }
    }
}

fn chips(view: &Tasks) -> Markup {
    let all: u64 = view.counts.iter().map(|(_, count)| count).sum();
    let count = |status: &str| {
        view.counts.iter().find(|(known, _)| known == status).map_or(0, |(_, count)| *count)
    };
    let filter = &view.filter;
    let more = if view.is_counted_partly { "+" } else { "" };
    html! {
        nav.chips.bar aria-label="Status" {
            a.chip href=(filter.with_status("").address()) aria-current=[filter.status.is_empty().then_some("true")] {
                "All " b { (text::whole(all)) (more) }
            }
            @for status in STATUSES.into_iter().filter(|status| count(status) > 0 || filter.status == *status) {
                a.chip.(part::look(status).0.class()) href=(filter.with_status(status).address())
                    aria-current=[(filter.status == status).then_some("true")] {
                    span.dot {} (status) " " b { (text::whole(count(status))) (more) }
                }
            }
        }
    }
}

fn table(chrome: &Chrome, view: &Tasks) -> Markup {
    if view.rows.is_empty() {
        return nothing(&view.filter);
    }
    let next = view
        .next
        .as_ref()
        .map(|cursor| view.filter.query().with("after", cursor).address("/tasks"));
    html! {
        div.scroll {
            table.list {
                thead { tr {
                    @if view.can_steer {
                        th scope="col" { input type="checkbox" data-pick-all aria-label="Pick all shown"; }
                    }
                    th scope="col" { "Status" }
                    th scope="col" { "Goal" }
                    th.lg scope="col" { "Workflow" }
                    th.num scope="col" { "Steps" }
                    th.num.lg scope="col" { "Tokens" }
                    th.num scope="col" { "Cost / budget" }
                    th.num scope="col" { "Duration" }
                    th.num.lg scope="col" { "Accepted" }
                } }
                tbody data-rows {
                    @for row in &view.rows { (line(chrome, view, row)) }
                }
            }
        }
        (part::pager(view.rows.len(), "task", next.as_deref()))
    }
}

fn line(chrome: &Chrome, view: &Tasks, row: &TaskRow) -> Markup {
    let took = row.ended_ms.map(|ended| text::span(ended.saturating_sub(row.accepted_ms)));
    let goal = if row.goal.is_empty() { "(a goal without text)" } else { &row.goal };
    html! {
        tr id={ "t-" (row.id) } {
            @if view.can_steer {
                td.pick { input type="checkbox" name="pick" value=(row.id) aria-label={ "Pick task " (row.id) }; }
            }
            td { (part::state(if row.is_stuck { "stuck" } else { &row.status })) }
            td.main.pick-after[view.can_steer] {
                a href={ "/tasks/" (row.id) } data-row title=(goal) { (goal) }
                small {
                    span.mono { (text::brief_id(&row.id)) }
                    " · " (row.tenant)
                    @if !row.remark.is_empty() { " · " (row.remark) }
                }
            }
            td.lg.mute { (row.workflow) }
            td.num data-label="steps" {
                // Before the figures, so that these stay below each other.
                @if row.fallbacks > 0 { span.tag.tint.s-wait title=(text::count(row.fallbacks, "fallback")) { "degraded" } " " }
                @if row.retries > 0 { span.tag.tint.s-wait title=(text::count(row.retries, "retry attempt")) { (Icon::Retry.draw()) (row.retries) } " " }
                (row.steps_done) span.mute { "/" (row.steps_total) }
            }
            td.num.lg { (text::short(row.tokens)) }
            td.num {
                span.metered {
                    @if row.cost_limit_micros > 0 { (part::meter(row.cost_micros, 0, row.cost_limit_micros)) }
                    span { (text::usd(row.cost_micros)) }
                }
            }
            td.num { @match took { Some(took) => (took), None => (text::since(row.accepted_ms, chrome.now_ms)) } }
            td.num.lg.mute { (text::ago(row.accepted_ms, chrome.now_ms)) }
        }
    }
}

fn nothing(filter: &Filter) -> Markup {
    if *filter == Filter::default() {
        return part::empty(
            Icon::Tasks,
            "No tasks yet",
            &html! { a.link href="/publish" { "Publish a goal" } ", or run " code { "cadre goal publish" } ". It appears here at once." },
        );
    }
    part::empty(
        Icon::Search,
        "No task fits",
        &html! { "Nothing matches these filters. " a.link href="/tasks" { "Show all tasks" } },
    )
}

fn bulk() -> Markup {
    html! {
        div.bulk data-bulk role="region" aria-label="Picked tasks" {
            span { b data-count { "0" } " picked" }
            @for (action, name) in [("pause", "Pause"), ("resume", "Resume"), ("retry", "Retry failed steps"), ("cancel", "Cancel")] {
                button.btn.tiny name="action" value=(action) { (name) "…" }
            }
        }
    }
}

/// What a bulk action would do, before it does it.
#[derive(Debug, Clone, Default)]
pub struct BulkPlan {
    /// `pause`, `resume`, `retry` or `cancel`.
    pub action: String,
    /// Tasks that it would change.
    pub fits: Vec<String>,
    /// Tasks that it would leave alone, and why.
    pub left: Vec<(String, String)>,
}

/// The question before a bulk action.
#[must_use]
pub fn confirm(chrome: &Chrome, plan: &BulkPlan) -> Markup {
    let is_grave = plan.action == "cancel";
    html! {
        form method="post" action="/tasks/bulk" hx-post="/tasks/bulk" hx-target="#toasts" data-close {
            h2 { "Would " (plan.action) " " (text::count(plan.fits.len() as u64, "task")) }
            p { @if plan.left.is_empty() { "Nothing has happened yet." } @else { (text::count(plan.left.len() as u64, "task")) " would be left alone:" } }
            @if !plan.left.is_empty() {
                ul.ruled.field {
                    @for (id, why) in plan.left.iter().take(5) { li { span.mono { (text::brief_id(id)) } " · " span.mute { (why) } } }
                }
            }
            (chrome.csrf_field())
            input type="hidden" name="action" value=(plan.action);
            input type="hidden" name="confirmed" value="1";
            @for id in &plan.fits { input type="hidden" name="pick" value=(id); }
            div.field {
                label for="bulk-reason" { "Reason" }
                input #bulk-reason type="text" name="reason" maxlength="256";
            }
            div.acts {
                button.btn type="button" popovertarget="confirm" popovertargetaction="hide" { "Not now" }
                button.btn.first.danger[is_grave] disabled[plan.fits.is_empty()] { (plan.action) " " (text::count(plan.fits.len() as u64, "task")) }
            }
        }
    }
}

/// What became of an action, as a passing note.
#[must_use]
pub fn toast(is_good: bool, said: &str) -> Markup {
    let tone = if is_good { Tone::Ok } else { Tone::Bad };
    part::note(
        tone,
        &html! { p { (said) } div.acts { button.btn.plain.tiny type="button" data-dismiss aria-label="Dismiss" { "×" } } },
    )
}
