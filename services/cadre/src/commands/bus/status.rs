//! How full streams are and how far behind consumers are.

use std::time::Duration;

use cadre_core::text::size;
use cadre_nats::topology::{ConsumerStatus, Status, status};

use crate::{
    broker,
    exit::{Code, Failure},
    output::{self, Format, text::span},
    settings::Settings,
};

/// `cadre bus status`.
pub(super) async fn run(format: Format, settings: &Settings) -> anyhow::Result<()> {
    let (connection, topology) = broker::connect_prepared(settings, "bus").await?;
    let status = status(&connection.js, &topology).await;
    let status = status.map_err(|error| Failure::new(Code::BusUnavailable, error.to_string()))?;
    match format {
        Format::Table => tables(&status),
        Format::Json => output::json(&status),
        Format::Ndjson => output::ndjson(&status),
        Format::Id => {
            let streams = status.streams.iter().map(|stream| stream.name.clone());
            let consumers =
                status.consumers.iter().map(|one| format!("{}/{}", one.stream, one.name));
            Ok(streams.chain(consumers).try_for_each(|name| output::data(&name))?)
        }
    }
}

fn tables(status: &Status) -> anyhow::Result<()> {
    let mut rows: Vec<_> = status
        .streams
        .iter()
        .map(|one| {
            let room = room(one.bytes, one.max_bytes);
            vec![
                one.name.clone(),
                one.messages.to_string(),
                size(one.bytes),
                room,
                age(one.first_age),
                age(one.last_age),
            ]
        })
        .collect();
    rows.extend(status.buckets.iter().map(|one| {
        let room = room(one.bytes, one.max_bytes);
        vec![
            one.name.clone(),
            one.messages.to_string(),
            size(one.bytes),
            room,
            String::new(),
            String::new(),
        ]
    }));
    output::table(&["stream", "messages", "bytes", "full", "oldest", "newest"], &rows)?;
    let (roles, others): (Vec<_>, Vec<_>) =
        status.consumers.iter().partition(|consumer| consumer.role.is_some());
    let header = ["pending", "in flight", "redelivered", "oldest", "pullers"];
    output::data("")?;
    let rows: Vec<_> = roles
        .iter()
        .map(|one| row(one, one.role.as_deref().unwrap_or_default(), &one.stream))
        .collect();
    output::table(&[&["role", "stream"], &header[..]].concat(), &rows)?;
    output::data("")?;
    let rows: Vec<_> = others.iter().map(|one| row(one, &one.name, &one.stream)).collect();
    output::table(&[&["consumer", "stream"], &header[..]].concat(), &rows)?;
    Ok(())
}

fn row(one: &ConsumerStatus, name: &str, stream: &str) -> Vec<String> {
    let in_flight = format!("{}/{}", one.ack_pending, one.max_ack_pending);
    vec![
        name.to_owned(),
        stream.to_owned(),
        one.pending.to_string(),
        in_flight,
        one.redelivered.to_string(),
        age(one.oldest),
        one.waiting.to_string(),
    ]
}

fn age(age: Option<Duration>) -> String {
    age.map(span).unwrap_or_default()
}

/// How full it is; empty without a cap.
fn room(bytes: u64, max_bytes: Option<u64>) -> String {
    let Some(max) = max_bytes.filter(|max| *max > 0) else { return String::new() };
    format!("{}% of {}", bytes.saturating_mul(100) / max, size(max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_so_full() {
        assert_eq!(room(512, Some(1024)), "50% of 1.0 KB");
        assert_eq!(room(512, None), "");
    }
}
