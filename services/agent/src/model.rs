//! The `model` runtime: holds a step's conversation with a model, and calls tools for it.
//!
//! ```text
//!  Dialogue (core) ─ act ──► ask a model, call a tool ─► Step::call ─► journal ─► gateway, tool
//!        ▲                                                  │
//!        └──────────── heard, returned ◄── the record ──────┘   the same, made now or found there
//! ```
//!
//! Decides nothing. Every call goes through the step's journal, and the conversation hears only what the
//! journal keeps: a worker that takes the step over hears the same and goes on behind the last call that
//! was paid for. Tools of one turn are called at the same time, once their intents are noted in their order.

mod built_in;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use cadre_core::{
    ids::Name,
    model::{
        Act, Answered, Brief, BriefError, Dialogue, ModelFailure, ModelRequest, Purpose, Question,
        ToolAnswer, ToolCall, ToolRequest, price::Prices,
    },
    payload::{Payload, canonical},
    ports::{Models, Tools},
    task::{Failure, FailureKind, Outcome, Resource},
    workflow::{Grant, Role, Workflow},
};
use cadre_runtime::{
    cache::Cache,
    genai,
    metrics::table,
    tokens, trace,
    worker::{CallSpec, Made, Making, Step, compute},
};
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::Instrument as _;

pub(crate) use self::built_in::BuiltIns;
use crate::runner::error;

/// Briefs kept: several packs' roles, in the revisions that tasks still run on.
const BRIEFS_MAX: usize = 64;

/// Holds conversations.
#[derive(Debug)]
pub(crate) struct Mind<M, T> {
    models: M,
    tools: T,
    prices: Prices,
    /// By pack revision and role.
    briefs: Arc<Cache<(String, Name), Brief>>,
}

impl<M: Models, T: Tools> Mind<M, T> {
    pub(crate) fn new(models: M, tools: T) -> Self {
        // Without a table every call sets aside all that is left.
        let prices = Prices::built_in().unwrap_or_default();
        Self { models, tools, prices, briefs: Arc::new(Cache::new(BRIEFS_MAX)) }
    }

    /// What comes of a step, and why it was not made with the pack's first choice of a model, if so.
    ///
    /// # Errors
    /// The failure to report.
    pub(crate) async fn think(
        &self,
        step: &Step,
        workflow: &Arc<Workflow>,
        role: &Arc<Role>,
    ) -> Result<(Outcome, Option<String>), Failure> {
        let brief = self.brief(step, workflow, role).await?;
        let (told, input) = (Arc::clone(&brief), step.input.clone());
        let tries = step.history(|history| history.tries(step.attempt)).await?;
        let terms = (tries, step.grant);
        let begin = move || Dialogue::new(told, &input, terms);
        let mut dialogue = compute(step.input.text().len(), begin).await?;
        loop {
            match dialogue.act()? {
                Act::Ask(question) => {
                    let record = self.ask(step, workflow, role, &question).await?;
                    let answered =
                        Answered::read(&record).map_err(|damage| error(&damage.to_string()))?;
                    dialogue.heard(answered)?;
                }
                Act::Use(calls) => {
                    for answer in self.call(step, &brief, &calls).await? {
                        dialogue.returned(answer);
                    }
                }
                Act::End(outcome) => return Ok((outcome, dialogue.degraded())),
            }
        }
    }

    async fn brief(
        &self,
        step: &Step,
        workflow: &Arc<Workflow>,
        role: &Arc<Role>,
    ) -> Result<Arc<Brief>, Failure> {
        let Some(terms) = &role.model else {
            return Err(error(&BriefError::NoModel(role.name.clone()).to_string()));
        };
        let specs = self.tools.specs(&terms.tools).await?;
        let documents_bytes = terms.documents.iter().map(|(_, text)| text.len()).sum();
        let briefs = Arc::clone(&self.briefs);
        let (workflow, role) = (Arc::clone(workflow), Arc::clone(role));
        let revision = step.revision.clone();
        let found = compute(documents_bytes, move || {
            briefs.get_or_make(
                |(known, name)| *known == revision && *name == role.name,
                || {
                    Ok((
                        (revision.clone(), role.name.clone()),
                        Brief::new(&workflow, &role, &specs)?,
                    ))
                },
            )
        });
        found.await.map_err(|problem: BriefError| error(&problem.to_string()))
    }

