//! Large documents in the object store, each under the hash of its content.
//!
//! Whoever publishes a reference stores the content first. Content never changes under its name: storing it again is
//! harmless, reading checks size and hash, so a damaged object is an error and never an input.

mod known;
#[cfg(test)]
mod tests;

use std::{
    io::ErrorKind,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::jetstream::{
    Context,
    object_store::{GetErrorKind, InfoErrorKind, ObjectStore},
};
use bytes::Bytes;
use tokio::{
    io::AsyncReadExt,
    sync::OnceCell,
    time::{Instant, timeout},
};

use cadre_core::{
    limits::PAYLOAD_BYTES_MAX,
    payload::{BlobRef, Hash, Payload, PayloadError},
    ports::BusError,
};

use self::known::Known;
use crate::{
    connect::{open_error, ride_out},
    topology::BLOBS_BUCKET,
};

/// The time one object may take to arrive: 8 MiB over a slow link.
const READ_LIMIT: Duration = Duration::from_secs(5);

/// How long an object may be missing: a replica that answers can be that far behind.
const MISSING_LIMIT: Duration = Duration::from_secs(1);

/// The pause before a missing or damaged object is looked at again.
const PAUSE: Duration = Duration::from_millis(50);

/// Reads of an object whose content is not what its name says, before it counts as damaged.
const READS_MAX: u32 = 2;

/// The store of large documents. Cheap to clone; clones share what they know to be stored.
#[derive(Debug, Clone)]
pub struct Blobs {
    js: Context,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    store: OnceCell<Store>,
    known: Mutex<Known>,
}

/// The client's type has no [`std::fmt::Debug`].
struct Store(ObjectStore);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(BLOBS_BUCKET)
    }
}

/// Why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// Nothing has that hash: somebody removed it, or never stored it.
    #[error("find blob {0} in {BLOBS_BUCKET}")]
    Missing(Hash),
    /// What is stored is not what its name says; an operator must look at the disk or at who wrote it.
    #[error("read blob {hash}: {what}; its content was changed after it was stored")]
    Damaged {
        /// The hash asked for.
        hash: Hash,
        /// What is wrong with the content.
        what: String,
    },
    /// The reference says that it is larger than anything we store.
    #[error("read blob {hash} of {size_bytes} bytes: the limit is {PAYLOAD_BYTES_MAX} bytes")]
    TooLarge {
        /// The hash asked for.
        hash: Hash,
        /// The size that the reference states.
        size_bytes: u64,
    },
    /// The content is as stored, and no acceptable document.
    #[error("read blob {hash} as a document")]
    Payload {
        /// The hash asked for.
        hash: Hash,
        /// What is wrong with it.
        source: PayloadError,
    },
    /// The bus did not answer, or refused.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// How one read ended that did not give the content.
enum Failed {
    Missing,
    Damaged(String),
    Bus(String),
}

impl Blobs {
    /// The store on this broker; nothing is asked yet.
    pub fn new(js: Context) -> Self {
        Self { js, shared: Arc::default() }
    }

    /// Stores a document that is too large for a message, unless it is there; `None` when it travels inside.
    ///
    /// Idempotent. Cancellation: it may be stored or not; nothing names it yet.
    ///
    /// # Errors
    /// [`BusError`] when it is not known to be stored.
    pub async fn put(&self, payload: &Payload) -> Result<Option<BlobRef>, BusError> {
        let Some(blob) = payload.blob() else { return Ok(None) };
        self.store(blob, payload.text().as_bytes()).await?;
        Ok(Some(blob))
    }

    /// Stores bytes under their hash, unless they are there.
    ///
    /// # Errors
    /// [`BusError`] when they are not known to be stored, or are more than a payload may have.
    pub async fn put_bytes(&self, content: &[u8]) -> Result<BlobRef, BusError> {
        if content.len() > PAYLOAD_BYTES_MAX {
            let bytes = content.len();
            let text =
                format!("store a blob of {bytes} bytes: the limit is {PAYLOAD_BYTES_MAX} bytes");
            return Err(BusError::Refused(text));
        }
        let blob = BlobRef { hash: Hash::of(content), size_bytes: content.len() as u64 };
        self.store(blob, content).await?;
        Ok(blob)
    }

    /// Reads a document and checks that it is the one that was stored.
    ///
    /// # Errors
    /// [`BlobError`] tells missing from damaged from unavailable.
    pub async fn get(&self, blob: BlobRef) -> Result<Payload, BlobError> {
        let content = self.get_bytes(blob).await?;
        Payload::parse(&content).map_err(|source| BlobError::Payload { hash: blob.hash, source })
    }

