//! Webhooks: who is told of the ends of tasks, and how that goes.

use maud::{Markup, html};

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Live, Tone},
    text,
};

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Webhooks {
    /// The oldest first.
    pub rows: Vec<Row>,
    /// This process sends none.
    pub is_off: bool,
}

/// One webhook.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// As `cadre webhook` knows it.
    pub id: String,
    /// Host and port of its address: what stands behind may be a secret.
    pub host: String,
    /// Whose tasks.
    pub tenant: String,
    /// Only of this workflow; empty for all.
    pub workflow: String,
    /// Who wants it.
    pub by: String,
    /// Since when.
    pub created_ms: u64,
    /// `new`, `ok`, `failing` or `gone`.
    pub state: String,
    /// When something was delivered last.
    pub delivered_ms: Option<u64>,
    /// Since when everything fails.
    pub failing_ms: Option<u64>,
    /// What the last failure said; empty while it goes well.
    pub error: String,
    /// Ends that were given up.
    pub given_up: u64,
    /// The task of the last of those; empty when there is none.
    pub lost: String,
}

/// The page.
#[must_use]
pub fn page(chrome: &Chrome, view: &Webhooks) -> Page {
    let (topics, address) = ("webhooks".to_owned(), "/webhooks".to_owned());
    let none = html! { code { "cadre webhook add https://example.com/cadre" } " tells a program of each end, signed." };
    let body = part::live(
        &Live { id: "webhooks", topics, address },
        &html! {
            div.stack {
                @if view.is_off { (part::note(Tone::Wait, &html! { p { "This process tells nobody: " code { "cadre serve --webhooks public" } } })) }
                section.card {
                    @if view.rows.is_empty() { (part::empty(Icon::Webhooks, "Nobody is told of ends", &none)) }
                    @for row in &view.rows { (one(chrome, row)) }
                }
            }
        },
    );
    Page { command: "cadre webhook ls".to_owned(), ..Page::new("Webhooks", "/webhooks", body) }
}

/// The new secret of a webhook, shown once and by no address.
#[must_use]
pub fn renewed(id: &str, secret: &str) -> Page {
    let body = html! {
        section.card { div.body.stack {
            p { "Webhook " span.mono { (id) } " signs with this from now on. It cannot be shown again; the former one counts for a day." }
            p.row { code.mono { (secret) } (part::copy(secret, "the secret")) }
            p { a.btn href="/webhooks" { "Webhooks" } }
        } }
    };
    Page::new("A new secret", "/webhooks", body)
}

fn one(chrome: &Chrome, row: &Row) -> Markup {
    html! {
        article.breaker {
            div.grow {
                div.row { (state(&row.state)) h2 { (row.host) } }
                p.mute {
                    span.mono { (row.id) } " · " (row.tenant) " · "
                    @if row.workflow.is_empty() { "every workflow" } @else { (row.workflow) }
                    " · by " (row.by) " " (text::ago(row.created_ms, chrome.now_ms))
                    @if let Some(at) = row.delivered_ms { " · delivered " (text::ago(at, chrome.now_ms)) }
                }
                @if !row.error.is_empty() {
                    p { (row.error) @if let Some(at) = row.failing_ms { span.mute { " · fails since " (text::since(at, chrome.now_ms)) } } }
                }
                @if row.given_up > 0 {
                    p { span.st.s-bad { (text::count(row.given_up, "end")) " given up" } @if !row.lost.is_empty() { ", the last of task " a.link.mono href={ "/tasks/" (row.lost) } { (text::brief_id(&row.lost)) } } }
                }
            }
            (wishes(chrome, row))
        }
    }
}

fn state(word: &str) -> Markup {
    let (tone, icon) = match word {
        "ok" => (Tone::Ok, Icon::Done),
        "failing" => (Tone::Bad, Icon::Failed),
        _ => (Tone::Idle, Icon::Stopped),
    };
    html! { span.st.(tone.class()) { (icon.draw()) (word) } }
}

fn wishes(chrome: &Chrome, row: &Row) -> Markup {
    let address = format!("/webhooks/{}", row.id);
    let sure = format!("Remove webhook {}? What waits for it is not told any more.", row.id);
    html! {
        div.acts {
            form method="post" action=(address) hx-post=(address) hx-target="#toasts" {
                (chrome.csrf_field())
                button.btn.tiny name="wish" value="test" { "Try it" }
            }
            // A page of its own, so that the secret is in no note that passes.
            form method="post" action=(address) {
                (chrome.csrf_field())
                button.btn.tiny name="wish" value="rotate" { "New secret" }
            }
            form method="post" action=(address) hx-post=(address) hx-target="#toasts" hx-confirm=(sure) {
                (chrome.csrf_field())
                button.btn.tiny.danger name="wish" value="remove" { "Remove" }
            }
        }
    }
}
