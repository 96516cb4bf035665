//! Chromium, which nobody here wrote: Debian's package `chromium-headless-shell`, installed or unpacked into the
//! user's cache with every library that this machine lacks.
//!
//! The version is not pinned: it is whatever Debian's security archive has, which keeps no other, and apt checks
//! its signature. The files of one fetch are kept until somebody removes the folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cadre_tests::tools::{cache, install};
use tokio::process::Command;

/// Names another browser that speaks the DevTools protocol.
const VARIABLE: &str = "CADRE_CHROMIUM";

/// Where Debian's package puts the program. What is on the search path is a shell around it, which would not
/// pass a kill on.
const INSTALLED: &str = "usr/lib/chromium/chromium-headless-shell";

/// Folders between the root of a package and its libraries at most.
const DEPTH_MAX: usize = 5;

/// Lists of its own, so that neither root nor an `apt-get update` before is needed. Of what the system has
/// already only the second package is fetched: its files must lie beside the program.
const FETCH: &str = r#"
    cd "$1" && mkdir -p apt/lists/partial apt/cache/archives/partial &&
    own="-qq -o Dir::State::Lists=$PWD/apt/lists -o Dir::Cache=$PWD/apt/cache -o Debug::NoLocking=1" &&
    own="$own -o APT::Sandbox::User=$(id -un) -o Acquire::Retries=3" &&
    apt-get $own update &&
    apt-get $own --yes --no-install-recommends --download-only --reinstall install \
        chromium-headless-shell chromium-common &&
    for package in apt/cache/archives/*.deb; do dpkg -x "$package" . || exit 1; done &&
    rm -rf apt
"#;

/// The program, and what it must be told.
#[derive(Debug, Clone)]
pub struct Chromium {
    /// Where it is.
    pub program: PathBuf,
    /// Environment variables that it needs to find its files.
    pub variables: Vec<(String, String)>,
}

impl Chromium {
    /// Finds or fetches it.
    ///
    /// # Panics
    /// When it cannot be had, with the way to get it: without a browser the tests prove nothing.
    pub async fn get() -> Self {
        if let Some(program) = std::env::var_os(VARIABLE) {
            return Self { program: program.into(), variables: Vec::new() };
        }
        let program = Path::new("/").join(INSTALLED);
        if program.is_file() {
            return Self { program, variables: Vec::new() };
        }
        let folder = cache().join("debian-chromium");
        if !folder.is_dir() {
            let has_apt = Command::new("apt-get").arg("--version").output().await.is_ok();
            assert!(
                has_apt,
                "no browser: install chromium-headless-shell, or name one with {VARIABLE}=/usr/bin/chromium"
            );
            eprintln!(
                "fetching Debian's package chromium-headless-shell into {}",
                folder.display()
            );
            let mut shell = Command::new("sh");
            shell.args(["-c", FETCH, "sh"]);
            install(&folder, shell, |fresh| {
                assert!(fresh.join(INSTALLED).is_file(), "the package has no {INSTALLED}");
            })
            .await;
        }
        Self::unpacked(&folder)
    }

    fn unpacked(folder: &Path) -> Self {
        let mut libraries = Vec::new();
        for root in ["usr/lib", "lib"] {
            libraries_below(&folder.join(root), DEPTH_MAX, &mut libraries);
        }
        let fonts = folder.join("fonts.conf");
        // Without any font it would not start.
        let text = format!(
            "<fontconfig><dir>/usr/share/fonts</dir><dir>{0}/usr/share/fonts</dir><cachedir>{0}/fonts</cachedir></fontconfig>\n",
            folder.display()
        );
        fs::write(&fonts, text).expect("written");
        let variables = vec![
            ("LD_LIBRARY_PATH".to_owned(), libraries.join(":")),
            ("FONTCONFIG_FILE".to_owned(), fonts.display().to_string()),
        ];
        Self { program: folder.join(INSTALLED), variables }
    }
}

/// Folders with shared libraries in them.
fn libraries_below(folder: &Path, depth: usize, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let is_library = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().contains(".so"))
    };
    if paths.iter().any(is_library) {
        found.push(folder.display().to_string());
    }
    if depth > 0 {
        let folders = paths.iter().filter(|path| path.is_dir() && !path.is_symlink());
        folders.for_each(|path| libraries_below(path, depth - 1, found));
    }
}
