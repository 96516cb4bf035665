//! Dead letters: messages that were given up, why, and the way back.

use maud::{Markup, html};

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Live},
    text,
};

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Letters {
    /// Newest first.
    pub rows: Vec<Letter>,
    /// How many there are in all.
    pub total: u64,
    /// Whether the person may send one again or remove it.
    pub can_steer: bool,
}

/// One message.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    /// As `cadre dlq show` knows it.
    pub id: String,
    /// Why it was given up.
    pub reason: String,
    /// The subject that it was on.
    pub subject: String,
    /// What kind of message it is: `goal`, `report`, `timer`…
    pub kind: String,
    /// The task; empty when it has none.
    pub task: String,
    /// When it was given up.
    pub at_ms: u64,
    /// How often it was delivered.
    pub deliveries: u64,
    /// What of the message is not kept; it cannot be sent again then. Empty when all is there.
    pub lost: String,
    /// The beginning of the message; empty when it was not read.
    pub body: String,
}

/// The page.
#[must_use]
pub fn page(chrome: &Chrome, view: &Letters) -> Page {
    let live = Live { id: "letters", topics: "letters".to_owned(), address: "/dlq".to_owned() };
    let body = part::live(
        &live,
        &html! {
            section.card {
                @if view.rows.is_empty() { (part::empty(Icon::Done, "No dead letters", &html! { "A message that fails at every delivery, or that nobody can read, is kept here instead of being lost." })) }
                @for letter in &view.rows { (one(chrome, view, letter)) }
                @if view.total > view.rows.len() as u64 { div.pager { "The newest " (view.rows.len()) " of " (text::whole(view.total)) } }
            }
        },
    );
    Page { command: "cadre dlq ls".to_owned(), ..Page::new("Dead letters", "/dlq", body) }
}

fn one(chrome: &Chrome, view: &Letters, letter: &Letter) -> Markup {
    let address = format!("/dlq/{}", letter.id);
    html! {
        article.breaker {
            div.grow {
                div.row { span.st.s-bad { (Icon::Letters.draw()) (letter.kind) } h2 { (text::prose(&letter.reason, chrome.now_ms)) } }
                p.mute {
                    span.mono { (letter.subject) } " · " (text::ago(letter.at_ms, chrome.now_ms))
                    @match letter.deliveries { 0 => {}, 1 => { " · delivered once" }, often => { " · delivered " (often) " times" } }
                    @if !letter.task.is_empty() { " · " a.link.mono href={ "/tasks/" (letter.task) } { (text::brief_id(&letter.task)) } }
                }
                @if !letter.lost.is_empty() { p { "It cannot be sent again: " (letter.lost) } }
                @if !letter.body.is_empty() { details { summary { "Message" } (part::document(&letter.body)) } }
            }
            @if view.can_steer { (wishes(chrome, letter, &address)) }
        }
    }
}

fn wishes(chrome: &Chrome, letter: &Letter, address: &str) -> Markup {
    let sure = format!("Remove letter {} for good?", letter.id);
    html! {
        div.acts {
            form method="post" action=(address) hx-post=(address) hx-target="#toasts" {
                (chrome.csrf_field())
                button.btn.tiny name="wish" value="replay" disabled[!letter.lost.is_empty()] { "Send again" }
            }
            form method="post" action=(address) hx-post=(address) hx-target="#toasts" hx-confirm=(sure) {
                (chrome.csrf_field())
                button.btn.tiny.danger name="wish" value="drop" { "Remove" }
            }
        }
    }
}
