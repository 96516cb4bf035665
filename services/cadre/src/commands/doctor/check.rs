//! One check, and the verdicts that need no I/O.

use std::{collections::BTreeMap, time::Duration};

use cadre_core::workflow::{Role, Runtime};
use cadre_nats::{
    server::Version,
    topology::{
        ANSWERS_STREAM, Action, Change, ConsumerStatus, DUE_CONSUMER, INTAKE_CONSUMER, Profile,
        Status, StreamStatus, Topology, partition_consumer, role_consumer,
    },
};
use serde::Serialize;

use crate::output::{
    Look,
    text::{count, span},
};

/// The version with every fix that we know to matter.
pub(super) const VERSION_PREFERRED: Version = Version::release(2, 15, 0);

/// Clocks further apart make deadlines mean something else on each side.
pub(super) const CLOCK_OFFSET_MAX: Duration = Duration::from_secs(2);

/// Percent of its cap at which a stream is worth a look, and at which it will soon refuse writes.
const FULL_YELLOW: u64 = 80;
const FULL_RED: u64 = 95;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it must be.
    Green,
    /// Worth a look.
    Yellow,
    /// Loses work, or stops it.
    Red,
}

impl Level {
    /// On a terminal, elsewhere, and in which colour.
    pub(super) fn shown(self) -> (&'static str, &'static str, Look) {
        match self {
            Self::Green => ("✓", "green", Look::Good),
            Self::Yellow => ("!", "yellow", Look::Warn),
            Self::Red => ("✗", "red", Look::Bad),
        }
    }
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) level: Level,
    pub(super) text: String,
    /// What to do; `None` when nothing.
    pub(super) advice: Option<String>,
}

impl Check {
    pub(super) fn green(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), level: Level::Green, text: text.into(), advice: None }
    }

    pub(super) fn yellow(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { level: Level::Yellow, ..Self::green(name, text) }
    }

    pub(super) fn red(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { level: Level::Red, ..Self::green(name, text) }
    }

    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}

/// The broker's version; one that is too old does not even get a connection.
pub(super) fn version(found: Version) -> Check {
    if found >= VERSION_PREFERRED {
        return Check::green("version", format!("nats-server {found}"));
    }
    Check::yellow("version", format!("nats-server {found} works"))
        .advise(format!("upgrade to {VERSION_PREFERRED} or newer when convenient"))
}

/// Copies of each stream.
pub(super) fn replicas(topology: &Topology) -> Check {
    let text = format!(
        "{} of each stream",
        count(topology.replicas.into(), "copy").replace("copys", "copies")
    );
    let advice = "on a cluster: cadre bus apply --replicas 3";
    match (topology.replicas, topology.profile) {
        (2.., _) => Check::green("replicas", text),
        (_, Profile::Dev) => Check::yellow(
            "replicas",
            format!("{text}: a lost disk loses its tasks; fine for development"),
        ),
        (_, Profile::Prod) => {
            Check::red("replicas", format!("{text}: a lost disk loses its tasks")).advise(advice)
        }
    }
}

/// When the broker syncs, as its monitoring port says.
pub(super) fn sync(is_always: bool, interval: &str, replicas: u8) -> Check {
    if is_always {
        return Check::green("sync", "every write is on disk before it is acknowledged");
    }
    let text = format!("writes are synced every {interval}");
    if replicas > 1 {
        return Check::yellow(
            "sync",
            format!("{text}: survives the loss of one machine, not of power for all"),
        )
        .advise("set jetstream { sync_interval: always } in production");
    }
    Check::yellow("sync", format!("{text}: a power failure can lose acknowledged writes"))
        .advise("set jetstream { sync_interval: always } in production")
}

/// What differs from the declarations.
pub(super) fn declared(changes: &[Change]) -> Check {
    let (foreign, ours): (Vec<_>, Vec<_>) =
        changes.iter().partition(|change| change.action == Action::Unmanaged);
    if let Some(first) = ours.first() {
        let more = ours.len() - 1;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        return Check::red("streams", format!("not as declared: {first}{more}"))
            .advise("cadre bus diff, then cadre bus apply");
    }
    if let Some(first) = foreign.first() {
        let text = format!("as declared, but somebody set more by hand: {}", first.resource);
        return Check::yellow("streams", text).advise("cadre bus diff");
    }
    Check::green("streams", "streams, consumers and buckets are as declared")
}

/// How far this machine's clock is from the broker's; `uncertain` is half of the round trip.
pub(super) fn clock(offset: Duration, uncertain: Duration) -> Check {
    let text = format!("{} from the broker's (+/- {})", span(offset), span(uncertain));
    if offset.saturating_sub(uncertain) > CLOCK_OFFSET_MAX {
        return Check::red("clock", text)
            .advise("let NTP set the clocks of this machine and the broker's");
    }
    if offset.saturating_sub(uncertain) > CLOCK_OFFSET_MAX / 4 {
        return Check::yellow("clock", text).advise("look at NTP on this machine and the broker's");
    }
    Check::green("clock", text)
}

