//! The storm over a cluster of three: leaders are killed, nodes freeze, cables are pulled, disks are
//! full, everything restarts, and the processes die as before. `make chaos SECONDS=600`.
//!
//! One fault at a time: two nodes of three must be well, or there is nothing to hope for. After
//! each it waits until tasks end again. Full disks and nodes without clients need [`Rooms`]; cables between nodes
//! are [`Cables`] where there are none.

use std::time::Duration;

use cadre_nats::server::{Replicas, SyncMode};
use cadre_tests::{
    bed::Bed,
    cables::Cables,
    process::Process,
    rooms::{Cable, Rooms},
    seed::Seed,
};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use crate::{
    arena::Arena,
    seeded::freeze,
    storm::{Fault, Over, Storm, Weather, now_ms},
};

/// From one goal to the next: three brokers that sync each write share the machine.
const GOAL_EVERY: Duration = Duration::from_millis(150);

/// A step of a bad worker takes three timeouts, an election up to ten seconds, and machines are slow.
const PATIENCE: Duration = Duration::from_secs(180);

/// The pause after everything works again, at least and beyond that at most.
const PAUSE_MS: (u64, u64) = (500, 2_500);

/// How long a broken thing stays broken, at least and beyond that at most.
const LASTS_MS: (u64, u64) = (500, 9_500);

/// How long the suite's own storm lasts: an election, and something before and behind it.
const SMOKE_SECONDS: u64 = 4;

/// A cable stays out so many times as long.
const CUT_LASTS: u32 = 3;

/// The longest time that no task may end in after a fault: far above what any election takes.
const STUCK: Duration = Duration::from_secs(90);

/// The disk of each node, and what it gets for each second of the storm.
const DISK_MIB: (u64, u64) = (128, 1);

/// How it is looked at something that has no event.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Streams whose leader's death hurts.
const STREAMS: [&str; 5] =
    ["CADRE_LOG_0", "CADRE_IN_0", "CADRE_WORK_0", "CADRE_GOALS", "CADRE_TIMER_0"];

/// What each process does; the first ones own partitions.
const ORCHESTRATORS: usize = 2;
const WORKERS: [&str; 4] = ["agent", "agent", "aggregator", "aggregator"];

/// What an orchestrator says when an append without an answer turned out to be stored.
const UNCLEAR: &str = "record without an answer was found in the log";

/// How often each fault comes: as many times as it stands here, of all. The seed draws from it.
const FAULTS: [Blow; 22] = [
    Blow::KillLeader,
    Blow::KillLeader,
    Blow::KillLeader,
    Blow::KillLeader,
    Blow::KillNode,
    Blow::KillNode,
    Blow::FreezeLeader,
    Blow::FreezeLeader,
    Blow::FreezeNode,
    Blow::CutRoutes,
    Blow::CutRoutes,
    Blow::CutOff,
    Blow::CutOff,
    Blow::FillDisk,
    Blow::FillDisk,
    Blow::RestartAll,
    Blow::KillOrchestrator,
    Blow::KillOrchestrator,
    Blow::FreezeOrchestrator,
    Blow::KillWorker,
    Blow::KillWorker,
    Blow::FreezeWorker,
];

#[derive(Debug, Clone, Copy)]
enum Blow {
    KillLeader,
    KillNode,
    FreezeLeader,
    FreezeNode,
    CutRoutes,
    CutOff,
    FillDisk,
    RestartAll,
    KillOrchestrator,
    FreezeOrchestrator,
    KillWorker,
    FreezeWorker,
}

struct Cluster {
    arena: Arena,
    rooms: Option<Rooms>,
    /// Between the nodes, where there are no rooms.
    cables: Option<Cables>,
    seed: Seed,
    /// Appends of killed orchestrators whose fate was unclear.
    unclear: usize,
}

/// As short as it can be in the suite: one leader, killed in the middle. What breaks else is `make chaos`'s.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_of_three_loses_nothing() {
    let weather = Weather {
        seed: Seed::or(0),
        seconds: SMOKE_SECONDS,
        goal_every: GOAL_EVERY,
        patience: PATIENCE,
    };
    let bed = Bed::with(|options| options.replicas = Replicas::Three).await;
    let arena = Arena::on(bed, 1, &["agent,aggregator"]).await;
    let mut cluster = Cluster { arena, rooms: None, cables: None, seed: weather.seed, unclear: 0 };
    let storm = Storm::begin(&cluster.arena, weather).await;
    sleep(Duration::from_secs(1)).await;
    let fault = Fault { name: "leader killed", at_ms: now_ms() };
    let node = cluster.leader(0).await.expect("a leader");
    cluster.kill_node(node, Duration::ZERO).await;
    let over = storm.end(&cluster.arena).await;
    over.tell(&[fault]);
}

