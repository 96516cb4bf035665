//! Calls of steps whose workers come and go, over journals in memory, on a paused clock.

use std::{
    future::{Ready, ready},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use cadre_core::{
    ids::{Name, StepId, TaskId},
    journal::{CallOutcome, CallRuling, Ruled},
    ports::WorkItem,
    workflow::{Runtime, Workflow},
};
use tokio::{sync::Barrier, time::timeout};

use super::*;
use crate::{
    supervise::{Options, Supervisor},
    testing::{Memory, Work},
    worker::{StepRunner, Worker, WorkerOptions},
};

const SOON: Duration = Duration::from_secs(1);
const GRANT: Grant = Grant { usd_micros: 100, tokens: 100 };

/// The world outside: counts what happens in it.
#[derive(Default)]
struct Outside(AtomicU32);

impl Outside {
    fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    fn happens(&self) -> Ready<Made> {
        self.0.fetch_add(1, Ordering::SeqCst);
        ready(Made::Done { result: Payload::null(), cost: Grant { usd_micros: 7, tokens: 3 } })
    }
}

fn id() -> JournalId {
    let role = Name::new("payer").unwrap();
    let (task, step) = (TaskId::derive(&role, "a"), StepId::single(role.clone()));
    JournalId { role, task, step }
}

/// One delivery of one attempt, in the hands of a worker of its own.
fn step(memory: &Memory, attempt: u32, deliveries: u32) -> Step {
    held(memory, (attempt, deliveries), None)
}

/// The same, of a worker that may have breakers in front of its tools.
pub(super) fn held(
    memory: &Memory,
    (attempt, deliveries): (u32, u32),
    breakers: Option<&Breakers>,
) -> Step {
    let JournalId { role, task, step } = id();
    let item = WorkItem {
        task,
        tenant: role.clone(),
        workflow: role.clone(),
        revision: "r1".to_owned(),
        step,
        attempt,
        role,
        input: Payload::null(),
        time_left: Duration::from_secs(60),
        grant: GRANT,
        idempotency_key: "key".to_owned(),
        ruled: None,
        near: Vec::new(),
        trace: None,
        deliveries,
        receipt: Arc::new(()),
    };
    let worker = Arc::from(format!("w{attempt}.{deliveries}"));
    let desk = Desk { shelf: Arc::new(memory.clone()), worker, breakers: breakers.cloned() };
    Step::of(item, Instant::now(), desk).0
}

pub(super) fn pay() -> CallSpec {
    CallSpec::once("pay", Payload::null(), "pay 30 EUR")
}

pub(super) fn thank() -> CallSpec {
    CallSpec::idempotent("mail", Payload::null(), "thank Ada")
}

fn ask() -> CallSpec {
    CallSpec::model("m1", Payload::null(), Grant { usd_micros: 40, tokens: 10 })
}

/// The facts of the journal, by name.
pub(super) fn facts(memory: &Memory) -> Vec<&'static str> {
    let name = |entry: &Entry| match &entry.fact {
        Fact::Claimed(_) => "claimed",
        Fact::Begun { .. } => "begun",
        Fact::Ended { outcome: CallOutcome::Done(_), .. } => "done",
        Fact::Ended { outcome: CallOutcome::Failed(_), .. } => "failed",
    };
    memory.journal(&id()).iter().map(name).collect()
}

