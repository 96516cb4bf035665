//! The life of a real nats-server: start, health, kill, restart, stop, and the death of its owner.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use async_nats::jetstream;
use serde_json::{Value, json};

use crate::server::{Replicas, Server, StartError, StartOptions, StoreDir, SyncMode, testing};

const LIMIT: Duration = Duration::from_secs(10);

/// Set for the process that `a_killed_owner_takes_its_server_along` kills.
const OWNER_REPORT: &str = "CADRE_TEST_OWNER_REPORT";

/// Reads the system's tables, which only Linux has in this form.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_started_server_is_healthy_and_listens_on_loopback_only() {
    let mut server = testing::server().await;
    let pid = server.pid().expect("a pid");
    assert!(
        fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|name| name.trim() == "nats-server")
    );
    let client = async_nats::connect(server.url()).await.expect("a connection");
    assert_eq!(client.server_info().host, "127.0.0.1");
    assert!(client.server_info().jetstream);
    assert!(
        listening(pid).iter().all(|address| address.ip().is_loopback()),
        "{:?}",
        listening(pid)
    );
    assert_eq!(listening(pid).len(), 2, "clients and monitor");
    server.stop().await.expect("a clean stop");
    assert_eq!(server.pid(), None);
    assert!(!answers(&server.url()));
}

#[tokio::test]
async fn a_killed_and_restarted_server_keeps_its_address_and_its_streams() {
    let mut server = testing::server().await;
    let (url, pid) = (server.url(), server.pid());
    let stream = jetstream::stream::Config {
        name: "KEEP".into(),
        subjects: vec!["keep".into()],
        ..Default::default()
    };
    let context = jetstream::new(async_nats::connect(&url).await.expect("a connection"));
    context.create_stream(stream).await.expect("a stream");
    context.publish("keep", "kept".into()).await.expect("sent").await.expect("stored");

    server.kill().await.expect("killed");
    assert!(!answers(&url));
    server.kill().await.expect("killing again changes nothing");
    server.restart().await.expect("healthy again");

    assert_eq!(server.url(), url);
    assert_ne!(server.pid(), pid);
    let context = jetstream::new(async_nats::connect(&url).await.expect("a connection"));
    let stream = context.get_stream("KEEP").await.expect("the stream");
    let message = stream.get_raw_message(1).await.expect("the message");
    assert_eq!(message.payload, "kept");
}

#[tokio::test]
async fn a_killed_owner_takes_its_server_along() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.json");
    let mut owner = Command::new(std::env::current_exe().expect("this test's program"))
        .args(["--exact", "server::tests::running::owner_that_waits_for_its_death", "--nocapture"])
        .env(OWNER_REPORT, &report)
        .spawn()
        .expect("an owner");
    let text = poll(|| {
        fs::read(&report).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok())
    })
    .await;
    let url = text["url"].as_str().expect("url").to_owned();
    let store = PathBuf::from(text["store"].as_str().expect("store"));
    assert!(answers(&url));

    owner.kill().expect("SIGKILL");
    owner.wait().expect("its end");

    let died = Instant::now();
    poll(|| (!answers(&url)).then_some(())).await;
    eprintln!("the server was gone {:?} after its owner", died.elapsed());
    poll(|| (!store.exists()).then_some(())).await;
}

/// The owner of the test above; does nothing when run as a test.
#[tokio::test]
async fn owner_that_waits_for_its_death() {
    let Some(report) = std::env::var_os(OWNER_REPORT) else { return };
    let server = testing::server().await;
    // A child of the owner must not keep the guard's pipe open.
    let child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("a child");
    let text = json!({ "url": server.url(), "store": server.store_dir() }).to_string();
    let unfinished = Path::new(&report).with_extension("new");
    fs::write(&unfinished, text).expect("written");
    fs::rename(&unfinished, &report).expect("reported");
    std::future::pending::<()>().await;
    drop((server, child));
}

#[tokio::test]
async fn a_dropped_server_is_dead_and_its_temporary_store_is_gone() {
    let server = testing::server().await;
    let (url, store, pid) =
        (server.url(), server.store_dir().to_owned(), server.pid().expect("a pid"));
    drop(server);
    assert!(!answers(&url));
    assert!(!store.exists());
    assert!(!signal("0", pid), "the process is gone");
}

#[tokio::test]
async fn an_unexpected_end_is_noticed_with_the_log() {
    let mut server = testing::server().await;
    assert!(signal("9", server.pid().expect("a pid")));
    let exit = tokio::time::timeout(LIMIT, server.exited()).await.expect("noticed");
    assert_eq!(exit.code, Some(128 + 9));
    assert!(exit.log_tail.contains("Server is ready"), "{}", exit.log_tail);
    server.restart().await.expect("healthy again");
}

