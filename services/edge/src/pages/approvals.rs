//! The inbox: what tasks ask people, with exactly what is decided about. Made for a phone too.

use maud::{Markup, html};

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Live, Tone},
    text,
};

/// Less time than this is shown in red.
const SOON_MS: u64 = 5 * 60_000;

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Approvals {
    /// What waits, the one that expires first first.
    pub open: Vec<Question>,
    /// What was decided, newest first.
    pub decided: Vec<Question>,
    /// Whether the person may decide.
    pub can_decide: bool,
}

/// One question.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Names it: task and step.
    pub id: String,
    /// The task.
    pub task: String,
    /// The step.
    pub step: String,
    /// Which workflow.
    pub workflow: String,
    /// Whose.
    pub tenant: String,
    /// What is asked.
    pub question: String,
    /// The role that asks; empty when the workflow does.
    pub role: String,
    /// Why a person is asked.
    pub why: String,
    /// Who published the goal; empty when that is not known.
    pub by: String,
    /// What is decided about, as JSON; `None` when there is nothing but the question.
    pub content: Option<String>,
    /// Its hash: the decision counts for exactly this.
    pub content_hash: String,
    /// What the task has cost so far.
    pub cost_micros: u64,
    /// When it was asked.
    pub asked_ms: u64,
    /// When it expires.
    pub expires_ms: Option<u64>,
    /// How many must agree.
    pub quorum: u64,
    /// How many have.
    pub votes: u64,
    /// Whoever published the goal cannot decide.
    pub four_eyes: bool,
    /// Choices; `approve` and `deny` unless the question has others.
    pub choices: Vec<String>,
    /// What was decided, as one word; empty while it is open.
    pub decision: String,
    /// Who decided.
    pub decided_by: String,
}

/// The page.
#[must_use]
pub fn page(chrome: &Chrome, view: &Approvals) -> Page {
    let live =
        Live { id: "approvals", topics: "questions".to_owned(), address: "/approvals".to_owned() };
    let body = part::live(
        &live,
        &html! {
            div.stack.inbox {
                @if view.open.is_empty() {
                    section.card { (part::empty(Icon::Approvals, "Nobody is asked anything", &html! { "A step with " code { "approval" } ", or a worker that is unsure, puts its question here." })) }
                }
                @for question in &view.open { (ask(chrome, view, question)) }
                @if !view.decided.is_empty() { (decided(chrome, &view.decided)) }
            }
        },
    );
    let sub = html! { span { (text::count(view.open.len() as u64, "question")) " waiting" } };
    Page {
        sub: Some(sub),
        command: "cadre approval ls".to_owned(),
        ..Page::new("Approvals", "/approvals", body)
    }
}

fn ask(chrome: &Chrome, view: &Approvals, question: &Question) -> Markup {
    html! {
        article.card.ask id={ "q-" (question.id) } {
            header {
                (Icon::Person.draw())
                div {
                    h2.q { (question.question) }
                    p.by {
                        a.link href={ "/tasks/" (question.task) "?step=" (question.step) } { (question.workflow) " · " (question.step) }
                        " · " (question.tenant) @if !question.by.is_empty() { " · published by " (question.by) }
                    }
                }
                (left(chrome, question))
            }
            div.body {
                div.stack {
                    @match &question.content {
                        Some(content) => { h3 { "You decide about exactly this" } (part::document(content)) },
                        None => { p.mute { "There is nothing to read but the question." } },
                    }
                }
                (facts(chrome, question))
            }
            @if view.can_decide { (decide(chrome, question)) } @else { footer.mute { "Your role may look, not decide." } }
        }
    }
}

fn left(chrome: &Chrome, question: &Question) -> Markup {
    let Some(expires) = question.expires_ms else {
        return html! { div.left { "asked" b { (text::since(question.asked_ms, chrome.now_ms)) } } };
    };
    let is_soon = expires.saturating_sub(chrome.now_ms) < SOON_MS;
    html! { div.left.s-bad[is_soon] { "expires in" b { (text::until(expires, chrome.now_ms)) } } }
}

fn facts(chrome: &Chrome, question: &Question) -> Markup {
    html! {
        dl.facts {
            dt { "Who asks" } dd { @if question.role.is_empty() { "the workflow " (question.workflow) } @else { "role " (question.role) } }
            @if !question.why.is_empty() { dt { "Why" } dd { (question.why) } }
            dt { "Asked" } dd { (text::ago(question.asked_ms, chrome.now_ms)) }
            dt { "Cost so far" } dd { (text::usd(question.cost_micros)) }
            @if question.quorum > 1 { dt { "Agreed" } dd { (question.votes) " of " (question.quorum) } }
            @if question.four_eyes { dt { "Four eyes" } dd { "not whoever published the goal" } }
            @if !question.content_hash.is_empty() { dt { "Content" } dd.mono { (text::brief_id(&question.content_hash)) } }
        }
    }
}

fn decide(chrome: &Chrome, question: &Question) -> Markup {
    let address = format!("/approvals/{}", question.id);
    html! {
        form method="post" action=(address) hx-post=(address) hx-target="#toasts" {
            (chrome.csrf_field())
            input type="hidden" name="hash" value=(question.content_hash);
            @if question.choices.iter().any(|choice| choice == "answer" || choice == "happened") {
                div.answer {
                    label for={ "answer-" (question.id) } { "Answer, as JSON" }
                    textarea id={ "answer-" (question.id) } name="answer" rows="3" spellcheck="false" {}
                }
            }
            footer {
                input type="text" name="comment" maxlength="512" placeholder="Comment" aria-label={ "Comment on " (question.step) } autocomplete="off";
                @for (index, choice) in question.choices.iter().enumerate() {
                    button.btn.ok[index == 0].danger[choice == "deny"] name="choice" value=(choice) { (choice) }
                }
            }
        }
    }
}

fn decided(chrome: &Chrome, questions: &[Question]) -> Markup {
    html! {
        section.card {
            header { h2 { "Decided" } }
            table.list {
                thead { tr { th scope="col" { "Decision" } th scope="col" { "Question" } th.num scope="col" { "Asked" } } }
                tbody { @for question in questions {
                    tr {
                        td { (part::state(&question.decision)) }
                        td.main { a href={ "/tasks/" (question.task) } { (question.question) } small { (question.workflow) " · " (question.step) @if !question.decided_by.is_empty() { " · by " (question.decided_by) } } }
                        td.num.mute { (text::ago(question.asked_ms, chrome.now_ms)) }
                    }
                } }
            }
        }
    }
}

/// What somebody sees who decides too late, or about something that has changed.
#[must_use]
pub fn refused(why: &str) -> Markup {
    part::note(Tone::Bad, &html! { p { b { "Not decided. " } (why) } })
}
