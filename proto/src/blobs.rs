//! Documents that travel by reference: which ones a message needs.

use std::collections::BTreeMap;

use cadre_core::payload::{BlobRef, Hash, Payload};

use crate::{error::Fault, json::Json};

/// Documents that were fetched for a message, by the hash in its references.
pub type Blobs = BTreeMap<Hash, Payload>;

/// Lists what `documents` refer to; a malformed reference names its field.
pub(crate) fn needed<'a>(
    documents: impl IntoIterator<Item = (&'static str, &'a Option<Json>)>,
) -> Result<Vec<BlobRef>, Fault> {
    let mut found = Vec::new();
    for (field, document) in documents {
        let Some(document) = document else { continue };
        found.extend(document.reference().map_err(|problem| Fault::new(field, problem))?);
    }
    Ok(found)
}
