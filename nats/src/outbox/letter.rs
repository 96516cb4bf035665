//! How a dead letter is written down so that the log always takes it, however large it came.

use async_nats::{HeaderMap, HeaderName};
use bytes::Bytes;
use cadre_core::{
    limits::{MESSAGE_BYTES_MAX, PAYLOAD_BYTES_MAX},
    ports::{BusError, DeadLetter},
    task::clip,
};
use serde_json::json;

use super::one_line;
use crate::blobs::Blobs;

/// Bytes of the message's own headers that are copied: a message may have 16 KiB of headers.
const HEADERS_BYTES_MAX: usize = 8 * 1024;

/// Headers of the letter: why and where from, then the message's own as far as there is room.
pub(super) fn headers(letter: &DeadLetter) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Cadre-Dead-Reason", one_line(&clip(&letter.reason)));
    headers.insert("Cadre-Dead-Subject", one_line(&letter.subject));
    headers.insert("Cadre-Dead-Deliveries", letter.deliveries.to_string());
    let (mut room, mut left_out) = (HEADERS_BYTES_MAX, 0_usize);
    for (name, value) in &letter.headers {
        // The name comes from the broker, so it is a valid one; the guard's own must not act.
        let Ok(name) = format!("Cadre-Dead-Header-{name}").parse::<HeaderName>() else { continue };
        let value = one_line(value);
        let size = name.to_string().len() + value.len() + ": \r\n".len();
        match room.checked_sub(size) {
            Some(left) => {
                room = left;
                headers.append(name, value);
            }
            None => left_out += 1,
        }
    }
    if left_out > 0 {
        headers.insert("Cadre-Dead-Headers-Left-Out", left_out.to_string());
    }
    headers
}

/// The letter's body: what came; of a larger one a reference to where it is kept, which the header
/// `Cadre-Dead-Blob` announces; of one that is larger than anything we keep, its beginning.
///
/// # Errors
/// [`BusError`] when a large body is not known to be stored.
pub(super) async fn body(
    blobs: &Blobs,
    headers: &mut HeaderMap,
    letter: &DeadLetter,
) -> Result<Bytes, BusError> {
    let size = letter.body.len();
    if size <= MESSAGE_BYTES_MAX {
        return Ok(Bytes::from(letter.body.clone()));
    }
    headers.insert("Cadre-Dead-Size", size.to_string());
    if size > PAYLOAD_BYTES_MAX {
        let beginning = letter.body.get(..MESSAGE_BYTES_MAX).unwrap_or_default();
        return Ok(Bytes::copy_from_slice(beginning));
    }
    let hash = blobs.put_bytes(&letter.body).await?.hash.to_string();
    let reference = json!({"$blob": {"sha256": hash, "size": size}}).to_string();
    headers.insert("Cadre-Dead-Blob", hash);
    Ok(Bytes::from(reference))
}
