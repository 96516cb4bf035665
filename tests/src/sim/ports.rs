//! Core's ports over the simulated broker.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, Partition, TaskId},
    journal::{Entry, History, JournalId},
    model::{Choice, Finish, ModelAnswer, ModelFailure, ModelRequest, Said, ToolCall},
    payload::{Hash, Payload},
    ports::{
        AppendError, BusError, Clock, Crowd, DeadLetter, JournalError, Journals, LoadError, Loaded,
        LogHead, Models, OrchestratorBus, OrderTerms, Packs, Pages, Stopped, WorkerBus,
    },
    task::{Answer, Failure, FailureKind, Goal, Input, Order, Record, Report, Stop},
    time::UnixMillis,
    workflow::{Grant, Workflow},
};
use cadre_proto::{record, subject};
use serde_json::json;
use tokio::time::sleep;

use super::{
    bus::{Receipt, SimBus},
    chance::Chance,
    inbox::{self, Goals, Inputs, Stops, Work},
    runner::FOR_EVER,
    world::{Append, Kind, Logged, Ordered, World, Write, Written, order_subject},
};

impl SimBus {
    /// Whether the log ends with this very record: clears up an append without an answer.
    async fn read_back(&self, append: &Append, hash: Hash) -> Result<LogHead, AppendError> {
        let (task, body) = (append.task.clone(), append.body.clone());
        let found = self.ask(move |world| {
            let sequence = *world.heads.get(&task)?;
            let entry = world.log.get(usize::try_from(sequence).ok()? - 1)?;
            matches!(&entry.content, Logged::Record(last) if last.body == body).then_some(sequence)
        });
        match found.await? {
            Some(sequence) => Ok(LogHead { rev: append.record.rev, sequence, hash }),
            None => Err(BusError::Unavailable("the record is not there".to_owned()).into()),
        }
    }
}

impl OrchestratorBus for SimBus {
    type Inputs = Inputs;
    type Goals = Goals;

    fn now(&self) -> UnixMillis {
        self.clock()
    }

    async fn inputs(&self, partition: Partition) -> Result<Inputs, BusError> {
        self.reach().await?;
        Ok(Inputs::open(self, partition))
    }

    async fn goals(&self) -> Result<Goals, BusError> {
        self.reach().await?;
        Ok(Goals(self.clone()))
    }

    fn crowded(&self, _workflow: &Workflow) -> Option<Crowd> {
        let world = self.shared.world();
        let (role, until) = world.crowded.clone()?;
        (world.now() < until).then_some(Crowd { role, may_wait: true })
    }

    async fn forward_timers(&self) -> Result<(), BusError> {
        loop {
            // As the real one does, a pull that breaks is opened anew by whoever called.
            for (sequence, task) in inbox::fired(self).await? {
                if self.write(Write::Input(task, Input::Due, "timer")).await.is_ok() {
                    self.settle(Kind::Due, sequence, true).await;
                }
            }
        }
    }

    async fn load(&self, task: &TaskId) -> Result<Loaded, LoadError> {
        let id = task.clone();
        let found = self.ask(move |world| {
            let is_its = |append: &&Append| append.task == id;
            let records = world.log.iter().enumerate().filter_map(|(index, entry)| {
                let Logged::Record(append) = &entry.content else { return None };
                Some(append).filter(is_its).map(|append| (index as u64 + 1, append.body.clone()))
            });
            (records.collect::<Vec<_>>(), world.blobs.clone())
        });
        let (bodies, blobs) = found.await?;
        let mut loaded = Loaded::default();
        for (sequence, body) in bodies {
            let rev = loaded.head.rev + 1;
            let damaged = |what: String| LoadError::Damaged { task: task.clone(), rev, what };
            let stored =
                record::decode(&body, &blobs).map_err(|error| damaged(error.to_string()))?;
            if stored.record.rev != rev || stored.prev != (rev > 1).then_some(loaded.head.hash) {
                return Err(damaged("it does not follow from the record before".to_owned()));
            }
            loaded.head = LogHead { rev, sequence, hash: stored.hash };
            loaded.records.push(stored.record);
        }
        Ok(loaded)
    }

