//! What is around every page: the way around, who looks, how fresh it is.

use maud::{DOCTYPE, Markup, html};

use super::{
    assets::address,
    icon::{self, Icon},
    part, text,
};

/// What the frame of a page shows.
#[derive(Debug, Clone, Default)]
pub struct Chrome {
    /// The broker's time, which every age on the page is counted from.
    pub now_ms: u64,
    /// Who looks: a name and a role; empty while nobody has to say who they are.
    pub user: String,
    /// The tenant that is shown; empty for all.
    pub tenant: String,
    /// What the person may do, as one word.
    pub role: String,
    /// Whether there is a session to leave.
    pub has_session: bool,
    /// Hidden field of every form.
    pub csrf: String,
    /// What the person chose; `None` follows the system.
    pub theme: Option<&'static str>,
    /// Questions that wait for a person.
    pub questions: u64,
    /// Dead letters; `None` when they are not known.
    pub letters: Option<u64>,
    /// How far the read model is behind the log.
    pub lag_ms: u64,
}

impl Chrome {
    /// The flag that makes a command show the same tenants.
    pub(super) fn whose(&self) -> String {
        match self.tenant.as_str() {
            "" => "--all-tenants".to_owned(),
            tenant => format!("--tenant {tenant}"),
        }
    }

    /// The hidden field that proves a form is from one of our pages.
    pub(super) fn csrf_field(&self) -> Markup {
        html! { input type="hidden" name="csrf" value=(self.csrf); }
    }
}

/// From here on a page says that it is behind.
const STALE_MS: u64 = 3_000;

/// One page: its heading and what is below.
#[derive(Debug, Clone)]
pub struct Page {
    /// Also the window's title.
    pub title: String,
    /// Which entry of the way around is marked: its address.
    pub at: &'static str,
    /// Above the title.
    pub crumb: Option<Markup>,
    /// Below the title.
    pub sub: Option<Markup>,
    /// Beside the title.
    pub actions: Option<Markup>,
    /// The rest.
    pub body: Markup,
    /// The command that shows the same; empty when there is none.
    pub command: String,
    /// Draws charts.
    pub has_charts: bool,
}

impl Page {
    /// A page with a title and a body, and nothing else.
    pub(super) fn new(title: &str, at: &'static str, body: Markup) -> Self {
        Self {
            title: title.to_owned(),
            at,
            crumb: None,
            sub: None,
            actions: None,
            body,
            command: String::new(),
            has_charts: false,
        }
    }
}

/// Address, name and icon of an entry.
type Way = (&'static str, &'static str, Icon);

/// Every entry, in groups.
const WAYS: [(&str, &[Way]); 4] = [
    (
        "",
        &[
            ("/", "Overview", Icon::Overview),
            ("/tasks", "Tasks", Icon::Tasks),
            ("/approvals", "Approvals", Icon::Approvals),
        ],
    ),
    (
        "Fleet",
        &[
            ("/agents", "Agents", Icon::Agents),
            ("/breakers", "Circuit breakers", Icon::Breakers),
            ("/bus", "Streams & consumers", Icon::Bus),
            ("/dlq", "Dead letters", Icon::Letters),
        ],
    ),
    ("Cost", &[("/spend", "Spend", Icon::Spend)]),
    (
        "Build",
        &[
            ("/packs", "Packs", Icon::Packs),
            ("/publish", "Publish a goal", Icon::Publish),
            ("/webhooks", "Webhooks", Icon::Webhooks),
            ("/audit", "Audit", Icon::Audit),
        ],
    ),
];

/// The whole document.
#[must_use]
pub fn document(chrome: &Chrome, page: &Page) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[chrome.theme] data-now=(chrome.now_ms) {
            (head(&page.title, page.has_charts))
            body {
                a.skip href="#main" { "Skip to content" }
                header.topbar {
                    a.brand href="/" { (icon::mark()) span { "Cadre" } }
                    span.live data-state="still" { span { "As of now" } }
                    button.btn.plain type="button" popovertarget="side" aria-label="Menu" { (Icon::Menu.draw()) }
                }
                (side(chrome, page.at))
                main #main tabindex="-1" { (content(chrome, page)) }
                div #toasts role="status" aria-live="polite" {}
            }
        }
    }
}

