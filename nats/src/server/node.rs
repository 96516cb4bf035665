//! One nats-server process and the guard that ends it with its owner.
//!
//! ```text
//! owner ──pipe (TERM, KILL, or its end)──▶ guard's watcher ──signal──▶ nats-server ◀──wait── guard
//!   ▲                                                                                          │
//!   └──────────────── exit code, when nats-server has ended ───────────────────────────────────┘
//! ```
//!
//! The guard is a shell script, because a child can only be tied to its parent by code that runs in the child. Only
//! the owner holds the pipe's writing end (it closes on exec), so the watcher reads its end as soon as the owner is
//! gone, however it went. The guard has a process group of its own: Ctrl-C reaches the owner alone, which then stops
//! the server in its own order. Signals go through the watcher, so no pid is ever signalled after it was reused.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
};

use crate::server::{Exit, NodeView, StopError, ports::Ports, start::StartError, store::Store};

/// Arguments: program, configuration, log, directory to remove when the owner is gone (or empty).
const GUARD: &str = r#"
exec 3<&0
"$1" -c "$2" </dev/null >>"$3" 2>&1 3<&- &
server=$!
echo "$server"
(
  while read -r signal; do kill -s "$signal" "$server" 2>/dev/null; done
  trap '' TERM
  kill -s KILL "$server" 2>/dev/null
  if [ -n "$4" ]; then rm -rf -- "$4" 2>/dev/null || rm -rf -- "$4" 2>/dev/null; fi
) <&3 >/dev/null 3<&- &
watcher=$!
exec </dev/null 3<&-
wait "$server"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
"#;

/// The time the guard gets to say the server's pid.
const GUARD_LIMIT: Duration = Duration::from_secs(5);

/// How much of the log goes into error texts.
const LOG_TAIL_BYTES: u64 = 4096;

/// How many lines of it.
const LOG_TAIL_LINES: usize = 12;

/// One server: its place, and its process while it runs.
#[derive(Debug)]
pub(crate) struct Node {
    name: String,
    folder: PathBuf,
    ports: Ports,
    configuration: String,
    /// What is started in place of the program.
    launcher: Option<PathBuf>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    guard: Child,
    pipe: File,
    pid: u32,
}

#[derive(Debug, Clone, Copy)]
enum Signal {
    Term,
    Kill,
}

impl Node {
    pub(crate) fn new(name: String, folder: PathBuf, ports: Ports, configuration: String) -> Self {
        Self { name, folder, ports, configuration, launcher: None, running: None }
    }

    /// Starts as this program instead.
    pub(crate) fn launched_by(self, launcher: Option<PathBuf>) -> Self {
        Self { launcher, ..self }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn ports(&self) -> Ports {
        self.ports
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", SocketAddr::new(self.ports.host, self.ports.client))
    }

    pub(crate) fn monitor_url(&self) -> String {
        format!("http://{}", SocketAddr::new(self.ports.host, self.ports.monitor))
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.pid)
    }

    pub(crate) fn view(&self) -> NodeView {
        NodeView {
            name: self.name.clone(),
            url: self.url(),
            monitor_url: self.monitor_url(),
            pid: self.pid(),
        }
    }

    /// Whether its process runs, as far as the system has said by now.
    pub(crate) fn is_running(&mut self) -> bool {
        self.exit_now().is_none() && self.running.is_some()
    }

