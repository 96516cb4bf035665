//! When each step ran: waiting in a queue, running and waiting for a person are three different bars.

use maud::{Markup, html};

use super::{
    super::{
        icon::Icon,
        part::{self, Tone},
        text,
    },
    Tab, Task,
    axis::Axis,
};

/// Lines of one page: a fan-out may have thousands of items.
const LANES_MAX: usize = 250;

/// What the timeline shows.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// One line for each step, in order of beginning.
    pub lanes: Vec<Lane>,
    /// Idle times are folded away.
    pub is_folded: bool,
    /// Only steps that failed, were tried again or went to a fallback.
    pub is_failed_only: bool,
}

/// One line.
#[derive(Debug, Clone, Default)]
pub struct Lane {
    /// The step, with its item.
    pub name: String,
    /// Who does it.
    pub role: String,
    /// How deep it is indented: 0 for a step, 1 for an item or turn.
    pub depth: u8,
    /// As one word.
    pub state: String,
    /// What happened when, in order.
    pub bars: Vec<Bar>,
    /// Attempts beyond the first one.
    pub retries: u64,
    /// Another role than the named one does it.
    pub is_degraded: bool,
    /// A person does it.
    pub is_person: bool,
    /// What it cost.
    pub cost_micros: u64,
}

/// A stretch of time on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// What the step did.
    pub kind: BarKind,
    /// When it began.
    pub from_ms: u64,
    /// When it ended; `None` while it goes on.
    pub to_ms: Option<u64>,
}

/// What a step does in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarKind {
    /// Its work order waits for a worker.
    Queue,
    /// A worker has it.
    Run,
    /// A person is asked.
    Human,
    /// It waits for its next attempt.
    Delay,
    /// An attempt that came to nothing.
    Lost,
}

impl BarKind {
    fn class(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Run => "run",
            Self::Human => "human",
            Self::Delay => "delay",
            Self::Lost => "lost",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Queue => "queued",
            Self::Run => "ran",
            Self::Human => "waited for a person",
            Self::Delay => "waited to try again",
            Self::Lost => "failed attempt",
        }
    }
}

impl Lane {
    fn is_troubled(&self) -> bool {
        let (tone, _) = part::look(&self.state);
        self.retries > 0
            || self.is_degraded
            || tone == Tone::Bad
            || self.bars.iter().any(|bar| bar.kind == BarKind::Lost)
    }

    fn began(&self) -> Option<u64> {
        self.bars.first().map(|bar| bar.from_ms)
    }

    fn took(&self, now_ms: u64) -> u64 {
        let last = self.bars.last().map(|bar| bar.to_ms.unwrap_or(now_ms));
        last.unwrap_or(0).saturating_sub(self.began().unwrap_or(0))
    }
}

pub(super) fn draw(view: &Task, now_ms: u64) -> Markup {
    let timeline = &view.timeline;
    if timeline.lanes.is_empty() {
        return html! { section.card { (part::empty(Icon::Waiting, "Nothing has begun", &html! { "The first step appears here as soon as its work order is out." })) } };
    }
    let shown: Vec<&Lane> = timeline
        .lanes
        .iter()
        .filter(|lane| !timeline.is_failed_only || lane.is_troubled())
        .collect();
    let end = view.ended_ms.unwrap_or(now_ms);
    let busy: Vec<(u64, u64)> = timeline
        .lanes
        .iter()
        .flat_map(|lane| &lane.bars)
        .filter(|bar| matches!(bar.kind, BarKind::Run | BarKind::Lost | BarKind::Queue))
        .map(|bar| (bar.from_ms, bar.to_ms.unwrap_or(end)))
        .collect();
    let axis = Axis::new(view.accepted_ms, end, timeline.is_folded.then_some(&busy));
    html! {
        section.card {
            header { h2 { "Timeline" } (switches(view)) }
            (definitions())
            table.tl {
                colgroup { col.name; col.track; col.took.md; col.cost.lg; }
                thead { tr { th scope="col" { "Step" } th scope="col" { span.vh { "When" } (scale(&axis)) } th.took scope="col" { "Took" } th.cost.lg scope="col" { "Cost" } } }
                tbody data-rows {
                    @for lane in shown.iter().take(LANES_MAX) { (line(view, lane, &axis, end)) }
                }
            }
            @if shown.is_empty() { (part::empty(Icon::Done, "Nothing failed", &html! { "No step of this task failed, was tried again or went to a fallback." })) }
            @if shown.len() > LANES_MAX {
                div.pager { "The first " (LANES_MAX) " of " (text::count(shown.len() as u64, "step")) ". “Failed only” and the command line show the others." }
            }
            (legend())
        }
    }
}

fn switches(view: &Task) -> Markup {
    let turn = |is_folded: bool, is_failed_only: bool| {
        let mut other = view.brief();
        other.tab = Tab::Timeline;
        (other.timeline.is_folded, other.timeline.is_failed_only) = (is_folded, is_failed_only);
        other.address()
    };
    let Timeline { is_folded, is_failed_only, .. } = view.timeline;
    html! {
        div.acts {
            a.chip href=(turn(!is_folded, is_failed_only)) aria-current=[is_folded.then_some("true")] { "Collapse idle" }
            a.chip href=(turn(is_folded, !is_failed_only)) aria-current=[is_failed_only.then_some("true")] { "Failed only" }
        }
    }
}

