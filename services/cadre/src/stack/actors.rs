//! Tells the fleet which actors run in this process, as their supervisors have them.

use std::{sync::Arc, time::Duration};

use cadre_core::fleet::{Actor, Actors};
use cadre_nats::fleet::Membership;
use cadre_runtime::{
    supervise::{ChildSnapshot, ChildState, Snapshot},
    task::Linked,
};

use super::Stack;

/// How often supervisors are asked.
const LOOK: Duration = Duration::from_secs(1);

/// How long one may take to answer; one that does not is left out.
const WITHIN: Duration = Duration::from_secs(1);

/// Asks the supervisors of `stack` again and again, for as long as the result lives.
pub(super) fn tell(stack: Stack, membership: Arc<Membership>) -> Linked {
    Linked::spawn("tell which actors run", async move {
        loop {
            let trees = snapshots(&stack).await;
            membership.tell(Actors::bounded(trees.iter().flat_map(rows).collect()));
            tokio::time::sleep(LOOK).await;
        }
    })
}

async fn snapshots(stack: &Stack) -> Vec<Snapshot> {
    let mut all = Vec::new();
    if let Some(orchestrator) = &stack.orchestrator {
        all.extend(orchestrator.inspect().await);
    }
    if let Some(watch) = &stack.watch {
        all.extend(watch.inspect().await);
    }
    if let Some(audit) = &stack.audit {
        all.extend(audit.inspect().await);
    }
    if let Some(agents) = &stack.agents {
        all.extend(agents.inspect(WITHIN).await.map(|agents| agents.supervisor));
    }
    if let Some(aggregator) = &stack.aggregator {
        all.extend(aggregator.inspect(WITHIN).await.map(|aggregator| aggregator.supervisor));
    }
    if let Some(inference) = &stack.inference {
        all.extend(inference.inspect(WITHIN).await.map(|inference| inference.supervisor));
    }
    if let Some(breakers) = &stack.breakers {
        all.extend(breakers.inspect().await);
    }
    if let Some(edge) = &stack.edge {
        all.extend(edge.inspect().await);
        all.extend(edge.inspect_model().await);
    }
    all
}

/// The supervisor, then its children.
fn rows(tree: &Snapshot) -> Vec<Actor> {
    let restarts = tree.children.iter().fold(0, |sum, child| child.restarts.saturating_add(sum));
    let (name, state) = (tree.name.clone(), word(ChildState::Running));
    let top = Actor { depth: 0, name, state, restarts, error: None };
    std::iter::once(top).chain(tree.children.iter().map(row)).collect()
}

fn row(child: &ChildSnapshot) -> Actor {
    let ChildSnapshot { name, state, restarts, last_error } = child.clone();
    Actor { depth: 1, name, state: word(state), restarts, error: last_error }
}

fn word(state: ChildState) -> String {
    match state {
        ChildState::Running => "running",
        ChildState::Restarting => "restarting",
        ChildState::Parked => "parked",
        ChildState::Ended => "ended",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supervisor_comes_before_its_children_and_sums_their_restarts() {
        let child = |name: &str, state, restarts| ChildSnapshot {
            name: name.to_owned(),
            state,
            restarts,
            last_error: (restarts > 0).then(|| "lost".to_owned()),
        };
        let children =
            vec![child("rules", ChildState::Running, 2), child("scout", ChildState::Parked, 1)];
        let rows = rows(&Snapshot { name: "agent".to_owned(), children });
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.depth, row.name.as_str(), row.state.as_str(), row.restarts))
            .collect();
        let expected =
            [(0, "agent", "running", 3), (1, "rules", "running", 2), (1, "scout", "parked", 1)];
        assert_eq!(told, expected);
        assert_eq!(rows[2].error.as_deref(), Some("lost"));
    }
}
