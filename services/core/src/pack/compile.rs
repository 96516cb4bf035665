//! From the grammar to a workflow: names and limits; roles, steps and result have files of their own.
//!
//! Everything is checked even when something is wrong already, and only a pack without
//! problems becomes a workflow.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    PackErrors, PackProblem, PackSource,
    contracts::Contracts,
    document::Document,
    grammar::{DurationDecl, PackDecl, UsdDecl, WorkflowDecl},
    models::Shelf,
    problems::{PACK_FILE, Problems, pointer},
    result, steps, structure,
    units::{DURATION_WANTED, decimal, duration, shown},
};
use crate::{
    contract::Contract,
    ids::Name,
    limits::{TASK_DEADLINE_MAX, TIMEOUT_MIN, WORKFLOW_STEPS_MAX},
    workflow::{Role, TaskLimits, Workflow},
};

/// Compiles a pack, or lists everything wrong with it.
pub(super) fn compile(source: &PackSource) -> Result<Workflow, PackErrors> {
    let document = read(source).map_err(|problem| PackErrors(vec![problem]))?;
    let mut problems = Problems::new(&document);
    let mut contracts = Contracts::compile(source, &mut problems);
    let declared = structure::read(&document, &mut problems);
    let workflow = declared.and_then(|declared| {
        let mut compiler =
            Compiler { document: &document, contracts: &mut contracts, problems: &mut problems };
        let workflow = compiler.workflow(&declared, source);
        contracts.report_unused(&mut problems);
        workflow
    });
    match workflow {
        Some(workflow) if problems.is_empty() => Ok(workflow),
        Some(_) | None => Err(PackErrors(problems.sorted())),
    }
}

fn read(source: &PackSource) -> Result<Document, PackProblem> {
    let problem = |message: String| PackProblem {
        file: PACK_FILE.to_owned(),
        line: None,
        column: None,
        path: String::new(),
        message,
    };
    source.check().map_err(|e| problem(e.to_string()))?;
    let text =
        source.text(PACK_FILE).ok_or_else(|| problem("the pack has no such file".to_owned()))?;
    let text = text.map_err(|e| problem(e.to_string()))?;
    Document::parse(text).map_err(|error| PackProblem {
        line: error.position.map(|position| position.line),
        column: error.position.map(|position| position.column),
        ..problem(error.message)
    })
}

/// What all parts of the compiler share.
pub(super) struct Compiler<'c, 'd> {
    pub(super) document: &'d Document,
    pub(super) contracts: &'c mut Contracts,
    pub(super) problems: &'c mut Problems<'d>,
}

/// The checked surroundings of steps and result.
pub(super) struct Frame<'a> {
    pub(super) declared: &'a PackDecl,
    pub(super) input: Option<Arc<Contract>>,
    pub(super) output: Option<Arc<Contract>>,
    pub(super) roles: BTreeMap<Name, Arc<Role>>,
    pub(super) deadline: Option<Duration>,
    /// What crews return, by the file that they name.
    pub(super) crew_contracts: BTreeMap<String, Arc<Contract>>,
}

impl Compiler<'_, '_> {
    fn workflow(&mut self, declared: &PackDecl, source: &PackSource) -> Option<Workflow> {
        let name = self.name(&declared.name, "/name");
        let workflow = &declared.workflow;
        let limits = self.limits(workflow);
        let input = self.contracts.get(&workflow.input, "/workflow/input", self.problems);
        let output = self.contracts.get(&workflow.output, "/workflow/output", self.problems);
        let cassettes = self.cassettes(source);
        let models = self.models(&declared.models);
        self.report_unused_models(&declared.models, &declared.roles);
        let shelf = Shelf { source, models: &models, declared: &declared.models };
        let mut roles = BTreeMap::new();
        for (name, role) in &declared.roles {
            let role = self.role(name, role, limits, shelf);
            roles.extend(role.map(|role| (role.name.clone(), Arc::new(role))));
        }
        let deadline = limits.map(|limits| limits.deadline);
        let crew_contracts = self.crew_contracts(workflow);
        let frame = Frame { declared, input, output, roles, deadline, crew_contracts };
        let (steps, compensations) = steps::compile(self, &frame);
        let compensation = steps::compensation(self, workflow);
        let result = result::compile(self, &frame);
        Some(Workflow {
            name: name?,
            revision: source.revision(),
            input: frame.input?,
            output: frame.output?,
            limits: limits?,
            when_limited: workflow.when_limited.into(),
            roles: frame.roles,
            models,
            cassettes,
            steps,
            result,
            compensations,
            compensation: compensation?,
        })
    }

