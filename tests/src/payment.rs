//! The pack that asks a person before it pays, and what tests of people need around it.

use std::path::Path;

use cadre::{packs::read, stack::Stack, timeline::follow};
use cadre_core::{
    ids::{Name, StepId, TaskId},
    task::{Step, Task},
};
use futures::StreamExt as _;
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    bed::{Bed, PATIENCE},
    plain,
    shell::{Said, cadre},
};

/// What its approval says; tests put more behind it.
const TERMS: &str = "expires: 2m";

/// A broker with the pack, whose approval has these terms, and everything that it runs on.
pub struct Payment {
    /// The broker.
    pub bed: Bed,
    /// The services.
    pub stack: Stack,
}

impl Payment {
    /// Starts it; `terms` such as `expires: 2m, quorum: 2`.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn with(terms: &str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/packs/payment");
        let mut source = read(Path::new(folder)).expect("a pack");
        let yaml = String::from_utf8(source.files["pack.yaml"].clone()).expect("text");
        assert!(yaml.contains(TERMS), "{yaml}");
        source.files.insert("pack.yaml".to_owned(), yaml.replace(TERMS, terms).into_bytes());
        let bed = Bed::new().await;
        bed.apply(&source).await;
        let stack = bed.stack().await;
        Self { bed, stack }
    }

    /// The same, as the pack has it.
    ///
    /// # Panics
    /// As [`Self::with`].
    pub async fn new() -> Self {
        Self::with(TERMS).await
    }

    /// Publishes a goal with further headers.
    ///
    /// # Panics
    /// When the broker does not take it.
    pub async fn wants(&self, key: &str, headers: &[(&str, &str)], input: &Value) -> TaskId {
        let headers = plain::headers(&[&[("Nats-Msg-Id", key)], headers].concat());
        let body = input.to_string();
        plain::publish(&self.bed, "goals.acme.payment", headers, body.as_bytes()).await;
        TaskId::derive(&Name::new("acme").expect("a name"), key)
    }

    /// Follows the task until something holds.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn until(&self, task: &TaskId, what: impl Fn(&Task) -> bool) -> Task {
        let reached = async {
            let mut records = follow(&self.bed.bus, task).await.expect("a log");
            let mut state = None;
            while let Some(record) = records.next().await {
                Task::fold(&mut state, &record.expect("a record"));
                if let Some(state) = state.as_ref().filter(|state| what(state)) {
                    return state.clone();
                }
            }
            panic!("task {task} ended before: {state:?}");
        };
        timeout(PATIENCE, reached).await.expect("in time")
    }

    /// Waits until the task asks somebody.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn asked(&self, task: &TaskId) -> Task {
        self.until(task, |task| state(task, "allow") == Some("waiting")).await
    }

    /// Runs `cadre <args>` as tenant acme.
    ///
    /// # Panics
    /// When the program is not there.
    pub async fn cadre(&self, args: &[&str]) -> Said {
        cadre(&self.bed, &[args, &["--tenant", "acme"]].concat()).await
    }

    /// The same; it must end with this code.
    ///
    /// # Panics
    /// When it does not.
    pub async fn ends(&self, code: i32, args: &[&str]) -> Said {
        let said = self.cadre(args).await;
        assert_eq!(said.code, Some(code), "cadre {args:?}: {}\n{}", said.talk, said.text());
        said
    }
}

/// A step of the pack by its name.
#[must_use]
pub fn step<'a>(task: &'a Task, name: &str) -> Option<&'a Step> {
    task.steps.get(&StepId::single(Name::new(name).ok()?))
}

/// The state of a step as one word.
#[must_use]
pub fn state(task: &Task, name: &str) -> Option<&'static str> {
    step(task, name).map(|step| step.state.as_str())
}
