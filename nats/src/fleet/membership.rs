//! One process as a member: it says that it is there, and does what the flags say.
//!
//! ```text
//! say that it is there ─► read the flags ──knows all──► serve, follow the flags, say it again
//!                                 └── lacks one ──► go ┘── lacks one that is on now ──► expelled
//! ```

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::kv::{Entry, Operation};
use futures::StreamExt as _;
use tokio::{
    sync::watch::{Receiver, Sender},
    task::AbortHandle,
    time::timeout,
};

use cadre_core::{
    fleet::{Actors, Flag, Member, Release, Stage},
    ids::Name,
    limits::MEMBER_BEAT,
    ports::BusError,
};

use super::{Fleet, unix_millis};
use crate::{Wire, connect::ride_out};

/// The pause before a broken watch is opened again, or a beat that did not arrive is repeated.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the farewell may take: the entry expires by itself.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a process must not serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// A feature is on, or about to be, that this build does not know.
    #[error(
        "feature {feature} is {stage}, and this build ({version}) does not know it: start a build that does, see `cadre upgrade features`"
    )]
    Lacks {
        /// The feature.
        feature: Name,
        /// `on` or `proposed`.
        stage: &'static str,
        /// Version of this build.
        version: &'static str,
    },
    /// The bus did not answer.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// A process that serves, for as long as this lives.
#[derive(Debug)]
pub struct Membership {
    fleet: Fleet,
    id: Name,
    expelled: Receiver<Option<JoinError>>,
    actors: Sender<Actors>,
    tasks: [AbortHandle; 2],
}

impl Fleet {
    /// Makes this process a member, and has `wire` write what the flags say, from now on.
    ///
    /// # Errors
    /// [`JoinError::Lacks`] when it must not serve; it is no member then.
    pub async fn join(&self, mut member: Member, wire: Wire) -> Result<Membership, JoinError> {
        member.since = Some(self.clock.now());
        self.beat(&member).await?;
        let flags = self.flags().await?;
        let (release, now) = (wire.release(), self.clock.now());
        if let Some(lacks) = lacking(&release, &flags, now) {
            self.leave(&member.id).await;
            return Err(lacks);
        }
        wire.write(release.writes_under(&flags));
        let (sender, expelled) = tokio::sync::watch::channel(None);
        let id = member.id.clone();
        let (actors, told) = tokio::sync::watch::channel(Actors::default());
        let beats = tokio::spawn(beat(self.clone(), member, told)).abort_handle();
        let follows = tokio::spawn(follow(self.clone(), wire, sender)).abort_handle();
        Ok(Membership { fleet: self.clone(), id, expelled, actors, tasks: [beats, follows] })
    }

    async fn beat(&self, member: &Member) -> Result<(), BusError> {
        let text = member.encode();
        ride_out(|| async {
            let put = self.members.put(member.id.as_str(), text.clone().into()).await;
            put.map(|_| ())
                .map_err(|error| BusError::Unavailable(format!("say who serves: {error}")))
        })
        .await
    }

    async fn leave(&self, id: &Name) {
        if !matches!(timeout(FAREWELL, self.members.delete(id.as_str())).await, Ok(Ok(()))) {
            tracing::debug!(member = %id, "could not say that this process ends; its entry expires");
        }
    }
}

impl Membership {
    /// The fleet that it is a member of.
    #[must_use]
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Resolves with the reason when this process must serve no longer; mostly never.
    pub async fn expelled(&self) -> JoinError {
        let mut expelled = self.expelled.clone();
        match expelled.wait_for(Option::is_some).await.map(|why| why.clone()) {
            Ok(Some(why)) => why,
            // Nobody follows the flags any more: this process ends.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    /// Says what runs in this process: at once if it is news, and with every beat.
    pub fn tell(&self, actors: Actors) {
        self.actors.send_if_modified(|known| {
            let is_news = *known != actors;
            *known = actors;
            is_news
        });
    }

    /// Says that this process serves no longer.
    pub async fn leave(&self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        self.fleet.leave(&self.id).await;
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

fn lacking(
    release: &Release,
    flags: &[Flag],
    now: cadre_core::time::UnixMillis,
) -> Option<JoinError> {
    let feature = release.lacks(flags, now).into_iter().next()?.clone();
    let stage = flags.iter().find(|flag| flag.feature == feature).map_or(Stage::On, |it| it.stage);
    Some(JoinError::Lacks { feature, stage: stage.as_str(), version: release.version })
}

async fn beat(fleet: Fleet, mut member: Member, mut actors: Receiver<Actors>) {
    loop {
        // Nobody tells any more: this ends with the membership.
        let _ = timeout(MEMBER_BEAT, actors.changed()).await;
        member.actors = actors.borrow_and_update().clone();
        while let Err(error) = fleet.beat(&member).await {
            tracing::debug!(%error, "could not say that this process serves; saying it again");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Each new watch begins with what is there, so nothing that happened in a gap is missed.
async fn follow(fleet: Fleet, wire: Wire, expelled: Sender<Option<JoinError>>) {
    let mut flags = BTreeMap::new();
    loop {
        match fleet.features.watch_with_history(">").await {
            Err(error) => tracing::debug!(%error, "could not watch the features; trying again"),
            Ok(mut entries) => {
                while let Some(entry) = entries.next().await {
                    match entry {
                        Ok(entry) => learn(&entry, &mut flags, &wire, &expelled),
                        Err(error) => {
                            tracing::debug!(%error, "lost the watch of the features; opening it again");
                            break;
                        }
                    }
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn learn(
    entry: &Entry,
    flags: &mut BTreeMap<Name, Flag>,
    wire: &Wire,
    expelled: &Sender<Option<JoinError>>,
) {
    let Ok(feature) = entry.key.parse::<Name>() else { return };
    let body = match entry.operation {
        Operation::Put => &entry.value[..],
        Operation::Delete | Operation::Purge => &[],
    };
    let flag = Flag::decode(feature.clone(), body, unix_millis(entry.created));
    tracing::debug!(%feature, stage = flag.stage.as_str(), "learned of a feature");
    flags.insert(feature, flag);
    let (all, release): (Vec<_>, _) = (flags.values().cloned().collect(), wire.release());
    let schema = release.writes_under(&all);
    if wire.write(schema) {
        tracing::info!(schema, "schema that is written has changed");
    }
    // A proposal asks those who live, by their entries; only what is on drives somebody out.
    let on: Vec<_> = all.into_iter().filter(|flag| flag.stage == Stage::On).collect();
    if let Some(why) = lacking(&release, &on, unix_millis(entry.created)) {
        expelled.send_replace(Some(why));
    }
}
