//! The goal, published as anybody with a NATS client would.

use bytes::Bytes;
use cadre_core::{
    ids::{Name, TaskId},
    workflow::Workflow,
};
use cadre_nats::bus::JetStreamBus;
use cadre_proto::{header, subject};
use futures::{Stream, StreamExt as _};
use rand::Rng as _;
use serde::Deserialize;

use super::input::Document;
use crate::exit::{Code, Failure};

/// A goal with a key of its own.
pub(super) struct Published<'a> {
    bus: &'a JetStreamBus,
    tenant: Name,
    /// Where it goes.
    pub(super) subject: String,
    key: String,
    /// The task that it becomes.
    pub(super) task: TaskId,
}

/// What is answered to a goal that is refused.
#[derive(Debug, Deserialize)]
struct Rejection {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    key: Option<String>,
}

impl<'a> Published<'a> {
    pub(super) fn new(bus: &'a JetStreamBus, tenant: &Name, workflow: &Workflow) -> Self {
        let key = format!("demo-{:016x}", rand::rng().random::<u64>());
        let task = TaskId::derive(tenant, &key);
        let subject = format!("goals.{tenant}.{}", workflow.name);
        Self { bus, tenant: tenant.clone(), subject, key, task }
    }

    /// Begins to listen for a refusal.
    pub(super) async fn listen(&self) -> anyhow::Result<impl Stream<Item = Bytes> + Unpin + use<>> {
        let client = &self.bus.streams().client;
        let messages = client.subscribe(subject::rejected(&self.tenant)).await?;
        // The broker must know of it before the goal is out.
        client.flush().await?;
        Ok(messages.map(|message| message.payload))
    }

    pub(super) async fn publish(&self, document: &Document) -> anyhow::Result<()> {
        let client = &self.bus.streams().client;
        let body = Bytes::from(document.value.to_string());
        let max = client.server_info().max_payload;
        if body.len() >= max {
            let text = format!(
                "publish {}: the broker takes messages of at most {max} bytes",
                document.name
            );
            return Err(Failure::new(Code::Usage, text).into());
        }
        let headers = [(header::MSG_ID.parse()?, self.key.parse()?)].into_iter().collect();
        client.publish_with_headers(self.subject.clone(), headers, body).await?;
        Ok(client.flush().await?)
    }

    /// Resolves when this goal is refused.
    pub(super) async fn rejected(
        &self,
        mut rejections: impl Stream<Item = Bytes> + Unpin,
    ) -> anyhow::Error {
        while let Some(body) = rejections.next().await {
            let Ok(rejection) = serde_json::from_slice::<Rejection>(&body) else { continue };
            if rejection.key.as_ref() == Some(&self.key) {
                let Rejection { code, message, .. } = rejection;
                return Failure::new(
                    Code::Rejected,
                    format!("the goal was rejected, {code}: {message}"),
                )
                .into();
            }
        }
        // The subscription ended, which says nothing about the goal.
        std::future::pending().await
    }
}
