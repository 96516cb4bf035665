//! What people know about calls in doubt: in decisions, records and work orders.

use cadre_core::{
    journal::{CallRuling, Ruled},
    payload::Payload,
};

use crate::{
    Blobs,
    error::{Fault, Problem},
    json::Json,
    parts::{attempt, optional_document, person, required},
    v1::{self, call_ruling::Ruling as Wire},
};

pub(crate) fn to_wire(ruling: &CallRuling) -> v1::CallRuling {
    let ruling = match ruling {
        CallRuling::Happened(result) => {
            Wire::Happened(v1::Happened { result: Some(Json::from(result)) })
        }
        CallRuling::DidNot => Wire::DidNot(v1::DidNot {}),
    };
    v1::CallRuling { ruling: Some(ruling) }
}

pub(crate) fn to_core(wire: Option<v1::CallRuling>, blobs: &Blobs) -> Result<CallRuling, Fault> {
    let ruling = required("ruling", wire)?.ruling;
    match ruling.ok_or_else(|| Fault::new("ruling", Problem::UnknownKind))? {
        Wire::Happened(happened) => {
            let result = optional_document("result", happened.result, blobs);
            let result = result.map_err(|fault| fault.inside("happened"))?;
            Ok(CallRuling::Happened(result.unwrap_or_else(Payload::null)))
        }
        Wire::DidNot(v1::DidNot {}) => Ok(CallRuling::DidNot),
    }
}

pub(crate) fn ruled_to_wire(ruled: &Ruled) -> v1::Ruled {
    let Ruled { attempt, by, ruling } = ruled;
    v1::Ruled { attempt: *attempt, by: by.clone(), ruling: Some(to_wire(ruling)) }
}

pub(crate) fn ruled_to_core(wire: v1::Ruled, blobs: &Blobs) -> Result<Ruled, Fault> {
    let read = || {
        let ruling = to_core(wire.ruling, blobs)?;
        Ok(Ruled { attempt: attempt(wire.attempt)?, by: person("by", wire.by)?, ruling })
    };
    read().map_err(|fault: Fault| fault.inside("ruled"))
}

/// The document that a ruling holds, under the name of its field.
pub(crate) fn result<'a>(
    field: &'static str,
    wire: &'a Option<v1::CallRuling>,
) -> Option<(&'static str, &'a Option<Json>)> {
    inner(field, wire.as_ref()?)
}

/// The same for a ruling that is there.
pub(crate) fn inner<'a>(
    field: &'static str,
    wire: &'a v1::CallRuling,
) -> Option<(&'static str, &'a Option<Json>)> {
    match &wire.ruling {
        Some(Wire::Happened(happened)) => Some((field, &happened.result)),
        Some(Wire::DidNot(_)) | None => None,
    }
}
