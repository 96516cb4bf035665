//! The README's commands, run as they stand there: by a shell, one behind the other, beside one `cadre dev`.
//! What stands for the reader's own (an id, a port, a token) is filled in; what is not run is listed with why.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use async_nats::HeaderMap;
use cadre_nats::connect::{ConnectOptions, connect};
use cadre_tests::{
    bed::PATIENCE,
    packs,
    process::{Process, program},
    python,
    tools::free_port,
};
use futures::StreamExt as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Lines that are not run here, by how they begin, and why not.
const ELSEWHERE: [(&str, &str); 11] = [
    ("cargo run", "cadre/tests/cli.rs runs the demo, and cargo stands above this test"),
    ("cargo test", "this is it"),
    ("pip install", "tests/src/python.rs installs the same, pinned by hash"),
    (
        "nats sub",
        "no test may need the nats CLI: the line below it is published and heard by a client",
    ),
    ("cadre approval grant", "needs a question: flow approvals"),
    ("cadre task budget add", "needs a task without money: flow limits"),
    ("cadre demo chaos", "a minute long: chaos demo"),
    ("cadre pack record", "needs a key; that it refuses without one: flow packs"),
    ("cadre eval run", "plays a suite for half a minute: flow eval"),
    ("cadre eval add", "needs a task of the pack beside the suite: flow eval"),
    ("export CADRE_NATS", "every line here has it"),
];

/// A role that nobody does until the worker in Python comes.
const REMOTE: &str = "
apiVersion: pack/v1
name: errand
roles:
  my-role: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 2m}}
