//! Breakers, streams and alerts, in the port's words.

use std::cmp::Reverse;

use cadre_core::{
    breaker::{
        Forced, Hint, Target,
        port::{BreakerBoard as _, PostError},
    },
    limits::{BREAKER_FORCED_MAX, BREAKER_TEXT_BYTES_MAX},
    ports::{
        BusError, Packs as _,
        desk::{BreakerView, BusView, ConsumerView, DeskError, Hold, StreamView},
    },
    watch::Alert,
    wish::Unfit,
};

use super::{JetStreamDesk, absent};
use crate::{
    breakers::KvBreakers,
    bus::JetStreamBus,
    topology::{BucketStatus, ConsumerStatus, StreamStatus, status},
};

impl JetStreamDesk {
    pub(super) async fn breaker_views(&self) -> Result<Vec<BreakerView>, DeskError> {
        let board = self.breakers.as_ref().ok_or_else(|| absent("breakers"))?;
        let (content, now) = (board.content().await?, board.now());
        let live_pods = content.live_pods(now);
        let views = content.hints.into_iter().filter_map(|(target, posted)| match posted.hint {
            Ok(hint) => {
                let hint = hint.unwrap_or_else(|| Hint::new(target));
                Some(BreakerView::of(&hint, live_pods, now))
            }
            Err(error) => {
                tracing::warn!(%target, %error, "a breaker was left aside");
                None
            }
        });
        Ok(views.collect())
    }

    pub(super) async fn hold_breaker(
        &self,
        target: &Target,
        hold: Hold,
    ) -> Result<BreakerView, DeskError> {
        let board = self.breakers.as_ref().ok_or_else(|| absent("breakers"))?;
        if hold.to.is_some() && (hold.lasts.is_zero() || hold.lasts > BREAKER_FORCED_MAX) {
            let text = "a breaker is held for more than 0 and at most 7 days".to_owned();
            return Err(Unfit::Invalid(text).into());
        }
        if hold.reason.len() > BREAKER_TEXT_BYTES_MAX {
            let text = format!("a reason has at most {BREAKER_TEXT_BYTES_MAX} bytes");
            return Err(Unfit::Invalid(text).into());
        }
        self.declared(target).await?;
        let about = Self::about_hold(target, &hold);
        self.audited(about, self.change_breaker(board, target, &hold)).await
    }

    async fn change_breaker(
        &self,
        board: &KvBreakers,
        target: &Target,
        hold: &Hold,
    ) -> Result<BreakerView, DeskError> {
        let edit = |hint: Hint| match hold.to {
            None => hint.reset(board.now()),
            Some(to) => hint.force(Forced {
                to,
                since: board.now(),
                until: board.now().after(hold.lasts),
                by: hold.by.clone(),
                reason: hold.reason.clone(),
            }),
        };
        let hint = board.change(target, edit).await.map_err(|error| match error {
            PostError::Bus(error) => error,
            PostError::Conflict(_) => BusError::Unavailable(format!("{error}, again and again")),
        })?;
        let live_pods = board.content().await?.live_pods(board.now());
        Ok(BreakerView::of(&hint, live_pods, board.now()))
    }

    /// Packs declare roles; tools and models are known to nobody but those who call them.
    async fn declared(&self, target: &Target) -> Result<(), DeskError> {
        let role = match target {
            Target::Role(role) => role,
            Target::Tool(_) | Target::Model(_) => return Ok(()),
        };
        for (_, revision) in self.packs.list().await? {
            // One damaged pack must not keep a role from being stopped.
            let workflow = self.packs.revision(&revision).await.ok().flatten();
            if workflow.is_some_and(|workflow| workflow.roles.contains_key(role)) {
                return Ok(());
            }
        }
        Err(Unfit::NotFound(format!("no pack on this broker declares role {role}")).into())
    }

    pub(super) async fn open_alerts(&self) -> Result<Vec<Alert>, DeskError> {
        let watch = self.watch.as_ref().ok_or_else(|| absent("alerts"))?;
        let mut open: Vec<_> = watch.all().await?.into_iter().map(|posted| posted.alert).collect();
        open.retain(|alert| alert.ended_at.is_none());
        open.sort_by_key(|alert| (Reverse(alert.severity), alert.since));
        Ok(open)
    }
}

pub(super) async fn survey(bus: &JetStreamBus) -> Result<BusView, DeskError> {
    let streams = bus.streams();
    let found = status(&streams.js, &streams.topology).await;
    let found = found.map_err(|error| BusError::Unavailable(error.to_string()))?;
    let (streams, buckets) = (found.streams.into_iter(), found.buckets.into_iter());
    Ok(BusView {
        streams: streams.map(stream).chain(buckets.map(bucket)).collect(),
        consumers: found.consumers.into_iter().map(consumer).collect(),
    })
}

fn stream(stream: StreamStatus) -> StreamView {
    StreamView {
        name: stream.name,
        is_bucket: false,
        messages: stream.messages,
        bytes: stream.bytes,
        max_bytes: stream.max_bytes,
        first_age: stream.first_age,
        last_age: stream.last_age,
    }
}

fn bucket(bucket: BucketStatus) -> StreamView {
    let BucketStatus { name, messages, bytes, max_bytes } = bucket;
    let (first_age, last_age) = (None, None);
    StreamView { name, is_bucket: true, messages, bytes, max_bytes, first_age, last_age }
}

fn consumer(consumer: ConsumerStatus) -> ConsumerView {
    ConsumerView {
        stream: consumer.stream,
        name: consumer.name,
        role: consumer.role,
        pending: consumer.pending,
        ack_pending: consumer.ack_pending,
        max_ack_pending: consumer.max_ack_pending,
        redelivered: consumer.redelivered,
        waiting: consumer.waiting,
        done: consumer.delivered.saturating_sub(consumer.ack_pending),
        oldest: consumer.oldest,
        pinned: consumer.pinned,
    }
}
