//! `/live`: one stream a tab, which says what of its page is stale. What has changed is fetched by the tab.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::Query,
    response::{
        IntoResponse as _, Response,
        sse::{Event, Sse},
    },
};
use futures::stream;
use serde::Deserialize;
use tokio::{
    sync::{OwnedSemaphorePermit, broadcast, watch},
    time::{Interval, MissedTickBehavior, interval, sleep, timeout},
};

use super::{BADGE_MAX, Oops, Visit};
use crate::{
    http::{AppState, Identity, Problem},
    lookout::{LOOK_EVERY, Lookout},
    model::{Change, ReadModel},
};

/// What changes within this time is one word of it.
const GATHER: Duration = Duration::from_millis(200);

/// How often it is said how far behind all is; parts that nobody tells of are fetched as often, whatever was seen:
/// ages and estimates change by themselves.
const TICK: Duration = Duration::from_secs(5);

/// Longest time of one look: other topics wait for it.
const LOOK_WITHIN: Duration = Duration::from_secs(1);

/// Topics of one stream at most.
const TOPICS_MAX: usize = 16;

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    topics: String,
}

struct Follower {
    topics: BTreeSet<String>,
    identity: Identity,
    model: ReadModel,
    changes: broadcast::Receiver<Change>,
    closing: watch::Receiver<bool>,
    app: AppState,
    ticks: Interval,
    looks: Interval,
    /// Topics that nobody tells of, as they were seen last.
    seen: BTreeMap<String, Option<u64>>,
    /// Said next, before anything is waited for.
    waiting: VecDeque<Event>,
    /// Questions were asked or decided since they were counted.
    has_asked: bool,
    _room: OwnedSemaphorePermit,
}

pub(super) async fn follow(visit: Visit, Query(params): Query<Params>) -> Result<Response, Oops> {
    let Ok(room) = Arc::clone(visit.app.followers()).try_acquire_owned() else {
        let problem = Problem::limited("too many pages are open: close some", TICK);
        return Err(Oops::of(&visit, problem));
    };
    let (mut ticks, mut looks) = (interval(TICK), interval(LOOK_EVERY));
    for each in [&mut ticks, &mut looks] {
        each.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    let topics = params.topics.split(',').filter(|topic| !topic.is_empty()).take(TOPICS_MAX);
    let topics: BTreeSet<String> = topics.map(str::to_owned).collect();
    let mut seen = BTreeMap::new();
    for topic in topics.iter().filter(|topic| Lookout::is_for(topic)) {
        seen.insert(topic.clone(), version(&visit.app, topic).await);
    }
    let model = visit.app.model().clone();
    let follower = Follower {
        topics,
        app: visit.app.clone(),
        identity: visit.identity.clone(),
        changes: model.changes(),
        model,
        closing: visit.app.closing(),
        ticks,
        looks,
        seen,
        waiting: VecDeque::new(),
        // The badge of the page may be older than the connection.
        has_asked: true,
        _room: room,
    };
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    Ok(Sse::new(events).into_response())
}

/// What the lookout has seen last; `None` when the bus takes too long to tell.
async fn version(app: &AppState, topic: &str) -> Option<u64> {
    timeout(LOOK_WITHIN, app.lookout().version(app.desk(), topic)).await.ok()
}

impl Follower {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if *self.closing.borrow() {
                return None;
            }
            let stale = tokio::select! {
                change = self.changes.recv() => self.changed(change).await?,
                _ = self.ticks.tick() => {
                    let lag = self.model.lag().behind_ms;
                    self.waiting.push_back(Event::default().event("lag").data(lag.to_string()));
                    self.seen.keys().cloned().collect()
                }
                _ = self.looks.tick(), if !self.seen.is_empty() => self.look().await,
                // The process is ending: the tab comes again, elsewhere or later.
                _ = self.closing.changed() => return None,
            };
            if std::mem::take(&mut self.has_asked) {
                self.count().await;
            }
            if !stale.is_empty() {
                let stale: Vec<String> = stale.into_iter().collect();
                self.waiting.push_front(Event::default().event("stale").data(stale.join(" ")));
            }
        }
    }

    /// Says how many questions wait, which the badge beside every page shows.
    async fn count(&mut self) {
        // It is said again with the next one.
        let Ok(open) = self.model.questions_open(self.identity.scope(), BADGE_MAX).await else {
            return;
        };
        self.waiting.push_back(Event::default().event("questions").data(open.to_string()));
    }

    /// Topics that nobody tells of and that have changed.
    async fn look(&mut self) -> BTreeSet<String> {
        let mut stale = BTreeSet::new();
        for (topic, seen) in &mut self.seen {
            let Some(version) = version(&self.app, topic).await else { continue };
            if seen.replace(version).is_some_and(|before| before != version) {
                stale.insert(topic.clone());
            }
        }
        stale
    }

    /// Topics that a change, and what follows on its heels, makes stale. `None` when the model is gone.
    async fn changed(
        &mut self,
        first: Result<Change, broadcast::error::RecvError>,
    ) -> Option<BTreeSet<String>> {
        let mut stale = BTreeSet::new();
        self.note(first, &mut stale)?;
        if stale.is_empty() && !self.has_asked {
            return Some(stale);
        }
        sleep(GATHER).await;
        loop {
            match self.changes.try_recv() {
                Ok(change) => self.note(Ok(change), &mut stale)?,
                Err(broadcast::error::TryRecvError::Lagged(_)) => {
                    self.has_asked = true;
                    stale.extend(self.topics.iter().cloned());
                }
                Err(
                    broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed,
                ) => {
                    return Some(stale);
                }
            }
        }
    }

    fn note(
        &mut self,
        change: Result<Change, broadcast::error::RecvError>,
        stale: &mut BTreeSet<String>,
    ) -> Option<()> {
        let change = match change {
            Ok(change) if !change.is_all => change,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                stale.extend(self.topics.iter().cloned());
                self.has_asked = true;
                return Some(());
            }
            Err(broadcast::error::RecvError::Closed) => return None,
        };
        for one in change.tasks.iter().filter(|one| self.identity.sees(&one.tenant)) {
            self.has_asked |= one.has_question;
            let task = format!("task.{}", one.task);
            let topics = ["tasks", "spend", task.as_str()].into_iter();
            for topic in topics.chain(one.has_question.then_some("questions")) {
                if self.topics.contains(topic) {
                    stale.insert(topic.to_owned());
                }
            }
        }
        Some(())
    }
}
