//! How much work waits for each role: what the intake goes by when it takes in goals.
//!
//! Read from the roles' consumers while goals arrive. Each goal that is taken in counts as one order for
//! each role of its workflow; its order may come much later, or never. So a role is given room in rounds:
//!
//! ```text
//!  room up to the limit ──► as many orders done, its own or its workflow's ──► up to twice as much
//!        ▲                                                                             │
//!        └──────────── half the limit waits: room for what is left of it ◄─────────────┘
//! ```
//!
//! The limit is what a role works off in [`SETTLED`], and never less than a floor: what is taken in waits about
//! as long at every speed. With several orchestrators each counts its own, so the bound is as many times as loose.
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

/// How old a look may be while there is room.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How old it may be once a goal was refused.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// An order that is not on the bus this long after its goal was taken in is not soon to be, where its
/// workflow goes on; where nothing does, it may take twice as long.
const SETTLED: Duration = Duration::from_millis(250);

/// Wait of a goal for another look at it, after the first and shorter ones.
const PAUSE: Duration = Duration::from_secs(1);

/// Its first wait; the next ones are twice as long each.
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// Goals that may come back within [`PAUSE`]; with more of them the pause grows, from the first one on.
const BACK_AT_ONCE: u64 = 2_048;

/// Work that nobody has taken up for so long is not too much work: it times out, as it would without this.
const UNSERVED: Duration = Duration::from_secs(2);

/// Cheap to clone; all clones share one look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backlog(Arc<Mutex<Look>>);

#[derive(Debug, Default)]
struct Look {
    at: Option<Instant>,
    was_refused: bool,
    rooms: BTreeMap<String, Room>,
    /// Goals that the intake has out: nearly all of them wait.
    waiting: u64,
}

/// What one role may still be given in this round.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Room {
    left: u64,
    taken: u64,
    /// The roles of the workflow that it was first taken for, itself too.
    peers: Vec<String>,
    /// When the round began.
    since: Instant,
    /// Orders that the role has done in it.
    absorbed: u64,
    /// Orders that its peers have done in it.
    flowed: u64,
    /// Orders that the role had done when it was last looked at, of all time.
    done: u64,
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
        if !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_due(Instant::now()) {
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

    /// How long a goal that waits is left alone, with its deliveries so far.
    pub(crate) fn pause(&self, deliveries: u32) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pause(deliveries)
    }
}

/// Goals that the intake has out; `None` when the broker does not say.
async fn waiting(js: &async_nats::jetstream::Context) -> Option<u64> {
    let stream = js.get_stream_no_info(GOALS_STREAM).await.ok()?;
    let info = stream.consumer_info(INTAKE_CONSUMER).await.ok()?;
    u64::try_from(info.num_ack_pending).ok()
}

impl Look {
    fn is_due(&self, now: Instant) -> bool {
        let age_max = if self.was_refused { LOOK_AGAIN } else { LOOK_EVERY };
        self.at.is_none_or(|at| now.saturating_duration_since(at) >= age_max)
    }

    fn see(&mut self, queues: Vec<RoleQueue>, now: Instant) {
        let mut sums: BTreeMap<String, RoleQueue> = BTreeMap::new();
        for queue in queues {
            let sum = sums.entry(queue.role.clone()).or_insert(RoleQueue::none(&queue.role));
            sum.waiting += queue.waiting;
            sum.held += queue.held;
            sum.concurrency += queue.concurrency;
            sum.done += queue.done;
        }
        let between = self.at.map(|at| now.saturating_duration_since(at)).unwrap_or_default();
        let news = |role: &String| {
            let before = self.rooms.get(role).map(|room| room.done);
            sums.get(role).zip(before).map_or(0, |(now, before)| now.done.saturating_sub(before))
        };
        let room = |(role, queue): (&String, &RoleQueue)| {
            let room = match self.rooms.get(role) {
                Some(before) => {
                    let mut before = before.clone();
                    before.absorbed += news(role);
                    before.flowed += before.peers.iter().map(news).sum::<u64>();
                    before.after((news(role), between), queue, now)
                }
                None => Room::new(Room::floor(queue).saturating_sub(queue.waiting), queue, now),
            };
            (role.clone(), room)
        };
        self.rooms = sums.iter().map(room).collect();
        (self.at, self.was_refused) = (Some(now), false);
    }

