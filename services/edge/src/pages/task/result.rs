//! The answer: the document, what is missing, and which statement won where several steps disagreed.

use maud::{Markup, html};

use super::{
    super::{icon::Icon, part, part::Tone, text},
    Task,
};

/// A task's answer.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// How the task ended.
    pub status: String,
    /// Why, in one sentence.
    pub reason: String,
    /// The document; `None` when there is none.
    pub document: Option<String>,
    /// Fields on which steps disagreed.
    pub conflicts: Vec<Conflict>,
    /// Parts that are not there.
    pub missing: Vec<Missing>,
    /// Steps whose output another role gave.
    pub degraded: Vec<String>,
}

/// A field on which steps disagreed.
#[derive(Debug, Clone, Default)]
pub struct Conflict {
    /// The field of the answer.
    pub field: String,
    /// The rule that decided.
    pub rule: String,
    /// Why this one won, in one sentence.
    pub why: String,
    /// What counts, and where it is from; `None` when nothing does.
    pub won: Option<(String, String)>,
    /// What does not.
    pub lost: Vec<(String, String)>,
}

/// A part of the answer that is not there.
#[derive(Debug, Clone, Default)]
pub struct Missing {
    /// The step or field.
    pub step: String,
    /// Why.
    pub cause: String,
}

pub(super) fn draw(view: &Task) -> Markup {
    let Some(answer) = &view.answer else {
        let hint = html! { "The answer appears here when the task ends. " @if view.ended_ms.is_some() { "This task ended without one: " (view.why) } };
        return html! { section.card { (part::empty(Icon::Waiting, "No answer yet", &hint)) } };
    };
    html! {
        div.stack {
            (part::note(part::look(&answer.status).0, &html! { p { b { (answer.status) } " · " (answer.reason) } }))
            @if !answer.missing.is_empty() { (missing(&answer.missing)) }
            @if !answer.degraded.is_empty() {
                (part::note(Tone::Wait, &html! { p { "Done by a fallback: " (answer.degraded.join(", ")) } }))
            }
            @if !answer.conflicts.is_empty() { (conflicts(&answer.conflicts)) }
            @if let Some(document) = &answer.document {
                section.card {
                    header { h2 { "Document" } div.acts { (part::copy(document, "the document")) } }
                    div.body { (part::document(document)) }
                }
            }
        }
    }
}

fn missing(missing: &[Missing]) -> Markup {
    html! {
        section.card {
            header { h2 { "Missing" } span.mute { (text::count(missing.len() as u64, "part")) } }
            div.body { dl.facts { @for part in missing { dt { (part.step) } dd { (part.cause) } } } }
        }
    }
}

fn conflicts(conflicts: &[Conflict]) -> Markup {
    html! {
        section.card {
            header { h2 { "Conflicts" } span.mute { (text::count(conflicts.len() as u64, "field")) ", each resolved by the rule of the pack" } }
            @for conflict in conflicts {
                div.versus {
                    h3 { b { (conflict.field) } " · rule " (conflict.rule) }
                    @match &conflict.won {
                        Some((value, source)) => { div.row.won { span.s-ok.st { "won" } span { code { (value) } " " span.mute { (source) } } } },
                        None => { div.row { span.s-bad.st { "open" } span { "unresolved" } } },
                    }
                    @for (value, source) in &conflict.lost {
                        div.row.lost { span { "lost" } span { code { (value) } " " (source) } }
                    }
                    @if !conflict.why.is_empty() { p.mute { (conflict.why) } }
                }
            }
        }
    }
}
