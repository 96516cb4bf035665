//! One worker of `cadre demo chaos`: plays every role of the pack in the real worker's shell.
//!
//! A call waits as a model would, then repeats its input. While a certain file exists, the role
//! that is broken on purpose reports `unavailable`. Each call is told on standard output, so that
//! whoever breaks things knows who holds what, and can count.

use std::{path::PathBuf, sync::Arc, time::Duration};

use cadre_core::{
    task::{Failure, FailureKind, Outcome},
    workflow::Workflow,
};
use cadre_nats::bus::JetStreamBus;
use cadre_runtime::{
    shutdown::Shutdown,
    supervise::{self, Supervisor},
    worker::{Ran, Step, StepRunner, Worker, WorkerOptions},
};
use clap::Args;

use super::call::{Call, CallKind};
use crate::{broker, commands::client::unavailable, output, settings::Settings};

/// The roles of the pack.
pub(super) const ROLES: [&str; 3] = ["reader", BROKEN_ROLE, "weigher-spare"];

/// The one that is broken on purpose.
pub(super) const BROKEN_ROLE: &str = "weigher";

/// How long a call takes.
const CALL: Duration = Duration::from_millis(350);

/// How long a role that is broken takes to say so.
const REFUSAL: Duration = Duration::from_millis(60);

/// How long the roles may take to be subscribed.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// Calls of each role that one worker makes at once.
const IN_FLIGHT: usize = 8;

/// `cadre demo chaos-worker`.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// What it is called in reports.
    #[arg(long)]
    name: String,
    /// A role is broken while this file exists.
    #[arg(long)]
    broken: PathBuf,
}

pub(crate) async fn work(args: WorkerArgs, settings: &Settings) -> anyhow::Result<()> {
    let shutdown = Shutdown::new();
    shutdown.listen()?;
    let connection = broker::connect_to(settings, &args.name).await?;
    let bus = JetStreamBus::open(&connection).await.map_err(|error| unavailable(&error))?;
    let packs = broker::packs_on(&connection).await?;
    let drain = supervise::Options::default().grace / 2;
    let options = WorkerOptions { worker: args.name, in_flight: IN_FLIGHT, drain, breakers: None };
    let worker = Worker::new(bus, packs, Player { broken: args.broken }, options);
    let options = supervise::Options::default();
    let supervisor = Supervisor::start("chaos-worker", options, Vec::new(), None).await?;
    for role in ROLES {
        let (handle, child) = worker.role(role.parse()?);
        supervisor.add(child).await?;
        anyhow::ensure!(handle.subscribed(READY_WITHIN).await, "role {role} was not subscribed");
    }
    output::say("ready");
    shutdown.triggered().await;
    supervisor.stop().await;
    Ok(())
}

/// Plays the roles.
struct Player {
    broken: PathBuf,
}

impl StepRunner for Player {
    async fn run(&self, step: &Step, _workflow: Arc<Workflow>) -> Ran {
        tell(CallKind::Begun, step);
        if step.role.as_str() == BROKEN_ROLE && self.broken.exists() {
            tokio::time::sleep(REFUSAL).await;
            tell(CallKind::Refused, step);
            let failure = Failure::new(FailureKind::Unavailable, "the scales do not answer");
            return Outcome::Failed(failure).into();
        }
        tokio::time::sleep(CALL).await;
        tell(CallKind::Made, step);
        Outcome::Completed { output: step.input.clone(), confidence: None }.into()
    }
}

fn tell(kind: CallKind, step: &Step) {
    let call = Call {
        kind,
        task: step.task.clone(),
        step: step.step.clone(),
        attempt: step.attempt,
        deliveries: step.deliveries,
    };
    // Whoever started us may be gone; the work goes on.
    let _ = output::data(&call.to_string());
}
