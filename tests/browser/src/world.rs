//! What is behind the windows: a broker, the services, a pod that serves the pages, and one browser.

use std::{path::Path, time::Duration};

use cadre::{
    packs::{BuiltIn, read},
    stack::Stack,
};
use cadre_tests::{
    bed::{Bed, PATIENCE},
    packs::{ANYTHING, pack, pipeline},
    process::Process,
    shell::fine,
};
use chromiumoxide::{
    Browser, BrowserConfig,
    cdp::browser_protocol::target::{CreateBrowserContextParams, CreateTargetParams},
};
use futures::StreamExt as _;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::{chromium::Chromium, window::Window};

/// The tenant whose pages are looked at.
pub const TENANT: &str = "acme";

/// Asks a person, who has no time at all.
const HASTY: &str = r#"apiVersion: pack/v1
name: hasty
roles:
  hasty-clerk: {runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 20s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 1, max_tokens: 100}
  when_limited: partial
  steps:
    draft: {role: hasty-clerk, with: "${ goal }"}
    allow: {after: [draft], approval: {question: "Send it within four seconds?", expires: 4s}, with: "${ draft }"}
  result:
    sent: {from: ["${ allow.content }"], required: false}
"#;

/// Two remote workers; while one of them is not done, what the other failed at can be tried again.
const PAIR: &str = r#"apiVersion: pack/v1
name: pair
roles:
  pair-quick: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 5m}}
  pair-slow: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 5m}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 10m, max_steps: 9, max_usd: 1, max_tokens: 100}
  when_limited: partial
  steps:
    quick: {role: pair-quick, with: "${ goal }"}
    slow: {role: pair-slow, with: "${ goal }"}
  result:
    quick: {from: ["${ quick }"], required: false}
    slow: {from: ["${ slow }"], required: false}
"#;

/// Somebody with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// Does everything, in one tenant.
    Ann,
    /// The same in another tenant.
    Rival,
    /// Sees every tenant, and may hold breakers.
    Ops,
}

/// The world. Ends with [`World::stop`].
pub struct World {
    /// The broker.
    pub bed: Bed,
    stack: Stack,
    _edge: Process,
    url: String,
    tokens: [String; 3],
    browser: Browser,
    driver: JoinHandle<()>,
    _profile: TempDir,
}

impl World {
    /// Starts everything, with packs but without tasks.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start() -> Self {
        let bed = Bed::new().await;
        for built_in in BuiltIn::all() {
            bed.apply(&built_in.source()).await;
        }
        let payment = concat!(env!("CARGO_MANIFEST_DIR"), "/../packs/payment");
        bed.apply(&read(Path::new(payment)).expect("a pack")).await;
        let any = [("contracts/any.v1.json", ANYTHING)];
        bed.apply(&pack(HASTY, &any)).await;
        bed.apply(&pack(PAIR, &any)).await;
        bed.apply(&pipeline("echoes", 3)).await;
        let stack = bed.stack().await;
        let broker = bed.server.urls().join(",");
        let edge = Process::serve(&broker, &["--role", "edge", "--http", "127.0.0.1:0"]).await;
        let url = edge.lines().into_iter().find(|line| line.starts_with("http://"));
        let url = url.expect("an address").trim_end_matches('/').to_owned();
        let tokens = [
            token(&bed, &["--name", "ann", "--tenant", TENANT]).await,
            token(&bed, &["--name", "rival", "--tenant", "globex"]).await,
            token(&bed, &["--name", "ops", "--tenant", TENANT, "--all-tenants"]).await,
        ];
        let profile = tempfile::tempdir().expect("a folder");
        let (browser, driver) = launch(profile.path()).await;
        Self { bed, stack, _edge: edge, url, tokens, browser, driver, _profile: profile }
    }

    /// A window that shares nothing with the others; nobody is signed in.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn window(&self) -> Window {
        let context = CreateBrowserContextParams::default();
        let context = self.browser.create_browser_context(context).await.expect("a context");
        let target = CreateTargetParams::builder().url("about:blank").browser_context_id(context);
        let page = self.browser.new_page(target.build().expect("a target")).await;
        Window::over(page.expect("a page"), &self.url).await
    }

    /// A window in which somebody is signed in.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn window_of(&self, person: Person) -> Window {
        let window = self.window().await;
        let [ann, rival, ops] = &self.tokens;
        let token = match person {
            Person::Ann => ann,
            Person::Rival => rival,
            Person::Ops => ops,
        };
        window.sign_in(token).await;
        window
    }

    /// Ends everything.
    pub async fn stop(mut self) {
        // A browser that is gone is what is wanted.
        let _ = self.browser.close().await;
        let _ = tokio::time::timeout(Duration::from_secs(10), self.browser.wait()).await;
        self.driver.abort();
        self.stack.stop().await;
    }
}

async fn token(bed: &Bed, args: &[&str]) -> String {
    let said = fine(bed, &[&["token", "create", "--role", "admin"], args].concat()).await;
    said.text().trim().to_owned()
}

/// The browser, and who carries its messages.
async fn launch(profile: &Path) -> (Browser, JoinHandle<()>) {
    let chromium = Chromium::get().await;
    let config = BrowserConfig::builder()
        .chrome_executable(&chromium.program)
        .envs(chromium.variables.clone())
        .user_data_dir(profile)
        // It sees nothing but our own pages, and a container often gives it no other choice.
        .no_sandbox()
        .arg("disable-gpu")
        .viewport(None)
        .launch_timeout(PATIENCE)
        .request_timeout(PATIENCE * 2)
        .build()
        .expect("a configuration");
    let (browser, mut handler) = Browser::launch(config).await.unwrap_or_else(|error| {
        panic!("{} does not start: {error}", chromium.program.display());
    });
    let driver = tokio::spawn(async move { while handler.next().await.is_some() {} });
    (browser, driver)
}