    fn crew_contracts(&mut self, workflow: &WorkflowDecl) -> BTreeMap<String, Arc<Contract>> {
        let mut found = BTreeMap::new();
        for (name, step) in &workflow.steps {
            let Some(path) = step.crew.as_ref().and_then(|crew| crew.returns.as_ref()) else {
                continue;
            };
            let at = pointer(&["workflow", "steps", name, "crew", "returns"]);
            let contract = self.contracts.get(path, &at, self.problems);
            found.extend(contract.map(|contract| (path.clone(), contract)));
        }
        found
    }

    fn limits(&mut self, workflow: &WorkflowDecl) -> Option<TaskLimits> {
        let declared = &workflow.limits;
        let deadline = self.duration(&declared.deadline, "/workflow/limits/deadline");
        if deadline.is_some_and(|deadline| deadline > TASK_DEADLINE_MAX) {
            let most = shown(TASK_DEADLINE_MAX);
            self.problems.at("/workflow/limits/deadline", format!("is longer than {most}"));
        }
        let count = workflow.steps.len();
        if count > WORKFLOW_STEPS_MAX {
            let message = format!("{count} steps are more than {WORKFLOW_STEPS_MAX}");
            self.problems.at_key("/workflow/steps", message);
        }
        // An approval is no work order.
        let orders = workflow.steps.values().filter(|step| step.approval.is_none()).count();
        if usize::try_from(declared.max_steps).is_ok_and(|most| most < orders) {
            let message = format!("is less than the {orders} steps of roles: no task could end");
            self.problems.at("/workflow/limits/max_steps", message);
        }
        let usd_micros_max = self.usd(&declared.max_usd, "/workflow/limits/max_usd");
        Some(TaskLimits {
            deadline: deadline?,
            steps_max: declared.max_steps,
            usd_micros_max: usd_micros_max?,
            tokens_max: declared.max_tokens,
        })
    }

    pub(super) fn name(&mut self, name: &str, pointer: &str) -> Option<Name> {
        Name::new(name).map_err(|error| self.problems.at_key(pointer, error.to_string())).ok()
    }

    /// Reads an amount of money, in millionths of a US dollar.
    pub(super) fn usd(&mut self, declared: &UsdDecl, pointer: &str) -> Option<u64> {
        let micros = decimal(&declared.0, 6);
        if micros.is_none() {
            let message =
                "is no amount of money: write US dollars with at most 6 decimals, such as 0.25";
            self.problems.at(pointer, message);
        }
        micros
    }

    /// Reads a duration of something that is waited for; a very short one is reported.
    pub(super) fn duration(&mut self, declared: &DurationDecl, pointer: &str) -> Option<Duration> {
        let read = self.wait(declared, pointer);
        if read.is_some_and(|short| short < TIMEOUT_MIN) {
            self.problems.at(pointer, format!("is shorter than {}", shown(TIMEOUT_MIN)));
        }
        read
    }

    /// Reads any duration, zero included.
    pub(super) fn wait(&mut self, declared: &DurationDecl, pointer: &str) -> Option<Duration> {
        let read = duration(&declared.0);
        if read.is_none() {
            self.problems.at(pointer, DURATION_WANTED);
        }
        read
    }

    /// Reports what is longer than the whole task may be.
    pub(super) fn within(&mut self, span: Duration, deadline: Option<Duration>, pointer: &str) {
        if let Some(deadline) = deadline.filter(|deadline| span > *deadline) {
            let most = shown(deadline);
            self.problems.at(pointer, format!("is longer than the workflow's deadline of {most}"));
        }
    }
}
