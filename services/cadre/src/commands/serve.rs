//! `cadre serve`: the services of one pod.

use std::{net::SocketAddr, path::PathBuf};

use cadre_agent::RoleSelection;
use cadre_core::ids::Name;
use cadre_nats::Grouping;
use cadre_runtime::shutdown::Shutdown;
use clap::{Args, ValueEnum};

use crate::{
    broker,
    commands::http::{HttpArgs, Otherwise},
    exit::{Code, Failure},
    figures, output,
    settings::Settings,
    stack::{Stack, StackOptions},
};

/// Run services on a broker that exists.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre serve --nats nats://broker:4222                                  every service in one process
  cadre serve --role orchestrator                                        one pod of each kind
  cadre serve --role agent --agents extractor,validator
  cadre serve --role aggregator --metrics 0.0.0.0:9464                   with a page for Prometheus
  cadre serve --role edge --http 0.0.0.0:7700                            API for programs; wants API tokens
  ANTHROPIC_API_KEY=... cadre serve --role inference                     the only pods with provider keys

Providers of models: ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY; any OpenAI-compatible server by
CADRE_PROVIDERS=name=url,name=url; keys also by CADRE_PROVIDER_<NAME>_KEY or CADRE_PROVIDER_<NAME>_KEY_FILE.
How fast they are asked, by all gateways together (requests and tokens a minute):
CADRE_MODEL_RATES=anthropic/claude-sonnet-4-6=50rpm:40000tpm,openai=500rpm,tenant:acme=20rpm,tenant:*=60rpm")]
pub(crate) struct ServeArgs {
    /// Services of this process.
    #[arg(long, value_delimiter = ',', default_value = "orchestrator,agent,aggregator,inference")]
    role: Vec<Role>,
    /// Agent roles; default: every built-in role of every pack.
    #[arg(long, value_delimiter = ',', value_name = "ROLE")]
    agents: Vec<Name>,
    /// Steps of each role held at once.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    in_flight: u16,
    /// Publish in atomic batches: for a broker of one replica with `sync_interval: always`, and slower on
    /// any other.
    #[arg(long)]
    group_commits: bool,
    #[command(flatten)]
    http: HttpArgs,
    /// With --role edge: where the read model is kept, so that it need not be built anew at each start.
    #[arg(long, value_name = "FILE")]
    read_model: Option<PathBuf>,
    /// Show figures for Prometheus at http://ADDR/metrics; port 0 is any free one [env: CADRE_METRICS].
    #[arg(long, value_name = "ADDR")]
    metrics: Option<SocketAddr>,
}

/// One kind of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Owns tasks.
    Orchestrator,
    /// Runs agent roles.
    Agent,
    /// The final gate.
    Aggregator,
    /// Asks models for the roles.
    Inference,
    /// Serves HTTP; in no process that does not name it.
    Edge,
}

impl ServeArgs {
    /// Where figures are to be seen; `None` nowhere.
    pub(crate) fn page(&self, settings: &Settings) -> Option<SocketAddr> {
        self.metrics.or(settings.metrics)
    }

    /// Whether figures are to be seen anywhere: on a page of their own, or beside the dashboard.
    pub(crate) fn has_page(&self, settings: &Settings) -> bool {
        self.page(settings).is_some() || self.role.contains(&Role::Edge)
    }

    /// What this process is called beside others: by its service if it has one only.
    pub(crate) fn service(&self) -> &'static str {
        match self.role.split_first() {
            Some((first, others)) if others.iter().all(|role| role == first) => match first {
                Role::Orchestrator => "cadre-orchestrator",
                Role::Agent => "cadre-agent",
                Role::Aggregator => "cadre-aggregator",
                Role::Inference => "cadre-inference",
                Role::Edge => "cadre-edge",
            },
            Some(_) | None => "cadre",
        }
    }
}

pub(crate) async fn run(args: ServeArgs, settings: &Settings) -> anyhow::Result<()> {
    let shutdown = Shutdown::new();
    shutdown.listen()?;
    let roles = args.role.clone();
    let has = |role| roles.contains(&role);
    let agents = match (has(Role::Agent), args.agents.is_empty()) {
        (false, true) => None,
        (false, false) => {
            let text = "--agents names roles for the service `agent`, which --role leaves out";
            return Err(Failure::new(Code::Usage, text).into());
        }
        (true, true) => Some(RoleSelection::All),
        (true, false) => Some(RoleSelection::Named(args.agents.clone())),
    };
    let options = StackOptions {
        orchestrator: has(Role::Orchestrator),
        watch: cadre_core::watch::Settings::default(),
        agents,
        aggregator: has(Role::Aggregator),
        inference: has(Role::Inference).then(|| settings.models.clone()),
        breakers: cadre_core::breaker::Settings::default(),
        edge: match has(Role::Edge) {
            true => Some(args.http.plan(settings, Otherwise::Closed, args.read_model.clone())?),
            false => None,
        },
        in_flight: args.in_flight.into(),
        grouping: if args.group_commits { Grouping::On } else { Grouping::Off },
    };
    let page = figures::open(args.page(settings)).await?;
    let connection = broker::connect_to(settings, "serve").await?;
    let stack = Stack::start(&connection, options).await?;
    figures::say(page.as_ref());
    if let Some(address) = stack.http() {
        output::say(&format!("http://{address}"));
    }
    output::say("ready");
    let outcome = tokio::select! {
        () = shutdown.triggered() => Ok(()),
        why = stack.expelled() => Err(why),
    };
    output::say("stopping");
    tokio::select! {
        () = stack.stop() => {}
        () = shutdown.forced() => {}
    }
    outcome
}
