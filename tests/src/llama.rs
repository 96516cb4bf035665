//! A real llama.cpp server, from the PyPI package `xllamacpp`, with a model of random numbers that
//! `llama.py` makes: its prefix cache and its grammars are real, what it says means nothing.

use tempfile::TempDir;
use tokio::process::Command;

use crate::{process::Process, tools::wheel};

/// The package, pinned by hash.
const PINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/llama.txt");

/// Makes the model and serves it.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/llama.py");

/// The running server; ends when dropped.
pub struct Llama {
    _process: Process,
    address: String,
    _model: TempDir,
}

impl Llama {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// When it cannot be had or does not start.
    pub async fn start() -> Self {
        let package = wheel("llama", PINS).await;
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("python3");
        command.arg(SCRIPT).arg(folder.path().join("nothing.gguf")).env("PYTHONPATH", package);
        let mut process = Process::spawn("llama.cpp", command);
        process.says("serving at ").await;
        let line = process.lines().into_iter().find(|line| line.starts_with("serving at "));
        let address = line.expect("it was said").replace("serving at ", "");
        Self { _process: process, address, _model: folder }
    }

    /// Its address with a path: `/v1/`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}
