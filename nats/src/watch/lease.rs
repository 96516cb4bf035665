//! Who watches: a message on `alerts.watcher`, written behind the one before it.

use std::time::Duration;

use cadre_core::{ids::Name, ports::BusError, time::UnixMillis, watch::port::Term};
use cadre_proto::subject::alerts::WATCHER;
use serde::{Deserialize, Serialize};

use super::JetStreamWatch;

#[derive(Serialize, Deserialize)]
struct TermWire {
    v: u32,
    watcher: String,
    until_unix_ms: u64,
}

/// Takes the watch if nobody has it, or keeps it; says whose it is then.
///
/// The time is the broker's: each term teaches the clock when it was written.
pub(super) async fn lead(
    watch: &JetStreamWatch,
    watcher: &Name,
    lasts: Duration,
) -> Result<Term, BusError> {
    let clock = &watch.bus.streams().clock;
    let (after, held) = match watch.last(WATCHER).await? {
        None => (0, None),
        Some((bytes, sequence, at)) => {
            clock.observe(at);
            (sequence, read(&bytes))
        }
    };
    if let Some(term) = held.filter(|term| term.watcher != *watcher && term.until > clock.now()) {
        return Ok(term);
    }
    let until = clock.now().after(lasts);
    let wire = TermWire { v: 1, watcher: watcher.to_string(), until_unix_ms: until.0 };
    // Only a text and numbers: it cannot fail, and what is empty is no term.
    let body = serde_json::to_string(&wire).unwrap_or_default();
    let taken = watch.publish(WATCHER.to_owned(), body, after).await?;
    // Somebody was faster, or the clock stood still since the last message: what is written counts.
    let written = watch.last(WATCHER).await?;
    let Some((bytes, _, at)) = written else {
        return Err(BusError::Unavailable("the watch's term is gone".to_owned()));
    };
    clock.observe(at);
    match (taken, read(&bytes)) {
        (_, Some(term)) => Ok(Term { until: term.until.max(at), ..term }),
        (Some(_), None) => Ok(Term { watcher: watcher.clone(), until }),
        (None, None) => Err(BusError::Refused("the watch's term cannot be read".to_owned())),
    }
}

fn read(bytes: &[u8]) -> Option<Term> {
    let wire: TermWire = serde_json::from_slice(bytes).ok()?;
    Some(Term { watcher: wire.watcher.parse().ok()?, until: UnixMillis(wire.until_unix_ms) })
}
