//! A router over a desk in memory, and requests to it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use cadre_core::{
    access::{Access, Token},
    audit::{Listed, Query},
    breaker::Target,
    fleet::Member,
    ids::{Name, TaskId},
    payload::Hash,
    ports::{
        BusError,
        desk::{
            BreakerView, BusView, DecisionWish, Desk, DeskError, Drift, Hold, Letter, LetterHead,
            LetterQuery, Letters, PackRevision, PackView, Peek, PeekQuery, Published, Reply,
            StepCall,
        },
    },
    task::Task,
    time::UnixMillis,
    watch::Alert,
    webhook::{State as WebhookState, Webhook},
    wish::{ForkWish, GoalWish, Outcome, Unfit, Wish},
};
use cadre_runtime::testing::MemoryLog;
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::{
    http::{AppState, Auth, HttpOptions, router},
    model::{
        ModelService,
        tests::kit::{BEGIN, Story, name, started},
    },
};

/// Everything that happened at the desk.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) tokens: BTreeMap<Hash, Token>,
    pub(crate) published: BTreeMap<TaskId, GoalWish>,
    pub(crate) steered: Vec<(TaskId, Wish)>,
    pub(crate) decided: Vec<DecisionWish>,
    pub(crate) letters: Vec<LetterHead>,
    pub(crate) calls: Vec<StepCall>,
    pub(crate) bus: BusView,
    pub(crate) drift: Vec<Drift>,
    pub(crate) peeks: BTreeMap<String, Peek>,
    /// The last one is current.
    pub(crate) packs: Vec<PackRevision>,
    /// Pages of the audit trail, the oldest first.
    pub(crate) trail: Vec<String>,
    /// Who did what at the desk.
    pub(crate) deeds: Vec<(String, String)>,
    pub(crate) webhooks: Vec<Webhook>,
    pub(crate) is_down: bool,
    /// How often somebody has looked at the bus.
    pub(crate) bus_looks: u64,
}

/// A desk in memory; tasks are those of the log.
#[derive(Clone, Default)]
pub(crate) struct FakeDesk {
    pub(crate) log: MemoryLog,
    pub(crate) world: Arc<Mutex<World>>,
}

impl FakeDesk {
    fn answer<T: Send + 'static>(
        &self,
        answer: impl FnOnce(&mut World) -> Result<T, DeskError>,
    ) -> Reply<'static, T> {
        let mut world = self.world.lock().unwrap();
        let answer = match world.is_down {
            true => Err(BusError::Unavailable("it is away".to_owned()).into()),
            false => answer(&mut world),
        };
        Box::pin(std::future::ready(answer))
    }
}

fn missing(what: &str) -> DeskError {
    Unfit::NotFound(format!("there is no {what}")).into()
}

impl Desk for FakeDesk {
    fn now(&self) -> UnixMillis {
        UnixMillis(BEGIN + 1_000)
    }

