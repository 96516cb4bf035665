//! The declarations as written in `nats/{streams,consumers,buckets}/*.yaml`; unknown keys are errors.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};

use crate::topology::{
    Profile,
    units::{Size, Span},
};

/// Version of the declarations. Raised with any change of the YAML files, so that an older build does not undo it.
pub(super) const VERSION: u32 = 6;

const STREAMS: [(&str, &str); 9] = [
    ("streams/log.yaml", include_str!("../../streams/log.yaml")),
    ("streams/timer.yaml", include_str!("../../streams/timer.yaml")),
    ("streams/work.yaml", include_str!("../../streams/work.yaml")),
    ("streams/in.yaml", include_str!("../../streams/in.yaml")),
    ("streams/run.yaml", include_str!("../../streams/run.yaml")),
    ("streams/goals.yaml", include_str!("../../streams/goals.yaml")),
    ("streams/answers.yaml", include_str!("../../streams/answers.yaml")),
    ("streams/alerts.yaml", include_str!("../../streams/alerts.yaml")),
    ("streams/audit.yaml", include_str!("../../streams/audit.yaml")),
];

const CONSUMERS: [(&str, &str); 4] = [
    ("consumers/partition.yaml", include_str!("../../consumers/partition.yaml")),
    ("consumers/due.yaml", include_str!("../../consumers/due.yaml")),
    ("consumers/aggregate.yaml", include_str!("../../consumers/aggregate.yaml")),
    ("consumers/intake.yaml", include_str!("../../consumers/intake.yaml")),
];

const ROLE: (&str, &str) = ("consumers/role.yaml", include_str!("../../consumers/role.yaml"));

const WEBHOOK: (&str, &str) =
    ("consumers/webhook.yaml", include_str!("../../consumers/webhook.yaml"));

const BUCKETS: [(&str, &str); 7] = [
    ("buckets/packs.yaml", include_str!("../../buckets/packs.yaml")),
    ("buckets/blobs.yaml", include_str!("../../buckets/blobs.yaml")),
    ("buckets/breakers.yaml", include_str!("../../buckets/breakers.yaml")),
    ("buckets/members.yaml", include_str!("../../buckets/members.yaml")),
    ("buckets/features.yaml", include_str!("../../buckets/features.yaml")),
    ("buckets/tokens.yaml", include_str!("../../buckets/tokens.yaml")),
    ("buckets/webhooks.yaml", include_str!("../../buckets/webhooks.yaml")),
];

/// A declaration that cannot be read: a bug of this build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read the declaration nats/{file}, which is built in: {reason}")]
pub struct DeclarationError {
    /// Where it stands in the source.
    pub file: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// Everything declared.
#[derive(Debug)]
pub(super) struct Declarations {
    pub(super) streams: Vec<StreamDeclaration>,
    pub(super) consumers: Vec<ConsumerDeclaration>,
    pub(super) role: ConsumerDeclaration,
    pub(super) webhook: ConsumerDeclaration,
    pub(super) buckets: Vec<BucketDeclaration>,
}

/// One stream, or one for each shard when its name says `{shard}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamDeclaration {
    pub(super) name: String,
    pub(super) description: String,
    /// `{partition}` is filled in with every partition of the shard, or with `*` when there is one shard only.
    pub(super) subjects: Vec<String>,
    pub(super) retention: Retention,
    pub(super) discard: Discard,
    /// None only where nothing may be dropped and the broker refuses to discard new messages.
    #[serde(default)]
    pub(super) max_bytes: Option<Caps>,
    /// Headers included; none means the server's `max_payload`.
    #[serde(default)]
    pub(super) max_message_bytes: Option<Size>,
    #[serde(default)]
    pub(super) max_messages_per_subject: Option<u32>,
    #[serde(default)]
    pub(super) max_age: Option<Span>,
    #[serde(default)]
    pub(super) duplicate_window: Option<Span>,
    #[serde(default)]
    pub(super) allow_schedules: bool,
    #[serde(default)]
    pub(super) allow_ttl: bool,
    #[serde(default)]
    pub(super) allow_atomic: bool,
    /// Nobody may delete or purge messages of it; the broker never lets go of that.
    #[serde(default)]
    pub(super) append_only: bool,
}

