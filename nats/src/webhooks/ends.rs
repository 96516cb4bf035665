//! The ends that webhooks are told of, as they are published.

use async_nats::datetime::parse_rfc3339;
use cadre_core::{
    limits::WEBHOOK_IN_FLIGHT,
    ports::{BusError, Inbox},
    time::UnixMillis,
    webhook::{
        News, Settled, Webhook,
        port::{End, Register, WebhookBus},
    },
};
use cadre_proto::subject::Subject;

use super::{KvWebhooks, lost};
use crate::{
    bus::Streams,
    delivery::{Receipt, Settlement, Stamp},
    pull::Pull,
    topology::{ANSWERS_STREAM, webhook, webhook_consumer},
};

/// Ends that one webhook is to be told of.
pub struct WebhookEnds {
    pull: Pull,
    streams: Streams,
}

impl Inbox<End<Receipt>> for WebhookEnds {
    async fn next(&mut self) -> Result<Vec<End<Receipt>>, BusError> {
        let messages = self.pull.next(WEBHOOK_IN_FLIGHT).await?;
        let mut ends = Vec::with_capacity(messages.len());
        for message in messages {
            let Some(stamp) = Stamp::of(&message) else { continue };
            self.streams.clock.observe(stamp.stored_at);
            let (at, tries) = (stamp.stored_at, stamp.deliveries);
            match Subject::parse(&message.subject) {
                Ok(Subject::Answer { workflow, task, .. }) => {
                    let answer = message.payload.to_vec();
                    let receipt = Receipt::new(message);
                    ends.push(End { task, workflow, at, tries, answer, receipt });
                }
                // A stranger has published it: nobody is told of what is no task.
                Ok(_) | Err(_) => {
                    let receipt = Receipt::new(message);
                    receipt.settle(&self.streams.client, Settlement::Ack).await;
                }
            }
        }
        Ok(ends)
    }
}

impl WebhookBus for KvWebhooks {
    type Receipt = Receipt;
    type Ends = WebhookEnds;

    fn now(&self) -> UnixMillis {
        self.bus.streams().clock.now()
    }

    async fn register(&self, known: u64) -> Result<Option<Register>, BusError> {
        let info = self.store.stream.get_info().await;
        let revision = info.map_err(|error| lost("look at webhooks", &error))?.state.last_sequence;
        if revision == known {
            return Ok(None);
        }
        Ok(Some(Register { revision, webhooks: self.ls().await? }))
    }

    async fn ends(&self, hook: &Webhook) -> Result<WebhookEnds, BusError> {
        let streams = self.bus.streams();
        let refused = |error: &dyn std::fmt::Display| BusError::Refused(error.to_string());
        let from = parse_rfc3339(&hook.created_at.to_string()).map_err(|error| refused(&error))?;
        let names = (&hook.id, &hook.tenant, hook.workflow.as_ref());
        let config = webhook(&streams.topology, names, from).map_err(|error| refused(&error))?;
        let Some(config) = config else { return Err(refused(&"a webhook has no consumer")) };
        let consumer = webhook_consumer(&hook.id);
        let stream = streams.js.get_stream_no_info(ANSWERS_STREAM).await;
        let stream = stream.map_err(|error| lost("follow answers", &error))?;
        let made = stream.create_consumer(config).await;
        made.map_err(|error| lost("follow answers", &error))?;
        let pull = Pull::open(streams, ANSWERS_STREAM.to_owned(), consumer, None).await?;
        Ok(WebhookEnds { pull, streams: streams.clone() })
    }

    async fn note(&self, webhook: &Webhook, news: &News) -> Result<(), BusError> {
        self.add_news(webhook, news).await
    }

    async fn settle(&self, receipt: Receipt, settled: Settled) {
        let settlement = match settled {
            Settled::Done => Settlement::Ack,
            Settled::Later(pause) => Settlement::Later(pause),
        };
        receipt.settle(&self.bus.streams().client, settlement).await;
    }
}
