//! How full streams are and how far behind consumers are, for operators.

use std::time::Duration;

use async_nats::{
    datetime::{DateTime, now},
    jetstream::{Context, consumer, stream},
};
use cadre_core::{
    ids::Name,
    task::{self, Task, awaited},
};
use futures::future::{join_all, try_join_all};
use serde::{Serialize, Serializer};

use crate::topology::{
    ALERTS_STREAM, ANSWERS_STREAM, AUDIT_STREAM, BLOBS_BUCKET, BREAKERS_BUCKET, FEATURES_BUCKET,
    GOALS_STREAM, MEMBERS_BUCKET, PACKS_BUCKET, TOKENS_BUCKET, Topology, WEBHOOKS_BUCKET,
    api::{ApiError, consumers, stream_info},
    in_stream, log_stream, run_stream, timer_stream, work_stream,
};

/// Filters looked at for the oldest message of one consumer; all of ours have one.
const FILTERS_MAX: usize = 4;

/// Everything an operator wants to see of the bus at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Streams, in the order of a task's life.
    pub streams: Vec<StreamStatus>,
    /// Consumers, by stream and name.
    pub consumers: Vec<ConsumerStatus>,
    /// Buckets.
    pub buckets: Vec<BucketStatus>,
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamStatus {
    /// Its name.
    pub name: String,
    /// Messages in it.
    pub messages: u64,
    /// Bytes in it.
    pub bytes: u64,
    /// Its cap; `None` without one.
    pub max_bytes: Option<u64>,
    /// Age of its oldest message; `None` when it is empty.
    #[serde(rename = "first_age_ms", serialize_with = "millis")]
    pub first_age: Option<Duration>,
    /// Age of its newest message; `None` when it is empty.
    #[serde(rename = "last_age_ms", serialize_with = "millis")]
    pub last_age: Option<Duration>,
}

/// One consumer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConsumerStatus {
    /// The stream that it reads.
    pub stream: String,
    /// Its name.
    pub name: String,
    /// The role that it serves; `None` for the others.
    pub role: Option<String>,
    /// Messages not yet delivered.
    pub pending: u64,
    /// Messages delivered and not yet acknowledged.
    pub ack_pending: u64,
    /// Its cap on those.
    pub max_ack_pending: u64,
    /// Messages of those that were delivered more than once.
    pub redelivered: u64,
    /// Pull requests that wait for messages: roughly, how many clients are there.
    pub waiting: u64,
    /// Messages given out so far, each delivery counted.
    pub delivered: u64,
    /// Deliveries so far up to which everything is settled.
    pub settled: u64,
    /// Age of the oldest message that is not dealt with; `None` when there is none.
    #[serde(rename = "oldest_ms", serialize_with = "millis")]
    pub oldest: Option<Duration>,
    /// The client that owns it; `None` while nobody does, or when anybody may read.
    pub pinned: Option<String>,
}

/// One bucket.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BucketStatus {
    /// Its name.
    pub name: String,
    /// Entries in a key-value bucket; chunks and names in an object store.
    pub messages: u64,
    /// Bytes in it.
    pub bytes: u64,
    /// Its cap; `None` without one.
    pub max_bytes: Option<u64>,
}

/// Names of every stream of messages, in the order of a task's life.
pub(crate) fn streams_of(topology: &Topology) -> Vec<String> {
    let shards = || topology.all_shards();
    let mut names = vec![GOALS_STREAM.to_owned()];
    names.extend(shards().map(in_stream));
    names.extend(shards().map(log_stream));
    names.extend(shards().map(work_stream));
    names.extend(shards().map(timer_stream));
    names.extend(shards().map(run_stream));
    names.extend([ANSWERS_STREAM, ALERTS_STREAM, AUDIT_STREAM].map(str::to_owned));
    names
}

/// Reads the state of every stream, consumer and bucket of `topology`; what is missing is left out.
///
/// # Errors
/// [`ApiError`] when the broker does not answer.
pub async fn status(js: &Context, topology: &Topology) -> Result<Status, ApiError> {
    let names = streams_of(topology);
    let streams = try_join_all(names.iter().map(|name| stream_info::<stream::Info>(js, name)));
    let consumers = try_join_all(names.iter().map(|name| consumers_of(js, name)));
    let buckets = [
        format!("KV_{PACKS_BUCKET}"),
        format!("OBJ_{BLOBS_BUCKET}"),
        format!("KV_{BREAKERS_BUCKET}"),
        format!("KV_{MEMBERS_BUCKET}"),
        format!("KV_{FEATURES_BUCKET}"),
        format!("KV_{TOKENS_BUCKET}"),
        format!("KV_{WEBHOOKS_BUCKET}"),
    ];
    let buckets = try_join_all(buckets.iter().map(|name| stream_info::<stream::Info>(js, name)));
    let (streams, consumers, buckets) =
        futures::future::try_join3(streams, consumers, buckets).await?;
    let now = now();
    Ok(Status {
        streams: streams.into_iter().flatten().map(|info| stream_status(info, now)).collect(),
        consumers: consumers.into_iter().flatten().collect(),
        buckets: buckets.into_iter().flatten().map(bucket_status).collect(),
    })
}

fn stream_status(info: stream::Info, now: DateTime) -> StreamStatus {
    let is_empty = info.state.messages == 0;
    let age = |at: DateTime| (!is_empty).then(|| since(at, now));
    StreamStatus {
        messages: info.state.messages,
        bytes: info.state.bytes,
        max_bytes: cap(info.config.max_bytes),
        first_age: age(info.state.first_timestamp),
        last_age: age(info.state.last_timestamp),
        name: info.config.name,
    }
}

