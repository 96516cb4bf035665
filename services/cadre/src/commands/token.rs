//! `cadre token`: who may come in over HTTP.

use std::{future::Future, time::Duration};

use cadre_core::{
    access::{Access, TOKEN_NAME_CHARS_MAX, Token},
    audit::Action,
    ports::BusError,
    time::UnixMillis,
};
use cadre_nats::tokens::KvTokens;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use crate::{
    commands::{
        client::{Client, now, unavailable},
        deed::Deeds,
    },
    exit::{Code, Failure},
    output::{
        self, Format, Listing, OutputArgs,
        text::{clean, span},
    },
    settings::Settings,
};

/// Fewest digits that name a token.
const ID_DIGITS_MIN: usize = 6;

/// Make, list and revoke API tokens, which let programs and people in over HTTP.
///
/// A token acts for one tenant (--tenant) with one role. Its secret is shown once; the bus keeps only a hash
/// of it, so that nobody can read it there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre token create --tenant acme --role operator --name ci --expires 30d
  cadre token ls
  cadre token revoke 3f2a9c41b07e")]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    Create(CreateArgs),
    /// List tokens, the newest first; their secrets are nowhere.
    #[command(after_help = "\
Examples:
  cadre token ls
  cadre token ls -o json | jq '.[] | select(.role == \"admin\")'")]
    Ls(OutputArgs),
    Revoke(RevokeArgs),
}

/// Make a token for --tenant, and print its secret: it cannot be shown again.
///
/// viewer: looks. operator: also publishes goals, steers tasks, breakers and dead letters. approver: looks,
/// and decides what people are asked. admin: all of it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre token create --tenant acme --role operator --name ci --expires 30d
  CADRE_TOKEN=$(cadre token create --role viewer --name wallboard)
  cadre token create --role admin --all-tenants --name ops")]
struct CreateArgs {
    /// What it allows: viewer, operator, approver or admin.
    #[arg(long, value_name = "ROLE", value_parser = access)]
    role: Access,
    /// What people call it; it stands in the logs of what it is used for.
    #[arg(long, value_name = "TEXT", default_value = "token", value_parser = name)]
    name: String,
    /// When it ends; default: only when it is revoked.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    expires: Option<Duration>,
    /// It sees every tenant, and may hold breakers; what it publishes is of --tenant.
    #[arg(long)]
    all_tenants: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Revoke a token: from then on it lets nobody in.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre token revoke 3f2a9c41b07e")]
struct RevokeArgs {
    /// Its id as `cadre token ls` prints it, or the beginning of it.
    id: String,
}

/// One token as it is printed.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    name: String,
    tenant: String,
    all_tenants: bool,
    role: &'static str,
    created: String,
    expires: Option<String>,
    by: String,
    #[serde(skip)]
    left: String,
}

impl Row {
    fn of(token: &Token, now: UnixMillis) -> Self {
        Self {
            id: token.id(),
            name: clean(&token.name),
            tenant: token.tenant.to_string(),
            all_tenants: token.is_fleet,
            role: token.access.as_str(),
            created: token.created_at.to_string(),
            expires: token.expires_at.map(|at| at.to_string()),
            by: clean(&token.by),
            left: match token.expires_at {
                None => "never".to_owned(),
                Some(at) if at <= now => format!("{} ago", span(now.since(at))),
                Some(at) => format!("in {}", span(at.since(now))),
            },
        }
    }
}

pub(crate) async fn run(args: TokenArgs, settings: &Settings) -> anyhow::Result<()> {
    let client = Client::open(settings).await?;
    let tokens = KvTokens::open(&client.connection.js).await;
    let tokens = tokens.map_err(|error| unavailable(&error))?;
    match args.command {
        TokenCommand::Create(args) => create(&args, (&client, &tokens), settings).await,
        TokenCommand::Ls(args) => ls(args.format(settings), &client, &tokens).await,
        TokenCommand::Revoke(args) => revoke(&args, (&client, &tokens), settings).await,
    }
}

