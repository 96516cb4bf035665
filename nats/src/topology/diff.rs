//! What is different on a broker from what is declared, and what of it would destroy something.

use std::fmt;

use async_nats::jetstream::Context;
use serde::Serialize;
use serde_json::Value;

use crate::topology::{
    ANSWERS_STREAM, Topology, TopologyError, WEBHOOK_PREFIX,
    api::ApiError,
    declaration::{DeclarationError, Declarations},
    fields::{CONSUMER_KEYS, Fields, STREAM_KEYS, differences, fields, foreign, overlay},
    found::{Found, FoundStream, is_sharded},
    render::{self, Declared, render},
};

pub use crate::topology::fields::FieldChange;

mod danger;

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A stream; a bucket is one too.
    Stream,
    /// A durable consumer.
    Consumer,
}

/// One thing on the broker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Resource {
    /// What kind of thing it is.
    pub kind: Kind,
    /// The stream, or the stream that the consumer reads.
    pub stream: String,
    /// The consumer; `None` for a stream.
    pub consumer: Option<String>,
}

/// What must be done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is missing.
    Create,
    /// Some of its fields differ.
    Update,
    /// It differs in what the broker cannot change: it must be deleted and made again.
    Recreate,
    /// Nothing declares it any more.
    Delete,
    /// Somebody added to it by hand what is not declared; it is left alone.
    Unmanaged,
}

/// One difference between declarations and broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What differs.
    pub resource: Resource,
    /// What must be done to it.
    pub action: Action,
    /// How it differs, key by key.
    pub fields: Vec<FieldChange>,
    /// What would be lost; empty for a harmless change.
    pub dangers: Vec<String>,
}

/// Why it is not known what is different.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// No broker can have that topology.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// This build is broken.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    /// The broker did not answer, or refused.
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// A change and the configuration that makes it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) change: Change,
    pub(super) config: Value,
}

impl Resource {
    fn stream(name: &str) -> Self {
        Self { kind: Kind::Stream, stream: name.to_owned(), consumer: None }
    }

    fn consumer(stream: &str, name: &str) -> Self {
        let (stream, consumer) = (stream.to_owned(), Some(name.to_owned()));
        Self { kind: Kind::Consumer, stream, consumer }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.consumer {
            None => write!(f, "stream {}", self.stream),
            Some(consumer) => write!(f, "consumer {}/{consumer}", self.stream),
        }
    }
}

impl fmt::Display for Change {
    /// One line for people, without the fields.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Recreate => "delete and create",
            Action::Delete => "delete",
            Action::Unmanaged => "leave alone",
        };
        write!(f, "{verb} {}", self.resource)?;
        if !self.dangers.is_empty() {
            write!(f, ": {}", self.dangers.join("; "))?;
        }
        Ok(())
    }
}

/// Compares the broker with what `topology` declares. Changes nothing.
///
/// # Errors
/// [`DiffError`]
pub async fn diff(js: &Context, topology: &Topology) -> Result<Vec<Change>, DiffError> {
    Ok(plan(js, topology).await?.into_iter().map(|step| step.change).collect())
}

/// Every change with its configuration: streams before consumers.
pub(super) async fn plan(js: &Context, topology: &Topology) -> Result<Vec<Step>, DiffError> {
    topology.check()?;
    topology.check_peers(js.client().server_info().cluster.as_deref())?;
    let declared = render(topology)?;
    let names: Vec<String> = declared
        .iter()
        .filter_map(|one| match one {
            Declared::Stream(config) => Some(config.name.clone()),
            Declared::Consumer { .. } => None,
        })
        .collect();
    let found = Found::load(js, &names).await?;
    let declarations = Declarations::load()?;
    let declared = with_roles(topology, &declarations, declared, &found);
    Ok(compare(&declared, &found))
}

/// Adds the consumers of the roles that the broker has, each with the concurrency that it has.
fn with_roles(
    topology: &Topology,
    declarations: &Declarations,
    mut declared: Vec<Declared>,
    found: &Found,
) -> Vec<Declared> {
    for (stream, found) in &found.streams {
        for (name, fields) in &found.consumers {
            if is_declared(&declared, stream, Some(name)) {
                continue;
            }
            let role = name.strip_prefix("role-").and_then(|role| role.parse().ok());
            let Some(role) = role.filter(|_| stream.starts_with("CADRE_WORK_")) else { continue };
            let pending = fields.get("max_ack_pending").and_then(Value::as_i64).unwrap_or(1);
            let all = render::role(topology, declarations, &role, 1).into_iter();
            declared.extend(all.filter_map(|one| match one {
                Declared::Consumer { stream: own, mut config } if own == *stream => {
                    config.max_ack_pending = pending;
                    Some(Declared::Consumer { stream: own, config })
                }
                Declared::Consumer { .. } | Declared::Stream(_) => None,
            }));
        }
    }
    declared
}

