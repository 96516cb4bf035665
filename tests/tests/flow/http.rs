//! The HTTP API of the real program on a real broker: publish, follow over a cut connection, steer, decide.

use std::time::Duration;

use cadre_tests::{
    bed::{Bed, PATIENCE},
    hand::Hand,
    packs, payment,
    process::{Process, program},
};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::{process::Command, time::timeout};

const PACK: &str = r#"apiVersion: pack/v1
name: steered
roles:
  hand: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 60s}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 9, max_usd: 1, max_tokens: 100}
  when_limited: partial
  steps:
    first: {role: hand, with: "${ goal }"}
    second: {role: hand, after: [first], with: "${ first }"}
  result:
    echo: {from: ["${ second }"], required: true}
"#;

/// A pod that serves HTTP, and somebody who speaks to it.
struct Door {
    _process: Process,
    url: String,
    client: Client,
    secret: Option<String>,
}

impl Door {
    /// Starts it on the broker of `bed`.
    async fn open(bed: &Bed, args: &[&str]) -> Self {
        let fixed = ["--role", "edge", "--http", "127.0.0.1:0"];
        let process = Process::serve(&bed.server.urls().join(","), &[&fixed, args].concat()).await;
        let url = process.lines().into_iter().find(|line| line.starts_with("http://"));
        let client = Client::builder().timeout(PATIENCE).build().expect("a client");
        Self { _process: process, url: url.expect("an address"), client, secret: None }
    }

    fn held_by(mut self, secret: &str) -> Self {
        self.secret = Some(secret.to_owned());
        self
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.secret {
            Some(secret) => request.header("authorization", format!("Bearer {secret}")),
            None => request,
        }
    }

    async fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.url));
        self.signed(request).send().await.expect("an answer")
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Response {
        let request = self.client.post(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let request = if key.is_empty() { request } else { request.header("idempotency-key", key) };
        self.signed(request).send().await.expect("an answer")
    }

    /// Follows a task from behind a sequence.
    async fn follow(&self, task: &str, last: Option<&str>) -> Events {
        let request = self.client.get(format!("{}/v1/tasks/{task}/events", self.url));
        let request = request.header("accept", "text/event-stream");
        let request = last.iter().fold(request, |it, last| it.header("last-event-id", *last));
        let response = self.signed(request).send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        Events { response, text: String::new() }
    }
}

async fn json_of(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.expect("a body");
    (status, serde_json::from_slice(&bytes).expect("json"))
}

/// Records as they come: id and revision.
struct Events {
    response: Response,
    text: String,
}

