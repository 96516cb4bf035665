//! A private deployment on which samples of a pack are played: nothing else runs there, and nothing stays.

use std::{path::Path, time::Duration};

use cadre_core::{
    ids::{Name, TaskId},
    journal::{CallKind, CallOutcome, History},
    model::cassette::Cassettes,
    pack::PackSource,
    task::{StepState, Task},
    workflow::Workflow,
};
use cadre_nats::connect::Connection;
use cadre_proto::header;
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::{
    apply_failure,
    run::{ModelCall, Run},
};
use crate::{
    answer::code,
    broker::{self, Ground, PrivateOptions},
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
pub(super) struct Sample {
    /// Its file.
    pub(super) name: String,
    /// The goal's input.
    pub(super) input: Value,
}

impl Sample {
    /// Every sample of a pack: `samples/*.json` are inputs, any other file is the text of one.
    ///
    /// # Errors
    /// [`Code::Usage`] names the one that the workflow does not take.
    pub(super) fn all(place: &Place, workflow: &Workflow) -> anyhow::Result<Vec<Self>> {
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

/// A broker of its own with every service and one pack.
pub(super) struct Stage {
    ground: Ground,
    stack: Stack,
    tenant: Name,
}

impl Stage {
    /// Starts it. A broker that runs already is left alone, whatever the settings say.
    ///
    /// # Errors
    /// When there is no server, or a service does not start.
    pub(super) async fn open(
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
        Ok(Self { ground, stack, tenant: settings.tenant.clone() })
    }

    /// Plays one sample to its end, or until it waits for a person.
    ///
    /// # Errors
    /// [`Code::TimedOut`] when it does neither within its deadline.
    pub(super) async fn play(&self, workflow: &Workflow, sample: &Sample) -> anyhow::Result<Run> {
        let key = format!("sample-{}", sample.name);
        let task = TaskId::derive(&self.tenant, &key);
        let subject = format!("goals.{}.{}", self.tenant, workflow.name);
        let headers = [(header::MSG_ID.parse()?, key.parse()?)].into_iter().collect();
        let (js, body) = (&self.ground.connection.js, sample.input.to_string().into());
        js.publish_with_headers(subject, headers, body).await?.await?;
        let within = workflow.limits.deadline + GRACE;
        let ended = tokio::time::timeout(within, self.until_end(&task)).await.map_err(|_| {
            let text = format!("sample {} did not end within its deadline", sample.name);
            Failure::new(Code::TimedOut, text)
        });
        self.seen(workflow, &ended??).await
    }

    /// The connection that everything uses.
    pub(super) fn connection(&self) -> &Connection {
        &self.ground.connection
    }

    /// Stops everything.
    pub(super) async fn close(self) {
        self.stack.stop().await;
        self.ground.close().await;
    }

    async fn until_end(&self, id: &TaskId) -> anyhow::Result<Task> {
        let mut records = follow(&self.stack.bus, id).await?;
        let mut task = None;
        while let Some(record) = records.next().await {
            Task::fold(&mut task, &record?);
            let waits = |task: &Task| {
                task.steps.values().any(|step| matches!(step.state, StepState::Waiting { .. }))
            };
            if task.as_ref().is_some_and(waits) {
                break;
            }
        }
        task.ok_or_else(|| anyhow::anyhow!("task {id} has no records"))
    }

    async fn seen(&self, workflow: &Workflow, task: &Task) -> anyhow::Result<Run> {
        let answer = task.answer().map(|answer| answer.document.value().clone());
        let part =
            |key: &str| answer.as_ref().and_then(|it| it.get(key)).cloned().unwrap_or_default();
        let status = if task.ended().is_some() { task.status() } else { "waiting" };
        let result = part("result");
        // What failed has no result that a contract could be asked of.
        let is_done = task.ended().is_some_and(|end| code(end.status) != Some(Code::TaskFailed));
        let checked = is_done.then(|| workflow.output.check(&result));
        let violations = checked.and_then(Result::err).map(|it| it.to_string());
        let mut run = Run {
            status: status.to_owned(),
            result,
            violations: violations.unwrap_or_default(),
            usd_micros: task.usage.usd_micros,
            tokens: task.usage.tokens,
            ..Run::default()
        };
        for (id, step) in &task.steps {
            let role = step.role.as_ref().map(|role| format!(" by {role}")).unwrap_or_default();
            run.steps.push(format!("{id} {}{role}", step.state.as_str()));
            if let Some(reason) = &step.degraded {
                run.problems.push(format!("{id}: {reason}"));
            }
            if let StepState::Failed(failure) = &step.state {
                run.problems.push(format!("{id}: {}", failure.message));
            }
        }
        self.calls(workflow, task, &mut run).await?;
        Ok(run)
    }

    /// Adds what the journals of the task's steps say of models.
    async fn calls(&self, workflow: &Workflow, task: &Task, run: &mut Run) -> anyhow::Result<()> {
        let mut journals = self.stack.bus.read_journals(task.id()).await?;
        journals.sort_by(|(one, _), (other, _)| one.step.cmp(&other.step));
        for (journal, pages) in journals {
            let mut history = History::default();
            for entry in &pages.entries {
                history.apply(entry)?;
            }
            let models = history.calls().filter(|(_, call)| call.intent.kind == CallKind::Model);
            for (_, call) in models {
                let Some(CallOutcome::Done(record)) = call.ended.as_ref().map(|it| &it.outcome)
                else {
                    continue;
                };
                let record = record.value();
                let model = record.get("model").and_then(Value::as_str).unwrap_or_default();
                let (text, tools) = said(record);
                run.latency_ms += latency(&workflow.cassettes, &journal.role, text, &tools);
                let (step, model) = (journal.step.to_string(), model.to_owned());
                run.calls.push(ModelCall { step, model, tools });
            }
        }
        Ok(())
    }
}

/// Text and tools of a decision record, as the agent's journal keeps it.
fn said(record: &Value) -> (&str, Vec<String>) {
    let text = record.pointer("/said/text").and_then(Value::as_str).unwrap_or_default();
    let calls = record.pointer("/said/calls").and_then(Value::as_array);
    let tool = |call: &Value| call.get("tool")?.as_str().map(str::to_owned);
    (text, calls.into_iter().flatten().filter_map(tool).collect())
}

/// How long the answer took when it was recorded; 0 for one that was not.
fn latency(cassettes: &Cassettes, role: &Name, text: &str, tools: &[String]) -> u64 {
    let is_it = |said: &cadre_core::model::Said| {
        said.text == text && said.calls.iter().map(|call| &call.tool).eq(tools)
    };
    let mut of_role = cassettes.iter().filter(|it| it.role == *role);
    of_role.find(|it| is_it(&it.said)).map_or(0, |it| it.latency_ms)
}
