//! A look into one stream: messages as they are stored, decoded, taken from nobody.

use maud::{Markup, html};

use super::{chrome::Page, icon::Icon, part, text};

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Peek {
    /// The stream.
    pub stream: String,
    /// Messages in it.
    pub total: u64,
    /// Its first and its last sequence.
    pub ends: (u64, u64),
    /// In the stream's order.
    pub messages: Vec<Message>,
    /// Sequence that the messages before these begin at; `None` when there are none.
    pub older: Option<u64>,
    /// Sequence that the messages behind these begin at; `None` when there are none.
    pub newer: Option<u64>,
}

/// One message.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// Its place in the stream.
    pub sequence: u64,
    /// When the broker stored it.
    pub at_ms: u64,
    /// Its subject.
    pub subject: String,
    /// What it is, as one word.
    pub kind: String,
    /// What it says, on one line.
    pub text: String,
    /// Somebody should look.
    pub is_bad: bool,
    /// Size of its body.
    pub size_bytes: u64,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body as JSON, or the beginning of it; `None` when it cannot be read.
    pub document: Option<String>,
    /// `document` is not all of it.
    pub is_cut: bool,
}

/// The page.
#[must_use]
pub fn page(view: &Peek) -> Page {
    let (first, last) = view.ends;
    let empty = html! { "What comes is kept until it is dealt with, or as long as the stream's limits allow." };
    let body = html! {
        section.card {
            header {
                h2 { "Messages" }
                span.mute { (text::count(view.total, "message")) @if view.total > 0 { ", sequences " (text::whole(first)) " to " (text::whole(last)) } }
            }
            @if view.messages.is_empty() { (part::empty(Icon::Bus, "No messages here", &empty)) }
            ol { @for message in &view.messages { li.call { (one(message)) } } }
            (ways(view))
        }
    };
    let crumb = html! { a href="/bus" { "Streams & consumers" } (Icon::Next.draw()) span.mono { (view.stream) } };
    Page {
        crumb: Some(crumb),
        command: "cadre bus tail --all --no-follow".to_owned(),
        ..Page::new(&view.stream, "/bus", body)
    }
}

fn one(message: &Message) -> Markup {
    html! {
        details {
            summary {
                span.mono.mute { "#" (message.sequence) }
                (text::clock(message.at_ms))
                b.(if message.is_bad { "s-bad st" } else { "" }) { (message.kind) }
                span { (message.text) }
                span.right.mute { (text::bytes(message.size_bytes)) }
            }
            dl.facts {
                dt { "Subject" } dd.mono { (message.subject) }
                @for (name, value) in &message.headers { dt { (name) } dd.mono { (value) } }
            }
            @if let Some(document) = &message.document {
                (part::document(document))
                @if message.is_cut { p.hint.mute { "The beginning of " (text::bytes(message.size_bytes)) "; all of it: " code { "cadre bus tail -o ndjson" } } }
            }
        }
    }
}

fn ways(view: &Peek) -> Markup {
    let way = |from: u64| format!("/bus/{}?from={from}", view.stream);
    html! {
        div.pager {
            span {
                @if let Some(older) = view.older { a.btn.tiny href=(way(view.ends.0)) { "Oldest" } " " a.btn.tiny href=(way(older)) { "Older" } }
            }
            span {
                @if let Some(newer) = view.newer { a.btn.tiny href=(way(newer)) { "Newer" (Icon::Next.draw()) } }
            }
        }
    }
}
