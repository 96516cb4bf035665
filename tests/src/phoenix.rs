//! A real OTLP backend that nobody here wrote: the PyPI package `arize-phoenix`. Kept in the user's cache.

use std::{fs, path::PathBuf, process::Stdio, time::Duration};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use crate::{
    process::Process,
    tools::{cache, free_port, install, page},
};

/// The package and all that it needs, pinned by hash.
const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/phoenix.txt");

/// Longest wait until it answers: it imports half of PyPI first, and compiles that the first time.
const START_MAX: Duration = Duration::from_secs(600);

/// The running server; ends when dropped.
pub struct Phoenix {
    process: Process,
    /// Where it hears spans.
    pub otlp: String,
    http: String,
    _folder: tempfile::TempDir,
}

impl Phoenix {
    /// Starts it on free ports, with a database of its own.
    ///
    /// # Panics
    /// When it cannot be had or does not start, with the way to get it.
    pub async fn start() -> Self {
        let modules = modules().await;
        let folder = tempfile::tempdir().expect("a folder");
        let (port, grpc) = (free_port(), free_port());
        let mut command = Command::new("python3");
        command.args(["-m", "phoenix.server.main", "serve"]).current_dir(folder.path());
        command.env("PYTHONPATH", modules).env("PHOENIX_WORKING_DIR", folder.path());
        command.env("PHOENIX_HOST", "127.0.0.1").env("PHOENIX_PORT", port.to_string());
        command.env("PHOENIX_GRPC_PORT", grpc.to_string());
        for off in ["PHOENIX_TELEMETRY_ENABLED", "PHOENIX_ALLOW_EXTERNAL_RESOURCES"] {
            command.env(off, "false");
        }
        command.env("PHOENIX_DISABLE_AGENT_ASSISTANT", "true");
        let process = Process::spawn("phoenix", command);
        let http = format!("http://127.0.0.1:{port}");
        let until = Instant::now() + START_MAX;
        while !matches!(page(&format!("{http}/healthz"), None).await, Ok((200, _))) {
            assert!(Instant::now() < until, "phoenix never answers: {:?}", process.lines());
            sleep(Duration::from_millis(300)).await;
        }
        Self { process, otlp: format!("http://127.0.0.1:{grpc}"), http, _folder: folder }
    }

    /// Every span that it has, as it understands them.
    ///
    /// # Panics
    /// When it does not answer, or with something else.
    pub async fn spans(&self) -> Vec<Value> {
        let url = format!("{}/v1/projects/default/spans?limit=1000", self.http);
        let (status, body) = page(&url, None).await.expect("an answer");
        if status == 404 {
            // The project is made with its first span.
            return Vec::new();
        }
        assert_eq!(status, 200, "{body}");
        let mut answer: Value = serde_json::from_str(&body).expect("json");
        match answer["data"].take() {
            Value::Array(spans) => spans,
            other => panic!("no spans: {other}"),
        }
    }

    /// What it has said.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.process.lines()
    }
}

/// The folder with its modules: one that can be renamed into place at once, and needs nothing but pip.
async fn modules() -> PathBuf {
    let pins = fs::read(REQUIREMENTS).expect("pins");
    let hash: String =
        Sha256::digest(pins).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let folder = cache().join(format!("phoenix-{hash}"));
    if !folder.is_dir() {
        eprintln!("fetching arize-phoenix and its 153 wheels into {}", folder.display());
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--no-compile",
        ]);
        pip.args(["--only-binary", ":all:", "-r", REQUIREMENTS, "--target"]).stdin(Stdio::null());
        install(&folder, pip, |_| {}).await;
    }
    folder
}
