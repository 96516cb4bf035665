//! What tries an HTTP API by its own description: the PyPI package `schemathesis`, kept in the user's cache, pinned
//! by hash with everything that it needs.

use std::{path::Path, process::Stdio, time::Duration};

use sha2::{Digest as _, Sha256};
use tokio::{process::Command, time::timeout};

use crate::aimock::{cache, install};

/// The package and what it needs.
const PINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemathesis.txt");

/// Longest run; only a failure is ever that slow.
const RUN_PATIENCE: Duration = Duration::from_secs(600);

/// Requests of each kind to each operation.
const EXAMPLES: &str = "4";

/// What an answer must hold: no failure of the server, and nothing that the description does not say.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,unsupported_method";

/// Tries the API at `url` by the description in the file `description`.
///
/// # Panics
/// When it finds something, with what it has found; or it cannot be had, with the way to get it.
pub async fn tries(url: &str, description: &Path) {
    let pins = std::fs::read(PINS).expect("pins");
    let hash: String = Sha256::digest(pins).iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = cache().join(format!("schemathesis-{hash}"));
    if !folder.is_dir() {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]);
        pip.args(["--only-binary", ":all:", "-r", PINS, "--target"]);
        install(&folder, pip, |_| {}).await;
    }
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", &folder).args(["-m", "schemathesis.cli", "run"]).arg(description);
    python.args(["--url", url, "--checks", CHECKS, "--phases", "coverage,fuzzing"]);
    python.args(["--max-examples", EXAMPLES, "--seed", "1", "--no-shrink", "--workers", "2"]);
    python.args(["--request-timeout", "60", "--warnings", "off", "--no-color"]);
    // Whatever it writes beside is not ours to keep.
    let beside = tempfile::tempdir().expect("a folder");
    python.current_dir(beside.path()).stdin(Stdio::null()).kill_on_drop(true);
    let said = timeout(RUN_PATIENCE, python.output()).await.expect("in time").expect("it runs");
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{text}\n{}", String::from_utf8_lossy(&said.stderr));
}
