//! Crews: several roles that do one step together, turn by turn.
//!
//! ```text
//!   network      lead ─► hands off ─► member ─► hands off ─► … ─► completes: the step's output
//!   supervisor   router ─► hands off ─► member ─► gives back ─► router ─► … ─► completes
//!   planner      planner ─► plan ─► members, each once what it needs is there ─► {id: output}
//! ```
//!
//! A turn is an item of the step (`desk-0`, `desk-1`, …) and runs as any attempt does: same limits,
//! retries, breakers, questions. What comes next follows from the state alone. The step itself
//! (`desk`) has an entry only once the crew is over, or waits for a person because it goes in circles.

mod history;
mod loops;
mod next;
mod planned;
mod run;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

pub use self::run::{CrewRun, HandOff};
use self::{
    history::History,
    next::{Ending, Next, Turn},
};
use super::{
    ask::AskKind,
    budget::{Afford, Limits, afford},
    decide::refused,
    dispatch::Attempt,
    env::Env,
    event::Event,
    fill::accepted,
    input::{Failure, FailureKind, Report, Usage, clip},
    plan::Planner,
};
use crate::{
    ids::{Name, StepId},
    payload::Payload,
    workflow::{Crew, Otherwise, Pattern, Role, StepPlan},
};

/// What a crew has made: its last output, with what the role that gave it thinks of it.
struct Made {
    output: Payload,
    confidence: Option<f64>,
    unsure: Option<String>,
}

