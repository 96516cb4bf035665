//! The newest entries of the trail that somebody wants, without reading all of it.
//!
//! From the end backwards, a window of sequences at a time. A window in which little was found is followed by a
//! wider one, so that a tenant with few entries is found among many, and one look never reads more than
//! [`MESSAGES_MAX`] messages.

use cadre_core::{
    audit::{Listed, Query, Spot},
    ports::BusError,
};
use cadre_proto::subject::audit;

use super::{JetStreamTrail, unavailable};
use crate::{
    pages::{Stored, read_few},
    topology::AUDIT_STREAM,
};

/// Sequences of the first window, and messages asked for at once: a page of entries may have 128 KiB.
const WINDOW: u64 = 64;

/// Messages of one window at most; with more the window is too wide.
const WINDOW_MESSAGES_MAX: usize = 128;

/// Messages below which the next window is wider.
const WINDOW_MESSAGES_FEW: usize = 16;

/// Messages that one look goes through: well below a second of work for a broker.
const MESSAGES_MAX: usize = 2_048;

impl JetStreamTrail {
    /// The newest entries that `query` wants.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not answer.
    pub async fn look(&self, query: &Query) -> Result<Listed, BusError> {
        let subject = query.chain.as_ref().map_or_else(|| "audit.>".to_owned(), audit::chain);
        let (first, last) = self.span().await?;
        let (mut listed, mut seen, mut width) = (Listed::default(), 0, WINDOW);
        let mut to = query.before.map_or(last, |before| before.sequence.min(last));
        while to >= first {
            let from = to.saturating_sub(width - 1).max(first);
            let Some(messages) = self.window(&subject, from, to).await? else {
                width = (width / 4).max(WINDOW);
                continue;
            };
            for message in messages.iter().rev() {
                if listed.take(query, message.sequence, &message.body) {
                    return Ok(listed);
                }
                // Nothing was done after it was written down.
                if query.since.is_some_and(|since| message.at < since) {
                    return Ok(Listed { next: None, ..listed });
                }
            }
            seen += messages.len();
            if seen >= MESSAGES_MAX && from > first {
                let next = Some(Spot { sequence: from, line: 0 });
                return Ok(Listed { next, ..listed });
            }
            width =
                if messages.len() < WINDOW_MESSAGES_FEW { width.saturating_mul(4) } else { WINDOW };
            to = from - 1;
        }
        Ok(Listed { next: None, ..listed })
    }

    /// The first and the last sequence of the stream.
    async fn span(&self) -> Result<(u64, u64), BusError> {
        let found = self.bus.streams().js.get_stream(AUDIT_STREAM).await;
        let found = found.map_err(|error| unavailable("look at the audit trail", &error))?;
        let state = &found.cached_info().state;
        Ok((state.first_sequence.max(1), state.last_sequence))
    }

    /// All messages of a window, the oldest first; `None` when there are too many.
    async fn window(
        &self,
        subject: &str,
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<Stored>>, BusError> {
        let (mut found, mut next) = (Vec::new(), from);
        while next <= to {
            let streams = self.bus.streams();
            let batch = read_few(streams, (AUDIT_STREAM, subject), next, WINDOW).await?;
            let is_last = (batch.len() as u64) < WINDOW;
            let Some(end) = batch.last().map(|message| message.sequence) else { break };
            found.extend(batch.into_iter().filter(|message| message.sequence <= to));
            if found.len() > WINDOW_MESSAGES_MAX {
                return Ok(None);
            }
            if is_last {
                break;
            }
            next = end + 1;
        }
        Ok(Some(found))
    }
}

#[cfg(test)]
mod tests {
    use cadre_core::{
        audit::{Action, Chain, Deed},
        ids::Partitions,
        time::UnixMillis,
    };

    use super::*;
    use crate::{
        bus::JetStreamBus,
        connect::{ConnectOptions, connect},
        server::testing::server,
        topology::{Topology, apply},
    };

    fn deed(number: u64) -> Deed {
        let (object, reason) = (format!("letter/0-{number}"), String::new());
        let (actor, action) = ("ann".to_owned(), Action::LetterDropped);
        Deed { at: UnixMillis(number), actor, action, object, reason }
    }

    async fn numbers(trail: &JetStreamTrail, mut query: Query) -> Vec<u64> {
        let mut found = Vec::new();
        loop {
            let listed = trail.look(&query).await.expect("listed");
            found.extend(listed.entries.iter().map(|(_, entry)| entry.at.0));
            query.before = listed.next;
            if query.before.is_none() {
                return found;
            }
        }
    }

    #[tokio::test]
    async fn the_few_are_found_among_the_many_and_pages_meet() {
        let server = server().await;
        let options = ConnectOptions::new(server.urls().join(","), "test");
        let connection = connect(options).await.expect("connected");
        let topology = Topology::dev(Partitions::new(2));
        apply(&connection.js, &topology, false).await.expect("applied");
        let bus = JetStreamBus::open(&connection).await.expect("ours");
        let trail = JetStreamTrail::open(&bus).await.expect("a trail");
        assert_eq!(numbers(&trail, Query::newest(5)).await, Vec::<u64>::new());
        let acme: Chain = "tenant.acme".parse().expect("a chain");
        for number in 1..=200 {
            let chain = if matches!(number, 2 | 150) { &acme } else { &Chain::Fleet };
            trail.note(chain, &deed(number)).await.expect("noted");
        }
        let all: Vec<u64> = (1..=200).rev().collect();
        assert_eq!(numbers(&trail, Query::newest(7)).await, all);
        let own = Query { chain: Some(acme), ..Query::newest(50) };
        assert_eq!(numbers(&trail, own).await, [150, 2]);
        let first = Query { since: Some(UnixMillis(1)), ..Query::newest(1_000) };
        assert_eq!(numbers(&trail, first).await, all);
    }
}
