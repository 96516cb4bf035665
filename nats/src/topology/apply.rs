//! Makes a broker as declared: deletions that were allowed, then streams, then consumers.
//!
//! Two appliers at once are harmless: each step is idempotent, and who loses a race compares again.

use async_nats::jetstream::Context;
use futures::future::try_join_all;

use crate::topology::{
    Topology, TopologyError,
    api::{ApiError, Upsert, delete, put_consumer, put_stream},
    declaration::DeclarationError,
    diff::{Action, Change, DiffError, Kind, Step, plan},
};

/// Comparisons before giving up: each further one means that somebody else changed something meanwhile.
const ROUNDS_MAX: usize = 8;

/// Why the broker is not as declared.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// No broker can have that topology.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// This build is broken.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    /// Something would be destroyed; nothing was changed.
    #[error("apply without destroying: {}; allow it explicitly if that is meant", list(.0))]
    Destructive(Vec<Change>),
    /// The broker did not answer, or refused; applying again is harmless.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Somebody else kept changing the same things.
    #[error("apply: the bus still differs after {ROUNDS_MAX} rounds ({}); is somebody else changing it?", list(.0))]
    Unsettled(Vec<Change>),
}

impl From<DiffError> for ApplyError {
    fn from(error: DiffError) -> Self {
        match error {
            DiffError::Topology(error) => Self::Topology(error),
            DiffError::Declaration(error) => Self::Declaration(error),
            DiffError::Api(error) => Self::Api(error),
        }
    }
}

fn list(changes: &[Change]) -> String {
    changes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

/// Makes the broker as declared for `topology` and returns what was done; nothing when it is so already.
///
/// What somebody added by hand ([`Action::Unmanaged`]) is left alone and named in the result. Returns when every
/// stream and consumer can be used. Cancellation: what was done stays done; applying again does the rest.
///
/// # Errors
/// [`ApplyError::Destructive`] names every change that would lose something, unless `allow_destructive`.
pub async fn apply(
    js: &Context,
    topology: &Topology,
    allow_destructive: bool,
) -> Result<Vec<Change>, ApplyError> {
    let mut done = Vec::new();
    let mut left = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let steps = plan(js, topology).await?;
        let (unmanaged, steps): (Vec<Step>, Vec<Step>) =
            steps.into_iter().partition(|step| step.change.action == Action::Unmanaged);
        if steps.is_empty() {
            done.extend(unmanaged.into_iter().map(|step| step.change));
            return Ok(done);
        }
        let changes: Vec<Change> = steps.iter().map(|step| step.change.clone()).collect();
        if !allow_destructive {
            let is_danger = |change: &&Change| !change.dangers.is_empty();
            let dangers: Vec<Change> = changes.iter().filter(is_danger).cloned().collect();
            if !dangers.is_empty() {
                return Err(ApplyError::Destructive(dangers));
            }
        }
        match execute(js, &steps).await {
            Ok(()) => {
                // Everything was confirmed, so a second look would only find the same.
                done.extend(changes);
                done.extend(unmanaged.into_iter().map(|step| step.change));
                return Ok(done);
            }
            Err(ApiError::Exists { .. } | ApiError::NotFound { .. }) => left = changes,
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApplyError::Unsettled(left))
}

async fn execute(js: &Context, steps: &[Step]) -> Result<(), ApiError> {
    let of = |kind: Kind, actions: &'static [Action]| {
        steps.iter().filter(move |step| {
            step.change.resource.kind == kind && actions.contains(&step.change.action)
        })
    };
    let away = &[Action::Delete, Action::Recreate];
    try_join_all(of(Kind::Consumer, away).map(|step| remove(js, step))).await?;
    try_join_all(of(Kind::Stream, away).map(|step| remove(js, step))).await?;
    // Updates first: what one stream stops taking another may take.
    try_join_all(of(Kind::Stream, &[Action::Update]).map(|step| put(js, step))).await?;
    let new = &[Action::Create, Action::Recreate];
    try_join_all(of(Kind::Stream, new).map(|step| put(js, step))).await?;
    let all = &[Action::Create, Action::Recreate, Action::Update];
    try_join_all(of(Kind::Consumer, all).map(|step| put(js, step))).await?;
    Ok(())
}

async fn remove(js: &Context, step: &Step) -> Result<(), ApiError> {
    let resource = &step.change.resource;
    tracing::warn!(%resource, "deleted from the bus");
    match &resource.consumer {
        None => delete(js, &format!("STREAM.DELETE.{}", resource.stream)).await,
        Some(name) => delete(js, &format!("CONSUMER.DELETE.{}.{name}", resource.stream)).await,
    }
}

async fn put(js: &Context, step: &Step) -> Result<(), ApiError> {
    let resource = &step.change.resource;
    let is_update = step.change.action == Action::Update;
    match &resource.consumer {
        None => {
            let verb = if is_update { "UPDATE" } else { "CREATE" };
            put_stream(js, verb, &resource.stream, &step.config).await
        }
        Some(name) => {
            let action = if is_update { Upsert::Update } else { Upsert::Create };
            put_consumer(js, (&resource.stream, name), &step.config, action).await
        }
    }
}