/// Streams near their cap.
pub(super) fn space(status: &Status) -> Check {
    // Answers give way to newer ones: a full stream of them is no trouble.
    let caps = status.streams.iter().filter(|stream| stream.name != ANSWERS_STREAM);
    let streams =
        caps.map(|StreamStatus { name, bytes, max_bytes, .. }| (name, *bytes, *max_bytes));
    let buckets =
        status.buckets.iter().map(|bucket| (&bucket.name, bucket.bytes, bucket.max_bytes));
    let fullest = streams
        .chain(buckets)
        .filter_map(|(name, bytes, max)| Some((bytes.saturating_mul(100).checked_div(max?)?, name)))
        .max();
    let Some((percent, name)) = fullest else {
        return Check::green("space", "no stream has a cap");
    };
    let text = format!("the fullest stream is {name} with {percent}%");
    let advice = "cadre bus apply --profile prod, or take old tasks away";
    match percent {
        FULL_RED.. => {
            Check::red("space", format!("{text}: it will soon refuse writes")).advise(advice)
        }
        FULL_YELLOW.. => Check::yellow("space", text).advise(advice),
        _ => Check::green("space", text),
    }
}

/// Whether goals are taken in, timers are forwarded, and every partition has an owner.
pub(super) fn orchestrator(topology: &Topology, consumers: &[ConsumerStatus]) -> Check {
    let orphans: Vec<_> = topology
        .partitions
        .all()
        .filter(|partition| {
            let name = partition_consumer(*partition);
            let found = consumers.iter().find(|consumer| consumer.name == name);
            // Not its pin: a partition that never had an input has none yet.
            !found.is_some_and(Served::is_served)
        })
        .collect();
    let count_all = count(topology.partitions.count().into(), "partition");
    for (name, what) in [(INTAKE_CONSUMER, "takes goals in"), (DUE_CONSUMER, "forwards timers")] {
        let mut found = consumers.iter().filter(|consumer| consumer.name == name).peekable();
        if found.peek().is_none() || found.any(|consumer| !consumer.is_served()) {
            return Check::red("orchestrator", format!("nobody {what} (consumer {name})"))
                .advise("cadre serve --role orchestrator");
        }
    }
    if orphans.is_empty() {
        return Check::green("orchestrator", format!("{count_all}, each with an owner"));
    }
    let text = format!("{} of {count_all} have no owner: their tasks stand still", orphans.len());
    Check::red("orchestrator", text).advise("cadre serve --role orchestrator")
}

/// Whether somebody serves a consumer.
trait Served {
    fn is_served(&self) -> bool;
}

impl Served for ConsumerStatus {
    /// A puller waits, or messages are out with one.
    fn is_served(&self) -> bool {
        self.waiting > 0 || self.ack_pending > 0
    }
}

/// Whether a role has its consumers and somebody who works.
pub(super) fn role(role: &Role, topology: &Topology, consumers: &[ConsumerStatus]) -> Check {
    let name = format!("role {}", role.name);
    let serve = match role.runtime {
        Runtime::Rules | Runtime::Echo | Runtime::Script | Runtime::Model => {
            format!("cadre serve --role agent --agents {}", role.name)
        }
        Runtime::Remote => format!("start a worker for {}; see proto/README.md", role.name),
    };
    served(&name, &role_consumer(&role.name), (topology, consumers), &serve)
}

/// Whether the final gate is at work.
pub(super) fn aggregator(topology: &Topology, consumers: &[ConsumerStatus]) -> Check {
    served("aggregator", "role-aggregate", (topology, consumers), "cadre serve --role aggregator")
}

fn served(
    name: &str,
    consumer: &str,
    (topology, consumers): (&Topology, &[ConsumerStatus]),
    serve: &str,
) -> Check {
    let found: Vec<_> = consumers.iter().filter(|one| one.name == consumer).collect();
    if found.len() < usize::from(topology.shards) {
        let text = format!("consumer {consumer} is missing");
        return Check::red(name, text).advise("apply its pack again: cadre pack apply DIR");
    }
    let idle: Vec<_> = found.iter().filter(|one| !one.is_served()).collect();
    let pending: u64 = idle.iter().map(|one| one.pending).sum();
    if idle.is_empty() {
        let waiting: u64 = found.iter().map(|one| one.waiting).sum();
        return Check::green(name, format!("served, {} waiting", count(waiting, "pull")));
    }
    if pending > 0 {
        let text = format!("nobody serves it, and {} waiting", count(pending, "work order"));
        return Check::red(name, text).advise(serve);
    }
    Check::yellow(name, "nobody serves it").advise(serve)
}