    fn pause(&self, deliveries: u32) -> Duration {
        let rounds = u32::try_from(self.waiting / BACK_AT_ONCE).unwrap_or(u32::MAX);
        if rounds > 0 {
            return PAUSE.saturating_mul(rounds.saturating_add(1));
        }
        let doubled = PAUSE_MIN.saturating_mul(1 << deliveries.saturating_sub(1).min(8));
        doubled.min(PAUSE)
    }

    fn take<'a>(&mut self, roles: impl Iterator<Item = &'a Name> + Clone) -> Option<Name> {
        let is_full =
            |role: &&Name| self.rooms.get(role.as_str()).is_some_and(|room| room.left == 0);
        if let Some(full) = roles.clone().find(is_full) {
            self.was_refused = true;
            return Some(full.clone());
        }
        let peers = roles.clone();
        for role in roles {
            if let Some(room) = self.rooms.get_mut(role.as_str()) {
                if room.taken == 0 {
                    room.peers = peers.clone().map(Name::to_string).collect();
                }
                (room.left, room.taken) = (room.left - 1, room.taken + 1);
            }
        }
        None
    }
}

impl Room {
    fn new(left: u64, queue: &RoleQueue, now: Instant) -> Self {
        let (absorbed, flowed, done) = (0, 0, queue.done);
        Self { left, taken: 0, peers: Vec::new(), since: now, absorbed, flowed, done }
    }

    /// What may always wait.
    fn floor(queue: &RoleQueue) -> u64 {
        (queue.concurrency * ROLE_BACKLOG_TIMES).max(ROLE_BACKLOG_MIN)
    }

    /// The room after a look; `speed` is what was done in which time since the one before.
    fn after(self, (done, time): (u64, Duration), queue: &RoleQueue, now: Instant) -> Self {
        let limit = Self::floor(queue).max(in_a_while(done, time));
        let age = now.saturating_duration_since(self.since);
        let is_absorbed = self.absorbed >= self.taken;
        let free = limit.saturating_sub(queue.waiting);
        if queue.waiting > 0 && queue.held == 0 && done == 0 {
            let left = if age >= UNSERVED { u64::MAX } else { self.left };
            return Self { left, done: queue.done, ..self };
        }
        if queue.waiting > limit / 2 {
            let underway = if is_absorbed || age >= SETTLED { 0 } else { self.taken };
            return Self::new(free.saturating_sub(underway), queue, now);
        }
        if is_absorbed || (age >= SETTLED && self.flowed >= self.taken) {
            return Self::new(free.max(self.taken * 2), queue, now);
        }
        if age >= SETTLED * 2 {
            return Self::new(free, queue, now);
        }
        Self { done: queue.done, ..self }
    }
}

