//! JetStream's management API: one request, typed refusals, patience while the broker has no leader.

use std::time::Duration;

use async_nats::jetstream::{Context, ErrorCode, context::RequestErrorKind, response::Response};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::Instant;

use cadre_core::limits::BUS_GAP_MAX;

/// The pause between attempts while the broker cannot answer.
const PAUSE: Duration = Duration::from_millis(100);

/// Refusals that time heals: no leader yet, or peers not yet known.
const TRANSIENT: [ErrorCode; 7] = [
    ErrorCode::CLUSTER_NOT_AVAILABLE,
    ErrorCode::CLUSTER_INCOMPLETE,
    ErrorCode::CLUSTER_NOT_ACTIVE,
    ErrorCode::CLUSTER_NOT_ASSIGNED,
    ErrorCode::CLUSTER_NOT_LEADER,
    ErrorCode::CLUSTER_NO_PEERS,
    ErrorCode::CLUSTER_SERVER_MEMBER_CHANGE_INFLIGHT,
];

/// What to do when the caps of all streams together are more than the broker may store.
const NO_ROOM: &str = "; the caps of the streams are more than it may store: raise its \
    `jetstream { max_file_store }`, or use --profile dev; what was made stays, and applying again \
    makes the rest";

/// Why the broker did not do what the management API was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The stream or consumer does not exist.
    #[error("find {what} on the bus")]
    NotFound {
        /// What was asked about.
        what: String,
    },
    /// It exists, otherwise than asked for: somebody else was faster.
    #[error("create {what}: it exists with another configuration")]
    Exists {
        /// What was to be made.
        what: String,
    },
    /// The broker refused; an operator must look.
    #[error("do {what}: the bus refused: {reason}")]
    Refused {
        /// What was asked.
        what: String,
        /// The broker's words and code.
        reason: String,
    },
    /// The broker did not answer in time; time heals it.
    #[error("do {what}: the bus did not answer within {BUS_GAP_MAX:?}: {reason}")]
    Unavailable {
        /// What was asked.
        what: String,
        /// The last failure.
        reason: String,
    },
}

