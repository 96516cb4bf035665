//! A provider over HTTP, by way of `genai`.
//!
//! The crate has no request timeout of its own and its errors repeat payloads: the gateway drops the
//! future when the call's time is over, and [`super::fault`] makes failures without content of them. What it
//! logs is silenced in the runtime's telemetry for the same reason.

use cadre_core::{
    model::{ProviderCall, ProviderFailure, Said},
    ports::Provider,
};
use futures::StreamExt as _;
use genai::{
    Client, ModelIden, ServiceTarget,
    adapter::AdapterKind,
    chat::{ChatOptions, ChatRequest, ChatStreamEvent},
    resolver::{AuthData, Endpoint},
};

use super::{ProviderError, ProviderSetup, Wire, convert, fault};

/// What is sent where a server wants a key and none is configured.
const NO_KEY: &str = "none";

/// One provider.
pub(super) struct HttpProvider {
    name: String,
    client: Client,
    wire: Wire,
    endpoint: Endpoint,
    auth: AuthData,
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
        let url = if url.ends_with('/') { url.to_owned() } else { format!("{url}/") };
        let key = setup.key.as_ref().map_or(NO_KEY, |key| key.reveal());
        let (endpoint, auth) = (Endpoint::from_owned(url), AuthData::from_single(key));
        let name = setup.name.clone();
        Ok(Self { name, client, wire: setup.wire, endpoint, auth })
    }

    fn target(&self, model: &str) -> ServiceTarget {
        let kind = match self.wire {
            Wire::OpenAi => AdapterKind::OpenAI,
            Wire::OpenAiResponses => AdapterKind::OpenAIResp,
            Wire::Anthropic => AdapterKind::Anthropic,
            Wire::Gemini => AdapterKind::Gemini,
            Wire::Ollama => AdapterKind::Ollama,
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

    async fn whole(
        &self,
        (target, model): (ServiceTarget, &str),
        request: ChatRequest,
        options: &ChatOptions,
    ) -> Result<Said, ProviderFailure> {
        let answer = self.client.exec_chat(target, request, Some(options)).await;
        let answer = answer.map_err(|error| fault::of(&error))?;
        let plain = self.plain(answer.reasoning_content.as_deref());
        convert::said((&answer.content, plain, model), answer.stop_reason.as_ref(), &answer.usage)
    }

    async fn in_parts(
        &self,
        (target, model): (ServiceTarget, &str),
        request: ChatRequest,
        options: &ChatOptions,
        heard: &(impl Fn(&str) + Send + Sync),
    ) -> Result<Said, ProviderFailure> {
        let answer = self.client.exec_chat_stream(target, request, Some(options)).await;
        let mut parts = answer.map_err(|error| fault::of(&error))?.stream;
        while let Some(part) = parts.next().await {
            match part.map_err(|error| fault::of(&error))? {
                ChatStreamEvent::Chunk(chunk) => heard(&chunk.content),
                ChatStreamEvent::End(end) => {
                    let content = end.captured_content.unwrap_or_default();
                    let usage = end.captured_usage.unwrap_or_default();
                    let stop = end.captured_stop_reason.as_ref();
                    let plain = self.plain(end.captured_reasoning_content.as_deref());
                    return convert::said((&content, plain, model), stop, &usage);
                }
                ChatStreamEvent::Start
                | ChatStreamEvent::ReasoningChunk(_)
                | ChatStreamEvent::ThoughtSignatureChunk(_)
                | ChatStreamEvent::ToolCallChunk(_)
                | ChatStreamEvent::Heartbeat => {}
            }
        }
        Err(fault::broke_off())
    }
}

impl Provider for HttpProvider {
    async fn complete(
        &self,
        call: ProviderCall,
        heard: impl Fn(&str) + Send + Sync,
    ) -> Result<Said, ProviderFailure> {
        let target = self.target(&call.model);
        // As the pack has it.
        let model = format!("{}/{}", self.name, call.model);
        let request = convert::request(&call.prompt, self.wire, &model);
        let options = convert::options(&call, self.wire);
        if call.is_followed {
            return self.in_parts((target, &model), request, &options, &heard).await;
        }
        self.whole((target, &model), request, &options).await
    }
}
