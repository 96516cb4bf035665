//! The first page: what needs a person, then how it goes, then what fails.

use maud::{Markup, html};

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Live, Tone},
    text,
};

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// The most urgent first.
    pub needs: Vec<Need>,
    /// Figures of the last hour.
    pub figures: Vec<Figure>,
    /// Failures of the last day with one fingerprint, the most frequent first.
    pub failures: Vec<FailureGroup>,
    /// What runs right now, the oldest first.
    pub running: Vec<super::tasks::TaskRow>,
}

/// Something that a person should look at.
#[derive(Debug, Clone, Default)]
pub struct Need {
    /// `critical` or `warning`.
    pub severity: String,
    /// What is wrong, in a few words.
    pub title: String,
    /// What is wrong and what to do next.
    pub text: String,
    /// Since when.
    pub since_ms: u64,
    /// Where to look.
    pub address: String,
}

/// One figure with its recent past.
#[derive(Debug, Clone, Default)]
pub struct Figure {
    /// What it counts.
    pub name: String,
    /// As text, with its unit.
    pub value: String,
    /// Behind the figure, smaller.
    pub rest: String,
    /// The last hour, oldest first.
    pub past: Vec<u64>,
    /// `ok`, `bad` or anything else: the colour of the line.
    pub tone: String,
}

/// Failures of the same kind.
#[derive(Debug, Clone, Default)]
pub struct FailureGroup {
    /// What all of them said.
    pub text: String,
    /// Where: a role or step.
    pub place: String,
    /// How many.
    pub count: u64,
    /// The newest.
    pub last_ms: u64,
    /// A task that shows it.
    pub task: String,
}

/// What needs a person is listed up to here: what follows must stay in sight.
const NEEDS_SHOWN: usize = 6;

/// The page.
#[must_use]
pub fn page(chrome: &Chrome, view: &Overview) -> Page {
    let live = Live { id: "overview", topics: "tasks alerts".to_owned(), address: "/".to_owned() };
    let body = part::live(
        &live,
        &html! {
            div.stack {
                (needs(chrome, &view.needs))
                (figures(&view.figures))
                div.cols { (running(chrome, view)) (failures(chrome, &view.failures)) }
            }
        },
    );
    let command = format!("cadre show overview {}", chrome.whose());
    Page { command, ..Page::new("Overview", "/", body) }
}

fn needs(chrome: &Chrome, needs: &[Need]) -> Markup {
    html! {
        section.card aria-labelledby="needs" {
            header {
                h2 #needs { "Needs a person" }
                span.mute { @if needs.is_empty() { "nothing" } @else { (needs.len()) } }
            }
            @if needs.is_empty() {
                div.calm { (Icon::Done.draw()) p { "Nothing is stuck, over budget, expiring or held back." } }
            }
            ul.needs {
                @for need in needs.iter().take(NEEDS_SHOWN) {
                    @let is_critical = need.severity == "critical";
                    li.need.s-bad[is_critical].s-wait[!is_critical] {
                        (if is_critical { Icon::Failed } else { Icon::Warning }.draw())
                        div {
                            a.link href=(need.address) { b { (need.title) } }
                            span.vh { ", " (need.severity) }
                            p { (text::prose(&need.text, chrome.now_ms)) }
                        }
                        span.age { (text::since(need.since_ms, chrome.now_ms)) }
                    }
                }
            }
            @if needs.len() > NEEDS_SHOWN {
                div.pager { span { (needs.len() - NEEDS_SHOWN) " more" } a.btn.tiny href="/approvals" { "Approvals" (Icon::Next.draw()) } }
            }
        }
    }
}

fn figures(figures: &[Figure]) -> Markup {
    html! {
        section.kpis aria-label="The last hour" {
            @for figure in figures {
                @let tone = match figure.tone.as_str() { "ok" => Tone::Ok, "bad" => Tone::Bad, "run" => Tone::Run, _ => Tone::Idle };
                (part::kpi(&figure.name, &figure.value, &figure.rest, &part::spark(&figure.past, tone, &format!("{} over the last hour", figure.name))))
            }
        }
    }
}

fn running(chrome: &Chrome, view: &Overview) -> Markup {
    html! {
        section.card {
            header { h2 { "Open tasks" } div.acts { a.btn.plain.tiny href="/tasks" { "All tasks" (Icon::Next.draw()) } } }
            @if view.running.is_empty() {
                (part::empty(Icon::Tasks, "Nothing is open", &html! { a.link href="/publish" { "Publish a goal" } " and watch it here." }))
            } @else {
                table.list { thead.vh { tr { th { "Status" } th { "Goal" } th { "Since" } } } tbody data-rows {
                    @for row in &view.running {
                        tr {
                            td { (part::state(if row.is_stuck { "stuck" } else { &row.status })) }
                            td.main { a href={ "/tasks/" (row.id) } data-row { (row.goal) } small { (row.workflow) @if !row.remark.is_empty() { " · " (row.remark) } } }
                            td.num.mute { (text::since(row.accepted_ms, chrome.now_ms)) }
                        }
                    }
                } }
            }
        }
    }
}

fn failures(chrome: &Chrome, failures: &[FailureGroup]) -> Markup {
    html! {
        section.card {
            header { h2 { "Failures" } span.mute { "last 24 h, same ones together" } }
            @if failures.is_empty() { (part::empty(Icon::Done, "Nothing failed", &html! { "No step of any task failed for good within a day." })) }
            @for group in failures {
                div.fp {
                    div {
                        p { (group.text) }
                        small { (group.place) " · last " (text::ago(group.last_ms, chrome.now_ms)) " in " a.link.mono href={ "/tasks/" (group.task) } { (text::brief_id(&group.task)) } }
                    }
                    span.count { (text::whole(group.count)) }
                }
            }
        }
    }
}
