//! Cassettes: what models said, kept in the pack, so that it runs without any.
//!
//! ```text
//!  cassettes/*.jsonl   one line an answer: who asked what (hashes), and what was said
//!  play                the same question → the same answer; any other → what is different
//! ```
//!
//! A question is the system prompt, the tools, the turns and the manner, to the byte. Left out is what
//! the tool `clock` said, which is never twice the same. Invariant: what was recorded is what is played.

mod line;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use super::{Manner, Prompt, Said, Turn, canonical};
use crate::{ids::Name, payload::Hash};

/// The tool whose results are no part of a question.
const CLOCK: &str = "clock";

/// One recorded answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Who asked.
    pub role: Name,
    /// `provider/model` that answered, for people.
    pub model: String,
    /// What was asked.
    pub question: Question,
    /// Which answer of its conversation: from 1.
    pub turn: u32,
    /// What was said.
    pub said: Said,
    /// How long it took.
    pub latency_ms: u64,
}

/// What was asked, as hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// All of it.
    pub ask: Hash,
    /// The system prompt.
    pub system: Hash,
    /// The tools on offer.
    pub tools: Hash,
    /// The first turn: the step's input.
    pub input: Hash,
    /// The turns behind it.
    pub turns: Hash,
    /// The manner: schema, length and temperature of the answer.
    pub manner: Hash,
}

impl Question {
    /// Hashes what is asked.
    #[must_use]
    pub fn of(prompt: &Prompt, manner: &Manner) -> Self {
        let hash = |domain: &str, text: &str| canonical::hash("cadre.ask.part.v1", [domain, text]);
        let turns: Vec<Turn> = prompt.turns.iter().map(without_time).collect();
        let (input, behind) = turns.split_at(turns.len().min(1));
        let system = hash("system", &prompt.system);
        let tools = hash("tools", &canonical::tools(&prompt.tools));
        let input = hash("input", &canonical::turns(input));
        let turns = hash("turns", &canonical::turns(behind));
        let manner = hash("manner", &canonical::manner(manner));
        let parts = [system, tools, input, turns, manner].map(|part| part.to_string());
        let ask = canonical::hash("cadre.ask.v1", parts.iter().map(String::as_str));
        Self { ask, system, tools, input, turns, manner }
    }

    /// What is not the same in both, for people; empty when they are the same.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let parts = [
            ("the system prompt", self.system == other.system),
            ("the tools", self.tools == other.tools),
            ("the input", self.input == other.input),
            ("what was said since", self.turns == other.turns),
            ("the manner of the answer", self.manner == other.manner),
        ];
        parts.into_iter().filter(|(_, is_same)| !is_same).map(|(part, _)| part).collect()
    }
}

/// Which answer of its conversation a prompt asks for: from 1.
#[must_use]
pub fn turn_of(prompt: &Prompt) -> u32 {
    let said = prompt.turns.iter().filter(|turn| matches!(turn, Turn::Model { .. })).count();
    u32::try_from(said).unwrap_or(u32::MAX).saturating_add(1)
}

/// The answers of one pack.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cassettes {
    by_question: BTreeMap<(Name, Hash), Recorded>,
}

/// A line that is no recorded answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CassetteError {
    /// Line, from 1.
    pub line: u32,
    /// What is wrong with it.
    pub message: String,
}

/// No answer was recorded for a question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no cassette of the pack answers call {turn} of role {role}: {}; name a model with --model, or record it with `cadre pack record`", Nearest(.nearest))]
pub struct Miss {
    /// Who asks.
    pub role: Name,
    /// Which answer of its conversation is wanted.
    pub turn: u32,
    /// What the nearest recorded question has different; `None` when the role has none.
    pub nearest: Option<Vec<&'static str>>,
}

struct Nearest<'n>(&'n Option<Vec<&'static str>>);

impl fmt::Display for Nearest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(parts) => write!(f, "the nearest one differs in {}", parts.join(" and ")),
            None => f.write_str("there is none of this role"),
        }
    }
}

impl Cassettes {
    /// Adds the lines of one file. Of one question the first answer counts.
    ///
    /// # Errors
    /// [`CassetteError`] of the first line that is none; those before it were added.
    pub fn add(&mut self, text: &str) -> Result<(), CassetteError> {
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line_number = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
            let recorded = line::parse(line)
                .map_err(|message| CassetteError { line: line_number, message })?;
            let key = (recorded.role.clone(), recorded.question.ask);
            self.by_question.entry(key).or_insert(recorded);
        }
        Ok(())
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_question.is_empty()
    }

    /// Every answer, by role and question.
    pub fn iter(&self) -> impl Iterator<Item = &Recorded> {
        self.by_question.values()
    }

    /// What was answered when this role asked this.
    ///
    /// # Errors
    /// [`Miss`] says what is different from what was recorded.
    pub fn play(&self, role: &Name, prompt: &Prompt, manner: &Manner) -> Result<&Recorded, Miss> {
        let question = Question::of(prompt, manner);
        if let Some(recorded) = self.by_question.get(&(role.clone(), question.ask)) {
            return Ok(recorded);
        }
        let turn = turn_of(prompt);
        let of_role = self.iter().filter(|recorded| recorded.role == *role);
        let nearest = of_role
            .map(|recorded| {
                let parts = question.differences(&recorded.question);
                (parts.len(), recorded.turn != turn, parts)
            })
            .min();
        let nearest = nearest.map(|(_, _, parts)| parts);
        Err(Miss { role: role.clone(), turn, nearest })
    }
}

impl Recorded {
    /// Its line in a cassette, without the line's end.
    #[must_use]
    pub fn to_line(&self) -> String {
        line::print(self)
    }
}

fn without_time(turn: &Turn) -> Turn {
    match turn {
        Turn::Tool { call, name, result: _, is_error } if name == CLOCK => Turn::Tool {
            call: call.clone(),
            name: name.clone(),
            result: String::new(),
            is_error: *is_error,
        },
        Turn::User(_) | Turn::Model { .. } | Turn::Tool { .. } => turn.clone(),
    }
}
