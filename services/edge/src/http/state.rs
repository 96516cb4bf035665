//! What every handler is given: the desk, the read model, and who may come in.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use cadre_core::{
    ids::TaskId,
    ports::desk::{BusView, ConsumerView, Desk, DeskError, Drift},
    task::Task,
    time::UnixMillis,
};
use tokio::sync::{Semaphore, watch};

use super::{
    Identity, Problem, Proxies,
    auth::Auth,
    limit::{Limiter, Tries},
};
use crate::{
    drain::{Drain, Drains},
    lookout::Lookout,
    model::ReadModel,
    webhooks::{Reach, Sender},
};

/// How long pages show the same look at the bus: it takes some dozens of requests, and tabs are many.
const BUS_KEPT: Duration = Duration::from_secs(1);

/// The same of how the bus differs from what is declared, which changes seldom.
const DRIFT_KEPT: Duration = Duration::from_secs(5);

/// Limits of the HTTP side, and where it listens.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Where to listen. Default: 127.0.0.1:7700.
    pub address: SocketAddr,
    /// Bytes of a request's body. Default 1 MiB: what a broker takes in one message by default.
    pub body_bytes_max: usize,
    /// Requests a second of one credential; twice as many at once. Default 500; nothing is limited while
    /// nobody has to say who they are.
    pub requests_per_second: u32,
    /// How long an answer may take. Default 45 s: a wish waits 10 s for its outcome, a result at most 30 s.
    pub answer_within: Duration,
    /// Event streams that are open at the same time. Default 1,000.
    pub followers_max: usize,
    /// Connections at the same time; further ones wait to be accepted. Default 4,096.
    pub connections_max: usize,
    /// How long a request's head may take, and how long a connection may be idle. Default 20 s.
    pub head_within: Duration,
    /// How long a client may leave an answer unread before its connection is closed. Default 30 s: event streams
    /// write at least every 5 s.
    pub read_within: Duration,
    /// Proxies in front of us that say for whom they speak (`X-Forwarded-For`). Default: none, every peer is itself.
    pub proxies: Proxies,
    /// Credentials a minute that one client address may try, those that were good lately not counted. Default 60.
    pub credentials_per_minute: u32,
    /// Where webhooks may be. Default: at public addresses.
    pub webhooks: Reach,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 7700)),
            body_bytes_max: 1024 * 1024,
            requests_per_second: 500,
            answer_within: Duration::from_secs(45),
            followers_max: 1_000,
            connections_max: 4_096,
            head_within: Duration::from_secs(20),
            read_within: Duration::from_secs(30),
            proxies: Proxies::default(),
            credentials_per_minute: 60,
            webhooks: Reach::Public,
        }
    }
}

/// What every handler is given. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    desk: Arc<dyn Desk>,
    model: ReadModel,
    auth: Auth,
    limiter: Limiter,
    drains: Mutex<Drains>,
    bus: Kept<BusView>,
    drift: Kept<Vec<Drift>>,
    tries: Tries,
    lookout: Lookout,
    followers: Arc<Semaphore>,
    sender: Option<Sender>,
    closing: watch::Receiver<bool>,
    options: HttpOptions,
}

/// What was found last, and when it was asked for.
struct Kept<T>(Mutex<Option<(UnixMillis, T)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Kept<T> {
    /// What was asked for not longer ago than this.
    fn get(&self, now: UnixMillis, age_max: Duration) -> Option<T> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(at, _)| now.since(*at) < age_max).map(|(_, found)| found.clone())
    }

    fn put(&self, asked: UnixMillis, found: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((asked, found));
    }
}

impl AppState {
    /// Puts it together. `closing` becomes true when open streams are to end.
    pub fn new(
        (desk, model): (Arc<dyn Desk>, ReadModel),
        auth: Auth,
        options: HttpOptions,
        closing: watch::Receiver<bool>,
    ) -> Self {
        let limiter = Limiter::new(options.requests_per_second);
        let followers = Arc::new(Semaphore::new(options.followers_max));
        let sender = Sender::new(options.webhooks);
        let sender = sender.inspect_err(|error| tracing::error!(%error, "webhooks are off")).ok();
        let tries = Tries::new(options.credentials_per_minute);
        Self(Arc::new(Inner {
            desk,
            model,
            auth,
            limiter,
            tries,
            lookout: Lookout::default(),
            drains: Mutex::default(),
            bus: Kept::default(),
            drift: Kept::default(),
            followers,
            sender,
            closing,
            options,
        }))
    }

    /// Wishes and looks.
    #[must_use]
    pub fn desk(&self) -> &dyn Desk {
        &*self.0.desk
    }

    /// Lists and sums.
    #[must_use]
    pub fn model(&self) -> &ReadModel {
        &self.0.model
    }

    /// Limits.
    #[must_use]
    pub fn options(&self) -> &HttpOptions {
        &self.0.options
    }

    pub(super) fn auth(&self) -> &Auth {
        &self.0.auth
    }

    pub(super) fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    /// How long each of these consumers takes to deal with what waits, as far as they were looked at before.
    pub(crate) fn drains(&self, consumers: &[ConsumerView]) -> Vec<Drain> {
        let mut drains = self.0.drains.lock().unwrap_or_else(PoisonError::into_inner);
        drains.look(self.0.desk.now(), consumers)
    }

    /// Streams and consumers as they were within the last second.
    pub(crate) async fn bus(&self) -> Result<BusView, DeskError> {
        let asked = self.0.desk.now();
        if let Some(kept) = self.0.bus.get(asked, BUS_KEPT) {
            return Ok(kept);
        }
        let found = self.0.desk.bus().await?;
        self.0.bus.put(asked, found.clone());
        Ok(found)
    }

    /// How the bus differed from what is declared within the last seconds.
    pub(crate) async fn drift(&self) -> Result<Vec<Drift>, DeskError> {
        let asked = self.0.desk.now();
        if let Some(kept) = self.0.drift.get(asked, DRIFT_KEPT) {
            return Ok(kept);
        }
        let found = self.0.desk.drift().await?;
        self.0.drift.put(asked, found.clone());
        Ok(found)
    }

    /// Who looks at what no log tells of.
    pub(crate) fn lookout(&self) -> &Lookout {
        &self.0.lookout
    }

    pub(super) fn tries(&self) -> &Tries {
        &self.0.tries
    }

    /// Room for one more event stream.
    pub fn followers(&self) -> &Arc<Semaphore> {
        &self.0.followers
    }

    /// What webhooks are told with; `None` where none can be.
    #[must_use]
    pub(crate) fn sender(&self) -> Option<&Sender> {
        self.0.sender.as_ref().filter(|sender| sender.reach() != Reach::Off)
    }

    /// Becomes true when open streams are to end: a graceful stop waits for them.
    #[must_use]
    pub fn closing(&self) -> watch::Receiver<bool> {
        self.0.closing.clone()
    }

    /// Where a task stands, if this identity may see it.
    ///
    /// The one way to a task that is to be steered: another tenant's is not found.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn task(&self, identity: &Identity, id: &str) -> Result<Task, Problem> {
        let missing = || Problem::not_found(format!("there is no task {id}"));
        let parsed = TaskId::parse(id).map_err(Problem::not_found)?;
        let task = self.desk().task(&parsed).await?;
        if identity.sees(&task.goal.tenant) { Ok(task) } else { Err(missing()) }
    }
}
