//! A conversation of one step with a model: what to do next, from what was said so far.
//!
//! ```text
//!              ┌──────────── tools answered, or the answer is to be repaired ─────────┐
//!              ▼                                                                      │
//!  new ──► act: Ask ──► heard: calls? ──► act: Use ──► returned, call by call ────────┤
//!              │             └─ an answer ─► fits its contract? ─► act: End           │
//!              │                                 └─ no, for the first time ───────────┘
//!              └─ the conversation is too long ─► Ask for a summary, or trim, or fail
//! ```
//!
//! Pure: the agent's shell does what [`Dialogue::act`] says and tells what came of it, live or from the
//! step's journal. Invariant: what to do follows from what was heard and from nothing else, so a takeover
//! that hears the same asks the same. A later attempt hears all that earlier ones were told, and only then
//! has calls and a repair of its own: a retry goes on where the conversation was given up. A planner whose
//! plan was refused is such a retry: it hears why behind the plan.

use std::{collections::VecDeque, sync::Arc};

use serde_json::json;

use super::{
    Answered, Brief, Finish, Manner, Prompt, Purpose, Question, Said, ToolAnswer, ToolCall, Turn,
    context::{Cut, TooLong, transcript, within},
    route::step_down,
    tokens::{of_prompt, of_turn},
};
use crate::{
    journal::Ledger,
    limits::{SUMMARY_TOKENS_MAX, TURN_CALLS_MAX},
    payload::Payload,
    task::{Failure, FailureKind, Outcome},
    workflow::{Grant, WhenFull},
};

pub(super) const BE_BRIEF: &str =
    "Most of your budget is used: be brief, and answer as soon as you can.";
const LAST_TURN: &str = "This is your last turn: answer now, without calling a tool.";
const SUM_UP: &str = "Sum up this conversation for somebody who goes on with it: what was asked, what was \
     found out and where, what is open. Plain text, no preface.";
/// Room for the word that earlier turns are left out, or summed up.
const NOTE_TOKENS: u64 = 40;

/// The conversation of one step.
#[derive(Debug)]
pub struct Dialogue {
    brief: Arc<Brief>,
    /// Attempts that have asked something, this one included.
    tries: u32,
    granted: Grant,
    spent: Grant,
    input_omitted: Vec<String>,
    turns: Vec<Turn>,
    cut: Cut,
    asked: u32,
    /// The first turn that a summary is asked for will leave; `None` while none is asked for.
    summary_from: Option<usize>,
    /// Calls of the last turn that have no answer yet.
    waiting: VecDeque<ToolCall>,
    tool_errors: u32,
    is_told_to_be_brief: bool,
    repairs: u32,
    /// Why the first answer that fits was refused all the same; `None` once the model was told.
    refused: Option<String>,
    /// Why the first degraded answer is one, and how many others are.
    degraded: Option<(String, u32)>,
    outcome: Option<Outcome>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Ask a model, then tell [`Dialogue::heard`].
    Ask(Box<Question>),
    /// Call these tools, at the same time if you can, then tell [`Dialogue::returned`] of each in this order.
    Use(Vec<ToolCall>),
    /// Report this.
    End(Outcome),
}

impl Dialogue {
    /// Begins a conversation about `input`, for so many tries as [`History::tries`] has, that may cost `granted`.
    ///
    /// [`History::tries`]: crate::journal::History::tries
    ///
    /// # Errors
    /// The failure to report when the prompt cannot be made of this input.
    pub fn new(
        brief: Arc<Brief>,
        input: &Payload,
        (tries, granted): (u32, Grant),
    ) -> Result<Self, Failure> {
        let (input, refused) = brief.begun_with(input);
        let passed = brief.passed(&input).map_err(|error| {
            Failure::new(
                FailureKind::Expression,
                &format!("prompt of role {}: {error}", brief.role()),
            )
        })?;
        Ok(Self {
            brief,
            tries: tries.max(1),
            granted,
            spent: Grant::default(),
            input_omitted: passed.omitted,
            turns: vec![Turn::User(passed.text)],
            cut: Cut::default(),
            asked: 0,
            summary_from: None,
            waiting: VecDeque::new(),
            tool_errors: 0,
            is_told_to_be_brief: false,
            repairs: 0,
            refused,
            degraded: None,
            outcome: None,
        })
    }

    /// What to do next.
    ///
    /// # Errors
    /// The failure to report: the conversation has met a limit.
    pub fn act(&mut self) -> Result<Act, Failure> {
        if let Some(outcome) = &self.outcome {
            return Ok(Act::End(outcome.clone()));
        }
        if !self.waiting.is_empty() {
            return Ok(Act::Use(self.waiting.iter().cloned().collect()));
        }
        self.ask().map(|question| Act::Ask(Box::new(question)))
    }

