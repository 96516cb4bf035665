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
