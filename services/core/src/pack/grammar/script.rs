//! What a pack says of a role that follows a script.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// One rule: when it fits, and what the role reports then.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct ScriptRuleDecl {
    /// Condition (CEL) on `input`; without it the rule always fits.
    #[serde(default)]
    pub(in crate::pack) when: Option<String>,
    /// What the role reports.
    #[serde(rename = "do")]
    pub(in crate::pack) act: ScriptActDecl,
}

/// What a scripted role reports. `${ expr }` (CEL) inside strings sees `input`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum ScriptActDecl {
    /// It is done, and this is its output.
    Output(Value),
    /// Another role of its crew goes on.
    HandOff(HandOffDecl),
    /// Only a person can go on: the question.
    Ask(String),
    /// It cannot be done: the message.
    Fail(String),
}

/// Another role goes on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct HandOffDecl {
    /// That role.
    pub(in crate::pack) to: String,
    /// Why, and what is wanted of it.
    pub(in crate::pack) reason: String,
    /// What was made so far.
    #[serde(default)]
    pub(in crate::pack) output: Option<Value>,
}
