//! What a process says of itself: which actors run in it, and under whom.

use cadre_nats::fleet::Fleet;
use cadre_tests::{
    bed::{Bed, PATIENCE},
    packs,
    shell::fine,
};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_process_says_who_supervises_what() {
    let bed = Bed::new().await;
    bed.apply(&packs::pipeline("echoes", 1)).await;
    let stack = bed.stack().await;
    let clock = bed.bus.streams().clock.clone();
    let fleet = Fleet::open(&bed.connection.js, clock).await.expect("a fleet");
    let told = async {
        loop {
            let members = fleet.members().await.expect("members");
            let rows = members.iter().flat_map(|member| &member.actors.rows);
            if rows.filter(|row| row.name == "partition-0").count() > 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("it tells");
    let listed = fine(&bed, &["bus", "members", "-o", "json"]).await.json();
    let rows: &Vec<Value> = listed.as_array().expect("rows");
    let place = |actor: &str| rows.iter().position(|row| row["actor"] == actor);
    let (top, child) = (place("orchestrator").expect("a supervisor"), place("partition-0"));
    assert!(child.expect("a partition") > top, "{rows:?}");
    assert_eq!((&rows[top]["depth"], &rows[top]["state"]), (&0.into(), &"running".into()));
    assert!(rows.iter().all(|row| row["restarts"] == 0 && row["since_ms"].is_u64()), "{rows:?}");
    stack.stop().await;
}
