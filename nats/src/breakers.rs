//! The board of circuit breakers in a key-value bucket.
//!
//! `role.<name>`, `tool.<name>` and `model.<name>` hold one hint each, changed only by compare-and-swap
//! on the key's revision; `pod.<name>` says that a pod lives, by the time of its last writing. Called by
//! the runtime's breaker service (as [`BreakerBoard`]) and by `cadre breaker`. Invariant: after it was opened
//! nothing here waits longer than 2 s; a breaker without its board decides alone.

#[cfg(test)]
mod tests;
mod watch;

use std::time::Duration;

use async_nats::{
    datetime::DateTime,
    jetstream::{
        Context,
        kv::{Store, UpdateErrorKind},
        stream::LastRawMessageErrorKind,
    },
};
use futures::TryStreamExt;
use tokio::time::timeout;

use cadre_core::{
    breaker::{
        Hint, Target,
        port::{BreakerBoard, PostError, Posted},
    },
    ids::Name,
    limits::BREAKER_POD_LIVES_FOR,
    ports::BusError,
    time::UnixMillis,
};

pub use self::watch::BreakerWatch;
use crate::{
    clock::BrokerClock,
    connect::{open_error, ride_out},
    topology::BREAKERS_BUCKET,
};

/// The time the broker has for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Keys of pods that live.
const POD_PREFIX: &str = "pod.";

/// The board of this broker. Cheap to clone.
#[derive(Debug, Clone)]
pub struct KvBreakers {
    store: Store,
    clock: BrokerClock,
}

/// Everything on the board.
#[derive(Debug, Clone, Default)]
pub struct BoardContent {
    /// Hints by target; those that cannot be read are errors.
    pub hints: Vec<(Target, Posted)>,
    /// Pods, with the time of their last sign of life.
    pub pods: Vec<(Name, UnixMillis)>,
}

impl BoardContent {
    /// Pods that have given a sign of life lately.
    #[must_use]
    pub fn live_pods(&self, now: UnixMillis) -> usize {
        self.pods.iter().filter(|(_, at)| now.since(*at) < BREAKER_POD_LIVES_FOR).count()
    }
}

impl KvBreakers {
    /// Opens the board; `clock` is the connection's.
    ///
    /// # Errors
    /// [`BusError::Refused`] on a broker without our bucket.
    pub async fn open(js: &Context, clock: BrokerClock) -> Result<Self, BusError> {
        let store = ride_out(|| open(js)).await?;
        Ok(Self { store, clock })
    }

    /// Everything on the board, by name.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not answer.
    pub async fn content(&self) -> Result<BoardContent, BusError> {
        let keys = within("list the breakers", async {
            self.store.keys().await?.try_collect::<Vec<String>>().await.map_err(BoxError::from)
        });
        let mut keys = keys.await?;
        keys.sort_unstable();
        let mut content = BoardContent::default();
        for key in keys {
            if let Some(pod) = key.strip_prefix(POD_PREFIX).and_then(|name| name.parse().ok()) {
                if let Some((_, _, at)) = self.raw(&key).await? {
                    content.pods.push((pod, at));
                }
            } else if let Ok(target) = key.parse::<Target>() {
                let posted = self.read(&target).await?;
                content.hints.push((target, posted));
            }
        }
        Ok(content)
    }

    /// Changes one hint by compare-and-swap, again as often as somebody else is faster.
    ///
    /// # Errors
    /// [`BusError::Refused`] when a newer build wrote the hint; else as [`BreakerBoard::post`].
    pub async fn change(
        &self,
        target: &Target,
        edit: impl Fn(Hint) -> Hint,
    ) -> Result<Hint, PostError> {
        /// More races than a person can lose.
        const TRIES_MAX: u32 = 10;
        for _ in 0..TRIES_MAX {
            let posted = self.read(target).await?;
            let hint = match posted.hint {
                Ok(hint) => hint.unwrap_or_else(|| Hint::new(target.clone())),
                Err(cadre_core::breaker::WireError::Malformed { .. }) => Hint::new(target.clone()),
                Err(error @ cadre_core::breaker::WireError::TooNew { .. }) => {
                    return Err(BusError::Refused(format!("breaker {target}: {error}")).into());
                }
            };
            let hint = edit(hint);
            match self.post(&hint, posted.revision).await {
                Ok(_) => return Ok(hint),
                Err(PostError::Conflict(_)) => {}
                Err(error @ PostError::Bus(_)) => return Err(error),
            }
        }
        Err(PostError::Conflict(target.clone()))
    }

