//! `cadre upgrade features`: what the fleet may use, and who knows what.

use std::collections::BTreeMap;

use cadre_core::fleet::{Flag, Member, Release, Stage};
use cadre_nats::fleet::Fleet;
use clap::Args;
use serde::Serialize;

use super::members;
use crate::{
    commands::client::unavailable,
    output::{self, Listing, OutputArgs},
    settings::Settings,
};

/// List features that are on, and those that this build or a process that serves knows.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre upgrade features
  cadre upgrade features -o json | jq '.[] | select(.state == \"off\")'")]
pub(super) struct FeaturesArgs {
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// One feature.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct FeatureRow {
    feature: String,
    state: &'static str,
    /// Who turned it on; none while it is off.
    by: Option<String>,
    since: Option<String>,
    /// Whether the build that lists knows it.
    known_here: bool,
    /// Members that know it.
    known_by: Vec<String>,
    /// Members that do not.
    unknown_to: Vec<String>,
}

impl FeatureRow {
    /// Name and state.
    pub(super) fn brief(&self) -> String {
        format!("{} {}", self.feature, self.state)
    }
}

pub(super) async fn run(
    output: OutputArgs,
    settings: &Settings,
    fleet: &Fleet,
) -> anyhow::Result<()> {
    let rows = read(&settings.release, fleet).await?;
    output::list(output.format(settings), &rows, &listing())
}

pub(super) async fn read(release: &Release, fleet: &Fleet) -> anyhow::Result<Vec<FeatureRow>> {
    let flags = fleet.flags().await.map_err(|error| unavailable(&error))?;
    Ok(rows(release, flags, &members(fleet).await?))
}

fn rows(release: &Release, flags: Vec<Flag>, members: &[Member]) -> Vec<FeatureRow> {
    let mut all: BTreeMap<String, Option<Flag>> =
        release.features.iter().map(|feature| (feature.name.to_owned(), None)).collect();
    all.extend(members.iter().flat_map(|it| it.features.iter().map(|one| (one.clone(), None))));
    all.extend(flags.into_iter().map(|flag| (flag.feature.to_string(), Some(flag))));
    let row = |(feature, flag): (String, Option<Flag>)| {
        let (known, unknown): (Vec<_>, Vec<_>) =
            members.iter().partition(|member| member.features.contains(&feature));
        let ids = |members: Vec<&Member>| members.iter().map(|it| it.id.to_string()).collect();
        let flag = flag.filter(|flag| flag.stage != Stage::Off);
        FeatureRow {
            state: flag.as_ref().map_or(Stage::Off, |flag| flag.stage).as_str(),
            by: flag.as_ref().map(|flag| flag.by.clone()),
            since: flag.as_ref().map(|flag| flag.at.to_string()),
            known_here: release.features.iter().any(|one| one.name == feature),
            known_by: ids(known),
            unknown_to: ids(unknown),
            feature,
        }
    };
    all.into_iter().map(row).collect()
}

fn listing() -> Listing<'static, FeatureRow> {
    Listing {
        header: &["feature", "state", "since", "by", "known by", "not known by"],
        row: |row| {
            let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let without = match row.unknown_to.is_empty() {
                true => "-".to_owned(),
                false => row.unknown_to.join(" "),
            };
            vec![
                row.feature.clone(),
                row.state.to_owned(),
                or_dash(&row.since),
                or_dash(&row.by),
                row.known_by.len().to_string(),
                without,
            ]
        },
        id: |row| row.feature.clone(),
    }
}

#[cfg(test)]
mod tests {
    use cadre_core::{fleet::Feature, time::UnixMillis};
    use cadre_proto::RELEASE;

    use super::*;

    #[test]
    fn every_feature_that_anybody_knows_is_listed_once() {
        let next = Release { features: &[Feature { name: "third", writes: 3 }], ..RELEASE };
        let member = |id: &str, release: &Release| {
            Member::new(id.parse().unwrap(), release, vec!["agent".to_owned()])
        };
        let members = [member("old", &RELEASE), member("new", &next)];
        let flag = |name: &str, stage| Flag {
            feature: name.parse().unwrap(),
            stage,
            by: "ada".to_owned(),
            at: UnixMillis(0),
        };
        let flags = vec![flag("fourth", Stage::On), flag("third", Stage::Off)];
        let rows = rows(&RELEASE, flags, &members);
        let short: Vec<_> = rows
            .iter()
            .map(|row| (row.feature.as_str(), row.state, row.unknown_to.len()))
            .collect();
        assert_eq!(short, [("fourth", "on", 2), ("third", "off", 1)]);
        assert_eq!((rows[0].by.as_deref(), rows[1].by.as_deref()), (Some("ada"), None));
    }
}
