//! From the grammar to a workflow: names, limits, roles; steps and result have files of their own.
//!
//! Everything is checked even when something is wrong already, and only a pack without
//! problems becomes a workflow.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    PackErrors, PackProblem, PackSource,
    contracts::Contracts,
    document::Document,
    grammar::{DurationDecl, PackDecl, RoleDecl, WorkflowDecl},
    problems::{PACK_FILE, Problems, pointer},
    result, steps, structure,
    units::{DURATION_WANTED, decimal, duration, shown},
};
use crate::{
    contract::Contract,
    ids::Name,
    limits::{TASK_DEADLINE_MAX, TIMEOUT_MIN, WORKFLOW_STEPS_MAX},
    workflow::{Effects, Grant, Retry, Role, TaskLimits, Workflow},
};

/// Role names that mean something else on the bus.
const ROLES_RESERVED: [&str; 1] = ["aggregate"];

/// Compiles a pack, or lists everything wrong with it.
pub(super) fn compile(source: &PackSource) -> Result<Workflow, PackErrors> {
    let document = read(source).map_err(|problem| PackErrors(vec![problem]))?;
    let mut problems = Problems::new(&document);
    let mut contracts = Contracts::compile(source, &mut problems);
    let declared = structure::read(&document, &mut problems);
    let workflow = declared.and_then(|declared| {
        let mut compiler =
            Compiler { document: &document, contracts: &mut contracts, problems: &mut problems };
        let workflow = compiler.workflow(&declared, source.revision());
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
}

impl Compiler<'_, '_> {
    fn workflow(&mut self, declared: &PackDecl, revision: String) -> Option<Workflow> {
        let name = self.name(&declared.name, "/name");
        let workflow = &declared.workflow;
        let limits = self.limits(workflow);
        let input = self.contracts.get(&workflow.input, "/workflow/input", self.problems);
        let output = self.contracts.get(&workflow.output, "/workflow/output", self.problems);
        let mut roles = BTreeMap::new();
        for (name, role) in &declared.roles {
            let role = self.role(name, role, limits.map(|limits| limits.deadline));
            roles.extend(role.map(|role| (role.name.clone(), Arc::new(role))));
        }
        let frame = Frame { declared, input, output, roles };
        let steps = steps::compile(self, &frame);
        let result = result::compile(self, &frame);
        Some(Workflow {
            name: name?,
            revision,
            input: frame.input?,
            output: frame.output?,
            limits: limits?,
            when_limited: workflow.when_limited.into(),
            roles: frame.roles,
            steps,
            result,
        })
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
        if usize::try_from(declared.max_steps).is_ok_and(|most| most < count) {
            let message = format!("is less than the {count} declared steps: no task could end");
            self.problems.at("/workflow/limits/max_steps", message);
        }
        let usd_micros_max = decimal(&declared.max_usd.0, 6);
        if usd_micros_max.is_none() {
            let message =
                "is no amount of money: write US dollars with at most 6 decimals, such as 0.25";
            self.problems.at("/workflow/limits/max_usd", message);
        }
        Some(TaskLimits {
            deadline: deadline?,
            steps_max: declared.max_steps,
            usd_micros_max: usd_micros_max?,
            tokens_max: declared.max_tokens,
        })
    }

    fn role(&mut self, name: &str, role: &RoleDecl, deadline: Option<Duration>) -> Option<Role> {
        let at = pointer(&["roles", name]);
        let valid = self.name(name, &at);
        if ROLES_RESERVED.contains(&name) {
            self.problems
                .at_key(&at, format!("`{name}` is the name of a part of Cadre: choose another"));
        }
        let accepts = self.contracts.get(&role.accepts, &format!("{at}/accepts"), self.problems);
        let returns = self.contracts.get(&role.returns, &format!("{at}/returns"), self.problems);
        let timeout_at = format!("{at}/limits/timeout");
        let timeout = self.duration(&role.limits.timeout, &timeout_at);
        if let (Some(timeout), Some(deadline)) = (timeout, deadline)
            && timeout > deadline
        {
            let deadline = shown(deadline);
            self.problems
                .at(&timeout_at, format!("is longer than the workflow's deadline of {deadline}"));
        }
        Some(Role {
            name: valid?,
            runtime: role.runtime.into(),
            accepts: accepts?,
            returns: returns?,
            timeout: timeout?,
            concurrency: role.concurrency,
            grant: Grant::default(),
            effects: Effects::default(),
            retry: Retry::default(),
        })
    }

    pub(super) fn name(&mut self, name: &str, pointer: &str) -> Option<Name> {
        Name::new(name).map_err(|error| self.problems.at_key(pointer, error.to_string())).ok()
    }

    pub(super) fn duration(&mut self, declared: &DurationDecl, pointer: &str) -> Option<Duration> {
        let read = duration(&declared.0);
        match read {
            None => self.problems.at(pointer, DURATION_WANTED),
            Some(short) if short < TIMEOUT_MIN => {
                self.problems.at(pointer, format!("is shorter than {}", shown(TIMEOUT_MIN)));
            }
            Some(_) => {}
        }
        read
    }
}