/// Whether workers that take longer than the broker waits say so in time.
pub(super) fn patience<'a>(
    ack_wait: Duration,
    heartbeat: Duration,
    roles: impl Iterator<Item = &'a Role>,
) -> Check {
    let wait = format!("an order goes to another worker after {} of silence", span(ack_wait));
    if heartbeat.saturating_mul(2) > ack_wait {
        let text = format!("{wait}, and workers speak only every {}", span(heartbeat));
        return Check::red("ack wait", text).advise("this build is broken: report it");
    }
    let long: BTreeMap<_, _> = roles
        .filter(|role| role.runtime == Runtime::Remote && role.timeout > ack_wait)
        .map(|role| (role.name.to_string(), role.timeout))
        .collect();
    if long.is_empty() {
        return Check::green(
            "ack wait",
            format!("{wait}; workers speak every {}", span(heartbeat)),
        );
    }
    let names: Vec<_> =
        long.iter().map(|(name, timeout)| format!("{name} ({})", span(*timeout))).collect();
    Check::yellow(
        "ack wait",
        format!("{wait}, and remote roles may take longer: {}", names.join(", ")),
    )
    .advise(format!("make their workers send in-progress every {}", span(ack_wait / 3)))
}

#[cfg(test)]
mod tests {
    use cadre_core::ids::Partitions;

    use super::*;

    fn consumer(name: &str, pending: u64, waiting: u64) -> ConsumerStatus {
        ConsumerStatus {
            stream: "CADRE_WORK_0".to_owned(),
            name: name.to_owned(),
            role: None,
            pending,
            ack_pending: 0,
            max_ack_pending: 1,
            redelivered: 0,
            waiting,
            delivered: 0,
            settled: 0,
            oldest: None,
            pinned: None,
        }
    }

    fn stream(name: &str, bytes: u64) -> StreamStatus {
        let (name, max_bytes) = (name.to_owned(), Some(100));
        StreamStatus { name, messages: 1, bytes, max_bytes, first_age: None, last_age: None }
    }

    #[test]
    fn old_servers_are_yellow() {
        assert_eq!(version(Version::release(2, 15, 1)).level, Level::Green);
        assert_eq!(version(Version::release(2, 14, 5)).level, Level::Yellow);
    }

    #[test]
    fn one_copy_is_red_only_in_production() {
        let dev = Topology::dev(Partitions::new(1));
        assert_eq!(replicas(&dev).level, Level::Yellow);
        assert_eq!(replicas(&Topology { profile: Profile::Prod, ..dev }).level, Level::Red);
        let three = Topology { profile: Profile::Prod, replicas: 3, ..dev };
        assert_eq!(replicas(&three), Check::green("replicas", "3 copies of each stream"));
    }

    #[test]
    fn clocks_may_be_two_seconds_apart_beyond_what_is_uncertain() {
        let level = |offset, uncertain| {
            clock(Duration::from_millis(offset), Duration::from_millis(uncertain)).level
        };
        assert_eq!(level(10, 1), Level::Green);
        assert_eq!(level(700, 1), Level::Yellow);
        assert_eq!(level(2_002, 1), Level::Red);
        assert_eq!(level(2_002, 1_900), Level::Green);
    }

    #[test]
    fn the_fullest_stream_counts_and_answers_do_not() {
        let level = |bytes, answers| {
            let streams = vec![stream("CADRE_LOG_0", bytes), stream(ANSWERS_STREAM, answers)];
            space(&Status { streams, consumers: Vec::new(), buckets: Vec::new() }).level
        };
        assert_eq!(level(10, 100), Level::Green);
        assert_eq!(level(80, 0), Level::Yellow);
        assert_eq!(level(95, 0), Level::Red);
    }

    #[test]
    fn a_role_that_nobody_serves_is_red_when_work_waits() {
        let topology = Topology::dev(Partitions::new(1));
        let level = |consumers: &[ConsumerStatus]| aggregator(&topology, consumers).level;
        assert_eq!(level(&[]), Level::Red);
        assert_eq!(level(&[consumer("role-aggregate", 0, 0)]), Level::Yellow);
        assert_eq!(level(&[consumer("role-aggregate", 3, 0)]), Level::Red);
        assert_eq!(level(&[consumer("role-aggregate", 3, 1)]), Level::Green);
    }

    #[test]
    fn an_orchestrator_that_is_not_whole_is_red() {
        let topology = Topology::dev(Partitions::new(1));
        let level = |waiting: [u64; 3]| {
            let names = ["intake", "due", "p0"].into_iter().zip(waiting);
            let consumers: Vec<_> =
                names.map(|(name, waiting)| consumer(name, 0, waiting)).collect();
            orchestrator(&topology, &consumers).level
        };
        assert_eq!(level([1, 1, 1]), Level::Green);
        for waiting in [[0, 1, 1], [1, 0, 1], [1, 1, 0]] {
            assert_eq!(level(waiting), Level::Red, "{waiting:?}");
        }
        assert_eq!(orchestrator(&topology, &[]).level, Level::Red);
    }

    #[test]
    fn workers_must_speak_twice_before_they_are_given_up() {
        let level = |heartbeat| {
            patience(Duration::from_secs(2), Duration::from_millis(heartbeat), std::iter::empty())
                .level
        };
        assert_eq!(level(600), Level::Green);
        assert_eq!(level(1_500), Level::Red);
    }

    #[test]
    fn syncing_always_is_green() {
        assert_eq!(sync(true, "", 1).level, Level::Green);
        assert_eq!(sync(false, "2 min", 3).level, Level::Yellow);
    }
}
