//! The processes that a benchmark measures: started from this very binary, watched through `/proc`.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// How long a process may take until it says that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Clock ticks per second of `/proc/<pid>/stat`: fixed at 100 on Linux for user space.
const TICKS_PER_S: f64 = 100.0;

/// One `cadre serve` of its own; killed when dropped.
pub(super) struct Process {
    child: Child,
}

impl Process {
    /// Starts `cadre serve <args>` on the broker at `url` and waits until it is ready.
    pub(super) async fn serve(url: &str, args: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", "--nats", url])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
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
                crate::output::say(&line);
            }
            Err(anyhow::anyhow!("`cadre serve {}` ended before it was ready", args.join(" ")))
        };
        tokio::time::timeout(READY_WITHIN, ready).await??;
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                crate::output::say(&line);
            }
        });
        Ok(Self { child })
    }

    /// Its process id; `None` once it has ended.
    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends it as a crash would.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// CPU time and memory of some processes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// User and system time together.
    pub(super) cpu_s: f64,
    /// Resident memory.
    pub(super) rss_mb: f64,
}

/// What `pids` have used together until now; `None` where there is no `/proc`.
pub(super) fn usage(pids: impl IntoIterator<Item = u32>) -> Option<Usage> {
    let mut sum = Usage::default();
    for pid in pids {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The command may hold spaces; fields are counted from behind its closing bracket.
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        sum.cpu_s += (ticks(11)? + ticks(12)?) / TICKS_PER_S;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        sum.rss_mb += line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0;
    }
    Some(sum)
}
