//! Drives real supervisors on a paused clock.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use tokio::time::sleep;

use super::*;

const SOON: Duration = Duration::from_secs(1);

async fn start(children: Vec<Child>) -> Supervisor {
    let restarts = RestartPolicy { max: 3, ..RestartPolicy::default() };
    let options = Options { restarts, grace: SOON, ..Options::default() };
    Supervisor::start("test", options, children, None).await.unwrap()
}

/// Fails so many times before it runs on.
fn failing(name: &'static str, times: u32, begun: &Arc<AtomicU32>) -> Child {
    let begun = Arc::clone(begun);
    Child::job(name, move || {
        let fails = begun.fetch_add(1, Ordering::SeqCst) < times;
        async move {
            sleep(Duration::from_millis(10)).await;
            if fails {
                return Err("as planned".into());
            }
            std::future::pending().await
        }
    })
}

async fn child(supervisor: &Supervisor, index: usize) -> ChildSnapshot {
    supervisor.inspect(SOON).await.unwrap().children.remove(index)
}

#[tokio::test(start_paused = true)]
async fn a_failing_child_is_restarted_and_its_siblings_do_not_notice() {
    let (shaky, calm) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let supervisor = start(vec![failing("shaky", 2, &shaky), failing("calm", 0, &calm)]).await;
    sleep(Duration::from_secs(10)).await;
    let shaky = child(&supervisor, 0).await;
    assert_eq!((shaky.state, shaky.restarts), (ChildState::Running, 2));
    assert_eq!(shaky.last_error.as_deref(), Some("as planned"));
    assert_eq!(child(&supervisor, 1).await.restarts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_parks_the_child_and_the_supervisor_lives() {
    let begun = Arc::new(AtomicU32::new(0));
    let supervisor = start(vec![failing("doomed", u32::MAX, &begun)]).await;
    sleep(Duration::from_secs(600)).await;
    let doomed = child(&supervisor, 0).await;
    assert_eq!((doomed.state, doomed.restarts), (ChildState::Parked, 3));
    assert_eq!(begun.load(Ordering::SeqCst), 1 + 3);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_does_not_start_or_panics_is_retried_as_well() {
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let late = Child::new("late", move |parent| {
        let fails = counted.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if fails {
                return Err(SpawnErr::StartupFailed("not yet".into()));
            }
            let options = Options::default();
            Ok(Supervisor::start("inner", options, Vec::new(), Some(parent)).await?.cell())
        }
    });
    let panics = Child::job("panics", || async { panic!("as planned") });
    let supervisor = start(vec![late, panics]).await;
    assert_eq!(child(&supervisor, 0).await.state, ChildState::Restarting);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(child(&supervisor, 0).await.state, ChildState::Running);
    let panics = child(&supervisor, 1).await;
    assert_eq!(panics.state, ChildState::Parked);
    assert_eq!(panics.last_error.as_deref(), Some("panicked: as planned"));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_ends_well_stays_ended_and_a_killed_one_does_not() {
    let inner = Arc::new(Mutex::new(None));
    let seat = Arc::clone(&inner);
    let killed = Child::new("killed", move |parent| {
        let seat = Arc::clone(&seat);
        async move {
            let options = Options::default();
            let inner = Supervisor::start("inner", options, Vec::new(), Some(parent)).await?;
            *seat.lock().unwrap() = Some(inner.cell());
            Ok(inner.cell())
        }
    });
    let supervisor = start(vec![killed, Child::job("brief", || async { Ok(()) })]).await;
    inner.lock().unwrap().take().unwrap().kill();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(child(&supervisor, 0).await.restarts, 1);
    assert_eq!(child(&supervisor, 1).await.state, ChildState::Ended);
}

#[tokio::test(start_paused = true)]
async fn names_are_unique_and_children_can_be_added() {
    let begun = Arc::new(AtomicU32::new(0));
    let supervisor = start(Vec::new()).await;
    supervisor.add(failing("one", 0, &begun)).await.unwrap();
    let error = supervisor.add(failing("one", 0, &begun)).await.unwrap_err();
    assert_eq!(error.to_string(), "supervisor test has a child one already");
    supervisor.stop().await;
    assert_eq!(supervisor.add(failing("two", 0, &begun)).await, Err(AddError::Stopped));
}

#[tokio::test(start_paused = true)]
async fn children_stop_in_reverse_order() {
    let ends = Arc::new(Mutex::new(Vec::new()));
    let children = ["first", "second", "third"].map(|name| {
        let ends = Arc::clone(&ends);
        Child::job(name, move || {
            let end = End { name, ends: Arc::clone(&ends) };
            async move {
                let _end = end;
                std::future::pending().await
            }
        })
    });
    let supervisor = start(children.into()).await;
    sleep(SOON).await;
    supervisor.stop().await;
    assert_eq!(*ends.lock().unwrap(), ["third", "second", "first"]);
    supervisor.stop().await;
    assert!(supervisor.inspect(SOON).await.is_none());
}

struct End {
    name: &'static str,
    ends: Arc<Mutex<Vec<&'static str>>>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.ends.lock().unwrap().push(self.name);
    }
}
