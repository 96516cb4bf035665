//! Consumers of roles: made when a pack that declares the role is applied.

use async_nats::jetstream::Context;
use futures::future::try_join_all;

use cadre_core::ids::Name;

use crate::topology::{
    Topology,
    api::{ApiError, Upsert, put_consumer},
    declaration::{DeclarationError, Declarations},
    fields::fields,
    render::{self, Declared},
};

/// Why a role has no consumer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// This build is broken.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    /// The broker did not answer, or refused.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// Makes sure that `role` has a consumer on every work stream, with this fleet-wide concurrency.
///
/// With several shards each gets its share, rounded up. Idempotent.
///
/// # Errors
/// [`RoleError`]; shards that were reached keep the new value.
pub async fn ensure_role(
    js: &Context,
    topology: &Topology,
    role: &Name,
    concurrency: u32,
) -> Result<(), RoleError> {
    let declarations = Declarations::load()?;
    let declared = render::role(topology, &declarations, role, concurrency);
    let put = declared.into_iter().filter_map(|one| match one {
        Declared::Stream(_) => None,
        Declared::Consumer { stream, config } => Some(async move {
            let name = config.durable_name.clone().unwrap_or_default();
            let config = serde_json::Value::Object(fields(&config));
            put_consumer(js, (&stream, &name), &config, Upsert::Either).await
        }),
    });
    try_join_all(put).await?;
    Ok(())
}
