//! Webhooks in a key-value bucket, and the ends that they are told of.
//!
//! Each webhook is a document and, once something was tried, a state beside it; and a durable consumer of the
//! answers, which remembers what was told, shared by all processes that serve. Called by the edge (as
//! [`WebhookBus`](cadre_core::webhook::port::WebhookBus) and through the desk) and by `cadre webhook`. Invariant: a
//! secret goes to the bucket alone.

mod ends;

use std::collections::BTreeMap;

use async_nats::jetstream::{
    Context, ErrorCode,
    kv::{Store, UpdateErrorKind},
    stream::{ConsumerError, ConsumerErrorKind, LastRawMessageErrorKind},
};
use bytes::Bytes;
use cadre_core::{
    ids::Name,
    limits::{WEBHOOKS_MAX, WEBHOOKS_PER_TENANT_MAX},
    ports::BusError,
    webhook::{News, State, Webhook, WireError},
};
use futures::TryStreamExt as _;

pub use self::ends::WebhookEnds;
use crate::{
    bus::JetStreamBus,
    connect::{open_error, ride_out},
    topology::{ANSWERS_STREAM, WEBHOOKS_BUCKET, webhook_consumer},
};

/// What the key of a state ends with.
const STATE: &str = ".state";

/// How often a state that others change as well is tried to be changed.
const NOTES_TRIED_MAX: u32 = 10;

/// The webhooks of this broker. Cheap to clone.
#[derive(Clone)]
pub struct KvWebhooks {
    bus: JetStreamBus,
    store: Store,
}

impl KvWebhooks {
    /// Opens the bucket.
    ///
    /// # Errors
    /// [`BusError::Refused`] on a broker without it.
    pub async fn open(bus: &JetStreamBus) -> Result<Self, BusError> {
        let store = ride_out(|| open(&bus.streams().js)).await?;
        Ok(Self { bus: bus.clone(), store })
    }

    /// Every webhook with how it goes, the oldest first. Those that cannot be read are left aside.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not answer.
    pub async fn ls(&self) -> Result<Vec<(Webhook, State)>, BusError> {
        let keys: Vec<String> = ride_out(|| async {
            let keys = self.store.keys().await.map_err(|error| lost("list webhooks", &error))?;
            keys.try_collect().await.map_err(|error| lost("list webhooks", &error))
        })
        .await?;
        let mut found = BTreeMap::new();
        for key in keys.iter().filter(|key| !key.ends_with(STATE)) {
            let Some(Ok(id)) = key.split_once('.').map(|(_, id)| Name::new(id)) else { continue };
            let Some((document, _)) = self.raw(key).await? else { continue };
            match Webhook::decode(&id, &document) {
                Ok(webhook) => {
                    let (state, _) = self.state(&webhook).await?;
                    found.insert((webhook.created_at, id), (webhook, state));
                }
                Err(error) => tracing::warn!(%id, %error, "a webhook was left aside"),
            }
        }
        Ok(found.into_values().collect())
    }

    /// Keeps a new webhook; ends are told from its time on.
    ///
    /// # Errors
    /// [`BusError::Refused`] when there are as many as there may be.
    pub async fn add(&self, webhook: &Webhook) -> Result<(), BusError> {
        let all = self.ls().await?;
        let own = all.iter().filter(|(one, _)| one.tenant == webhook.tenant).count();
        if own >= WEBHOOKS_PER_TENANT_MAX || all.len() >= WEBHOOKS_MAX {
            let text = format!(
                "tenant {} has {own} webhooks, the fleet {}: at most {WEBHOOKS_PER_TENANT_MAX} and \
                 {WEBHOOKS_MAX}; remove one",
                webhook.tenant,
                all.len()
            );
            return Err(BusError::Refused(text));
        }
        let put = self.store.create(key(webhook), webhook.encode().into()).await;
        put.map(|_| ()).map_err(|error| lost("keep a webhook", &error))
    }

