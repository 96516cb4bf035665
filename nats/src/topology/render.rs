//! From declarations to exact configurations. Pure.

use std::{collections::HashMap, time::Duration};

use async_nats::{
    datetime::DateTime,
    jetstream::{consumer, stream},
};
use serde::Serialize;

use cadre_core::ids::{Name, Partition};

use crate::topology::{
    Topology,
    declaration::{
        BucketDeclaration, Caps, ConsumerDeclaration, DeclarationError, Declarations, Discard,
        Retention, StreamDeclaration, VERSION,
    },
};

/// Metadata key: how many partitions the streams were made for.
pub(super) const PARTITIONS_KEY: &str = "cadre.partitions";

/// Metadata key: how many shards the streams were made for.
pub(super) const SHARDS_KEY: &str = "cadre.shards";

/// Metadata key: which caps the streams have.
pub(super) const PROFILE_KEY: &str = "cadre.profile";

/// Metadata key: version of the declarations that the stream was last made to fit.
pub(super) const DECLARATION_KEY: &str = "cadre.declaration";

/// The server's own default, stated because an update without it would change it.
const DUPLICATE_WINDOW_DEFAULT: Duration = Duration::from_secs(120);

/// One thing that must exist, exactly as the broker is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Declared {
    /// A stream, or the stream that carries a bucket.
    Stream(Box<stream::Config>),
    /// A durable pull consumer.
    Consumer {
        /// The stream that it reads.
        stream: String,
        /// Its configuration.
        config: Box<consumer::Config>,
    },
}

/// Everything that must exist for `topology`: streams first, then consumers.
///
/// Consumers of roles are not among them: [`crate::topology::ensure_role`] makes those.
///
/// # Errors
/// [`DeclarationError`] when this build is broken.
pub fn render(topology: &Topology) -> Result<Vec<Declared>, DeclarationError> {
    let declarations = Declarations::load()?;
    let mut all: Vec<Declared> = Vec::new();
    for declaration in &declarations.streams {
        if declaration.name.contains("{shard}") {
            let each = topology.all_shards().map(|shard| stream(topology, declaration, shard));
            all.extend(each);
        } else {
            all.push(stream(topology, declaration, 0));
        }
    }
    all.extend(declarations.buckets.iter().map(|declaration| bucket(topology, declaration)));
    for declaration in &declarations.consumers {
        all.extend(consumers(topology, declaration));
    }
    Ok(all)
}

/// The consumers of one role; `concurrency` is shared out over the shards, at least one for each.
pub(super) fn role(
    topology: &Topology,
    declarations: &Declarations,
    role: &Name,
    concurrency: u32,
) -> Vec<Declared> {
    let share = concurrency.div_ceil(u32::from(topology.shards.max(1))).max(1);
    let fill = |text: &str| text.replace("{role}", role.as_str());
    let one = |shard: u16| {
        let mut declared = consumer((topology, &declarations.role), &fill, &shard.to_string());
        if let Declared::Consumer { config, .. } = &mut declared {
            config.max_ack_pending = i64::from(share);
        }
        declared
    };
    topology.all_shards().map(one).collect()
}

/// The consumer of one webhook, of the ends since `from`.
///
/// # Errors
/// [`DeclarationError`] when this build is broken.
pub(crate) fn webhook(
    topology: &Topology,
    (id, tenant, workflow): (&Name, &Name, Option<&Name>),
    from: DateTime,
) -> Result<Option<consumer::Config>, DeclarationError> {
    let workflow = workflow.map_or("*", Name::as_str);
    let fill = |text: &str| {
        let text = text.replace("{hook}", id.as_str()).replace("{tenant}", tenant.as_str());
        text.replace("{workflow}", workflow)
    };
    let declarations = Declarations::load()?;
    Ok(match consumer((topology, &declarations.webhook), &fill, "") {
        Declared::Consumer { config, .. } => Some(consumer::Config {
            deliver_policy: consumer::DeliverPolicy::ByStartTime { start_time: from },
            // Answers stay when they are acknowledged, so what was told is known by the consumer alone.
            memory_storage: false,
            ..*config
        }),
        Declared::Stream(_) => None,
    })
}

fn stream(topology: &Topology, declaration: &StreamDeclaration, shard: u16) -> Declared {
    let max_age = declaration.max_age.map(|span| span.0).unwrap_or_default();
    let max_per_subject = declaration.max_messages_per_subject.map_or(-1, i64::from);
    let max_message = declaration.max_message_bytes.map_or(-1, |size| small(size.0));
    let window = declaration.duplicate_window.map_or(DUPLICATE_WINDOW_DEFAULT, |span| span.0);
    Declared::Stream(Box::new(stream::Config {
        name: declaration.name.replace("{shard}", &shard.to_string()),
        description: Some(declaration.description.clone()),
        subjects: subjects(topology, &declaration.subjects, shard),
        retention: match declaration.retention {
            Retention::Limits => stream::RetentionPolicy::Limits,
            Retention::Workqueue => stream::RetentionPolicy::WorkQueue,
        },
        discard: match declaration.discard {
            Discard::New => stream::DiscardPolicy::New,
            Discard::Old => stream::DiscardPolicy::Old,
        },
        max_messages_per_subject: max_per_subject,
        max_message_size: max_message,
        max_age,
        duplicate_window: window,
        allow_message_schedules: declaration.allow_schedules,
        // The server turns it on with schedules; stated so that it is no difference.
        allow_rollup: declaration.allow_schedules,
        allow_message_ttl: declaration.allow_ttl,
        allow_atomic_publish: declaration.allow_atomic,
        deny_delete: declaration.append_only,
        deny_purge: declaration.append_only,
        ..base(topology, declaration.max_bytes)
    }))
}