fn bucket_status(info: stream::Info) -> BucketStatus {
    let name = info.config.name;
    let bucket = name.strip_prefix("KV_").or_else(|| name.strip_prefix("OBJ_")).unwrap_or(&name);
    BucketStatus {
        name: bucket.to_owned(),
        messages: info.state.messages,
        bytes: info.state.bytes,
        max_bytes: cap(info.config.max_bytes),
    }
}

/// Durable ones only: the others come and go with a client.
async fn consumers_of(js: &Context, stream: &str) -> Result<Vec<ConsumerStatus>, ApiError> {
    let mut infos = consumers::<consumer::Info>(js, stream).await?;
    infos.retain(|info| info.config.durable_name.is_some());
    infos.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(join_all(infos.into_iter().map(|info| consumer_status(js, info))).await)
}

/// What one shard's consumer of a role has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleQueue {
    /// The role.
    pub(crate) role: String,
    /// Orders not yet delivered.
    pub(crate) waiting: u64,
    /// Orders delivered and not yet acknowledged.
    pub(crate) held: u64,
    /// The cap on those.
    pub(crate) concurrency: u64,
    /// Deliveries that are over, of all time.
    pub(crate) done: u64,
}

impl RoleQueue {
    /// Nothing to do, and nobody to do it.
    pub(crate) fn none(role: &str) -> Self {
        Self { role: role.to_owned(), waiting: 0, held: 0, concurrency: 0, done: 0 }
    }
}

/// Reads what waits for every role, shard by shard.
pub(crate) async fn role_queues(
    js: &Context,
    topology: &Topology,
) -> Result<Vec<RoleQueue>, ApiError> {
    let streams: Vec<_> = topology.all_shards().map(work_stream).collect();
    let infos = streams.iter().map(|stream| consumers::<consumer::Info>(js, stream));
    let infos = try_join_all(infos).await?.into_iter().flatten();
    let queues = infos.filter_map(|info| {
        Some(RoleQueue {
            role: info.name.strip_prefix("role-")?.to_owned(),
            waiting: info.num_pending,
            held: info.num_ack_pending as u64,
            concurrency: u64::try_from(info.config.max_ack_pending).unwrap_or_default(),
            done: info.delivered.consumer_sequence.saturating_sub(info.num_ack_pending as u64),
        })
    });
    Ok(queues.collect())
}

/// What the log of `task` does not know: that its orders wait while no worker has any, or asks for any.
/// `None` where that cannot be looked up: whoever asks has read the log already.
pub async fn unserved(js: &Context, topology: &Topology, task: &Task) -> Option<String> {
    let roles = awaited(task);
    if roles.is_empty() {
        return None;
    }
    let streams: Vec<_> = topology.all_shards().map(work_stream).collect();
    let infos = streams.iter().map(|stream| consumers::<consumer::Info>(js, stream));
    let infos: Vec<_> = try_join_all(infos).await.ok()?.into_iter().flatten().collect();
    let is_unserved = |role: &&Name| {
        let name = format!("role-{role}");
        let mut own = infos.iter().filter(|info| info.name == name);
        own.any(|info| info.num_pending > 0 && info.num_waiting == 0 && info.num_ack_pending == 0)
    };
    task::unserved(&roles.into_iter().filter(is_unserved).collect::<Vec<_>>())
}

async fn consumer_status(js: &Context, info: consumer::Info) -> ConsumerStatus {
    let oldest = oldest(js, &info).await;
    let pinned = info.priority_groups.into_iter().find_map(|group| group.pinned_client_id);
    ConsumerStatus {
        role: info.name.strip_prefix("role-").map(str::to_owned),
        pending: info.num_pending,
        ack_pending: info.num_ack_pending as u64,
        max_ack_pending: u64::try_from(info.config.max_ack_pending).unwrap_or_default(),
        redelivered: info.num_redelivered as u64,
        waiting: info.num_waiting as u64,
        delivered: info.delivered.consumer_sequence,
        settled: info.ack_floor.consumer_sequence,
        oldest,
        pinned,
        stream: info.stream_name,
        name: info.name,
    }
}

/// The age of the first message behind the acknowledged ones; best effort, it may be dealt with meanwhile.
async fn oldest(js: &Context, info: &consumer::Info) -> Option<Duration> {
    if info.num_pending == 0 && info.num_ack_pending == 0 {
        return None;
    }
    let stream = js.get_stream_no_info(&info.stream_name).await.ok()?;
    let next = info.ack_floor.stream_sequence.saturating_add(1);
    let single = Some(&info.config.filter_subject).filter(|filter| !filter.is_empty());
    let filters = single.into_iter().chain(&info.config.filter_subjects).take(FILTERS_MAX);
    let get = |filter: &String| {
        stream.direct_get_builder().sequence(next).next_by_subject(filter.clone()).send()
    };
    let found = join_all(filters.map(get)).await;
    let first = found.into_iter().flatten().map(|message| message.time).min()?;
    Some(since(first, now()))
}

fn since(at: DateTime, now: DateTime) -> Duration {
    let millis = (now - at).whole_milliseconds().max(0);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

fn cap(bytes: i64) -> Option<u64> {
    u64::try_from(bytes).ok().filter(|bytes| *bytes > 0)
}

fn millis<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    let millis = duration.map(|one| u64::try_from(one.as_millis()).unwrap_or(u64::MAX));
    millis.serialize(serializer)
}