    /// Reads bytes and checks that they are the ones that were stored.
    ///
    /// # Errors
    /// [`BlobError`] tells missing from damaged from unavailable.
    pub async fn get_bytes(&self, blob: BlobRef) -> Result<Bytes, BlobError> {
        let BlobRef { hash, size_bytes } = blob;
        if size_bytes > PAYLOAD_BYTES_MAX as u64 {
            return Err(BlobError::TooLarge { hash, size_bytes });
        }
        let missing_until = Instant::now() + MISSING_LIMIT;
        let gap_until = Instant::now() + cadre_core::limits::BUS_GAP_MAX;
        let mut damaged = 0;
        loop {
            match self.read(blob).await {
                Ok(content) => return Ok(content),
                Err(Failed::Missing) if Instant::now() >= missing_until => {
                    return Err(BlobError::Missing(hash));
                }
                Err(Failed::Bus(text)) if Instant::now() >= gap_until => {
                    return Err(BusError::Unavailable(text).into());
                }
                Err(Failed::Damaged(what)) => {
                    damaged += 1;
                    if damaged >= READS_MAX {
                        return Err(BlobError::Damaged { hash, what });
                    }
                }
                Err(Failed::Missing | Failed::Bus(_)) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn store(&self, blob: BlobRef, content: &[u8]) -> Result<(), BusError> {
        if self.known(|known| known.contains(blob.hash)) {
            return Ok(());
        }
        ride_out(|| self.store_once(blob, content)).await?;
        self.known(|known| known.insert(blob.hash));
        Ok(())
    }

    async fn store_once(&self, blob: BlobRef, content: &[u8]) -> Result<(), BusError> {
        let store = self.open().await?;
        let name = blob.hash.to_string();
        match store.info(&name).await {
            Ok(info) if !info.deleted && info.size as u64 == blob.size_bytes => return Ok(()),
            // Another size under this name is damage; storing it again repairs it.
            Ok(_) => {}
            Err(error) => match error.kind() {
                InfoErrorKind::NotFound => {}
                InfoErrorKind::InvalidName | InfoErrorKind::TimedOut | InfoErrorKind::Other => {
                    return Err(BusError::Unavailable(format!("look for blob {name}: {error}")));
                }
            },
        }
        let mut reader = content;
        match store.put(name.as_str(), &mut reader).await {
            Ok(_) => Ok(()),
            Err(error) => Err(BusError::Unavailable(format!("store blob {name}: {error}"))),
        }
    }

    async fn read(&self, blob: BlobRef) -> Result<Bytes, Failed> {
        let bus = |error: &dyn std::fmt::Display| {
            Failed::Bus(format!("read blob {}: {error}", blob.hash))
        };
        let store = self.open().await.map_err(|error| bus(&error))?;
        let object =
            store.get(blob.hash.to_string()).await.map_err(|error| match error.kind() {
                GetErrorKind::NotFound => Failed::Missing,
                GetErrorKind::InvalidName
                | GetErrorKind::ConsumerCreate
                | GetErrorKind::BucketLink
                | GetErrorKind::Other
                | GetErrorKind::TimedOut => bus(&error),
            })?;
        let size = object.info().size as u64;
        if size != blob.size_bytes {
            return Err(Failed::Damaged(format!(
                "it has {size} bytes instead of {}",
                blob.size_bytes
            )));
        }
        // One byte more than expected is enough to see that it is too long.
        let mut object = object.take(blob.size_bytes + 1);
        let mut content = Vec::with_capacity(usize::try_from(blob.size_bytes).unwrap_or_default());
        match timeout(READ_LIMIT, object.read_to_end(&mut content)).await {
            Ok(Ok(_)) => {}
            // The client checks a digest of its own, kept beside the object.
            Ok(Err(error)) if error.kind() == ErrorKind::InvalidData => {
                return Err(Failed::Damaged(error.to_string()));
            }
            Ok(Err(error)) => return Err(bus(&error)),
            // Most likely the connection is gone; chunks that were all deleted look the same.
            Err(_) => return Err(bus(&format!("no more bytes within {READ_LIMIT:?}"))),
        }
        if Hash::of(&content) != blob.hash {
            return Err(Failed::Damaged(format!("it has the hash {}", Hash::of(&content))));
        }
        self.known(|known| known.insert(blob.hash));
        Ok(content.into())
    }

    async fn open(&self) -> Result<&ObjectStore, BusError> {
        let open = || async {
            // Asked for by its stream: the error says more than the object store's own.
            let stream = format!("OBJ_{BLOBS_BUCKET}");
            let found = self.js.get_stream(stream).await;
            found.map_err(|error| open_error(BLOBS_BUCKET, &error))?;
            let store = self.js.get_object_store(BLOBS_BUCKET).await;
            store.map(Store).map_err(|error| BusError::Unavailable(error.to_string()))
        };
        self.shared.store.get_or_try_init(open).await.map(|store| &store.0)
    }

    fn known<T>(&self, ask: impl FnOnce(&mut Known) -> T) -> T {
        ask(&mut self.shared.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
