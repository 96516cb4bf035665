//! `cadre webhook`: who is told of the ends of tasks over HTTP.

use cadre_core::{
    ids::Name,
    ports::desk::{Desk as _, DeskError},
    webhook::{Message, Outcome, Secret, State, Webhook},
};
use cadre_edge::webhooks::{Reach, Sender, check};
use cadre_nats::desk::JetStreamDesk;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use crate::{
    commands::client::{Client, now, unavailable, unfit},
    exit::{Code, Failure},
    output::{
        self, Format, Listing, OutputArgs,
        text::{brief, clean, span},
    },
    settings::Settings,
};

/// Characters of an address in a table; `-o json` has all of it.
const URL_CHARS: usize = 60;

/// See, make, change, remove and try webhooks, which tell programs of the ends of tasks.
///
/// Processes that serve HTTP POST each end of a tenant's tasks to its webhooks, signed by Standard Webhooks
/// (webhook-id, webhook-timestamp, webhook-signature). What is not answered with 2xx within 10 s is tried again for a
/// day, so the same webhook-id may come more than once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre webhook add https://example.com/cadre --tenant acme
  cadre webhook ls
  cadre webhook test wh3f2a9c41b07e1122
  cadre webhook rotate wh3f2a9c41b07e1122
  cadre webhook rm wh3f2a9c41b07e1122")]
pub(crate) struct WebhookArgs {
    #[command(subcommand)]
    command: WebhookCommand,
}

#[derive(Debug, Subcommand)]
enum WebhookCommand {
    /// List webhooks and how they go, the oldest first; their secrets are not shown.
    #[command(after_help = "\
Examples:
  cadre webhook ls
  cadre webhook ls -o json | jq '.[] | select(.state == \"failing\")'")]
    Ls(OutputArgs),
    Add(AddArgs),
    Rotate(RotateArgs),
    Rm(RmArgs),
    Test(TestArgs),
}

/// Tell a program of the ends of tasks of --tenant from now on, and print what messages are signed with: it cannot be
/// shown again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre webhook add https://example.com/cadre --tenant acme
  cadre webhook add https://example.com/orders --workflow order -o json
  cadre webhook add http://127.0.0.1:8080/ --private    with cadre dev --webhooks any")]
struct AddArgs {
    /// Where to send: https, and a public address.
    url: String,
    /// Only ends of this workflow.
    #[arg(long, value_name = "NAME")]
    workflow: Option<Name>,
    /// Take private addresses and plain http as well; what serves must be told so, too (--webhooks any).
    #[arg(long)]
    private: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Give a webhook a new secret, and print it: it cannot be shown again. For a day messages carry a signature of the
/// former one as well, so that its receiver loses nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre webhook rotate wh3f2a9c41b07e1122
  cadre webhook rotate wh3f2a9c41b07e1122 -o json | jq -r .secret")]
struct RotateArgs {
    /// Its id as `cadre webhook ls` prints it.
    id: String,
    #[command(flatten)]
    output: OutputArgs,
}

/// Remove a webhook: nothing is told any more, also not what was waiting.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre webhook rm wh3f2a9c41b07e1122")]
struct RmArgs {
    /// Its id as `cadre webhook ls` prints it.
    id: String,
}

/// Send a webhook one message of the type `webhook.test` from this machine, once, and say what came of it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre webhook test wh3f2a9c41b07e1122
  cadre webhook test wh3f2a9c41b07e1122 --private     one at a private address")]
struct TestArgs {
    /// Its id as `cadre webhook ls` prints it.
    id: String,
    /// Reach private addresses and plain http as well.
    #[arg(long)]
    private: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// One webhook as it is printed.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    tenant: String,
    workflow: Option<String>,
    url: String,
    by: String,
    created: String,
    state: &'static str,
    delivered: Option<String>,
    failing_since: Option<String>,
    error: Option<String>,
    given_up: u64,
    lost_task: Option<String>,
}

impl Row {
    fn of(webhook: &Webhook, state: State) -> Self {
        Self {
            id: webhook.id.to_string(),
            tenant: webhook.tenant.to_string(),
            workflow: webhook.workflow.as_ref().map(ToString::to_string),
            url: clean(&webhook.url),
            by: clean(&webhook.by),
            created: webhook.created_at.to_string(),
            state: state.as_str(),
            delivered: state.delivered_at.map(|at| at.to_string()),
            failing_since: state.failing_since.map(|at| at.to_string()),
            error: state.error.map(|error| clean(&error)),
            given_up: state.given_up,
            lost_task: state.lost.map(|task| task.to_string()),
        }
    }
}

/// What one message came to, as it is printed.
#[derive(Debug, Serialize)]
struct Tested {
    id: String,
    is_delivered: bool,
    status: Option<u16>,
    took_ms: u64,
    error: Option<String>,
}

pub(crate) async fn run(args: WebhookArgs, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let desk = JetStreamDesk::open(&client.bus, &client.packs().await?).await;
    match args.command {
        WebhookCommand::Ls(args) => ls(args.format(settings), &desk).await,
        WebhookCommand::Add(args) => add(args, (&client, &desk), settings).await,
        WebhookCommand::Rotate(args) => rotate(&args, (&client, &desk), settings).await,
        WebhookCommand::Rm(args) => rm(&args, &desk, settings).await,
        WebhookCommand::Test(args) => test(&args, (&client, &desk), settings).await,
    }
}

async fn ls(format: Format, desk: &JetStreamDesk) -> anyhow::Result<()> {
    let found = desk.webhooks().await.map_err(|error| failure(&error))?;
    let rows: Vec<_> = found.into_iter().map(|(it, state)| Row::of(&it, state)).collect();
    let listing = Listing {
        header: &["webhook", "tenant", "workflow", "url", "state", "given up", "last failure"],
        row: |row: &Row| {
            vec![
                row.id.clone(),
                row.tenant.clone(),
                row.workflow.clone().unwrap_or_else(|| "all".to_owned()),
                brief(&row.url, URL_CHARS),
                row.state.to_owned(),
                row.given_up.to_string(),
                row.error.clone().unwrap_or_default(),
            ]
        },
        id: |row| row.id.clone(),
    };
    output::list(format, &rows, &listing)
}

async fn add(
    args: AddArgs,
    (client, desk): (&Client, &JetStreamDesk),
    settings: &Settings,
) -> anyhow::Result<()> {
    let reach = reach(args.private);
    check(&args.url, reach).map_err(|error| {
        let hint = if reach == Reach::Any { "" } else { ", and --private here" };
        Failure::new(Code::Usage, format!("{error}{hint}"))
    })?;
    let webhook = Webhook {
        id: Webhook::id_of(rand::random()),
        tenant: settings.tenant.clone(),
        workflow: args.workflow,
        url: args.url,
        secret: Secret::new(rand::random()),
        former: None,
        by: by(settings),
        created_at: now(&client.bus),
    };
    desk.add_webhook(&webhook).await.map_err(|error| failure(&error))?;
    let (id, tenant) = (&webhook.id, &webhook.tenant);
    let note =
        format!("webhook {id} is told of ends of tenant {tenant}; what signs them, shown once:");
    shown_once(args.output.format(settings), (&webhook, State::default()), &note)
}

/// The webhook with its secret.
fn shown_once(
    format: Format,
    (webhook, state): (&Webhook, State),
    note: &str,
) -> anyhow::Result<()> {
    let secret = webhook.secret.reveal();
    let mut document = json!(Row::of(webhook, state));
    if let Some(fields) = document.as_object_mut() {
        fields.insert("secret".to_owned(), secret.clone().into());
    }
    match format {
        Format::Table => {
            output::say(note);
            Ok(output::data(&secret)?)
        }
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(webhook.id.as_str())?),
    }
}