#[tokio::test]
async fn a_server_that_cannot_run_says_why() {
    let mut options = StartOptions::new("/nowhere/nats-server".into());
    let error = Server::start(options.clone()).await.expect_err("no program");
    assert!(error.to_string().contains("/nowhere/nats-server"), "{error}");
    assert!(matches!(error, StartError::Exited(exit) if exit.code == Some(127)));

    let server = testing::server().await;
    let port =
        server.url().rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port");
    options.binary = testing::binary().await;
    options.port = Some(port);
    let error = Server::start(options).await.expect_err("the port is taken");
    assert!(matches!(error, StartError::PortTaken { port: taken, .. } if taken == port), "{error}");
}

#[tokio::test]
async fn a_store_has_one_server_at_a_time_and_its_streams_outlive_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = StartOptions::new(testing::binary().await);
    options.store = StoreDir::Path(folder.path().join("a store"));
    options.sync = SyncMode::Always;
    let mut first = Server::start(options.clone()).await.expect("healthy");
    let error = Server::start(options.clone()).await.expect_err("in use");
    assert!(matches!(error, StartError::StoreInUse { .. }), "{error}");

    let context = jetstream::new(async_nats::connect(first.url()).await.expect("a connection"));
    let stream = jetstream::stream::Config { name: "KEEP".into(), ..Default::default() };
    context.create_stream(stream).await.expect("a stream");
    first.stop().await.expect("stopped");
    drop(first);

    let second = Server::start(options).await.expect("healthy");
    let context = jetstream::new(async_nats::connect(second.url()).await.expect("a connection"));
    context.get_stream("KEEP").await.expect("the stream");
}

#[tokio::test]
async fn a_cluster_of_three_is_healthy_at_once_and_survives_the_loss_of_a_node() {
    let mut options = StartOptions::new(testing::binary().await);
    options.replicas = Replicas::Three;
    let started = Instant::now();
    let mut server = Server::start(options).await.expect("healthy");
    eprintln!("a cluster was healthy after {:?}", started.elapsed());
    assert_eq!(server.urls().len(), 3);
    let client = async_nats::connect(server.urls()).await.expect("a connection");
    let stream = jetstream::stream::Config {
        name: "KEEP".into(),
        subjects: vec!["keep".into()],
        num_replicas: 3,
        ..Default::default()
    };
    jetstream::new(client).create_stream(stream).await.expect("three replicas");

    server.kill_node(2).await.expect("killed");
    assert_eq!(server.nodes().iter().filter(|node| node.pid.is_some()).count(), 2);
    server.restart_node(2).await.expect("healthy again");
    assert!(server.kill_node(3).await.is_err());
    assert!(server.nodes().iter().all(|node| node.pid.is_some()));
}

#[tokio::test]
async fn starting_is_fast() {
    let binary = testing::binary().await;
    let mut times = Vec::new();
    for _ in 0..10 {
        let started = Instant::now();
        let server = Server::start(StartOptions::new(binary.clone())).await.expect("healthy");
        times.push(started.elapsed());
        drop(server);
    }
    times.sort_unstable();
    eprintln!("start to healthy: median {:?}, worst {:?}", times[5], times[9]);
    // A bound for a loaded machine; the figure itself belongs to a benchmark.
    assert!(times[0] < Duration::from_secs(2), "{times:?}");
}

async fn poll<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + LIMIT;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < give_up, "nothing seen in {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn signal(signal: &str, pid: u32) -> bool {
    let script = format!("kill -{signal} {pid} 2>/dev/null");
    Command::new("sh").args(["-c", &script]).status().is_ok_and(|status| status.success())
}

fn answers(url: &str) -> bool {
    let address = url.trim_start_matches("nats://").parse().expect("an address");
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}

/// The addresses a process listens on.
#[cfg(target_os = "linux")]
fn listening(pid: u32) -> Vec<std::net::SocketAddr> {
    use std::net::{Ipv4Addr, SocketAddr};

    let links = fs::read_dir(format!("/proc/{pid}/fd")).expect("its files").flatten();
    let links: Vec<String> = links
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|link| link.display().to_string())
        .collect();
    let mut found = Vec::new();
    for (table, is_v6) in [("tcp", false), ("tcp6", true)] {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for fields in text.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>()) {
            let is_listening = fields[3] == "0A";
            if is_listening && links.contains(&format!("socket:[{}]", fields[9])) {
                let (address, port) = fields[1].rsplit_once(':').expect("address:port");
                let port = u16::from_str_radix(port, 16).expect("a port");
                assert!(!is_v6, "listens on an IPv6 address: {address}");
                let address = u32::from_str_radix(address, 16).expect("an address").swap_bytes();
                found.push(SocketAddr::from((Ipv4Addr::from(address), port)));
            }
        }
    }
    found
}
