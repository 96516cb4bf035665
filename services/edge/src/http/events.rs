//! `GET /v1/tasks/{id}/events`: the records of one task, as a page or as a stream that can be taken up again.
//!
//! Each record is named by its sequence in the log stream. Whoever sends the last one that they have seen, as
//! `after` or as `Last-Event-ID`, gets every record behind it, once each, in order. What wakes a stream is the
//! read model's word that a task has news; what it sends is read from the log itself.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use cadre_core::{
    access::Act,
    document,
    ids::TaskId,
    ports::{BusError, history::LogItem},
    task::{Event as TaskEvent, Task},
};
use futures::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    sync::{OwnedSemaphorePermit, broadcast, watch},
    time::sleep,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    Identity, Problem,
    extract::{Params, Segments},
    state::AppState,
};
use crate::model::Change;

/// Records of one page when nothing else is said.
const LIMIT_DEFAULT: usize = 100;

/// Records of one page at most.
const LIMIT_MAX: usize = 1_000;

/// Between two signs of life of a stream: proxies end what is silent for half a minute or more.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(10);

/// The pause of a stream while the bus is away.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventParams {
    /// Only records behind this sequence. The header `Last-Event-ID` says the same, and goes before.
    after: Option<u64>,
    /// Records of one page: 1 to 1000, default 100. Streams have no limit.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Records of a task, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventPage {
    /// Each with `sequence`, `rev`, `at`, `cause`, `decision`, `reason` and `events`; one that cannot be
    /// read has `sequence` and `error` only.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Value>,
    /// What to send as `after` for the next page; `None` behind the last record so far.
    next: Option<u64>,
}

/// Reads the records of a task; with `Accept: text/event-stream` goes on as they are written.
///
/// As a stream each record is one event: `id` is its sequence, `event` is `record`, `data` the record. It ends
/// with the task; taken up again behind the last record it answers 204, and a browser stops asking.
#[utoipa::path(get, path = "/v1/tasks/{id}/events", tag = "tasks",
    params(("id" = String, Path, description = "The task"), EventParams,
        ("Last-Event-ID" = Option<u64>, Header, description = "Only records behind this sequence")),
    responses((status = 200, description = "Records.", content(
            (EventPage = "application/json"), (String = "text/event-stream"))),
        (status = 204, description = "The task has ended, and there are no further records.")))]
pub(super) async fn events(
    State(app): State<AppState>,
    identity: Identity,
    Segments(id): Segments<String>,
    Params(params): Params<EventParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    identity.require(Act::Read)?;
    let task = app.task(&identity, &id).await?;
    let after = match headers.get("last-event-id") {
        None => params.after.unwrap_or_default(),
        Some(last) => {
            let last = last.to_str().ok().and_then(|text| text.parse().ok());
            last.ok_or_else(|| Problem::malformed("the header Last-Event-ID must be a sequence"))?
        }
    };
    if wants_stream(&headers) {
        return stream_of(&app, &task, after).await;
    }
    let limit = params.limit.unwrap_or(LIMIT_DEFAULT);
    if limit == 0 || limit > LIMIT_MAX {
        return Err(Problem::malformed(format!("limit is 1 to {LIMIT_MAX}")));
    }
    let (items, is_more) = page(&app, task.id(), (after, limit)).await?;
    let next = items.last().map(|item| item.sequence).filter(|_| is_more);
    Ok(Json(EventPage { rows: items.iter().map(record).collect(), next }).into_response())
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).into_iter();
    accept.filter_map(|kind| kind.to_str().ok()).any(|kind| kind.contains("text/event-stream"))
}

/// So many records behind a sequence, and whether there are more.
async fn page(
    app: &AppState,
    task: &TaskId,
    (mut after, limit): (u64, usize),
) -> Result<(Vec<LogItem>, bool), Problem> {
    let mut items = Vec::new();
    loop {
        let more = app.model().records(task, after).await?;
        let Some(last) = more.last() else { return Ok((items, false)) };
        after = last.sequence;
        items.extend(more);
        if items.len() > limit {
            items.truncate(limit);
            return Ok((items, true));
        }
    }
}

/// One record as a document, with its place.
pub(crate) fn record(item: &LogItem) -> Value {
    let mut document = match &item.content {
        Ok(linked) => document::record(&linked.record),
        Err(error) => json!({"error": error.to_string()}),
    };
    if let Some(fields) = document.as_object_mut() {
        fields.insert("sequence".to_owned(), item.sequence.into());
    }
    document
}

fn is_last(item: &LogItem) -> bool {
    let Ok(linked) = &item.content else { return false };
    linked.record.events.iter().any(|event| matches!(event, TaskEvent::Ended { .. }))
}

async fn stream_of(app: &AppState, task: &Task, after: u64) -> Result<Response, Problem> {
    if task.ended().is_some() && app.model().records(task.id(), after).await?.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let room = Arc::clone(app.followers()).try_acquire_owned().map_err(|_| {
        Problem::limited("too many streams are open: follow fewer tasks at once", AGAIN_AFTER)
    })?;
    let items = app.model().follow(task.id(), after);
    let follower = Follower { items, closing: app.closing(), is_over: false, _room: room };
    let alive = KeepAlive::new().interval(HEARTBEAT_EVERY).text("alive");
    Ok(Sse::new(follow(follower)).keep_alive(alive).into_response())
}

struct Follower {
    items: BoxStream<'static, Result<LogItem, BusError>>,
    closing: watch::Receiver<bool>,
    is_over: bool,
    _room: OwnedSemaphorePermit,
}

fn follow(follower: Follower) -> impl Stream<Item = Result<Event, axum::Error>> {
    stream::unfold(follower, |mut follower| async move {
        loop {
            if follower.is_over || *follower.closing.borrow() {
                return None;
            }
            let next = tokio::select! {
                next = follower.items.next() => next?,
                // The process is ending: whoever follows comes again, elsewhere or later.
                _ = follower.closing.changed() => return None,
            };
            match next {
                Ok(item) => {
                    follower.is_over = is_last(&item);
                    let event = Event::default().event("record").id(item.sequence.to_string());
                    return Some((event.json_data(record(&item)), follower));
                }
                // Whoever follows waits for the bus as well: heartbeats go on meanwhile.
                Err(error) => {
                    tracing::debug!(%error, "a stream waits for the bus");
                    sleep(AGAIN_AFTER).await;
                }
            }
        }
    })
}

/// Waits for word that a task has news, or that some word was missed.
pub(super) async fn news(changes: &mut broadcast::Receiver<Change>, task: &TaskId) {
    loop {
        match changes.recv().await {
            Ok(change) if change.is_all || change.tasks.iter().any(|one| one.task == *task) => {
                return;
            }
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
