//! Streams and consumers: what the bus says now, and how it differs from what is declared.

use std::{collections::BTreeMap, time::Duration};

use axum::response::Response;
use cadre_core::ports::desk::{Drift, DriftField};

use super::{Oops, OrOops as _, Visit};
use crate::pages::bus::{Bus, QueueRow, StreamRow, page};

fn millis(age: Duration) -> u64 {
    u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
}

pub(super) async fn show(visit: Visit) -> Result<Response, Oops> {
    let (found, drift) = tokio::join!(visit.app.bus(), visit.app.drift());
    let found = found.or_oops(&visit)?;
    // How full the streams are is shown all the same.
    let mut drift = differences(drift.unwrap_or_default());
    let drains = visit.app.drains(&found.consumers);
    let streams = found.streams.into_iter().map(|stream| StreamRow {
        drift: drift.remove(&(stream.name.clone(), None)).unwrap_or_default(),
        name: stream.name,
        messages: Some(stream.messages),
        bytes: stream.bytes,
        max_bytes: stream.max_bytes.unwrap_or(0),
        is_bucket: stream.is_bucket,
    });
    let streams = streams.collect();
    let queues = found.consumers.into_iter().zip(drains).map(|(consumer, drain)| {
        let key = (consumer.stream.clone(), Some(consumer.name.clone()));
        QueueRow {
            drift: drift.remove(&key).unwrap_or_default(),
            subject: consumer.name,
            stream: consumer.stream,
            pending: consumer.pending,
            held: consumer.ack_pending,
            redelivered: consumer.redelivered,
            waiting: consumer.waiting,
            oldest_ms: consumer.oldest.map(millis),
            drain,
        }
    });
    let queues = queues.collect();
    let drift = drift.into_values().flatten().collect();
    let can_peek = visit.identity.scope().is_none();
    let view = Bus { streams, queues, drift, can_peek };
    visit.show(&page(&visit.chrome(), &view)).await
}

/// Lines by what they are about: a stream, or a consumer of it. Buckets are shown without what their streams'
/// names begin with.
fn differences(drift: Vec<Drift>) -> BTreeMap<(String, Option<String>), Vec<String>> {
    let mut lines: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for one in drift.into_iter().filter(|one| !one.is_tolerated) {
        let Drift { stream, consumer, text, fields, .. } = one;
        let bucket = stream.strip_prefix("KV_").or_else(|| stream.strip_prefix("OBJ_"));
        let name = bucket.unwrap_or(&stream).to_owned();
        let said = lines.entry((name, consumer)).or_default();
        if fields.is_empty() {
            said.push(text);
        }
        said.extend(fields.into_iter().map(|DriftField { field, found, declared }| {
            format!("{field} is {found}, declared {declared}")
        }));
    }
    lines
}
