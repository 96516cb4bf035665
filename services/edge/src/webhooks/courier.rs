//! Carries ends to their webhooks: a task each, for as long as the webhook is there.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use cadre_core::{
    ids::Name,
    limits::WEBHOOKS_IN_FLIGHT_MAX,
    ports::{BusError, Inbox as _},
    webhook::{
        Message, News, Outcome, Settled, State, Webhook,
        port::{End, Register, WebhookBus},
    },
};
use cadre_runtime::{metrics::table, supervise::JobResult, task::Linked};
use futures::future::join_all;
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::{Sender, Sent};

/// How often it looks for webhooks that were made or removed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long an end waits for room: with the try itself, less than the broker waits before it gives the end to another
/// process (`nats/consumers/webhook.yaml`).
const ROOM_WITHIN: Duration = Duration::from_secs(15);

/// The pause before the bus is asked again that has failed.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What all webhooks of one process share.
#[derive(Clone)]
struct Courier<B> {
    bus: B,
    sender: Sender,
    room: Arc<Semaphore>,
}

/// Tells all webhooks, until it is dropped: what is under way then comes again.
pub(crate) async fn carry<B: WebhookBus>(bus: B, sender: Sender) -> JobResult {
    let room = Arc::new(Semaphore::new(WEBHOOKS_IN_FLIGHT_MAX));
    let courier = Courier { bus, sender, room };
    let mut register = Register::default();
    // A figure that nobody has set says nothing, and where there are no webhooks none fails.
    count(&register);
    let mut serving: BTreeMap<Name, (Webhook, Linked)> = BTreeMap::new();
    loop {
        match courier.bus.register(register.revision).await {
            Ok(Some(newer)) => {
                register = newer;
                count(&register);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "webhooks are not looked at");
                sleep(AGAIN_AFTER).await;
            }
        }
        let wanted = register.webhooks.iter().filter(|(_, state)| !state.is_gone);
        let wanted: BTreeMap<_, _> =
            wanted.map(|(webhook, state)| (&webhook.id, (webhook, state))).collect();
        // One with another secret begins anew with it; what was under way comes again.
        serving.retain(|id, (known, task)| {
            wanted.get(id).is_some_and(|(webhook, _)| *webhook == known) && !task.is_finished()
        });
        for (id, (webhook, state)) in wanted {
            if !serving.contains_key(id) {
                let (courier, webhook, state) = (courier.clone(), webhook.clone(), state.clone());
                let own = webhook.clone();
                let serve = async move { courier.serve(&own, state).await };
                serving.insert(id.clone(), (webhook, Linked::spawn("webhook", serve)));
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

impl<B: WebhookBus> Courier<B> {
    async fn serve(&self, webhook: &Webhook, mut state: State) {
        loop {
            let Err(error) = self.follow(webhook, &mut state).await;
            tracing::warn!(webhook = %webhook.id, %error, "ends were not followed");
            sleep(AGAIN_AFTER).await;
        }
    }

    async fn follow(
        &self,
        webhook: &Webhook,
        state: &mut State,
    ) -> Result<std::convert::Infallible, BusError> {
        let mut ends = self.bus.ends(webhook).await?;
        loop {
            let batch = ends.next().await?;
            let tried = batch.into_iter().map(|end| async {
                let sent = self.send(webhook, &end).await;
                (end, sent)
            });
            let tried = join_all(tried).await;
            self.settle(webhook, state, tried).await;
        }
    }

    async fn send(&self, webhook: &Webhook, end: &End<B::Receipt>) -> Sent {
        let Ok(_room) = timeout(ROOM_WITHIN, self.room.acquire()).await else {
            return Sent::crowded();
        };
        let names = (&webhook.tenant, &end.workflow);
        let message = Message::end(names, &end.task, end.at, &end.answer);
        let sent = self.sender.send(webhook, &message, self.bus.now()).await;
        let outcome = match sent.outcome {
            Outcome::Delivered => "delivered",
            Outcome::Failed { .. } => "failed",
        };
        table::WEBHOOK_TRIES.add(&[outcome], 1);
        sent
    }

    /// Notes what people should know before anything is let go of.
    async fn settle(
        &self,
        webhook: &Webhook,
        state: &mut State,
        tried: Vec<(End<B::Receipt>, Sent)>,
    ) {
        let mut news = News::default();
        let settled: Vec<_> = tried
            .into_iter()
            .map(|(end, sent)| {
                let now = (self.bus.now(), rand::random());
                let settled = news.take((&end.task, end.tries), &sent.outcome, now);
                tracing::debug!(webhook = %webhook.id, task = %end.task, tries = end.tries,
                    status = sent.status, ?settled, "told of an end");
                (end.receipt, settled)
            })
            .collect();
        let lost = news.given_up.len() as u64;
        let mut is_noted = true;
        if news.matter_to(state) {
            match self.bus.note(webhook, &news).await {
                Ok(()) => *state = std::mem::take(state).with(&news),
                Err(error) => {
                    tracing::warn!(webhook = %webhook.id, %error, "its state was not noted");
                    is_noted = news.given_up.is_empty();
                }
            }
            say(webhook, &news);
        }
        if is_noted && lost > 0 {
            table::WEBHOOK_ENDS_LOST.add(&[], lost);
        }
        for (receipt, settled) in settled {
            let settled = if is_noted { settled } else { Settled::Later(AGAIN_AFTER) };
            self.bus.settle(receipt, settled).await;
        }
    }
}

/// How many webhooks fail now: every process that serves says the same.
fn count(register: &Register) {
    let is_failing =
        |(_, state): &&(Webhook, State)| !state.is_gone && state.failing_since.is_some();
    let failing = register.webhooks.iter().filter(is_failing).count();
    table::WEBHOOKS_FAILING.set(&[], failing as u64);
}

fn say(webhook: &Webhook, news: &News) {
    let (webhook, host) = (&webhook.id, webhook.host());
    for task in &news.given_up {
        tracing::error!(%webhook, host, %task, "a webhook was given up on an end");
    }
    if let Some((_, error)) = &news.failed {
        tracing::warn!(%webhook, host, error, "a webhook fails");
    }
}
