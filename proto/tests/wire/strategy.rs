//! Arbitrary values of every type that travels.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, StepId, TaskId},
    journal::{CallRuling, Ruled},
    payload::{Hash, Payload},
    task::{
        Cause, EndStatus, Event, Failure, FailureKind, Goal, GoalLimits, ModelUse, Order, Outcome,
        Record, Report, Resource, Usage,
    },
    time::UnixMillis,
};
use cadre_proto::Blobs;
use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;

mod crewed;
mod saga;
mod steered;

use steered::grant;
pub(crate) use steered::{control, decision};

pub(crate) fn name() -> impl Strategy<Value = Name> {
    "[a-z][a-z0-9_-]{0,62}".prop_map(|text| Name::new(&text).unwrap())
}

pub(crate) fn task() -> impl Strategy<Value = TaskId> {
    "[a-z2-7]{26}".prop_map(|text| TaskId::parse(&text).unwrap())
}

pub(crate) fn step() -> impl Strategy<Value = StepId> {
    let name = "[a-z][a-z0-9_]{0,62}".prop_map(|text| Name::new(&text).unwrap());
    (name, option::of(any::<u32>())).prop_map(|(name, item)| StepId { name, item })
}

/// Documents of every shape: also large ones, and those that look like references.
pub(crate) fn payload() -> impl Strategy<Value = Payload> {
    let large = (65_530_usize..65_545).prop_map(|size| Value::from("x".repeat(size)));
    let odd = prop::sample::select(vec![
        r#"{"$blob":{"sha256":"","size":1}}"#,
        r#"{"$json":null}"#,
        r#"{"$blob":1,"$blob":2}"#,
        "{ \"\\u0024json\" : [ 1.0 , 1E5 ] }",
        "{\"a\":1,\n\"a\":2}",
        "null",
        "-0.0",
        "12345678901234567890123456789",
    ]);
    prop_oneof![
        8 => value().prop_map(|value| Payload::from_value(value).unwrap()),
        1 => large.prop_map(|value| Payload::from_value(value).unwrap()),
        2 => odd.prop_map(|text| Payload::parse(text.as_bytes()).unwrap()),
    ]
}

