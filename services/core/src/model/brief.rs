//! What a role of the runtime `model` is told before anything happens, and what its answers mean.
//!
//! Made once for each role and pack revision. Its prefix (instructions, form of the answer, tools) is the
//! same bytes for every call, so that a provider can cache it; what belongs to one step comes behind.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Manner, Prompt, ToolCall, ToolSpec, Turn,
    answer::{AnswerForm, doubted},
    bm25::Library,
    tokens,
};
use crate::{
    contract::{Contract, ContractError},
    expr::EvalError,
    ids::Name,
    payload::Payload,
    task::Outcome,
    workflow::{ModelRole, Pattern, Role, Workflow},
};

/// Where a planner's input says why its plan was refused.
const PROBLEMS: &str = "problems";

/// What one role is told in one pack revision.
#[derive(Debug)]
pub struct Brief {
    role: Name,
    terms: Arc<ModelRole>,
    system: String,
    tools: Vec<Tool>,
    form: AnswerForm,
    documents: Arc<Library>,
    tokens: u64,
    /// Its answers are plans, which can be refused although they fit the contract.
    is_planner: bool,
}

#[derive(Debug)]
struct Tool {
    spec: ToolSpec,
    arguments: Contract,
}

/// A role that cannot be told anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BriefError {
    /// Its pack says nothing of a model.
    #[error("role {0} has no model in its pack: give it `model` and `prompt`")]
    NoModel(Name),
    /// Nobody knows the tool.
    #[error(
        "role {role} is to call tool {tool}, which does not exist: take it off the role's tools"
    )]
    NoTool {
        /// The role.
        role: Name,
        /// The tool.
        tool: Name,
    },
    /// Nobody can say what the tool takes.
    #[error("arguments of tool {tool} cannot be checked")]
    Tool {
        /// The tool.
        tool: Name,
        /// Why.
        source: ContractError,
    },
}

/// What is passed of a step's input, and what is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passed {
    /// What the model reads of it.
    pub(super) text: String,
    /// Fields of the input that the prompt does not name.
    pub(super) omitted: Vec<String>,
}