/// What is done in [`SETTLED`] at the speed of `done` in `time`.
fn in_a_while(done: u64, time: Duration) -> u64 {
    let speed = u128::from(done) * SETTLED.as_millis() / time.as_millis().max(1);
    u64::try_from(speed).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(role: &str, waiting: u64, done: u64) -> RoleQueue {
        RoleQueue { waiting, held: 2, concurrency: 4, done, ..RoleQueue::none(role) }
    }

    /// Goals for `role` that are taken in until one is refused.
    fn taken(look: &mut Look, role: &Name) -> u64 {
        (0..10_000).take_while(|_| look.take([role].into_iter()).is_none()).count() as u64
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
        assert!(!look.is_due(now + LOOK_AGAIN), "there was room for both");
        assert_eq!(look.take([&quick, &slow].into_iter()), Some(slow.clone()));
        assert_eq!(look.take([&quick].into_iter()), None, "others go on");
        assert!(look.is_due(now + LOOK_AGAIN), "room may be soon");
        // The two are not on the bus yet.
        look.see(vec![queue("slow", 61, 4)], now + LOOK_AGAIN);
        assert_eq!(taken(&mut look, &slow), 1);
        let unserved = || vec![RoleQueue { held: 0, ..queue("slow", 500, 4) }];
        look.see(unserved(), now + LOOK_AGAIN * 2);
        assert_eq!(look.take([&slow].into_iter()), Some(slow.clone()), "its workers may be slow");
        look.see(unserved(), now + LOOK_AGAIN + UNSERVED);
        assert_eq!(look.take([&slow].into_iter()), None, "nobody serves it: that is another thing");
        look.see(vec![queue("slow", 500, 4)], now + UNSERVED * 2);
        assert_eq!(look.take([&slow].into_iter()), Some(slow.clone()), "somebody does");
    }

    #[test]
    fn a_role_that_keeps_up_is_given_what_it_does_in_a_while() {
        let quick = Name::new("quick").unwrap();
        let (mut look, mut now) = (Look::default(), Instant::now());
        // Up to 100 in 25 ms.
        let (mut waiting, mut done) = (0, 7);
        let mut rooms = Vec::new();
        for _ in 0..6 {
            look.see(vec![queue("quick", waiting, done)], now);
            let room = taken(&mut look, &quick);
            rooms.push((waiting, room));
            let more = (waiting + room).min(100);
            (waiting, done, now) = (waiting + room - more, done + more, now + LOOK_AGAIN);
        }
        assert_eq!(rooms, [(0, 64), (0, 640), (540, 0), (440, 560), (900, 0), (800, 200)]);
        // Then it stalls.
        look.see(vec![queue("quick", waiting, done)], now);
        assert_eq!(taken(&mut look, &quick), 0);
    }

    #[test]
    fn a_role_that_is_seldom_asked_holds_nothing_up_for_long() {
        let [first, seldom] = ["first", "seldom"].map(|name| Name::new(name).unwrap());
        let (mut look, now) = (Look::default(), Instant::now());
        let mut room = |first_done: u64, after: Duration| {
            look.see(vec![queue("first", 0, first_done), queue("seldom", 0, 0)], now + after);
            let room = look.rooms["seldom"].left;
            let take = |_: &u64| look.take([&first, &seldom].into_iter()).is_none();
            (room, (0..10_000).take_while(take).count())
        };
        assert_eq!(room(0, Duration::ZERO), (64, 64));
        assert_eq!(room(64, LOOK_AGAIN), (0, 0), "its orders may be on their way");
        assert_eq!(room(64, SETTLED), (128, 64), "they are not: the workflow went on without");
        assert_eq!(room(64, SETTLED * 2), (64, 0), "nothing goes on");
        assert_eq!(room(64, SETTLED * 3), (64, 64), "it may be slow");
    }

    #[test]
    fn a_role_that_is_slow_is_given_what_it_works_off() {
        let slow = Name::new("slow").unwrap();
        let (mut look, now) = (Look::default(), Instant::now());
        look.see(vec![queue("slow", 0, 0)], now);
        assert_eq!(taken(&mut look, &slow), 64);
        look.see(vec![queue("slow", 60, 2)], now + LOOK_AGAIN);
        assert_eq!(taken(&mut look, &slow), 0);
        look.see(vec![queue("slow", 50, 12)], now + SETTLED);
        assert_eq!(taken(&mut look, &slow), 14);
        look.see(vec![queue("slow", 40, 36)], now + SETTLED * 2);
        assert_eq!(taken(&mut look, &slow), 24);
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
        let pauses = [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(|times| backlog.pause(times).as_millis());
        assert_eq!(pauses, [50, 50, 100, 200, 400, 800, 1000, 1000]);
        look(5 * BACK_AT_ONCE);
        assert_eq!(backlog.pause(1), Duration::from_secs(6));
        look(GOALS_WAITING_MAX);
        assert_eq!(take(), Some(Crowd { role: slow.clone(), may_wait: false }));
    }
}