    /// Hears what came of the question.
    ///
    /// # Errors
    /// The failure to report: there is no answer, and there will be none.
    pub fn heard(&mut self, answered: Answered) -> Result<(), Failure> {
        self.asked = self.asked.saturating_add(1);
        self.spent = self.spent.plus(answered.cost);
        match (answered.degraded, &mut self.degraded) {
            (None, _) => {}
            (Some(_), Some((_, others))) => *others = others.saturating_add(1),
            (Some(why), None) => self.degraded = Some((why, 0)),
        }
        let Said { text, calls, thoughts, finish, usage: _ } = answered.said;
        if let Some(from) = self.summary_from.take() {
            let text = within(text, u64::from(SUMMARY_TOKENS_MAX));
            self.cut.grow(&self.turns, from, Some(text).filter(|text| !text.is_empty()));
            return Ok(());
        }
        self.turns.push(Turn::Model { text: text.clone(), calls: calls.clone(), thoughts });
        if calls.is_empty() {
            return self.judge(&text, finish);
        }
        // What cannot be called is answered first, so the numbers of calls do not depend on it.
        for call in calls {
            let refused = match self.waiting.len() < TURN_CALLS_MAX {
                true => self.brief.usable(&call).err(),
                false => Some(format!("not called: a turn has at most {TURN_CALLS_MAX} calls")),
            };
            match refused {
                None => self.waiting.push_back(call),
                Some(why) => {
                    self.tool_errors = self.tool_errors.saturating_add(1);
                    self.turns.push(tool_turn(call, ToolAnswer::error(&why)));
                }
            }
        }
        Ok(())
    }

    /// Why not all of it was said by the pack's first choice of a model; `None` while it was.
    #[must_use]
    pub fn degraded(&self) -> Option<String> {
        let (why, others) = self.degraded.as_ref()?;
        match others {
            0 => Some(why.clone()),
            1 => Some(format!("{why}; and so was one more answer")),
            others => Some(format!("{why}; and so were {others} more answers")),
        }
    }

    /// Hears what the next of the tools answered that [`Act::Use`] named.
    pub fn returned(&mut self, answer: ToolAnswer) {
        let Some(call) = self.waiting.pop_front() else { return };
        if answer.is_error {
            self.tool_errors = self.tool_errors.saturating_add(1);
        }
        self.turns.push(tool_turn(call, answer));
    }

    fn judge(&mut self, text: &str, finish: Finish) -> Result<(), Failure> {
        let why = match (finish, self.brief.read(text)) {
            (Finish::Stop | Finish::Tools | Finish::Length, Ok(outcome)) => {
                match self.refused.take() {
                    Some(why) => self.turns.push(Turn::User(format!(
                        "This cannot be done: {why}. Answer again, with the whole JSON object."
                    ))),
                    None => self.outcome = Some(outcome),
                }
                return Ok(());
            }
            (Finish::Filtered, _) => "the answer was kept back by the model's provider".to_owned(),
            (Finish::Length, Err(why)) => {
                let max = self.brief.terms().output_tokens_max;
                format!("{why}. It was cut after {max} tokens: say less")
            }
            (Finish::Stop | Finish::Tools, Err(why)) => why,
        };
        if self.repairs >= self.tries || self.asked >= self.asked_max() {
            return Err(invalid(&why, text));
        }
        self.repairs = self.repairs.saturating_add(1);
        let repair = format!("This does not fit: {why}. Answer again, with the whole JSON object.");
        self.turns.push(Turn::User(repair));
        Ok(())
    }

    fn ask(&mut self) -> Result<Question, Failure> {
        let max = self.asked_max();
        if self.asked >= max {
            let text = format!(
                "asked a model {max} times and has no answer: raise loop.max_calls of role {}, or \
                 ask for less",
                self.brief.role()
            );
            return Err(Failure::new(FailureKind::Limit, &text));
        }
        let ledger = Ledger { granted: self.granted, spent: self.spent, ..Ledger::default() };
        if !self.is_told_to_be_brief && ledger.is_near() {
            self.is_told_to_be_brief = true;
            self.turns.push(Turn::User(BE_BRIEF.to_owned()));
        }
        if self.is_last() && self.asked > 0 && !self.brief.offered().is_empty() {
            self.tell_last_turn();
        }
        match self.make_room()? {
            Some(from) => Ok(self.summary(from)),
            None => Ok(self.question()),
        }
    }

    /// Says it once, however often it is asked what to do.
    fn tell_last_turn(&mut self) {
        let told = Turn::User(LAST_TURN.to_owned());
        if self.turns.last() != Some(&told) {
            self.turns.push(told);
        }
    }

