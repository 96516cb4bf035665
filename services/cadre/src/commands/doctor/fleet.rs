//! Who serves, and whether all of them are of one build.

use std::collections::BTreeMap;

use cadre_core::{fleet::Member, time::UnixMillis};
use cadre_nats::{clock::BrokerClock, connect::Connection, fleet::Fleet};

use super::check::Check;
use crate::output::text::count;

/// Members of a build that are named; the rest is counted.
const NAMES_SHOWN: usize = 4;

/// The members as they say it themselves.
pub(super) async fn members(connection: &Connection) -> Check {
    // Reading needs no time.
    let clock = BrokerClock::new(UnixMillis(0));
    let members = match Fleet::open(&connection.js, clock).await {
        Ok(fleet) => fleet.members().await,
        Err(error) => Err(error),
    };
    match members {
        Ok(members) => verdict(&members),
        Err(error) => Check::red("members", error.to_string()).advise("cadre bus diff"),
    }
}

/// One build is as it must be; several are an upgrade that somebody should finish.
fn verdict(members: &[Member]) -> Check {
    let mut builds: BTreeMap<String, Vec<&Member>> = BTreeMap::new();
    for member in members {
        builds.entry(build(member)).or_default().push(member);
    }
    let text: Vec<_> = builds.iter().map(|(build, members)| brief(build, members)).collect();
    let text = text.join("; ");
    match builds.len() {
        0 => Check::yellow("members", "nobody serves on this broker").advise("cadre serve"),
        1 => Check::green("members", text),
        _ => Check::yellow("members", format!("builds differ: {text}")).advise(
            "finish the upgrade: replace the older ones, then turn on what all know with `cadre upgrade \
             enable FEATURE`",
        ),
    }
}

/// What a member reads and knows; two that say the same are of one build.
fn build(member: &Member) -> String {
    if member.version.is_empty() {
        return "an unknown build".to_owned();
    }
    let features = match member.features.is_empty() {
        true => "no features".to_owned(),
        false => member.features.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    };
    format!("build {}, schema {}, {features}", member.version, member.reads)
}

fn brief(build: &str, members: &[&Member]) -> String {
    let shown = members.iter().take(NAMES_SHOWN);
    let mut names: Vec<_> =
        shown.map(|member| format!("{} ({})", member.id, member.services.join("+"))).collect();
    if members.len() > NAMES_SHOWN {
        names.push(format!("{} more", members.len() - NAMES_SHOWN));
    }
    format!("{} of {build}: {}", count(members.len() as u64, "member"), names.join(", "))
}

#[cfg(test)]
mod tests {
    use cadre_core::fleet::{Feature, Release};

    use super::*;
    use crate::commands::doctor::check::Level;

    const OLD: Release = Release { version: "1.0", reads: 2, writes: 2, features: &[] };
    const NEW: Release = Release {
        version: "1.1",
        reads: 3,
        features: &[Feature { name: "third", writes: 3 }],
        ..OLD
    };

    fn member(id: &str, release: &Release) -> Member {
        Member::new(id.parse().unwrap(), release, vec!["agent".to_owned()])
    }

    #[test]
    fn members_of_one_build_are_green_and_of_two_are_named() {
        assert_eq!(verdict(&[]).level, Level::Yellow);
        let two = [member("one", &OLD), member("two", &OLD)];
        let check = verdict(&two);
        assert_eq!(check.level, Level::Green);
        let expected = "2 members of build 1.0, schema 2, no features: one (agent), two (agent)";
        assert_eq!(check.text, expected);

        let unread = Member { version: String::new(), reads: 0, ..member("odd", &OLD) };
        let mixed = [member("one", &OLD), member("two", &NEW), unread];
        let check = verdict(&mixed);
        assert_eq!(check.level, Level::Yellow);
        for part in ["builds differ", "build 1.1, schema 3, third: two", "an unknown build: odd"] {
            assert!(check.text.contains(part), "{part}: {}", check.text);
        }
        let many: Vec<_> = (0..9).map(|number| member(&format!("m{number}"), &OLD)).collect();
        assert!(verdict(&many).text.ends_with("m3 (agent), 5 more"), "{}", verdict(&many).text);
    }
}
