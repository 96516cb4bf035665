//! A fair share of the partitions for an orchestrator that comes when others are there.
//!
//! A pinned consumer stays with its owner for as long as that one pulls, so a newcomer would own nothing until
//! somebody dies. Once the newcomer waits for inputs beside the owners, it ends the ownership of as many
//! partitions as are its share; the broker pins whoever has waited longest without a pin, which is the newcomer.
//! Ownership is an optimisation: records in flight at that moment are refused or found, like at any takeover.

use std::time::Duration;

use async_nats::jetstream::stream::Stream;
use cadre_core::{
    fleet::Member,
    ids::{Name, Partition},
    ports::BusError,
};
use tokio::time::sleep;

use crate::{bus::JetStreamBus, fleet::Fleet};

/// The service that owns partitions.
const ORCHESTRATOR: &str = "orchestrator";

/// The group of `nats/consumers/partition.yaml`.
const OWNER: &str = "owner";

/// The pause between looks at who waits for inputs.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Looks before a partition is left to its owner: nobody pulls beside it.
const LOOKS_MAX: u32 = 100;

/// Takes a share of the partitions for the orchestrator `own` from the others; how many were freed for it.
///
/// Freeing more than once, or for somebody who does not pull, does no harm.
///
/// # Errors
/// [`BusError`] when the broker does not answer; what was freed until then stays so.
pub async fn take_share(bus: &JetStreamBus, own: &Name) -> Result<usize, BusError> {
    let streams = bus.streams();
    let fleet = Fleet::open(&streams.js, streams.clock.clone()).await?;
    let partitions: Vec<Partition> = streams.topology.partitions.all().collect();
    let mut freed = 0;
    for partition in share(&partitions, &fleet.members().await?, own) {
        let name = streams.name("CADRE_IN", partition);
        let stream = streams.js.get_stream(name.as_str()).await;
        let stream = stream.map_err(|error| BusError::Unavailable(format!("{name}: {error}")))?;
        freed += usize::from(free(&stream, &format!("p{partition}")).await?);
    }
    if freed > 0 {
        tracing::info!(freed, "partitions were taken over from other orchestrators");
    }
    Ok(freed)
}

/// The partitions to take: as many as each orchestrator should have, from a place that differs between
/// newcomers, so that those who come together take different ones.
fn share(partitions: &[Partition], members: &[Member], own: &Name) -> Vec<Partition> {
    let serves = |member: &&Member| member.services.iter().any(|service| service == ORCHESTRATOR);
    let others = members.iter().filter(serves).filter(|member| member.id != *own).count();
    if others == 0 {
        return Vec::new();
    }
    let first = own
        .as_str()
        .bytes()
        .fold(0, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let share = partitions.len() / (others + 1);
    let from = first.checked_rem(partitions.len()).unwrap_or_default();
    partitions.iter().cycle().skip(from).take(share).copied().collect()
}

/// Ends the ownership of a partition as soon as somebody waits beside its owner.
async fn free(stream: &Stream, consumer: &str) -> Result<bool, BusError> {
    let failed = |error: &dyn std::fmt::Display| {
        BusError::Unavailable(format!("consumer {consumer}: {error}"))
    };
    for _ in 0..LOOKS_MAX {
        let info = stream.consumer_info(consumer).await.map_err(|error| failed(&error))?;
        if info.num_waiting > 1 {
            let freed = stream.unpin_consumer(consumer, OWNER).await;
            return freed.map(|()| true).map_err(|error| failed(&error));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use cadre_proto::RELEASE;

    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn a_newcomer_takes_what_would_be_its_share() {
        let member =
            |id: &str, service: &str| Member::new(name(id), &RELEASE, vec![service.to_owned()]);
        let partitions: Vec<_> = (0..4).map(Partition).collect();
        let own = member("pod-b", ORCHESTRATOR);
        let share = |others: &[Member]| {
            let members = [others, std::slice::from_ref(&own)].concat();
            super::share(&partitions, &members, &own.id)
        };
        let (first, agent) = (member("pod-a", ORCHESTRATOR), member("pod-c", "agent"));
        assert_eq!(share(&[]), []);
        assert_eq!(share(std::slice::from_ref(&agent)), []);
        let two = share(&[first.clone(), agent]);
        assert_eq!(two.len(), 2);
        assert_ne!(two[0], two[1]);
        let many: Vec<_> = (0..4).map(|it| member(&format!("pod-a{it}"), ORCHESTRATOR)).collect();
        assert_eq!(share(&many), [], "each other one has a partition of its own");
    }
}