    /// What stands under `key`, its sequence and its time, from the stream's leader.
    async fn raw(&self, key: &str) -> Result<Option<(bytes::Bytes, u64, UnixMillis)>, BusError> {
        let subject = format!("$KV.{BREAKERS_BUCKET}.{key}");
        within("read a breaker's hint", async {
            match self.store.stream.get_last_raw_message_by_subject(&subject).await {
                Ok(message) => {
                    Ok(Some((message.payload, message.sequence, unix_millis(message.time))))
                }
                Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }
}

impl BreakerBoard for KvBreakers {
    type Watch = BreakerWatch;

    fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    async fn read(&self, target: &Target) -> Result<Posted, BusError> {
        Ok(match self.raw(&target.to_string()).await? {
            None => Posted { hint: Ok(None), revision: 0 },
            Some((bytes, revision, _)) => posted(target, &bytes, revision),
        })
    }

    async fn post(&self, hint: &Hint, revision: u64) -> Result<u64, PostError> {
        let (key, text) = (hint.target.to_string(), hint.encode());
        let update = timeout(ANSWER_WITHIN, self.store.update(&key, text.into(), revision)).await;
        let unavailable =
            |text: &dyn std::fmt::Display| BusError::Unavailable(format!("post {key}: {text}"));
        match update {
            Err(late) => Err(unavailable(&late).into()),
            Ok(Ok(revision)) => Ok(revision),
            Ok(Err(error)) => match error.kind() {
                UpdateErrorKind::WrongLastRevision => Err(PostError::Conflict(hint.target.clone())),
                UpdateErrorKind::InvalidKey
                | UpdateErrorKind::TimedOut
                | UpdateErrorKind::Other => Err(unavailable(&error).into()),
            },
        }
    }

    async fn beat(&self, pod: &Name) -> Result<(), BusError> {
        let key = format!("{POD_PREFIX}{pod}");
        let put = async { self.store.put(&key, "alive".into()).await.map_err(BoxError::from) };
        within("say that this pod lives", put).await.map(|_| ())
    }

    async fn watch(&self) -> Result<BreakerWatch, BusError> {
        let watch = async { self.store.watch_with_history(">").await.map_err(BoxError::from) };
        let entries = within("watch the breakers", watch).await?;
        Ok(BreakerWatch::new(entries, self.clock.clone()))
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn within<T>(
    what: &str,
    answer: impl Future<Output = Result<T, BoxError>>,
) -> Result<T, BusError> {
    match timeout(ANSWER_WITHIN, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(BusError::Unavailable(format!("{what}: {error}"))),
        Err(late) => Err(BusError::Unavailable(format!("{what}: {late}"))),
    }
}

/// A marker of a deletion has no content.
fn posted(target: &Target, bytes: &[u8], revision: u64) -> Posted {
    let hint = match bytes {
        [] => Ok(None),
        bytes => Hint::decode(target, bytes).map(Some),
    };
    Posted { hint, revision }
}

async fn open(js: &Context) -> Result<Store, BusError> {
    // Asked for by its stream: the error says more than the bucket's own.
    let found = js.get_stream(format!("KV_{BREAKERS_BUCKET}")).await;
    found.map_err(|error| open_error(BREAKERS_BUCKET, &error))?;
    let store = js.get_key_value(BREAKERS_BUCKET).await;
    store.map_err(|error| BusError::Unavailable(format!("open {BREAKERS_BUCKET}: {error}")))
}

fn unix_millis(at: DateTime) -> UnixMillis {
    UnixMillis(u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default())
}
