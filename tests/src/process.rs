//! The real `cadre` program as processes that can be frozen and killed.
//!
//! `cargo test` of the workspace builds the program for the package `cadre`'s own tests. With
//! `-p cadre-tests` alone it is whatever was built last: run `cargo build` first.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::watch,
    time::timeout,
};

/// Longest wait until a process is ready, or has ended after it was told to.
const PROCESS_PATIENCE: Duration = Duration::from_secs(30);

/// Where cargo put the program: beside the folder of the test that runs.
///
/// # Panics
/// When it is not there, with the command that builds it.
#[must_use]
pub fn program() -> PathBuf {
    built("cadre", "-p cadre")
}

/// The next release. An example, because a second program would leave `cargo run` without a choice.
///
/// # Panics
/// As [`program`].
#[must_use]
pub fn next_program() -> PathBuf {
    built("examples/cadre-next", "-p cadre-tests --examples")
}

fn built(name: &str, what: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.ancestors().nth(2).expect("target/<profile>/deps/<test>");
    let program = profile.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "{} is missing: build it with `cargo build {what}` in the same profile as this test",
        program.display()
    );
    program
}

/// A running process of its own; killed when dropped, its words shown when the test fails.
pub struct Process {
    name: String,
    child: Child,
    lines: watch::Receiver<Vec<String>>,
}

impl Process {
    /// Starts `cadre serve <args>` on the broker at `url` and waits until it is ready.
    ///
    /// # Panics
    /// When it is not ready in time.
    pub async fn serve(url: &str, args: &[&str]) -> Self {
        Self::serve_with(url, args, &[]).await
    }

    /// As [`Process::serve`], with environment variables.
    ///
    /// # Panics
    /// As [`Process::serve`].
    pub async fn serve_with(url: &str, args: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::try_serve(url, args, variables).await.unwrap_or_else(|it| it.is_not_ready())
    }

    /// As [`Process::serve_with`]; the error is a process that has not become ready in time.
    ///
    /// # Errors
    /// The process, which may have ended: what it has said is why.
    pub async fn try_serve(
        url: &str,
        args: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Self, Self> {
        let mut command = Command::new(program());
        command.args(["serve", "--nats", url]).args(args).envs(variables.iter().copied());
        Self::try_ready(&format!("cadre serve {}", args.join(" ")), command).await
    }

    /// Starts `command` and waits until it says that it is ready.
    ///
    /// # Panics
    /// When it is not ready in time.
    pub async fn ready(name: &str, command: Command) -> Self {
        Self::try_ready(name, command).await.unwrap_or_else(|it| it.is_not_ready())
    }

    fn is_not_ready(&self) -> ! {
        panic!("{} is not ready: {:?}", self.name, self.lines())
    }

    async fn try_ready(name: &str, command: Command) -> Result<Self, Self> {
        let mut process = Self::spawn(name, command);
        let is_ready = process.lines.wait_for(|lines| lines.iter().any(|line| line == "ready"));
        let is_ready = matches!(timeout(PROCESS_PATIENCE, is_ready).await, Ok(Ok(_)));
        if is_ready { Ok(process) } else { Err(process) }
    }

    /// Starts `command`.
    ///
    /// # Panics
    /// When that does not work.
    #[must_use]
    pub fn spawn(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().expect("a process");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped")).lines();
        let (sender, lines) = watch::channel(Vec::new());
        // To the end, whoever listens: a full pipe would stop it.
        tokio::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                sender.send_modify(|lines| lines.push(line));
            }
        });
        Self { name: name.to_owned(), child, lines }
    }

    /// The memory that it holds; 0 where the system does not say.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        let id = self.child.id().unwrap_or_default();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
        kilobytes.map_or(0, |kilobytes: u64| kilobytes * 1024)
    }

    /// What it has said on stderr.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    /// Waits until a line that it says contains `text`.
    ///
    /// # Panics
    /// When none does in time.
    pub async fn says(&mut self, text: &str) {
        let is_said = |lines: &Vec<String>| lines.iter().any(|line| line.contains(text));
        let said = timeout(PROCESS_PATIENCE, self.lines.wait_for(is_said)).await;
        assert!(matches!(said, Ok(Ok(_))), "{} never says {text:?}", self.name);
    }

    /// Waits until it ends by itself; its exit code.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn ended(&mut self) -> Option<i32> {
        let ended = timeout(PROCESS_PATIENCE, self.child.wait()).await;
        ended.expect("an end in time").expect("a status").code()
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("killed");
    }

    /// `kill -STOP`: it does nothing, and nobody is told.
    ///
    /// # Panics
    /// When it has ended.
    pub async fn freeze(&self) {
        self.signal("-STOP").await;
    }

    /// `kill -CONT`: it goes on, not knowing that time has passed.
    ///
    /// # Panics
    /// When it has ended.
    pub async fn thaw(&self) {
        self.signal("-CONT").await;
    }

    /// `kill -TERM`, and its exit code.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn stop(&mut self) -> Option<i32> {
        self.signal("-TERM").await;
        let ended = timeout(PROCESS_PATIENCE, self.child.wait()).await;
        ended.expect("an end in time").expect("a status").code()
    }

    async fn signal(&self, signal: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let status = Command::new("kill").args([signal, &pid]).status().await;
        assert!(status.expect("kill runs").success(), "kill {signal} {pid}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {}", self.name);
            for line in self.lines() {
                eprintln!("{line}");
            }
        }
    }
}
