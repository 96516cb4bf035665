//! What a stranger with plain NATS sends and sees: goals of any shape, rejections, dead letters,
//! and what is left in a stream.

use std::time::Duration;

use async_nats::{
    HeaderMap, Subscriber,
    jetstream::{
        consumer::{DeliverPolicy, pull::OrderedConfig},
        publish::PublishAck,
    },
};
use bytes::Bytes;
use cadre_core::payload::{BlobRef, Hash};
use futures::{FutureExt as _, StreamExt as _};
use serde_json::Value;
use tokio::time::timeout;

use crate::bed::{Bed, PATIENCE};

/// The pause between two looks at something that has no event.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What came on `goals.rejected.<tenant>`.
#[derive(Debug, Clone)]
pub struct Rejection {
    /// Who was told.
    pub tenant: String,
    /// What.
    pub document: Value,
}

/// A message that was kept because it meant nothing.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// Where it is kept.
    pub subject: String,
    /// The sequence that it had in its stream.
    pub sequence: u64,
    /// Why.
    pub reason: String,
    /// The subject that it came on.
    pub came_on: String,
    /// Its body, as it came.
    pub body: Bytes,
    /// Headers, its own among them.
    pub headers: HeaderMap,
}

/// Hears what goals are rejected.
pub struct Rejections(async_nats::Client, Subscriber);

impl Rejections {
    /// Listens from now on.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub async fn listen(bed: &Bed) -> Self {
        let client = bed.connection.client.clone();
        let subscriber = client.subscribe("goals.rejected.>").await.expect("subscribed");
        client.flush().await.expect("flushed");
        Self(client, subscriber)
    }

    /// The next rejection.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn next(&mut self) -> Rejection {
        loop {
            let message = timeout(PATIENCE, self.1.next()).await.expect("a rejection in time");
            if let Some(rejection) = read(&message.expect("open")) {
                return rejection;
            }
        }
    }

    /// Everything that has arrived by now.
    ///
    /// # Panics
    /// When the broker does not answer.
    pub async fn so_far(&mut self) -> Vec<Rejection> {
        self.0.flush().await.expect("flushed");
        let mut found = Vec::new();
        while let Some(Some(message)) = self.1.next().now_or_never() {
            found.extend(read(&message));
        }
        found
    }
}

/// `None` for what somebody else published there.
fn read(message: &async_nats::Message) -> Option<Rejection> {
    let document: Value = serde_json::from_slice(&message.payload).ok()?;
    document.get("code")?;
    let tenant = message.subject.strip_prefix("goals.rejected.")?.to_owned();
    Some(Rejection { tenant, document })
}

/// Publishes and waits until a stream has it.
///
/// # Panics
/// When no stream takes it.
pub async fn publish(bed: &Bed, subject: &str, headers: HeaderMap, body: &[u8]) -> PublishAck {
    let body = Bytes::copy_from_slice(body);
    let sent = bed.connection.js.publish_with_headers(subject.to_owned(), headers, body).await;
    sent.expect("sent").await.expect("stored")
}

/// Headers of these names and values; a name may come twice.
#[must_use]
pub fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, *value);
    }
    headers
}

/// The first `count` dead letters, in order of arrival.
///
/// # Panics
/// When they do not come in time.
pub async fn dead_letters(bed: &Bed, count: usize) -> Vec<DeadLetter> {
    let stream = bed.connection.js.get_stream("CADRE_LOG_0").await.expect("stream");
    let config = OrderedConfig {
        deliver_policy: DeliverPolicy::All,
        filter_subject: "cadre.*.dead.>".to_owned(),
        ..Default::default()
    };
    let consumer = stream.create_consumer(config).await.expect("consumer");
    let messages = consumer.messages().await.expect("messages");
    let letters = messages.take(count).map(|message| {
        let message = message.expect("message");
        let headers = message.headers.clone().unwrap_or_default();
        let text = |name: &str| headers.get(name).map(ToString::to_string).unwrap_or_default();
        let sequence = message.subject.rsplit('.').next().and_then(|last| last.parse().ok());
        DeadLetter {
            subject: message.subject.to_string(),
            sequence: sequence.unwrap_or_default(),
            reason: text("Cadre-Dead-Reason"),
            came_on: text("Cadre-Dead-Subject"),
            body: message.payload.clone(),
            headers,
        }
    });
    let letters = timeout(PATIENCE, letters.collect::<Vec<_>>());
    let mut letters = letters.await.expect("dead letters in time");
    for letter in &mut letters {
        if letter.headers.get("Cadre-Dead-Blob").is_some() {
            letter.body = blob(bed, &letter.body).await;
        }
    }
    letters
}