pub(super) fn compare(declared: &[Declared], found: &Found) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut gone: Vec<&str> = Vec::new();
    for one in declared {
        match one {
            Declared::Stream(config) => {
                let wanted = fields(config);
                match found.streams.get(&config.name) {
                    None => steps.push(create(Resource::stream(&config.name), wanted)),
                    Some(stream) => {
                        let step = compare_stream(&config.name, &wanted, stream);
                        if step.iter().any(|step| step.change.action == Action::Recreate) {
                            gone.push(&config.name);
                        }
                        steps.extend(step);
                    }
                }
            }
            Declared::Consumer { stream, config } => {
                let name = config.durable_name.as_deref().unwrap_or_default();
                let resource = Resource::consumer(stream, name);
                let kept = found.streams.get(stream).filter(|_| !gone.contains(&stream.as_str()));
                match kept.and_then(|stream| stream.consumers.get(name)) {
                    None => steps.push(create(resource, fields(config))),
                    Some(found) => steps.extend(compare_consumer(resource, &fields(config), found)),
                }
            }
        }
    }
    steps.extend(left_over(declared, found, &gone));
    steps
}

fn create(resource: Resource, wanted: Fields) -> Step {
    let change =
        Change { resource, action: Action::Create, fields: Vec::new(), dangers: Vec::new() };
    Step { change, config: Value::Object(wanted) }
}

fn compare_stream(name: &str, wanted: &Fields, found: &FoundStream) -> Vec<Step> {
    let resource = Resource::stream(name);
    let mut steps = unmanaged(&resource, foreign(STREAM_KEYS, wanted, &found.config));
    let fields = differences(STREAM_KEYS, wanted, &found.config);
    if fields.is_empty() {
        return steps;
    }
    let moved = |one: &FieldChange| one.field == "metadata.cadre.shards" && one.old != "unset";
    let fixed = |one: &FieldChange| matches!(one.field.as_str(), "retention" | "storage");
    let is_lost = fields.iter().any(|one| fixed(one) || (is_sharded(name) && moved(one)));
    let (action, config) = if is_lost {
        (Action::Recreate, wanted.clone())
    } else {
        (Action::Update, overlay(STREAM_KEYS, wanted, &found.config))
    };
    let dangers = danger::of_stream(action, wanted, found, &fields);
    let change = Change { resource, action, fields, dangers };
    steps.push(Step { change, config: Value::Object(config) });
    steps
}

fn compare_consumer(resource: Resource, wanted: &Fields, found: &Fields) -> Vec<Step> {
    let mut steps = unmanaged(&resource, foreign(CONSUMER_KEYS, wanted, found));
    let fields = differences(CONSUMER_KEYS, wanted, found);
    if fields.is_empty() {
        return steps;
    }
    let fixed = |one: &FieldChange| matches!(one.field.as_str(), "deliver_policy" | "ack_policy");
    let (action, config) = if fields.iter().any(fixed) {
        (Action::Recreate, wanted.clone())
    } else {
        (Action::Update, overlay(CONSUMER_KEYS, wanted, found))
    };
    let dangers = danger::of_consumer(action, found);
    let change = Change { resource, action, fields, dangers };
    steps.push(Step { change, config: Value::Object(config) });
    steps
}

fn unmanaged(resource: &Resource, fields: Vec<FieldChange>) -> Vec<Step> {
    if fields.is_empty() {
        return Vec::new();
    }
    let (resource, action) = (resource.clone(), Action::Unmanaged);
    let change = Change { resource, action, fields, dangers: Vec::new() };
    vec![Step { change, config: Value::Null }]
}

/// What the broker has and nothing declares.
fn left_over(declared: &[Declared], found: &Found, gone: &[&str]) -> Vec<Step> {
    let is_declared = |stream: &str, name: Option<&str>| is_declared(declared, stream, name);
    let mut steps = Vec::new();
    for (name, stream) in &found.streams {
        if !is_declared(name, None) {
            let dangers = vec![danger::lost(stream)];
            steps.push(delete(Resource::stream(name), dangers));
            continue;
        }
        if gone.contains(&name.as_str()) {
            continue;
        }
        for consumer in stream.consumers.keys().filter(|one| !is_declared(name, Some(one))) {
            if name == ANSWERS_STREAM && consumer.starts_with(WEBHOOK_PREFIX) {
                continue;
            }
            let resource = Resource::consumer(name, consumer);
            if consumer.strip_prefix('p').is_some_and(|number| number.parse::<u16>().is_ok()) {
                steps.push(delete(resource, vec!["its progress is lost".to_owned()]));
            } else {
                let (old, new) = ("exists".to_owned(), "unset".to_owned());
                let field = FieldChange { field: "consumer".to_owned(), old, new };
                steps.extend(unmanaged(&resource, vec![field]));
            }
        }
    }
    steps
}

fn is_declared(declared: &[Declared], stream: &str, consumer: Option<&str>) -> bool {
    declared.iter().any(|one| match one {
        Declared::Stream(config) => consumer.is_none() && config.name == stream,
        Declared::Consumer { stream: own, config } => {
            consumer.is_some() && own == stream && config.durable_name.as_deref() == consumer
        }
    })
}

fn delete(resource: Resource, dangers: Vec<String>) -> Step {
    let change = Change { resource, action: Action::Delete, fields: Vec::new(), dangers };
    Step { change, config: Value::Null }
}
