//! Decide, append, apply: what a partition does with each input.

use std::sync::Arc;

use cadre_core::{
    ids::TaskId,
    ports::{AppendError, Delivery, LogHead, OrchestratorBus, Packs},
    task::{Cancel, Cause, Draft, Input, Moment, Record, Seen, Task, Verdict, decide},
};
use cadre_runtime::{metrics::table, task::spawn, trace};
use ractor::{ActorProcessingErr, ActorRef};
use tracing::Span;

use super::{
    AppendResult, PartitionActor, PartitionMsg, PartitionState,
    account::{overdue, stopped},
    entry::{Entry, Known, Pending, Slot, Unpaid},
    fleet::News,
    pay::{Debts, pay},
    poison::survive,
    spans::{span, tell},
    tally::tally,
};
use crate::intake::conflict;

pub(super) type Myself<B> = ActorRef<PartitionMsg<<B as cadre_core::ports::Settle>::Receipt>>;

/// A record, the state behind it, and whether the record is full.
type Decided = (Arc<Record>, Arc<Task>, bool);

/// A record that is ready to be appended, and everything that follows from it.
struct Commit<R> {
    id: TaskId,
    head: LogHead,
    record: Arc<Record>,
    /// The record is full; the rest follows at once.
    more: bool,
    debts: Debts,
    news: News,
    /// The state that the record was decided on.
    before: Option<Arc<Task>>,
    pending: Pending<R>,
    unpaid: Unpaid,
    /// Its part of the trace, from the decision until the debts are paid.
    span: Span,
}

impl<B: OrchestratorBus, P: Packs> PartitionActor<B, P> {
    pub(super) fn on_inputs(
        &self,
        myself: &Myself<B>,
        state: &mut PartitionState<B>,
        batch: Vec<Delivery<B::Receipt>>,
    ) {
        for Delivery { content, trace, sequence, stored_at, deliveries, receipt } in batch {
            if deliveries > 1 {
                table::REDELIVERIES.add(&["input"], 1);
            }
            let (id, input) = match content {
                Ok(content) => content,
                Err(reason) => {
                    self.bury(receipt, reason);
                    continue;
                }
            };
            let receipt = Some(receipt);
            let (is_checked, spent) = (false, None);
            let pending = Pending {
                input,
                trace,
                sequence,
                stored_at,
                deliveries,
                receipt,
                is_checked,
                spent,
            };
            if let Some(entry) = state.cache.get(&id) {
                entry.enqueue(pending);
                if matches!(entry.slot, Slot::Quarantined(_)) {
                    // Somebody may have repaired the log.
                    entry.slot = Slot::Loading;
                    self.load(myself, &id, 0);
                }
                self.turn(myself, state, &id);
            } else {
                // A goal's own log is most likely empty: the append finds out, and a read is saved.
                let is_goal = matches!(pending.input, Input::Goal(_));
                state.cache.insert(id.clone(), Slot::Loading).queue.push_back(pending);
                if is_goal {
                    self.begin(myself, state, &id, LogHead::default());
                } else {
                    self.load(myself, &id, 0);
                }
            }
        }
    }

    /// Takes the task's inputs as far as possible without waiting.
    pub(super) fn turn(&self, myself: &Myself<B>, state: &mut PartitionState<B>, id: &TaskId) {
        let Some(entry) = state.cache.get(id) else { return };
        while let Some(pending) = entry.queue.pop_front() {
            match std::mem::replace(&mut entry.slot, Slot::Loading) {
                Slot::Idle(known) => self.decide(myself, id, entry, (known, pending)),
                Slot::Quarantined(why) => {
                    if let Some(receipt) = pending.receipt {
                        self.bury(receipt, format!("task {id} is quarantined: {why}"));
                    }
                    entry.slot = Slot::Quarantined(why);
                }
                busy @ (Slot::Loading | Slot::Committing(_)) => {
                    entry.slot = busy;
                    entry.queue.push_front(pending);
                    return;
                }
            }
        }
        let is_over = matches!(&entry.slot, Slot::Idle(known)
            if known.task.as_ref().is_none_or(|task| task.ended().is_some()));
        if is_over {
            state.cache.remove(id);
        }
    }