    /// Asks a model; the decision record of its answer.
    async fn ask(
        &self,
        step: &Step,
        workflow: &Workflow,
        role: &Role,
        question: &Question,
    ) -> Result<Payload, Failure> {
        let thrifty = role.model.as_ref().filter(|_| is_short(&step.near));
        let thrifty = thrifty.map(|terms| question.thrifty(terms));
        // What is asked; the journal knows it by the question as it was.
        let (kept, question) = (question, thrifty.as_ref().unwrap_or(question));
        let ledger = step.history(|history| history.ledger(step.attempt, step.grant)).await?;
        let prompt = Arc::new(question.prompt.clone());
        let counted = match workflow.models.get(&question.alias) {
            Some(alias) => tokens::of_routes(alias, &prompt, &question.manner).await,
            None => Vec::new(),
        };
        let most = question.reserve(workflow, (&self.prices, &counted), ledger.left());
        let arguments = kept.arguments().map_err(|problem| error(&problem.to_string()))?;
        let mut spec = CallSpec::model(kept.alias.as_str(), arguments, most);
        spec.description = question.description();
        let made = step.call(spec, |making| async move {
            match self.models.ask(request(step, question, (making, most))).await {
                Ok(answer) => match question.record(&answer) {
                    Ok(result) => Made::Done { result, cost: answer.cost },
                    Err(problem) => {
                        let text = format!("the model's answer cannot be kept: {problem}");
                        let failure = Failure::new(FailureKind::InvalidOutput, &text);
                        Made::Failed { failure, cost: answer.cost }
                    }
                },
                Err(failed) => Made::Failed { cost: failed.cost, failure: told(failed) },
            }
        });
        let record = made.await?;
        genai::asked(&record);
        Ok(record)
    }

    /// Calls tools; what the model is told of each.
    async fn call(
        &self,
        step: &Step,
        brief: &Brief,
        calls: &[ToolCall],
    ) -> Result<Vec<ToolAnswer>, Failure> {
        let specs: Result<Vec<_>, Failure> = calls.iter().map(spec).collect();
        let make = |place: usize, making: Making| async move {
            let Some(call) = calls.get(place).cloned() else {
                return Made::Unknown("there is no such call".to_owned());
            };
            let request = ToolRequest {
                tenant: step.tenant.clone(),
                task: step.task.clone(),
                step: step.step.clone(),
                role: step.role.clone(),
                key: making.key,
                call,
                documents: Arc::clone(brief.documents()),
            };
            let (tool, span) = (request.call.tool.clone(), genai::tool(&request));
            let answer = self.tools.call(request).instrument(span.clone()).await;
            genai::returned(&span, &answer);
            let outcome = match &answer {
                Ok(answer) if answer.is_error => "error",
                Ok(_) => "ok",
                Err(_) => "failed",
            };
            table::TOOL_CALLS.add(&[&tool, outcome], 1);
            made(answer)
        };
        let kept = step.call_all(specs?, make).await?;
        kept.into_iter().map(|kept| answer(&kept?)).collect()
    }
}

fn spec(call: &ToolCall) -> Result<CallSpec, Failure> {
    let arguments = json!({"tool": call.tool, "arguments": call.arguments});
    let arguments =
        Payload::from_value(arguments).map_err(|problem| error(&problem.to_string()))?;
    let description = format!("{} {}", call.tool, canonical(&call.arguments));
    Ok(CallSpec::idempotent(&call.tool, arguments, &description))
}

fn made(answered: Result<ToolAnswer, Failure>) -> Made {
    let cost = Grant::default();
    match answered {
        Ok(ToolAnswer { text, is_error }) => {
            match Payload::from_value(json!({"text": text, "is_error": is_error})) {
                Ok(result) => Made::Done { result, cost },
                Err(problem) => Made::Failed { failure: error(&problem.to_string()), cost },
            }
        }
        Err(failure) => Made::Failed { failure, cost },
    }
}

/// What the journal has of a tool's answer.
fn answer(kept: &Payload) -> Result<ToolAnswer, Failure> {
    let text = kept.value().get("text").and_then(Value::as_str);
    let is_error = kept.value().get("is_error").and_then(Value::as_bool).unwrap_or_default();
    let text = text.ok_or_else(|| error("a tool's answer in the journal has no text"))?;
    Ok(ToolAnswer { text: text.to_owned(), is_error })
}

/// Whether the task has nearly used what a cheaper model and shorter answers save.
fn is_short(near: &[Resource]) -> bool {
    near.iter().any(|resource| match resource {
        Resource::Usd | Resource::Tokens | Resource::Time => true,
        Resource::Steps => false,
    })
}

fn request(step: &Step, question: &Question, (making, most): (Making, Grant)) -> ModelRequest {
    ModelRequest {
        tenant: step.tenant.clone(),
        task: step.task.clone(),
        step: step.step.clone(),
        role: step.role.clone(),
        workflow: step.workflow.clone(),
        revision: step.revision.clone(),
        alias: question.alias.clone(),
        key: making.key,
        prompt: question.prompt.clone(),
        manner: question.manner.clone(),
        grant: most,
        time_left: making.deadline.saturating_duration_since(Instant::now()),
        is_followed: question.purpose == Purpose::Answer,
        trace: trace::current_traceparent().or_else(|| step.trace.clone()),
    }
}

/// Why there is no answer, with who was not asked and why.
fn told(failed: ModelFailure) -> Failure {
    let ModelFailure { failure, passed, .. } = failed;
    // A single route's reason mostly is the message.
    let is_news = |(_, why): &&(String, String)| !failure.message.contains(why.as_str());
    let news = passed.iter().filter(is_news).map(|(route, why)| format!("{route}: {why}"));
    let news: Vec<_> = news.collect();
    if news.is_empty() {
        return failure;
    }
    let text = format!("{} ({})", failure.message, news.join("; "));
    Failure { message: Failure::new(failure.kind, &text).message, ..failure }
}
