//! The three jobs that talk to the board. Each outlives any gap of the bus.

use std::{sync::Arc, time::Duration};

use cadre_core::{
    breaker::{
        Target,
        port::{BreakerBoard, PostError},
    },
    ports::{BusError, Inbox as _},
};
use futures::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self},
};

use super::shared::Shared;
use crate::{backoff::Backoff, supervise::JobResult};

/// How often a pod says that it lives; a third of what it is given.
const BEAT_EVERY: Duration = Duration::from_secs(10);

/// Bounds of the pause before the board is tried again: short, since the fleet hears within a second.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// While something is open: how late it is noticed that its time is over.
const TICK: Duration = Duration::from_millis(250);

/// Rounds of paying are at least so far apart, however many calls are refused.
const PACE: Duration = Duration::from_millis(50);

/// Debts that are paid at the same time.
const PAYMENTS_MAX: usize = 8;

/// Lost races of one payment before the next round tries again.
const RACES_MAX: u32 = 5;

pub(super) type Job = BoxFuture<'static, JobResult>;

/// Learns what the others say.
pub(super) fn watch<B: BreakerBoard>(shared: Arc<Shared>, board: B) -> Job {
    async move {
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        loop {
            if let Err(error) = follow(&shared, &board, &mut backoff).await {
                tracing::debug!(%error, "lost the breakers' board; watching it again");
            }
            backoff.pause().await;
        }
    }
    .boxed()
}

async fn follow<B: BreakerBoard>(
    shared: &Shared,
    board: &B,
    backoff: &mut Backoff,
) -> Result<(), BusError> {
    let mut watch = board.watch().await?;
    shared.forget_revisions();
    loop {
        shared.learn(watch.next().await?);
        *backoff = Backoff::new(RETRY.0, RETRY.1);
    }
}

/// Says that this pod lives.
pub(super) fn beat<B: BreakerBoard>(shared: Arc<Shared>, board: B) -> Job {
    async move {
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        loop {
            match board.beat(&shared.pod).await {
                Ok(()) => {
                    backoff = Backoff::new(RETRY.0, RETRY.1);
                    tokio::time::sleep(BEAT_EVERY).await;
                }
                Err(error) => {
                    tracing::debug!(%error, "could not tell that this pod lives");
                    backoff.pause().await;
                }
            }
        }
    }
    .boxed()
}

/// Tells the others what this process has seen, and gets the leases to probe.
pub(super) fn pay<B: BreakerBoard>(shared: Arc<Shared>, board: B) -> Job {
    async move {
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        loop {
            let debtors = stream::iter(shared.debtors());
            let payments = debtors.map(|target| {
                let (shared, board) = (Arc::clone(&shared), board.clone());
                async move { settle(&shared, &board, &target).await }
            });
            let paid: Vec<_> = payments.buffer_unordered(PAYMENTS_MAX).collect().await;
            match paid.into_iter().find_map(Result::err) {
                None => {
                    backoff = Backoff::new(RETRY.0, RETRY.1);
                    tokio::time::sleep(PACE).await;
                    shared.changed(TICK).await;
                }
                Some(error) => {
                    tracing::debug!(%error, "could not tell the fleet of a breaker");
                    backoff.pause().await;
                }
            }
        }
    }
    .boxed()
}

/// Pays what one breaker owes; alone if the board is away.
async fn settle<B: BreakerBoard>(
    shared: &Shared,
    board: &B,
    target: &Target,
) -> Result<(), BusError> {
    for _ in 0..RACES_MAX {
        let Some(debt) = shared.debt(target) else { return Ok(()) };
        let error = match board.post(&debt.hint, debt.revision).await {
            Ok(revision) => {
                shared.paid(target, debt, revision);
                continue;
            }
            Err(PostError::Conflict(_)) => match board.read(target).await {
                Ok(posted) => {
                    shared.read(target, posted);
                    continue;
                }
                Err(error) => error,
            },
            Err(PostError::Bus(error)) => error,
        };
        shared.go_alone(target);
        return Err(error);
    }
    Ok(())
}