impl Planner<'_> {
    /// Begins a step that a crew does.
    pub(super) fn begin_crew(&mut self, declared: &StepPlan, crew: &Crew) {
        let input = match self.fill(declared, &declared.with, None) {
            Ok(input) => input,
            Err(failure) => return self.fail(StepId::single(declared.name.clone()), failure),
        };
        if self.take_room(input.inline_bytes()) {
            let (step, pattern, turns_max) = (declared.name.clone(), crew.pattern, crew.turns_max);
            self.emit(Event::CrewBegan { step, pattern, turns_max, input });
            self.advance_crew(declared);
        }
    }

    /// Begins every turn of a crew that can begin, or ends the crew.
    pub(super) fn advance_crew(&mut self, declared: &StepPlan) {
        let Some(crew) = declared.crew() else { return };
        // Each pass adds a turn, of which there are at most `turns_max`, or is the last one.
        while !self.is_full() && !self.task().is_still() {
            let Some(history) = History::of(self.task(), declared, crew) else { return };
            match next::next(crew, &history, self.task()) {
                Next::Wait => return,
                Next::Turn(turn) => {
                    if !self.begin_turn(declared, turn) {
                        return;
                    }
                }
                Next::End(ending) => return self.end_crew(declared, ending),
            }
        }
    }

    /// Begins one turn; `false` when it must wait, or the record is full.
    fn begin_turn(&mut self, declared: &StepPlan, turn: Turn) -> bool {
        let workflow = self.workflow();
        let id = StepId::item(declared.name.clone(), turn.index);
        let role = declared.crew().and_then(|crew| crew.roles().find(|it| it.name == turn.role));
        let Some(role) = role else {
            let text = format!("role {} is not in the crew", turn.role);
            self.fail(id, Failure::new(FailureKind::Handoff, &text));
            return !self.is_full();
        };
        match afford(workflow, self.task(), role.grant, self.now()) {
            Afford::Yes => {}
            Afford::Later => return false,
            Afford::No(limit) => {
                self.meet_limit(limit);
                // Asked again at once, now with the limit on record.
                return true;
            }
        }
        let input = turn.input.map_err(|why| Failure::new(FailureKind::InvalidInput, &why));
        match input.and_then(|input| turn_input(role, input)) {
            Ok(input) => {
                let attempt = Attempt { role, degraded: None, input };
                self.send(id, attempt, (None, declared.timeout));
            }
            Err(failure) => self.fail(id, failure),
        }
        !self.is_full()
    }

    fn end_crew(&mut self, declared: &StepPlan, ending: Ending) {
        let step = StepId::single(declared.name.clone());
        match ending {
            Ending::Made(made) => self.judge_made(declared, made),
            Ending::Fail(failure) => self.fail(step, failure),
            Ending::Loop { text, evidence, last } => {
                let last = last.filter(|output| fits(declared, output).is_ok());
                let proposed = last.as_ref().map_or(0, Payload::inline_bytes);
                if !self.take_room(evidence.inline_bytes() + text.len() * 2 + proposed) {
                    return;
                }
                let name = declared.name.clone();
                self.emit(Event::LoopFound { step: name, text: text.clone(), evidence });
                let made = last.map(|output| Made { output, confidence: None, unsure: None });
                self.give_up(declared, (FailureKind::NotConverging, &text), made);
            }
        }
    }

    /// Checks what the crew has made as the step declares it.
    fn judge_made(&mut self, declared: &StepPlan, made: Made) {
        let step = StepId::single(declared.name.clone());
        if let Err(failure) = fits(declared, &made.output) {
            return self.fail(step, failure);
        }
        let Some(accept_if) = &declared.accept_if else { return self.complete_crew(step, made) };
        let env = Env::new(self.workflow(), self.task()).with_report(
            &step,
            &made.output,
            made.confidence,
        );
        match accept_if.holds(&env) {
            Ok(true) => self.complete_crew(step, made),
            Ok(false) => {
                let text = format!("accept_if does not hold: {}", accept_if.source());
                if self.take_room(made.output.inline_bytes() + text.len()) {
                    self.give_up(declared, (FailureKind::NotAccepted, &text), Some(made));
                }
            }
            Err(error) => {
                let text = format!("accept_if: {error}");
                self.fail(step, Failure::new(FailureKind::Expression, &text));
            }
        }
    }

    fn complete_crew(&mut self, step: StepId, made: Made) {
        let Made { output, confidence, unsure } = made;
        if self.take_room(output.inline_bytes()) {
            let (degraded, usage) = (None, Usage::default());
            self.emit(Event::StepCompleted { step, output, confidence, unsure, degraded, usage });
        }
    }

    /// Does what the step declares for what is not good enough. Its room is taken already.
    fn give_up(
        &mut self,
        declared: &StepPlan,
        (kind, text): (FailureKind, &str),
        made: Option<Made>,
    ) {
        let (step, usage) = (StepId::single(declared.name.clone()), Usage::default());
        match (declared.otherwise, made) {
            (Otherwise::AcceptUnsure, Some(Made { output, confidence, .. })) => {
                let (unsure, degraded) = (Some(clip(text)), None);
                self.emit(Event::StepCompleted {
                    step,
                    output,
                    confidence,
                    unsure,
                    degraded,
                    usage,
                });
            }
            (Otherwise::AskHuman, made) => {
                let proposal = made.map(|made| made.output);
                let question =
                    format!("{text}. Answer with the output of step {step}, or deny it.");
                let ask = self.ask(AskKind::Question, &question, proposal, declared.ask);
                self.emit(Event::StepWaiting { step, ask: ask.into(), usage });
            }
            (Otherwise::Fail, made) => {
                let refused = made.map(|made| made.output);
                let failure = Failure { refused, ..Failure::new(kind, text) };
                self.emit(Event::StepFailed { step, failure, usage });
            }
            (Otherwise::AcceptUnsure, None) => {
                self.emit(Event::StepFailed { step, failure: Failure::new(kind, text), usage });
            }
        }
    }

    /// Checks the output of one report: its contract, and of a planner its plan.
    pub(super) fn check_output(
        &self,
        declared: &StepPlan,
        role: &Role,
        step: &StepId,
        output: &Payload,
    ) -> Result<(), Failure> {
        role.returns.check(output.value()).map_err(|text| refused(&text.to_string(), output))?;
        let Some(crew) = declared.crew().filter(|crew| is_plan(crew, step)) else { return Ok(()) };
        let left =
            Limits::of(self.workflow(), self.task()).steps.saturating_sub(self.task().dispatches);
        let plan = planned::read(crew, output.value(), left);
        plan.map(drop).map_err(|problems| refused(&problems.join("; "), output))
    }

    /// Takes a hand-off, if this role may hand off to that one.
    pub(super) fn hand_off(
        &mut self,
        declared: &StepPlan,
        report: &Report,
        (to, reason, output): (&Name, &str, Option<&Payload>),
    ) -> Result<(&'static str, String), Failure> {
        may_hand_off(declared, &report.role, to).map_err(|why| {
            let text = format!("wanted to hand off to {to}, {why}: {reason}");
            Failure::new(FailureKind::Handoff, &text)
        })?;
        let role = self.workflow().roles.get(&report.role);
        if let (Some(role), Some(output)) = (role, output) {
            let checked = role.returns.check(output.value());
            checked.map_err(|text| refused(&text.to_string(), output))?;
        }
        let (step, reason) = (report.step.clone(), clip(reason));
        let output = output.cloned().unwrap_or_else(Payload::null);
        self.emit(Event::StepCompleted {
            step: step.clone(),
            output,
            confidence: None,
            unsure: None,
            degraded: self.degraded(report),
            usage: report.usage,
        });
        let text = clip(&format!("step {step} hands off to {to}: {reason}"));
        self.emit(Event::HandedOff { step, to: to.clone(), reason });
        Ok(("hand_off", text))
    }
}

