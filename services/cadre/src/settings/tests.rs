use std::fs;

use super::*;

fn file(path: &str, text: &str) -> SettingsFile {
    SettingsFile::parse(path, text).unwrap()
}

/// Every source, from the strongest to the weakest, says something about the tenant.
fn all() -> Sources {
    let context = context::parse("prod", r#"{"url": "nats://prod:4222"}"#).unwrap();
    Sources {
        flags: Flags {
            tenant: Some("flag".to_owned()),
            nats: Some("nats://flag:1".to_owned()),
            ..Flags::default()
        },
        environment: Environment::of(&[
            ("CADRE_TENANT", "variable"),
            ("CADRE_NATS", "nats://variable:1"),
            ("CADRE_OFFLINE", "yes"),
            ("CADRE_OUTPUT", ""),
            ("HOME", "/home/ann"),
        ]),
        project: Some(file("/p/cadre.yaml", "# ours\ntenant: project\nnats: nats://project:1\n")),
        user: Some(file(
            "/u/config.yaml",
            "tenant: user\noutput: json\ncredentials: my.creds\nnats: nats://user:1\n",
        )),
        context: Some(context),
    }
}

#[test]
fn the_strongest_source_counts() {
    let mut sources = all();
    for (tenant, nats) in [
        ("flag", Some("nats://flag:1")),
        ("variable", Some("nats://variable:1")),
        ("project", Some("nats://project:1")),
        ("user", Some("nats://user:1")),
        ("default", None),
    ] {
        let settings = Settings::resolve(&sources).unwrap();
        assert_eq!((settings.tenant.as_str(), settings.nats.as_deref()), (tenant, nats));
        let by_context = settings.context.as_ref().map(|context| context.url.as_str());
        assert_eq!(by_context, nats.is_none().then_some("nats://prod:4222"), "{tenant}");
        match tenant {
            "flag" => sources.flags = Flags::default(),
            "variable" => sources.environment = Environment::default(),
            "project" => sources.project = None,
            _ => sources.user = None,
        }
    }
}

#[test]
fn each_value_names_its_source_and_what_it_overrode() {
    let settings = Settings::resolve(&all()).unwrap();
    let line = |name: &str| {
        let one = settings.explained.iter().find(|one| one.setting == name).unwrap();
        let overrode: Vec<_> =
            one.overrode.iter().map(|o| format!("{} by {}", o.value, o.source)).collect();
        format!("{} by {} over {}", one.value, one.source, overrode.join(", "))
    };
    for (name, expected) in [
        (
            "tenant",
            "flag by flag --tenant over variable by environment CADRE_TENANT, project by \
             /p/cadre.yaml:2, user by /u/config.yaml:1",
        ),
        ("offline", "yes by environment CADRE_OFFLINE over "),
        ("output", "json by /u/config.yaml:2 over "),
        ("credentials", "/u/my.creds by /u/config.yaml:3 over "),
        ("cache_dir", "/home/ann/.cache/cadre by default over "),
        ("log", "warn by default over "),
    ] {
        assert_eq!(line(name), expected);
    }
    assert!(
        line("nats")
            .ends_with("nats://user:1 by /u/config.yaml:4, nats://prod:4222 by nats context prod")
    );
    assert_eq!(settings.explained.len(), Key::ALL.len());
}

#[test]
fn who_logs_in_has_a_name() {
    let login = |variables: &[(&'static str, &str)]| {
        let environment = Environment::of(variables);
        Settings::resolve(&Sources { environment, ..Sources::default() }).unwrap().login
    };
    assert_eq!(login(&[("USER", "ann"), ("LOGNAME", "bob")]).as_deref(), Some("ann"));
    assert_eq!(login(&[("USER", ""), ("LOGNAME", "bob")]).as_deref(), Some("bob"));
    assert_eq!(login(&[]), None);
    let own =
        Settings::resolve(&Sources { environment: Environment::read(), ..Sources::default() });
    assert!(own.unwrap().login.is_some(), "by number, if by nothing else");
}

#[test]
fn logins_are_never_shown() {
    let text = r#"{"url": "nats://a:1,b:2", "user": "ann", "password": "s@crét"}"#;
    let context = context::parse("c", text).unwrap();
    assert_eq!(context.url, "nats://ann:s%40cr%C3%A9t@a:1,nats://ann:s%40cr%C3%A9t@b:2");
    let environment = Environment::of(&[("CADRE_OTLP_ENDPOINT", "http://key:hush@h:4317")]);
    let sources = Sources { context: Some(context), environment, ..Sources::default() };
    let settings = Settings::resolve(&sources).unwrap();
    let shown = format!("{:?}", settings.explained);
    assert!(
        !shown.contains("s%40") && !shown.contains("ann") && !shown.contains("hush"),
        "{shown}"
    );
    assert!(shown.contains("nats://•••@a:1,nats://•••@b:2"), "{shown}");
}

#[test]
fn credentials_of_a_context_go_only_to_its_server() {
    let text = r#"{"url": "nats://prod:4222", "creds": "/c/prod.creds"}"#;
    let context = context::parse("prod", text).unwrap();
    let mut sources = Sources { context: Some(context), ..Sources::default() };
    let settings = Settings::resolve(&sources).unwrap();
    let used = settings.context.unwrap();
    assert_eq!(used.credentials.as_deref(), Some(Path::new("/c/prod.creds")));
    sources.flags.nats = Some("nats://other:1".to_owned());
    let settings = Settings::resolve(&sources).unwrap();
    assert_eq!((settings.context, settings.credentials), (None, None));
    assert!(!format!("{:?}", settings.explained).contains("prod.creds"));
}

#[test]
fn a_context_that_we_cannot_follow_says_so_only_when_it_is_used() {
    for (text, part) in [
        (r#"{"nkey": "/k"}"#, "nkey"),
        (r#"{"cert": "c", "key": "k", "ca": ""}"#, "cert, key"),
        (r#"{"tls_first": true}"#, "tls_first"),
        ("[1]", "JSON"),
    ] {
        let error = context::parse("c", text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
    let problem = Some("no".to_owned());
    let broken = Context { name: "c".to_owned(), problem, ..Context::default() };
    let sources = Sources { context: Some(broken), ..Sources::default() };
    Settings::resolve(&sources).unwrap();
}

#[test]
fn a_wrong_value_names_setting_source_and_what_is_allowed() {
    for (yaml, parts) in [
        ("tenant: Not A Name", ["tenant", "/f.yaml:1"]),
        ("\noutput: xml", ["json", "/f.yaml:2"]),
        ("log_format: pretty", ["text or json", "/f.yaml:1"]),
        ("nats: 'not a server'", ["nats://HOST:PORT", "/f.yaml:1"]),
    ] {
        let sources = Sources { user: Some(file("/f.yaml", yaml)), ..Sources::default() };
        let error = Settings::resolve(&sources).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{yaml}: {error}");
    }
    let environment = Environment::of(&[("CADRE_OFFLINE", "perhaps")]);
    let sources = Sources { environment, ..Sources::default() };
    let error = Settings::resolve(&sources).unwrap_err().to_string();
    assert!(error.contains("CADRE_OFFLINE") && error.contains("perhaps"), "{error}");
}

#[test]
fn files_are_refused_with_line_and_column() {
    for (text, place, part) in [
        ("tenant: a\ntenat: b\n", ":2:1", "tenat"),
        ("tenant: [a]\n", ":1:", ""),
        ("offline: maybe\n", ":1:", ""),
        ("a: [", ":1:", ""),
    ] {
        let error = SettingsFile::parse("/f.yaml", text).unwrap_err().to_string();
        let is_placed = error.starts_with(&format!("/f.yaml{place}"));
        assert!(is_placed && error.contains(part), "{text}: {error}");
    }
    for text in ["", "# nothing\n", "{}"] {
        SettingsFile::parse("/f.yaml", text).unwrap();
    }
}

#[test]
fn the_project_file_is_found_up_to_the_root_of_the_repository() {
    let outside = tempfile::tempdir().unwrap();
    let root = outside.path().join("repository");
    let deep = root.join("a").join("b");
    fs::create_dir_all(&deep).unwrap();
    fs::write(outside.path().join("cadre.yaml"), "tenant: outside\n").unwrap();
    let found = |folder: &Path| {
        let file = files::project(Some(folder)).unwrap()?;
        file.get(Key::Tenant).map(|(_, text)| text)
    };
    assert_eq!(found(&deep), None);
    fs::create_dir(root.join(".git")).unwrap();
    assert_eq!(found(&deep), None);
    fs::write(root.join("cadre.yaml"), "tenant: root\n").unwrap();
    assert_eq!(found(&deep).as_deref(), Some("root"));
    fs::write(deep.join("cadre.yaml"), "tenant: deep\n").unwrap();
    assert_eq!(found(&deep).as_deref(), Some("deep"));
}

#[test]
fn a_project_cannot_choose_a_program() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["nats_server: ./evil\n", "nats: ./evil\n"] {
        fs::write(folder.path().join("cadre.yaml"), text).unwrap();
        let error = files::project(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("cadre.yaml:1:") && error.contains("program"), "{error}");
    }
    fs::write(folder.path().join("cadre.yaml"), "nats: nats://broker:4222\n").unwrap();
    files::project(Some(folder.path())).unwrap();
}

#[test]
fn data_is_kept_where_the_user_keeps_data() {
    let data = |variables: &[(&'static str, &str)]| {
        let sources = Sources { environment: Environment::of(variables), ..Sources::default() };
        Settings::resolve(&sources).unwrap().data_dir
    };
    let home = ("HOME", "/home/a");
    assert_eq!(data(&[home, ("XDG_DATA_HOME", "/data")]), Some(PathBuf::from("/data/cadre")));
    let own = Some(PathBuf::from("/home/a/.local/share/cadre"));
    assert_eq!(data(&[home, ("XDG_DATA_HOME", "data")]), own);
    assert_eq!(data(&[]), None);
}
