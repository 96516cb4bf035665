//! Figures: one table of names, recorded in every process, read over OTLP or at `/metrics`.
//!
//! ```text
//!  services ─► table::X.add / set / measure ─► OpenTelemetry ─┬─► OTLP, pushed
//!                                                             └─► text() ─► Page, scraped
//! ```
//!
//! [`table`] is the only source of names, labels and help. Labels come from closed sets, or from packs, which are
//! the operator's: never a task, a tenant or anything else that a publisher chooses. Nothing is counted, at the
//! cost of one atomic read, while nobody reads.

mod instrument;
mod page;
pub mod table;

use std::{
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use cadre_core::watch::{Kind, Severity};
use prometheus::{Encoder as _, Registry, TextEncoder};

pub use self::{
    instrument::{Labels, Metric, Row, Shape},
    page::{CONTENT_TYPE, Page},
};

static MEASURING: AtomicBool = AtomicBool::new(false);

/// What `/metrics` is made of; once per process, like the subscriber.
static REGISTRY: OnceLock<Registry> = OnceLock::new();

/// Whether anybody reads figures of this process: there is a collector or a page.
#[must_use]
pub fn is_measuring() -> bool {
    MEASURING.load(Ordering::Relaxed)
}

/// Begins to count. What happened often or never must have a first figure, or its first increase is not seen.
pub(crate) fn begin(registry: Option<Registry>) {
    if let Some(registry) = registry {
        // A second start is refused by the subscriber before it comes here.
        let _ = REGISTRY.set(registry);
    }
    MEASURING.store(true, Ordering::Relaxed);
    table::TABLE.iter().for_each(|metric| metric.begin());
}

pub(crate) fn end() {
    MEASURING.store(false, Ordering::Relaxed);
}

/// Every figure of this process in Prometheus' text format; `None` where no page was asked for.
#[must_use]
pub fn text() -> Option<String> {
    let families = REGISTRY.get()?.gather();
    let mut bytes = Vec::new();
    if let Err(error) = TextEncoder::new().encode(&families, &mut bytes) {
        tracing::warn!(%error, "figures were not written");
        return None;
    }
    String::from_utf8(bytes).ok()
}

/// Says which alerts are open; kinds without one are zero.
pub fn alerts_open(open: impl Iterator<Item = (Kind, Severity)>) {
    let mut counts: BTreeMap<(Kind, Severity), u64> = Kind::ALL
        .into_iter()
        .flat_map(|kind| [Severity::Warning, Severity::Critical].map(|it| ((kind, it), 0)))
        .collect();
    for key in open {
        *counts.entry(key).or_default() += 1;
    }
    let figures = counts.into_iter().map(|((kind, severity), count)| {
        (vec![kind.as_str().to_owned(), severity.as_str().to_owned()], count)
    });
    table::ALERTS_OPEN.replace(figures);
}

/// Forgets what only the watch that leads knows: another process says it now.
pub fn watch_is_over() {
    table::OF_THE_WATCH.iter().for_each(|metric| metric.forget());
    table::PROJECTION_LAG.unset(&["watch"]);
}
