//! One look at queues, streams, breakers and dead letters.

use std::time::Duration;

use async_nats::jetstream::{
    consumer::{AckPolicy, DeliverPolicy, pull},
    stream::LastRawMessageErrorKind,
};
use cadre_core::{
    breaker::port::BreakerBoard as _,
    limits::BREAKER_POD_LIVES_FOR,
    ports::BusError,
    watch::{Board, Letters, Queue, StreamFill, Survey},
};

use super::unavailable;
use crate::{
    breakers::KvBreakers,
    bus::JetStreamBus,
    letters::Head,
    topology::{
        ALERTS_STREAM, ANSWERS_STREAM, ConsumerStatus, DUE_CONSUMER, INTAKE_CONSUMER, Status,
        log_stream, status,
    },
};

/// Where dead letters lie.
const DEAD: &str = "cadre.*.dead.>";

/// How long a consumer that only counts may outlive a watch that dies.
const COUNTER_KEPT: Duration = Duration::from_secs(10);

pub(super) async fn survey(
    bus: &JetStreamBus,
    breakers: Option<&KvBreakers>,
) -> Result<Survey, BusError> {
    let streams = bus.streams();
    let status = status(&streams.js, &streams.topology).await;
    let status = status.map_err(|error| unavailable(&"look at the streams", &error))?;
    let mut letters = Vec::new();
    for shard in streams.topology.all_shards() {
        letters.extend(letters_of(bus, &log_stream(shard)).await?);
    }
    let board = match breakers {
        Some(breakers) => board(breakers).await?,
        None => Board::default(),
    };
    let queues = status.consumers.iter().filter_map(queue).collect();
    Ok(Survey { queues, streams: fills(status), letters, board })
}

fn queue(consumer: &ConsumerStatus) -> Option<Queue> {
    let subject = match (&consumer.role, consumer.name.as_str()) {
        (Some(role), _) => format!("role.{role}"),
        (None, INTAKE_CONSUMER) => "intake".to_owned(),
        (None, DUE_CONSUMER) => "timers".to_owned(),
        (None, name) => {
            let partition: u16 = name.strip_prefix('p')?.parse().ok()?;
            format!("partition.{partition}")
        }
    };
    Some(Queue {
        subject,
        pending: consumer.pending,
        held: consumer.ack_pending,
        waiting: consumer.waiting,
        moved: consumer.delivered.wrapping_add(consumer.settled),
    })
}

fn fills(status: Status) -> Vec<StreamFill> {
    let streams = status.streams.into_iter().map(|one| (one.name, one.bytes, one.max_bytes));
    let buckets = status.buckets.into_iter().map(|one| (one.name, one.bytes, one.max_bytes));
    let all = streams.chain(buckets).filter_map(|(name, bytes, max_bytes)| {
        // Those two forget the oldest; all others that have a cap refuse.
        let refuses = name != ANSWERS_STREAM && name != ALERTS_STREAM;
        Some(StreamFill { name, bytes, max_bytes: max_bytes?, refuses })
    });
    all.collect()
}

async fn board(breakers: &KvBreakers) -> Result<Board, BusError> {
    let content = breakers.content().await?;
    let now = breakers.now();
    let is_live = |at| now.since(at) < BREAKER_POD_LIVES_FOR;
    let live_pods = content.pods.iter().filter(|(_, at)| is_live(*at)).count();
    // A hint that cannot be read is a newer build's, which can.
    let hints = content.hints.into_iter().filter_map(|(_, posted)| posted.hint.ok().flatten());
    Ok(Board { hints: hints.collect(), live_pods })
}

/// The letters of one log stream; one question where there are none.
async fn letters_of(bus: &JetStreamBus, name: &str) -> Result<Option<Letters>, BusError> {
    let lost = |error: &dyn std::fmt::Display| {
        unavailable(&format!("look for dead letters in {name}"), error)
    };
    let stream = bus.streams().js.get_stream_no_info(name).await.map_err(|error| lost(&error))?;
    let newest = match stream.get_last_raw_message_by_subject(DEAD).await {
        Ok(newest) => newest,
        Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => {
            return Ok(None);
        }
        Err(error) => return Err(lost(&error)),
    };
    let head = Head::read(&crate::tail::stored(name, newest));
    // A consumer that never asks knows how many it could have.
    let config = pull::Config {
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::None,
        filter_subject: DEAD.to_owned(),
        headers_only: true,
        memory_storage: true,
        num_replicas: 1,
        inactive_threshold: COUNTER_KEPT,
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(|error| lost(&error))?;
    let info = consumer.cached_info();
    let (count, counter) = (info.num_pending, info.name.clone());
    // Left behind it ends by itself.
    if let Err(error) = stream.delete_consumer(&counter).await {
        tracing::debug!(%error, "a consumer that counted was not removed");
    }
    let Some(head) = head.filter(|_| count > 0) else { return Ok(None) };
    let (stream, newest) = (name.to_owned(), head.id.to_string());
    Ok(Some(Letters { stream, count, newest, at: head.at, reason: head.reason }))
}
