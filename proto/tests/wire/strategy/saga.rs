//! Compensations, races, retries and forks.

use cadre_core::{
    ids::TaskId,
    task::{EndStatus, Event, Fork},
};
use proptest::{collection::vec, option, prelude::*};

use super::{at, name, payload, step, usage};

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let text = any::<String>;
    let status = prop::sample::select(vec![EndStatus::Failed, EndStatus::Cancelled]);
    let confidence = option::of(0.0..=1.0);
    let fork = (name(), 1_u64.., name()).prop_map(|(key, rev, from)| {
        let task = TaskId::derive(&key, "k");
        Fork { task, rev, from }
    });
    prop_oneof![
        (status, text(), option::of(payload()), usage(), at()).prop_map(
            |(status, reason, answer, usage, until)| Event::Compensating {
                status,
                reason,
                answer,
                usage,
                until
            }
        ),
        (name(), vec(step(), 0..3), vec(name(), 0..3), text(), usage()).prop_map(
            |(step, winners, stopped, reason, usage)| Event::Joined {
                step,
                winners,
                stopped,
                reason,
                usage
            }
        ),
        (step(), text(), vec(name(), 0..3)).prop_map(|(step, by, freed)| Event::Retried {
            step,
            by,
            freed
        }),
        (step(), payload(), confidence, option::of(text()), 1_u64..).prop_map(
            |(step, output, confidence, unsure, rev)| Event::TakenOver {
                step,
                output,
                confidence,
                unsure,
                rev
            }
        ),
        fork.prop_map(|fork| Event::Forked { fork }),
    ]
}
