//! Where goals of a pack are played: on a private deployment, where nothing else runs and nothing stays, or on
//! one that runs already.

use std::{path::Path, time::Duration};

use cadre_core::{
    eval::{Latency, Trace},
    ids::{Name, TaskId},
    journal::{History, JournalId},
    pack::PackSource,
    task::{Record, StepState, Task},
    workflow::Workflow,
};
use cadre_nats::{bus::JetStreamBus, connect::Connection};
use cadre_proto::header;
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::apply_failure;
use crate::{
    broker::{self, Ground, PrivateOptions},
    commands::client::{Client, unavailable},
    exit::{Code, Failure},
    packs::Place,
    settings::Settings,
    stack::{Stack, StackOptions},
    timeline::follow,
};

/// Beyond a task's own deadline: for the aggregator's grace, timers, and a slow machine.
const GRACE: Duration = Duration::from_secs(20);

/// One sample input of a pack.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Its file.
    pub(crate) name: String,
    /// The goal's input.
    pub(crate) input: Value,
}

impl Sample {
    /// The key of the goal that it becomes.
    pub(crate) fn key(&self) -> String {
        format!("sample-{}", self.name)
    }

    /// Every sample of a pack: `samples/*.json` are inputs, any other file is the text of one.
    ///
    /// # Errors
    /// [`Code::Usage`] names the one that the workflow does not take.
    pub(crate) fn all(place: &Place, workflow: &Workflow) -> anyhow::Result<Vec<Self>> {
        let mut samples = Vec::new();
        for name in place.samples()? {
            let content = place.file(&format!("samples/{name}"))?.unwrap_or_default();
            let usage =
                |text: String| Failure::new(Code::Usage, format!("read samples/{name}: {text}"));
            let text = str::from_utf8(&content).map_err(|error| usage(error.to_string()))?;
            let is_json = Path::new(&name).extension().is_some_and(|it| it == "json");
            let input = match is_json {
                true => serde_json::from_str(text).map_err(|error| usage(error.to_string()))?,
                false => json!({"text": text, "name": name}),
            };
            workflow.input.check(&input).map_err(|violations| usage(violations.to_string()))?;
            samples.push(Self { name, input });
        }
        Ok(samples)
    }
}

/// A broker with every service and one pack.
pub(crate) struct Stage {
    ground: Ground,
    bus: JetStreamBus,
    /// Ours to end; `None` on a deployment that ran before.
    stack: Option<Stack>,
    tenant: Name,
}

impl Stage {
    /// Starts a private one. A broker that runs already is left alone, whatever the settings say.
    ///
    /// # Errors
    /// When there is no server, or a service does not start.
    pub(crate) async fn open(
        settings: &Settings,
        pack: &PackSource,
        services: StackOptions,
    ) -> anyhow::Result<Self> {
        let (server, connection) =
            broker::start_private(settings, PrivateOptions::default()).await?;
        let url = server.urls().join(",");
        let ground = Ground { server: Some(server), connection, url };
        let packs = broker::packs_on(&ground.connection).await?;
        packs.apply(pack).await.map_err(|error| apply_failure(&error))?;
        let stack = Stack::start(&ground.connection, services).await?;
        let (bus, tenant) = (stack.bus.clone(), settings.tenant.clone());
        Ok(Self { ground, bus, stack: Some(stack), tenant })
    }

    /// Takes the deployment that the settings name, with the packs and services that are there.
    ///
    /// # Errors
    /// [`Code::BusUnavailable`].
    pub(crate) fn join(client: Client, settings: &Settings) -> Self {
        let Client { connection, bus } = client;
        let ground = Ground { server: None, connection, url: String::new() };
        Self { ground, bus, stack: None, tenant: settings.tenant.clone() }
    }

    /// Plays one goal to its end, or until it waits for a person.
    ///
    /// # Errors
    /// [`Code::TimedOut`] when it does neither within its deadline.
    pub(crate) async fn play(
        &self,
        workflow: &Workflow,
        (key, input): (&str, &Value),
        latency: Latency,
    ) -> anyhow::Result<Trace> {
        let task = TaskId::derive(&self.tenant, key);
        let subject = format!("goals.{}.{}", self.tenant, workflow.name);
        let headers = [(header::MSG_ID.parse()?, key.parse()?)].into_iter().collect();
        let (js, body) = (&self.ground.connection.js, input.to_string().into());
        js.publish_with_headers(subject, headers, body).await?.await?;
        let within = workflow.limits.deadline + GRACE;
        let records =
            tokio::time::timeout(within, self.until_end(&task)).await.map_err(|_| {
                let text = format!("goal {key} did not end within its deadline");
                Failure::new(Code::TimedOut, text)
            })??;
        let is_open = Task::replay(&records).is_some_and(|task| task.ended().is_none());
        if self.stack.is_none() && is_open {
            // Nobody is to be asked because of it.
            let cancelled = self.bus.cancel(&task, "cadre eval", "the goal was a trial");
            cancelled.await.map_err(|error| unavailable(&error))?;
        }
        let journals = histories(&self.bus, &task).await?;
        Trace::of(workflow, &records, &journals, latency)
            .ok_or_else(|| anyhow::anyhow!("task {task} has no records"))
    }

    /// The connection that everything uses.
    pub(crate) fn connection(&self) -> &Connection {
        &self.ground.connection
    }

    /// Stops everything that it has started.
    pub(crate) async fn close(self) {
        if let Some(stack) = &self.stack {
            stack.stop().await;
        }
        self.ground.close().await;
    }

    async fn until_end(&self, id: &TaskId) -> anyhow::Result<Vec<Record>> {
        let mut followed = follow(&self.bus, id).await?;
        let (mut task, mut records) = (None, Vec::new());
        while let Some(record) = followed.next().await {
            let record = record?;
            Task::fold(&mut task, &record);
            records.push(record);
            let waits = |task: &Task| {
                task.steps.values().any(|step| matches!(step.state, StepState::Waiting { .. }))
            };
            if task.as_ref().is_some_and(waits) {
                break;
            }
        }
        Ok(records)
    }
}

/// The journals of a task's steps, folded.
///
/// # Errors
/// When they cannot be read, or are damaged.
pub(crate) async fn histories(
    bus: &JetStreamBus,
    task: &TaskId,
) -> anyhow::Result<Vec<(JournalId, History)>> {
    let mut folded = Vec::new();
    for (journal, pages) in bus.read_journals(task).await? {
        let mut history = History::default();
        for entry in &pages.entries {
            history.apply(entry)?;
        }
        folded.push((journal, history));
    }
    Ok(folded)
}
