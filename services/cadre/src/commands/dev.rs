//! `cadre dev`: a whole deployment on one machine, for working on packs and workers.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Instant,
};

use cadre_nats::{packs::KvPacks, server::StoreDir};
use cadre_runtime::{metrics::Page, shutdown::Shutdown};
use clap::Args;

use crate::{
    broker::{self, Ground, PrivateOptions},
    commands::{
        http::{HttpArgs, Otherwise},
        pack::{apply_failure, short},
    },
    figures,
    output::{self, text::span},
    packs::BuiltIn,
    settings::Settings,
    stack::{EdgePlan, Stack, StackOptions},
};

/// The port that other commands look at when nothing else is said.
const PORT_DEFAULT: u16 = 4222;

/// Where `cadre doctor` looks for the broker's monitoring.
const MONITOR_PORT_DEFAULT: u16 = 8222;

/// Where people and programs look for the HTTP side.
const HTTP_PORT_DEFAULT: u16 = 7700;

/// Ports that are tried behind it.
const HTTP_PORTS: u16 = 10;

/// The read model's file in the folder of the store.
const READ_MODEL: &str = "read-model.sqlite";

/// The pack that is there from the start.
const PACK: &str = "contract";

/// The folder of a project that holds its store.
const PROJECT_FOLDER: &str = ".cadre";

/// Run a broker and every service here, for development; tasks are still there next time.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre dev                          keeps its store in ./.cadre if that exists, else with your data
  cadre dev --ephemeral              forgets everything at the end
  cadre dev --data ./store --port 4333
  cadre dev --http 127.0.0.1:8080
  cadre dev --nats nats://127.0.0.1:4222    the services only, on a broker that runs
  ANTHROPIC_API_KEY=... cadre dev --model anthropic/claude-haiku-4-5-20251001")]
pub(crate) struct DevArgs {
    /// Keep the store in a temporary folder that goes away.
    #[arg(long, conflicts_with = "data")]
    ephemeral: bool,
    /// Port of the broker; default: 4222, or another one if that is taken.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Where the store is kept.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    http: HttpArgs,
    /// Show figures for Prometheus at http://ADDR/metrics; default: any free port here [env: CADRE_METRICS].
    #[arg(long, value_name = "ADDR")]
    metrics: Option<SocketAddr>,
    /// Let the built-in pack ask this one, as provider/model, in place of the recorded answers: see
    /// `cadre serve --help`. The pack stays so until it is applied anew.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
}

impl DevArgs {
    /// Where figures are to be seen.
    pub(crate) fn page(&self, settings: &Settings) -> SocketAddr {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        self.metrics.or(settings.metrics).unwrap_or(free)
    }
}

pub(crate) async fn run(args: DevArgs, settings: &Settings) -> anyhow::Result<()> {
    let began = Instant::now();
    let shutdown = Shutdown::new();
    shutdown.listen()?;
    let page = figures::open(Some(args.page(settings))).await?;
    let (port, monitor_port) = (port(&args, settings), free(MONITOR_PORT_DEFAULT));
    let options = PrivateOptions {
        store: store(&args, settings),
        port,
        monitor_port,
        ..PrivateOptions::default()
    };
    let mut ground = tokio::select! {
        ground = broker::ground(settings, options, "dev") => ground?,
        () = shutdown.triggered() => return Ok(()),
    };
    let packs = broker::packs_on(&ground.connection).await?;
    apply(&packs, args.model.as_deref()).await?;
    let inference = Some(settings.models.clone());
    let edge = Some(edge(&args, settings)?);
    let options = StackOptions { inference, edge, ..StackOptions::all() };
    let stack = Stack::start(&ground.connection, options).await?;
    welcome((&ground, page.as_ref()), (&packs, stack.http()), began).await?;
    let outcome = tokio::select! {
        () = shutdown.triggered() => {
            output::say("stopping; tasks stay as they are");
            Ok(())
        }
        error = ground.failed() => Err(error),
        why = stack.expelled() => Err(why),
    };
    tokio::select! {
        () = close(stack, ground) => {}
        () = shutdown.forced() => {}
    }
    outcome
}