    fn decide(
        &self,
        myself: &Myself<B>,
        id: &TaskId,
        entry: &mut Entry<B::Receipt>,
        (known, pending): (Known, Pending<B::Receipt>),
    ) {
        let now = self.bus.now();
        let task = known.task.as_deref();
        if matches!(pending.input, Input::Due) && pending.spent.is_none() {
            let overdue = task.map(|task| overdue(task, now)).unwrap_or_default();
            if !overdue.is_empty() {
                return self.account(myself, id, (known, pending), overdue);
            }
        }
        let fleet = self.fleet.at(now, pending.spent.as_ref());
        let moment = Moment { now, roles: &fleet };
        match survive(|| decide(&known.workflow, task, &pending.input, &moment)) {
            Ok(Verdict::Append(draft)) => {
                let spent = pending.spent.as_ref();
                let unknown = task.map(|task| stopped(task, &draft.next, spent));
                if let Some(unknown) = unknown.filter(|unknown| !unknown.is_empty()) {
                    fleet.news(task, None);
                    return self.account(myself, id, (known, pending), unknown);
                }
                let record = self.record(&known, *draft, &pending);
                let news = fleet.news(task, Some(&record.0));
                self.commit(myself, id, entry, (known, record, news, pending));
            }
            Ok(Verdict::Ignore(seen)) => {
                fleet.news(task, None);
                if pending.receipt.is_none() || pending.is_checked {
                    return self.ignore(myself, id, entry, (known, seen, pending));
                }
                // No guard refuses what is not appended: another owner may have gone on from the state
                // that is known here, and then this input does mean something.
                entry.queue.push_front(Pending { is_checked: true, ..pending });
                self.look(myself, id, known.head);
            }
            Err(why) => {
                fleet.news(task, None);
                entry.slot = Slot::Idle(known);
                self.failed(id, pending, &why);
            }
        }
    }

    /// The record that a draft becomes, the state behind it, and whether it is full.
    fn record(&self, known: &Known, draft: Draft, pending: &Pending<B::Receipt>) -> Decided {
        let Draft { decision, reason, events, next, more } = draft;
        let rev = known.head.rev + 1;
        tracing::debug!(task = %next.id(), rev, decision, reason, "decided");
        let (at, cause, decision) = (next.changed_at, self.cause(pending), decision.to_owned());
        let record = Record { rev, at, cause, decision, reason, events };
        (Arc::new(record), Arc::new(next), more)
    }

    fn commit(
        &self,
        myself: &Myself<B>,
        id: &TaskId,
        entry: &mut Entry<B::Receipt>,
        (mut known, decided, news, pending): (Known, Decided, News, Pending<B::Receipt>),
    ) {
        let (record, next, more) = decided;
        if matches!(pending.input, Input::Due) {
            // The timer that fired is spent: whatever is due next needs a new one.
            known.armed_at = None;
        }
        let wake_at = next.wake_at().filter(|at| known.armed_at.is_none_or(|armed| *at < armed));
        let inherited = pending.trace.clone().or_else(|| next.goal.trace.clone());
        let span = span(known.task.as_deref(), &record, &next);
        let debts = Debts {
            task: Arc::clone(&next),
            workflow: Arc::clone(&known.workflow),
            paid_rev: known.head.rev,
            wake_at,
            is_replay: false,
            trace: span.in_scope(trace::current_traceparent).or(inherited),
        };
        let (id, head, unpaid) = (id.clone(), known.head, entry.unpaid.clone());
        let before = known.task.take();
        append(
            self.bus.clone(),
            myself.clone(),
            Commit { id, head, record, more, debts, news, before, pending, unpaid, span },
        );
        known.armed_at = wake_at.or(known.armed_at);
        known.task = Some(next);
        entry.slot = Slot::Committing(known);
    }

    fn cause(&self, pending: &Pending<B::Receipt>) -> Cause {
        Cause {
            kind: pending.input.kind().to_owned(),
            source: source(&pending.input),
            sequence: pending.sequence,
            waited: self.bus.now().since(pending.stored_at),
            models: pending.input.models().to_vec(),
        }
    }

