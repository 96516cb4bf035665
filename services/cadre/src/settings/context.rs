//! The selected context of the `nats` command line, as far as we can use it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::environment::Environment;

/// Where a context without a URL connects to.
const URL: &str = "nats://127.0.0.1:4222";

/// Keys of a context that change how it connects and that we cannot follow.
const UNSUPPORTED: [&str; 13] = [
    "nkey",
    "cert",
    "key",
    "ca",
    "nsc",
    "user_jwt",
    "user_seed",
    "socks_proxy",
    "jetstream_domain",
    "jetstream_api_prefix",
    "inbox_prefix",
    "tls_first",
    "windows_cert_store",
];

/// A context of the `nats` CLI.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// Addresses, with the login inside.
    pub url: String,
    /// Its credentials file.
    pub credentials: Option<PathBuf>,
    /// Why it cannot be used; said when it would be.
    pub problem: Option<String>,
}

/// The context that the `nats` CLI would use.
pub(super) fn selected(environment: &Environment) -> Option<Context> {
    let folder = environment.config_dir()?.join("nats");
    let name = environment.nats_context().or_else(|| {
        let text = fs::read_to_string(folder.join("context.txt")).ok()?;
        Some(text.trim().to_owned()).filter(|name| !name.is_empty())
    })?;
    Some(read(&folder, &name))
}

fn read(folder: &Path, name: &str) -> Context {
    let broken = |why: &str| Context {
        name: name.to_owned(),
        url: URL.to_owned(),
        credentials: None,
        problem: Some(format!(
            "use the nats context {name}: {why}; give --nats URL, or select another context with \
             `nats context select`"
        )),
    };
    if name.contains(['/', '\\']) || name.starts_with('.') {
        return broken("that is no name of a context");
    }
    let path = folder.join("context").join(format!("{name}.json"));
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => return broken(&format!("read {}: {error}", path.display())),
    };
    match parse(name, &text) {
        Ok(context) => context,
        Err(why) => broken(&why),
    }
}

/// Reads the document of a context.
pub(super) fn parse(name: &str, text: &str) -> Result<Context, String> {
    let document: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("it is no JSON object: {error}"))?;
    let field =
        |key: &str| document.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let is_set = |key: &&str| match document.get(*key) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Bool(true) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => true,
    };
    let unsupported: Vec<_> = UNSUPPORTED.iter().filter(|key| is_set(key)).copied().collect();
    if !unsupported.is_empty() {
        return Err(format!("it has {}, which cadre does not support", unsupported.join(", ")));
    }
    let login = match (field("user"), field("password"), field("token")) {
        (Some(user), password, _) => {
            Some(format!("{}:{}@", escape(user), escape(password.unwrap_or_default())))
        }
        (None, _, Some(token)) => Some(format!("{}@", escape(token))),
        (None, _, None) => None,
    };
    let urls = field("url").unwrap_or(URL).split(',').map(str::trim);
    let urls: Vec<_> = urls.map(|url| with_login(url, login.as_deref())).collect();
    let credentials = field("creds").map(PathBuf::from);
    Ok(Context { name: name.to_owned(), url: urls.join(","), credentials, problem: None })
}

fn with_login(url: &str, login: Option<&str>) -> String {
    let Some(login) = login.filter(|_| !url.contains('@')) else { return url.to_owned() };
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{login}{rest}"),
        None => format!("nats://{login}{url}"),
    }
}

/// Percent-encodes everything but letters, digits, `-`, `_` and `.`.
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}