    fn ready(&self) -> Reply<'_, ()> {
        self.answer(|_| Ok(()))
    }

    fn publish(&self, wish: GoalWish) -> Reply<'_, Published> {
        self.answer(|world| {
            let task = wish.task();
            let known = world.published.get(&task).cloned();
            if known.as_ref().is_some_and(|known| known.input != wish.input) {
                return Err(Unfit::Refused("key belongs to another goal".to_owned()).into());
            }
            world.published.insert(task.clone(), wish);
            Ok(Published { task, is_accepted: true, is_known: known.is_some() })
        })
    }

    fn task<'a>(&'a self, id: &'a TaskId) -> Reply<'a, Task> {
        let items = self.log.items().into_iter().filter(|item| item.task == *id);
        let records: Vec<_> = items.filter_map(|item| Some(item.content.ok()?.record)).collect();
        self.answer(|_| Task::replay(&records).ok_or_else(|| missing("task")))
    }

    fn why<'a>(&'a self, task: &'a Task) -> Reply<'a, String> {
        let text = format!("it is {}", task.status());
        self.answer(|_| Ok(text))
    }

    fn calls<'a>(&'a self, _: &'a TaskId) -> Reply<'a, Vec<StepCall>> {
        self.answer(|world| Ok(world.calls.clone()))
    }

    fn steer<'a>(&'a self, task: &'a Task, wish: Wish) -> Reply<'a, Outcome> {
        let (moot, id) = (wish.want.moot(task), task.id().clone());
        self.answer(|world| {
            world.steered.push((id, wish.clone()));
            let (decision, reason) = (wish.want.as_str().to_owned(), wish.reason);
            Ok(moot.unwrap_or(Outcome::Done { rev: 9, decision, reason }))
        })
    }

    fn fork<'a>(&'a self, task: &'a Task, wish: ForkWish) -> Reply<'a, Published> {
        let task = TaskId::derive(&task.goal.tenant, &wish.key);
        self.answer(|_| Ok(Published { task, is_accepted: false, is_known: false }))
    }

    fn decide<'a>(&'a self, _: &'a Task, wish: DecisionWish) -> Reply<'a, Outcome> {
        self.answer(|world| {
            world.decided.push(wish);
            Ok(Outcome::Done { rev: 9, decision: "grant".to_owned(), reason: "granted".to_owned() })
        })
    }

    fn letters(&self, query: LetterQuery) -> Reply<'_, Letters> {
        self.answer(|world| {
            let wants = |head: &&LetterHead| query.tenant.is_none() || head.tenant == query.tenant;
            let letters = world.letters.iter().filter(wants).cloned().collect();
            Ok(Letters { letters, more: 0 })
        })
    }

    fn letter<'a>(&'a self, id: &'a str) -> Reply<'a, Letter> {
        self.answer(|world| {
            let head = world.letters.iter().find(|head| head.id == id).cloned();
            let head = head.ok_or_else(|| missing("dead letter"))?;
            Ok(Letter { head, headers: Vec::new(), body: b"{}".to_vec() })
        })
    }

    fn replay<'a>(&'a self, id: &'a str, by: &'a str) -> Reply<'a, String> {
        self.answer(|world| {
            world.deeds.push((by.to_owned(), format!("replay {id}")));
            Ok("goals.acme.intake".to_owned())
        })
    }

    fn discard<'a>(&'a self, id: &'a str, by: &'a str) -> Reply<'a, ()> {
        self.answer(|world| {
            world.deeds.push((by.to_owned(), format!("drop {id}")));
            world.letters.retain(|head| head.id != id);
            Ok(())
        })
    }

    fn breakers(&self) -> Reply<'_, Vec<BreakerView>> {
        self.answer(|_| Ok(Vec::new()))
    }

    fn hold<'a>(&'a self, target: &'a Target, _: Hold) -> Reply<'a, BreakerView> {
        let hint = cadre_core::breaker::Hint::new(target.clone());
        let view = BreakerView::of(&hint, 1, self.now());
        self.answer(|_| Ok(view))
    }

    fn members(&self) -> Reply<'_, Vec<Member>> {
        self.answer(|_| Ok(Vec::new()))
    }

    fn bus(&self) -> Reply<'_, BusView> {
        self.answer(|world| {
            world.bus_looks += 1;
            Ok(world.bus.clone())
        })
    }

    fn drift(&self) -> Reply<'_, Vec<Drift>> {
        self.answer(|world| Ok(world.drift.clone()))
    }

    fn peek(&self, query: PeekQuery) -> Reply<'_, Peek> {
        self.answer(|world| {
            world.peeks.get(&query.stream).cloned().ok_or_else(|| missing("stream"))
        })
    }

    fn alerts(&self) -> Reply<'_, Vec<Alert>> {
        self.answer(|_| Ok(Vec::new()))
    }

    fn packs(&self) -> Reply<'_, Vec<PackView>> {
        self.answer(|world| {
            let current = world.packs.last().map(|pack| PackView {
                name: pack.workflow.name.clone(),
                revision: pack.workflow.revision.clone(),
                since: UnixMillis(BEGIN),
            });
            Ok(current.into_iter().collect())
        })
    }

    fn pack<'a>(&'a self, name: &'a Name, revision: Option<&'a str>) -> Reply<'a, PackRevision> {
        self.answer(|world| {
            let fits = |pack: &&PackRevision| {
                let is_it = revision.is_none_or(|revision| pack.workflow.revision == revision);
                pack.workflow.name == *name && is_it
            };
            world.packs.iter().rfind(fits).cloned().ok_or_else(|| missing("pack"))
        })
    }

    fn revisions(&self, _: usize) -> Reply<'_, Vec<String>> {
        self.answer(|world| {
            Ok(world.packs.iter().map(|pack| pack.workflow.revision.clone()).collect())
        })
    }

    fn audit(&self, query: Query) -> Reply<'_, Listed> {
        self.answer(|world| {
            let mut listed = Listed::default();
            for (sequence, page) in (1..).zip(&world.trail).collect::<Vec<_>>().into_iter().rev() {
                if listed.take(&query, sequence, page.as_bytes()) {
                    return Ok(listed);
                }
            }
            Ok(Listed { next: None, ..listed })
        })
    }

    fn webhooks(&self) -> Reply<'_, Vec<(Webhook, WebhookState)>> {
        self.answer(|world| {
            Ok(world.webhooks.iter().map(|it| (it.clone(), WebhookState::default())).collect())
        })
    }

    fn add_webhook<'a>(&'a self, webhook: &'a Webhook) -> Reply<'a, ()> {
        self.answer(|world| {
            world.webhooks.push(webhook.clone());
            Ok(())
        })
    }

    fn change_webhook<'a>(&'a self, webhook: &'a Webhook, by: &'a str) -> Reply<'a, ()> {
        Box::pin(async move {
            let mut world = self.world.lock().unwrap();
            world.deeds.push((by.to_owned(), format!("change {}", webhook.id)));
            for it in world.webhooks.iter_mut().filter(|it| it.id == webhook.id) {
                *it = webhook.clone();
            }
            Ok(())
        })
    }

    fn remove_webhook<'a>(&'a self, webhook: &'a Webhook, by: &'a str) -> Reply<'a, ()> {
        self.answer(|world| {
            world.deeds.push((by.to_owned(), format!("remove {}", webhook.id)));
            world.webhooks.retain(|it| it.id != webhook.id);
            Ok(())
        })
    }

    fn token(&self, hash: Hash) -> Reply<'_, Option<Token>> {
        self.answer(|world| Ok(world.tokens.get(&hash).cloned()))
    }
}

