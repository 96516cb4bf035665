//! Appends whose answers are lost: many at once, each of them found in the log again.

use std::time::Duration;

use cadre_core::ids::TaskId;
use cadre_tests::{bed::Bed, gate::Gate, packs, plain, process::Process, verdict};
use futures::{StreamExt as _, stream};
use serde_json::json;
use tokio::time::{interval, timeout};

use crate::orchestrators::PACK;

/// Goals that come together.
const GOALS: usize = 300;

/// Longest wait for the broker to have what it was sent.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an orchestrator says of each append that it reads back.
const READ_BACK: &str = "record without an answer was found in the log";

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_appends_are_in_flight_and_those_without_an_answer_are_read_back() {
    let bed = Bed::new().await;
    bed.apply(&packs::pack(PACK, &[("contracts/any.v1.json", r#"{"type": "object"}"#)])).await;
    let gate = Gate::before(&bed.server.urls()[0], "CADRE_LOG_0").await;
    let variables = [("CADRE_LOG", "warn,cadre_nats::log=info")];
    let mut orchestrator =
        Process::serve_with(&gate.url(), &["--role", "orchestrator"], &variables).await;

    gate.shut();
    let publish = |number: usize| {
        let (bed, key) = (&bed, format!("goal-{number}"));
        async move { bed.publish("relay", &key, &json!({ "number": number })).await }
    };
    let tasks: Vec<TaskId> = stream::iter(0..GOALS).map(publish).buffered(64).collect().await;
    // The orchestrator has been told of none of them, so each one that is stored is in flight.
    let all = async {
        let mut look = interval(Duration::from_millis(20));
        while plain::count(&bed, "CADRE_LOG_0", "cadre.*.log.*").await < GOALS {
            look.tick().await;
        }
    };
    timeout(PATIENCE, all).await.expect("every first record is on its way before any is confirmed");
    assert_eq!(
        plain::count(&bed, "CADRE_WORK_0", "cadre.*.work.>").await,
        0,
        "unpaid, unconfirmed"
    );

    gate.cut();
    let paid = async {
        let mut look = interval(Duration::from_millis(20));
        while plain::count(&bed, "CADRE_WORK_0", "cadre.*.work.>").await < GOALS {
            look.tick().await;
        }
    };
    timeout(PATIENCE, paid).await.expect("an order for each task");
    let read_back = orchestrator.lines().iter().filter(|line| line.contains(READ_BACK)).count();
    eprintln!("{read_back} of {GOALS} appends were read back");
    assert!(read_back > 100, "{read_back}");
    for task in &tasks {
        let loaded = bed.bus.read_log(task).await.expect("a whole log");
        assert_eq!(loaded.records.len(), 1, "{task}: appended once");
    }
    assert_eq!(orchestrator.stop().await, Some(0));
    plain::emptied(&bed, "CADRE_GOALS").await;
    verdict::is_clean(&bed).await;
}
