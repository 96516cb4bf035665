//! What the worker in Python imports.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use cadre_nats::server::cache_dir;
use tokio::process::Command;

/// Pinned by hash.
const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/requirements.txt");

/// The folder with nats-py, kept in the user's cache. A folder rather than a virtual environment:
/// it can be renamed into place at once, and needs nothing but pip.
///
/// # Panics
/// When it cannot be had, with the way to get it.
pub async fn modules() -> PathBuf {
    let variable = std::env::var_os;
    let cache = cache_dir(variable("XDG_CACHE_HOME"), variable("HOME")).expect("HOME is set");
    let requirements = fs::read_to_string(REQUIREMENTS).expect("requirements");
    let (_, hash) = requirements.trim().rsplit_once("sha256:").expect("a pinned hash");
    let folder = cache.join("tests").join(format!("nats-py-{hash}"));
    if !folder.is_dir() {
        install(&folder).await;
    }
    folder
}

async fn install(folder: &Path) {
    let parent = folder.parent().expect("a parent");
    fs::create_dir_all(parent).expect("a cache");
    let fresh = tempfile::tempdir_in(parent).expect("a folder");
    let mut command = Command::new("python3");
    command.args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]);
    command.args(["--only-binary", ":all:", "-r", REQUIREMENTS, "--target"]).arg(fresh.path());
    let done = command.stdin(Stdio::null()).output().await;
    let why = match done {
        Ok(output) if output.status.success() => {
            // Somebody else may have been faster; theirs is as good.
            let _ = fs::rename(fresh.path(), folder);
            return;
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    panic!(
        "nats-py could not be had: {why}\nGet it once, where there is a network, with:\n  \
         python3 -m pip install --no-deps --require-hashes -r {REQUIREMENTS} --target {}",
        folder.display()
    );
}