/// What all streams have in common.
fn base(topology: &Topology, max_bytes: Option<Caps>) -> stream::Config {
    let max_bytes = max_bytes.map(|caps| caps.of(topology.profile));
    let metadata = [
        (PARTITIONS_KEY, topology.partitions.count().to_string()),
        (SHARDS_KEY, topology.shards.to_string()),
        (PROFILE_KEY, topology.profile.to_string()),
        (DECLARATION_KEY, VERSION.to_string()),
    ];
    stream::Config {
        max_bytes: max_bytes.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        max_messages: -1,
        max_messages_per_subject: -1,
        max_message_size: -1,
        max_consumers: -1,
        storage: stream::StorageType::File,
        num_replicas: usize::from(topology.replicas),
        duplicate_window: DUPLICATE_WINDOW_DEFAULT,
        allow_direct: true,
        metadata: metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        ..stream::Config::default()
    }
}

/// A bucket is a stream with a fixed layout that every NATS client knows.
fn bucket(topology: &Topology, declaration: &BucketDeclaration) -> Declared {
    let config = match declaration {
        BucketDeclaration::KeyValue { name, description, history, max_bytes, max_age } => {
            let max_age = max_age.map(|span| span.0).unwrap_or_default();
            let base = base(topology, Some(*max_bytes));
            // The server allows no longer one.
            let duplicate_window = match max_age.is_zero() {
                true => base.duplicate_window,
                false => base.duplicate_window.min(max_age),
            };
            stream::Config {
                name: format!("KV_{name}"),
                description: Some(description.clone()),
                subjects: vec![format!("$KV.{name}.>")],
                max_messages_per_subject: i64::from(*history),
                max_age,
                duplicate_window,
                discard: stream::DiscardPolicy::New,
                allow_rollup: true,
                deny_delete: true,
                ..base
            }
        }
        BucketDeclaration::ObjectStore { name, description, max_bytes } => stream::Config {
            name: format!("OBJ_{name}"),
            description: Some(description.clone()),
            subjects: vec![format!("$O.{name}.C.>"), format!("$O.{name}.M.>")],
            discard: stream::DiscardPolicy::New,
            allow_rollup: true,
            ..base(topology, Some(*max_bytes))
        },
    };
    Declared::Stream(Box::new(config))
}

fn subjects(topology: &Topology, patterns: &[String], shard: u16) -> Vec<String> {
    let mut subjects = Vec::new();
    for pattern in patterns {
        if topology.shards == 1 || !pattern.contains("{partition}") {
            subjects.push(pattern.replace("{partition}", "*"));
            continue;
        }
        let own = topology.partitions.all().filter(|partition| topology.shard(*partition) == shard);
        subjects
            .extend(own.map(|partition| pattern.replace("{partition}", &partition.to_string())));
    }
    subjects
}

fn consumers(topology: &Topology, declaration: &ConsumerDeclaration) -> Vec<Declared> {
    if declaration.name.contains("{partition}") {
        let one = |partition: Partition| {
            let number = partition.to_string();
            let fill = |text: &str| text.replace("{partition}", &number);
            consumer((topology, declaration), &fill, &topology.shard(partition).to_string())
        };
        return topology.partitions.all().map(one).collect();
    }
    let one = |shard: u16| consumer((topology, declaration), &str::to_owned, &shard.to_string());
    if declaration.stream.contains("{shard}") {
        topology.all_shards().map(one).collect()
    } else {
        vec![one(0)]
    }
}

fn consumer(
    (topology, declaration): (&Topology, &ConsumerDeclaration),
    fill: &dyn Fn(&str) -> String,
    shard: &str,
) -> Declared {
    let name = fill(&declaration.name);
    let mut filters: Vec<String> = declaration.filters.iter().map(|text| fill(text)).collect();
    let single = if filters.len() == 1 { filters.pop() } else { None };
    let pinned = declaration.pinned.as_ref();
    let policy = match pinned {
        Some(_) => consumer::PriorityPolicy::PinnedClient,
        None => consumer::PriorityPolicy::None,
    };
    let config = consumer::Config {
        durable_name: Some(name.clone()),
        name: Some(name),
        description: Some(declaration.description.clone()),
        deliver_policy: consumer::DeliverPolicy::All,
        ack_policy: consumer::AckPolicy::Explicit,
        ack_wait: declaration.ack_wait.0,
        // Poison is recognised by the delivery count of a message, never dropped by the broker.
        max_deliver: -1,
        filter_subject: single.unwrap_or_default(),
        filter_subjects: filters,
        max_ack_pending: declaration.max_ack_pending.map_or(1, i64::from),
        priority_policy: policy,
        priority_groups: pinned.map(|pinned| vec![pinned.group.clone()]).unwrap_or_default(),
        priority_timeout: pinned.map(|pinned| pinned.timeout.0).unwrap_or_default(),
        // What is acknowledged is gone from a work queue, so a consumer's state is only what is on its way,
        // and three copies of it need no disk: written through, it costs more than the messages themselves.
        memory_storage: topology.replicas > 1,
        metadata: HashMap::from([(DECLARATION_KEY.to_owned(), VERSION.to_string())]),
        ..consumer::Config::default()
    };
    let stream = declaration.stream.replace("{shard}", shard);
    Declared::Consumer { stream, config: Box::new(config) }
}

/// A message size for the broker, which counts in 32 bits.
fn small(bytes: u64) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