/// Runs it, and prints what was seen.
pub(crate) async fn storm(seed: Seed, seconds: u64) {
    let weather = Weather { seed, seconds, goal_every: GOAL_EVERY, patience: PATIENCE };
    let (least, each) = DISK_MIB;
    let rooms = Rooms::build(Replicas::Three.count(), least + each * seconds);
    if rooms.is_none() {
        eprintln!(
            "chaos: no namespaces here: cables between nodes are proxies, none to a client is pulled and \
             no disk is full (see `make chaos`)"
        );
    }
    let mut cluster = Cluster::new(weather, rooms).await;
    let storm = Storm::begin(&cluster.arena, weather).await;
    let mut faults = Vec::new();
    let mut number = 0;
    while storm.until > Instant::now() {
        faults.extend(cluster.fault(number, storm.until).await);
        number += 1;
        let (least, more) = PAUSE_MS;
        sleep(Duration::from_millis(least + seed.below(more, &format!("pause {number}")))).await;
    }
    let over = storm.end(&cluster.arena).await;
    over.tell(&faults);
    for process in &cluster.arena.orchestrators {
        cluster.unclear += unclear(process);
    }
    eprintln!("chaos: {} appends without an answer were found in the log", cluster.unclear);
    over.tell_recovery(&faults, ("until any task ended", Over::until_first_end));
    let whole = ("until a goal published afterwards was answered", Over::until_whole_life);
    over.tell_recovery(&faults, whole);
}

impl Cluster {
    async fn new(weather: Weather, rooms: Option<Rooms>) -> Self {
        let cables = rooms.is_none().then(|| Cables::lay(Replicas::Three.count()));
        let bed = Bed::with(|options| {
            options.replicas = Replicas::Three;
            options.sync = SyncMode::Always;
            options.healthy_within = Some(STUCK);
            if let Some(rooms) = &rooms {
                rooms.settle(options);
            }
            if let Some(cables) = &cables {
                cables.settle(options);
            }
        });
        let arena = Arena::on(bed.await, ORCHESTRATORS, &WORKERS).await;
        Self { arena, rooms, cables, seed: weather.seed, unclear: 0 }
    }

    /// Breaks something, mends it, and waits until tasks end again, or nothing new is published any more;
    /// `None` for what cannot be done here.
    async fn fault(&mut self, number: u64, until: Instant) -> Option<Fault> {
        let drawn = self.below(FAULTS.len(), &format!("fault {number}"));
        let (least, more) = LASTS_MS;
        let lasts = least + self.seed.below(more, &format!("lasts {number}"));
        let at_ms = now_ms();
        let name = self.blow(FAULTS[drawn], Duration::from_millis(lasts), number).await?;
        let answered = self.arena.answered().await;
        let mended = Instant::now();
        eprintln!("chaos: {name} at {at_ms}, mended {} ms later", now_ms() - at_ms);
        while until > Instant::now() && self.arena.answered().await == answered {
            if mended.elapsed() > STUCK {
                self.arena.tell_left().await;
                panic!("no task ended for {STUCK:?} after: {name}; seed {}", self.seed);
            }
            sleep(LOOK_EVERY).await;
        }
        Some(Fault { name, at_ms })
    }

