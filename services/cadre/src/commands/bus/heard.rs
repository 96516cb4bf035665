//! Goals and rejections as they pass by: the intake takes them off their stream within milliseconds.
//!
//! Listening is right here and nowhere else: this stream takes no batches, so what is heard was published.

use bytes::Bytes;
use cadre_nats::{
    connect::Connection,
    tail::{TailItem, TailKind},
    topology::GOALS_STREAM,
};
use futures::{Stream, StreamExt as _, stream};

use crate::broker;

/// Everything that is published for the intake.
const EVERYTHING: &str = "goals.>";

/// What passes by, and from which sequence on the stream's own copies are the same.
pub(super) struct Heard {
    /// Messages as they are published.
    items: stream::BoxStream<'static, TailItem>,
    /// The stream's last message before that.
    before: u64,
}

impl Heard {
    /// Listens to what the filter wants of the intake; hears nothing when it wants nothing of it.
    pub(super) async fn open(
        connection: &Connection,
        filter: Option<&str>,
    ) -> anyhow::Result<Self> {
        let Some(subject) = subject(filter) else {
            return Ok(Self { items: stream::pending().boxed(), before: u64::MAX });
        };
        let heard = connection.client.subscribe(subject).await?;
        connection.client.flush().await?;
        let goals = connection.js.get_stream(GOALS_STREAM).await?;
        let before = goals.cached_info().state.last_sequence;
        let items = heard.map(|message| {
            let headers = message.headers.iter().flat_map(|headers| headers.iter());
            let headers = headers.flat_map(|(name, values)| {
                values.iter().map(move |value| (name.to_string(), value.to_string()))
            });
            item(message.subject.to_string(), headers.collect(), message.payload.clone())
        });
        Ok(Self { items: items.boxed(), before })
    }
}

/// What to listen to for a filter.
fn subject(filter: Option<&str>) -> Option<String> {
    match filter {
        None | Some(">") => Some(EVERYTHING.to_owned()),
        Some(filter) => filter.starts_with("goals.").then(|| filter.to_owned()),
    }
}

/// The place in the stream is not known by listening: 0.
fn item(subject: String, headers: Vec<(String, String)>, body: Bytes) -> TailItem {
    let (stream, kind) = (GOALS_STREAM.to_owned(), TailKind::Goal);
    TailItem { stream, subject, sequence: 0, at: broker::local_now(), kind, headers, body }
}

/// Both as one; what was heard is not read again. Ends only with the reader's patience.
pub(super) fn merged<E: Send + 'static>(
    read: impl Stream<Item = Result<TailItem, E>> + Send + Unpin + 'static,
    heard: Heard,
) -> stream::BoxStream<'static, Result<TailItem, E>> {
    let Heard { items, before } = heard;
    let is_news = move |item: &TailItem| item.stream != GOALS_STREAM || item.sequence <= before;
    let read = read.filter(move |item| std::future::ready(item.as_ref().map_or(true, is_news)));
    stream::select(read, items.map(Ok)).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_filters_of_goals_listen() {
        for (filter, expected) in [
            (None, Some("goals.>")),
            (Some(">"), Some("goals.>")),
            (Some("goals.rejected.*"), Some("goals.rejected.*")),
            (Some("cadre.>"), None),
            (Some("vs3tl6e2t2bmylf5r7pg2ndlxn"), None),
        ] {
            assert_eq!(subject(filter).as_deref(), expected, "{filter:?}");
        }
    }
}