workflow:
  input: contracts/any.v1.json
  output: contracts/any.v1.json
  limits: {deadline: 5m, max_steps: 3, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    run: {role: my-role, with: \"${ goal }\"}
  result: {echo: run}
";

/// One `cadre dev` and a reader's folder.
struct Desk {
    folder: TempDir,
    url: String,
    http: u16,
    /// A task that has ended, for lines with somebody's id.
    done: String,
    /// One that is open.
    open: String,
    token: String,
}

/// Lines of the shell blocks, and of sessions behind `$`; a line that goes on below is one.
fn lines(readme: &str) -> Vec<String> {
    let mut lines = Vec::<String>::new();
    let mut fence = None;
    for line in readme.lines() {
        match (fence, line.strip_prefix("```")) {
            (None, Some(kind)) => fence = Some(kind),
            (Some(_), Some(_)) => fence = None,
            (Some("sh"), None) => match lines.last_mut().filter(|last| last.ends_with('\\')) {
                Some(last) => {
                    last.pop();
                    last.push_str(line.trim_start());
                }
                None => lines.push(line.to_owned()),
            },
            (Some(""), None) => lines.extend(line.strip_prefix("$ ").map(str::to_owned)),
            (Some(_) | None, None) => {}
        }
    }
    lines
}

impl Desk {
    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        let bin = program().parent().expect("a folder").display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        command.args(["-c", line]).current_dir(self.path()).stdin(Stdio::null());
        command.env("PATH", format!("{bin}:{path}")).env("NO_COLOR", "1");
        command.env("TOKEN", &self.token);
        // It plays on a broker of its own.
        if !line.starts_with("cadre pack test") {
            command.env("CADRE_NATS", &self.url);
        }
        command.env("XDG_CONFIG_HOME", self.path()).kill_on_drop(true);
        command
    }

    /// Runs a line to its end, which must be a good one; its data.
    async fn run(&self, line: &str) -> String {
        let output = timeout(PATIENCE, self.shell(line).output()).await;
        let output = output.unwrap_or_else(|_| panic!("{line}: no end")).expect("a shell");
        let (data, talk) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
        let data = String::from_utf8_lossy(data).into_owned();
        assert!(output.status.success(), "{line}: {:?}\n{data}\n{talk}", output.status);
        data
    }

    /// The line with what is the reader's own filled in.
    fn fill(&self, line: &str) -> String {
        let is_open = ["cadre task pause", "cadre task why"].iter().any(|it| line.starts_with(it));
        let id = if is_open { &self.open } else { &self.done };
        let words = line.split(' ').map(|word| match word {
            "ID" | "ek6veavj5sre7icwhvnqhhp3u3" => id.clone(),
            word => word
                .replace("127.0.0.1:7700", &format!("127.0.0.1:{}", self.http))
                .replace("0.0.0.0:7700", &format!("127.0.0.1:{}", free_port()))
                .replace("0.0.0.0:9464", &format!("127.0.0.1:{}", free_port()))
                .replace("nats://127.0.0.1:4222", &self.url),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// A service is ready, and ends when it is told to.
    async fn serve(&self, line: &str) {
        let mut service = Process::ready(line, self.shell(&format!("exec {line}"))).await;
        assert_eq!(service.stop().await, Some(0), "{line}: {:?}", service.lines());
    }

    /// The words of a line behind its program, as a shell reads them.
    async fn words(&self, line: &str) -> Vec<String> {
        let (_, words) = line.split_once(' ').expect("more than a program");
        self.run(&format!("printf '%s\\n' {words}")).await.lines().map(str::to_owned).collect()
    }

    /// What `curl` does, without it.
    async fn post(&self, line: &str) {
        let words = self.words(line).await;
        let mut words = words.iter().map(String::as_str);
        let client = reqwest::Client::new();
        let (mut url, mut body, mut headers) = ("", "", Vec::new());
        while let Some(word) = words.next() {
            match word {
                "-H" => headers.extend(words.next().and_then(|header| header.split_once(": "))),
                "--json" => body = words.next().unwrap_or_default(),
                word => url = word,
            }
        }
        let request = client.post(url).header("Content-Type", "application/json");
        let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
        let answer = request.body(body.to_owned()).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 202, "{line}: {:?}", answer.text().await);
    }

    /// What `nats pub` does, without it.
    async fn publish(&self, line: &str) {
        let words = self.words(line.strip_prefix("nats ").expect("nats")).await;
        let [flag, header, subject, body] = &words[..] else { panic!("{words:?}") };
        let (name, value) = header.split_once(':').expect("a header");
        assert_eq!((flag.as_str(), name), ("-H", "Nats-Msg-Id"));
        let client =
            connect(ConnectOptions::new(self.url.clone(), "readme")).await.expect("a broker");
        let mut answers =
            client.client.subscribe("answers.default.contract-intake.>").await.expect("heard");
        let mut headers = HeaderMap::new();
        headers.insert(name, value);
        let body = body.clone().into();
        client.client.publish_with_headers(subject.clone(), headers, body).await.expect("sent");
        let answer = timeout(PATIENCE, answers.next()).await.expect("in time").expect("an answer");
        let answer: Value = serde_json::from_slice(&answer.payload).expect("JSON");
        assert_eq!(answer["key"], value, "{answer}");
    }

    /// The worker does what waits for it, until it is told to end.
    async fn work(&self, line: &str) {
        let line = line.replace("proto/examples", &format!("{PROJECT}/proto/examples"));
        let mut command = self.shell(&format!("exec {line}"));
        command.env("PYTHONPATH", python::modules().await);
        let mut worker = Process::spawn("worker.py", command);
        let end = format!("cadre task watch {} >&2; cadre task result {}", self.open, self.open);
        self.run(&end).await;
        assert_eq!(worker.stop().await, Some(0), "{:?}", worker.lines());
    }
}

async fn desk() -> (Desk, Process) {
    let folder = tempfile::tempdir().expect("a folder");
    let (port, http) = (free_port(), free_port());
    let mut command = Command::new(program());
    command.args(["dev", "--ephemeral", "--port", &port.to_string()]);
    command.args(["--http", &format!("127.0.0.1:{http}")]).current_dir(folder.path());
    command.env("XDG_CONFIG_HOME", folder.path());
    let mut dev = Process::spawn("cadre dev", command);
    dev.says("Ctrl-C ends it.").await;
    let url = format!("nats://127.0.0.1:{port}");
    let [done, open, token] = [(); 3].map(|()| String::new());
    (Desk { folder, url, http, done, open, token }, dev)
}

/// What the reader has: a contract, the project's example pack, and one of a remote role.
fn furnish(folder: &Path) -> PathBuf {
    let sample = format!("{PROJECT}/services/cadre/packs/contract/samples/msa.txt");
    fs::copy(sample, folder.join("contract.txt")).expect("a contract");
    let contracts = folder.join("tests/packs/order/contracts");
    fs::create_dir_all(&contracts).expect("a folder");
    for file in ["pack.yaml", "contracts/letter.v1.json", "contracts/order.v1.json"] {
        let from = format!("{PROJECT}/tests/packs/order/{file}");
        fs::copy(from, folder.join("tests/packs/order").join(file)).expect("a pack");
    }
    let errand = folder.join("errand");
    fs::create_dir_all(errand.join("contracts")).expect("a folder");
    fs::write(errand.join("pack.yaml"), REMOTE).expect("written");
    fs::write(errand.join("contracts/any.v1.json"), packs::ANYTHING).expect("written");
    errand
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readmes_commands_do_what_it_says() {
    let (mut desk, mut dev) = desk().await;
    furnish(desk.path());
    desk.run("cadre pack apply errand").await;
    let publish = "cadre goal publish errand -i text=hello -o id";
    desk.open = desk.run(publish).await.trim().to_owned();
    let readme = fs::read_to_string(format!("{PROJECT}/README.md")).expect("a README");
    let (mut ran, mut left) = (0, ELSEWHERE.to_vec());
    for written in lines(&readme) {
        let line = desk.fill(&written);
        eprintln!("$ {line}");
        ran += 1;
        if let Some((begin, why)) = ELSEWHERE.iter().find(|(begin, _)| line.starts_with(begin)) {
            left.retain(|(it, _)| it != begin);
            eprintln!("  not here: {why}");
            ran -= 1;
        } else if line.starts_with("cadre serve") {
            desk.serve(line.split('#').next().unwrap_or_default().trim()).await;
        } else if line.starts_with("nats pub") {
            desk.publish(&line).await;
        } else if line.starts_with("curl") {
            desk.post(&line).await;
        } else if line.starts_with("python3") {
            desk.run(&format!("cadre task resume {}", desk.open)).await;
            desk.work(&line).await;
        } else if line.starts_with("cadre token create") {
            desk.token = desk.run(&line).await.trim().to_owned();
        } else if line.starts_with("cadre goal publish contract-intake") {
            desk.run(&line).await;
            let task = desk.run("cadre task ls --workflow contract-intake -o id").await;
            desk.done = task.trim().to_owned();
        } else {
            desk.run(&line).await;
        }
    }
    assert!(ran >= 28, "{ran} lines were run");
    assert_eq!(left, [], "no line of the README begins so");
    assert_eq!(dev.stop().await, Some(0), "{:?}", dev.lines());
}