    async fn blow(&mut self, blow: Blow, lasts: Duration, number: u64) -> Option<&'static str> {
        let node = self.below(Replicas::Three.count(), &format!("node {number}"));
        match blow {
            Blow::KillLeader => {
                let node = self.leader(number).await.unwrap_or(node);
                self.kill_node(node, lasts).await;
                Some("leader killed")
            }
            Blow::KillNode => {
                self.kill_node(node, lasts).await;
                Some("node killed")
            }
            Blow::FreezeLeader => {
                let node = self.leader(number).await.unwrap_or(node);
                self.freeze_node(node, lasts).await;
                Some("leader frozen")
            }
            Blow::FreezeNode => {
                self.freeze_node(node, lasts).await;
                Some("node frozen")
            }
            Blow::CutRoutes => {
                let node = self.leader(number).await.unwrap_or(node);
                self.cut(node, &[Cable::Routes], lasts).await?;
                Some("leader cut off from the other nodes")
            }
            Blow::CutOff => {
                self.cut(node, &[Cable::Routes, Cable::Clients], lasts).await?;
                Some("node cut off from everything")
            }
            Blow::FillDisk => {
                let node = self.leader(number).await.unwrap_or(node);
                self.fill_disk(node, lasts).await?;
                Some("leader's disk full")
            }
            Blow::RestartAll => {
                self.arena.bed.server.kill().await.expect("killed");
                self.arena.bed.server.restart().await.expect("restarted");
                Some("whole cluster killed")
            }
            Blow::KillOrchestrator => {
                self.kill_orchestrator(number).await;
                Some("orchestrator killed")
            }
            Blow::FreezeOrchestrator => {
                let index = self.below(ORCHESTRATORS, &format!("who {number}"));
                freeze(&self.arena.orchestrators[index], lasts).await;
                Some("orchestrator frozen")
            }
            Blow::KillWorker => {
                self.kill_worker(number).await;
                Some("worker killed")
            }
            Blow::FreezeWorker => {
                let index = self.below(WORKERS.len(), &format!("who {number}"));
                freeze(&self.arena.workers[index], lasts).await;
                Some("worker frozen")
            }
        }
    }

    async fn kill_orchestrator(&mut self, number: u64) {
        let index = self.below(ORCHESTRATORS, &format!("who {number}"));
        self.unclear += unclear(&self.arena.orchestrators[index]);
        self.arena.orchestrators[index].kill().await;
        self.arena.orchestrators[index] = self.arena.start("orchestrator").await;
    }

    async fn kill_worker(&mut self, number: u64) {
        let index = self.below(WORKERS.len(), &format!("who {number}"));
        self.arena.workers[index].kill().await;
        self.arena.workers[index] = self.arena.start(WORKERS[index]).await;
    }

    async fn kill_node(&mut self, node: usize, lasts: Duration) {
        self.arena.bed.server.kill_node(node).await.expect("killed");
        sleep(lasts).await;
        self.arena.bed.server.restart_node(node).await.expect("restarted");
    }

    async fn freeze_node(&self, node: usize, lasts: Duration) {
        let nodes = self.arena.bed.server.nodes();
        let pid = nodes[node].pid.expect("it runs").to_string();
        for (signal, then) in [("-STOP", lasts), ("-CONT", Duration::ZERO)] {
            let status = Command::new("kill").args([signal, &pid]).status().await;
            assert!(status.expect("kill runs").success(), "kill {signal} {pid}");
            sleep(then).await;
        }
    }

    async fn cut(&self, node: usize, cables: &[Cable], lasts: Duration) -> Option<()> {
        if let (Some(proxies), [Cable::Routes]) = (&self.cables, cables) {
            proxies.pull(node);
            sleep(lasts * CUT_LASTS).await;
            proxies.plug(node);
            return Some(());
        }
        let rooms = self.rooms.as_ref()?;
        for cable in cables {
            rooms.pull(node, *cable);
        }
        // Long enough that clients of the lonely node must find out by themselves.
        sleep(lasts * CUT_LASTS).await;
        for cable in cables {
            rooms.plug(node, *cable);
        }
        Some(())
    }

    /// A server that could not write does not use its disk again: somebody frees it and restarts it.
    async fn fill_disk(&mut self, node: usize, lasts: Duration) -> Option<()> {
        let rooms = self.rooms.as_ref()?;
        rooms.fill(node);
        sleep(lasts).await;
        rooms.free(node);
        self.arena.bed.server.kill_node(node).await.expect("killed");
        self.arena.bed.server.restart_node(node).await.expect("restarted");
        Some(())
    }

    /// The node that leads one of the streams; `None` when nobody knows.
    async fn leader(&self, number: u64) -> Option<usize> {
        let stream = STREAMS[self.below(STREAMS.len(), &format!("stream {number}"))];
        let stream = self.arena.bed.connection.js.get_stream(stream).await.ok()?;
        let leader = stream.cached_info().cluster.as_ref()?.leader.clone()?;
        self.arena.bed.server.nodes().iter().position(|node| node.name == leader)
    }

    fn below(&self, end: usize, choice: &str) -> usize {
        let end = u64::try_from(end).expect("few");
        usize::try_from(self.seed.below(end, choice)).expect("few")
    }
}

fn unclear(orchestrator: &Process) -> usize {
    orchestrator.lines().iter().filter(|line| line.contains(UNCLEAR)).count()
}
