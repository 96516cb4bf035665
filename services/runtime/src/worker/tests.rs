//! Drives real role actors over a bus in memory, on a paused clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use cadre_core::{
    ids::Name,
    limits::DELIVERIES_MAX,
    task::{Failure, FailureKind, Outcome},
    workflow::{Runtime, Workflow},
};
use serde_json::json;
use tokio::time::sleep;

use super::*;
use crate::{
    supervise::{ChildState, Options, RestartPolicy, StopOrder, Supervisor},
    testing::{Event, Memory, TRACE, Work},
};

const SOON: Duration = Duration::from_secs(1);

/// Does what the step's input says: `{"panic": true}`, `{"sleep_ms": …}`, else returns it.
#[derive(Clone, Default)]
struct Obedient(Arc<Calls>);

#[derive(Default)]
struct Calls {
    begun: AtomicU64,
    now: AtomicUsize,
    peak: AtomicUsize,
}

struct Running<'a>(&'a Calls);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl StepRunner for Obedient {
    async fn run(&self, step: &Step, _workflow: Arc<Workflow>) -> Ran {
        let calls = &*self.0;
        calls.begun.fetch_add(1, Ordering::SeqCst);
        calls.peak.fetch_max(calls.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let _running = Running(calls);
        let input = step.input.value();
        if let Some(ms) = input["sleep_ms"].as_u64() {
            sleep(Duration::from_millis(ms)).await;
        }
        assert!(input["panic"] != true, "as the input said");
        Outcome::Completed { output: step.input.clone(), confidence: None }.into()
    }
}

struct House {
    memory: Memory,
    calls: Arc<Calls>,
    role: RoleHandle<crate::testing::Receipt>,
    supervisor: Supervisor,
}

fn name() -> Name {
    Name::new("worker").unwrap()
}

impl House {
    async fn open(in_flight: usize) -> Self {
        Self::on(Memory::default(), in_flight).await
    }

    async fn on(memory: Memory, in_flight: usize) -> Self {
        memory.apply(&name(), "r1", &[(&name(), Runtime::Echo)]).unwrap();
        let runner = Obedient::default();
        let options = WorkerOptions { in_flight, ..WorkerOptions::default() };
        let worker = Worker::new(memory.clone(), memory.clone(), runner.clone(), options);
        let (role, child) = worker.role(name());
        let restarts = RestartPolicy { max: 3, ..RestartPolicy::default() };
        let options = Options { restarts, ..Options::default() };
        let supervisor = Supervisor::start("test", options, vec![child], None).await.unwrap();
        Self { memory, calls: runner.0, role, supervisor }
    }

    fn order(&self, input: serde_json::Value) -> u64 {
        self.memory.order(Work { input, ..Work::of(&name()) })
    }

    fn order_for(&self, time: Duration, input: serde_json::Value) -> u64 {
        self.memory.order(Work { input, time, ..Work::of(&name()) })
    }

    fn begun(&self) -> u64 {
        self.calls.begun.load(Ordering::SeqCst)
    }