    async fn append(
        &self,
        task: &TaskId,
        head: LogHead,
        record: Arc<Record>,
        _trace: Option<String>,
    ) -> Result<LogHead, AppendError> {
        self.gate().await;
        let txn = {
            let mut world = self.shared.world();
            (u128::from(world.chance.draw()) << 64) | u128::from(world.fresh())
        };
        let previous = (head.rev > 0).then_some(head.hash);
        let encoded = record::encode(&record, txn.to_be_bytes(), previous);
        let (rev, hash) = (record.rev, encoded.hash);
        let (task, expected, body) = (task.clone(), head.sequence, encoded.bytes);
        let append = Append { task, expected, record, body };
        match self.write(Write::Append(append.clone())).await {
            Ok(Written::Stored(sequence)) => Ok(LogHead { rev, sequence, hash }),
            Ok(Written::Refused) => Err(AppendError::Conflict(append.task)),
            Err(BusError::Refused(why)) => Err(BusError::Refused(why).into()),
            Err(BusError::Unavailable(_)) => self.read_back(&append, hash).await,
        }
    }

    async fn submit(&self, goal: Arc<Goal>) -> Result<(), BusError> {
        self.write(Write::Submit(goal)).await.map(|_| ())
    }

    async fn order(
        &self,
        order: Order,
        _terms: OrderTerms,
        _trace: Option<String>,
    ) -> Result<(), BusError> {
        let left = order.deadline.since(self.clock());
        let timeout_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        self.write(Write::Order(Ordered { order, timeout_ms })).await.map(|_| ())
    }

    async fn has_order(&self, order: &Order) -> Result<bool, BusError> {
        let wanted = order.clone();
        let look = move |world: &World| world.work.holds(&order_subject(world.partitions, &wanted));
        let found = self.ask(look).await;
        self.shared.world().looked(order);
        found
    }

    async fn spent(&self, journal: &JournalId, attempt: u32, granted: Grant) -> Grant {
        // As the real one: what cannot be read has cost all of it.
        let Ok(pages) = self.read_journal(journal).await else { return granted };
        let mut history = History::default();
        match pages.entries.iter().try_for_each(|entry| history.apply(entry)) {
            Ok(()) => history.ledger(attempt, Grant::default()).used(),
            Err(_) => granted,
        }
    }

    async fn has_report(&self, order: &Order) -> Result<bool, BusError> {
        let Order { goal, role, step, attempt, .. } = order;
        let (role, task, step) = (role.clone(), goal.task.clone(), step.clone());
        let attempt = subject::Attempt { role, task, step, number: *attempt };
        let look = move |world: &World| {
            let partition = attempt.task.partition(world.partitions);
            world.inputs.holds(&subject::report(partition, &attempt))
        };
        let found = self.ask(look).await;
        self.shared.world().looked(order);
        found
    }

    async fn wake(&self, task: &TaskId, at: UnixMillis) -> Result<(), BusError> {
        self.write(Write::Wake(task.clone(), at)).await.map(|_| ())
    }

    async fn forget_wake(&self, task: &TaskId) {
        // Best effort: a timer of an ended task is ignored.
        let _ = self.write(Write::Forget(task.clone())).await;
    }

    async fn stop(&self, task: &TaskId, attempts: &[Stop]) -> Result<(), BusError> {
        let attempts = attempts.iter().map(|stop| (stop.step.clone(), stop.attempt)).collect();
        self.write(Write::Stop(Stopped { task: task.clone(), attempts })).await.map(|_| ())
    }

    async fn answer(&self, answer: Answer) -> Result<(), BusError> {
        self.write(Write::Answer(answer)).await.map(|_| ())
    }

    async fn reject(&self, tenant: &Name, document: Payload) -> Result<(), BusError> {
        self.reach().await?;
        self.shared.world().rejected.push((tenant.clone(), document));
        Ok(())
    }

