//! What is known of one step.

use maud::{Markup, html};

use super::{
    super::{part, text},
    Task,
};

/// The selected step.
#[derive(Debug, Clone, Default)]
pub struct StepView {
    /// The step, with its item.
    pub name: String,
    /// Who does it.
    pub role: String,
    /// As one word.
    pub state: String,
    /// Why it is as it is: the failure, the question, the reason to skip; empty when there is none.
    pub reason: String,
    /// What was decided about it last, and by what.
    pub decision: String,
    /// Why the role is not the one that the step names; empty when it is.
    pub degraded: String,
    /// The worker's estimate, in hundredths.
    pub confidence_percent: Option<u64>,
    /// Why nobody vouches for the output; empty when somebody does.
    pub unsure: String,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// What an attempt may spend; 0 for nothing.
    pub grant_micros: u64,
    /// What it has spent.
    pub cost_micros: u64,
    /// Tokens that an attempt may use.
    pub grant_tokens: u64,
    /// Tokens that it has used.
    pub tokens: u64,
    /// Time on the way to workers and back.
    pub queued_ms: u64,
    /// Time in workers' hands.
    pub running_ms: u64,
    /// Time in which a person was asked.
    pub asked_ms: u64,
    /// What people were asked about it, and what became of that; oldest first.
    pub questions: Vec<(String, String)>,
    /// What it got, as JSON; `None` when it is not kept or not looked up.
    pub input: Option<String>,
    /// What it gave, as JSON.
    pub output: Option<String>,
}

/// One try at a step.
#[derive(Debug, Clone, Default)]
pub struct Attempt {
    /// From 1.
    pub number: u64,
    /// By which role.
    pub role: String,
    /// What became of it, as one word.
    pub state: String,
    /// Why; empty when there is nothing to say.
    pub note: String,
    /// From the work order to the report; `None` while it is out.
    pub took_ms: Option<u64>,
    /// What it cost.
    pub cost_micros: u64,
}

pub(super) fn step(view: &Task, step: &StepView) -> Markup {
    let close = view.address_of_step("");
    html! {
        aside.card aria-label="Selected step" {
            header {
                h2 { (step.name) }
                (part::pill(&step.state))
                div.acts { a.btn.plain.tiny href=(close) aria-label="Close step" { "Close" } }
            }
            div.body.ruled {
                @if !step.reason.is_empty() { p { (step.reason) } }
                (facts(step))
                @if step.attempts.len() > 1 { (attempts(step)) }
                @if let Some(input) = &step.input { details { summary { "Input" } (part::document(input)) } }
                @if let Some(output) = &step.output { details open { summary { "Output" } (part::document(output)) } }
            }
        }
    }
}

fn facts(step: &StepView) -> Markup {
    html! {
        dl.facts {
            @if !step.role.is_empty() { dt { "Role" } dd { (step.role) } }
            @if !step.degraded.is_empty() { dt { "Degraded" } dd.s-wait { (step.degraded) } }
            dt { "Attempts" } dd { (step.attempts.len().max(1)) }
            @if let Some(confidence) = step.confidence_percent { dt { "Confidence" } dd { (confidence) " %" } }
            @if !step.unsure.is_empty() { dt { "Unsure" } dd { (step.unsure) } }
            @if step.running_ms > 0 { dt { "Worked on" } dd { (text::span(step.running_ms)) @if step.queued_ms > 0 { span.mute { ", " (text::span(step.queued_ms)) " in the queue" } } } }
            @if step.asked_ms > 0 { dt { "Asked" } dd { (text::span(step.asked_ms)) span.mute { " for a person" } } }
            dt { "Money" } dd { (text::usd(step.cost_micros)) @if step.grant_micros > 0 { span.mute { " of " (text::usd(step.grant_micros)) " an attempt" } } }
            @if step.tokens > 0 || step.grant_tokens > 0 {
                dt { "Tokens" } dd { (text::whole(step.tokens)) @if step.grant_tokens > 0 { span.mute { " of " (text::whole(step.grant_tokens)) } } }
            }
            @for (question, outcome) in &step.questions { dt { "Question" } dd { (question) span.mute { " · " (outcome) } } }
            @if !step.decision.is_empty() { dt { "Decision" } dd { (step.decision) } }
        }
    }
}

fn attempts(step: &StepView) -> Markup {
    html! {
        div.stack {
            h3 { "Attempts" }
            @for attempt in &step.attempts {
                dl.facts.tight {
                    dt { "#" (attempt.number) " " span.mute { (attempt.role) } }
                    dd {
                        (part::state(&attempt.state))
                        @if let Some(took) = attempt.took_ms { span.mute { " · " (text::span(took)) } }
                        @if attempt.cost_micros > 0 { span.mute { " · " (text::usd(attempt.cost_micros)) } }
                        @if !attempt.note.is_empty() { p.mute { (attempt.note) } }
                    }
                }
            }
        }
    }
}
