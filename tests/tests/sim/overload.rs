//! A role with too much to do: goals wait at the intake, and what waits too long is refused.

use std::{sync::Arc, time::Duration};

use cadre_core::ids::{Name, Partitions};
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
        world::{BEGIN, Logged, World},
    },
};

/// The pack's deadline: as long as its tasks may take, its goals may wait.
const DEADLINE_MS: u64 = 300_000;

/// A goal that finds its role crowded for so long; the world once it is answered or refused.
fn crowded_for(ms: u64) -> Arc<Shared> {
    run(1, async move {
        let mut world = World::new(1, Faults::calm(), Partitions::new(1));
        world.crowded = Some((Name::new("echoes-r1").expect("a name"), BEGIN.0 + ms));
        let shared = Shared::new(world);
        let packs = packs(&[pipeline("echoes", 1)]);
        let doer = Doer::BuiltIn(Default::default());
        let deployment =
            Deployment { shared: Arc::clone(&shared), packs, doer, cached_tasks: 1_024 };
        drop(tokio::spawn(Arc::clone(&shared).drive()));
        for kind in [Kind::Orchestrator, Kind::Worker] {
            Process::new(kind, 0).start(&deployment).await;
        }
        let [tenant, workflow] = ["acme", "echoes"].map(|name| Name::new(name).expect("a name"));
        let (key, input, headers) = ("late".to_owned(), "{}".to_owned(), Vec::new());
        let goal = Wanted { tenant, workflow, key, input, headers };
        goal.publish(&shared);
        let tasks = [goal.task()];
        assert!(at_rest(&shared, &tasks, Duration::from_secs(600)).await, "it comes to rest");
        let verdict = facts::check(&shared.world(), &deployment.packs, &tasks);
        assert_eq!(verdict.violations, []);
        shared
    })
}

#[test]
fn a_goal_that_waits_for_longer_than_its_task_may_take_is_refused_as_overloaded() {
    let shared = crowded_for(2 * DEADLINE_MS);
    let world = shared.world();
    assert!(world.tasks.is_empty() && world.answers.is_empty());
    let [(tenant, document)] = world.rejected.as_slice() else {
        panic!("told once: {:?}", world.rejected)
    };
    let document = document.value();
    assert_eq!((tenant.as_str(), &document["code"]), ("acme", &"overloaded".into()));
    assert_eq!(document["key"], "late");
    let message = document["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("role echoes-r1") && message.contains("run more workers"),
        "{message}"
    );
    let letters = world.log.iter().filter_map(|entry| match &entry.content {
        Logged::Letter(letter) => Some(letter.reason.as_str()),
        Logged::Record(_) => None,
    });
    let letters: Vec<_> = letters.collect();
    assert!(letters.len() == 1 && letters[0].starts_with("overloaded: "), "{letters:?}");
}

#[test]
fn a_goal_that_finds_room_in_time_is_done() {
    let shared = crowded_for(DEADLINE_MS / 2);
    let world = shared.world();
    assert!(world.rejected.is_empty(), "{:?}", world.rejected);
    let [(at, answer)] = world.answers.as_slice() else { panic!("{:?}", world.answers) };
    assert_eq!(answer.document.value()["status"], "completed");
    assert!(*at >= BEGIN.0 + DEADLINE_MS / 2, "nothing begins while there is no room");
}
