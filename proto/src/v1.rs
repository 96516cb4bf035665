//! Package `cadre.v1`: code generated from `proto/cadre/v1/*.proto`, and its ProtoJSON.
#![allow(
    clippy::allow_attributes,
    clippy::all,
    clippy::wildcard_enum_match_arm,
    clippy::too_many_lines,
    clippy::needless_pass_by_value,
    missing_docs,
    unreachable_pub,
    reason = "generated code; its documentation is in the .proto files"
)]

include!("generated/cadre.v1.rs");
include!("generated/cadre.v1.serde.rs");