/// Asks the management API; every request here is idempotent, so it is repeated until answered or out of time.
pub(super) async fn request<T: DeserializeOwned>(
    js: &Context,
    what: &str,
    body: &(impl Serialize + Sync),
) -> Result<T, ApiError> {
    let end = Instant::now() + BUS_GAP_MAX;
    loop {
        let reason = match js.request::<_, _, Response<T>>(what.to_owned(), body).await {
            Ok(Response::Ok(answer)) => return Ok(answer),
            Ok(Response::Err { error }) => match error.error_code() {
                ErrorCode::STREAM_NOT_FOUND
                | ErrorCode::CONSUMER_NOT_FOUND
                | ErrorCode::CONSUMER_DOES_NOT_EXIST => {
                    return Err(ApiError::NotFound { what: what.to_owned() });
                }
                ErrorCode::STREAM_NAME_EXIST
                | ErrorCode::CONSUMER_NAME_EXIST
                | ErrorCode::CONSUMER_ALREADY_EXISTS => {
                    return Err(ApiError::Exists { what: what.to_owned() });
                }
                code if TRANSIENT.contains(&code) => error.to_string(),
                code => {
                    let hint =
                        if code == ErrorCode::STORAGE_RESOURCES_EXCEEDED { NO_ROOM } else { "" };
                    let reason = format!("{error}{hint}");
                    return Err(ApiError::Refused { what: what.to_owned(), reason });
                }
            },
            Err(error) => match error.kind() {
                RequestErrorKind::NoResponders | RequestErrorKind::TimedOut => error.to_string(),
                RequestErrorKind::InvalidSubject | RequestErrorKind::Other => {
                    let reason = format!("{error:?}");
                    return Err(ApiError::Refused { what: what.to_owned(), reason });
                }
            },
        };
        if Instant::now() + PAUSE >= end {
            return Err(ApiError::Unavailable { what: what.to_owned(), reason });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What is asked for as `T`; `None` when there is no such stream.
pub(super) async fn stream_info<T: DeserializeOwned>(
    js: &Context,
    name: &str,
) -> Result<Option<T>, ApiError> {
    match request(js, &format!("STREAM.INFO.{name}"), &json!({})).await {
        Ok(info) => Ok(Some(info)),
        Err(ApiError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Names of all streams that hold subjects under `filter`.
pub(super) async fn stream_names(js: &Context, filter: &str) -> Result<Vec<String>, ApiError> {
    #[derive(Deserialize)]
    struct Page {
        total: usize,
        #[serde(default)]
        streams: Option<Vec<String>>,
    }
    let mut names = Vec::new();
    loop {
        let body = json!({"offset": names.len(), "subject": filter});
        let page: Page = request(js, "STREAM.NAMES", &body).await?;
        let streams = page.streams.unwrap_or_default();
        if streams.is_empty() {
            return Ok(names);
        }
        names.extend(streams);
        if names.len() >= page.total {
            return Ok(names);
        }
    }
}

/// All consumers of a stream, each as `T`; none when there is no such stream.
pub(super) async fn consumers<T: DeserializeOwned>(
    js: &Context,
    stream: &str,
) -> Result<Vec<T>, ApiError> {
    #[derive(Deserialize)]
    struct Page<T> {
        total: usize,
        #[serde(default = "Option::default")]
        consumers: Option<Vec<T>>,
    }
    let mut all = Vec::new();
    loop {
        let body = json!({"offset": all.len()});
        let page: Page<T> = match request(js, &format!("CONSUMER.LIST.{stream}"), &body).await {
            Err(ApiError::NotFound { .. }) => return Ok(all),
            other => other?,
        };
        let consumers = page.consumers.unwrap_or_default();
        if consumers.is_empty() {
            return Ok(all);
        }
        all.extend(consumers);
        if all.len() >= page.total {
            return Ok(all);
        }
    }
}

/// Whether a consumer may exist already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Upsert {
    /// It must not, unless it is the same.
    #[serde(rename = "create")]
    Create,
    /// It must.
    #[serde(rename = "update")]
    Update,
    /// Either way.
    #[serde(rename = "")]
    Either,
}

/// Creates or updates the consumer `name`; returns when it has a leader.
pub(super) async fn put_consumer(
    js: &Context,
    (stream, name): (&str, &str),
    config: &Value,
    action: Upsert,
) -> Result<(), ApiError> {
    let body = json!({"stream_name": stream, "config": config, "action": action});
    let made = request::<Made>(js, &format!("CONSUMER.CREATE.{stream}.{name}"), &body).await?;
    led(js, made, &format!("CONSUMER.INFO.{stream}.{name}")).await
}

/// Creates or updates (`verb`: `CREATE`, `UPDATE`) the stream `name`; returns when it has a leader.
pub(super) async fn put_stream(
    js: &Context,
    verb: &str,
    name: &str,
    config: &Value,
) -> Result<(), ApiError> {
    let made = request::<Made>(js, &format!("STREAM.{verb}.{name}"), config).await?;
    led(js, made, &format!("STREAM.INFO.{name}")).await
}

/// As much of an answer as says whether the thing is usable.
#[derive(Debug, Deserialize)]
struct Made {
    #[serde(default)]
    cluster: Option<Cluster>,
}

#[derive(Debug, Deserialize)]
struct Cluster {
    #[serde(default)]
    leader: Option<String>,
}

/// Waits until a replicated stream or consumer has elected its leader.
async fn led(js: &Context, mut made: Made, info: &str) -> Result<(), ApiError> {
    let end = Instant::now() + BUS_GAP_MAX;
    while made.cluster.is_some_and(|cluster| cluster.leader.is_none_or(|name| name.is_empty())) {
        if Instant::now() + PAUSE >= end {
            let reason = "no leader was elected".to_owned();
            return Err(ApiError::Unavailable { what: info.to_owned(), reason });
        }
        tokio::time::sleep(PAUSE).await;
        made = request(js, info, &json!({})).await?;
    }
    Ok(())
}

/// What a deletion answers.
#[derive(Debug, Deserialize)]
pub(super) struct Deleted {}

/// Deletes what `subject` names; nothing to delete is fine.
pub(super) async fn delete(js: &Context, subject: &str) -> Result<(), ApiError> {
    match request::<Deleted>(js, subject, &json!({})).await {
        Ok(Deleted {}) | Err(ApiError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
