//! API tokens in a key-value bucket, each under the SHA-256 of its secret.
//!
//! Called by the edge for each request (through the desk) and by `cadre token`. Read from where it is
//! written, the stream's leader: a token that was revoked a moment ago lets nobody in. Invariant: no secret
//! is ever sent here.

use async_nats::jetstream::{Context, kv::Store, stream::LastRawMessageErrorKind};
use cadre_core::{
    access::{Token, TokenError},
    payload::Hash,
    ports::BusError,
};
use futures::TryStreamExt as _;

use crate::{
    connect::{open_error, ride_out},
    topology::TOKENS_BUCKET,
};

/// The tokens of this broker. Cheap to clone.
#[derive(Debug, Clone)]
pub struct KvTokens {
    store: Store,
}

impl KvTokens {
    /// Opens the bucket.
    ///
    /// # Errors
    /// [`BusError::Refused`] on a broker without it.
    pub async fn open(js: &Context) -> Result<Self, BusError> {
        let store = ride_out(|| open(js)).await?;
        Ok(Self { store })
    }

    /// The token of this hash; `None` when there is none, or it was revoked.
    ///
    /// # Errors
    /// [`BusError::Refused`] when it cannot be read: it lets nobody in.
    pub async fn get(&self, hash: Hash) -> Result<Option<Token>, BusError> {
        let subject = format!("$KV.{TOKENS_BUCKET}.{hash}");
        let found = ride_out(|| async {
            match self.store.stream.get_last_raw_message_by_subject(&subject).await {
                Ok(message) => Ok(Some(message.payload)),
                Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
                Err(error) => Err(BusError::Unavailable(format!("read a token: {error}"))),
            }
        });
        // The marker of a deletion has no content.
        let Some(document) = found.await?.filter(|document| !document.is_empty()) else {
            return Ok(None);
        };
        let token = Token::decode(hash, &document);
        token.map(Some).map_err(|error: TokenError| BusError::Refused(error.to_string()))
    }

    /// Keeps a token; from then on it lets its holder in.
    ///
    /// # Errors
    /// [`BusError`]; whether it is kept is open.
    pub async fn put(&self, token: &Token) -> Result<(), BusError> {
        let put = self.store.put(token.hash.to_string(), token.encode().into()).await;
        let failed = |error| BusError::Unavailable(format!("keep a token: {error}"));
        put.map(|_| ()).map_err(failed)
    }

    /// Every token, the newest first. Those that cannot be read are errors beside their hashes.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not answer.
    pub async fn ls(&self) -> Result<Vec<Token>, BusError> {
        let keys: Vec<String> = ride_out(|| async {
            let lost = |error: &dyn std::fmt::Display| {
                BusError::Unavailable(format!("list {TOKENS_BUCKET}: {error}"))
            };
            let keys = self.store.keys().await.map_err(|error| lost(&error))?;
            keys.try_collect().await.map_err(|error| lost(&error))
        })
        .await?;
        let mut tokens = Vec::new();
        for hash in keys.iter().filter_map(|key| Hash::parse(key)) {
            match self.get(hash).await {
                Ok(token) => tokens.extend(token),
                Err(BusError::Refused(error)) => {
                    tracing::warn!(token = %hash.short(), error, "a token was left aside");
                }
                Err(error @ BusError::Unavailable(_)) => return Err(error),
            }
        }
        tokens.sort_by_key(|token| (std::cmp::Reverse(token.created_at), token.hash));
        Ok(tokens)
    }

    /// Removes a token: it lets nobody in any more. Idempotent.
    ///
    /// # Errors
    /// [`BusError`] when the broker does not answer.
    pub async fn remove(&self, hash: Hash) -> Result<(), BusError> {
        let purged = self.store.purge(hash.to_string()).await;
        purged.map_err(|error| BusError::Unavailable(format!("remove a token: {error}")))
    }
}

async fn open(js: &Context) -> Result<Store, BusError> {
    // Asked for by its stream: the error says more than the bucket's own.
    let found = js.get_stream(format!("KV_{TOKENS_BUCKET}")).await;
    found.map_err(|error| open_error(TOKENS_BUCKET, &error))?;
    let store = js.get_key_value(TOKENS_BUCKET).await;
    store.map_err(|error| BusError::Unavailable(format!("open {TOKENS_BUCKET}: {error}")))
}