fn list() -> impl Strategy<Value = Payload> {
    vec(value(), 0..4).prop_map(|items| Payload::from_value(Value::Array(items)).unwrap())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = prop_oneof![Just("$blob".to_owned()), Just("$json".to_owned()), ".{0,8}"];
        let fields = prop::collection::btree_map(key, inner.clone(), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::Array),
            fields.prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn at() -> impl Strategy<Value = UnixMillis> {
    any::<u64>().prop_map(UnixMillis)
}

fn usage() -> impl Strategy<Value = Usage> {
    any::<(u64, u64, u64)>().prop_map(|(usd_micros, tokens, work_ms)| Usage {
        usd_micros,
        tokens,
        work_ms,
    })
}

fn confidence() -> impl Strategy<Value = Option<f64>> {
    option::of(0.0..=1.0)
}

fn failure() -> impl Strategy<Value = Failure> {
    let kind = prop::sample::select(vec![
        FailureKind::Error,
        FailureKind::Panic,
        FailureKind::Timeout,
        FailureKind::InvalidInput,
        FailureKind::InvalidOutput,
        FailureKind::Undecodable,
        FailureKind::NotAccepted,
        FailureKind::Expression,
        FailureKind::Handoff,
        FailureKind::Limit,
        FailureKind::Unavailable,
        FailureKind::RateLimited,
        FailureKind::Denied,
        FailureKind::NotConverging,
        FailureKind::Expired,
        FailureKind::OutcomeUnknown,
    ]);
    let wait = option::of((0_u64..=3_600_000).prop_map(Duration::from_millis));
    (kind, any::<String>(), option::of(payload()), wait).prop_map(
        |(kind, message, refused, retry_after)| Failure { kind, message, refused, retry_after },
    )
}

/// Goals that the intake lets through.
pub(crate) fn goal() -> impl Strategy<Value = Goal> {
    let ids = (task(), name(), name(), any::<String>(), "[ -~]{1,256}", any::<[u8; 32]>());
    let limits = (option::of(any::<u32>()), option::of(any::<u64>()), option::of(any::<u64>()));
    let limits = limits.prop_map(|(steps_max, usd_micros_max, tokens_max)| GoalLimits {
        steps_max,
        usd_micros_max,
        tokens_max,
    });
    let text = || option::of("[ -~]{1,256}");
    (ids, payload(), option::of(at()), limits, text(), text()).prop_map(
        |(
            (task, tenant, workflow, revision, key, digest),
            input,
            deadline,
            limits,
            user,
            trace,
        )| {
            let (revision, digest) = (Arc::from(revision), Hash(digest));
            Goal {
                task,
                tenant,
                workflow,
                revision,
                key,
                digest,
                input,
                deadline,
                limits,
                user,
                trace,
                fork: None,
            }
        },
    )
}

pub(crate) fn order() -> impl Strategy<Value = Order> {
    (goal(), step(), 1_u32.., name(), payload(), at(), grant(), any::<u64>()).prop_map(
        |(goal, step, attempt, role, input, deadline, grant, rev)| {
            let goal = Arc::new(goal);
            let by = "ada".to_owned();
            let ruled = Ruled { attempt, by, ruling: CallRuling::DidNot };
            let ruled = (rev % 2 == 0).then_some(ruled);
            let all = [Resource::Steps, Resource::Usd, Resource::Tokens, Resource::Time];
            let near = all.into_iter().skip(usize::from(rev % 4 != 0) * 3).collect();
            Order { goal, step, attempt, role, input, deadline, grant, ruled, near, rev }
        },
    )
}

pub(crate) fn report() -> impl Strategy<Value = Report> {
    let texts = (option::of(".{0,60}"), ".{0,60}");
    (name(), step(), 1_u32.., outcome(), usage(), uses(), texts).prop_map(
        |(role, step, attempt, outcome, usage, models, (degraded, worker))| Report {
            role,
            step,
            attempt,
            outcome,
            usage,
            models,
            degraded,
            worker,
        },
    )
}

fn uses() -> impl Strategy<Value = Vec<ModelUse>> {
    let one = ("[a-z]{1,9}/[a-z0-9.-]{1,40}", any::<u32>(), any::<u64>(), any::<u64>());
    let one = one.prop_map(|(model, calls, usd_micros, tokens)| ModelUse {
        model,
        calls,
        usd_micros,
        tokens,
    });
    vec(one, 0..4)
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let text = any::<String>;
    prop_oneof![
        (payload(), confidence())
            .prop_map(|(output, confidence)| Outcome::Completed { output, confidence }),
        (option::of(payload()), confidence(), text()).prop_map(|(output, confidence, reason)| {
            Outcome::Unsure { output, confidence, reason }
        }),
        failure().prop_map(Outcome::Failed),
        (name(), text(), option::of(payload())).prop_map(|(to, reason, output)| Outcome::Handoff {
            to,
            reason,
            output,
        }),
        text().prop_map(|question| Outcome::NeedsHuman { question }),
    ]
}

pub(crate) fn record() -> impl Strategy<Value = Record> {
    let text = any::<String>;
    let cause = (text(), text(), any::<u64>(), any::<u64>(), uses()).prop_map(
        |(kind, source, sequence, waited_us, models)| {
            let waited = Duration::from_micros(waited_us);
            Cause { kind, source, sequence, waited, models }
        },
    );
    (1_u64.., at(), cause, text(), text(), vec(event(), 0..5)).prop_map(
        |(rev, at, cause, decision, reason, events)| Record {
            rev,
            at,
            cause,
            decision,
            reason,
            events,
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let text = any::<String>;
    let status = prop::sample::select(vec![
        EndStatus::Completed,
        EndStatus::Partial,
        EndStatus::Failed,
        EndStatus::Cancelled,
        EndStatus::Incomplete,
    ]);
    prop_oneof![
        (goal(), at())
            .prop_map(|(goal, deadline)| Event::Accepted { goal: Arc::new(goal), deadline }),
        (name(), list()).prop_map(|(step, items)| Event::Expanded { step, items }),
        (step(), 1_u32.., name(), payload(), at(), grant()).prop_map(
            |(step, attempt, role, input, deadline, grant)| Event::StepDispatched {
                step,
                attempt,
                role,
                input,
                deadline,
                grant,
            }
        ),
        (step(), payload(), confidence(), option::of(text()), option::of(text()), usage())
            .prop_map(|(step, output, confidence, unsure, degraded, usage)| Event::StepCompleted {
                step,
                output,
                confidence,
                unsure,
                degraded,
                usage,
            }),
        (step(), failure(), usage()).prop_map(|(step, failure, usage)| Event::StepFailed {
            step,
            failure,
            usage
        }),
        (name(), text()).prop_map(|(step, reason)| Event::StepSkipped { step, reason }),
        steered::event(),
        crewed::event(),
        (status, text(), option::of(payload()), usage()).prop_map(
            |(status, reason, answer, usage)| Event::Ended { status, reason, answer, usage }
        ),
    ]
}

/// What the object store would hold of these documents.
pub(crate) fn stored<'a>(documents: impl IntoIterator<Item = &'a Payload>) -> Blobs {
    let blob = |payload: &Payload| payload.blob().map(|blob| (blob.hash, payload.clone()));
    documents.into_iter().filter_map(blob).collect()
}
