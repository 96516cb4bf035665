use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use cadre_core::{
    audit::{Action, Deed, Entry, Page, Tip, Verifier, port::Turn},
    ports::Inbox,
    time::UnixMillis,
};

use super::*;

/// A bus with one log; its failure modes are flags.
#[derive(Clone, Default)]
struct FakeBus(Arc<Mutex<World>>);

#[derive(Default)]
struct World {
    log: Vec<Source>,
    /// Chain and page of each message of the trail.
    trail: Vec<(Chain, String)>,
    turn: Option<Turn>,
    /// The next append is stored, and its answer lost.
    next_answer_is_lost: bool,
    /// Somebody else appends this right before the next append.
    rival: Option<(Chain, Deed)>,
}

impl World {
    fn end(&self, chain: &Chain) -> Standing {
        let of_chain = self.trail.iter().zip(1..).filter(|((known, _), _)| known == chain);
        let last = of_chain.last().map(|((_, page), sequence)| Standing {
            tip: Tip::of_page(page.as_bytes()).expect("a page"),
            sequence,
        });
        last.unwrap_or_default()
    }
}

struct Log {
    bus: FakeBus,
    next: usize,
}

impl Inbox<Source> for Log {
    async fn next(&mut self) -> Result<Vec<Source>, BusError> {
        let rest: Vec<_> =
            self.bus.0.lock().expect("whole").log.iter().skip(self.next).cloned().collect();
        // Small batches, so that a life can end between them.
        let batch: Vec<_> = rest.into_iter().take(3).collect();
        if batch.is_empty() {
            return std::future::pending().await;
        }
        self.next += batch.len();
        Ok(batch)
    }
}

impl AuditBus for FakeBus {
    type Sources = Log;

    async fn turn(
        &self,
        auditor: &Name,
        _: Duration,
        seen: Option<&Seen>,
    ) -> Result<Turn, BusError> {
        let mut world = self.0.lock().expect("whole");
        let left = world.turn.take().map(|turn| turn.seen).unwrap_or_default();
        let turn = Turn { auditor: auditor.clone(), seen: seen.cloned().unwrap_or(left) };
        world.turn = Some(turn.clone());
        Ok(turn)
    }

    async fn sources(&self, seen: &Seen) -> Result<Log, BusError> {
        let next = seen.get("LOG").copied().unwrap_or_default();
        Ok(Log { bus: self.clone(), next: usize::try_from(next).expect("few") })
    }

    async fn tenant(&self, task: &TaskId) -> Result<Option<Name>, BusError> {
        let world = self.0.lock().expect("whole");
        let tenant = world.log.iter().find_map(|source| {
            let Whose::Begins(known, tenant) = &source.whose else { return None };
            (known == task).then(|| tenant.clone())
        });
        Ok(tenant)
    }

    async fn standing(&self, chain: &Chain) -> Result<Standing, BusError> {
        Ok(self.0.lock().expect("whole").end(chain))
    }