    async fn bury(
        &self,
        receipt: Receipt,
        partition: Partition,
        reason: String,
    ) -> Result<(), BusError> {
        let Receipt { kind, sequence, deliveries, subject, .. } = receipt;
        let goal = self.shared.world().goals.messages.get(&sequence).cloned();
        let goal = goal.filter(|_| kind == Kind::Goal).map(|message| message.value);
        let (headers, body) = goal.map(|goal| (goal.headers, goal.body)).unwrap_or_default();
        let letter = DeadLetter {
            partition,
            kind: if kind == Kind::Goal { "goal" } else { "input" },
            source: format!("{kind:?}.{sequence}").to_ascii_lowercase(),
            reason,
            deliveries,
            subject,
            headers,
            body,
        };
        self.write(Write::Letter(letter)).await?;
        self.settle(kind, sequence, true).await;
        Ok(())
    }
}

/// Models that answer what the packs have recorded, behind the same broker.
#[derive(Debug, Clone)]
pub struct SimModels {
    /// The packs, and where the broker is.
    pub packs: SimPacks,
    /// With a seed they answer by a script that follows from it, and fail in every way.
    pub seed: Option<u64>,
}

impl Clock for SimModels {
    fn time(&self) -> UnixMillis {
        self.packs.bus.clock()
    }
}

impl Models for SimModels {
    async fn ask(&self, request: ModelRequest) -> Result<ModelAnswer, ModelFailure> {
        let failed = |kind, text: &str| {
            let (failure, passed) = (Failure::new(kind, text), Vec::new());
            ModelFailure { failure, cost: Grant::default(), passed }
        };
        let reached = self.packs.bus.ask(|_| ()).await;
        reached.map_err(|error| failed(FailureKind::Unavailable, &error.to_string()))?;
        if let Some(seed) = self.seed {
            let said = scripted(seed, &request).await;
            self.packs.bus.gate().await;
            return said;
        }
        let pack = self.packs.packs.get(&request.revision);
        let pack = pack.ok_or_else(|| failed(FailureKind::Error, "no such pack"))?;
        let played = pack.cassettes.play(&request.role, &request.prompt, &request.manner);
        let said =
            played.map_err(|miss| failed(FailureKind::Error, &miss.to_string()))?.said.clone();
        let tokens = said.usage.input + said.usage.output;
        let cost = Grant { usd_micros: 0, tokens };
        Ok(ModelAnswer { said, cost, choice: Choice::default(), took: Duration::ZERO })
    }
}

/// What a model says by the script: the same to the same call, whoever makes it.
async fn scripted(seed: u64, request: &ModelRequest) -> Result<ModelAnswer, ModelFailure> {
    let mut chance = Chance::of(seed, &format!("model.{}", request.key));
    sleep(Duration::from_millis(chance.between(0, 500))).await;
    let cost = Grant { usd_micros: chance.between(1, 60), tokens: chance.between(5, 300) };
    let cost = Grant {
        usd_micros: cost.usd_micros.min(request.grant.usd_micros),
        tokens: cost.tokens.min(request.grant.tokens),
    };
    let failed = |kind, cost| {
        let (failure, passed) = (Failure::new(kind, "as the script says"), Vec::new());
        Err(ModelFailure { failure, cost, passed })
    };
    let mut said = Said::default();
    match chance.between(0, 99) {
        0..=4 => return failed(FailureKind::Unavailable, Grant::default()),
        5..=8 => return failed(FailureKind::RateLimited, Grant::default()),
        9..=10 => return failed(FailureKind::Error, cost),
        11..=12 => sleep(FOR_EVER).await,
        13..=17 => "no JSON".clone_into(&mut said.text),
        18..=19 => said.finish = Finish::Filtered,
        20..=21 => r#"{"needs_human": "what now?"}"#.clone_into(&mut said.text),
        22..=45 => {
            let tools = ["clock", "lookup", "nothing"];
            let call = |number: u64| ToolCall {
                id: number.to_string(),
                tool: tools[chance.between(0, 2) as usize].to_owned(),
                arguments: json!({"query": "numbers"}),
            };
            said.calls = (0..2).map(call).collect();
            said.finish = Finish::Tools;
        }
        _ => said.text = json!({"output": {"n": chance.between(0, 9)}}).to_string(),
    }
    Ok(ModelAnswer { said, cost, choice: Choice::default(), took: Duration::ZERO })
}