    /// Leaves out what does not fit; says from where on all fits, if the rest is to be summed up first.
    fn make_room(&mut self) -> Result<Option<usize>, Failure> {
        let max = self.brief.terms().context_tokens_max;
        let room = max.saturating_sub(self.brief.tokens());
        let wanted = |reserve: u64| self.cut.wanted(&self.turns, room.saturating_sub(reserve));
        let least = wanted(0).map_err(|error| self.too_long(error))?;
        if !self.cut.grows_to(least) {
            return Ok(None);
        }
        match self.brief.terms().when_full {
            WhenFull::Fail => {
                let tokens = self.cut.kept(&self.turns).iter().map(of_turn).sum();
                return Err(self.too_long(TooLong { tokens }));
            }
            WhenFull::Summarise { .. } if !self.is_last() => {
                if let Ok(from) = wanted(u64::from(SUMMARY_TOKENS_MAX) + NOTE_TOKENS) {
                    self.summary_from = Some(from);
                    return Ok(Some(from));
                }
            }
            WhenFull::Summarise { .. } | WhenFull::Trim => {}
        }
        let from = wanted(NOTE_TOKENS).map_err(|error| self.too_long(error))?;
        self.cut.grow(&self.turns, from, None);
        Ok(None)
    }

    fn too_long(&self, error: TooLong) -> Failure {
        let (prefix, max) = (self.brief.tokens(), self.brief.terms().context_tokens_max);
        let tokens = error.tokens.saturating_add(prefix);
        let text = format!(
            "the prompt has about {tokens} tokens, {prefix} of them instructions and tools: raise \
             loop.context_tokens ({max}) of role {}, or pass less",
            self.brief.role()
        );
        Failure::new(FailureKind::Limit, &text)
    }

    fn question(&self) -> Question {
        let terms = self.brief.terms();
        let (alias, stepped_down) = step_down(terms, self.granted, self.left());
        let prompt = self.brief.prompt(self.cut.kept(&self.turns));
        let manner = self.brief.manner();
        Question {
            alias: alias.clone(),
            tokens: of_prompt(&prompt, &manner),
            prompt,
            manner,
            purpose: Purpose::Answer,
            class: terms.class.clone(),
            number: self.asked.saturating_add(1),
            number_max: self.asked_max(),
            stepped_down,
            tool_errors: self.tool_errors,
            context: vec![
                ("documents", self.brief.granted().into()),
                ("input_omitted", self.input_omitted.clone().into()),
                ("omitted", self.cut.recorded()),
            ],
        }
    }

    fn summary(&self, from: usize) -> Question {
        let terms = self.brief.terms();
        let alias = match &terms.when_full {
            WhenFull::Summarise { alias } => alias,
            WhenFull::Trim | WhenFull::Fail => &terms.alias,
        };
        let before = self.cut.summary();
        let before = before.map_or_else(String::new, |summary| format!("[earlier] {summary}\n"));
        let text = before + &transcript(self.cut.going(&self.turns, from));
        let (system, tools) = (SUM_UP.to_owned(), Vec::new());
        let prompt = Prompt { system, tools, turns: vec![Turn::User(text)] };
        let manner = Manner {
            returns: None,
            output_tokens_max: SUMMARY_TOKENS_MAX.min(terms.output_tokens_max),
            temperature_millis: terms.temperature_millis,
        };
        Question {
            alias: alias.clone(),
            tokens: of_prompt(&prompt, &manner),
            prompt,
            manner,
            purpose: Purpose::Summary,
            class: terms.class.clone(),
            number: self.asked.saturating_add(1),
            number_max: self.asked_max(),
            stepped_down: None,
            tool_errors: self.tool_errors,
            context: Vec::new(),
        }
    }

    /// Questions of this attempt and all before it, at most.
    fn asked_max(&self) -> u32 {
        self.brief.terms().calls_max.saturating_mul(self.tries)
    }

    /// Whether the next question is the last one of an attempt, be it this one or an earlier one.
    fn is_last(&self) -> bool {
        self.asked.saturating_add(1).is_multiple_of(self.brief.terms().calls_max.max(1))
    }

    /// What calls may still cost, as far as was heard: the same on every delivery.
    fn left(&self) -> Grant {
        self.granted.minus(self.spent)
    }
}

fn tool_turn(call: ToolCall, answer: ToolAnswer) -> Turn {
    let (call, name) = (call.id, call.tool);
    Turn::Tool { call, name, result: answer.text, is_error: answer.is_error }
}

/// The failure of an answer that fits nothing; what was said is kept for people.
fn invalid(why: &str, said: &str) -> Failure {
    let refused = Payload::from_value(json!(said)).ok();
    Failure { refused, ..Failure::new(FailureKind::InvalidOutput, why) }
}
