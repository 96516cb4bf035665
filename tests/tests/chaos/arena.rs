//! A broker, processes of each kind, and what must hold of every task afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use cadre_core::{
    ids::TaskId,
    task::{Event, Task},
};
use cadre_nats::tail::{Begin, TailOptions, tail};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    packs, plain,
    process::Process,
    verdict,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tokio::time::timeout;

/// Tasks of each test.
pub(crate) const TASKS: usize = 200;

/// Answers after which somebody is killed: everything else is under way then.
pub(crate) const FIRST: usize = 20;

/// Goals published while a process is frozen.
pub(crate) const ROUND: usize = 20;

/// Steps of each task.
const STEPS: usize = 4;

/// Orders or inputs that one process holds at once.
const IN_FLIGHT: usize = 64;

/// Times that a process is started before it counts as broken.
const STARTS_MAX: usize = 4;

/// Looks at a consumer before it counts as empty.
const LOOKS: usize = 40;

/// The pause between two looks at something that has no event.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What is acknowledged is gone from them.
pub(crate) const QUEUES: [&str; 3] = ["CADRE_GOALS", "CADRE_IN_0", "CADRE_WORK_0"];

/// The world of one test.
pub(crate) struct Arena {
    pub(crate) bed: Bed,
    pub(crate) orchestrators: Vec<Process>,
    pub(crate) workers: Vec<Process>,
}

impl Arena {
    /// Starts a broker with a pipeline on it, and so many processes.
    pub(crate) async fn new(orchestrators: usize, workers: usize) -> Self {
        let workers = vec!["agent,aggregator"; workers];
        Self::on(Bed::new().await, orchestrators, &workers).await
    }

    /// The same on a broker that is there, with one worker for each of these sets of services.
    pub(crate) async fn on(bed: Bed, orchestrators: usize, workers: &[&str]) -> Self {
        bed.apply(&packs::pipeline("chaos", STEPS)).await;
        let mut arena = Self { bed, orchestrators: Vec::new(), workers: Vec::new() };
        for roles in workers {
            let worker = arena.start(roles).await;
            arena.workers.push(worker);
        }
        for _ in 0..orchestrators {
            let orchestrator = arena.start("orchestrator").await;
            arena.orchestrators.push(orchestrator);
        }
        arena
    }

    /// Starts one more process with these services. As its supervisor would, it starts one that gave up
    /// again: a cluster may be without a leader for longer than a process waits to be ready.
    pub(crate) async fn start(&self, roles: &str) -> Process {
        self.start_with(roles, &[]).await
    }

    /// The same with more arguments.
    pub(crate) async fn start_with(&self, roles: &str, more: &[&str]) -> Process {
        let (in_flight, url) = (IN_FLIGHT.to_string(), self.bed.server.urls().join(","));
        let args = [&["--role", roles, "--in-flight", &in_flight], more].concat();
        // What the cluster's storm counts, and who lets go of a partition.
        let variables = [("CADRE_LOG", "warn,cadre_nats::log=info,cadre_nats::pull=info")];
        for _ in 1..STARTS_MAX {
            match Process::try_serve(&url, &args, &variables).await {
                Ok(process) => return process,
                Err(process) => eprintln!("chaos: started again: {:?}", process.lines()),
            }
        }
        Process::serve_with(&url, &args, &variables).await
    }

    /// Publishes goals; returns when the broker has confirmed each.
    pub(crate) async fn publish(&self, keys: std::ops::Range<usize>) -> Vec<TaskId> {
        let publish = |number: usize| async move {
            let (key, body) = (format!("goal-{number}"), json!({ "number": number }));
            self.bed.publish("chaos", &key, &body).await
        };
        stream::iter(keys).map(publish).buffered(64).collect().await
    }

    /// Answers stored until now.
    pub(crate) async fn answered(&self) -> usize {
        self.messages("CADRE_ANSWERS").await
    }

    /// Messages in a stream; asks until its leader answers.
    pub(crate) async fn messages(&self, stream: &str) -> usize {
        let js = &self.bed.connection.js;
        let ask = async {
            let mut look = tokio::time::interval(LOOK_EVERY);
            loop {
                look.tick().await;
                if let Ok(stream) = js.get_stream(stream).await {
                    break stream.cached_info().state.messages;
                }
            }
        };
        let messages = timeout(PATIENCE, ask).await.expect("an answer of the broker");
        usize::try_from(messages).expect("few")
    }

    /// Publishes every goal, and kills `victim` as soon as the first tasks have ended: then most
    /// are under way, and some goals perhaps not yet published.
    pub(crate) async fn kill_in_the_middle(&self, mut victim: Process) -> (Vec<TaskId>, Instant) {
        let kill = async {
            self.bed.answers(FIRST).await;
            victim.kill().await;
            let killed = Instant::now();
            self.is_in_the_middle().await;
            killed
        };
        tokio::join!(self.publish(0..TASKS), kill)
    }

    /// Something is still under way, or the test would prove nothing.
    pub(crate) async fn is_in_the_middle(&self) {
        let answered = self.answered().await;
        eprintln!("{answered} of {TASKS} tasks had ended by then");
        assert!(answered < TASKS, "all {answered} tasks had ended before");
    }

