//! A model server that nobody here wrote: the npm package `@copilotkit/aimock`, which speaks the wires of
//! OpenAI, Anthropic, Gemini and Ollama, and fails on request. Kept in the user's cache, pinned by hash.

use std::fs;

use tokio::process::Command;

use crate::{
    npm::{Node, Package},
    process::Process,
};

/// The package, without dependencies of its own.
const PACKAGE: Package = Package {
    folder: "aimock",
    name: "@copilotkit/aimock@1.43.0",
    sha256: "54f4ba4ef984696557e84176d6c4f37150047819a4eda374850a390534bbf117",
};

/// The running server; ends when dropped.
pub struct Aimock {
    process: Process,
    address: String,
    _fixtures: tempfile::TempDir,
}

impl Aimock {
    /// Starts it on a free port with these fixtures, and flags such as `--chaos-drop 1`.
    ///
    /// # Panics
    /// When it cannot be had or does not start, with the way to get it.
    pub async fn start(fixtures: &serde_json::Value, flags: &[&str]) -> Self {
        let node = Node::get().await;
        let package = node.package(&PACKAGE).await;
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("all.json"), fixtures.to_string()).expect("fixtures");
        let mut command = Command::new(&node.program);
        command.arg(package.join("dist/cli.js")).args(["-p", "0", "-f"]).arg(folder.path());
        // Its words are on standard output, and a process of ours is heard on the other one.
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$@\" 1>&2", "sh"]);
        shell.arg(command.as_std().get_program()).args(command.as_std().get_args()).args(flags);
        let mut process = Process::spawn("aimock", shell);
        process.says("listening on").await;
        let line = process.lines().into_iter().find(|line| line.contains("listening on"));
        let line = line.expect("it was said");
        let address = line.rsplit(' ').next().expect("an address").to_owned();
        Self { process, address, _fixtures: folder }
    }

    /// Its address with a path: `/v1/`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// What it has said.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.process.lines()
    }
}
