//! What a task owes is paid again when its log is read, and not when it was paid before; what its attempts have
//! spent is counted, whatever ends them.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, Partitions},
    payload::Payload,
    task::{Action, Cancel, Control, Input},
};
use cadre_tests::{
    packs::{ANYTHING, pack, pipeline},
    sim::{
        at_rest,
        bus::Shared,
        facts,
        faults::Faults,
        fleet::{Deployment, Kind, Process},
        packs,
        people::Wanted,
        run,
        runner::Doer,
        world::{World, Write},
    },
};
use serde_json::json;
use tokio::time::sleep;

/// An orchestrator that takes over looks at an order while its worker is about to finish: a report that comes
/// between its looks is seen, and the work does not go out again.
#[test]
fn an_order_that_is_settled_between_two_looks_does_not_go_out_again() {
    run(1, async {
        let shared = Shared::new(World::new(1, Faults::calm(), Partitions::new(1)));
        let packs = packs(&[pipeline("echoes", 1)]);
        let doer = Doer::BuiltIn(Default::default());
        let deployment =
            Deployment { shared: Arc::clone(&shared), packs, doer, cached_tasks: 1_024 };
        drop(tokio::spawn(Arc::clone(&shared).drive()));
        let [tenant, workflow] = ["acme", "echoes"].map(|name| Name::new(name).expect("a name"));
        let (key, input, headers) = ("k".to_owned(), "{}".to_owned(), Vec::new());
        let goal = Wanted { tenant, workflow, key, input, headers };
        let tasks = [goal.task()];
        let mut orchestrator = Process::new(Kind::Orchestrator, 0);
        orchestrator.start(&deployment).await;
        goal.publish(&shared);
        while shared.world().work.messages.is_empty() {
            sleep(Duration::from_millis(50)).await;
        }
        sleep(Duration::from_secs(1)).await;
        orchestrator.crash();
        let output = Payload::from_value(json!({"n": 1})).expect("small");
        shared.world().reports_behind_look = Some(output);
        orchestrator.start(&deployment).await;
        // Somebody wants something, so the log is read.
        let (by, reason, key) = ("kim".to_owned(), String::new(), "p".to_owned());
        let wish = Input::Control(Control { by, reason, key, action: Action::Resume });
        shared.write(Write::Input(goal.task(), wish, "wish"));
        while shared.world().reports_behind_look.is_some() {
            sleep(Duration::from_millis(50)).await;
        }
        Process::new(Kind::Worker, 1).start(&deployment).await;
        assert!(at_rest(&shared, &tasks, Duration::from_secs(60)).await, "it comes to rest");
        let world = shared.world();
        assert_eq!(world.again, [""; 0], "orders behind their report");
        let called: Vec<_> = world.calls.keys().map(|(_, step)| step.to_string()).collect();
        assert_eq!(called, [""; 0], "nobody else does the step");
        assert_eq!(world.answers[0].1.document.value()["result"], json!({"echo": {"n": 1}}));
        assert_eq!(facts::check(&world, &deployment.packs, &tasks).violations, []);
    });
}

/// Steps that must not happen twice, and that may spend something.
const SPENDERS: &str = r#"apiVersion: pack/v1
name: spenders
roles:
  payer:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/any.v1.json
    limits: {timeout: 60s, max_usd: 0.0001, max_tokens: 40}
    effects: once
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 0.01, max_tokens: 4000}
  when_limited: partial
  steps:
    one: {role: payer, with: "${ goal }"}
    two: {role: payer, with: "${ goal }"}
  result:
    one: {from: ["${ one }"], required: false}
"#;

/// Each attempt has made its call and goes on working when the task is cancelled: nobody reports it.
#[test]
fn a_cancelled_attempt_costs_what_its_journal_says() {
    run(1, async {
        let shared = Shared::new(World::new(1, Faults::calm(), Partitions::new(1)));
        let packs = packs(&[pack(SPENDERS, &[("contracts/any.v1.json", ANYTHING)])]);
        let (doer, cached_tasks) = (Doer::Stuck, 1_024);
        let deployment = Deployment { shared: Arc::clone(&shared), packs, doer, cached_tasks };
        drop(tokio::spawn(Arc::clone(&shared).drive()));
        let [tenant, workflow] = ["acme", "spenders"].map(|name| Name::new(name).expect("a name"));
        let (key, input, headers) = ("k".to_owned(), "{}".to_owned(), Vec::new());
        let goal = Wanted { tenant, workflow, key, input, headers };
        for (kind, number) in [(Kind::Orchestrator, 0), (Kind::Worker, 1)] {
            Process::new(kind, number).start(&deployment).await;
        }
        goal.publish(&shared);
        // Claim, intent and outcome of both.
        while shared.world().journals.values().map(Vec::len).sum::<usize>() < 6 {
            sleep(Duration::from_millis(50)).await;
        }
        let wish = Cancel { by: "kim".to_owned(), reason: "enough".to_owned() };
        shared.write(Write::Input(goal.task(), Input::Cancel(wish), "wish"));
        let tasks = [goal.task()];
        assert!(at_rest(&shared, &tasks, Duration::from_secs(60)).await, "it comes to rest");
        let world = shared.world();
        let answer = world.answers[0].1.document.value().clone();
        assert_eq!(answer["status"], "cancelled");
        assert_eq!((&answer["usd_micros"], &answer["tokens"]), (&json!(20), &json!(4)), "{answer}");
        assert_eq!(facts::check(&world, &deployment.packs, &tasks).violations, []);
    });
}