/// When messages leave a stream.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Retention {
    /// At a limit only.
    Limits,
    /// When acknowledged.
    Workqueue,
}

/// What gives way when a stream is full.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Discard {
    /// The new message.
    New,
    /// The oldest message.
    Old,
}

/// Size caps by profile.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Caps {
    dev: Size,
    prod: Size,
}

impl Caps {
    pub(super) fn of(self, profile: Profile) -> u64 {
        match profile {
            Profile::Dev => self.dev.0,
            Profile::Prod => self.prod.0,
        }
    }
}

/// One consumer; one for each partition when its name says `{partition}`, else one on each stream of its kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsumerDeclaration {
    pub(super) stream: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) filters: Vec<String>,
    pub(super) ack_wait: Span,
    /// None only in the template of roles, which get theirs from the pack.
    #[serde(default)]
    pub(super) max_ack_pending: Option<u32>,
    #[serde(default)]
    pub(super) pinned: Option<Pinned>,
}

/// One client at a time gets the messages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pinned {
    pub(super) group: String,
    /// Without a pull for this long, another client takes over.
    pub(super) timeout: Span,
}

/// One bucket.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum BucketDeclaration {
    /// Values by key.
    KeyValue {
        name: String,
        description: String,
        history: u8,
        max_bytes: Caps,
        #[serde(default)]
        max_age: Option<Span>,
    },
    /// Large objects in chunks.
    ObjectStore { name: String, description: String, max_bytes: Caps },
}

impl Declarations {
    /// Reads what is built in.
    pub(super) fn load() -> Result<Self, DeclarationError> {
        Ok(Self {
            streams: STREAMS.iter().map(read).collect::<Result<_, _>>()?,
            consumers: CONSUMERS.iter().map(read).collect::<Result<_, _>>()?,
            role: read(&ROLE)?,
            webhook: read(&WEBHOOK)?,
            buckets: BUCKETS.iter().map(read).collect::<Result<_, _>>()?,
        })
    }
}

/// After this time without a sign of life, a work order goes to another worker.
///
/// # Errors
/// [`DeclarationError`] when this build is broken.
pub fn role_ack_wait() -> Result<Duration, DeclarationError> {
    Ok(read::<ConsumerDeclaration>(&ROLE)?.ack_wait.0)
}

fn read<T: DeserializeOwned>((file, text): &(&'static str, &str)) -> Result<T, DeclarationError> {
    serde_saphyr::from_str(text)
        .map_err(|error| DeclarationError { file, reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declarations_of_this_build_can_be_read() {
        let declarations = Declarations::load().expect("readable");
        assert!(declarations.consumers.iter().all(|consumer| consumer.max_ack_pending.is_some()));
        let aggregate = declarations.consumers.iter().find(|one| one.name == "role-aggregate");
        assert_eq!(aggregate.map(|one| one.ack_wait), Some(declarations.role.ack_wait));
        assert_eq!(role_ack_wait().expect("readable"), Duration::from_secs(2));
    }

    #[test]
    fn every_declaration_in_the_folders_is_built_in() {
        let known: Vec<&str> = STREAMS
            .iter()
            .chain(&CONSUMERS)
            .chain([&ROLE, &WEBHOOK])
            .chain(&BUCKETS)
            .map(|(file, _)| *file)
            .collect();
        for folder in ["streams", "consumers", "buckets"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
            for entry in std::fs::read_dir(path).expect("a folder") {
                let name = entry.expect("an entry").file_name();
                let file = format!("{folder}/{}", name.to_string_lossy());
                assert!(known.contains(&file.as_str()), "{file} is not built in");
            }
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_place() {
        let text =
            "stream: S\nname: n\ndescription: d\nfilters: []\nack_wait: 2s\nmax_ack_pendin: 3\n";
        let error = read::<ConsumerDeclaration>(&("consumers/x.yaml", text)).expect_err("unknown");
        assert!(error.reason.contains("max_ack_pendin"), "{error}");
        assert!(error.reason.contains('6'), "{error}");
    }
}
