//! Runs the small programs that fetching needs, with a limit, and finds programs on a search path.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tokio::process::Command;

/// How often a start is tried again while another thread's fork still holds the program open for writing.
const BUSY_TRIES: u32 = 20;

/// The pause between those tries.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// How much of a failed program's talk goes into the error.
const DETAIL_LINES: usize = 3;

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is on no directory of the search path.
    #[error("{tool} is not on PATH")]
    Missing {
        /// The program's name.
        tool: String,
    },
    /// It could not be started.
    #[error("start {tool}: {source}")]
    Start {
        /// The program.
        tool: String,
        /// What the system said.
        source: io::Error,
    },
    /// It said no.
    #[error("{tool} failed: {detail}")]
    Failed {
        /// The program.
        tool: String,
        /// The last lines it printed.
        detail: String,
    },
    /// It took too long and was killed.
    #[error("{tool} did not finish in {limit:?}")]
    Slow {
        /// The program.
        tool: String,
        /// The time it had.
        limit: Duration,
    },
}

/// Every executable file of that name on a search path, in its order.
pub(crate) fn on_search_path(search_path: Option<&OsStr>, name: &str) -> Vec<PathBuf> {
    let Some(search_path) = search_path else { return Vec::new() };
    std::env::split_paths(search_path)
        .map(|folder| folder.join(name))
        .filter(|path| is_executable(path))
        .collect()
}

/// The first executable file of that name on a search path.
pub(crate) fn find_tool(search_path: Option<&OsStr>, name: &str) -> Result<PathBuf, ToolError> {
    let found = on_search_path(search_path, name).into_iter().next();
    found.ok_or_else(|| ToolError::Missing { tool: name.to_owned() })
}

/// Runs a program and returns what it printed on stdout.
///
/// Cancellation: dropping the future kills the program.
pub(crate) async fn run(
    tool: &Path,
    arguments: &[OsString],
    limit: Duration,
) -> Result<String, ToolError> {
    let name = || tool.display().to_string();
    let output = match tokio::time::timeout(limit, output_of(tool, arguments)).await {
        Ok(Ok(output)) => output,
        Ok(Err(source)) => return Err(ToolError::Start { tool: name(), source }),
        Err(_) => return Err(ToolError::Slow { tool: name(), limit }),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(ToolError::Failed { tool: name(), detail: last_words(&output) })
}

async fn output_of(tool: &Path, arguments: &[OsString]) -> io::Result<Output> {
    let mut tries = 0;
    loop {
        let result = Command::new(tool)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await;
        match result {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < BUSY_TRIES =>
            {
                tries += 1;
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            other => return other,
        }
    }
}

fn last_words(output: &Output) -> String {
    let talk = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let talk = String::from_utf8_lossy(talk);
    let lines: Vec<&str> = talk.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let tail = lines.get(lines.len().saturating_sub(DETAIL_LINES)..).unwrap_or_default();
    if tail.is_empty() { output.status.to_string() } else { tail.join(" / ") }
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
