//! Properties over random lives of a fleet.

use std::{collections::BTreeSet, time::Duration};

use proptest::{prelude::*, sample::Index};

use super::{super::*, kit::*};

/// Something that happens to one pod.
#[derive(Debug, Clone)]
enum Step {
    Call(Index, CallOutcome, u64),
    Burst(Index, CallOutcome),
    Ask(Index),
    GiveBack(Index),
    Pay(Index),
    Learn(Index),
    Restart(Index),
    Reset,
    Force(ForcedTo, u64),
    Wait(u64),
}

fn outcome() -> impl Strategy<Value = CallOutcome> {
    prop_oneof![1 => Just(GOOD), 3 => Just(BAD), 1 => Just(CallOutcome::Ignored)]
}

fn step() -> impl Strategy<Value = Step> {
    let pod = any::<Index>;
    let forced = prop_oneof![Just(ForcedTo::Open), Just(ForcedTo::Closed)];
    prop_oneof![
        4 => (pod(), outcome(), 0..40_000_u64).prop_map(|(p, o, took)| Step::Call(p, o, took)),
        4 => (pod(), outcome()).prop_map(|(p, o)| Step::Burst(p, o)),
        8 => pod().prop_map(Step::Ask),
        1 => pod().prop_map(Step::GiveBack),
        8 => pod().prop_map(Step::Pay),
        8 => pod().prop_map(Step::Learn),
        1 => pod().prop_map(Step::Restart),
        1 => Just(Step::Reset),
        1 => (forced, 1..20_000_u64).prop_map(|(to, ms)| Step::Force(to, ms)),
        8 => prop_oneof![0..50_u64, 0..6_000_u64, 0..70_000_u64].prop_map(Step::Wait),
    ]
}

/// A fleet that is watched.
struct Life {
    fleet: Fleet,
    now: UnixMillis,
    born: u32,
    held: Vec<(usize, Lease)>,
    /// Leases that a probe went out on and did not come back from, by pod and beginning.
    spent: BTreeSet<(Name, UnixMillis)>,
}

impl Life {
    fn new() -> Self {
        let fleet = Fleet::of(&["a", "b", "c"]);
        Self { fleet, now: ms(0), born: 0, held: Vec::new(), spent: BTreeSet::new() }
    }

    fn live(&mut self, step: &Step) {
        let (count, now) = (self.fleet.pods.len(), self.now);
        let at = self.fleet.at(now);
        match step {
            Step::Call(pod, outcome, took) => {
                let took = Duration::from_millis(*took);
                let call = Call { took, ..call(*outcome) };
                self.fleet.pods[pod.index(count)].record(call, at);
            }
            Step::Burst(pod, outcome) => {
                (0..20).for_each(|_| self.fleet.record(pod.index(count), *outcome, now));
            }
            Step::Ask(pod) => self.ask(pod.index(count)),
            Step::GiveBack(pod) => {
                let pod = pod.index(count);
                let Some(place) = self.held.iter().position(|(holder, _)| *holder == pod) else {
                    return;
                };
                let (_, lease) = self.held.remove(place);
                self.fleet.pods[pod].give_back(&lease);
                self.spent.remove(&(lease.pod, lease.since));
            }
            Step::Pay(pod) => self.fleet.pay(pod.index(count), now),
            Step::Learn(pod) => {
                let news = self.fleet.board.clone();
                self.fleet.pods[pod.index(count)].learn(news, now);
            }
            Step::Restart(pod) => {
                self.born += 1;
                let pod = pod.index(count);
                self.held.retain(|(holder, _)| *holder != pod);
                self.fleet.pods[pod] = breaker(&format!("r{}", self.born));
            }
            Step::Reset => self.fleet.edit(|hint| hint.reset(now)),
            Step::Force(to, ms) => {
                let until = now.after(Duration::from_millis(*ms));
                let (by, reason) = (String::new(), String::new());
                self.fleet
                    .edit(|hint| hint.force(Forced { to: *to, since: now, until, by, reason }));
            }
            Step::Wait(ms) => self.now = now.after(Duration::from_millis(*ms)),
        }
    }

