//! What a broker's streams were made for, from their metadata.

use async_nats::jetstream::Context;
use serde::Deserialize;

use cadre_core::ids::Partitions;

use crate::topology::{
    Topology,
    api::{ApiError, stream_info},
    fields::{Fields, metadata, metadata_number},
    log_stream,
    render::{PARTITIONS_KEY, PROFILE_KEY, SHARDS_KEY},
};

/// Why it is not known what the streams were made for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoverError {
    /// Our streams do not exist.
    #[error("the bus is not prepared: run `cadre bus apply`")]
    NotPrepared,
    /// The streams exist, and do not say what they were made for.
    #[error(
        "stream {stream} does not say its {key}: somebody else made it, or changed its metadata; look at `cadre bus diff`"
    )]
    Foreign {
        /// The stream that was asked.
        stream: String,
        /// The metadata key that is missing or unreadable.
        key: &'static str,
    },
    /// The broker did not answer, or refused.
    #[error(transparent)]
    Api(#[from] ApiError),
}

#[derive(Deserialize)]
struct Answer {
    config: Fields,
}

/// Reads what the streams of this broker were made for; one request.
///
/// # Errors
/// [`DiscoverError::NotPrepared`] on a broker without our streams.
pub async fn discover(js: &Context) -> Result<Topology, DiscoverError> {
    let stream = log_stream(0);
    let answer: Option<Answer> = stream_info(js, &stream).await?;
    let Some(Answer { config }) = answer else { return Err(DiscoverError::NotPrepared) };
    let foreign = |key| DiscoverError::Foreign { stream: stream.clone(), key };
    let number = |key: &'static str| {
        let number = metadata_number(&config, key).and_then(|number| u16::try_from(number).ok());
        number.ok_or_else(|| foreign(key))
    };
    let profile = metadata(&config, PROFILE_KEY).and_then(|value| value.as_str());
    let replicas = config.get("num_replicas").and_then(serde_json::Value::as_u64).unwrap_or(1);
    let topology = Topology {
        partitions: Partitions::new(number(PARTITIONS_KEY)?),
        shards: number(SHARDS_KEY)?,
        replicas: u8::try_from(replicas).unwrap_or(1),
        profile: profile.and_then(|text| text.parse().ok()).ok_or_else(|| foreign(PROFILE_KEY))?,
    };
    topology.check().map_err(|_| foreign(SHARDS_KEY))?;
    Ok(topology)
}