    /// Starts the process; it is not healthy yet.
    pub(crate) async fn spawn(&mut self, binary: &Path, store: &Store) -> Result<(), StartError> {
        let io_error = |source| StartError::Io { path: self.folder.clone(), source };
        let file = self.folder.join("server.conf");
        fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(&file, &self.configuration))
            .map_err(io_error)?;
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(GUARD)
            .arg("cadre-nats-guard")
            .arg(self.launcher.as_deref().unwrap_or(binary))
            .arg(&file)
            .arg(self.log_file());
        command.arg(store.temporary_root().unwrap_or(Path::new("")));
        // The guard holds the store's lock as its standard error: a new owner waits until this server is dead.
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(store.share_lock()?)
            .process_group(0);
        let guard_error = |source| StartError::Guard { node: self.name.clone(), source };
        let mut guard = command.spawn().map_err(guard_error)?;
        let (Some(stdin), Some(stdout)) = (guard.stdin.take(), guard.stdout.take()) else {
            return Err(guard_error(io::Error::other("the guard has no pipes")));
        };
        let pipe = File::from(stdin.into_owned_fd().map_err(guard_error)?);
        let said = tokio::time::timeout(GUARD_LIMIT, read_pid(stdout)).await;
        let pid =
            said.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(guard_error)?;
        self.running = Some(Running { guard, pipe, pid });
        Ok(())
    }

    /// What is known of its end, if it ended by itself.
    pub(crate) fn exit_now(&mut self) -> Option<Exit> {
        let status = self.running.as_mut()?.guard.try_wait().ok()??;
        self.running = None;
        Some(self.exit(status.code()))
    }

    /// Resolves when the process ends by itself; never while it is stopped. Cancel safe.
    pub(crate) async fn exited(&mut self) -> Exit {
        let Some(running) = self.running.as_mut() else { return std::future::pending().await };
        let code = running.guard.wait().await.ok().and_then(|status| status.code());
        self.running = None;
        self.exit(code)
    }

    /// Kills the process and waits until it is gone.
    pub(crate) async fn kill(&mut self, limit: Duration) -> Result<(), StopError> {
        self.signal(Signal::Kill)?;
        if self.is_gone(limit).await? {
            Ok(())
        } else {
            Err(StopError::Stuck { node: self.name.clone() })
        }
    }

    /// Stops the process cleanly, or kills it when it does not end in time.
    pub(crate) async fn stop(&mut self, limit: Duration) -> Result<(), StopError> {
        self.signal(Signal::Term)?;
        if self.is_gone(limit).await? { Ok(()) } else { self.kill(limit).await }
    }

    /// Kills the process without waiting.
    pub(crate) fn let_go(&mut self) {
        // The pipe is closed right after; a guard that cannot be told notices that.
        let _ = self.signal(Signal::Kill);
    }

    /// Waits on this thread until the process is gone, at most that long.
    pub(crate) fn wait_blocking(&mut self, limit: Duration) {
        let Some(mut running) = self.running.take() else { return };
        let give_up = Instant::now() + limit;
        while let Ok(None) = running.guard.try_wait() {
            if Instant::now() > give_up {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The last lines of its log.
    pub(crate) fn log_tail(&self) -> String {
        let read = || -> io::Result<String> {
            let mut file = File::open(self.log_file())?;
            let from = file.metadata()?.len().saturating_sub(LOG_TAIL_BYTES);
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(LOG_TAIL_BYTES).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let text = read().unwrap_or_else(|error| format!("no log: {error}"));
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(LOG_TAIL_LINES)..).unwrap_or_default().join("\n")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    fn exit(&self, code: Option<i32>) -> Exit {
        Exit { node: self.name.clone(), code, log_tail: self.log_tail() }
    }

    fn signal(&mut self, signal: Signal) -> Result<(), StopError> {
        let Some(running) = self.running.as_mut() else { return Ok(()) };
        let line = match signal {
            Signal::Term => "TERM\n",
            Signal::Kill => "KILL\n",
        };
        match running.pipe.write_all(line.as_bytes()) {
            // The guard is gone, and it goes after the server.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(|source| StopError::Io { node: self.name.clone(), source }),
        }
    }

    async fn is_gone(&mut self, limit: Duration) -> Result<bool, StopError> {
        let Some(running) = self.running.as_mut() else { return Ok(true) };
        match tokio::time::timeout(limit, running.guard.wait()).await {
            Ok(Ok(_)) => {
                self.running = None;
                Ok(true)
            }
            Ok(Err(source)) => Err(StopError::Io { node: self.name.clone(), source }),
            Err(_) => Ok(false),
        }
    }
}

async fn read_pid(stdout: ChildStdout) -> io::Result<u32> {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).await?;
    line.trim()
        .parse()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the guard did not say a pid"))
}