    /// Keeps a webhook as it is now; what is still to be told is told with it.
    ///
    /// # Errors
    /// [`BusError::Refused`] when it is not there any more.
    pub async fn change(&self, webhook: &Webhook) -> Result<(), BusError> {
        let Some((_, revision)) = self.raw(&key(webhook)).await? else {
            return Err(BusError::Refused(format!("webhook {} is gone", webhook.id)));
        };
        let put = self.store.update(key(webhook), webhook.encode().into(), revision).await;
        put.map(|_| ()).map_err(|error| lost("change a webhook", &error))
    }

    /// Removes a webhook, its state and what is still to be told. Idempotent.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not answer; again is harmless.
    pub async fn remove(&self, webhook: &Webhook) -> Result<(), BusError> {
        for key in [key(webhook), state_key(webhook)] {
            let purged = self.store.purge(key).await;
            purged.map_err(|error| lost("remove a webhook", &error))?;
        }
        let stream = self.bus.streams().js.get_stream_no_info(ANSWERS_STREAM).await;
        let stream = stream.map_err(|error| lost("remove a webhook", &error))?;
        let deleted = stream.delete_consumer(&webhook_consumer(&webhook.id)).await;
        let is_missing = |error: &ConsumerError| match error.kind() {
            ConsumerErrorKind::JetStream(why) => why.error_code() == ErrorCode::CONSUMER_NOT_FOUND,
            ConsumerErrorKind::TimedOut
            | ConsumerErrorKind::Request
            | ConsumerErrorKind::InvalidConsumerType
            | ConsumerErrorKind::InvalidName
            | ConsumerErrorKind::Other => false,
        };
        match deleted {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(lost("remove a webhook", &error)),
        }
    }

    async fn add_news(&self, webhook: &Webhook, news: &News) -> Result<(), BusError> {
        for _ in 0..NOTES_TRIED_MAX {
            if self.raw(&key(webhook)).await?.is_none() {
                return Ok(());
            }
            let (state, revision) = self.state(webhook).await?;
            let document = state.with(news).encode();
            match self.store.update(state_key(webhook), document.into(), revision).await {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
                Err(error) => return Err(lost("note how a webhook goes", &error)),
            }
        }
        Err(lost("note how a webhook goes", &"others are always faster"))
    }

    /// How a webhook goes, and the revision of that; 0 when nothing was noted. What cannot be read is begun anew.
    async fn state(&self, webhook: &Webhook) -> Result<(State, u64), BusError> {
        let Some((document, revision)) = self.raw(&state_key(webhook)).await? else {
            return Ok((State::default(), 0));
        };
        match State::decode(&document) {
            Ok(state) => Ok((state, revision)),
            Err(WireError::Malformed) => Ok((State::default(), revision)),
            Err(error @ WireError::TooNew(_)) => Err(BusError::Refused(error.to_string())),
        }
    }

    /// What stands under `key` and its revision, from the stream's leader; `None` when nothing does.
    async fn raw(&self, key: &str) -> Result<Option<(Bytes, u64)>, BusError> {
        let subject = format!("$KV.{WEBHOOKS_BUCKET}.{key}");
        let found = ride_out(|| async {
            match self.store.stream.get_last_raw_message_by_subject(&subject).await {
                Ok(message) => Ok(Some((message.payload, message.sequence))),
                Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
                Err(error) => Err(lost("read a webhook", &error)),
            }
        });
        // The marker of a deletion has no content.
        Ok(found.await?.filter(|(document, _)| !document.is_empty()))
    }
}

fn key(webhook: &Webhook) -> String {
    format!("{}.{}", webhook.tenant, webhook.id)
}

fn state_key(webhook: &Webhook) -> String {
    format!("{}{STATE}", key(webhook))
}

fn lost(what: &str, error: &dyn std::fmt::Display) -> BusError {
    BusError::Unavailable(format!("{what}: {error}"))
}

async fn open(js: &Context) -> Result<Store, BusError> {
    // Asked for by its stream: the error says more than the bucket's own.
    let found = js.get_stream(format!("KV_{WEBHOOKS_BUCKET}")).await;
    found.map_err(|error| open_error(WEBHOOKS_BUCKET, &error))?;
    let store = js.get_key_value(WEBHOOKS_BUCKET).await;
    store.map_err(|error| BusError::Unavailable(format!("open {WEBHOOKS_BUCKET}: {error}")))
}
