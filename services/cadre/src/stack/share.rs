//! Has an orchestrator leave others their share of the partitions.

use cadre_core::limits::MEMBER_BEAT;
use cadre_nats::{bus::JetStreamBus, fleet::Fleet};
use cadre_runtime::task::Linked;
use tokio::time::sleep;

/// Counts the orchestrators again and again, for as long as the result lives.
pub(super) fn divide(fleet: Fleet, bus: &JetStreamBus) -> Linked {
    let bus = bus.clone();
    Linked::spawn("share of partitions", async move {
        loop {
            if let Err(error) = bus.divide_partitions(&fleet).await {
                tracing::info!(%error, "orchestrators were not counted");
            }
            sleep(MEMBER_BEAT).await;
        }
    })
}
