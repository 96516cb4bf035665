//! The calls that a task's steps made: whom they asked, what was told and left out, what came back.

use maud::{Markup, html};

use super::super::{icon::Icon, part, text};

/// One call of a model or tool, as the step's journal has it.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Which step made it, and which of its calls it is.
    pub step: String,
    /// `model` or `tool`.
    pub kind: String,
    /// Which model or tool.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What came of it, as one word.
    pub outcome: String,
    /// The step's attempt that made it last.
    pub attempt: u64,
    /// Who made it last.
    pub worker: String,
    /// It may be made twice.
    pub is_repeatable: bool,
    /// The person who knew what had happened; empty when the worker did.
    pub ruled_by: String,
    /// Tokens in and out.
    pub tokens: u64,
    /// What it cost; of one without an outcome, what was set aside for it.
    pub cost_micros: u64,
    /// What was decided about asking a model, and what it was told; `None` for tools, and while nothing came back.
    pub told: Option<Told>,
    /// What came back; `None` while nothing has.
    pub answered: Option<String>,
}

/// The decision record of a model's answer, in parts. Texts are empty where the record says nothing.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Who answered.
    pub model: String,
    /// Why it was asked.
    pub why: String,
    /// Who was not asked, and why not.
    pub passed_over: Vec<(String, String)>,
    /// Why it is not the role's usual model.
    pub stepped_down: String,
    /// It was answered out of what had been asked before.
    pub is_cached: bool,
    /// Tools on offer.
    pub offered: Vec<String>,
    /// What it called: tool, and arguments as JSON.
    pub called: Vec<(String, String)>,
    /// Turns of the conversation that it was told.
    pub turns: u64,
    /// Tokens of all that it was told, as estimated before.
    pub tokens_estimated: u64,
    /// Documents that it could look things up in.
    pub documents: Vec<String>,
    /// What it was not told: fields of the input, and earlier turns.
    pub omitted: Vec<String>,
    /// Tokens as the provider counts: in, of these cached, out.
    pub tokens: (u64, u64, u64),
    /// How long it took.
    pub took_ms: u64,
    /// What it said, beside what it called.
    pub said: String,
}

/// Calls that are shown, and how many there are.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    /// In order, step by step.
    pub shown: Vec<Call>,
    /// Those that are left out at the end.
    pub left_out: u64,
}

/// The calls of a task's steps, in order.
pub(super) fn draw(calls: &Calls, command: &str) -> Markup {
    if calls.shown.is_empty() {
        let hint = html! { "No step of this task asked a model or a tool. Roles of the runtimes " code { "rules" } " and " code { "script" } " never do." };
        return html! { section.card { (part::empty(Icon::Model, "No calls", &hint)) } };
    }
    html! {
        section.card {
            ol { @for call in &calls.shown { li.call { (one(call)) } } }
            @if calls.left_out > 0 { div.pager { span { (text::count(calls.left_out, "more call")) ": " code { (command) } } } }
        }
    }
}

fn one(call: &Call) -> Markup {
    let icon = if call.kind == "tool" { Icon::Tool } else { Icon::Model };
    html! {
        details {
            summary {
                (icon.draw())
                b { (call.name) }
                span.mute { (call.step) }
                (part::state(&call.outcome))
                span.right.mute {
                    @if call.tokens > 0 { (text::short(call.tokens)) " tokens" }
                    @if call.cost_micros > 0 { " · " (text::usd(call.cost_micros)) }
                }
            }
            dl.facts {
                @if !call.description.is_empty() { dt { "For" } dd { (call.description) } }
                dt { "Made by" } dd { (call.worker) span.mute { ", attempt " (call.attempt) } }
                dt { "Made twice" } dd { @if call.is_repeatable { "is harmless: the same key again" } @else { "never: a person is asked when nobody knows its outcome" } }
                @if !call.ruled_by.is_empty() { dt { "Outcome" } dd { "known by " (call.ruled_by) } }
            }
            @if let Some(told) = &call.told { div.stack { (decided(told)) (passed(told)) (said(told)) } }
            @if let Some(answered) = &call.answered {
                @if call.told.is_some() { details { summary { "The whole record" } (part::document(answered)) } }
                @else { h3 { "What came back" } (part::document(answered)) }
            }
        }
    }
}

/// Whom it was decided to ask, and why nobody else.
fn decided(told: &Told) -> Markup {
    let (input, cached, output) = told.tokens;
    html! {
        dl.facts {
            dt { "Answered by" } dd { (told.model) @if !told.why.is_empty() { span.mute { ": " (told.why) } } @if told.is_cached { " " span.tag { "kept answer" } } }
            @for (model, why) in &told.passed_over { dt { "Not asked" } dd { (model) span.mute { ": " (why) } } }
            @if !told.stepped_down.is_empty() { dt { "Cheaper" } dd.s-wait { (told.stepped_down) } }
            dt { "Tokens" } dd { (text::whole(input)) " in" span.mute { ", " (text::whole(cached)) " of them cached, " } (text::whole(output)) " out" span.mute { " in " (text::span(told.took_ms)) } }
        }
    }
}

/// What it was told, and what not.
fn passed(told: &Told) -> Markup {
    let called = |tool: &String| told.called.iter().any(|(name, _)| name == tool);
    html! {
        h3 { "What it was told" }
        dl.facts {
            dt { "Context" } dd { (text::count(told.turns, "turn")) span.mute { ", about " (text::whole(told.tokens_estimated)) " tokens" } }
            @if !told.documents.is_empty() { dt { "Documents" } dd { (told.documents.join(", ")) } }
            dt { "Left out" } dd {
                @if told.omitted.is_empty() { span.mute { "nothing" } }
                @else { ul { @for line in &told.omitted { li.s-wait.st { (line) } } } }
            }
            dt { "Tools" } dd {
                @if told.offered.is_empty() { span.mute { "none offered" } }
                @for tool in &told.offered { span.tag.tint[called(tool)].s-ok[called(tool)] { (tool) @if called(tool) { " called" } } " " }
            }
        }
    }
}

fn said(told: &Told) -> Markup {
    html! {
        @if !told.said.is_empty() { h3 { "What it said" } (part::document(&told.said)) }
        @for (tool, arguments) in &told.called { h3 { "It called " (tool) " with" } (part::document(arguments)) }
    }
}
