//! A remote worker by hand: pulls one order, reports what a test wants, in plain NATS.

use std::time::Duration;

use async_nats::{
    HeaderMap,
    jetstream::{
        Message,
        consumer::{Consumer, pull::Config},
    },
};
use bytes::Bytes;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::bed::{Bed, PATIENCE};

/// One role's consumer.
pub struct Hand {
    client: async_nats::Client,
    consumer: Consumer<Config>,
}

/// One work order.
pub struct Order {
    client: async_nats::Client,
    /// As it came.
    pub message: Message,
    /// Its body.
    pub body: Value,
}

impl Hand {
    /// Binds to the role's consumer, which its pack has made.
    ///
    /// # Panics
    /// When there is none.
    pub async fn of(bed: &Bed, role: &str) -> Self {
        let stream = bed.connection.js.get_stream("CADRE_WORK_0").await.expect("stream");
        let consumer = stream.get_consumer(&format!("role-{role}")).await.expect("consumer");
        Self { client: bed.connection.client.clone(), consumer }
    }

    /// The next order.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn order(&self) -> Order {
        let wait = Duration::from_secs(2);
        let pull = async {
            loop {
                let batch = self.consumer.fetch().max_messages(1).expires(wait).messages();
                if let Some(message) = batch.await.expect("a pull").next().await {
                    return message.expect("a message");
                }
            }
        };
        let message = timeout(PATIENCE, pull).await.expect("an order in time");
        let body = serde_json::from_slice(&message.payload).expect("a JSON order");
        Order { client: self.client.clone(), message, body }
    }
}

impl Order {
    /// The value of a header; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let headers = self.message.headers.as_ref();
        headers.and_then(|headers| headers.get(name)).map_or("", |value| value.as_str())
    }

    /// Where its report goes.
    #[must_use]
    pub fn report_subject(&self) -> String {
        self.message.subject.replacen(".work.", ".in.report.", 1)
    }

    /// A JSON report of this outcome: an object with one key.
    #[must_use]
    pub fn report(&self, outcome: Value) -> Value {
        let mut report = outcome;
        for key in ["task", "step", "attempt", "role"] {
            report[key] = self.body[key].clone();
        }
        report
    }

    /// Publishes a report and acknowledges the order, as a good worker does.
    ///
    /// # Panics
    /// When the report is not stored.
    pub async fn answer(&self, outcome: Value) {
        let report = self.report(outcome).to_string();
        let stored = self.send(&self.report_subject(), "application/json", report).await;
        assert_eq!(stored, Ok(()));
        self.message.double_ack().await.expect("acknowledged");
    }

    /// Reports `{"completed": {"output": …}}`.
    ///
    /// # Panics
    /// As [`Self::answer`].
    pub async fn complete(&self, output: &Value) {
        self.answer(json!({"completed": {"output": output, "confidence": 0.5}})).await;
    }

    /// Publishes any body on any report subject; the error is the broker's code.
    ///
    /// # Errors
    /// The broker's error code when it refuses the report.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub async fn send(
        &self,
        subject: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<(), u64> {
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", content_type);
        headers.insert("Nats-Expected-Last-Subject-Sequence", "0");
        let subject = subject.to_owned();
        let reply = self.client.request_with_headers(subject, headers, body.into()).await;
        let reply: Value = serde_json::from_slice(&reply.expect("a reply").payload).expect("json");
        match reply.pointer("/error/err_code").and_then(Value::as_u64) {
            Some(code) => Err(code),
            None => Ok(()),
        }
    }
}
