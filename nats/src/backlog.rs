//! How much work waits for each role: what the intake goes by when it takes in goals.
//!
//! Read from the roles' consumers while goals arrive, at most every [`LOOK_EVERY`]. In between each goal that is
//! taken in counts as one order for each role of its workflow, and still does for one more look: its order may
//! not be on the bus yet. With several orchestrators each counts its own, so the bound is as many times as loose.
//!
//! Goals that wait come back the more seldom the more of them there are, and beyond a limit no more of them may
//! wait: what the intake's consumer may have out is never used up by crowded workflows.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use cadre_core::{
    ids::Name,
    limits::{GOALS_WAITING_MAX, ROLE_BACKLOG_MIN, ROLE_BACKLOG_TIMES},
    ports::Crowd,
};

use crate::topology::{ApiError, GOALS_STREAM, INTAKE_CONSUMER, RoleQueue, Topology, role_queues};

/// How old a look may be.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Shortest wait of a goal for another look at it.
const PAUSE: Duration = Duration::from_secs(1);

/// Goals that may come back within that time; with more of them the pause grows.
const BACK_AT_ONCE: u64 = 2_048;

/// Cheap to clone; all clones share one look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backlog(Arc<Mutex<Look>>);

#[derive(Debug, Default)]
struct Look {
    at: Option<Instant>,
    rooms: BTreeMap<String, Room>,
    /// Goals that the intake has out: nearly all of them wait.
    waiting: u64,
}

/// What one role may still be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Room {
    left: u64,
    taken: u64,
}

impl Backlog {
    /// Looks at the queues again if it is time.
    ///
    /// # Errors
    /// [`ApiError`]; what was known stays.
    pub(crate) async fn look(
        &self,
        js: &async_nats::jetstream::Context,
        topology: &Topology,
    ) -> Result<(), ApiError> {
        let is_fresh = |at: Instant| at.elapsed() < LOOK_EVERY;
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).at.is_some_and(is_fresh) {
            return Ok(());
        }
        let queues = role_queues(js, topology).await?;
        let waiting = waiting(js).await;
        let mut look = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        look.see(queues, Instant::now());
        look.waiting = waiting.unwrap_or(look.waiting);
        Ok(())
    }

    /// Takes room for one order for each of these roles; or names the first one that has none.
    pub(crate) fn take<'a>(&self, roles: impl Iterator<Item = &'a Name> + Clone) -> Option<Crowd> {
        let mut look = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let may_wait = look.waiting < GOALS_WAITING_MAX;
        look.take(roles).map(|role| Crowd { role, may_wait })
    }

    /// How long a goal that waits is left alone.
    pub(crate) fn pause(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pause()
    }
}

/// Goals that the intake has out; `None` when the broker does not say.
async fn waiting(js: &async_nats::jetstream::Context) -> Option<u64> {
    let stream = js.get_stream_no_info(GOALS_STREAM).await.ok()?;
    let info = stream.consumer_info(INTAKE_CONSUMER).await.ok()?;
    u64::try_from(info.num_ack_pending).ok()
}

impl Look {
    fn see(&mut self, queues: Vec<RoleQueue>, now: Instant) {
        let mut sums: BTreeMap<String, RoleQueue> = BTreeMap::new();
        for queue in queues {
            let sum = sums.entry(queue.role.clone()).or_insert(RoleQueue::none(&queue.role));
            sum.waiting += queue.waiting;
            sum.held += queue.held;
            sum.concurrency += queue.concurrency;
        }
        // Work that nobody takes up is not too much work: it times out, as it would without this.
        sums.retain(|_, queue| queue.waiting == 0 || queue.held > 0);
        let room = |(role, queue): (String, RoleQueue)| {
            let limit = (queue.concurrency * ROLE_BACKLOG_TIMES).max(ROLE_BACKLOG_MIN);
            let underway = self.rooms.get(&role).map_or(0, |room| room.taken);
            let left = limit.saturating_sub(queue.waiting).saturating_sub(underway);
            (role, Room { left, taken: 0 })
        };
        self.rooms = sums.into_iter().map(room).collect();
        self.at = Some(now);
    }

    fn pause(&self) -> Duration {
        let rounds = u32::try_from(self.waiting / BACK_AT_ONCE).unwrap_or(u32::MAX);
        PAUSE.saturating_mul(rounds.saturating_add(1))
    }

    fn take<'a>(&mut self, roles: impl Iterator<Item = &'a Name> + Clone) -> Option<Name> {
        let is_full =
            |role: &&Name| self.rooms.get(role.as_str()).is_some_and(|room| room.left == 0);
        if let Some(full) = roles.clone().find(is_full) {
            return Some(full.clone());
        }
        for role in roles {
            if let Some(room) = self.rooms.get_mut(role.as_str()) {
                (room.left, room.taken) = (room.left - 1, room.taken + 1);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(role: &str, waiting: u64, held: u64) -> RoleQueue {
        RoleQueue { waiting, held, concurrency: 4, ..RoleQueue::none(role) }
    }

    #[test]
    fn a_goal_needs_room_at_each_of_its_roles() {
        let [slow, quick] = ["slow", "quick"].map(|name| Name::new(name).unwrap());
        let mut look = Look::default();
        assert_eq!(look.take([&slow].into_iter()), None, "nothing is known yet");
        let now = Instant::now();
        look.see(vec![queue("slow", 30, 2), queue("slow", 32, 2), queue("quick", 0, 0)], now);
        assert_eq!(look.take([&quick, &slow].into_iter()), None);
        assert_eq!(look.take([&quick, &slow].into_iter()), None);
        assert_eq!(look.take([&quick, &slow].into_iter()), Some(slow.clone()));
        assert_eq!(look.take([&quick].into_iter()), None, "others go on");
        // The two are not on the bus yet, and count for one more look.
        look.see(vec![queue("slow", 61, 2)], now);
        assert_eq!(look.take([&slow].into_iter()), None);
        assert_eq!(look.take([&slow].into_iter()), Some(slow.clone()));
        look.see(vec![queue("slow", 500, 0)], now);
        assert_eq!(look.take([&slow].into_iter()), None, "nobody serves it: that is another thing");
    }

    #[test]
    fn a_crowd_comes_back_seldom_and_has_a_limit() {
        let slow = Name::new("slow").unwrap();
        let backlog = Backlog::default();
        let look = |waiting: u64| {
            let mut look = backlog.0.lock().unwrap();
            look.see(vec![queue("slow", 500, 2)], Instant::now());
            look.waiting = waiting;
        };
        let take = || backlog.take([&slow].into_iter());
        look(10);
        assert_eq!(take(), Some(Crowd { role: slow.clone(), may_wait: true }));
        assert_eq!(backlog.pause(), Duration::from_secs(1));
        look(5 * BACK_AT_ONCE);
        assert_eq!(backlog.pause(), Duration::from_secs(6));
        look(GOALS_WAITING_MAX);
        assert_eq!(take(), Some(Crowd { role: slow.clone(), may_wait: false }));
    }
}