async fn rotate(
    args: &RotateArgs,
    (client, desk): (&Client, &JetStreamDesk),
    settings: &Settings,
) -> anyhow::Result<()> {
    let (webhook, state) = found(desk, &args.id).await?;
    let webhook = webhook.rotated(Secret::new(rand::random()), now(&client.bus));
    desk.change_webhook(&webhook, &by(settings)).await.map_err(|error| failure(&error))?;
    let note = format!("webhook {}: the former secret counts for a day; shown once:", webhook.id);
    shown_once(args.output.format(settings), (&webhook, state), &note)
}

async fn rm(args: &RmArgs, desk: &JetStreamDesk, settings: &Settings) -> anyhow::Result<()> {
    let webhook = find(desk, &args.id).await?;
    desk.remove_webhook(&webhook, &by(settings)).await.map_err(|error| failure(&error))?;
    output::say(&format!("webhook {} is removed", webhook.id));
    Ok(())
}

async fn test(
    args: &TestArgs,
    (client, desk): (&Client, &JetStreamDesk),
    settings: &Settings,
) -> anyhow::Result<()> {
    let webhook = find(desk, &args.id).await?;
    let (sender, now) = (Sender::new(reach(args.private))?, now(&client.bus));
    let sent = sender.send(&webhook, &Message::test(&webhook, now), now).await;
    let error = match sent.outcome {
        Outcome::Delivered => None,
        Outcome::Failed { error, .. } => Some(clean(&error)),
    };
    let tested = Tested {
        id: webhook.id.to_string(),
        is_delivered: error.is_none(),
        status: sent.status,
        took_ms: u64::try_from(sent.took.as_millis()).unwrap_or(u64::MAX),
        error: error.clone(),
    };
    match args.output.format(settings) {
        Format::Table if error.is_none() => {
            let (status, took) = (sent.status.unwrap_or_default(), span(sent.took));
            output::say(&format!("webhook {} answered {status} after {took}", webhook.id));
        }
        Format::Table => {}
        Format::Json => output::json(&tested)?,
        Format::Ndjson => output::ndjson(&tested)?,
        Format::Id => output::data(&tested.id)?,
    }
    match error {
        None => Ok(()),
        Some(error) => {
            let text = format!("send to webhook {}: {error}", webhook.id);
            Err(Failure::new(Code::Error, text).into())
        }
    }
}

async fn find(desk: &JetStreamDesk, id: &str) -> anyhow::Result<Webhook> {
    Ok(found(desk, id).await?.0)
}

async fn found(desk: &JetStreamDesk, id: &str) -> anyhow::Result<(Webhook, State)> {
    let all = desk.webhooks().await.map_err(|error| failure(&error))?;
    let found = all.into_iter().find(|(it, _)| it.id.as_str() == id);
    let text = || format!("there is no webhook {}: see `cadre webhook ls`", clean(id));
    found.ok_or_else(|| Failure::new(Code::NotFound, text()).into())
}

fn reach(private: bool) -> Reach {
    if private { Reach::Any } else { Reach::Public }
}

fn by(settings: &Settings) -> String {
    settings.login.clone().unwrap_or_else(|| "cli".to_owned())
}

fn failure(error: &DeskError) -> Failure {
    match error {
        DeskError::Unfit(error) => unfit(error),
        DeskError::Bus(error) => unavailable(error),
        DeskError::Full(_) | DeskError::Damaged(_) => Failure::new(Code::Error, error.to_string()),
    }
}