/// Begins a call in whose midst the worker dies.
async fn dies_in(step: &Step, spec: CallSpec, outside: &Outside) {
    let call = step.call(spec, |_| async {
        outside.happens().await;
        std::future::pending().await
    });
    assert!(timeout(SOON, call).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_call_is_noted_before_and_after_and_counted() {
    let (memory, outside) = (Memory::default(), Outside::default());
    let step = step(&memory, 1, 1);
    let mut keys = Vec::new();
    for _ in 0..2 {
        let made = step.call(ask(), |making| {
            keys.push(making.key);
            assert_eq!(*facts(&memory).last().unwrap(), "begun");
            outside.happens()
        });
        assert_eq!(made.await, Ok(Payload::null()));
    }
    assert_eq!(facts(&memory), ["claimed", "begun", "done", "begun", "done"]);
    assert_eq!(keys, [id().effect_key(1), id().effect_key(2)]);
    let said = Ran::from(Outcome::NeedsHuman { question: "?".to_owned() });
    let usage = step.journal.close(&step, said).await.usage;
    assert_eq!((usage.usd_micros, usage.tokens), (14, 6));
}

#[tokio::test(start_paused = true)]
async fn a_takeover_goes_on_behind_the_last_call() {
    let (memory, outside) = (Memory::default(), Outside::default());
    let first = step(&memory, 1, 1);
    first.call(pay(), |_| outside.happens()).await.unwrap();
    dies_in(&first, ask(), &outside).await;
    let second = step(&memory, 1, 2);
    second.call(pay(), |_| outside.happens()).await.unwrap();
    assert_eq!(outside.count(), 2, "the payment was known");
    second.call(ask(), |_| outside.happens()).await.unwrap();
    assert_eq!(outside.count(), 3, "a model may be asked again");
    // What the lost call cost nobody knows: at most what was set aside for it.
    assert_eq!(second.ledger().await.spent.usd_micros, 7 + 40 + 7);
}

#[tokio::test(start_paused = true)]
async fn what_was_called_before_is_known_before_the_first_call() {
    let (memory, outside) = (Memory::default(), Outside::default());
    step(&memory, 1, 1).call(ask(), |_| outside.happens()).await.unwrap();
    let second = step(&memory, 1, 2);
    assert_eq!(second.ledger().await.spent, Grant::default(), "it has not looked");
    let spent = second.history(|history| history.ledger(1, GRANT).spent).await;
    assert_eq!(spent, Ok(Grant { usd_micros: 7, tokens: 3 }));
    second.call(ask(), |_| outside.happens()).await.unwrap();
    assert_eq!(outside.count(), 1);
    assert_eq!(facts(&memory), ["claimed", "begun", "done", "claimed"], "claimed once");
}

#[tokio::test(start_paused = true)]
async fn what_must_not_happen_twice_goes_to_a_person() {
    let (memory, outside) = (Memory::default(), Outside::default());
    dies_in(&step(&memory, 1, 1), pay(), &outside).await;
    let second = step(&memory, 1, 2);
    let error = second.call(pay(), |_| outside.happens()).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown { number: 1, .. }), "{error}");
    // Whatever the runner makes of it, the report asks.
    let ran = second.journal.close(&second, Ran::from(Outcome::Failed(error.into()))).await;
    let Outcome::Failed(failure) = ran.outcome else { panic!("{ran:?}") };
    assert_eq!(failure.kind, FailureKind::OutcomeUnknown);
    let text = "call 1 (pay: pay 30 EUR) was begun by w1.1 and has no outcome";
    assert_eq!(failure.message, text);
    let shown = failure.refused.unwrap();
    assert_eq!(shown.value()["calls"][0]["key"], id().effect_key(1));
    assert_eq!(outside.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_person_knows_whether_it_happened() {
    for (ruling, expected) in [(CallRuling::DidNot, 2), (CallRuling::Happened(Payload::null()), 1)]
    {
        let (memory, outside) = (Memory::default(), Outside::default());
        dies_in(&step(&memory, 1, 1), pay(), &outside).await;
        let mut next = step(&memory, 2, 1);
        next.ruled = Some(Ruled { attempt: 1, by: "ada".to_owned(), ruling });
        next.call(pay(), |_| outside.happens()).await.unwrap();
        assert_eq!(outside.count(), expected);
        // Noted: nobody asks again.
        step(&memory, 2, 2).call(pay(), |_| outside.happens()).await.unwrap();
        assert_eq!(outside.count(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_was_replaced_in_mid_call_says_nothing() {
    let (memory, outside) = (Memory::default(), Outside::default());
    let (zombie, heir) = (step(&memory, 1, 1), step(&memory, 1, 2));
    let late = zombie.call(ask(), |_| async {
        // Meanwhile its order was delivered again.
        heir.call(ask(), |_| outside.happens()).await.unwrap();
        outside.happens().await
    });
    assert!(timeout(SOON, late).await.is_err(), "it never returns");
    timeout(SOON, zombie.journal.fenced()).await.expect("it is told to end");
    assert_eq!(facts(&memory), ["claimed", "begun", "claimed", "begun", "done"]);
    // One that begins only now is too late as well.
    let call = step(&memory, 1, 1);
    assert!(timeout(SOON, call.call(ask(), |_| outside.happens())).await.is_err());
    assert_eq!(outside.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_append_without_an_answer_is_the_same_append() {
    let (memory, outside) = (Memory::default(), Outside::default());
    let step = step(&memory, 1, 1);
    step.call(pay(), |_| outside.happens()).await.unwrap();
    memory.world().flags.journal_unclear = 2;
    step.call(pay(), |_| outside.happens()).await.unwrap();
    assert_eq!(outside.count(), 2);
    assert_eq!(facts(&memory), ["claimed", "begun", "done", "begun", "done"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_beyond_the_grant_is_not_made() {
    let (memory, outside) = (Memory::default(), Outside::default());
    let step = step(&memory, 1, 1);
    let dear = |usd_micros| ask().costing(Grant { usd_micros, tokens: 0 });
    let mut near = Vec::new();
    for _ in 0..2 {
        let call = step.call(dear(80), |making| {
            near.push(making.ledger.is_near());
            outside.happens()
        });
        call.await.unwrap();
    }
    assert_eq!(near, [true, true], "the agent can see it");
    let error = step.call(dear(87), |_| outside.happens()).await.unwrap_err();
    assert_eq!(Failure::from(error).kind, FailureKind::Limit);
    assert_eq!(outside.count(), 2);
}

/// Pays once, and waits in the middle of it when its input says so.
struct Payer(Arc<Outside>);

impl StepRunner for Payer {
    async fn run(&self, step: &Step, _workflow: Arc<Workflow>) -> Ran {
        if step.input.value() == "calls nothing" {
            return Outcome::Completed { output: Payload::null(), confidence: None }.into();
        }
        let paid = step.call(pay(), |_| async {
            let made = self.0.happens().await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            assert!(step.input.value() != "panic", "as the input said");
            made
        });
        match paid.await {
            Ok(output) => Outcome::Completed { output, confidence: None }.into(),
            Err(error) => Outcome::Failed(error.into()).into(),
        }
    }
}

async fn house(memory: &Memory) -> (super::super::RoleHandle<crate::testing::Receipt>, Supervisor) {
    let role = id().role;
    memory.apply(&role, "r1", &[(&role, Runtime::Remote)]).unwrap();
    let payer = Payer(Arc::default());
    let worker = Worker::new(memory.clone(), memory.clone(), payer, WorkerOptions::default());
    let (handle, child) = worker.role(role);
    let supervisor = Supervisor::start("test", Options::default(), vec![child], None);
    (handle, supervisor.await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_replaced_step_is_neither_reported_nor_settled() {
    let memory = Memory::default();
    let (role, _supervisor) = house(&memory).await;
    let order = memory.order(Work::of(&id().role));
    tokio::time::sleep(SOON).await;
    let journal = memory.journals().remove(0);
    let claim = Claim { attempt: 1, delivery: 2, worker: "heir".to_owned() };
    let entry = Entry { rev: 3, fact: Fact::Claimed(claim) };
    memory.append_journal(&journal, 2, &entry).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(memory.reports(), []);
    assert_eq!(memory.open_orders(), [order]);
    assert_eq!(role.inspect(SOON).await.unwrap().fenced, 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_mid_call_asks_a_person_about_the_call() {
    let memory = Memory::default();
    let (_role, _supervisor) = house(&memory).await;
    memory.order(Work { input: json!("panic"), ..Work::of(&id().role) });
    memory.order(Work { input: json!("calls nothing"), ..Work::of(&id().role) });
    tokio::time::sleep(Duration::from_secs(10)).await;
    let reports = memory.reports();
    assert_eq!(reports.len(), 2);
    let kinds = reports.iter().filter_map(|report| match &report.outcome {
        Outcome::Failed(failure) => Some(failure.kind),
        Outcome::Completed { .. }
        | Outcome::Unsure { .. }
        | Outcome::Handoff { .. }
        | Outcome::NeedsHuman { .. } => None,
    });
    assert_eq!(kinds.collect::<Vec<_>>(), [FailureKind::OutcomeUnknown]);
    assert_eq!(memory.journals().len(), 1, "who calls nothing writes nothing");
}

fn look(what: &str) -> CallSpec {
    CallSpec::idempotent("look", Payload::from_value(json!(what)).unwrap(), what)
}

fn seen(place: usize) -> Made {
    let result = Payload::from_value(json!(place)).unwrap();
    Made::Done { result, cost: Grant { usd_micros: 1, tokens: 0 } }
}

#[tokio::test(start_paused = true)]
async fn calls_asked_for_together_are_out_at_the_same_time() {
    let memory = Memory::default();
    let first = step(&memory, 1, 1);
    let all_out = Barrier::new(3);
    let specs = vec![look("a"), look("b"), look("c")];
    let make = |place, _: Making| {
        let all_out = &all_out;
        async move {
            all_out.wait().await;
            seen(place)
        }
    };
    let results =
        timeout(SOON, first.call_all(specs, make)).await.expect("one waits for the other");
    let results: Vec<_> =
        results.unwrap().into_iter().map(|it| it.unwrap().value().clone()).collect();
    assert_eq!(results, [json!(0), json!(1), json!(2)], "in the order of the calls");
    assert_eq!(first.ledger().await.spent.usd_micros, 3);
}

#[tokio::test(start_paused = true)]
async fn of_calls_together_a_takeover_makes_only_those_without_an_outcome() {
    let memory = Memory::default();
    let specs = || vec![look("a"), look("b"), look("c")];
    let died = step(&memory, 1, 1);
    let make = |place, _: Making| async move {
        if place == 1 {
            std::future::pending::<()>().await;
        }
        seen(place)
    };
    assert!(timeout(SOON, died.call_all(specs(), make)).await.is_err(), "its worker died");

    let made = std::sync::Mutex::new(Vec::new());
    let next = step(&memory, 1, 2);
    let make = |place, making: Making| {
        made.lock().unwrap().push((place, making.key));
        ready(seen(place))
    };
    let results = next.call_all(specs(), make).await.unwrap();
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(*made.lock().unwrap(), [(1, id().effect_key(2))]);
    let changed =
        step(&memory, 1, 3).call_all(vec![look("b")], |place, _| ready(seen(place))).await;
    assert!(matches!(changed.unwrap()[0], Err(CallError::Refused(Refusal::Changed(1)))));
}
