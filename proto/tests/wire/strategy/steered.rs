//! What schema 2 brought.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    journal::CallRuling,
    payload::Hash,
    task::{Action, Ask, AskKind, Budget, Control, Decision, Event, Resource, Ruling},
    workflow::{Grant, WhenExpired},
};
use proptest::{option, prelude::*};

use super::{at, failure, name, payload, saga, step, usage};

pub(super) fn grant() -> impl Strategy<Value = Grant> {
    any::<(u64, u64)>().prop_map(|(usd_micros, tokens)| Grant { usd_micros, tokens })
}

fn budget() -> impl Strategy<Value = Budget> {
    any::<(u32, u64, u64, u64)>().prop_map(|(steps, usd_micros, tokens, time_ms)| Budget {
        steps,
        usd_micros,
        tokens,
        time: Duration::from_millis(time_ms),
    })
}

fn ask() -> impl Strategy<Value = Ask> {
    let kind = prop::sample::select(vec![AskKind::Approval, AskKind::Question, AskKind::Doubt]);
    let when_expired = prop::sample::select(vec![WhenExpired::Fail, WhenExpired::Accept]);
    let terms = (option::of(at()), when_expired, 1_u32.., any::<(bool, bool)>());
    (kind, any::<String>(), option::of(payload()), terms).prop_map(
        |(kind, question, content, (expires, when_expired, quorum, (four_eyes, editable)))| Ask {
            kind,
            question,
            content,
            expires,
            when_expired,
            quorum,
            four_eyes,
            editable,
        },
    )
}

/// Names of people: whatever can be shown on one line.
fn person() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{1,60}"
}

pub(crate) fn control() -> impl Strategy<Value = Control> {
    let action = prop_oneof![
        Just(Action::Pause),
        Just(Action::Resume),
        Just(Action::Kill),
        budget().prop_map(Action::AddBudget),
        option::of(step()).prop_map(Action::Retry),
    ];
    (person(), ".{0,60}", ".{1,60}", action).prop_map(|(by, reason, key, action)| Control {
        by,
        reason,
        key,
        action,
    })
}

pub(crate) fn decision() -> impl Strategy<Value = Decision> {
    let ruling = prop_oneof![
        Just(Ruling::Grant),
        payload().prop_map(Ruling::GrantWith),
        Just(Ruling::Deny),
        payload().prop_map(|result| Ruling::Call(CallRuling::Happened(result))),
        Just(Ruling::Call(CallRuling::DidNot)),
    ];
    (step(), person(), any::<[u8; 32]>(), ruling, ".{0,60}").prop_map(
        |(step, by, hash, ruling, comment)| {
            let hash = Hash(hash);
            Decision { step, by, hash, ruling, comment }
        },
    )
}

/// Events of which schema 1 knew nothing, or not all.
pub(super) fn event() -> impl Strategy<Value = Event> {
    let text = any::<String>;
    let resource = prop::sample::select(vec![
        Resource::Steps,
        Resource::Usd,
        Resource::Tokens,
        Resource::Time,
    ]);
    let delayed = (name(), option::of(text()), payload(), at(), text());
    prop_oneof![
        (step(), ask(), usage()).prop_map(|(step, ask, usage)| {
            let ask = Arc::new(ask);
            Event::StepWaiting { step, ask, usage }
        }),
        (step(), delayed, option::of(failure()), usage()).prop_map(
            |(step, (role, degraded, input, until, reason), failure, usage)| Event::StepDelayed {
                step,
                role,
                degraded,
                input,
                until,
                reason,
                failure,
                usage,
            }
        ),
        (step(), text()).prop_map(|(step, by)| Event::Voted { step, by }),
        (step(), text(), payload()).prop_map(|(step, by, result)| {
            Event::CallRuled { step, by, ruling: CallRuling::Happened(result) }
        }),
        (text(), any::<bool>()).prop_map(|(limit, is_held)| Event::LimitReached { limit, is_held }),
        (resource, text()).prop_map(|(resource, text)| Event::BudgetNear { resource, text }),
        (text(), text(), budget()).prop_map(|(by, key, budget)| Event::BudgetAdded {
            by,
            key,
            budget
        }),
        text().prop_map(|by| Event::Paused { by }),
        text().prop_map(|by| Event::Resumed { by }),
        (text(), text()).prop_map(|(what, why)| Event::Refused { what, why }),
        saga::event(),
    ]
}
