//! Where the HTTP side listens, and whose credentials count there.

use std::net::SocketAddr;

use cadre_edge::http::JwtOptions;

use super::Environment;

/// Whose JWTs count: `iss`.
pub(super) const OIDC_ISSUER: &str = "CADRE_OIDC_ISSUER";

/// What they must be for: `aud`.
pub(super) const OIDC_AUDIENCE: &str = "CADRE_OIDC_AUDIENCE";

/// Where the issuer's keys are.
pub(super) const OIDC_JWKS_URL: &str = "CADRE_OIDC_JWKS_URL";

/// The claim that names the tenant.
pub(super) const OIDC_TENANT_CLAIM: &str = "CADRE_OIDC_TENANT_CLAIM";

/// The claim that names the role.
pub(super) const OIDC_ROLE_CLAIM: &str = "CADRE_OIDC_ROLE_CLAIM";

/// The claim that lets its holder see every tenant.
pub(super) const OIDC_FLEET_CLAIM: &str = "CADRE_OIDC_FLEET_CLAIM";

/// Where webhooks may be.
pub(super) const WEBHOOKS: &str = "CADRE_WEBHOOKS";

/// Proxies that are believed when they say whom they speak for.
pub(super) const TRUSTED_PROXIES: &str = "CADRE_TRUSTED_PROXIES";

/// Where the HTTP side listens, and whose credentials count there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EdgeSettings {
    /// Where to listen; `None` leaves it to the command.
    pub address: Option<SocketAddr>,
    /// Whether everybody must say who they are; `None` leaves it to the command.
    pub is_closed: Option<bool>,
    /// The issuer of JWTs; `None` when only API tokens count.
    pub oidc: Option<JwtOptions>,
    /// Where webhooks may be, as it was written; `None` leaves it to the command.
    pub webhooks: Option<String>,
    /// Proxies in front, as they were written; `None` for none.
    pub trusted_proxies: Option<String>,
}

/// The issuer as the environment names it; without an audience there is none.
pub(super) fn oidc(environment: &Environment) -> Option<JwtOptions> {
    Some(JwtOptions {
        issuer: environment.text(OIDC_ISSUER)?,
        audience: environment.text(OIDC_AUDIENCE)?,
        jwks_url: environment.text(OIDC_JWKS_URL),
        tenant_claim: environment.text(OIDC_TENANT_CLAIM).unwrap_or_else(|| "tenant".to_owned()),
        role_claim: environment.text(OIDC_ROLE_CLAIM).unwrap_or_else(|| "cadre_role".to_owned()),
        fleet_claim: environment.text(OIDC_FLEET_CLAIM),
    })
}
