//! What tests need beside the project: fetched once, pinned by hash, kept in the user's cache.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use cadre_nats::server::cache_dir;
use tokio::process::Command;

/// Where it is kept.
pub(crate) fn cache() -> PathBuf {
    let variable = std::env::var_os;
    cache_dir(variable("XDG_CACHE_HOME"), variable("HOME")).expect("HOME is set").join("tests")
}

/// The folder of a wheel without dependencies, whose pins are in the file `pins`.
pub(crate) async fn wheel(name: &str, pins: &str) -> PathBuf {
    let text = fs::read_to_string(pins).expect("pins");
    let (_, hash) = text.split_once("sha256:").expect("a pinned hash");
    let hash: String = hash.chars().take_while(char::is_ascii_hexdigit).collect();
    let folder = cache().join(format!("{name}-{hash}"));
    if !folder.is_dir() {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]);
        pip.args(["--only-binary", ":all:", "-r", pins, "--target"]);
        install(&folder, pip, |_| {}).await;
    }
    folder
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
