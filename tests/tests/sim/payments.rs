//! What a task owes is paid again when its log is read, and not when it was paid before.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    ids::{Name, Partitions},
    payload::Payload,
    task::{Action, Control, Input},
};
use cadre_tests::{
    packs::pipeline,
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