    /// Settles an input that changes nothing.
    fn ignore(
        &self,
        myself: &Myself<B>,
        id: &TaskId,
        entry: &mut Entry<B::Receipt>,
        (mut known, seen, pending): (Known, Seen, Pending<B::Receipt>),
    ) {
        if let (Input::Due, Some(task)) = (&pending.input, &known.task) {
            // The timer is spent: whatever is due next needs a new one.
            known.armed_at = task.wake_at();
            let debts = Debts {
                task: Arc::clone(task),
                workflow: Arc::clone(&known.workflow),
                paid_rev: known.head.rev,
                wake_at: known.armed_at,
                is_replay: false,
                trace: None,
            };
            entry.slot = Slot::Idle(known);
            self.settle(myself, id, entry, (debts, pending.receipt));
            return;
        }
        let ended = known.task.clone().filter(|task| task.ended().is_some());
        let workflow = Arc::clone(&known.workflow);
        entry.slot = Slot::Idle(known);
        let Some(receipt) = pending.receipt else { return };
        match (seen, ended) {
            // An ended task is forgotten at once, so nothing can wait for its answer to be paid:
            // it is paid again, which is harmless.
            (Seen::Known | Seen::Late(_), Some(task)) if !entry.unpaid.is_clear() => {
                let (paid_rev, wake_at, trace) = (task.rev, None, task.goal.trace.clone());
                let debts = Debts { task, workflow, paid_rev, wake_at, is_replay: false, trace };
                self.settle(myself, id, entry, (debts, Some(receipt)));
            }
            (Seen::Known | Seen::Late(_), _) if !entry.unpaid.is_clear() => {
                // Debts are still on their way; it comes back after the ack wait.
                drop(receipt);
            }
            (Seen::Known, _) => self.ack(receipt),
            (Seen::Late(why), _) => {
                tracing::info!(task = %id, cause = pending.input.kind(), %why, "input came too late");
                self.ack(receipt);
            }
            (Seen::NoTask, _) => self.bury(receipt, format!("there is no task {id}")),
            (Seen::Conflict, _) => self.conflict(pending.input, receipt),
        }
    }

    fn conflict(&self, input: Input, receipt: B::Receipt) {
        let (Input::Goal(goal) | Input::Fork(goal, _)) = input else { return self.ack(receipt) };
        table::GOALS_REJECTED.add(&["conflict"], 1);
        let (bus, partition) = (self.bus.clone(), self.partition);
        spawn("partition-conflict", async move {
            let rejected = bus.reject(&goal.tenant, conflict(&goal)).await;
            if let Err(error) = rejected {
                tracing::warn!(task = %goal.task, %error, "conflict was not answered, later again");
                return;
            }
            let reason = format!("conflict: key {:?} has another content", goal.key);
            if let Err(error) = bus.bury(receipt, partition, reason).await {
                tracing::warn!(task = %goal.task, %error, "conflict was not kept, later again");
            }
        });
    }

    /// Pays in the background, then acknowledges.
    pub(super) fn settle(
        &self,
        myself: &Myself<B>,
        id: &TaskId,
        entry: &Entry<B::Receipt>,
        (debts, receipt): (Debts, Option<B::Receipt>),
    ) {
        let (bus, myself, id) = (self.bus.clone(), myself.clone(), id.clone());
        let unpaid = entry.unpaid.clone();
        unpaid.add();
        spawn("partition-pay", async move {
            pay_and_ack(&bus, &myself, id, (debts, receipt)).await;
            unpaid.remove();
        });
    }

    pub(super) fn ack(&self, receipt: B::Receipt) {
        let bus = self.bus.clone();
        spawn("partition-ack", async move { bus.ack(receipt).await });
    }

    /// Keeps a message as a dead letter; a failure leaves it to be delivered again.
    pub(super) fn bury(&self, receipt: B::Receipt, reason: String) {
        let (bus, partition) = (self.bus.clone(), self.partition);
        tracing::warn!(%partition, %reason, "input became a dead letter");
        table::DEAD_LETTERS_KEPT.add(&["input"], 1);
        spawn("partition-bury", async move {
            if let Err(error) = bus.bury(receipt, partition, reason).await {
                tracing::warn!(%partition, %error, "dead letter was not kept, later again");
            }
        });
    }

