//! What an operator looks at on the broker itself, in the port's words.

use async_nats::jetstream::stream::{DirectGetErrorKind, Info, RetentionPolicy};

use cadre_core::{
    limits::{PEEK_CHARS_MAX, PEEK_MESSAGES_MAX},
    ports::{
        BusError,
        desk::{DeskError, Drift, DriftField, Peek, PeekQuery, Peeked},
    },
    wish::Unfit,
};

use crate::{
    bus::JetStreamBus,
    tail::{TailItem, decode, stored},
    topology::{Action, ApiError, Change, DiffError, diff, streams_of},
};

/// As `cadre bus diff` has it.
pub(super) async fn drift(bus: &JetStreamBus) -> Result<Vec<Drift>, DeskError> {
    let streams = bus.streams();
    let changes = diff(&streams.js, &streams.topology).await.map_err(|error| match error {
        DiffError::Api(error @ ApiError::Unavailable { .. }) => {
            BusError::Unavailable(error.to_string())
        }
        error @ (DiffError::Topology(_) | DiffError::Declaration(_) | DiffError::Api(_)) => {
            BusError::Refused(error.to_string())
        }
    })?;
    Ok(changes.into_iter().map(change).collect())
}

fn change(change: Change) -> Drift {
    let text = change.to_string();
    let is_whole = matches!(change.action, Action::Create | Action::Delete);
    // What is made new, or goes, differs in everything.
    let fields = change.fields.into_iter().filter(|_| !is_whole).map(|one| DriftField {
        field: one.field,
        found: one.old,
        declared: one.new,
    });
    Drift {
        stream: change.resource.stream,
        consumer: change.resource.consumer,
        text,
        fields: fields.collect(),
        is_tolerated: change.action == Action::Unmanaged,
    }
}

/// Messages as they are stored, one by one by their sequences: nobody else misses them.
pub(super) async fn peek(bus: &JetStreamBus, query: PeekQuery) -> Result<Peek, DeskError> {
    let name = query.stream;
    let missing = || Unfit::NotFound(format!("no stream of ours is named {name}"));
    if !streams_of(&bus.streams().topology).contains(&name) {
        return Err(missing().into());
    }
    let lost = |error: &dyn std::fmt::Display| {
        BusError::Unavailable(format!("look into stream {name}: {error}"))
    };
    let stream = bus.streams().js.get_stream(&name).await.map_err(|error| lost(&error))?;
    let Info { state, config, .. } = stream.cached_info();
    let limit = query.limit.clamp(1, PEEK_MESSAGES_MAX);
    let newest = state.last_sequence.saturating_sub(limit as u64 - 1);
    let begin = match (query.from, config.retention) {
        (Some(from), _) => from,
        (None, RetentionPolicy::WorkQueue) => state.first_sequence,
        (None, RetentionPolicy::Limits | RetentionPolicy::Interest) => newest,
    };
    let mut next = begin.max(state.first_sequence).max(1);
    let mut messages = Vec::new();
    while messages.len() < limit {
        let get = stream.direct_get_builder().sequence(next).next_by_subject(">");
        match get.send().await {
            Ok(found) => {
                next = found.sequence + 1;
                messages.push(peeked(&stored(&name, found)));
            }
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => break,
            Err(error) => return Err(lost(&error).into()),
        }
    }
    let (total, first, last) = (state.messages, state.first_sequence, state.last_sequence);
    Ok(Peek { total, first, last, messages })
}

fn peeked(item: &TailItem) -> Peeked {
    let decoded = decode(item);
    let whole = decoded.message.filter(|message| !message.is_null());
    let whole = whole.and_then(|message| serde_json::to_string_pretty(&message).ok());
    let (document, is_cut) = match whole {
        Some(text) => {
            let (text, is_cut) = cut(text);
            (Some(text), is_cut)
        }
        None => (None, false),
    };
    Peeked {
        sequence: item.sequence,
        at: item.at,
        subject: item.subject.clone(),
        kind: decoded.kind.to_owned(),
        text: decoded.text,
        is_bad: decoded.is_bad,
        headers: item.headers.iter().filter(|(name, _)| !is_added(name)).cloned().collect(),
        size_bytes: item.body.len() as u64,
        document,
        is_cut,
    }
}

/// What the broker adds to a message that is looked up: it is told apart from the headers already.
fn is_added(name: &str) -> bool {
    ["Nats-Sequence", "Nats-Stream", "Nats-Subject", "Nats-Time-Stamp"].contains(&name)
}

fn cut(mut text: String) -> (String, bool) {
    let end = text.char_indices().nth(PEEK_CHARS_MAX).map(|(at, _)| at);
    if let Some(end) = end {
        text.truncate(end);
    }
    (text, end.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_document_is_cut_between_characters() {
        let text = "ü".repeat(PEEK_CHARS_MAX);
        assert_eq!(cut(text.clone()), (text.clone(), false));
        assert_eq!(cut(format!("{text}x")), (text, true));
    }
}
