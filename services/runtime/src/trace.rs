//! W3C `traceparent`: where one process's part of a trace hangs on another's.
//!
//! Both functions are no-ops behind one atomic while nothing is exported. A `traceparent`
//! that came in must still go out: pass it on verbatim where [`current_traceparent`] is `None`.
//!
//! A task's root span is known before it exists: its id follows from the task's, so that every process hangs its
//! part on it, and whoever ends the task tells it.

use std::{
    cell::Cell,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use cadre_core::{ids::TaskId, payload::Hash, time::UnixMillis};
use opentelemetry::{
    Context, KeyValue,
    trace::{
        Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags,
        TraceId, TraceState,
    },
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracer};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

static EXPORTING: AtomicBool = AtomicBool::new(false);

/// Whether prompts and answers are exported, too.
static CONTENT: AtomicBool = AtomicBool::new(false);

/// For spans that are told when they are over.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

thread_local! {
    /// The ids of the next span, where they are given.
    static NEXT: Cell<Option<(TraceId, SpanId)>> = const { Cell::new(None) };
}

pub(crate) fn set_exporting(exporting: bool) {
    EXPORTING.store(exporting, Ordering::Relaxed);
}

pub(crate) fn set_tracer(tracer: SdkTracer, has_content: bool) {
    // A second start is refused by the subscriber before it comes here.
    let _ = TRACER.set(tracer);
    CONTENT.store(has_content, Ordering::Relaxed);
    set_exporting(true);
}

/// Whether prompts and answers are exported: somebody has asked for that.
#[must_use]
pub fn has_content() -> bool {
    is_exporting() && CONTENT.load(Ordering::Relaxed)
}

/// Whether spans go anywhere.
#[must_use]
pub fn is_exporting() -> bool {
    EXPORTING.load(Ordering::Relaxed)
}

/// The current span as `traceparent`; `None` when nothing is exported, or there is no span.
#[must_use]
pub fn current_traceparent() -> Option<String> {
    if !is_exporting() {
        return None;
    }
    let context = Span::current().context();
    let span = context.span();
    let context = span.span_context();
    context.is_valid().then(|| {
        let flags = (context.trace_flags() & TraceFlags::SAMPLED).to_u8();
        format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id())
    })
}

/// Hangs `span` on the remote span that `traceparent` names; an unreadable one is ignored.
///
/// Call it before the span is entered: later its place in the trace is fixed.
pub fn adopt(span: &Span, traceparent: Option<&str>) {
    if !is_exporting() {
        return;
    }
    let Some(remote) = traceparent.and_then(parse) else { return };
    let parent = Context::new().with_remote_span_context(remote);
    if let Err(error) = span.set_parent(parent) {
        tracing::debug!(%error, "remote parent not set");
    }
}

/// The `traceparent` of a task's root span, in the trace that its goal came with or in one of its own; `None`
/// when nothing is exported.
#[must_use]
pub fn root(task: &TaskId, goal: Option<&str>) -> Option<String> {
    if !is_exporting() {
        return None;
    }
    let (trace, span) = ids(task);
    let goal = goal.and_then(parse);
    let (trace, flags) =
        goal.map_or((trace, 1), |goal| (goal.trace_id(), goal.trace_flags().to_u8()));
    Some(format!("00-{trace}-{span}-{flags:02x}"))
}

/// Ids of a task's root span and, should its goal have none, of its trace.
fn ids(task: &TaskId) -> (TraceId, SpanId) {
    let Hash(hash) = Hash::of(format!("trace of {task}").as_bytes());
    let (mut trace, mut span) = ([0; 16], [0; 8]);
    trace.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
    span.iter_mut().zip(hash.iter().skip(16)).for_each(|(to, from)| *to = *from);
    (TraceId::from_bytes(trace), SpanId::from_bytes(span))
}

/// A span that is over.
pub(crate) struct Over {
    pub(crate) name: String,
    pub(crate) began: UnixMillis,
    pub(crate) ended: UnixMillis,
    pub(crate) attributes: Vec<KeyValue>,
    /// What went wrong.
    pub(crate) error: Option<String>,
}

impl Over {
    /// Tells it, below `parent`.
    pub(crate) fn tell(self, parent: Option<&str>) {
        self.export(parent, None);
    }

    /// Tells a task's root span, below what its goal came with.
    pub(crate) fn tell_root(self, task: &TaskId, goal: Option<&str>) {
        self.export(goal, Some(ids(task)));
    }

    fn export(self, parent: Option<&str>, ids: Option<(TraceId, SpanId)>) {
        let Some(tracer) = TRACER.get().filter(|_| is_exporting()) else { return };
        let Self { name, began, ended, attributes, error } = self;
        let at = |time: UnixMillis| SystemTime::UNIX_EPOCH + Duration::from_millis(time.0);
        let span = SpanBuilder::from_name(name).with_kind(SpanKind::Internal);
        let span = span.with_start_time(at(began)).with_attributes(attributes);
        let parent = parent.and_then(parse);
        let context = parent
            .map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent));
        NEXT.set(ids);
        let mut span = span.start_with_context(tracer, &context);
        NEXT.set(None);
        if let Some(error) = error {
            span.set_status(Status::error(error));
        }
        span.end_with_timestamp(at(ended));
    }
}

/// Random ids, but for spans whose ids are given.
#[derive(Debug, Default)]
pub(crate) struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        NEXT.get().map_or_else(|| self.0.new_trace_id(), |(trace, _)| trace)
    }

    fn new_span_id(&self) -> SpanId {
        NEXT.get().map_or_else(|| self.0.new_span_id(), |(_, span)| span)
    }
}

fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace) = (hex(parts.next()?, 2)?, hex(parts.next()?, 32)?);
    let (span, flags) = (hex(parts.next()?, 16)?, hex(parts.next()?, 2)?);
    // A later version may append parts, version 00 may not.
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

/// `part` if it has `digits` lower-case hexadecimal digits, as the recommendation demands.
fn hex(part: &str, digits: usize) -> Option<&str> {
    let is_hex = part.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    (part.len() == digits && is_hex).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_traceparents_are_read() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let context = parse(good).unwrap();
        assert_eq!(context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert!(context.is_sampled() && context.is_remote());
        assert!(parse("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more").is_some());
        for bad in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b71692033310-01",
            "00-0af7651916cd43dd8448eb211c80319ä-b7ad6b7169203331-01",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn without_an_exporter_there_is_no_traceparent() {
        adopt(&Span::current(), Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        assert_eq!(current_traceparent(), None);
    }
}
