//! What a pack says of asking a person.

use schemars::JsonSchema;
use serde::Deserialize;

use super::DurationDecl;
use crate::{limits::QUORUM_MAX, workflow::WhenExpired};

/// A yes or no of a person. A no fails the step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct ApprovalDecl {
    /// What the person is asked; `${ expr }` (CEL) is replaced.
    #[schemars(length(min = 1))]
    pub(in crate::pack) question: String,
    /// From the question to its expiry; at most and by default the task's deadline.
    #[serde(default)]
    pub(in crate::pack) expires: Option<DurationDecl>,
    /// What happens when nobody decides in time.
    #[serde(default)]
    pub(in crate::pack) when_expired: WhenExpiredDecl,
    /// People who must agree.
    #[serde(default = "quorum")]
    #[schemars(range(min = 1, max = QUORUM_MAX))]
    pub(in crate::pack) quorum: u32,
    /// Whoever published the goal cannot decide.
    #[serde(default)]
    pub(in crate::pack) four_eyes: bool,
    /// Whoever grants may change what was shown first. Default: true, but false where several
    /// people must agree, for they must agree to the same.
    #[serde(default)]
    pub(in crate::pack) editable: Option<bool>,
}

/// How a person is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct AskDecl {
    /// From the question to its expiry; at most and by default the task's deadline.
    #[serde(default)]
    pub(in crate::pack) expires: Option<DurationDecl>,
    /// What happens when nobody decides in time.
    #[serde(default)]
    pub(in crate::pack) when_expired: WhenExpiredDecl,
    /// People who must agree.
    #[serde(default = "quorum")]
    #[schemars(range(min = 1, max = QUORUM_MAX))]
    pub(in crate::pack) quorum: u32,
    /// Whoever published the goal cannot decide.
    #[serde(default)]
    pub(in crate::pack) four_eyes: bool,
    /// Whoever grants may change the role's output first. Default: true, but false where several
    /// people must agree, for they must agree to the same.
    #[serde(default)]
    pub(in crate::pack) editable: Option<bool>,
}

fn quorum() -> u32 {
    1
}

/// What happens when nobody decides in time.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum WhenExpiredDecl {
    /// The step fails as expired.
    #[default]
    Fail,
    /// What was shown counts, marked `unsure`; the step fails where nothing was shown.
    Accept,
}

/// What an approval and an `ask` have in common.
#[derive(Debug, Clone, Copy)]
pub(in crate::pack) struct TermsDecl<'a> {
    pub(in crate::pack) expires: Option<&'a DurationDecl>,
    pub(in crate::pack) when_expired: WhenExpiredDecl,
    pub(in crate::pack) quorum: u32,
    pub(in crate::pack) four_eyes: bool,
    pub(in crate::pack) editable: Option<bool>,
}

impl<'a> From<&'a ApprovalDecl> for TermsDecl<'a> {
    fn from(approval: &'a ApprovalDecl) -> Self {
        Self {
            expires: approval.expires.as_ref(),
            when_expired: approval.when_expired,
            quorum: approval.quorum,
            four_eyes: approval.four_eyes,
            editable: approval.editable,
        }
    }
}

impl<'a> From<&'a AskDecl> for TermsDecl<'a> {
    fn from(ask: &'a AskDecl) -> Self {
        Self {
            expires: ask.expires.as_ref(),
            when_expired: ask.when_expired,
            quorum: ask.quorum,
            four_eyes: ask.four_eyes,
            editable: ask.editable,
        }
    }
}

impl From<WhenExpiredDecl> for WhenExpired {
    fn from(when: WhenExpiredDecl) -> Self {
        match when {
            WhenExpiredDecl::Fail => Self::Fail,
            WhenExpiredDecl::Accept => Self::Accept,
        }
    }
}