/// A router with everything behind it.
pub(crate) struct House {
    pub(crate) desk: FakeDesk,
    pub(crate) app: Router,
    pub(crate) closing: watch::Sender<bool>,
    state: AppState,
    _model: ModelService,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The kind of problem, without what all have before it.
    pub(crate) fn problem(&self) -> String {
        let kind = self.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        assert_eq!(kind, Some("application/problem+json"), "{self:?}");
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16(), "{self:?}");
        document["type"].as_str().unwrap().replace("urn:cadre:problem:", "")
    }
}

impl House {
    /// Whoever comes must say who they are; these stories are in the log.
    pub(crate) async fn closed(stories: &[&Story]) -> Self {
        Self::with(Auth::Closed { jwts: None }, HttpOptions::default(), stories).await
    }

    pub(crate) async fn with(auth: Auth, options: HttpOptions, stories: &[&Story]) -> Self {
        let desk = FakeDesk::default();
        stories.iter().for_each(|story| story.write(&desk.log));
        let model = started(&desk.log, None).await;
        let (closing, closed) = watch::channel(false);
        let ports = (Arc::new(desk.clone()) as Arc<dyn Desk>, model.model().clone());
        let state = AppState::new(ports, auth, options, closed);
        let app = router(state.clone(), Router::new());
        Self { desk, app, closing, state, _model: model }
    }

    /// The same with pages.
    pub(crate) fn with_pages(self, pages: Router<AppState>) -> Self {
        Self { app: router(self.state.clone(), pages), ..self }
    }

    /// A token of a tenant; its secret.
    pub(crate) fn token(&self, tenant: &str, access: Access) -> String {
        self.make(tenant, access, |_| {})
    }

    pub(crate) fn make(
        &self,
        tenant: &str,
        access: Access,
        change: impl FnOnce(&mut Token),
    ) -> String {
        let mut world = self.desk.world.lock().unwrap();
        let secret = Token::secret([u8::try_from(world.tokens.len()).unwrap(); 32]);
        let mut token = Token {
            hash: Token::hash_of(&secret).unwrap(),
            name: format!("{tenant} {}", access.as_str()),
            tenant: name(tenant),
            is_fleet: false,
            access,
            by: "test".to_owned(),
            created_at: UnixMillis(BEGIN),
            expires_at: None,
        };
        change(&mut token);
        world.tokens.insert(token.hash, token);
        secret
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 10_000_000).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, path: &str, secret: &str) -> Answer {
        self.ask(request("GET", path, secret).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, secret: &str, body: &Value) -> Answer {
        let request = request("POST", path, secret).header("content-type", "application/json");
        self.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

/// A request of the holder of `secret`; of nobody when it is empty.
pub(crate) fn request(method: &str, path: &str, secret: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:7700");
    match secret {
        "" => request,
        secret => request.header("authorization", format!("Bearer {secret}")),
    }
}
