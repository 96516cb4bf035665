//! What commands that serve HTTP are told about it.

use std::{net::SocketAddr, path::PathBuf};

use cadre_edge::{
    http::{HttpOptions, Proxies, ProxyError},
    model::ModelOptions,
    webhooks::{Reach, ReachError},
};
use clap::{Args, ValueEnum};

use crate::{
    exit::{Code, Failure},
    settings::Settings,
    stack::EdgePlan,
};

/// Where HTTP is served, and for whom.
#[derive(Debug, Args)]
pub(crate) struct HttpArgs {
    /// Where HTTP is served; default: 127.0.0.1:7700 [env: CADRE_HTTP].
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
    /// Whether everybody must say who they are, by API token or JWT; off only at loopback addresses
    /// [env: CADRE_HTTP_AUTH].
    #[arg(long, value_name = "WHETHER")]
    http_auth: Option<Switch>,
    /// Where webhooks may be: `public` addresses over https, `any`, or `off` to send none from here; default: public
    /// [env: CADRE_WEBHOOKS].
    #[arg(long, value_name = "WHERE")]
    webhooks: Option<Reach>,
    /// Proxies in front, whose X-Forwarded-For says who comes: addresses and networks, with commas between them; default:
    /// none [env: CADRE_TRUSTED_PROXIES].
    #[arg(long, value_name = "ADDRESSES")]
    trusted_proxies: Option<Proxies>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// What counts when nobody says whether credentials are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// Everybody is let in.
    Open,
    /// Nobody without credentials.
    Closed,
}

impl HttpArgs {
    /// Where somebody wants it; `None` when nobody said.
    pub(crate) fn address(&self, settings: &Settings) -> Option<SocketAddr> {
        self.http.or(settings.edge.address)
    }

    /// How HTTP is served; `file` is where the read model is kept.
    pub(crate) fn plan(
        &self,
        settings: &Settings,
        otherwise: Otherwise,
        file: Option<PathBuf>,
    ) -> anyhow::Result<EdgePlan> {
        let said = self.http_auth.map(|switch| switch == Switch::On).or(settings.edge.is_closed);
        let is_closed = said.unwrap_or(otherwise == Otherwise::Closed);
        let mut http = HttpOptions::default();
        if let Some(address) = self.address(settings) {
            http.address = address;
        }
        if let Some(reach) = self.webhooks {
            http.webhooks = reach;
        } else if let Some(text) = &settings.edge.webhooks {
            let reach = text.parse().map_err(|error: ReachError| {
                Failure::new(Code::Usage, format!("CADRE_WEBHOOKS: {error}"))
            })?;
            http.webhooks = reach;
        }
        if let Some(proxies) = &self.trusted_proxies {
            http.proxies = proxies.clone();
        } else if let Some(text) = &settings.edge.trusted_proxies {
            http.proxies = text.parse().map_err(|error: ProxyError| {
                Failure::new(Code::Usage, format!("CADRE_TRUSTED_PROXIES: {error}"))
            })?;
        }
        let user = settings.login.clone().unwrap_or_else(|| "local".to_owned());
        Ok(EdgePlan {
            http,
            open_as: (!is_closed).then(|| (settings.tenant.clone(), user)),
            oidc: settings.edge.oidc.clone(),
            model: ModelOptions { path: file },
        })
    }
}
