//! A step that several roles do together, turn by turn, and the scripts that roles can follow.

use std::{fmt, sync::Arc};

use super::Role;
use crate::{
    contract::Contract,
    expr::{Expr, Template},
    ids::Name,
};

/// Several roles that do one step together. Each turn is an item of the step.
#[derive(Debug)]
pub struct Crew {
    /// Who says whose turn is next.
    pub pattern: Pattern,
    /// Who takes the first turn: of a supervisor the router, of a planner the one who plans.
    pub lead: Arc<Role>,
    /// Who can be given work. The lead of a network is one of them, any other lead is none.
    pub team: Vec<Arc<Role>>,
    /// Turns in all, the lead's included; attempts at one turn count once.
    pub turns_max: u32,
    /// When it goes in circles.
    pub loops: LoopTerms,
    /// What the step's output must satisfy beside the contract of the role that gave it.
    pub returns: Option<Arc<Contract>>,
}

impl Crew {
    /// The member of the team with this name.
    #[must_use]
    pub fn member(&self, name: &Name) -> Option<&Arc<Role>> {
        self.team.iter().find(|role| role.name == *name)
    }

    /// Every role that may take a turn; the lead first, each once.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        let others = self.team.iter().filter(|role| role.name != self.lead.name);
        std::iter::once(&self.lead).chain(others)
    }
}

/// Who says whose turn is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Whoever has the work hands it off, or completes the step.
    Network,
    /// The router hands work to one role at a time, which gives it back; the router completes.
    Supervisor,
    /// The lead plans steps, which are done in the order of what they need.
    Planner,
}

impl Pattern {
    /// The pattern as one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Supervisor => "supervisor",
            Self::Planner => "planner",
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// From when on a crew counts as going in circles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopTerms {
    /// Turns of one role with the same input and the same result.
    pub repeats_max: u32,
    /// Rounds (A, then B) that two roles may hand the work to each other without a third.
    pub pingpong_max: u32,
    /// Turns in a row that leave the last output as it was.
    pub stall_after: u32,
}

impl Default for LoopTerms {
    fn default() -> Self {
        Self { repeats_max: 3, pingpong_max: 3, stall_after: 4 }
    }
}

/// One rule of a script: what a role does when it fits.
#[derive(Debug)]
pub struct ScriptRule {
    /// Condition on `input`; `None` always holds.
    pub when: Option<Expr>,
    /// What the role reports then.
    pub act: ScriptAct,
}

/// What a scripted role reports.
#[derive(Debug)]
pub enum ScriptAct {
    /// Done, with this output.
    Output(Template),
    /// Another role goes on.
    HandOff {
        /// That role.
        to: Name,
        /// Why; a text when rendered.
        reason: Template,
        /// What it has made so far.
        output: Option<Template>,
    },
    /// Only a person can go on: the question.
    Ask(Template),
    /// Not done: the message.
    Fail(Template),
}