    fn ask(&mut self, pod: usize) {
        match self.fleet.permit(pod, self.now) {
            Permit::Yes => {}
            Permit::No { until, .. } => assert!(until > self.now, "asks again later"),
            Permit::Probe(lease) => {
                assert!(lease.until > self.now, "an expired lease");
                let is_first = self.spent.insert((lease.pod.clone(), lease.since));
                assert!(is_first, "two probes on one lease: {lease:?}");
                self.held.push((pod, lease));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_lease_gives_two_probes(steps in prop::collection::vec(step(), 0..120)) {
        let mut life = Life::new();
        steps.iter().for_each(|step| life.live(step));
    }

    #[test]
    fn whatever_happened_calls_flow_again_once_they_succeed(
        steps in prop::collection::vec(step(), 0..120)
    ) {
        let mut life = Life::new();
        steps.iter().for_each(|step| life.live(step));
        // Longest opening, a lost probe, and some rounds of asking.
        for _ in 0..200 {
            life.now = life.now.after(Duration::from_secs(1));
            life.fleet.settle(life.now);
            for pod in 0..life.fleet.pods.len() {
                if !matches!(life.fleet.permit(pod, life.now), Permit::No { .. }) {
                    life.fleet.record(pod, GOOD, life.now);
                }
            }
        }
        life.fleet.settle(life.now);
        prop_assert_eq!(life.fleet.permits(life.now), "yyy");
    }

    #[test]
    fn ignored_calls_never_open_anything(
        calls in prop::collection::vec((0..60_000_u64, 0..5_000_u64, any::<u32>()), 0..200)
    ) {
        let settings = Settings {
            calls_min: 1,
            failure_permille: 1,
            slow_after: Some(Duration::ZERO),
            slow_permille: 1,
            usd_micros_per_minute_max: Some(0),
            ..Settings::default()
        };
        let mut one = Breaker::new(target(), pod("a"), settings);
        let mut now = ms(0);
        for (took, wait, usd) in calls {
            let took = Duration::from_millis(took);
            let call = Call { outcome: CallOutcome::Ignored, took, usd_micros: u64::from(usd) };
            prop_assert_eq!(one.record(call, alone(now)), None);
            now = now.after(Duration::from_millis(wait));
            prop_assert_eq!(one.permit(alone(now)), Permit::Yes);
        }
    }

    #[test]
    fn a_window_later_everything_is_forgotten(
        calls in prop::collection::vec((outcome(), 0..1_000_u64), 0..19), wait in 30_000..200_000_u64
    ) {
        let mut now = ms(0);
        let mut one = breaker("a");
        for (outcome, pause) in calls {
            one.record(call(outcome), alone(now));
            now = now.after(Duration::from_millis(pause));
        }
        now = now.after(Duration::from_millis(wait));
        (0..19).for_each(|_| drop(one.record(call(BAD), alone(now))));
        prop_assert!(one.is_closed(alone(now)));
        one.record(call(BAD), alone(now));
        prop_assert!(!one.is_closed(alone(now)));
    }

    #[test]
    fn decoding_never_panics_and_what_it_reads_is_bounded(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Hint::decode(&target(), &bytes);
    }

    #[test]
    fn a_damaged_hint_is_refused_or_reads_back(place in any::<Index>(), byte in any::<u8>()) {
        let opening = Opening { since: ms(1), until: ms(2), row: 1, reason: "r".into() };
        let hint = Hint::new(target()).reported(&pod("a"), &opening, &Settings::default());
        let mut bytes = hint.encode().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(read) = Hint::decode(&target(), &bytes) {
            prop_assert_eq!(Hint::decode(&target(), read.encode().as_bytes()), Ok(read));
        }
    }
}
