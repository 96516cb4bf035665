//! A broker, processes of each kind, and what must hold of every task afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use cadre_core::{ids::TaskId, task::Event};
use cadre_tests::{bed::Bed, packs, process::Process, verdict};
use futures::{StreamExt as _, stream};
use serde_json::json;

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

/// Looks at a consumer before it counts as empty.
const LOOKS: usize = 40;

/// The pause between two looks at something that has no event.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The world of one test.
pub(crate) struct Arena {
    pub(crate) bed: Bed,
    pub(crate) orchestrators: Vec<Process>,
    pub(crate) workers: Vec<Process>,
}

impl Arena {
    /// Starts a broker with a pipeline on it, and so many processes.
    pub(crate) async fn new(orchestrators: usize, workers: usize) -> Self {
        let bed = Bed::new().await;
        bed.apply(&packs::pipeline("chaos", STEPS)).await;
        let mut arena = Self { bed, orchestrators: Vec::new(), workers: Vec::new() };
        for _ in 0..workers {
            let worker = arena.start("agent,aggregator").await;
            arena.workers.push(worker);
        }
        for _ in 0..orchestrators {
            let orchestrator = arena.start("orchestrator").await;
            arena.orchestrators.push(orchestrator);
        }
        arena
    }

    /// Starts one more process with these services.
    pub(crate) async fn start(&self, roles: &str) -> Process {
        let in_flight = IN_FLIGHT.to_string();
        let args = ["--role", roles, "--in-flight", &in_flight];
        Process::serve(&self.bed.server.urls().join(","), &args).await
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
        let js = &self.bed.connection.js;
        let mut answers = js.get_stream("CADRE_ANSWERS").await.expect("stream");
        let info = answers.info().await.expect("an answer of the broker");
        usize::try_from(info.state.messages).expect("few")
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
