//! The `nats` command that does what `goal publish` does, to be pasted into a shell.

use std::fmt::Write as _;

/// Longer bodies do not fit into one argument of a command.
const ARGUMENT_BYTES_MAX: usize = 100_000;

/// `nats pub` with every header, on the server and with the credentials file that are named; a body that
/// is too long for an argument comes from `body_file`.
pub(super) fn nats_pub(
    (server, credentials): (Option<&str>, Option<&str>),
    subject: &str,
    headers: &[(&'static str, String)],
    body: &str,
    body_file: &str,
) -> String {
    let mut command = "nats pub".to_owned();
    for (flag, value) in [("--server", server), ("--creds", credentials)] {
        if let Some(value) = value {
            let _infallible = write!(command, " {flag} {}", quote(value));
        }
    }
    for (name, value) in headers {
        let _infallible = write!(command, " -H {}", quote(&format!("{name}:{value}")));
    }
    // The nats command would fill in what looks like one of its templates.
    if body.contains("{{") {
        command.push_str(" --no-templates");
    }
    let subject = quote(subject);
    if body.len() > ARGUMENT_BYTES_MAX {
        let _infallible = write!(command, " --force-stdin {subject} < {}", quote(body_file));
    } else {
        let _infallible = write!(command, " {subject} {}", quote(body));
    }
    command
}

/// Quotes a word for any POSIX shell.
fn quote(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (text, expected) in [
            ("goals.acme.intake", "goals.acme.intake"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("$HOME `id` \\ !", "'$HOME `id` \\ !'"),
            ("{\"a\":1}", "'{\"a\":1}'"),
            ("a\nb", "'a\nb'"),
            ("*", "'*'"),
        ] {
            assert_eq!(quote(text), expected);
        }
    }

    #[test]
    fn a_real_shell_reads_back_what_was_quoted() {
        let evil = "it's \"x\" $HOME `id` \\\\ ; | & ! * ? \n # ~ é";
        let script = format!("printf %s {}", quote(evil));
        let shell = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8(shell.stdout).unwrap(), evil);
    }

    #[test]
    fn the_command_has_server_headers_and_body() {
        let headers = [("Nats-Msg-Id", "order 7".to_owned())];
        let place = (Some("nats://h:4222"), Some("/my files/a.creds"));
        let command = nats_pub(place, "goals.a.b", &headers, "{\"x\":1}", "f");
        let expected = "nats pub --server nats://h:4222 --creds '/my files/a.creds' \
                        -H 'Nats-Msg-Id:order 7' goals.a.b '{\"x\":1}'";
        assert_eq!(command, expected);
        let here = (None, None);
        assert!(nats_pub(here, "s", &[], "\"{{x}}\"", "f").contains(" --no-templates "));
        let long = nats_pub(here, "s", &[], &"x".repeat(200_000), "goal input.json");
        assert_eq!(long, "nats pub --force-stdin s < 'goal input.json'");
    }
}