/// A document without the way around: for who has not said who they are, and for errors.
#[must_use]
pub fn bare(chrome: &Chrome, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[chrome.theme] data-now=(chrome.now_ms) {
            (head(title, false))
            body { main.blank #main { div.card { a.brand href="/" { (icon::mark()) span { "Cadre" } } (body) } } }
        }
    }
}

fn head(title: &str, has_charts: bool) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="htmx-config" content="{\"includeIndicatorCSS\":false,\"history\":\"reload\",\"defaultTimeout\":15000}";
            title { (title) " · Cadre" }
            link rel="icon" href="/assets/mark.svg" type="image/svg+xml";
            link rel="preload" href="/assets/geist.woff2" as="font" type="font/woff2" crossorigin;
            @if has_charts { link rel="stylesheet" href=(address("uplot.css")); }
            link rel="stylesheet" href=(address("cadre.css"));
            script src=(address("htmx.js")) defer {}
            @if has_charts { script src=(address("uplot.js")) defer {} }
            script src=(address("cadre.js")) defer {}
        }
    }
}

/// Everything of a page that changes from one to the next: what a partial request gets.
#[must_use]
pub fn content(chrome: &Chrome, page: &Page) -> Markup {
    let is_stale = chrome.lag_ms > STALE_MS;
    let behind = format!("{} behind", text::span(chrome.lag_ms));
    html! {
        header.page #head {
            div.title {
                @if let Some(crumb) = &page.crumb { div.crumb { (crumb) } }
                h1 { (page.title) }
                @if let Some(sub) = &page.sub { div.sub { (sub) } }
            }
            div.acts {
                @if let Some(actions) = &page.actions { (actions) }
                span.live role="status" data-state=(if is_stale { "stale" } else { "still" }) {
                    span { @if is_stale { (behind) } @else { "As of now" } }
                }
            }
        }
        @if is_stale {
            (part::note(part::Tone::Wait, &html! {
                p { "What you see is " b { (behind) } ": the read model is still reading the log. Tasks themselves are not affected." }
            }))
        }
        (page.body)
        @if !page.command.is_empty() { (part::same(&page.command)) }
    }
}

fn side(chrome: &Chrome, at: &str) -> Markup {
    html! {
        nav.side #side popover aria-label="Pages" {
            a.brand href="/" { (icon::mark()) span { "Cadre" } }
            @for (group, ways) in WAYS {
                @if !group.is_empty() { h2 { (group) } }
                @for (address, name, icon) in ways {
                    a.to href=(address) title=(name) aria-current=[(*address == at).then_some("page")] {
                        (icon.draw())
                        span { (name) }
                        (badge(chrome, address))
                    }
                }
            }
            (foot(chrome))
        }
    }
}

fn badge(chrome: &Chrome, address: &str) -> Markup {
    let letters = chrome.letters.unwrap_or(0);
    html! {
        // Always there: it follows live, on whatever page.
        @if address == "/approvals" {
            span.badge data-badge="questions" hidden[chrome.questions == 0] { b { (text::short(chrome.questions)) } span.vh { " waiting" } }
        }
        @if address == "/dlq" && letters > 0 {
            span.badge.bad { (text::short(letters)) span.vh { " dead letters" } }
        }
    }
}

fn foot(chrome: &Chrome) -> Markup {
    let name = if chrome.user.is_empty() { "local" } else { &chrome.user };
    let tenant = if chrome.tenant.is_empty() { "all tenants" } else { &chrome.tenant };
    html! {
        div.foot {
            span.who.cut { b.cut { (name) } (chrome.role) " · " (tenant) }
            button.btn.plain.tiny type="button" data-theme-turn title="Light or dark" aria-label="Light or dark" {
                (Icon::Theme.draw())
            }
            @if chrome.has_session {
                form method="post" action="/session/end" {
                    (chrome.csrf_field())
                    button.btn.plain.tiny title="Sign out" aria-label="Sign out" { (Icon::Leave.draw()) }
                }
            }
        }
    }
}
