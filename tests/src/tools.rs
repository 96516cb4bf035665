//! Programs that tests need and a fresh machine lacks: fetched once, kept in the user's cache.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
};

use cadre_nats::server::cache_dir;
use tokio::process::Command;

/// Where they are kept.
///
/// # Panics
/// When there is no home.
#[must_use]
pub fn cache() -> PathBuf {
    let variable = std::env::var_os;
    cache_dir(variable("XDG_CACHE_HOME"), variable("HOME")).expect("HOME is set").join("tests")
}

/// The folder of a wheel without dependencies, whose pins are in the file `pins`.
///
/// # Panics
/// When it cannot be had.
pub async fn wheel(name: &str, pins: &str) -> PathBuf {
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
///
/// # Panics
/// When it cannot be had.
pub async fn install(folder: &Path, mut command: Command, finish: impl FnOnce(&Path)) {
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

/// A port that nobody has right now.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Asks for a page over plain HTTP, as no client of ours would: its status and body.
///
/// # Errors
/// When nobody answers in full.
pub async fn page(url: &str, body: Option<&str>) -> std::io::Result<(u16, String)> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut socket = tokio::net::TcpStream::connect(host).await?;
    let head = match body {
        None => format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n"),
        Some(body) => format!(
            "POST /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    };
    socket.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    Ok((status.unwrap_or_default(), body.to_owned()))
}

/// A figure on a page for Prometheus, summed over what it is told apart by.
#[must_use]
pub fn figure(page: &str, name: &str, label: &str) -> u64 {
    let lines = page.lines().filter(|line| line.starts_with(name) && line.contains(label));
    let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    values.sum::<f64>() as u64
}
