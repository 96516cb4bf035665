//! What people and programs wish and look at, on the real bus: the desk of the HTTP API and the pages.
//!
//! Everything here exists apart as well, and the command line uses it so; the desk puts it together behind
//! one port. Called by the edge (as [`Desk`]). Invariant: nothing here takes a message from anybody.

mod deed;
mod fleet;
mod hook;
mod letters;
mod look;
mod wish;

use cadre_core::{
    access::Token,
    audit::{Action, Listed, Query},
    breaker::Target,
    fleet::Member,
    ids::{Name, TaskId},
    journal::History,
    payload::Hash,
    ports::{
        BusError, Clock as _, Packs as _,
        desk::{
            BreakerView, BusView, DecisionWish, Desk, DeskError, Drift, Hold, Letter, LetterQuery,
            Letters, PackRevision, PackView, Peek, PeekQuery, Published, Reply, StepCall,
        },
    },
    task::{Task, why},
    time::UnixMillis,
    watch::Alert,
    webhook::{State as WebhookState, Webhook},
    wish::{ForkWish, GoalWish, Outcome, Unfit, Wish},
};

pub use self::wish::{Unclear, outcome};
use crate::{
    breakers::KvBreakers, bus::JetStreamBus, fleet::Fleet, packs::KvPacks, tokens::KvTokens,
    topology::unserved, trail::JetStreamTrail, watch::JetStreamWatch, webhooks::KvWebhooks,
};

/// The desk of one connection. Cheap to clone.
///
/// What the bus has no place for, because its streams are older, is `None`: what needs it says so.
#[derive(Clone)]
pub struct JetStreamDesk {
    bus: JetStreamBus,
    packs: KvPacks,
    breakers: Option<KvBreakers>,
    fleet: Option<Fleet>,
    watch: Option<JetStreamWatch>,
    tokens: Option<KvTokens>,
    trail: Option<JetStreamTrail>,
    webhooks: Option<KvWebhooks>,
}

impl JetStreamDesk {
    /// Opens what there is on this bus.
    pub async fn open(bus: &JetStreamBus, packs: &KvPacks) -> Self {
        let (js, clock) = (&bus.streams().js, &bus.streams().clock);
        Self {
            bus: bus.clone(),
            packs: packs.clone(),
            breakers: there("breakers", KvBreakers::open(js, clock.clone()).await),
            fleet: there("members", Fleet::open(js, clock.clone()).await),
            watch: there("alerts", JetStreamWatch::open(bus).await),
            tokens: there("tokens", KvTokens::open(js).await),
            webhooks: there("webhooks", KvWebhooks::open(bus).await),
            trail: there("an audit trail", JetStreamTrail::open(bus).await),
        }
    }

    /// Whether API tokens can be looked up.
    #[must_use]
    pub fn has_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// The webhooks, for whoever sends; `None` where the bus has no place for them.
    #[must_use]
    pub fn webhook_bus(&self) -> Option<KvWebhooks> {
        self.webhooks.clone()
    }

    async fn replayed(&self, id: &TaskId) -> Result<Task, DeskError> {
        let records = self.bus.read_log(id).await?.records;
        let missing = || Unfit::NotFound(format!("there is no task {id}"));
        Ok(Task::replay(&records).ok_or_else(missing)?)
    }

    async fn journaled(&self, id: &TaskId) -> Result<Vec<StepCall>, DeskError> {
        let mut calls = Vec::new();
        for (journal, pages) in self.bus.read_journals(id).await? {
            let mut history = History::default();
            for entry in &pages.entries {
                let damaged =
                    |error| DeskError::Damaged(format!("journal of {}: {error}", journal.step));
                history.apply(entry).map_err(damaged)?;
            }
            let made = history.calls().map(|(number, call)| StepCall {
                step: journal.step.clone(),
                role: journal.role.clone(),
                number,
                call: call.clone(),
            });
            calls.extend(made);
        }
        Ok(calls)
    }

    async fn pack_revision(
        &self,
        name: &Name,
        revision: Option<&str>,
    ) -> Result<PackRevision, DeskError> {
        let missing = || match revision {
            None => Unfit::NotFound(format!("no pack is named {name}")),
            Some(revision) => Unfit::NotFound(format!("pack {name} has no revision {revision}")),
        };
        let workflow = match revision {
            None => self.packs.current(name).await?,
            Some(revision) => self.packs.revision(revision).await?,
        };
        let workflow = workflow.filter(|it| it.name == *name).ok_or_else(missing)?;
        let source = self.packs.get(&workflow.revision).await?.ok_or_else(missing)?;
        Ok(PackRevision { workflow, source })
    }
}

fn there<T>(what: &str, opened: Result<T, BusError>) -> Option<T> {
    opened.inspect_err(|error| tracing::warn!(%error, "the edge goes without {what}")).ok()
}

/// What the bus has no place for.
fn absent(what: &str) -> BusError {
    BusError::Refused(format!("the bus has no {what}: run `cadre bus apply`, and start again"))
}

impl Desk for JetStreamDesk {
    fn now(&self) -> UnixMillis {
        self.bus.time()
    }

