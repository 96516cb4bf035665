//! An orchestrator that comes later takes its share of the partitions.

use std::sync::Arc;

use cadre_core::ids::Name;
use cadre_nats::{bus::JetStreamBus, owners};
use cadre_runtime::task::Linked;

/// Takes it once, beside everything else: until then the others do the work.
pub(super) fn take(bus: &JetStreamBus, own: &Name) -> Arc<Linked> {
    let (bus, own) = (bus.clone(), own.clone());
    Arc::new(Linked::spawn("share of partitions", async move {
        if let Err(error) = owners::take_share(&bus, &own).await {
            tracing::warn!(%error, "no share of the partitions was taken, the others keep them");
        }
    }))
}
