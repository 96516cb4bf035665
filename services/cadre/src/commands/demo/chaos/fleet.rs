//! The processes of a run and the broker between them: everything that can be broken.

use std::{fs, io, path::PathBuf, process::Stdio, sync::Arc};

use cadre_core::ids::Partitions;
use cadre_nats::{connect::Connection, server::Server};
use tempfile::TempDir;

use super::{call::Call, story::Story};
use crate::{
    broker::{PrivateOptions, start_private},
    commands::process::Process,
    settings::Settings,
};

/// Workers that play the roles.
const WORKERS: usize = 3;

/// A worker with its name.
pub(super) struct Worker {
    pub(super) name: String,
    pub(super) process: Process,
}

/// Everything that runs.
pub(super) struct Fleet {
    pub(super) server: Server,
    pub(super) connection: Connection,
    pub(super) workers: Vec<Worker>,
    /// Orchestrator and aggregator: not what this is about.
    others: Vec<Process>,
    folder: TempDir,
    started: usize,
}

impl Fleet {
    /// Starts the broker, without anybody on it.
    pub(super) async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let options =
            PrivateOptions { partitions: Partitions::new(4), ..PrivateOptions::default() };
        let (server, connection) = start_private(settings, options).await?;
        let (workers, others) = (Vec::new(), Vec::new());
        let folder = tempfile::tempdir()?;
        Ok(Self { server, connection, workers, others, folder, started: 0 })
    }

    /// Starts every process; what workers tell goes into the story.
    pub(super) async fn start(&mut self, story: &Arc<Story>) -> anyhow::Result<()> {
        for _ in 0..WORKERS {
            self.add_worker(story).await?;
        }
        for role in ["aggregator", "orchestrator"] {
            let args = ["--role", role, "--log", "error"];
            self.others.push(Process::serve(&self.url(), &args).await?);
        }
        Ok(())
    }

    /// Starts one more worker and returns its name.
    pub(super) async fn add_worker(&mut self, story: &Arc<Story>) -> anyhow::Result<String> {
        self.started += 1;
        let name = format!("worker-{}", self.started);
        let (url, broken) = (self.url(), self.broken());
        let broken = broken.to_string_lossy();
        let args = ["demo", "chaos-worker", "--nats", &url, "--name", &name, "--broken", &broken];
        let args = [&args[..], &["--log", "error"]].concat();
        let mut process = Process::start(&args, Stdio::piped()).await?;
        if let Some(mut lines) = process.data() {
            let (story, name) = (Arc::clone(story), name.clone());
            tokio::spawn(async move {
                while let Ok(Some(line)) = lines.next_line().await {
                    if let Some(call) = Call::parse(&line) {
                        story.call(&name, call);
                    }
                }
            });
        }
        self.workers.push(Worker { name: name.clone(), process });
        Ok(name)
    }

    /// The role is broken from now on.
    pub(super) fn break_role(&self) -> io::Result<()> {
        fs::write(self.broken(), b"")
    }

    /// The role works again.
    pub(super) fn mend_role(&self) -> io::Result<()> {
        fs::remove_file(self.broken())
    }

    /// Ends everything, the broker last.
    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        for worker in &mut self.workers {
            worker.process.kill().await?;
        }
        for process in &mut self.others {
            process.kill().await?;
        }
        if let Err(error) = self.connection.client.drain().await {
            tracing::debug!(%error, "connection was closed already");
        }
        Ok(self.server.stop().await?)
    }

    fn broken(&self) -> PathBuf {
        self.folder.path().join("broken")
    }

    fn url(&self) -> String {
        self.server.urls().join(",")
    }
}
