//! Sends one message, once.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use cadre_core::{
    time::UnixMillis,
    webhook::{Message, Outcome, Webhook, seconds},
};
use reqwest::{Client, Response, StatusCode, header, redirect};

use super::address::{CheckedNames, Reach, check};

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long one try may take in all; receivers that have more to do should answer first.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Bytes of an answer that are read, so that its connection can be used again. They are not looked at.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Why nothing can be sent from here.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// No client for HTTPS.
    #[error("make a client for webhooks")]
    Client(#[from] reqwest::Error),
}

/// Sends messages. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sender {
    client: Client,
    reach: Reach,
}

/// What one try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Whether the receiver has it.
    pub outcome: Outcome,
    /// What it answered with; `None` when it did not answer.
    pub status: Option<u16>,
    /// How long that took.
    pub took: Duration,
}

impl Sent {
    /// Too many others are sent at this moment.
    pub(super) fn crowded() -> Self {
        let error = "this process had no room for it: run more edges".to_owned();
        let outcome = Outcome::Failed { error, again: None, is_gone: false };
        Self { outcome, status: None, took: Duration::ZERO }
    }
}

impl Sender {
    /// A sender that reaches only such addresses. It follows no redirect and uses no proxy.
    ///
    /// # Errors
    /// [`SenderError`].
    pub fn new(reach: Reach) -> Result<Self, SenderError> {
        let client = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(CheckedNames(reach))
            .pool_max_idle_per_host(2)
            .user_agent(concat!("cadre/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, reach })
    }

    /// Where it sends.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Sends a message, signed as of now.
    pub async fn send(&self, webhook: &Webhook, message: &Message, now: UnixMillis) -> Sent {
        let begun = Instant::now();
        let (outcome, status) = match self.answer(webhook, message, now).await {
            Ok(answer) => (outcome(&answer), Some(answer.status().as_u16())),
            Err(error) => (Outcome::Failed { error, again: None, is_gone: false }, None),
        };
        Sent { outcome, status, took: begun.elapsed() }
    }

    async fn answer(
        &self,
        webhook: &Webhook,
        message: &Message,
        now: UnixMillis,
    ) -> Result<Response, String> {
        let url = check(&webhook.url, self.reach).map_err(|error| error.to_string())?;
        let (timestamp, signature) = (seconds(now), webhook.sign(message, now));
        let sent = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(message.body.clone())
            .send()
            .await;
        let mut answer = sent.map_err(said)?;
        let mut read = 0;
        // The status counts; what breaks behind it is not ours.
        while let Ok(Some(part)) = answer.chunk().await {
            read += part.len();
            if read > ANSWER_BYTES_MAX {
                break;
            }
        }
        Ok(answer)
    }
}

/// What an error says, without the address: what stands behind its host may be a secret.
fn said(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("it did not answer within {ANSWER_WITHIN:?}");
    }
    let error = error.without_url();
    let (mut text, mut cause) = (error.to_string(), error.source());
    // The first ones only say that something failed.
    while let Some(next) = cause {
        (text, cause) = (next.to_string(), next.source());
    }
    text
}

fn outcome(answer: &Response) -> Outcome {
    let status = answer.status();
    if status.is_success() {
        return Outcome::Delivered;
    }
    let again = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let again = again.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let error = match status.is_redirection() {
        true => format!("it answered {}: redirects are not followed", status.as_u16()),
        false => format!("it answered {}", status.as_u16()),
    };
    Outcome::Failed { error, again, is_gone: status == StatusCode::GONE }
}
