//! One row of the table, and how it is counted.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram, ObservableGauge},
};

use super::is_measuring;

/// Upper bounds of the buckets of durations, in seconds.
const SECONDS: [f64; 15] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0];

/// Values of a row's labels, in their order.
pub type Labels = Vec<String>;

/// What kind of figure a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Durations, in seconds.
    Histogram,
}

impl Shape {
    /// The shape as Prometheus calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What one row says.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// `cadre_<noun>_<unit>[_total]`.
    pub name: &'static str,
    /// What kind of figure it is.
    pub shape: Shape,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, for people.
    pub help: &'static str,
    /// Why an ordinary run does not show it; `None` for one that does.
    pub seldom: Option<&'static str>,
}

/// One row and its figure.
#[derive(Debug)]
pub struct Metric {
    /// The row.
    pub row: Row,
    made: OnceLock<Instrument>,
    /// What a gauge says now. Observed, not pushed: what is forgotten is gone from the next reading.
    now: Mutex<BTreeMap<Labels, u64>>,
}

#[derive(Debug)]
enum Instrument {
    Counter(Counter<u64>),
    /// The meter calls back; nothing is left to do but to keep it.
    Gauge {
        _kept: ObservableGauge<u64>,
    },
    Histogram(Histogram<f64>),
}

impl Row {
    /// A counter; its name ends with `_total`.
    pub(super) const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, shape: Shape::Counter, labels, help, seldom: None }
    }

    /// A gauge.
    pub(super) const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, shape: Shape::Gauge, labels, help, seldom: None }
    }

    /// Durations; its name ends with `_seconds`.
    pub(super) const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, shape: Shape::Histogram, labels, help, seldom: None }
    }

    /// The same, which an ordinary run does not show.
    pub(super) const fn seldom(self, why: &'static str) -> Self {
        Self { seldom: Some(why), ..self }
    }

    /// The row with its figure.
    pub(super) const fn metric(self) -> Metric {
        Metric { row: self, made: OnceLock::new(), now: Mutex::new(BTreeMap::new()) }
    }
}

impl Metric {
    /// Shows a counter without labels from the start.
    pub(super) fn begin(&'static self) {
        if self.row.shape == Shape::Counter && self.row.labels.is_empty() {
            self.add(&[], 0);
        }
    }

    /// Counts `more`.
    pub fn add(&'static self, labels: &[&str], more: u64) {
        if !is_measuring() {
            return;
        }
        if let Instrument::Counter(counter) = self.made() {
            counter.add(more, &self.pairs(labels));
        }
    }

    /// Takes note of a duration.
    pub fn measure(&'static self, labels: &[&str], took: Duration) {
        if !is_measuring() {
            return;
        }
        if let Instrument::Histogram(histogram) = self.made() {
            histogram.record(took.as_secs_f64(), &self.pairs(labels));
        }
    }

    /// Says what a gauge is now.
    pub fn set(&'static self, labels: &[&str], value: u64) {
        if !is_measuring() {
            return;
        }
        debug_assert_eq!(labels.len(), self.row.labels.len(), "{}", self.row.name);
        self.made();
        self.lock().insert(labels.iter().map(|label| (*label).to_owned()).collect(), value);
    }

    /// Says all that a gauge is now: labels that are not named are gone.
    pub fn replace(&'static self, figures: impl Iterator<Item = (Labels, u64)>) {
        if !is_measuring() {
            return;
        }
        self.made();
        *self.lock() = figures.collect();
    }

    /// Says nothing of these labels any more.
    pub fn unset(&'static self, labels: &[&str]) {
        self.lock().retain(|known, _| known.iter().ne(labels));
    }

    /// Says nothing any more.
    pub fn forget(&'static self) {
        self.lock().clear();
    }

    /// The OpenTelemetry instrument, made at its first use: later than the meter provider is set.
    fn made(&'static self) -> &'static Instrument {
        self.made.get_or_init(|| {
            let meter = global::meter("cadre");
            match self.row.shape {
                Shape::Counter => {
                    let counter = meter.u64_counter(self.row.name).with_description(self.row.help);
                    Instrument::Counter(counter.build())
                }
                Shape::Gauge => {
                    let gauge =
                        meter.u64_observable_gauge(self.row.name).with_description(self.row.help);
                    let observe =
                        move |observer: &dyn opentelemetry::metrics::AsyncInstrument<u64>| {
                            for (labels, value) in self.lock().iter() {
                                let labels: Vec<_> = labels.iter().map(String::as_str).collect();
                                observer.observe(*value, &self.pairs(&labels));
                            }
                        };
                    Instrument::Gauge { _kept: gauge.with_callback(observe).build() }
                }
                Shape::Histogram => {
                    let histogram =
                        meter.f64_histogram(self.row.name).with_description(self.row.help);
                    let histogram = histogram.with_unit("s").with_boundaries(SECONDS.to_vec());
                    Instrument::Histogram(histogram.build())
                }
            }
        })
    }

    fn pairs(&self, labels: &[&str]) -> Vec<KeyValue> {
        debug_assert_eq!(labels.len(), self.row.labels.len(), "{}", self.row.name);
        let pairs = self.row.labels.iter().zip(labels);
        pairs.map(|(name, value)| KeyValue::new(*name, (*value).to_owned())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Labels, u64>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
