//! Groups publications of one stream, so that a broker that syncs every message syncs every group.
//!
//! One replica with `sync_interval: always` pays one fsync a message, or one for a whole
//! atomic batch (ADR-50). A lane is one stream of ours: while a group is on its way, what
//! comes waits; when the group is confirmed, all that waits is the next one. So a message
//! alone never waits, and the busier the stream, the larger the groups.

use std::collections::{HashMap, VecDeque};

/// Messages of one group; the server takes 1,000.
const GROUP_MAX: usize = 256;

/// One stream that takes atomic batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    family: Family,
    shard: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Family {
    Log,
    Work,
    In,
}

impl Lane {
    /// The lane of a subject; `None` for streams that are not worth it.
    pub(super) fn of(subject: &str, shards: u16) -> Option<Self> {
        let mut tokens = subject.strip_prefix("cadre.")?.split('.');
        let partition: u16 = tokens.next()?.parse().ok()?;
        let family = match tokens.next()? {
            "log" => Family::Log,
            "work" => Family::Work,
            "in" => Family::In,
            _ => return None,
        };
        Some(Self { family, shard: partition % shards.max(1) })
    }
}

/// What waits and what is on its way, lane by lane.
#[derive(Debug, Default)]
pub(super) struct Lanes(HashMap<Lane, Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<u64>,
    is_busy: bool,
}

impl Lanes {
    /// Takes a message in; returns the group to send now, empty while another is on its way.
    pub(super) fn push(&mut self, lane: Lane, id: u64) -> Vec<u64> {
        let waiting = self.0.entry(lane).or_default();
        waiting.queue.push_back(id);
        if waiting.is_busy { Vec::new() } else { waiting.next() }
    }

    /// The group that was on its way is settled; returns the next one.
    pub(super) fn settled(&mut self, lane: Lane) -> Vec<u64> {
        self.0.get_mut(&lane).map(Waiting::next).unwrap_or_default()
    }
}

impl Waiting {
    fn next(&mut self) -> Vec<u64> {
        let count = self.queue.len().min(GROUP_MAX);
        let group: Vec<u64> = self.queue.drain(..count).collect();
        self.is_busy = !group.is_empty();
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_streams() {
        let lane = |subject: &str| Lane::of(subject, 2);
        assert_eq!(lane("cadre.0.log.t"), lane("cadre.2.log.u"));
        assert_ne!(lane("cadre.0.log.t"), lane("cadre.1.log.t"));
        assert_ne!(lane("cadre.0.log.t"), lane("cadre.0.work.r.t.s.1"));
        for other in
            ["goals.a.b", "answers.a.b.c", "cadre.0.timer.t.wake", "cadre.x.log.t", "cadre"]
        {
            assert_eq!(lane(other), None, "{other}");
        }
    }

    #[test]
    fn a_message_alone_goes_at_once_and_the_rest_in_groups() {
        let mut lanes = Lanes::default();
        let lane = Lane::of("cadre.0.log.t", 1).unwrap();
        assert_eq!(lanes.push(lane, 1), [1]);
        for id in 2..=400 {
            assert_eq!(lanes.push(lane, id), [0; 0]);
        }
        assert_eq!(lanes.settled(lane).len(), GROUP_MAX);
        assert_eq!(lanes.settled(lane), (258..=400).collect::<Vec<u64>>());
        assert_eq!(lanes.settled(lane), [0; 0]);
        assert_eq!(lanes.push(lane, 401), [401], "an idle lane waits for nobody");
    }

    #[test]
    fn lanes_do_not_wait_for_each_other() {
        let mut lanes = Lanes::default();
        let (log, work) = (Lane::of("cadre.0.log.t", 1), Lane::of("cadre.0.work.r.t.s.1", 1));
        assert_eq!(lanes.push(log.unwrap(), 1), [1]);
        assert_eq!(lanes.push(work.unwrap(), 2), [2]);
    }
}
