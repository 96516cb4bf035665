//! Whose turn it is: a message on a subject of the alerts' stream, written behind the one before it.

use std::time::Duration;

use cadre_core::{audit::Seen, ids::Name, ports::BusError, time::UnixMillis, watch::port::Term};
use serde::{Deserialize, Serialize};

use super::JetStreamWatch;

#[derive(Serialize, Deserialize)]
struct TermWire {
    v: u32,
    watcher: String,
    until_unix_ms: u64,
    /// What the next one must know; only the auditor leaves something.
    #[serde(default, skip_serializing_if = "Seen::is_empty")]
    seen: Seen,
}

/// Takes the turn on `subject` if nobody has it, or keeps it; says whose it is then, and what was left there.
///
/// The time is the broker's: each term teaches the clock when it was written. `seen` is left for whoever
/// comes next; `None` leaves what stands there.
pub(crate) async fn lead(
    watch: &JetStreamWatch,
    (subject, watcher): (&str, &Name),
    lasts: Duration,
    seen: Option<&Seen>,
) -> Result<(Term, Seen), BusError> {
    let clock = &watch.bus.streams().clock;
    let (after, held) = match watch.last(subject).await? {
        None => (0, None),
        Some((bytes, sequence, at)) => {
            clock.observe(at);
            (sequence, read(&bytes))
        }
    };
    let is_others = |(term, _): &(Term, Seen)| term.watcher != *watcher && term.until > clock.now();
    let left = match held {
        Some(held) if is_others(&held) => return Ok(held),
        Some((_, left)) => left,
        None => Seen::new(),
    };
    let until = clock.now().after(lasts);
    let seen = seen.cloned().unwrap_or(left);
    let wire = TermWire { v: 1, watcher: watcher.to_string(), until_unix_ms: until.0, seen };
    // Only texts and numbers: it cannot fail, and what is empty is no term.
    let body = serde_json::to_string(&wire).unwrap_or_default();
    let taken = watch.publish(subject.to_owned(), body, after).await?;
    // Somebody was faster, or the clock stood still since the last message: what is written counts.
    let written = watch.last(subject).await?;
    let Some((bytes, _, at)) = written else {
        return Err(BusError::Unavailable(format!("the term on {subject} is gone")));
    };
    clock.observe(at);
    match (taken, read(&bytes)) {
        (_, Some((term, seen))) => Ok((Term { until: term.until.max(at), ..term }, seen)),
        (Some(_), None) => Ok((Term { watcher: watcher.clone(), until }, wire.seen)),
        (None, None) => Err(BusError::Refused(format!("the term on {subject} cannot be read"))),
    }
}

fn read(bytes: &[u8]) -> Option<(Term, Seen)> {
    let wire: TermWire = serde_json::from_slice(bytes).ok()?;
    let (watcher, until) = (wire.watcher.parse().ok()?, UnixMillis(wire.until_unix_ms));
    Some((Term { watcher, until }, wire.seen))
}
