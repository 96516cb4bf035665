//! Pays what a state owes: work orders, the timer, the answer.
//!
//! Runs outside the actor. Everything here is idempotent by its guarded subject, so
//! a crash at any point is repaired by paying again.

use std::sync::Arc;

use cadre_core::{
    ports::{BusError, OrchestratorBus, OrderTerms},
    task::{AGGREGATE, Order, Task},
    time::UnixMillis,
    workflow::{Runtime, Workflow},
};
use futures::future::try_join_all;

/// What one payment covers.
#[derive(Debug, Clone)]
pub(super) struct Debts {
    pub(super) task: Arc<Task>,
    pub(super) workflow: Arc<Workflow>,
    /// Orders of later records are owed.
    pub(super) paid_rev: u64,
    /// Set the timer to this.
    pub(super) wake_at: Option<UnixMillis>,
    /// Orders may have been paid before a crash: look for their reports first.
    pub(super) is_replay: bool,
    /// `traceparent` for what follows.
    pub(super) trace: Option<String>,
}

/// Pays everything; returns at the first debt that the bus does not take.
pub(super) async fn pay<B: OrchestratorBus>(bus: &B, debts: &Debts) -> Result<(), BusError> {
    let mut owed = debts.task.orders_since(debts.paid_rev);
    let (first, second) = (owed.next(), owed.next());
    let orders = async {
        match (first, second) {
            (None, _) => Ok(()),
            (Some(order), None) => pay_order(bus, debts, order).await,
            (Some(first), Some(second)) => {
                let all = [first, second].into_iter().chain(owed);
                // Boxed: a fan-out may do that, but the common case stays small.
                Box::pin(try_join_all(all.map(|order| pay_order(bus, debts, order))))
                    .await
                    .map(|_: Vec<()>| ())
            }
        }
    };
    let wake = async {
        match debts.wake_at {
            Some(at) => bus.wake(debts.task.id(), at).await,
            None => Ok(()),
        }
    };
    let answer = async {
        let Some(answer) = debts.task.answer() else { return Ok(()) };
        Box::pin(bus.answer(answer)).await?;
        bus.forget_wake(debts.task.id()).await;
        Ok(())
    };
    let stop = async {
        let mut stops = debts.task.stops_since(debts.paid_rev).peekable();
        if stops.peek().is_none() {
            return Ok(());
        }
        // Of a task that has ended nothing is waited for.
        let is_over = debts.task.ended().is_some();
        let stops: Vec<_> = stops.filter(|_| !is_over).collect();
        Box::pin(bus.stop(debts.task.id(), &stops)).await
    };
    futures::try_join!(orders, wake, answer, stop).map(|_| ())
}

async fn pay_order<B: OrchestratorBus>(
    bus: &B,
    debts: &Debts,
    order: Order,
) -> Result<(), BusError> {
    if debts.is_replay && Box::pin(is_paid(bus, &order)).await? {
        return Ok(());
    }
    let terms = terms_of(&debts.workflow, &order);
    let trace = debts.trace.clone().or_else(|| order.goal.trace.clone());
    bus.order(order, terms, trace).await
}

/// Looks at the order before the report: a worker reports before it settles, so an order that is gone
/// has left a report, and no input of a task is settled while it is replayed. The other way round it
/// would report and settle between the two looks, and the same work go out again.
async fn is_paid<B: OrchestratorBus>(bus: &B, order: &Order) -> Result<bool, BusError> {
    Ok(bus.has_order(order).await? || bus.has_report(order).await?)
}

fn terms_of(workflow: &Workflow, order: &Order) -> OrderTerms {
    if order.step.name.as_str() == AGGREGATE {
        let (accepts, returns) = ("aggregate@1".to_owned(), workflow.output.id());
        return OrderTerms { accepts, returns, is_remote: false };
    }
    let role = workflow.roles.get(&order.role);
    OrderTerms {
        accepts: role.map(|role| role.accepts.id()).unwrap_or_default(),
        returns: role.map(|role| role.returns.id()).unwrap_or_default(),
        is_remote: role.is_some_and(|role| role.runtime == Runtime::Remote),
    }
}