    async fn snapshot(&self) -> RoleSnapshot {
        self.role.inspect(SOON).await.unwrap()
    }
}

fn position(events: &[Event], wanted: impl Fn(&Event) -> bool) -> usize {
    events.iter().position(wanted).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_panicking_step_is_a_failed_report_and_its_siblings_go_on() {
    let house = House::open(8).await;
    house.order(json!({"sleep_ms": 500}));
    house.order(json!({"panic": true}));
    house.order(json!({"sleep_ms": 500}));
    sleep(SOON).await;

    let outcomes: Vec<_> = house.memory.reports().into_iter().map(|r| r.outcome).collect();
    assert_eq!(outcomes.len(), 3);
    let panic = Failure::new(FailureKind::Panic, "as the input said");
    assert_eq!(outcomes[0], Outcome::Failed(panic));
    assert!(outcomes[1..].iter().all(|outcome| matches!(outcome, Outcome::Completed { .. })));
    assert!(house.memory.open_orders().is_empty());
    assert_eq!((house.snapshot().await.panicked, house.begun()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn an_order_is_settled_after_its_report_and_the_trace_goes_through() {
    let house = House::open(8).await;
    house.order(json!("hello"));
    sleep(SOON).await;

    let events = house.memory.events();
    let reported = |event: &Event| {
        matches!(event, Event::Reported(_, report, trace)
            if trace.as_deref() == Some(TRACE) && report.attempt == 1)
    };
    let done = position(&events, |event| *event == Event::Done(1));
    assert!(position(&events, reported) < done, "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn an_order_is_not_settled_while_its_report_is_not_confirmed() {
    let house = House::open(8).await;
    house.memory.world().flags.reports_fail = true;
    house.order(json!("patience"));
    sleep(Duration::from_secs(20)).await;
    assert_eq!(house.memory.open_orders(), [1]);

    house.memory.world().flags.reports_fail = false;
    sleep(Duration::from_secs(5)).await;
    assert_eq!((house.memory.open_orders(), house.memory.reports().len()), (vec![], 1));
    assert_eq!(house.begun(), 1, "tried again: the report, not the step");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_reported_in_time_is_left_to_redelivery() {
    let house = House::open(8).await;
    house.memory.world().flags.reports_fail = true;
    house.order_for(Duration::from_secs(5), json!("in vain"));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(house.memory.open_orders(), [1]);
    assert_eq!(house.snapshot().await.unreported, 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_reporting_settles_nothing() {
    let house = House::open(8).await;
    house.memory.world().flags.reports_panic = true;
    house.order(json!("unlucky"));
    sleep(SOON).await;
    assert_eq!(house.memory.open_orders(), [1]);
    let snapshot = house.snapshot().await;
    assert_eq!((snapshot.panicked, snapshot.unreported, snapshot.running), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_nobody_ever_reports_fails_instead_of_being_run_again() {
    let house = House::open(8).await;
    house.memory.world().flags.reports_panic = true;
    let order = house.order(json!("poison"));
    for _ in 1..DELIVERIES_MAX {
        sleep(SOON).await;
        house.memory.redeliver(order);
    }
    sleep(SOON).await;
    assert_eq!(house.begun(), u64::from(DELIVERIES_MAX));

    house.memory.world().flags.reports_panic = false;
    house.memory.redeliver(order);
    sleep(SOON).await;
    let outcome = house.memory.reports().pop().unwrap().outcome;
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    assert!(failure.message.starts_with("delivered 10 times and never reported"), "{failure:?}");
    assert_eq!(house.begun(), u64::from(DELIVERIES_MAX), "it was not run again");
    assert!(house.memory.open_orders().is_empty());
}

#[tokio::test(start_paused = true)]
async fn slow_steps_get_heartbeats_and_short_ones_none() {
    let house = House::open(8).await;
    let slow = house.order_for(Duration::from_secs(600), json!({"sleep_ms": 100_000}));
    let short = house.order(json!({"sleep_ms": 9_000}));
    sleep(Duration::from_secs(110)).await;

    let beats = |of| house.memory.events().iter().filter(|e| **e == Event::Beat(of)).count();
    assert!((6..=10).contains(&beats(slow)), "{}", beats(slow));
    assert_eq!(beats(short), 0);
    assert_eq!((house.begun(), house.snapshot().await.redelivered), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn no_heartbeat_keeps_a_step_beyond_its_time() {
    let house = House::open(8).await;
    house.memory.world().flags.reports_hang = true;
    let stuck = house.order(json!("never reported"));
    sleep(Duration::from_secs(200)).await;

    let count = |wanted| house.memory.events().iter().filter(|e| **e == wanted).count();
    assert!((3..=6).contains(&count(Event::Beat(stuck))), "{}", count(Event::Beat(stuck)));
    assert!(count(Event::Delivered(stuck)) > 1, "the broker gives it to whoever asks");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_has_settled_meanwhile_is_not_reported() {
    let house = House::open(8).await;
    let slow = house.order_for(Duration::from_secs(600), json!({"sleep_ms": 40_000}));
    let short = house.order(json!({"sleep_ms": 5_000}));
    sleep(SOON).await;
    house.memory.settle(slow);
    house.memory.settle(short);
    sleep(SOON * 60).await;

    // Of a short one nobody asks: it was never anybody else's.
    assert_eq!(house.memory.reports().len(), 1);
    let snapshot = house.snapshot().await;
    assert_eq!((snapshot.reported, snapshot.late, snapshot.running), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn no_more_steps_run_than_in_flight_allows_even_if_the_bus_hands_out_more() {
    let memory = Memory::default();
    memory.world().flags.ignores_in_flight = true;
    let house = House::on(memory, 3).await;
    for _ in 0..20 {
        house.order(json!({"sleep_ms": 100}));
    }
    sleep(Duration::from_secs(5)).await;
    assert_eq!(house.memory.reports().len(), 20);
    assert_eq!(house.calls.peak.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_comes_again_while_its_step_runs_is_not_run_twice() {
    let house = House::open(8).await;
    house.memory.world().flags.delivers_twice = true;
    let order = house.order(json!({"sleep_ms": 5_000}));
    sleep(SOON).await;
    house.memory.redeliver(order);
    sleep(Duration::from_secs(10)).await;

    assert_eq!((house.begun(), house.memory.reports().len()), (1, 1));
    assert_eq!((house.snapshot().await.redelivered, house.memory.open_orders()), (3, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_time_is_over_is_dropped_settled_and_not_reported() {
    let house = House::open(8).await;
    house.order_for(Duration::from_secs(2), json!({"sleep_ms": 60_000}));
    house.order_for(Duration::ZERO, json!("too late already"));
    sleep(Duration::from_secs(3)).await;
    assert_eq!(house.calls.now.load(Ordering::SeqCst), 0, "the runner is dropped");
    assert_eq!((house.begun(), house.memory.reports().len()), (1, 0));
    assert!(house.memory.open_orders().is_empty());
    assert_eq!(house.snapshot().await.out_of_time, 2);
}

#[tokio::test(start_paused = true)]
async fn a_look_for_an_earlier_report_ends_with_the_step_and_nothing_is_begun() {
    let house = House::open(8).await;
    house.memory.world().flags.looks_hang = true;
    let order = house.memory.order_after(1, Work { time: SOON * 5, ..Work::of(&name()) });
    sleep(SOON * 4).await;
    assert_eq!((house.begun(), house.memory.open_orders()), (0, vec![order]));
    sleep(SOON * 2).await;
    assert_eq!((house.begun(), house.memory.open_orders()), (0, vec![]));
    assert_eq!((house.snapshot().await.out_of_time, house.memory.reports().len()), (1, 0));

    // And whoever waits for that hears of the task's end.
    let order = house.memory.order_after(1, Work::of(&name()));
    sleep(SOON).await;
    house.memory.end_task(order);
    sleep(SOON).await;
    assert_eq!((house.snapshot().await.stopped, house.memory.open_orders()), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_was_reported_before_is_settled_and_not_begun_again() {
    let house = House::open(8).await;
    let order = house.memory.order_after(1, Work::of(&name()));
    house.memory.report_unsettled(order);
    sleep(SOON).await;
    let is_settled = house.memory.events().contains(&Event::Done(order));
    assert_eq!((is_settled, house.begun(), house.snapshot().await.late), (true, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_pack_that_is_applied_late_is_waited_for() {
    let house = House::open(8).await;
    house.memory.order(Work { revision: "r2".into(), ..Work::of(&name()) });
    sleep(Duration::from_secs(5)).await;
    assert_eq!(house.begun(), 0);
    house.memory.apply(&name(), "r2", &[(&name(), Runtime::Echo)]).unwrap();
    sleep(Duration::from_secs(5)).await;
    assert_eq!((house.begun(), house.memory.open_orders()), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_pack_that_never_comes_is_a_failed_report() {
    let house = House::open(8).await;
    house.memory.order(Work { revision: "nowhere".into(), ..Work::of(&name()) });
    sleep(Duration::from_secs(60)).await;
    let [report] = &house.memory.reports()[..] else { panic!("one report") };
    let Outcome::Failed(failure) = &report.outcome else { panic!("{report:?}") };
    assert_eq!(failure.message, "pack worker of revision nowhere: it was never applied here");
}

#[tokio::test(start_paused = true)]
async fn a_malformed_order_is_kept_and_then_settled() {
    let house = House::open(8).await;
    house.memory.world().flags.burials_fail = true;
    let order = house.memory.order_malformed(&name());
    sleep(Duration::from_millis(50)).await;
    assert_eq!(house.memory.open_orders(), [order]);
    house.memory.world().flags.burials_fail = false;
    sleep(Duration::from_secs(5)).await;
    let events = house.memory.events();
    assert_eq!(events[1..], [Event::Buried(order.to_string()), Event::Done(order)]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_subscription_is_opened_anew_without_a_restart() {
    let memory = Memory::default();
    memory.world().flags.refuses_subscriptions = true;
    let house = House::on(memory, 8).await;
    assert!(!house.role.subscribed(Duration::from_secs(600)).await);
    house.memory.world().flags.refuses_subscriptions = false;
    assert!(house.role.subscribed(Duration::from_secs(10)).await);
    house.memory.world().flags.inbox_breaks = 20;
    house.order_for(Duration::from_secs(600), json!("in the end"));
    sleep(Duration::from_secs(600)).await;
    assert_eq!(house.memory.reports().len(), 1);
    let snapshot = house.supervisor.inspect(SOON).await.unwrap();
    assert_eq!(snapshot.children[0].restarts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_broken_role_is_restarted_within_its_budget_and_then_parked() {
    let house = House::open(8).await;
    house.memory.world().flags.inbox_panics = 2;
    house.order(json!("after two restarts"));
    sleep(Duration::from_secs(5)).await;
    let child = house.supervisor.inspect(SOON).await.unwrap().children.remove(0);
    assert_eq!((child.state, child.restarts), (ChildState::Running, 2));
    assert_eq!(house.memory.reports().len(), 1);

    house.memory.world().flags.inbox_panics = 100;
    sleep(Duration::from_secs(30)).await;
    let child = house.supervisor.inspect(SOON).await.unwrap().children.remove(0);
    assert_eq!((child.state, child.restarts), (ChildState::Parked, 3));
    assert_eq!(child.last_error.as_deref(), Some("pump panicked: inbox panics as told"));
    assert!(!house.role.subscribed(SOON).await);
}

#[tokio::test(start_paused = true)]
async fn stopping_lets_steps_in_flight_end_and_takes_no_more() {
    let house = House::open(8).await;
    house.order(json!({"sleep_ms": 15_000}));
    sleep(SOON).await;
    let stopping = crate::task::spawn("stop", {
        let supervisor = house.supervisor.clone();
        async move { supervisor.stop().await }
    });
    sleep(SOON).await;
    let late = house.order(json!("after the bell"));
    stopping.await.unwrap();
    assert_eq!((house.memory.reports().len(), house.memory.open_orders()), (1, vec![late]));
    let beats = house.memory.events().iter().filter(|e| **e == Event::Beat(1)).count();
    assert_eq!(beats, 1, "the broker hears of it while it drains");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_does_not_end_is_abandoned_unsettled() {
    let house = House::open(8).await;
    house.order(json!({"sleep_ms": 3_000_000}));
    sleep(SOON).await;
    house.supervisor.stop().await;
    assert_eq!((house.memory.reports().len(), house.memory.open_orders()), (0, vec![1]));
}

#[tokio::test(start_paused = true)]
async fn roles_that_stop_together_drain_together() {
    let memory = Memory::default();
    let worker =
        Worker::new(memory.clone(), memory.clone(), Obedient::default(), WorkerOptions::default());
    let names = ["first", "second", "third"].map(|name| Name::new(name).unwrap());
    memory.apply(&name(), "r1", &[]).unwrap();
    let children = names.each_ref().map(|name| worker.role(name.clone()).1);
    let options = Options { stop: StopOrder::Together, ..Options::default() };
    let supervisor = Supervisor::start("test", options, children.into(), None).await.unwrap();
    for name in &names {
        memory.order(Work { input: json!({"sleep_ms": 15_000}), ..Work::of(name) });
    }
    sleep(SOON).await;
    let begun = Instant::now();
    supervisor.stop().await;
    assert_eq!(memory.reports().len(), 3);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn heavy_work_leaves_the_thread_and_its_panic_comes_back() {
    let here = std::thread::current().id();
    let place = || std::thread::current().id();
    assert_eq!(compute(INLINE_BYTES_MAX, place).await, here);
    assert_ne!(compute(INLINE_BYTES_MAX + 1, place).await, here);
    let heavy = compute(INLINE_BYTES_MAX + 1, || panic!("heavy"));
    let caught = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(heavy)).await;
    assert!(caught.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_task_has_ended_is_given_up_and_its_siblings_go_on() {
    let house = House::open(8).await;
    let ended = house.order(json!({"sleep_ms": 50_000}));
    house.order(json!({"sleep_ms": 500}));
    sleep(Duration::from_millis(10)).await;
    house.memory.end_task(ended);
    sleep(Duration::from_millis(10)).await;
    assert_eq!((house.snapshot().await.stopped, house.snapshot().await.running), (1, 1));
    assert!(house.memory.events().contains(&Event::Done(ended)), "it is settled");
    sleep(SOON).await;
    assert_eq!((house.memory.reports().len(), house.begun()), (1, 2), "it is not reported");
}