impl Brief {
    /// What `role` is told; `specs` are the tools that exist of those that it names.
    ///
    /// # Errors
    /// [`BriefError`]: the pack, or the tools, must change.
    pub fn new(workflow: &Workflow, role: &Role, specs: &[ToolSpec]) -> Result<Self, BriefError> {
        let Some(terms) = role.model.clone() else {
            return Err(BriefError::NoModel(role.name.clone()));
        };
        let tools = terms.tools.iter().map(|name| tool(&role.name, name, specs));
        let mut tools = tools.collect::<Result<Vec<_>, _>>()?;
        tools.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
        let form = AnswerForm::new(&role.returns, team(workflow, role));
        let mut system = format!("{}\n\n{}", terms.prompt.fixed().trim(), form.described());
        let paths: Vec<&str> = terms.documents.iter().map(|(path, _)| path.as_str()).collect();
        if !paths.is_empty() {
            system = format!("{system}\n\nDocuments that `lookup` searches: {}", paths.join(", "));
        }
        let system = system.trim_start().to_owned();
        let documents = Arc::new(Library::new(&terms.documents));
        let is_planner = plans(workflow, role);
        let role = role.name.clone();
        let mut brief = Self { role, terms, system, tools, form, documents, tokens: 0, is_planner };
        brief.tokens = tokens::of_prompt(&brief.prompt(Vec::new()), &brief.manner());
        Ok(brief)
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> &Name {
        &self.role
    }

    /// What the pack says of it.
    #[must_use]
    pub fn terms(&self) -> &ModelRole {
        &self.terms
    }

    /// What `lookup` searches.
    #[must_use]
    pub fn documents(&self) -> &Arc<Library> {
        &self.documents
    }

    /// The prompt of these turns, behind the prefix.
    pub(super) fn prompt(&self, turns: Vec<Turn>) -> Prompt {
        let tools = self.tools.iter().map(|tool| tool.spec.clone()).collect();
        Prompt { system: self.system.clone(), tools, turns }
    }

    /// How it is to answer.
    pub(super) fn manner(&self) -> Manner {
        Manner {
            returns: Some(Arc::clone(self.form.schema())),
            output_tokens_max: self.terms.output_tokens_max,
            temperature_millis: self.terms.temperature_millis,
        }
    }

    /// Names of the tools on offer, in order.
    pub(super) fn offered(&self) -> Vec<&str> {
        self.tools.iter().map(|tool| tool.spec.name.as_str()).collect()
    }

    /// Paths of the documents that the pack grants.
    pub(super) fn granted(&self) -> Vec<&str> {
        self.terms.documents.iter().map(|(path, _)| path.as_str()).collect()
    }

    /// Tokens of a prompt without turns, at most.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// What the conversation began with, and why the plan that it came to was refused: a planner that
    /// is asked anew goes on in the conversation that its journal has.
    pub(super) fn begun_with(&self, input: &Payload) -> (Payload, Option<String>) {
        let whole = (input.clone(), None);
        let Some(fields) = input.value().as_object().filter(|_| self.is_planner) else {
            return whole;
        };
        let Some(problems) = fields.get(PROBLEMS).and_then(Value::as_str) else { return whole };
        let mut rest = fields.clone();
        rest.remove(PROBLEMS);
        match Payload::from_value(Value::Object(rest)) {
            Ok(rest) => (rest, Some(problems.to_owned())),
            Err(_) => whole,
        }
    }

    /// What the model reads of a step's input.
    pub(super) fn passed(&self, input: &Payload) -> Result<Passed, EvalError> {
        let prompt = &self.terms.prompt;
        if prompt.is_fixed() {
            return Ok(Passed { text: format!("Input:\n{}", input.text()), omitted: Vec::new() });
        }
        let text = prompt.render(input.value())?;
        let sources: Vec<&str> = prompt.sources().collect();
        let keys = input.value().as_object().into_iter().flat_map(|fields| fields.keys());
        let omitted = keys.filter(|key| !mentions(&sources, key)).cloned().collect();
        Ok(Passed { text, omitted })
    }

    /// Whether a call can be made as the model wants it.
    ///
    /// # Errors
    /// What to tell the model.
    pub(super) fn usable(&self, call: &ToolCall) -> Result<(), String> {
        let known = self.tools.iter().find(|tool| tool.spec.name.as_str() == call.tool);
        let Some(tool) = known else {
            let names = self.offered().join(", ");
            let names = if names.is_empty() { "none".to_owned() } else { names };
            return Err(format!("there is no tool `{}`; you have: {names}", call.tool));
        };
        Payload::from_value(call.arguments.clone()).map_err(|error| error.to_string())?;
        let checked = tool.arguments.check(&call.arguments);
        checked.map_err(|violations| format!("the arguments do not fit: {violations}"))
    }

    /// What an answer means for the step.
    ///
    /// # Errors
    /// What is wrong with it, for the model to repair.
    pub(super) fn read(&self, text: &str) -> Result<Outcome, String> {
        Ok(doubted(self.form.read(text)?, self.terms.confidence_min))
    }
}

fn tool(role: &Name, name: &Name, specs: &[ToolSpec]) -> Result<Tool, BriefError> {
    let Some(spec) = specs.iter().find(|spec| spec.name == *name).cloned() else {
        return Err(BriefError::NoTool { role: role.clone(), tool: name.clone() });
    };
    let arguments = Contract::compile(name.as_str(), 1, &spec.parameters)
        .map_err(|source| BriefError::Tool { tool: name.clone(), source })?;
    Ok(Tool { spec, arguments })
}

/// Whether a role makes the plan of a crew of the workflow.
fn plans(workflow: &Workflow, role: &Role) -> bool {
    let mut crews = workflow.steps.iter().filter_map(|step| step.crew());
    crews.any(|crew| crew.pattern == Pattern::Planner && crew.lead.name == role.name)
}

/// Whom a role can hand its work to, in any crew of the workflow; in order, each once.
fn team(workflow: &Workflow, role: &Role) -> Vec<Name> {
    let mut team = Vec::new();
    for crew in workflow.steps.iter().filter_map(|step| step.crew()) {
        let is_in = match crew.pattern {
            Pattern::Network => crew.roles().any(|member| member.name == role.name),
            Pattern::Supervisor => crew.lead.name == role.name,
            Pattern::Planner => false,
        };
        if is_in {
            team.extend(crew.team.iter().map(|member| member.name.clone()));
        }
    }
    team.retain(|name| *name != role.name);
    team.sort();
    team.dedup();
    team
}

/// Whether an expression may read this field of `input`: in doubt yes.
fn mentions(sources: &[&str], key: &str) -> bool {
    sources.iter().any(|source| {
        let is_whole = source.match_indices("input").any(|(at, word)| {
            let behind = source.get(at + word.len()..).unwrap_or_default().trim_start();
            !behind.starts_with('.')
        });
        is_whole || source.contains(key)
    })
}