/// What a reference `{"$blob": {"sha256": …, "size": …}}` stands for.
///
/// # Panics
/// When it is none, or nothing is there.
pub async fn blob(bed: &Bed, reference: &[u8]) -> Bytes {
    let reference: Value = serde_json::from_slice(reference).expect("a reference");
    let hash = reference["$blob"]["sha256"].as_str().and_then(Hash::parse).expect("a hash");
    let size_bytes = reference["$blob"]["size"].as_u64().expect("a size");
    bed.bus.blobs().get_bytes(BlobRef { hash, size_bytes }).await.expect("a blob")
}

/// Messages of a stream on the subjects of `filter`.
///
/// # Panics
/// When the broker does not answer.
pub async fn count(bed: &Bed, stream: &str, filter: &str) -> usize {
    let stream = bed.connection.js.get_stream(stream).await.expect("stream");
    let subjects = stream.info_with_subjects(filter).await.expect("subjects");
    subjects.map(|subject| subject.expect("a subject").1).collect::<Vec<_>>().await.iter().sum()
}

/// Waits until nothing waits in a work queue and nothing is being worked on.
///
/// # Panics
/// When something is left.
pub async fn emptied(bed: &Bed, stream: &str) {
    let look = async {
        loop {
            let mut stream = bed.connection.js.get_stream(stream).await.expect("stream");
            if stream.info().await.expect("info").state.messages == 0 {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    if timeout(PATIENCE, look).await.is_err() {
        left(bed, stream).await;
        panic!("{stream} was not emptied in time");
    }
}

/// Prints what is left in a queue, and where its consumers stand.
///
/// # Panics
/// When the broker does not answer.
pub async fn left(bed: &Bed, name: &str) {
    let stream = bed.connection.js.get_stream(name).await.expect("stream");
    let state = &stream.cached_info().state;
    let (first, last) = (state.first_sequence, state.last_sequence);
    eprintln!("left in {name}: {} of {first}..{last}", state.messages);
    for sequence in first..=last {
        if let Ok(message) = stream.direct_get(sequence).await {
            eprintln!("left {sequence} {} of {}", message.subject, message.time);
        }
    }
    let mut consumers = stream.consumers();
    while let Some(Ok(info)) = consumers.next().await {
        eprintln!(
            "consumer {} delivered {:?} acknowledged {:?} out {} waiting {} again {} filter {:?} {:?}",
            info.name,
            info.delivered,
            info.ack_floor,
            info.num_ack_pending,
            info.num_pending,
            info.num_redelivered,
            info.config.filter_subject,
            info.config.filter_subjects
        );
    }
}

/// Stops (`true`) or resumes deliveries of a consumer.
///
/// # Panics
/// When the broker refuses.
pub async fn pause(bed: &Bed, stream: &str, consumer: &str, is_paused: bool) {
    let request = match is_paused {
        true => r#"{"pause_until": "2100-01-01T00:00:00Z"}"#,
        false => "{}",
    };
    let subject = format!("$JS.API.CONSUMER.PAUSE.{stream}.{consumer}");
    let reply = bed.connection.client.request(subject, request.into()).await.expect("a reply");
    let reply: Value = serde_json::from_slice(&reply.payload).expect("json");
    assert!(reply.get("error").is_none(), "{reply}");
}