    async fn append(&self, chain: &Chain, page: &Page, after: u64) -> Result<u64, PageError> {
        let mut world = self.0.lock().expect("whole");
        if let Some((chain, deed)) = world.rival.take() {
            let note = world.end(&chain).tip.note(&chain, &deed);
            world.trail.push((chain, note.text));
        }
        if world.end(chain).sequence != after {
            return Err(PageError::Conflict(chain.clone()));
        }
        world.trail.push((chain.clone(), page.text.clone()));
        if std::mem::take(&mut world.next_answer_is_lost) {
            return Err(BusError::Unavailable("no answer".to_owned()).into());
        }
        Ok(world.trail.len() as u64)
    }
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn task(tenant: &str) -> TaskId {
    TaskId::derive(&name(tenant), "key")
}

fn deed(action: Action) -> Deed {
    let (actor, object, reason) = ("ada".to_owned(), "task/x".to_owned(), String::new());
    Deed { at: UnixMillis(5), actor, action, object, reason }
}

/// Two tenants' tasks, one after the other in one log; every third record tells nothing.
fn log() -> Vec<Source> {
    let tenants = ["acme", "umbrella"];
    let one = |sequence: u64| {
        let tenant = tenants[usize::from(sequence.is_multiple_of(2))];
        let whose = match sequence {
            1 | 2 => Whose::Begins(task(tenant), name(tenant)),
            29 | 30 => Whose::Ends(task(tenant)),
            _ => Whose::Task(task(tenant)),
        };
        let deeds = match sequence % 3 {
            0 => Vec::new(),
            1 => vec![deed(Action::TaskPaused)],
            _ => vec![deed(Action::TaskResumed), deed(Action::BudgetAdded)],
        };
        Source { stream: "LOG".into(), sequence, whose, deeds }
    };
    (1..=30).map(one).collect()
}

/// Every entry's source, by chain; the trail must be whole.
fn told(bus: &FakeBus) -> BTreeMap<String, Vec<u64>> {
    let world = bus.0.lock().expect("whole");
    let mut verifier = Verifier::default();
    let mut told: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for ((chain, page), sequence) in world.trail.iter().zip(1..) {
        verifier.message(sequence, &chain.to_string(), page.as_bytes());
        for line in page.lines() {
            let entry = Entry::decode(line.as_bytes()).expect("an entry");
            told.entry(entry.chain).or_default().extend(entry.source.map(|(_, at)| at));
        }
    }
    assert_eq!(verifier.end_of_stream(world.trail.len() as u64).faults, []);
    told
}

/// What the trail must tell: each deed once, in order.
fn expected() -> BTreeMap<String, Vec<u64>> {
    let mut expected: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for source in log() {
        let tenant = if source.sequence % 2 == 0 { "umbrella" } else { "acme" };
        let told = expected.entry(format!("tenant.{tenant}")).or_default();
        told.extend(source.deeds.iter().map(|_| source.sequence));
    }
    expected
}

/// One life of an auditor: until nothing is left to tell, or it is interrupted.
async fn life(bus: &FakeBus) -> Result<(), PageError> {
    let options = AuditOptions::new(name("pod"));
    match tokio::time::timeout(Duration::from_secs(60), try_write(bus, &options)).await {
        Ok(ended) => ended,
        Err(_) => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn every_deed_is_told_once_and_in_order_in_its_tenants_chain() {
    let bus = FakeBus::default();
    bus.0.lock().expect("whole").log = log();
    life(&bus).await.expect("written");
    assert_eq!(told(&bus), expected());
    let turn = bus.0.lock().expect("whole").turn.clone().expect("a turn");
    assert_eq!(turn.seen["LOG"], 30);
}

#[tokio::test(start_paused = true)]
async fn a_life_that_begins_anywhere_before_the_trails_end_tells_nothing_twice() {
    for from in 0..=30 {
        let bus = FakeBus::default();
        bus.0.lock().expect("whole").log = log();
        life(&bus).await.expect("written");
        let seen = Seen::from([("LOG".to_owned(), from)]);
        bus.0.lock().expect("whole").turn = Some(Turn { auditor: name("dead"), seen });
        life(&bus).await.expect("written");
        assert_eq!(told(&bus), expected(), "from {from}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_append_whose_answer_is_lost_is_not_repeated() {
    let appends = {
        let bus = FakeBus::default();
        bus.0.lock().expect("whole").log = log();
        life(&bus).await.expect("written");
        bus.0.lock().expect("whole").trail.len()
    };
    let mut interrupted = BTreeSet::new();
    for lost in 0..appends {
        let bus = FakeBus::default();
        {
            // So much of the trail is there before.
            let mut world = bus.0.lock().expect("whole");
            world.log = log();
            world.log.truncate(lost + 1);
        }
        life(&bus).await.expect("written");
        {
            let mut world = bus.0.lock().expect("whole");
            world.log = log();
            world.next_answer_is_lost = true;
        }
        interrupted.insert(life(&bus).await.is_err());
        life(&bus).await.expect("written");
        assert_eq!(told(&bus), expected(), "answer {lost}");
    }
    assert!(interrupted.contains(&true), "an answer was lost");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_faster_stays_in_the_chain_and_the_rest_comes_behind() {
    let bus = FakeBus::default();
    {
        let mut world = bus.0.lock().expect("whole");
        world.log = log();
        world.rival = Some((Chain::Tenant(name("acme")), deed(Action::PackApplied)));
    }
    let error = life(&bus).await.expect_err("somebody was faster");
    assert!(matches!(error, PageError::Conflict(_)), "{error}");
    life(&bus).await.expect("written");
    assert_eq!(told(&bus), expected());
    assert!(bus.0.lock().expect("whole").trail[0].1.contains("pack_applied"));
}

#[tokio::test(start_paused = true)]
async fn a_task_of_nobody_known_is_told_of_in_the_fleets_chain() {
    let bus = FakeBus::default();
    let whose = Whose::Task(task("acme"));
    let deeds = vec![deed(Action::RecordUnreadable)];
    bus.0.lock().expect("whole").log =
        vec![Source { stream: "LOG".into(), sequence: 1, whose, deeds }];
    life(&bus).await.expect("written");
    assert_eq!(told(&bus), BTreeMap::from([("fleet".to_owned(), vec![1])]));
}
