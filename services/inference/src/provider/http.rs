//! A provider over HTTP, by way of `genai`.
//!
//! The crate has no request timeout of its own and its errors repeat payloads: the gateway drops the
//! future when the call's time is over, and [`super::fault`] makes failures without content of them. What it
//! logs is silenced in the runtime's telemetry for the same reason.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use cadre_core::{
    model::{ProviderCall, ProviderFailure, Said},
    ports::Provider,
};
use futures::StreamExt as _;
use genai::{
    Client, Error, ModelIden, ServiceTarget,
    adapter::AdapterKind,
    chat::{ChatOptions, ChatRequest, ChatStreamEvent, ContentPart},
    resolver::{AuthData, Endpoint},
};

use super::{ProviderError, ProviderSetup, Wire, convert, fault};

/// What is sent where a server wants a key and none is configured.
const NO_KEY: &str = "none";

/// Where Ollama speaks OpenAI's chat completions. Only there the crate sends it a JSON Schema.
const OLLAMA_PATH: &str = "v1/";

/// Models of one provider that are known not to hand out their thoughts; of others it is tried each time.
const SILENT_MAX: usize = 256;

/// One provider.
pub(super) struct HttpProvider {
    name: String,
    client: Client,
    wire: Wire,
    endpoint: Endpoint,
    auth: AuthData,
    /// Models that refuse a question which asks for their thoughts.
    silent: Mutex<BTreeSet<String>>,
}

/// A question without an answer.
struct Lost {
    failure: ProviderFailure,
    /// It may be answered when nobody asks for thoughts.
    is_about_thoughts: bool,
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        let is_about_thoughts = fault::is_about_thoughts(&error);
        Self { failure: fault::of(&error), is_about_thoughts }
    }
}

impl From<ProviderFailure> for Lost {
    fn from(failure: ProviderFailure) -> Self {
        Self { failure, is_about_thoughts: false }
    }
}

impl HttpProvider {
    pub(super) fn new(setup: &ProviderSetup, client: Client) -> Result<Self, ProviderError> {
        let url = setup.base_url.as_deref().unwrap_or_else(|| setup.wire.base_url());
        let is_address = reqwest::Url::parse(url)
            .is_ok_and(|parsed| matches!(parsed.scheme(), "http" | "https") && parsed.has_host());
        if !is_address {
            let (name, url) = (setup.name.clone(), url.to_owned());
            return Err(ProviderError::Address { name, url });
        }
        // The crate appends to it.
        let mut url = if url.ends_with('/') { url.to_owned() } else { format!("{url}/") };
        if setup.wire == Wire::Ollama && !url.ends_with(OLLAMA_PATH) {
            url.push_str(OLLAMA_PATH);
        }
        let key = setup.key.as_ref().map_or(NO_KEY, |key| key.reveal());
        let (endpoint, auth) = (Endpoint::from_owned(url), AuthData::from_single(key));
        let name = setup.name.clone();
        Ok(Self { name, client, wire: setup.wire, endpoint, auth, silent: Mutex::default() })
    }

    fn target(&self, model: &str) -> ServiceTarget {
        let kind = match self.wire {
            Wire::OpenAi | Wire::Ollama => AdapterKind::OpenAI,
            Wire::OpenAiResponses => AdapterKind::OpenAIResp,
            Wire::Anthropic => AdapterKind::Anthropic,
            Wire::Gemini => AdapterKind::Gemini,
        };
        ServiceTarget {
            endpoint: self.endpoint.clone(),
            auth: self.auth.clone(),
            model: ModelIden::new(kind, model),
        }
    }

    /// Reasoning beside the content: on the other wires it is inside, or not wanted back.
    fn plain<'a>(&self, reasoning: Option<&'a str>) -> Option<&'a str> {
        reasoning.filter(|_| self.wire == Wire::OpenAi)
    }

    /// OpenAI's responses say what was thought twice: beside the calls, and again with the first of them.
    fn said_once(&self, call: &mut genai::chat::ToolCall) {
        if self.wire == Wire::OpenAiResponses {
            call.thought_signatures = None;
        }
    }

    async fn ask(
        &self,
        call: &ProviderCall,
        wants_thoughts: bool,
        heard: &(impl Fn(&str) + Send + Sync),
    ) -> Result<Said, Lost> {
        let target = self.target(&call.model);
        // As the pack has it.
        let model = format!("{}/{}", self.name, call.model);
        let request = convert::request(&call.prompt, self.wire, &model);
        let options = convert::options(call, self.wire, wants_thoughts);
        if call.is_followed {
            return self.in_parts((target, &model), request, &options, heard).await;
        }
        self.whole((target, &model), request, &options).await
    }

    async fn whole(
        &self,
        (target, model): (ServiceTarget, &str),
        request: ChatRequest,
        options: &ChatOptions,
    ) -> Result<Said, Lost> {
        let mut answer = self.client.exec_chat(target, request, Some(options)).await?;
        answer.content.iter_mut().filter_map(tool_call).for_each(|call| self.said_once(call));
        let plain = self.plain(answer.reasoning_content.as_deref());
        let stop = answer.stop_reason.as_ref();
        Ok(convert::said((&answer.content, plain, model), stop, &answer.usage)?)
    }

    async fn in_parts(
        &self,
        (target, model): (ServiceTarget, &str),
        request: ChatRequest,
        options: &ChatOptions,
        heard: &(impl Fn(&str) + Send + Sync),
    ) -> Result<Said, Lost> {
        let mut parts = self.client.exec_chat_stream(target, request, Some(options)).await?.stream;
        while let Some(part) = parts.next().await {
            match part? {
                ChatStreamEvent::Chunk(chunk) => heard(&chunk.content),
                ChatStreamEvent::End(end) => {
                    let mut content = end.captured_content.unwrap_or_default();
                    content.iter_mut().filter_map(tool_call).for_each(|it| self.said_once(it));
                    let usage = end.captured_usage.unwrap_or_default();
                    let stop = end.captured_stop_reason.as_ref();
                    let plain = self.plain(end.captured_reasoning_content.as_deref());
                    return Ok(convert::said((&content, plain, model), stop, &usage)?);
                }
                ChatStreamEvent::Start
                | ChatStreamEvent::ReasoningChunk(_)
                | ChatStreamEvent::ThoughtSignatureChunk(_)
                | ChatStreamEvent::ToolCallChunk(_)
                | ChatStreamEvent::Heartbeat => {}
            }
        }
        Err(fault::broke_off().into())
    }

    fn is_silent(&self, model: &str) -> bool {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).contains(model)
    }

    fn note_silent(&self, model: &str) {
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if silent.len() < SILENT_MAX {
            silent.insert(model.to_owned());
        }
    }
}

fn tool_call(part: &mut ContentPart) -> Option<&mut genai::chat::ToolCall> {
    if let ContentPart::ToolCall(call) = part { Some(call) } else { None }
}

impl Provider for HttpProvider {
    async fn complete(
        &self,
        call: ProviderCall,
        heard: impl Fn(&str) + Send + Sync,
    ) -> Result<Said, ProviderFailure> {
        // They are wanted back in a tool loop only.
        let wants_thoughts = !call.prompt.tools.is_empty() && !self.is_silent(&call.model);
        let mut said = self.ask(&call, wants_thoughts, &heard).await;
        if wants_thoughts && said.as_ref().is_err_and(|lost| lost.is_about_thoughts) {
            said = self.ask(&call, false, &heard).await;
            if said.is_ok() {
                self.note_silent(&call.model);
            }
        }
        said.map_err(|lost| lost.failure)
    }
}