/// The HTTP side: at the usual port or the next one that is free, and open, since it is for this machine alone.
fn edge(args: &DevArgs, settings: &Settings) -> anyhow::Result<EdgePlan> {
    let file = match store(args, settings) {
        StoreDir::Path(folder) => Some(folder.join(READ_MODEL)),
        StoreDir::Temporary => None,
    };
    let mut plan = args.http.plan(settings, Otherwise::Open, file)?;
    if args.http.address(settings).is_none() {
        let free = (HTTP_PORT_DEFAULT..HTTP_PORT_DEFAULT + HTTP_PORTS).find_map(free);
        if free != Some(HTTP_PORT_DEFAULT) {
            output::say(&format!("port {HTTP_PORT_DEFAULT} is taken, so HTTP is at another one"));
        }
        plan.http.address.set_port(free.unwrap_or_default());
    }
    Ok(plan)
}

fn store(args: &DevArgs, settings: &Settings) -> StoreDir {
    if args.ephemeral {
        return StoreDir::Temporary;
    }
    StoreDir::Path(args.data.clone().unwrap_or_else(|| {
        default_store(Path::new(PROJECT_FOLDER).is_dir(), settings.data_dir.as_deref())
    }))
}

/// The project's own folder if there is one, else a folder of the user's, else the project's all the same.
fn default_store(has_project: bool, data_dir: Option<&Path>) -> PathBuf {
    match data_dir {
        Some(data) if !has_project => data.join("dev"),
        Some(_) | None => PathBuf::from(PROJECT_FOLDER),
    }
}

/// The usual port if it is free: then other commands need no flag.
fn port(args: &DevArgs, settings: &Settings) -> Option<u16> {
    if args.port.is_some() {
        return args.port;
    }
    let usual = free(PORT_DEFAULT);
    if usual.is_none() && settings.nats.is_none() {
        output::say(&format!("port {PORT_DEFAULT} is taken, so another one is used"));
    }
    usual
}

/// The port, unless somebody has it.
fn free(port: u16) -> Option<u16> {
    TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
}

/// Applies the pack that is built in, unless somebody has made it their own.
async fn apply(packs: &KvPacks, model: Option<&str>) -> anyhow::Result<()> {
    let Some(pack) = BuiltIn::find(PACK) else { return Ok(()) };
    let source = match model {
        Some(model) => crate::packs::asking(&pack.source(), model)?,
        None => pack.source(),
    };
    let entries = packs.ls().await?;
    let own = entries
        .iter()
        .find(|entry| BuiltIn::find(&entry.workflow).is_some_and(|it| it.folder() == PACK));
    if let Some(own) = own.filter(|own| model.is_none() && own.revision != source.revision()) {
        output::say(&format!(
            "pack {} stays at its revision {}; for the built-in one: cadre pack apply {PACK}",
            own.workflow,
            short(&own.revision)
        ));
        return Ok(());
    }
    packs.apply(&source).await.map(|_| ()).map_err(|error| apply_failure(&error))
}

async fn welcome(
    (ground, page): (&Ground, Option<&Page>),
    (packs, http): (&KvPacks, Option<SocketAddr>),
    began: Instant,
) -> anyhow::Result<()> {
    let took = span(began.elapsed());
    output::data(&format!("ready in {took} at {}", ground.url))?;
    if let Some(address) = http {
        output::say(&format!("  http     http://{address}"));
    }
    if let Some(server) = &ground.server {
        output::say(&format!("  store    {}", server.store_dir().display()));
        output::say(&format!("  monitor  {}", server.monitor_url()));
    }
    figures::say(page);
    for entry in packs.ls().await? {
        output::say(&format!("  pack     {} {}", entry.workflow, short(&entry.revision)));
    }
    let is_usual = ground.url == format!("nats://127.0.0.1:{PORT_DEFAULT}");
    let cadre = if is_usual { "cadre".to_owned() } else { format!("cadre --nats {}", ground.url) };
    output::say("\ntry in another terminal:");
    for command in [
        format!("{cadre} goal publish contract-intake -i text=@contract.txt --follow"),
        format!("{cadre} task ls"),
        format!("{cadre} bus tail"),
        format!(
            "nats -s {} pub goals.default.contract-intake '{{\"text\": \"Payment is due in 30 days.\"}}'",
            ground.url
        ),
    ] {
        output::say(&format!("  {command}"));
    }
    output::say("Ctrl-C ends it.");
    Ok(())
}

async fn close(stack: Stack, ground: Ground) {
    stack.stop().await;
    ground.close().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_the_projects_or_the_users() {
        let data = Some(Path::new("/data/cadre"));
        assert_eq!(default_store(true, data), Path::new(".cadre"));
        assert_eq!(default_store(false, data), Path::new("/data/cadre/dev"));
        assert_eq!(default_store(false, None), Path::new(".cadre"));
    }
}
