//! Processes started from this very binary: what is measured, and what is broken on purpose.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::output;

/// How long a process may take until it says that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A `cadre` of its own; killed when dropped.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts `cadre serve <args>` on the broker at `url` and waits until it is ready.
    pub(crate) async fn serve(url: &str, args: &[&str]) -> anyhow::Result<Self> {
        Self::serve_with(url, args, &[]).await
    }

    /// The same, with environment variables.
    pub(crate) async fn serve_with(
        url: &str,
        args: &[&str],
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let args = [&["serve", "--nats", url], args].concat();
        Self::begin(&args, Stdio::null(), variables).await
    }

    /// Starts `cadre <args>`, whose data nobody or we read, and waits until it is ready.
    pub(crate) async fn start(args: &[&str], data: Stdio) -> anyhow::Result<Self> {
        Self::begin(args, data, &[]).await
    }

    async fn begin(args: &[&str], data: Stdio, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(args)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(data)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stderr = child.stderr.take().ok_or_else(|| anyhow::anyhow!("no stderr"))?;
        let mut lines = BufReader::new(stderr).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if line.trim() == "ready" {
                    return Ok(());
                }
                output::say(&line);
            }
            Err(anyhow::anyhow!("`cadre {}` ended before it was ready", args.join(" ")))
        };
        tokio::time::timeout(READY_WITHIN, ready).await??;
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                output::say(&line);
            }
        });
        Ok(Self { child })
    }

    /// Its data, line by line; `None` when nobody shall read it, or somebody does.
    pub(crate) fn data(&mut self) -> Option<Lines<BufReader<ChildStdout>>> {
        self.child.stdout.take().map(|data| BufReader::new(data).lines())
    }

    /// Its process id; `None` once it has ended.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it as a crash would.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Stops it in the middle of whatever it does; nobody is told.
    pub(crate) async fn freeze(&self) -> anyhow::Result<()> {
        self.signal("STOP").await
    }

    /// Lets it go on, not knowing that time has passed.
    pub(crate) async fn thaw(&self) -> anyhow::Result<()> {
        self.signal("CONT").await
    }

    async fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let pid = self.pid().ok_or_else(|| anyhow::anyhow!("a process has ended by itself"))?;
        let sent = Command::new("kill").args(["-s", signal, &pid.to_string()]).status().await?;
        anyhow::ensure!(sent.success(), "signal {signal} to process {pid} was not sent");
        Ok(())
    }
}