    pub(super) fn on_appended(
        &self,
        myself: &Myself<B>,
        state: &mut PartitionState<B>,
        id: &TaskId,
        (decided, result): (&Arc<Task>, AppendResult<B::Receipt>),
    ) -> Result<(), ActorProcessingErr> {
        let Some(entry) = state.cache.get(id) else { return Ok(()) };
        let is_it = |known: &Known| known.task.as_ref().is_some_and(|it| Arc::ptr_eq(it, decided));
        let known = match std::mem::replace(&mut entry.slot, Slot::Loading) {
            Slot::Committing(known) if is_it(&known) => known,
            // A debt broke in the meantime: the log is being read, or was, and another record may
            // be on its way. This one is in what is read, or its guard has failed.
            other
            @ (Slot::Committing(_) | Slot::Loading | Slot::Idle(_) | Slot::Quarantined(_)) => {
                entry.slot = other;
                return Ok(());
            }
        };
        match result {
            Ok((head, more)) => {
                state.appended += 1;
                if more {
                    let trace = known.task.as_ref().and_then(|task| task.goal.trace.clone());
                    entry.queue.push_front(Pending::advance(self.bus.now(), trace));
                }
                entry.slot = Slot::Idle(Known { head, ..known });
                self.turn(myself, state, id);
                Ok(())
            }
            Err(failed) => self.on_append_failed(myself, id, entry, *failed),
        }
    }

    /// Whatever went wrong, the state is thrown away and the input decided again after a load.
    fn on_append_failed(
        &self,
        myself: &Myself<B>,
        id: &TaskId,
        entry: &mut Entry<B::Receipt>,
        (error, mut pending): (AppendError, Pending<B::Receipt>),
    ) -> Result<(), ActorProcessingErr> {
        match &error {
            AppendError::Conflict(_) => {
                tracing::debug!(task = %id, "another writer was faster, loading again");
                entry.failures = 0;
            }
            AppendError::Bus(_) => {
                tracing::warn!(task = %id, %error, "record was not appended, loading again");
                entry.failures += 1;
            }
            AppendError::TooLarge { .. } => {
                tracing::error!(task = %id, %error, "task is ended: its record is too large");
                let (by, reason) = ("cadre".to_owned(), error.to_string());
                pending.input = Input::Cancel(Cancel { by, reason });
            }
            AppendError::Regressed { .. } => {
                tracing::error!(task = %id, %error, "log went back: partition is stopped");
                table::LOG_REGRESSIONS.add(&[], 1);
                return Err(error.to_string().into());
            }
        }
        entry.queue.push_front(pending);
        self.load(myself, id, entry.failures);
        Ok(())
    }
}

/// Appends, tells the actor, pays, acknowledges: in that order and no other.
fn append<B: OrchestratorBus>(bus: B, myself: Myself<B>, commit: Commit<B::Receipt>) {
    commit.unpaid.add();
    spawn("partition-commit", async move {
        let Commit { id, head, record, more, debts, news, before, pending, unpaid, span } = commit;
        let decided = Arc::clone(&debts.task);
        // A stopped actor needs no message: its successor replays.
        match bus.append(&id, head, Arc::clone(&record), debts.trace.clone()).await {
            Ok(head) => {
                news.count();
                tally(before.as_deref(), &record, &decided);
                tell(before.as_deref(), &record, &decided);
                let _ = myself.cast(PartitionMsg::Appended(id.clone(), decided, Ok((head, more))));
                pay_and_ack(&bus, &myself, id, (debts, pending.receipt)).await;
            }
            Err(error) => {
                news.take_back();
                let failed = Err(Box::new((error, pending)));
                let _ = myself.cast(PartitionMsg::Appended(id, decided, failed));
            }
        }
        unpaid.remove();
        drop(span);
    });
}

async fn pay_and_ack<B: OrchestratorBus>(
    bus: &B,
    myself: &Myself<B>,
    id: TaskId,
    (debts, receipt): (Debts, Option<B::Receipt>),
) {
    match pay(bus, &debts).await {
        Ok(()) => {
            if let Some(receipt) = receipt {
                bus.ack(receipt).await;
            }
        }
        Err(error) => {
            tracing::warn!(task = %id, %error, "a debt was not paid, loading the task again");
            let _ = myself.cast(PartitionMsg::Broken(id));
        }
    }
}

/// Who or what in particular caused a transition.
fn source(input: &Input) -> String {
    match input {
        Input::Goal(goal) | Input::Fork(goal, _) => goal.key.clone(),
        Input::Report(report) => Cause::attempt(&report.step, report.attempt),
        Input::Due => "wake".to_owned(),
        Input::Cancel(cancel) => cancel.by.clone(),
        Input::Control(control) => format!("{}#{}", control.by, control.key),
        Input::Decision(decision) => format!("{}#{}", decision.by, decision.step),
        Input::Advance => String::new(),
    }
}