    fn ready(&self) -> Reply<'_, ()> {
        Box::pin(async {
            let asked = self.bus.streams().js.query_account().await;
            let lost = |error| BusError::Unavailable(format!("ask the broker: {error}"));
            Ok(asked.map(|_| ()).map_err(lost)?)
        })
    }

    fn publish(&self, wish: GoalWish) -> Reply<'_, Published> {
        Box::pin(self.publish_goal(wish))
    }

    fn task<'a>(&'a self, id: &'a TaskId) -> Reply<'a, Task> {
        Box::pin(self.replayed(id))
    }

    fn why<'a>(&'a self, task: &'a Task) -> Reply<'a, String> {
        Box::pin(async {
            let workflow = self.packs.revision(&task.goal.revision).await?;
            let text = why(task, workflow.as_deref(), self.bus.time());
            let streams = self.bus.streams();
            Ok(match unserved(&streams.js, &streams.topology, task).await {
                Some(more) => format!("{text} {more}"),
                None => text,
            })
        })
    }

    fn calls<'a>(&'a self, id: &'a TaskId) -> Reply<'a, Vec<StepCall>> {
        Box::pin(self.journaled(id))
    }

    fn steer<'a>(&'a self, task: &'a Task, wish: Wish) -> Reply<'a, Outcome> {
        Box::pin(self.steer_task(task, wish))
    }

    fn fork<'a>(&'a self, task: &'a Task, wish: ForkWish) -> Reply<'a, Published> {
        Box::pin(self.fork_task(task, wish))
    }

    fn decide<'a>(&'a self, task: &'a Task, wish: DecisionWish) -> Reply<'a, Outcome> {
        Box::pin(self.decide_question(task, wish))
    }

    fn letters(&self, query: LetterQuery) -> Reply<'_, Letters> {
        Box::pin(letters::find(&self.bus, query))
    }

    fn letter<'a>(&'a self, id: &'a str) -> Reply<'a, Letter> {
        Box::pin(letters::get(&self.bus, id))
    }

    fn replay<'a>(&'a self, id: &'a str, by: &'a str) -> Reply<'a, String> {
        Box::pin(async move {
            let about = self.about_letter(Action::LetterReplayed, id, by).await?;
            self.audited(about, letters::replay(&self.bus, id)).await
        })
    }

    fn discard<'a>(&'a self, id: &'a str, by: &'a str) -> Reply<'a, ()> {
        Box::pin(async move {
            let about = self.about_letter(Action::LetterDropped, id, by).await?;
            self.audited(about, letters::discard(&self.bus, id)).await
        })
    }

    fn breakers(&self) -> Reply<'_, Vec<BreakerView>> {
        Box::pin(self.breaker_views())
    }

    fn hold<'a>(&'a self, target: &'a Target, hold: Hold) -> Reply<'a, BreakerView> {
        Box::pin(self.hold_breaker(target, hold))
    }

    fn members(&self) -> Reply<'_, Vec<Member>> {
        Box::pin(async {
            let fleet = self.fleet.as_ref().ok_or_else(|| absent("members"))?;
            Ok(fleet.members().await?)
        })
    }

    fn bus(&self) -> Reply<'_, BusView> {
        Box::pin(fleet::survey(&self.bus))
    }

    fn drift(&self) -> Reply<'_, Vec<Drift>> {
        Box::pin(look::drift(&self.bus))
    }

    fn peek(&self, query: PeekQuery) -> Reply<'_, Peek> {
        Box::pin(look::peek(&self.bus, query))
    }

    fn alerts(&self) -> Reply<'_, Vec<Alert>> {
        Box::pin(self.open_alerts())
    }

    fn packs(&self) -> Reply<'_, Vec<PackView>> {
        Box::pin(async {
            let entries = self.packs.ls().await?.into_iter();
            let views = entries.filter_map(|entry| {
                let (name, since) = (entry.workflow.parse().ok()?, entry.since_unix_ms);
                Some(PackView { name, revision: entry.revision, since: UnixMillis(since) })
            });
            Ok(views.collect())
        })
    }

    fn pack<'a>(&'a self, name: &'a Name, revision: Option<&'a str>) -> Reply<'a, PackRevision> {
        Box::pin(self.pack_revision(name, revision))
    }

    fn revisions(&self, limit: usize) -> Reply<'_, Vec<String>> {
        Box::pin(async move { Ok(self.packs.revisions(limit).await?) })
    }

    fn audit(&self, query: Query) -> Reply<'_, Listed> {
        Box::pin(async move {
            let trail = self.trail.as_ref().ok_or_else(|| absent("audit trail"))?;
            Ok(trail.look(&query).await?)
        })
    }

    fn webhooks(&self) -> Reply<'_, Vec<(Webhook, WebhookState)>> {
        Box::pin(async move { Ok(self.hooks()?.ls().await?) })
    }

    fn add_webhook<'a>(&'a self, webhook: &'a Webhook) -> Reply<'a, ()> {
        Box::pin(self.add_hook(webhook))
    }

    fn change_webhook<'a>(&'a self, webhook: &'a Webhook, by: &'a str) -> Reply<'a, ()> {
        Box::pin(self.change_hook(webhook, by))
    }

    fn remove_webhook<'a>(&'a self, webhook: &'a Webhook, by: &'a str) -> Reply<'a, ()> {
        Box::pin(self.remove_hook(webhook, by))
    }

    fn token(&self, hash: Hash) -> Reply<'_, Option<Token>> {
        Box::pin(async move {
            let tokens = self.tokens.as_ref().ok_or_else(|| absent("API tokens"))?;
            Ok(tokens.get(hash).await?)
        })
    }
}
