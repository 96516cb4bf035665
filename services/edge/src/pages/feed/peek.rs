//! A look into one stream. Messages are everybody's, so it is for those who may see every tenant.

use axum::{
    extract::{Path, Query},
    response::Response,
};
use cadre_core::ports::desk::{PeekQuery, Peeked};
use serde::Deserialize;

use super::{Oops, OrOops as _, Visit};
use crate::pages::peek::{Message, Peek, page};

/// Messages of one page.
const SHOWN: usize = 20;

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    from: Option<u64>,
}

pub(super) async fn show(
    visit: Visit,
    Path(stream): Path<String>,
    Query(params): Query<Params>,
) -> Result<Response, Oops> {
    visit.identity.require_fleet().or_oops(&visit)?;
    let query = PeekQuery { stream: stream.clone(), from: params.from, limit: SHOWN };
    let found = visit.app.desk().peek(query).await.or_oops(&visit)?;
    let shown = found.messages.first().zip(found.messages.last());
    let begins = shown.map_or(params.from.unwrap_or(0), |(first, _)| first.sequence);
    let (first, last) = (found.first, found.last);
    let view = Peek {
        stream,
        total: found.total,
        ends: (first, last),
        older: (begins > first).then(|| begins.saturating_sub(SHOWN as u64).max(first)),
        newer: shown.map(|(_, end)| end.sequence).filter(|end| *end < last).map(|end| end + 1),
        messages: found.messages.into_iter().map(message).collect(),
    };
    visit.show(&page(&view)).await
}

fn message(peeked: Peeked) -> Message {
    Message {
        sequence: peeked.sequence,
        at_ms: peeked.at.0,
        subject: peeked.subject,
        kind: peeked.kind,
        text: peeked.text,
        is_bad: peeked.is_bad,
        size_bytes: peeked.size_bytes,
        headers: peeked.headers,
        document: peeked.document,
        is_cut: peeked.is_cut,
    }
}