/// Patterns that bars are filled with.
fn definitions() -> Markup {
    html! {
        svg.defs aria-hidden="true" {
            defs {
                pattern #hatch width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.hatch-ink width="2.5" height="6" {}
                }
                pattern #dots width="5" height="5" patternUnits="userSpaceOnUse" { circle.dots-ink cx="2.5" cy="2.5" r="1.1" {} }
                pattern #thin width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.thin-ink width="1" height="4" {}
                }
            }
        }
    }
}

fn percent(at: f64) -> String {
    format!("{at:.2}%")
}

fn scale(axis: &Axis) -> Markup {
    html! {
        svg.scale aria-hidden="true" {
            @for tick in axis.ticks() { text x=(percent(tick.at)) y="12" { (tick.label) } }
            @for (at, hidden) in axis.folds() { text.fold x=(percent(at)) y="12" text-anchor="middle" { "⋯ " (text::span(hidden)) } }
        }
    }
}

fn line(view: &Task, lane: &Lane, axis: &Axis, end: u64) -> Markup {
    let (tone, icon) = part::look(&lane.state);
    let icon = if lane.is_person { Icon::Person } else { icon };
    let is_on = view.selected == lane.name;
    let address = view.address_of_step(&lane.name);
    html! {
        tr.(tone.class()).d1[lane.depth == 1].d2[lane.depth > 1].on[is_on] {
            td {
                a href=(address) data-row aria-current=[is_on.then_some("true")] hx-get=(address) hx-select="#task"
                    hx-target="#task" hx-swap="outerMorph" hx-push-url="true" title={ (lane.name) " · " (lane.role) " · " (lane.state) } {
                    (icon.draw())
                    span.nm { (lane.name) @if !lane.role.is_empty() { i { " · " (lane.role) } } }
                    @if lane.retries > 0 { span.tag.tint.s-bad title=(text::count(lane.retries, "retry attempt")) { (Icon::Retry.draw()) (lane.retries) } }
                    @if lane.is_degraded { span.tag.tint.s-wait title="Done by the fallback role" { (Icon::Fallback.draw()) } }
                    span.vh { ", " (lane.state) }
                }
            }
            td.track { (bars(lane, axis, end)) }
            td.took { @if lane.bars.is_empty() { "–" } @else { (text::span(lane.took(end))) } }
            td.cost.lg { @if lane.cost_micros > 0 { (text::usd(lane.cost_micros)) } @else { "–" } }
        }
    }
}

fn bars(lane: &Lane, axis: &Axis, end: u64) -> Markup {
    let said: Vec<String> = lane
        .bars
        .iter()
        .map(|bar| {
            let length = bar.to_ms.unwrap_or(end).saturating_sub(bar.from_ms);
            format!("{} {}", bar.kind.word(), text::span(length))
        })
        .collect();
    html! {
        svg.lane role="img" aria-label=(if said.is_empty() { "not begun".to_owned() } else { said.join(", ") }) {
            @for tick in axis.ticks() { line.grid x1=(percent(tick.at)) x2=(percent(tick.at)) y1="0" y2="100%" {} }
            @for (at, _) in axis.folds() { line.fold x1=(percent(at)) x2=(percent(at)) y1="0" y2="100%" {} }
            @for bar in &lane.bars {
                @let from = axis.at(bar.from_ms);
                @let to = axis.at(bar.to_ms.unwrap_or(end));
                (shape(bar, from, to))
            }
            @if lane.is_degraded {
                @if let Some(bar) = lane.bars.iter().rev().find(|bar| bar.kind == BarKind::Run) {
                    circle.mark cx=(percent(axis.at(bar.from_ms))) cy="50%" r="4" { title { "the fallback role takes over" } }
                }
            }
        }
    }
}

fn shape(bar: &Bar, from: f64, to: f64) -> Markup {
    // Thin bars stay visible, most of all those that tell of a failure.
    let width = (to - from).max(if bar.kind == BarKind::Lost { 1.0 } else { 0.35 });
    let from = from.min(100.0 - width);
    if bar.kind == BarKind::Queue {
        return html! { line.queue x1=(percent(from)) x2=(percent(to)) y1="50%" y2="50%" {} };
    }
    html! { rect.(bar.kind.class()) x=(percent(from)) width=(percent(width)) y="26%" height="48%" rx="3" {} }
}

fn legend() -> Markup {
    html! {
        div.legend {
            span.s-ok { svg.lane.key aria-hidden="true" { rect.run width="22" height="12" rx="3" {} } "running" }
            span { svg.lane.key aria-hidden="true" { line.queue x1="0" x2="22" y1="6" y2="6" {} } "in the queue" }
            span { svg.lane.key aria-hidden="true" { rect.human width="22" height="12" rx="3" {} } "waiting for a person" }
            span { svg.lane.key aria-hidden="true" { rect.delay width="22" height="12" rx="3" {} } "waiting to try again" }
            span { svg.lane.key aria-hidden="true" { rect.lost width="22" height="12" rx="3" {} } "failed attempt" }
            span.s-wait { svg.lane.key aria-hidden="true" { circle.mark cx="11" cy="6" r="4" {} } "fallback takes over" }
        }
    }
}