/// The input of a planner's next attempt when its plan was refused for the first time: the same,
/// with the reasons.
pub(super) fn replan(
    declared: &StepPlan,
    (id, role): (&StepId, &Role),
    input: &Payload,
    failure: &Failure,
) -> Option<Payload> {
    let crew = declared.crew().filter(|crew| is_plan(crew, id))?;
    if failure.kind != FailureKind::InvalidOutput || crew.lead.name != role.name {
        return None;
    }
    let mut input = input.value().clone();
    let known = input.as_object_mut()?.insert("problems".to_owned(), json!(failure.message));
    if known.is_some() {
        return None;
    }
    turn_input(role, input).ok()
}

/// Whether the turn is the one that plans.
fn is_plan(crew: &Crew, step: &StepId) -> bool {
    crew.pattern == Pattern::Planner && step.item == Some(0)
}

fn may_hand_off(declared: &StepPlan, from: &Name, to: &Name) -> Result<(), String> {
    let Some(crew) = declared.crew() else {
        return Err("which the pack does not allow".to_owned());
    };
    match crew.pattern {
        Pattern::Planner => return Err("but a planned step only completes".to_owned()),
        Pattern::Supervisor if *from != crew.lead.name => {
            return Err(format!("but here only {} hands off", crew.lead.name));
        }
        Pattern::Supervisor | Pattern::Network => {}
    }
    if crew.member(to).is_some() {
        return Ok(());
    }
    let team: Vec<_> = crew.team.iter().map(|role| role.name.as_str()).collect();
    Err(format!("which is not in the team ({})", team.join(", ")))
}

/// Checks what the crew has made against the contract of the crew, if it has one.
fn fits(declared: &StepPlan, output: &Payload) -> Result<(), Failure> {
    let Some(contract) = declared.crew().and_then(|crew| crew.returns.as_ref()) else {
        return Ok(());
    };
    contract.check(output.value()).map_err(|violations| {
        refused(&format!("breaks contract {}: {violations}", contract.id()), output)
    })
}

fn turn_input(role: &Role, input: Value) -> Result<Payload, Failure> {
    let input = Payload::from_value(input)
        .map_err(|error| Failure::new(FailureKind::InvalidInput, &error.to_string()))?;
    accepted(role, input)
}
