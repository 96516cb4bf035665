//! Dead letters, and the way back.

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use cadre_core::{access::Act, ports::desk::LetterQuery};
use serde::Deserialize;

use super::{Oops, OrOops as _, Visit, after, or_empty};
use crate::{
    http::{AppState, Identity, Problem, SafeForm},
    pages::letters::{Letter, Letters, page},
};

/// Letters of one page.
const SHOWN: usize = 50;

/// Letters whose beginning is shown.
const READ: usize = 10;

/// Characters of a message's beginning.
const BODY_CHARS: usize = 2_000;

pub(super) async fn list(visit: Visit) -> Result<Response, Oops> {
    let tenant = visit.identity.scope().cloned();
    let query = LetterQuery { tenant, limit: SHOWN, ..LetterQuery::default() };
    let found = visit.app.desk().letters(query).await.or_oops(&visit)?;
    let total = found.letters.len() as u64 + found.more;
    let mut rows = Vec::new();
    for (index, head) in found.letters.into_iter().enumerate() {
        let body = if index < READ { read(&visit.app, &head.id).await } else { String::new() };
        rows.push(Letter {
            id: head.id,
            reason: head.reason,
            subject: head.subject,
            kind: head.kind,
            task: head.task.map(|task| task.to_string()).unwrap_or_default(),
            at_ms: head.at.0,
            deliveries: head.deliveries.unwrap_or(0).into(),
            lost: or_empty(head.lost),
            body,
        });
    }
    let view = Letters { rows, total, can_steer: visit.may(Act::Steer) };
    visit.show(&page(&visit.chrome(), &view)).await
}

/// The beginning of a message as text; empty when it is none, or gone meanwhile.
async fn read(app: &AppState, id: &str) -> String {
    let Ok(letter) = app.desk().letter(id).await else { return String::new() };
    let text = String::from_utf8_lossy(&letter.body);
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(BODY_CHARS).collect()
}

#[derive(Debug, Deserialize)]
pub(super) struct LetterForm {
    wish: String,
}

pub(super) async fn act(
    State(app): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    SafeForm(identity, form): SafeForm<LetterForm>,
) -> Response {
    let outcome = done(&app, &identity, (&id, &form.wish)).await;
    after(&headers, "/dlq", outcome)
}

async fn done(
    app: &AppState,
    identity: &Identity,
    (id, wish): (&str, &str),
) -> Result<String, Problem> {
    identity.require(Act::Steer)?;
    let letter = app.desk().letter(id).await?;
    let is_seen = identity.scope().is_none() || letter.head.tenant.as_ref() == identity.scope();
    if !is_seen {
        return Err(Problem::not_found(format!("there is no dead letter {id}")));
    }
    match wish {
        "replay" => {
            let subject = app.desk().replay(id, identity.user()).await?;
            Ok(format!("Letter {id} is on the bus again, on {subject}."))
        }
        "drop" => {
            app.desk().discard(id, identity.user()).await?;
            Ok(format!("Letter {id} is removed."))
        }
        other => Err(Problem::malformed(format!("{other:?} is no replay or drop"))),
    }
}
