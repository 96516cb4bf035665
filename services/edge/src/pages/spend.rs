//! What models and tools cost: over time, and by whatever one asks.

use maud::{Markup, html};
use serde_json::json;

use super::{
    chrome::{Chrome, Page},
    icon::Icon,
    part::{self, Live},
    text::{self, Query},
};

/// What the money can be summed by: the word of the address and its name.
pub const GROUPS: [(&str, &str); 4] =
    [("model", "Model"), ("role", "Role"), ("workflow", "Workflow"), ("tenant", "Tenant")];

/// Ranges that can be looked at: the word of the address and its hours.
pub const RANGES: [(&str, u64); 4] = [("1h", 1), ("24h", 24), ("7d", 168), ("30d", 720)];

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Spend {
    /// What it is summed by: one of [`GROUPS`].
    pub group: String,
    /// How far back: one of [`RANGES`].
    pub range: String,
    /// The dearest first.
    pub shares: Vec<Share>,
    /// Sums over time, oldest first: when and how much.
    pub past: Vec<(u64, u64)>,
    /// Of the range.
    pub total_micros: u64,
    /// Of the range.
    pub tokens: u64,
    /// Of the range before this one, of the same length; `None` when not known.
    pub before_micros: Option<u64>,
    /// Open tasks near their budget, the nearest first.
    pub near: Vec<Near>,
}

/// One part of the sum.
#[derive(Debug, Clone, Default)]
pub struct Share {
    /// Of which model, role, workflow or tenant.
    pub name: String,
    /// Money.
    pub cost_micros: u64,
    /// Tokens.
    pub tokens: u64,
}

/// An open task and what it may still spend.
#[derive(Debug, Clone, Default)]
pub struct Near {
    /// The task.
    pub task: String,
    /// Its goal.
    pub goal: String,
    /// Money used.
    pub cost_micros: u64,
    /// Money allowed.
    pub limit_micros: u64,
}

/// The page.
#[must_use]
pub fn page(chrome: &Chrome, view: &Spend) -> Page {
    let address_now = address(&view.group, &view.range);
    let live = |id| Live { id, topics: "spend".to_owned(), address: address_now.clone() };
    // The chart stays as it is: drawn anew under the pointer it could not be read.
    let body = html! {
        div.stack {
            (part::live(&live("sums"), &figures(view)))
            (chart(view))
            (part::live(&live("shares"), &html! { div.cols { (shares(view)) (near(view)) } }))
        }
    };
    let actions = html! {
        nav.chips aria-label="Range" {
            @for (range, _) in RANGES { a.chip href=(address(&view.group, range)) aria-current=[(range == view.range).then_some("true")] { (range) } }
        }
    };
    Page {
        actions: Some(actions),
        has_charts: true,
        command: format!(
            "cadre show spend --by {} --range {} {}",
            view.group,
            view.range,
            chrome.whose()
        ),
        ..Page::new("Spend", "/spend", body)
    }
}

fn address(group: &str, range: &str) -> String {
    Query::default().with("by", group).with("range", range).address("/spend")
}

fn figures(view: &Spend) -> Markup {
    let change = view.before_micros.filter(|before| *before > 0).map(|before| {
        let (more, sign) = if view.total_micros >= before {
            (view.total_micros - before, "+")
        } else {
            (before - view.total_micros, "−")
        };
        format!("{sign}{} % on the {} before", text::percent(more, before), view.range)
    });
    let hours =
        RANGES.iter().find(|(range, _)| *range == view.range).map_or(1, |(_, hours)| *hours);
    let dearest = view.shares.first().map_or("–".to_owned(), |share| share.name.clone());
    html! {
        section.kpis aria-label="Sums" {
            (part::kpi("Spent", &text::usd(view.total_micros), "", &html! { small { (change.unwrap_or_default()) } }))
            (part::kpi("An hour, on average", &text::usd(view.total_micros / hours), "", &html! {}))
            (part::kpi("Tokens", &text::short(view.tokens), "", &html! {}))
            (part::kpi("Dearest", &dearest, "", &html! {}))
        }
    }
}

fn shares(view: &Spend) -> Markup {
    html! {
        section.card {
            header {
                h2 { "By" }
                nav.chips aria-label="Summed by" {
                    @for (group, name) in GROUPS { a.chip href=(address(group, &view.range)) aria-current=[(group == view.group).then_some("true")] { (name) } }
                }
            }
            @if view.shares.is_empty() { (part::empty(Icon::Spend, "Nothing spent", &html! { "No step has reported a cost in this range." })) }
            div.body.stack {
                @for share in &view.shares {
                    div.share {
                        span.cut { @if share.name.is_empty() { span.mute { (nobody(&view.group)) } } @else { (share.name) } }
                        // Stays below the mark where a meter warns: a share is no limit.
                        (part::meter(share.cost_micros, 0, view.total_micros.saturating_mul(100) / 79 + 1))
                        span.num { (text::usd(share.cost_micros)) span.mute { " · " (text::short(share.tokens)) } }
                    }
                }
            }
        }
    }
}

/// What a share without a name is.
fn nobody(group: &str) -> &'static str {
    if group == "model" { "no model named" } else { "none" }
}

fn near(view: &Spend) -> Markup {
    html! {
        section.card {
            header { h2 { "Budgets" } span.mute { "open tasks nearest their limit" } }
            @if view.near.is_empty() { (part::empty(Icon::Done, "No budget is near its end", &html! { "An open task that has used part of its money is listed here." })) }
            @else { table.list { tbody { @for near in &view.near {
                tr {
                    td.main { a href={ "/tasks/" (near.task) } { (near.goal) } small.mono { (text::brief_id(&near.task)) } }
                    td.num { span.metered { (part::meter(near.cost_micros, 0, near.limit_micros)) span { (text::usd(near.cost_micros)) } } }
                }
            } } } }
        }
    }
}

fn chart(view: &Spend) -> Markup {
    if view.past.len() < 2 {
        return html! {};
    }
    let at: Vec<u64> = view.past.iter().map(|(at, _)| at / 1000).collect();
    let values: Vec<u64> = view.past.iter().map(|(_, micros)| *micros).collect();
    let mut sum = 0_u64;
    let sums: Vec<u64> = values
        .iter()
        .map(|value| {
            sum = sum.saturating_add(*value);
            sum
        })
        .collect();
    let chart = json!({
        "at": at, "unit": "usd",
        "series": [
            {"label": "Spent", "tone": "accent", "values": values, "bars": true},
            {"label": "Sum", "tone": "idle", "values": sums, "dashed": true},
        ],
    });
    html! {
        section.card {
            header { h2 { "Over time" } span.mute { "UTC" } }
            div.body { div.chart data-chart=(chart.to_string()) role="img" aria-label={ "Spent over " (view.range) ", " (text::usd(view.total_micros)) " in all" } {} }
        }
    }
}