async fn create(
    args: &CreateArgs,
    (client, tokens): (&Client, &KvTokens),
    settings: &Settings,
) -> anyhow::Result<()> {
    let (secret, now) = (Token::secret(rand::random()), now(&client.bus));
    let Some(hash) = Token::hash_of(&secret) else { anyhow::bail!("make a secret") };
    let token = Token {
        hash,
        name: args.name.clone(),
        tenant: settings.tenant.clone(),
        is_fleet: args.all_tenants,
        access: args.role,
        by: settings.login.clone().unwrap_or_else(|| "cli".to_owned()),
        created_at: now,
        expires_at: args.expires.map(|time| now.after(time)),
    };
    let made = audited((client, settings), (Action::TokenCreated, &token), tokens.put(&token));
    made.await?.map_err(|error| unavailable(&error))?;
    let row = Row::of(&token, now);
    let mut document = json!(row);
    if let Some(fields) = document.as_object_mut() {
        fields.insert("secret".to_owned(), secret.clone().into());
    }
    match args.output.format(settings) {
        Format::Table => {
            let (id, tenant, left) = (&row.id, &row.tenant, &row.left);
            let whose = if row.all_tenants { "every tenant, as " } else { "tenant " };
            let role = row.role;
            output::say(&format!(
                "token {id}: {role} for {whose}{tenant}, ends {left}; shown once:"
            ));
            Ok(output::data(&secret)?)
        }
        Format::Json => output::json(&document),
        Format::Ndjson => output::ndjson(&document),
        Format::Id => Ok(output::data(&secret)?),
    }
}

/// Notes in the audit trail what is about to be done with a token: whose it is and what it allows.
async fn audited<T>(
    (client, settings): (&Client, &Settings),
    (action, token): (Action, &Token),
    deed: impl Future<Output = Result<T, BusError>>,
) -> anyhow::Result<Result<T, BusError>> {
    let whose = if token.is_fleet { "every tenant" } else { token.tenant.as_str() };
    let reason = format!("{}, {} of {whose}", clean(&token.name), token.access.as_str());
    let deeds = Deeds::open(&client.bus, settings).await?;
    deeds.audited((action, format!("token/{}", token.id())), &reason, deed).await
}

async fn ls(format: Format, client: &Client, tokens: &KvTokens) -> anyhow::Result<()> {
    let (found, now) = (tokens.ls().await.map_err(|error| unavailable(&error))?, now(&client.bus));
    let rows: Vec<_> = found.iter().map(|token| Row::of(token, now)).collect();
    let listing = Listing {
        header: &["token", "name", "tenant", "role", "ends", "made by"],
        row: |row: &Row| {
            let tenant =
                if row.all_tenants { format!("{} (all)", row.tenant) } else { row.tenant.clone() };
            let (role, left) = (row.role.to_owned(), row.left.clone());
            vec![row.id.clone(), row.name.clone(), tenant, role, left, row.by.clone()]
        },
        id: |row| row.id.clone(),
    };
    output::list(format, &rows, &listing)
}

async fn revoke(
    args: &RevokeArgs,
    (client, tokens): (&Client, &KvTokens),
    settings: &Settings,
) -> anyhow::Result<()> {
    let id = args.id.to_ascii_lowercase();
    if id.len() < ID_DIGITS_MIN {
        let text = format!("name a token by at least {ID_DIGITS_MIN} digits of its id");
        return Err(Failure::new(Code::Usage, text).into());
    }
    let all = tokens.ls().await.map_err(|error| unavailable(&error))?;
    let mut found = all.iter().filter(|token| token.hash.to_string().starts_with(&id));
    match (found.next(), found.next()) {
        (None, _) => {
            let text = format!("there is no token {id}: see `cadre token ls`");
            Err(Failure::new(Code::NotFound, text).into())
        }
        (Some(_), Some(_)) => {
            let text = format!("several tokens begin with {id}: give more digits");
            Err(Failure::new(Code::Usage, text).into())
        }
        (Some(token), None) => {
            let revoked = tokens.remove(token.hash);
            let revoked = audited((client, settings), (Action::TokenRevoked, token), revoked);
            revoked.await?.map_err(|error| unavailable(&error))?;
            output::say(&format!("token {} ({}) is revoked", token.id(), clean(&token.name)));
            Ok(())
        }
    }
}

fn access(text: &str) -> Result<Access, String> {
    text.parse().map_err(|error: cadre_core::access::AccessError| error.to_string())
}

fn name(text: &str) -> Result<String, String> {
    let is_plain = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if text.trim().is_empty() || text.len() > TOKEN_NAME_CHARS_MAX || !is_plain {
        return Err(format!("use 1 to {TOKEN_NAME_CHARS_MAX} characters of printable ASCII"));
    }
    Ok(text.trim().to_owned())
}
