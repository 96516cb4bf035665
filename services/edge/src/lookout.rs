//! Looks at what no log tells of, for all tabs together, so that pages hear of a change within a moment.
//!
//! ```text
//!  tabs ─► every half second: has it changed? ─► one look for all of them ─► compared with the one before
//! ```
//!
//! Called by `/live`. A look that takes long is made seldom: it costs at most a fifth of the time.

use std::{fmt::Debug, time::Duration};

use cadre_core::{
    audit::Query,
    payload::Hash,
    ports::desk::{BusView, Desk, DeskError, LetterQuery},
};
use tokio::{sync::Mutex, time::Instant};

/// How often it is looked at most.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The pause behind a look, as a multiple of what the look took.
const REST: u32 = 4;

/// What is looked at, by the topic of `/live`.
const TOPICS: [&str; 8] =
    ["alerts", "audit", "breakers", "bus", "letters", "members", "packs", "webhooks"];

/// What was found of each topic.
#[derive(Debug, Default)]
pub(crate) struct Lookout([Mutex<Found>; TOPICS.len()]);

#[derive(Debug, Default)]
struct Found {
    /// Not looked at again before then.
    again: Option<Instant>,
    print: Option<Hash>,
    /// Moves whenever something else was found.
    version: u64,
}

impl Lookout {
    /// Whether somebody must look to know: the log tells of everything else.
    pub(crate) fn is_for(topic: &str) -> bool {
        TOPICS.contains(&topic)
    }

    /// Moves whenever what the topic is about has changed. Looks, unless somebody has just done so; whoever asks
    /// meanwhile waits for that look. A desk that does not answer changes nothing.
    pub(crate) async fn version(&self, desk: &dyn Desk, topic: &str) -> u64 {
        let place = TOPICS.iter().position(|known| *known == topic);
        let Some(found) = place.and_then(|place| self.0.get(place)) else { return 0 };
        let mut found = found.lock().await;
        let begun = Instant::now();
        if found.again.is_some_and(|again| begun < again) {
            return found.version;
        }
        if let Ok(print) = print(desk, topic).await {
            found.version += u64::from(found.print.is_some_and(|before| before != print));
            found.print = Some(print);
        }
        found.again = Some(begun + (begun.elapsed() * (REST + 1)).max(LOOK_EVERY));
        found.version
    }
}

/// What is there now, as far as pages show it and it does not change by itself.
async fn print(desk: &dyn Desk, topic: &str) -> Result<Hash, DeskError> {
    Ok(match topic {
        "alerts" => hash(&desk.alerts().await?),
        "audit" => hash(&desk.audit(Query::newest(1)).await?.entries),
        "breakers" => hash(&desk.breakers().await?),
        "letters" => {
            let query = LetterQuery { limit: 1, ..LetterQuery::default() };
            let found = desk.letters(query).await?;
            hash(&(found.letters, found.more))
        }
        "members" => hash(&desk.members().await?),
        "packs" => hash(&desk.packs().await?),
        "webhooks" => {
            let rows = desk.webhooks().await?.into_iter();
            // What a webhook prints has no secret.
            hash(&rows.collect::<Vec<_>>())
        }
        _ => hash(&without_ages(desk.bus().await?)),
    })
}

fn hash(found: &impl Debug) -> Hash {
    Hash::of(format!("{found:?}").as_bytes())
}

/// Ages grow by themselves.
fn without_ages(mut bus: BusView) -> BusView {
    for stream in &mut bus.streams {
        (stream.first_age, stream.last_age) = (None, None);
    }
    for consumer in &mut bus.consumers {
        consumer.oldest = None;
    }
    bus
}

#[cfg(test)]
mod tests {
    use cadre_core::ports::desk::{ConsumerView, StreamView};
    use tokio::time::sleep;

    use super::*;
    use crate::http::tests::kit::FakeDesk;

    fn stream(desk: &FakeDesk, messages: u64, age: Option<Duration>) {
        let mut world = desk.world.lock().unwrap();
        let stream = StreamView { messages, first_age: age, ..StreamView::default() };
        let consumer = ConsumerView { oldest: age, ..ConsumerView::default() };
        world.bus = BusView { streams: vec![stream], consumers: vec![consumer] };
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_seen_within_half_a_second_by_one_look_for_all() {
        let (lookout, desk) = (Lookout::default(), FakeDesk::default());
        let looks = || desk.world.lock().unwrap().bus_looks;
        let version = async || lookout.version(&desk, "bus").await;
        stream(&desk, 1, None);
        let first = version().await;
        stream(&desk, 2, None);
        for _ in 0..100 {
            assert_eq!((version().await, looks()), (first, 1), "one look serves all");
        }
        sleep(LOOK_EVERY).await;
        let second = version().await;
        assert_ne!(second, first);
        // Ages grow by themselves, and a desk that is away says nothing new.
        stream(&desk, 2, Some(Duration::from_secs(9)));
        sleep(LOOK_EVERY).await;
        assert_eq!(version().await, second);
        desk.world.lock().unwrap().is_down = true;
        sleep(LOOK_EVERY).await;
        assert_eq!(version().await, second);
        assert_eq!(lookout.version(&desk, "tasks").await, 0, "the log tells of those");
    }
}