    /// Whether messages of a consumer are in somebody's hands, now or in a moment.
    pub(crate) async fn holds(&self, stream: &str, consumer: &str) -> bool {
        let stream = self.bed.connection.js.get_stream(stream).await.expect("stream");
        let mut look = tokio::time::interval(LOOK_EVERY);
        for _ in 0..LOOKS {
            look.tick().await;
            let info = stream.consumer_info(consumer).await.expect("consumer");
            if info.num_ack_pending > 0 {
                return true;
            }
        }
        false
    }

    /// Waits until every task has ended, and tells how long that took since `event`.
    pub(crate) async fn finish(&self, tasks: &[TaskId], (event, since): (&str, Instant)) {
        self.all_answered(tasks, PATIENCE).await;
        let answers = self.bed.answers(tasks.len()).await;
        eprintln!("{event}: all {} tasks had ended {:?} later", tasks.len(), since.elapsed());
        let answered: BTreeSet<_> =
            answers.iter().map(|answer| answer["task"].as_str().expect("a task")).collect();
        let expected: BTreeSet<_> = tasks.iter().map(TaskId::as_str).collect();
        assert_eq!(answered, expected);
        assert_eq!(self.answered().await, tasks.len(), "one answer for each task");
        for answer in &answers {
            assert_eq!(answer["status"], "completed", "{answer}");
        }
        stream::iter(tasks).for_each_concurrent(32, |task| self.check_log(task)).await;
        let verdict = verdict::is_clean_at_rest(&self.bed, tasks).await;
        eprintln!("0 violations in {:?}", verdict.counts);
    }

    /// Waits for the last answer; says of what is open why it is.
    pub(crate) async fn all_answered(&self, tasks: &[TaskId], patience: Duration) {
        let look = async {
            let mut look = tokio::time::interval(LOOK_EVERY);
            while self.answered().await < tasks.len() {
                look.tick().await;
            }
        };
        if timeout(patience, look).await.is_ok() {
            return;
        }
        let answered = self.answer_times().await;
        for id in tasks.iter().filter(|task| !answered.contains_key(task.as_str())) {
            let loaded = self.bed.bus.read_log(id).await.expect("a whole log");
            let task = Task::replay(&loaded.records);
            eprintln!(
                "open {id}: {:#?}",
                task.map(|task| (task.wake_at(), task.phase, task.steps))
            );
        }
        self.tell_left().await;
        panic!("{} of {} goals were answered", answered.len(), tasks.len());
    }

    /// Prints what is left in the queues, and where their consumers stand.
    pub(crate) async fn tell_left(&self) {
        for name in QUEUES {
            plain::left(&self.bed, name).await;
        }
    }

    /// When the broker stored each answer, by task.
    pub(crate) async fn answer_times(&self) -> BTreeMap<String, u64> {
        let streams = self.bed.bus.streams();
        let options = TailOptions {
            filter: Some("answers.>".to_owned()),
            from: Begin::All,
            follow: false,
            headers_only: true,
        };
        let items = tail(&streams.js, &streams.topology, &options).await.expect("answers");
        let read = items.map_ok(|item| {
            let task = item.subject.rsplit('.').next().unwrap_or_default().to_owned();
            (task, item.at.0)
        });
        timeout(PATIENCE, read.try_collect()).await.expect("in time").expect("readable answers")
    }

    /// The log is whole: reading it checks the hash chain; each step was dispatched and accepted once.
    async fn check_log(&self, task: &TaskId) {
        let loaded = self.bed.bus.read_log(task).await.expect("a whole log");
        let revs: Vec<_> = loaded.records.iter().map(|record| record.rev).collect();
        let dense: Vec<_> = (1..).take(revs.len()).collect();
        assert_eq!(revs, dense, "{task}");
        let (mut dispatched, mut completed) = (BTreeMap::new(), BTreeMap::new());
        let (mut accepted, mut ended) = (0, 0);
        for event in loaded.records.iter().flat_map(|record| &record.events) {
            match event {
                Event::Accepted { .. } => accepted += 1,
                Event::StepDispatched { step, .. } => {
                    *dispatched.entry(step.to_string()).or_insert(0) += 1;
                }
                Event::StepCompleted { step, .. } => {
                    *completed.entry(step.to_string()).or_insert(0) += 1;
                }
                Event::Ended { .. } => ended += 1,
                other @ (Event::Expanded { .. }
                | Event::CrewBegan { .. }
                | Event::HandedOff { .. }
                | Event::LoopFound { .. }
                | Event::StepFailed { .. }
                | Event::StepSkipped { .. }
                | Event::StepWaiting { .. }
                | Event::LimitReached { .. }
                | Event::StepDelayed { .. }
                | Event::Voted { .. }
                | Event::CallRuled { .. }
                | Event::BudgetNear { .. }
                | Event::BudgetAdded { .. }
                | Event::Paused { .. }
                | Event::Resumed { .. }
                | Event::Compensating { .. }
                | Event::Joined { .. }
                | Event::Retried { .. }
                | Event::TakenOver { .. }
                | Event::Forked { .. }
                | Event::Refused { .. }) => {
                    panic!("{task}: nothing else may happen here, but {other:?} did")
                }
            }
        }
        let steps = (1..=STEPS).map(|index| (format!("s{index}"), 1));
        let mut once: BTreeMap<_, _> = steps.collect();
        assert_eq!((accepted, ended), (1, 1), "{task}");
        assert_eq!(completed, once, "{task}");
        once.insert("aggregate".to_owned(), 1);
        assert_eq!(dispatched, once, "{task}");
    }
}
