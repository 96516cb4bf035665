//! Dead letters, in the port's words.

use cadre_core::{
    ports::{
        BusError,
        desk::{DeskError, Letter, LetterHead, LetterQuery, Letters},
    },
    wish::Unfit,
};

use crate::{
    bus::JetStreamBus,
    letters::{Head, LetterError, LetterId, Query},
};

pub(super) async fn find(bus: &JetStreamBus, query: LetterQuery) -> Result<Letters, DeskError> {
    let LetterQuery { kind, tenant, task, since, limit } = query;
    let found = bus.letters().find(&Query { kind, tenant, task }, since, limit).await;
    let found = found.map_err(failed)?;
    Ok(Letters { letters: found.letters.into_iter().map(head).collect(), more: found.more })
}

pub(super) async fn get(bus: &JetStreamBus, id: &str) -> Result<Letter, DeskError> {
    let letter = bus.letters().get(named(id)?).await.map_err(failed)?;
    let (headers, body) = (letter.headers, letter.body.to_vec());
    Ok(Letter { head: head(letter.head), headers, body })
}

pub(super) async fn replay(bus: &JetStreamBus, id: &str) -> Result<String, DeskError> {
    let letters = bus.letters();
    let letter = letters.get(named(id)?).await.map_err(failed)?;
    let (subject, _) = letters.replay(&letter).await.map_err(failed)?;
    Ok(subject)
}

pub(super) async fn discard(bus: &JetStreamBus, id: &str) -> Result<(), DeskError> {
    bus.letters().discard(named(id)?).await.map_err(failed)
}

fn named(id: &str) -> Result<LetterId, Unfit> {
    id.parse().map_err(|_| Unfit::NotFound("an id of a dead letter is like 0-17".to_owned()))
}

fn head(head: Head) -> LetterHead {
    LetterHead {
        id: head.id.to_string(),
        lost: head.lost().map(str::to_owned),
        kind: head.kind,
        at: head.at,
        reason: head.reason,
        subject: head.subject,
        tenant: head.tenant,
        task: head.task,
        deliveries: head.deliveries,
        size_bytes: head.size_bytes,
    }
}

fn failed(error: LetterError) -> DeskError {
    match error {
        LetterError::NoLetter(id) => {
            Unfit::NotFound(format!("there is no dead letter {id}")).into()
        }
        error @ LetterError::Unrepeatable { .. } => Unfit::Refused(error.to_string()).into(),
        LetterError::Body { id, source } => {
            DeskError::Damaged(format!("read the body of dead letter {id}: {source}"))
        }
        LetterError::Tail(error) => BusError::Unavailable(error.to_string()).into(),
        LetterError::Bus(error) => error.into(),
    }
}
