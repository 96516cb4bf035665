//! Prometheus and promtool, which nobody here wrote: those of this machine, or Debian's package, unpacked into the
//! user's cache without being installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use crate::tools::{cache, free_port, install};

/// Both programs.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The server.
    pub prometheus: PathBuf,
    /// What checks rules.
    pub promtool: PathBuf,
}

impl Programs {
    /// Finds or fetches them.
    ///
    /// # Panics
    /// When they cannot be had, with the way to get them.
    pub async fn get() -> Self {
        let is_there = |name: &'static str| async move {
            let asked = Command::new(name).arg("--version").output().await;
            asked.is_ok_and(|output| output.status.success())
        };
        if is_there("prometheus").await && is_there("promtool").await {
            return Self { prometheus: "prometheus".into(), promtool: "promtool".into() };
        }
        let folder = cache().join("debian-prometheus");
        if !folder.is_dir() {
            eprintln!("fetching Debian's package prometheus into {}", folder.display());
            fetch(&folder).await;
        }
        let program = |name: &str| folder.join("usr/bin").join(name);
        Self { prometheus: program("prometheus"), promtool: program("promtool") }
    }

    /// Runs promtool to its end; what it says, whatever that is, and whether it was content.
    ///
    /// # Panics
    /// When it does not run.
    pub async fn promtool(&self, folder: &Path, args: &[&str]) -> (bool, String) {
        let mut command = Command::new(&self.promtool);
        command.args(args).current_dir(folder).stdin(Stdio::null());
        let output = command.output().await.expect("promtool runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// A server on a free port that scrapes `target` every second.
    #[must_use]
    pub fn serve(&self, folder: &Path, target: &str) -> (String, Command) {
        let config = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - job_name: cadre\n    static_configs: [{{targets: \
             ['{target}']}}]\n"
        );
        fs::write(folder.join("prometheus.yml"), config).expect("written");
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(&self.prometheus);
        command.current_dir(folder).arg("--config.file=prometheus.yml");
        command.arg("--storage.tsdb.path=data").arg(format!("--web.listen-address={address}"));
        (format!("http://{address}"), command)
    }
}

/// The package's files, its signature checked by apt. Lists of its own where the system's have none.
async fn fetch(folder: &Path) {
    let own = "mkdir -p apt/lists/partial apt/cache/archives/partial && \
               own=\"-o Dir::State::Lists=$PWD/apt/lists -o Dir::Cache=$PWD/apt/cache\" && \
               apt-get $own -qq update && apt-get $own -qq download prometheus";
    let script = format!(
        "cd \"$1\" && {{ apt-get -qq download prometheus || {{ {own}; }}; }} && dpkg -x prometheus_*.deb . && \
         rm -rf apt prometheus_*.deb && test -x usr/bin/promtool"
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, "sh"]);
    install(folder, shell, |_| {}).await;
}
