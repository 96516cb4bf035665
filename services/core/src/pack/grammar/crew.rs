//! What a pack says of a step that several roles do together.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    limits::{CREW_TEAM_MAX, CREW_TURNS_MAX},
    workflow::Pattern,
};

/// Several roles that do one step together. Each turn is a work order of its own, with an item of
/// the step as its name (`desk-0`, `desk-1`, …).
///
/// In a network and under a supervisor every turn gets `{input, from, reason, previous}`: the step's
/// `with`, who had the turn before, why it handed off, and the last output. A router also gets
/// `{team, turns, turns_left}`: who there is, and what they did. A planner gets
/// `{team, steps_max}`, and `problems` when its first plan was refused; it returns
/// `{steps: [{id, role, input, after}]}`, where `{"$from": "id.field"}` inside an input stands for
/// the output of another step. A planned step gets its `input` alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::pack) struct CrewDecl {
    /// Who says whose turn is next.
    pub(in crate::pack) pattern: PatternDecl,
    /// Who takes the first turn: of a network a member of the team, of a supervisor the router,
    /// of a planner the role that plans.
    pub(in crate::pack) lead: String,
    /// Roles that can be given work.
    #[schemars(length(min = 1, max = CREW_TEAM_MAX))]
    pub(in crate::pack) team: Vec<String>,
    /// Turns in all, the lead's included.
    #[schemars(range(min = 1, max = CREW_TURNS_MAX))]
    pub(in crate::pack) max_turns: u32,
    /// Contract that the step's output must satisfy, beside that of the role which gave it.
    #[serde(default)]
    pub(in crate::pack) returns: Option<String>,
    /// The crew goes in circles when a role has the same input and the same result so often.
    /// Default: 3.
    #[serde(default)]
    #[schemars(range(min = 2, max = CREW_TURNS_MAX))]
    pub(in crate::pack) max_repeats: Option<u32>,
    /// It goes in circles when two roles hand the work to each other for more rounds than this.
    /// Default: 3.
    #[serde(default)]
    #[schemars(range(min = 1, max = CREW_TURNS_MAX))]
    pub(in crate::pack) max_pingpong: Option<u32>,
    /// It goes in circles when so many turns in a row have left the last output as it was.
    /// Default: 4.
    #[serde(default)]
    #[schemars(range(min = 2, max = CREW_TURNS_MAX))]
    pub(in crate::pack) stall_after: Option<u32>,
}

impl CrewDecl {
    /// Every role that it names.
    pub(in crate::pack) fn roles(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.lead).chain(&self.team)
    }
}

/// Who says whose turn is next.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::pack) enum PatternDecl {
    /// Whoever has the work hands it off, or completes the step.
    Network,
    /// The lead hands work to one role at a time, which gives it back; the lead completes the step.
    Supervisor,
    /// The lead returns a plan, whose steps are done in the order of what they need.
    Planner,
}

impl From<PatternDecl> for Pattern {
    fn from(pattern: PatternDecl) -> Self {
        match pattern {
            PatternDecl::Network => Self::Network,
            PatternDecl::Supervisor => Self::Supervisor,
            PatternDecl::Planner => Self::Planner,
        }
    }
}
