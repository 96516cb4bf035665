//! Streams and consumers: how full, how far behind.

use maud::{Markup, html};

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Live, Tone},
    text,
};
use crate::drain::Drain;

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Bus {
    /// By name.
    pub streams: Vec<StreamRow>,
    /// By subject.
    pub queues: Vec<QueueRow>,
    /// How the broker differs from what is declared, beside what stands at the rows; empty when it does not.
    pub drift: Vec<String>,
    /// Whether the person may look at messages.
    pub can_peek: bool,
}

/// One stream.
#[derive(Debug, Clone, Default)]
pub struct StreamRow {
    /// Its name.
    pub name: String,
    /// Messages in it; `None` when not known.
    pub messages: Option<u64>,
    /// Bytes in it.
    pub bytes: u64,
    /// Its cap; 0 for none.
    pub max_bytes: u64,
    /// Whether it is a bucket.
    pub is_bucket: bool,
    /// How it differs from its declaration.
    pub drift: Vec<String>,
}

/// One consumer, or several of one kind.
#[derive(Debug, Clone, Default)]
pub struct QueueRow {
    /// Its name.
    pub subject: String,
    /// The stream that it reads.
    pub stream: String,
    /// Messages that nobody has got yet.
    pub pending: u64,
    /// Messages that somebody has got and did not settle.
    pub held: u64,
    /// Messages of those that were delivered more than once.
    pub redelivered: u64,
    /// Requests that wait for messages.
    pub waiting: u64,
    /// Age of the oldest message that waits.
    pub oldest_ms: Option<u64>,
    /// How long until nothing waits any more.
    pub drain: Drain,
    /// How it differs from its declaration.
    pub drift: Vec<String>,
}

/// The page.
#[must_use]
pub fn page(_chrome: &Chrome, view: &Bus) -> Page {
    let is_drifting = !view.drift.is_empty()
        || view.streams.iter().any(|stream| !stream.drift.is_empty())
        || view.queues.iter().any(|queue| !queue.drift.is_empty());
    let live = Live { id: "bus", topics: "bus".to_owned(), address: "/bus".to_owned() };
    let body = part::live(
        &live,
        &html! {
            div.stack {
                @if is_drifting {
                    (part::note(Tone::Wait, &html! { div { p { b { "The broker differs from what is declared" } } ul { @for line in &view.drift { li { (line) } } } p { code { "cadre bus diff" } " shows each difference, " code { "cadre bus apply" } " repairs it." } } }))
                }
                (queues(view))
                (streams(view))
            }
        },
    );
    Page {
        command: "cadre bus status".to_owned(),
        ..Page::new("Streams & consumers", "/bus", body)
    }
}

fn queues(view: &Bus) -> Markup {
    html! {
        section.card {
            header { h2 { "Consumers" } span.mute { "what waits for whom" } }
            @if view.queues.is_empty() { (part::empty(Icon::Bus, "No consumers", &html! { code { "cadre bus apply" } " makes them." })) }
            @else { div.scroll { table.list {
                thead { tr {
                    th scope="col" { "Consumer" } th.num scope="col" { "Pending" } th.num scope="col" { "Unsettled" } th.num.md scope="col" { "Redelivered" }
                    th.num scope="col" { "Waiting pulls" } th.num.md scope="col" { "Oldest" } th.num scope="col" title="At the pace of the last minute, if nothing else comes" { "Drained in" }
                } }
                tbody { @for queue in in_order(&view.queues) { (queue_row(queue)) } }
            } } }
        }
    }
}

/// Whoever looks at night wants what waits or is wrong first; the rest follows, each part as it came.
fn in_order(queues: &[QueueRow]) -> impl Iterator<Item = &QueueRow> {
    let is_quiet = |queue: &&QueueRow| {
        queue.pending == 0 && queue.held == 0 && queue.redelivered == 0 && queue.drift.is_empty()
    };
    let busy = queues.iter().filter(move |queue| !is_quiet(queue));
    busy.chain(queues.iter().filter(is_quiet))
}

fn queue_row(queue: &QueueRow) -> Markup {
    let is_alone = queue.pending > 0 && queue.waiting == 0 && queue.held == 0;
    let time = |value: Option<u64>| value.map_or("–".to_owned(), text::span);
    html! {
        tr {
            td.main.short { span.mono { (queue.subject) } small { (queue.stream) @if is_alone { " · " span.s-bad.st { "nobody asks for its messages" } } } (differing(&queue.drift)) }
            td.num data-label="pending" { (text::whole(queue.pending)) }
            td.num data-label="unsettled" { (text::whole(queue.held)) }
            td.num.md { (text::whole(queue.redelivered)) }
            td.num data-label="pulls" { (text::whole(queue.waiting)) }
            td.num.md { (time(queue.oldest_ms)) }
            td.num data-label="drained in" { (drain(queue.drain)) }
        }
    }
}

fn drain(drain: Drain) -> Markup {
    html! {
        @match drain {
            Drain::Unknown => { span.mute title="It is measured while this page is open" { "…" } }
            Drain::Empty => { "–" }
            Drain::Never => { span.st.s-bad { "never" } }
            Drain::In(time) => { (text::span(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))) }
        }
    }
}

/// How something differs from its declaration, below its name.
fn differing(drift: &[String]) -> Markup {
    html! { @for line in drift { small { span.st.s-wait { "differs: " (line) } } } }
}

fn streams(view: &Bus) -> Markup {
    html! {
        section.card {
            header { h2 { "Streams" } }
            @if view.streams.is_empty() { (part::empty(Icon::Bus, "No streams", &html! { code { "cadre bus apply" } " makes them." })) }
            @else { div.scroll { table.list {
                thead { tr { th scope="col" { "Stream" } th.num scope="col" { "Messages" } th.num scope="col" { "Size" } th.num scope="col" { "Of its cap" } } }
                tbody { @for stream in &view.streams {
                    tr {
                        td.main.short {
                            @if view.can_peek && !stream.is_bucket { a.mono href={ "/bus/" (stream.name) } title="Look at its messages" { (stream.name) } } @else { span.mono { (stream.name) } }
                            @if stream.is_bucket { small { "bucket" } }
                            (differing(&stream.drift))
                        }
                        td.num data-label="messages" { (stream.messages.map_or("–".to_owned(), text::whole)) }
                        td.num data-label="size" { (text::bytes(stream.bytes)) }
                        td.num { @if stream.max_bytes == 0 { span.mute { "no cap" } } @else { span.metered { (part::meter(stream.bytes, 0, stream.max_bytes)) (text::percent(stream.bytes, stream.max_bytes)) " %" } } }
                    }
                } }
            } } }
        }
    }
}
