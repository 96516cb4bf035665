//! The rules of accessibility, which nobody here wrote: the npm package `axe-core`, run inside a page.

use std::fs;

use cadre_tests::npm::{Node, Package};
use serde_json::Value;

use crate::window::Window;

/// The package.
const PACKAGE: Package = Package {
    folder: "axe-core",
    name: "axe-core@4.14.1",
    sha256: "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745",
};

/// What keeps somebody from using a page is `serious` or `critical`.
const RUN: &str = "axe.run(document, {resultTypes: ['violations'], preload: false}).then(found => JSON.stringify(
    found.violations.filter(it => ['serious', 'critical'].includes(it.impact))
        .flatMap(it => it.nodes.map(node => `${it.id} (${it.impact}) at ${node.target}: ${node.failureSummary}`))))";

/// The rules as a script.
#[derive(Debug, Clone)]
pub struct Axe(String);

impl Axe {
    /// Finds or fetches it.
    ///
    /// # Panics
    /// When it cannot be had.
    pub async fn get() -> Self {
        let folder = Node::get().await.package(&PACKAGE).await;
        Self(fs::read_to_string(folder.join("axe.min.js")).expect("the script"))
    }

    /// What is seriously wrong with the page that is shown, one line each.
    ///
    /// # Panics
    /// When the rules do not run.
    pub async fn wrongs(&self, window: &Window) -> Vec<String> {
        // Half a megabyte: once a page.
        if window.run("typeof axe").await == "undefined" {
            window.run(&format!("{}\n;0", self.0)).await;
        }
        let found = window.run(RUN).await;
        let found: Value = serde_json::from_str(found.as_str().expect("text")).expect("json");
        let lines = found.as_array().expect("a list").iter();
        lines.map(|line| line.as_str().unwrap_or_default().replace('\n', " ")).collect()
    }
}
