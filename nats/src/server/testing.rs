//! What the tests of this crate share: a real nats-server of their own.

use std::{path::PathBuf, sync::Arc};

use crate::server::{FindOptions, Server, StartOptions, cache_dir, find};

/// Where the tests look for nats-server: as the command line does, without flags.
pub(crate) fn find_options() -> FindOptions {
    let variable = std::env::var_os;
    FindOptions {
        nats: None,
        server_path: variable("CADRE_NATS_SERVER").map(PathBuf::from),
        search_path: variable("PATH"),
        cache_dir: cache_dir(variable("XDG_CACHE_HOME"), variable("HOME")).expect("HOME is set"),
        offline: false,
        say: Arc::new(|line| eprintln!("{line}")),
    }
}

/// Finds the program, or fails the test with the ways to get it.
pub(crate) async fn binary() -> PathBuf {
    match find(&find_options()).await {
        Ok(found) => found.binary,
        Err(error) => panic!("{error}"),
    }
}

/// Starts a server with a temporary store on free ports.
pub(crate) async fn server() -> Server {
    let options = StartOptions::new(binary().await);
    Server::start(options).await.expect("a healthy server")
}
