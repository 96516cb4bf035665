//! The dashboard of the real program on a real broker: a goal is published from the form, and the page of its
//! task is told within a moment that it is stale, until it shows the answer.

use std::time::{Duration, Instant};

use cadre_tests::{
    bed::{Bed, PATIENCE},
    packs,
    process::Process,
    shell::fine,
};
use reqwest::{Client, Response};
use serde_json::json;
use tokio::time::timeout;

/// Longest time from a record to the word of it at the browser; the pages promise a second on a machine that is
/// not busy with builds.
const TOLD_WITHIN: Duration = Duration::from_secs(20);

const PACK: &str = r#"apiVersion: pack/v1
name: paged
roles:
  parrot: {runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 20s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 2m, max_steps: 9, max_usd: 1, max_tokens: 100}
  when_limited: partial
  steps:
    say: {role: parrot, with: "${ goal }"}
    approve: {after: [say], approval: {question: "Is it well?"}, with: "${ say }"}
  result:
    said: {from: ["${ say }"], required: true}
"#;

struct Browser {
    url: String,
    client: Client,
    _process: Process,
}

impl Browser {
    async fn get(&self, path: &str) -> String {
        let answer =
            self.client.get(format!("{}{path}", self.url)).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.expect("text")
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let encode =
            |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let pairs =
            fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let request = self.client.post(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(body).send().await.expect("an answer")
    }

    /// Fetches a page whenever its topic is stale, until it contains `wanted`.
    async fn watch(&self, path: &str, topic: &str, wanted: &str) -> String {
        let live = self.client.get(format!("{}/live?topics={topic}", self.url));
        let mut live = live.send().await.expect("a stream");
        let until = Instant::now() + PATIENCE;
        loop {
            let page = self.get(path).await;
            if page.contains(wanted) {
                return page;
            }
            assert!(Instant::now() < until, "no {wanted:?} on {path}: {page}");
            let mut heard = String::new();
            while !heard.contains("event: stale") {
                let more = timeout(TOLD_WITHIN, live.chunk()).await.expect("word in time");
                heard += &String::from_utf8_lossy(&more.expect("a stream").expect("more"));
            }
        }
    }
}

/// What stands behind `before` up to the next quote.
fn quoted<'a>(page: &'a str, before: &str) -> &'a str {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}"));
    rest.split('"').next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_is_published_watched_and_approved_on_pages() {
    let bed = Bed::new().await;
    bed.apply(&packs::pack(PACK, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    let stack = bed.stack().await;
    let args =
        ["--role", "edge", "--http", "127.0.0.1:0", "--http-auth", "off", "--tenant", "acme"];
    let process = Process::serve(&bed.server.urls().join(","), &args).await;
    let url = process.lines().into_iter().find(|line| line.starts_with("http://"));
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let client = client.expect("a client");
    let browser = Browser { url: url.expect("an address"), client, _process: process };

    let form = browser.get("/publish?workflow=paged").await;
    let csrf = quoted(&form, "name=\"csrf\" value=\"").to_owned();
    let fields =
        [("csrf", csrf.as_str()), ("workflow", "paged"), ("document", "{\"word\": \"hello\"}")];
    let sent = browser.send("/publish", &fields).await;
    assert_eq!(sent.status(), 303, "{:?}", sent.text().await);
    let path = sent.headers()["location"].to_str().expect("text").to_owned();
    let task = path.trim_start_matches("/tasks/").to_owned();

    let topic = format!("task.{task}");
    browser.watch(&path, &topic, "waits for a person").await;
    let inbox = browser.watch("/approvals", "questions", "Is it well?").await;
    assert!(
        inbox.contains("&quot;word&quot;: &quot;hello&quot;"),
        "what is decided about: {inbox}"
    );
    let hash = quoted(&inbox, "name=\"hash\" value=\"");
    let decision = [("csrf", csrf.as_str()), ("hash", hash), ("choice", "approve")];
    let decided = browser.send(&format!("/approvals/{task}/approve"), &decision).await;
    assert_eq!(decided.status(), 303, "{:?}", decided.text().await);

    let result = browser.watch(&format!("{path}?tab=result"), &topic, "completed").await;
    assert!(result.contains("&quot;said&quot;"), "{result}");
    let graph = browser.get(&format!("{path}?tab=graph&step=say")).await;
    assert!(graph.contains("class=\"edge done\"") && graph.contains("hello"), "{graph}");
    assert!(graph.contains("As it ran"), "{graph}");
    let bus = browser.get("/bus").await;
    assert!(!bus.contains("differs: "), "a bus that was just made is as declared: {bus}");
    let look = browser.get("/bus/CADRE_LOG_0").await;
    assert!(look.contains("#1 ") && look.contains("&quot;rev&quot;"), "decoded: {look}");
    assert!(browser.get("/bus/CADRE_WORK_0?from=1").await.contains("No messages here"));
    for page in
        ["/", "/tasks?status=completed", "/agents", "/breakers", "/bus", "/dlq", "/spend", "/packs"]
    {
        assert!(browser.get(page).await.contains("<h1"), "{page}");
    }
    // And the same by commands.
    let listed =
        fine(&bed, &["show", "tasks", "--tenant", "acme", "--q", "hello", "-o", "id"]).await;
    assert_eq!(listed.text().trim(), task);
    let overview = fine(&bed, &["show", "overview", "--all-tenants", "-o", "json"]).await.json();
    assert_eq!(overview["sums"]["hour"]["completed"], 1, "{overview}");
    let roles = fine(&bed, &["show", "agents", "--all-tenants", "-o", "json"]).await.json();
    let parrot = roles.as_array().expect("a list").iter().find(|row| row["role"] == "parrot");
    let parrot = parrot.expect("the role");
    assert_eq!((&parrot["attempts"], &parrot["breaker"]), (&json!(1), &json!("closed")), "{roles}");
    stack.stop().await;
}
