//! The whole of Cadre in a simulated world: one seed, one run.
//!
//! ```text
//!  people ──► World (streams, timers, faults) ◄── SimBus ◄── orchestrators, workers: the real ones
//!               │ drive: virtual time               └── one life of one process
//!               └──► facts: core's rules, and a print of the run
//! ```
//!
//! The services are the real ones, over core's ports; the broker is [`world::World`], with guards,
//! queues, pins and timers as JetStream has them. Everything runs on one thread in paused time, and
//! whatever happens by chance follows from the seed.

pub mod bus;
pub mod chance;
pub mod facts;
pub mod faults;
pub mod fleet;
pub mod history;
mod inbox;
pub mod people;
pub mod play;
pub mod ports;
pub mod queue;
pub mod runner;
mod scores;
pub mod storm;
pub mod world;

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use cadre_core::{
    ids::TaskId,
    pack::{self, PackSource},
    payload::Hash,
    workflow::Workflow,
};
use serde_json::Value;
use tokio::{runtime::Builder, time::sleep};

use self::{bus::Shared, world::World};

/// Packs by revision.
pub type PackSet = Arc<BTreeMap<String, Arc<Workflow>>>;

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// Hash of all logs and answers.
    pub print: Hash,
    /// Records.
    pub records: usize,
    /// Tasks.
    pub tasks: usize,
    /// Faults that were injected into single calls, and into processes and the broker.
    pub faults: (u64, u64),
    /// Virtual time that it took.
    pub took: Duration,
    /// How often each kind of event happened.
    pub happened: BTreeMap<String, u64>,
    /// Orders that went out once more behind their report: a write that arrives late does that.
    pub again: usize,
    /// What is wrong; empty when all is well.
    pub wrong: Vec<String>,
}

/// Runs `world` in virtual time on this thread; what is left running is dropped.
///
/// # Panics
/// When there is no runtime, or `world` panics.
pub fn run<T>(seed: u64, world: impl Future<Output = T>) -> T {
    // The jitter of pauses comes from this thread's generator.
    fastrand::seed(seed);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(world)
}

/// Compiles packs.
///
/// # Panics
/// With the problems of a pack that has some.
#[must_use]
pub fn packs(sources: &[PackSource]) -> PackSet {
    let compile = |source: &PackSource| {
        let workflow = pack::compile(source).unwrap_or_else(|errors| panic!("{errors}"));
        (workflow.revision.clone(), Arc::new(workflow))
    };
    Arc::new(sources.iter().map(compile).collect())
}

/// Waits until each of these tasks has its answer and nothing waits; false when that takes too long.
pub async fn at_rest(shared: &Shared, tasks: &[TaskId], within: Duration) -> bool {
    let is_at_rest = |world: &World| {
        let is_told = |task: &TaskId| world.answers.iter().any(|(_, told)| told.goal.task == *task);
        let is_refused = |task: &TaskId| {
            let names = |document: &Value| document["task"].as_str() == Some(task.as_str());
            !world.tasks.contains_key(task)
                && world.rejected.iter().any(|(_, document)| names(document.value()))
        };
        tasks.iter().all(|task| is_told(task) || is_refused(task))
            && world.goals.messages.is_empty()
            && world.inputs.messages.is_empty()
            && world.work.messages.is_empty()
            && world.late.is_empty()
    };
    let end = tokio::time::Instant::now() + within;
    while tokio::time::Instant::now() < end {
        if is_at_rest(&shared.world()) {
            return true;
        }
        sleep(Duration::from_millis(250)).await;
    }
    false
}