impl Journals for SimBus {
    async fn read_journal(&self, id: &JournalId) -> Result<Pages, JournalError> {
        let id = id.clone();
        let found = self.ask(move |world| world.journals.get(&id).cloned().unwrap_or_default());
        let entries = found.await?;
        let sequence = entries.len() as u64;
        Ok(Pages { entries, sequence })
    }

    async fn append_journal(
        &self,
        id: &JournalId,
        expected: u64,
        entry: &Entry,
    ) -> Result<u64, JournalError> {
        match self.write(Write::Note(id.clone(), expected, entry.clone())).await? {
            Written::Stored(sequence) => Ok(sequence),
            Written::Refused => {
                let pages = self.read_journal(id).await?;
                if pages.entries.last() == Some(entry) {
                    return Ok(pages.sequence);
                }
                Err(JournalError::Moved { task: id.task.clone(), step: id.step.clone() })
            }
        }
    }
}

impl WorkerBus for SimBus {
    type Work = Work;
    type Stops = Stops;

    async fn work(&self, role: &Name, in_flight: usize) -> Result<Work, BusError> {
        self.reach().await?;
        Ok(Work::open(self, role, in_flight))
    }

    async fn stops(&self) -> Result<Stops, BusError> {
        self.reach().await?;
        Ok(Stops::open(self))
    }

    async fn report(
        &self,
        task: &TaskId,
        report: Report,
        _trace: Option<String>,
    ) -> Result<(), BusError> {
        self.write(Write::Report(task.clone(), report)).await.map(|_| ())
    }

    async fn is_reported(&self, step: &JournalId, attempt: u32) -> Result<bool, BusError> {
        let JournalId { role, task, step } = step.clone();
        let attempt = subject::Attempt { role, task, step, number: attempt };
        let look = move |world: &World| {
            let subject = subject::report(attempt.task.partition(world.partitions), &attempt);
            let is_told = |append: &Append| {
                let cause = &append.record.cause;
                append.task == attempt.task && cause.is_report_of(&attempt.step, attempt.number)
            };
            world.inputs.holds(&subject)
                || world.log.iter().any(|entry| match &entry.content {
                    Logged::Record(append) => is_told(append),
                    Logged::Letter(_) => false,
                })
        };
        self.ask(look).await
    }

    async fn in_progress(&self, receipt: &Receipt) {
        self.settle(receipt.kind, receipt.sequence, false).await;
    }

    async fn done(&self, receipt: &Receipt) {
        self.settle(receipt.kind, receipt.sequence, true).await;
    }

    async fn bury(&self, letter: DeadLetter) -> Result<(), BusError> {
        self.write(Write::Letter(letter)).await.map(|_| ())
    }

    fn heartbeat(&self) -> Duration {
        Duration::from_millis(600)
    }
}

/// Packs in memory, by revision, behind the same broker.
#[derive(Debug, Clone)]
pub struct SimPacks {
    /// Where the broker is.
    pub bus: SimBus,
    /// Every revision.
    pub packs: Arc<BTreeMap<String, Arc<Workflow>>>,
}

impl Packs for SimPacks {
    async fn current(&self, workflow: &Name) -> Result<Option<Arc<Workflow>>, BusError> {
        self.bus.ask(|_| ()).await?;
        Ok(self.packs.values().find(|pack| pack.name == *workflow).cloned())
    }

    async fn list(&self) -> Result<Vec<(Name, String)>, BusError> {
        self.bus.ask(|_| ()).await?;
        let all = self.packs.values();
        Ok(all.map(|pack| (pack.name.clone(), pack.revision.clone())).collect())
    }

    async fn revisions(&self, limit: usize) -> Result<Vec<String>, BusError> {
        self.bus.ask(|_| ()).await?;
        Ok(self.packs.keys().take(limit).cloned().collect())
    }

    async fn revision(&self, revision: &str) -> Result<Option<Arc<Workflow>>, BusError> {
        self.bus.ask(|_| ()).await?;
        Ok(self.packs.get(revision).cloned())
    }
}
