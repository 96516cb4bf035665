//! Figures for collectors, over OTLP when an endpoint is set; without one they go nowhere.
//!
//! | name | kind | labels | what |
//! |--|--|--|--|
//! | `cadre_alerts_open` | gauge | kind, severity | alerts that are open, as the watch that leads sees it |
//! | `cadre_alerts_raised_total` | counter | kind | alerts raised |
//! | `cadre_alerts_ended_total` | counter | kind | alerts ended |
//! | `cadre_watch_tasks_open` | gauge | – | open tasks that are watched |
//! | `cadre_watch_tasks_unwatched` | gauge | – | records of open tasks beyond the watch's limit |
//! | `cadre_watch_records` | gauge | – | records that this watch has read |
//!
//! Labels are closed sets. This table is the only place of names; instruments are made after
//! [`crate::telemetry::init`], at their first use.

use std::{collections::BTreeMap, sync::LazyLock};

use cadre_core::watch::{Kind, Severity};
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge},
};

struct Instruments {
    alerts_open: Gauge<u64>,
    alerts_raised: Counter<u64>,
    alerts_ended: Counter<u64>,
    tasks_open: Gauge<u64>,
    tasks_unwatched: Gauge<u64>,
    records: Gauge<u64>,
}

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| {
    let meter = global::meter("cadre");
    let gauge = |name| meter.u64_gauge(name).build();
    let counter = |name| meter.u64_counter(name).build();
    Instruments {
        alerts_open: gauge("cadre_alerts_open"),
        alerts_raised: counter("cadre_alerts_raised_total"),
        alerts_ended: counter("cadre_alerts_ended_total"),
        tasks_open: gauge("cadre_watch_tasks_open"),
        tasks_unwatched: gauge("cadre_watch_tasks_unwatched"),
        records: gauge("cadre_watch_records"),
    }
});

/// How the watch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// Open tasks that it knows.
    pub tasks_open: u64,
    /// Records that it has read.
    pub records: u64,
    /// Records of tasks that it has no room for.
    pub unwatched: u64,
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
    for ((kind, severity), count) in counts {
        let severity = KeyValue::new("severity", severity.as_str());
        INSTRUMENTS.alerts_open.record(count, &[of(kind), severity]);
    }
}

/// Counts an alert that was raised.
pub fn alert_raised(kind: Kind) {
    INSTRUMENTS.alerts_raised.add(1, &[of(kind)]);
}

/// Counts an alert that has ended.
pub fn alert_ended(kind: Kind) {
    INSTRUMENTS.alerts_ended.add(1, &[of(kind)]);
}

/// Says how the watch stands.
pub fn watched(now: Watched) {
    INSTRUMENTS.tasks_open.record(now.tasks_open, &[]);
    INSTRUMENTS.tasks_unwatched.record(now.unwatched, &[]);
    INSTRUMENTS.records.record(now.records, &[]);
}

fn of(kind: Kind) -> KeyValue {
    KeyValue::new("kind", kind.as_str())
}
