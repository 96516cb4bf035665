//! What a broker has of ours, read in two rounds of parallel requests.

use std::collections::{BTreeMap, BTreeSet};

use async_nats::jetstream::Context;
use futures::future::{try_join, try_join_all};
use serde::Deserialize;

use crate::topology::{
    api::{ApiError, consumers, stream_info, stream_names},
    fields::Fields,
};

/// Streams by name.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) streams: BTreeMap<String, FoundStream>,
}

/// One stream and its consumers.
#[derive(Debug)]
pub(super) struct FoundStream {
    pub(super) config: Fields,
    pub(super) messages: u64,
    pub(super) bytes: u64,
    /// Durable ones only: the others come and go with a client.
    pub(super) consumers: BTreeMap<String, Fields>,
}

#[derive(Deserialize)]
struct StreamAnswer {
    config: Fields,
    state: StateAnswer,
}

#[derive(Deserialize)]
struct StateAnswer {
    messages: u64,
    bytes: u64,
}

#[derive(Deserialize)]
struct ConsumerAnswer {
    name: String,
    config: Fields,
}

impl Found {
    /// Reads the streams of these names, and every other stream of a shard.
    pub(super) async fn load(js: &Context, declared: &[String]) -> Result<Self, ApiError> {
        let one = |name: String| async move {
            let answer = stream_info::<StreamAnswer>(js, &name).await?;
            Ok::<_, ApiError>(answer.map(|answer| (name, answer)))
        };
        let known = try_join_all(declared.iter().cloned().map(one));
        let (known, names) = try_join(known, stream_names(js, "cadre.>")).await?;
        let wanted: BTreeSet<&String> = declared.iter().collect();
        let others = names.into_iter().filter(|name| !wanted.contains(name) && is_sharded(name));
        let others = try_join_all(others.map(one)).await?;
        let streams = known.into_iter().chain(others).flatten();
        let load = streams.map(|(name, answer)| load_consumers(js, name, answer));
        Ok(Self { streams: try_join_all(load).await?.into_iter().collect() })
    }
}

/// Whether it is a stream of ours of which each shard has one.
pub(super) fn is_sharded(name: &str) -> bool {
    let shard = ["CADRE_LOG_", "CADRE_TIMER_", "CADRE_WORK_", "CADRE_IN_", "CADRE_RUN_"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix));
    shard.is_some_and(|shard| shard.parse::<u16>().is_ok())
}

async fn load_consumers(
    js: &Context,
    name: String,
    answer: StreamAnswer,
) -> Result<(String, FoundStream), ApiError> {
    // The consumers of buckets are their readers, none of them declared.
    let is_bucket = name.starts_with("KV_") || name.starts_with("OBJ_");
    let all = if is_bucket { Vec::new() } else { consumers::<ConsumerAnswer>(js, &name).await? };
    let durable = all.into_iter().filter(|one| one.config.contains_key("durable_name"));
    let stream = FoundStream {
        config: answer.config,
        messages: answer.state.messages,
        bytes: answer.state.bytes,
        consumers: durable.map(|one| (one.name, one.config)).collect(),
    };
    Ok((name, stream))
}
