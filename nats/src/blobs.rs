//! Large documents in the object store, each under the hash of its content.
//!
//! Whoever publishes a reference stores the content first. Content never changes under its name: storing it again is
//! harmless, reading checks size and hash, so a damaged object is an error and never an input.

use async_nats::jetstream::Context;
use bytes::Bytes;

use cadre_core::{
    payload::{BlobRef, Payload},
    ports::BusError,
};

/// The store of large documents. Cheap to clone; clones share what they know to be stored.
#[derive(Debug, Clone)]
pub struct Blobs {
    js: Context,
}

/// Why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// The bus did not answer, or refused.
    #[error(transparent)]
    Bus(#[from] BusError),
}

impl Blobs {
    /// The store on this broker; nothing is asked yet.
    pub fn new(js: Context) -> Self {
        Self { js }
    }

    /// Stores a document that is too large for a message, unless it is there; `None` when it travels inside.
    ///
    /// # Errors
    /// [`BusError`] when it is not known to be stored.
    pub async fn put(&self, payload: &Payload) -> Result<Option<BlobRef>, BusError> {
        let Some(_blob) = payload.blob() else { return Ok(None) };
        Err(BusError::Unavailable(format!("stub {:?}", self.js)))
    }

    /// Stores bytes under their hash, unless they are there.
    ///
    /// # Errors
    /// [`BusError`] when they are not known to be stored.
    pub async fn put_bytes(&self, _content: Bytes) -> Result<BlobRef, BusError> {
        Err(BusError::Unavailable("stub".into()))
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`BlobError`]
    pub async fn get(&self, _blob: BlobRef) -> Result<Payload, BlobError> {
        Err(BusError::Unavailable("stub".into()).into())
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// [`BlobError`]
    pub async fn get_bytes(&self, _blob: BlobRef) -> Result<Bytes, BlobError> {
        Err(BusError::Unavailable("stub".into()).into())
    }
}