impl Events {
    async fn next(&mut self) -> Option<(String, u64)> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                let Some(data) = field("data: ") else { continue };
                let record: Value = serde_json::from_str(data).expect("a record");
                let rev = record["rev"].as_u64().expect("a revision");
                return Some((field("id: ").expect("an id").to_owned(), rev));
            }
            let more = timeout(PATIENCE, self.response.chunk()).await.expect("in time");
            let more = more.expect("a stream")?;
            self.text.push_str(std::str::from_utf8(&more).expect("text"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_is_published_followed_over_a_cut_and_answered() {
    let bed = Bed::new().await;
    bed.apply(&packs::pack(PACK, &[("contracts/any.v1.json", packs::ANYTHING)])).await;
    let stack = bed.stack().await;
    let door = Door::open(&bed, &["--http-auth", "off", "--tenant", "acme"]).await;

    let goal = json!({"workflow": "steered", "input": {"n": 1}});
    let published = door.post("/v1/goals", "k", &goal).await;
    let location = published.headers()["location"].to_str().expect("text").to_owned();
    let (status, body) = json_of(published).await;
    assert_eq!((status, &body["status"]), (202, &json!("accepted")), "{body}");
    let id = body["task"].as_str().expect("an id").to_owned();
    assert_eq!(location, format!("/v1/tasks/{id}"));
    let (status, again) = json_of(door.post("/v1/goals", "k", &goal).await).await;
    assert_eq!((status, &again["task"], &again["is_known"]), (202, &json!(id), &json!(true)));
    let other = json!({"workflow": "steered", "input": {"n": 2}});
    let (status, conflict) = json_of(door.post("/v1/goals", "k", &other).await).await;
    assert_eq!((status, &conflict["type"]), (409, &json!("urn:cadre:problem:refused")));
    let invalid = json!({"workflow": "steered", "input": 7});
    let (status, invalid) = json_of(door.post("/v1/goals", "", &invalid).await).await;
    assert_eq!(status, 422, "{invalid}");
    assert!(!invalid["violations"].as_array().expect("places").is_empty(), "{invalid}");

    let hand = Hand::of(&bed, "hand").await;
    let first = hand.order().await;
    let mut seen = Vec::new();
    let mut events = door.follow(&id, None).await;
    seen.push(events.next().await.expect("a record"));
    drop(events);
    first.complete(&json!({"n": 2})).await;
    hand.order().await.complete(&json!({"n": 3})).await;
    let mut events = door.follow(&id, Some(&seen[0].0)).await;
    while let Some(event) = events.next().await {
        seen.push(event);
    }
    let log = bed.bus.read_log(&body["task"].as_str().map(parse).expect("an id")).await;
    let expected = log.expect("a log").records.len() as u64;
    let revisions: Vec<_> = seen.iter().map(|(_, rev)| *rev).collect();
    assert_eq!(revisions, (1..=expected).collect::<Vec<_>>(), "no gap, no duplicate");

    let result = json_of(door.get(&format!("/v1/tasks/{id}/result?wait=30")).await).await;
    assert_eq!((result.0, &result.1["result"]["echo"]), (200, &json!({"n": 3})), "{result:?}");
    let (_, row) = json_of(door.get(&location).await).await;
    assert_eq!(row["task"], json!(id), "{row}");
    // Whoever runs this: by name, or by number where the environment has none.
    let user = row["user"].as_str().unwrap_or_default();
    match std::env::var("USER").ok().filter(|user| !user.is_empty()) {
        Some(name) => assert_eq!(user, name, "{row}"),
        None => assert!(!user.is_empty() && user != "local", "{row}"),
    }
    stack.stop().await;
}

fn parse(id: &str) -> cadre_core::ids::TaskId {
    cadre_core::ids::TaskId::parse(id).expect("an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_steered_and_questions_decided_with_tokens_alone() {
    let payment = payment::Payment::new().await;
    let url = payment.bed.server.urls().join(",");
    let token = |role: &'static str, tenant: &'static str| {
        let url = url.clone();
        async move {
            let mut command = Command::new(program());
            command.args(["token", "create", "--nats", &url, "--role", role, "--name", role]);
            let said = command.args(["--tenant", tenant]).output().await.expect("it runs");
            assert!(said.status.success(), "{said:?}");
            String::from_utf8(said.stdout).expect("text").trim().to_owned()
        }
    };
    let (operator, approver) = (token("operator", "acme").await, token("approver", "acme").await);
    let other = token("admin", "other").await;
    let door = Door::open(&payment.bed, &[]).await;
    assert_eq!(door.get("/v1/tasks").await.status(), 401);

    let door = door.held_by(&operator);
    let bill = json!({"workflow": "payment", "input": {"usd": 5, "to": "bolt"}});
    let (status, one) = json_of(door.post("/v1/goals", "one", &bill).await).await;
    assert_eq!(status, 202, "{one}");
    let (_, two) = json_of(door.post("/v1/goals", "two", &bill).await).await;
    let [one, two] = [one, two].map(|body| body["task"].as_str().expect("an id").to_owned());
    payment.asked(&parse(&one)).await;
    payment.asked(&parse(&two)).await;

    let door = door.held_by(&other);
    for path in [format!("/v1/tasks/{one}"), format!("/v1/tasks/{one}/events")] {
        assert_eq!(door.get(&path).await.status(), 404, "{path}");
    }
    let cancel = format!("/v1/tasks/{one}/cancel");
    assert_eq!(door.post(&cancel, "", &json!({})).await.status(), 404);

    let door = door.held_by(&operator);
    let (status, cancelled) = json_of(door.post(&cancel, "", &json!({"reason": "no"})).await).await;
    assert_eq!((status, &cancelled["outcome"]), (200, &json!("done")), "{cancelled}");
    let (status, ended) = json_of(door.get(&format!("/v1/tasks/{one}/result?wait=30")).await).await;
    assert_eq!((status, &ended["status"]), (200, &json!("cancelled")), "{ended}");
    let place = format!("/v1/approvals/{two}/allow");
    let (status, question) = json_of(door.get(&place).await).await;
    assert_eq!((status, &question["ask"]["question"]), (200, &json!("Pay 5 USD to bolt?")));
    let grant = json!({"decision": "grant", "hash": question["hash"], "comment": "as agreed"});
    assert_eq!(door.post(&place, "", &grant).await.status(), 403, "an operator decides nothing");

    let door = door.held_by(&approver);
    let stale = json!({"decision": "grant", "hash": "00000000"});
    assert_eq!(door.post(&place, "", &stale).await.status(), 409);
    let (status, granted) = json_of(door.post(&place, "", &grant).await).await;
    assert_eq!((status, &granted["outcome"]), (200, &json!("done")), "{granted}");
    assert_eq!(granted["reason"], "approver granted step allow: as agreed");
    assert_eq!(door.post(&place, "", &grant).await.status(), 409, "once");

    revoke(&url, "approver").await;
    assert_eq!(door.get("/v1/tasks").await.status(), 401, "revoked is revoked");
    payment.stack.stop().await;
}

/// Revokes the token of a role by `cadre token`.
async fn revoke(url: &str, role: &str) {
    let mut ls = Command::new(program());
    let listed = ls.args(["token", "ls", "--nats", url, "-o", "json"]).output().await;
    let listed: Value = serde_json::from_slice(&listed.expect("it runs").stdout).expect("json");
    let found = listed.as_array().expect("a list").iter().find(|token| token["role"] == role);
    let id = found.expect("the token")["id"].as_str().expect("an id").to_owned();
    let mut revoke = Command::new(program());
    let revoked = revoke.args(["token", "revoke", "--nats", url, &id]).status().await;
    assert!(revoked.expect("it runs").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_door_is_refused_where_others_can_reach_it() {
    let bed = Bed::new().await;
    let mut command = Command::new(program());
    let args = ["--role", "edge", "--http", "0.0.0.0:0", "--http-auth", "off"];
    let url = bed.server.urls().join(",");
    let ended = command.args(["serve", "--nats", &url]).args(args).output();
    let said = timeout(Duration::from_secs(60), ended).await.expect("an end").expect("it runs");
    let talk = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(2), "{talk}");
    assert!(talk.contains("loopback") && talk.contains("cadre token create"), "{talk}");
}
