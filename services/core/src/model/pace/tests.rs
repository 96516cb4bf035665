use proptest::prelude::*;

use super::*;

const START: UnixMillis = UnixMillis(1_800_000_000_000);

fn name(name: &str) -> Name {
    Name::new(name).unwrap()
}

fn requests(per_minute: u32) -> Rates {
    Rates { requests_per_minute: Some(per_minute), tokens_per_minute: None }
}

fn at(ms: u64) -> UnixMillis {
    START.after(Duration::from_millis(ms))
}

/// Begins calls as soon as they may, those of each tenant in turn; says who began when.
fn greedy(pacer: &mut Pacer, tenants: &[Name], until_ms: u64) -> Vec<(Name, u64)> {
    let mut begun = Vec::new();
    for ms in (0..until_ms).step_by(50) {
        for tenant in tenants {
            while pacer.begin(tenant, 100, at(ms)).is_ok() {
                begun.push((tenant.clone(), ms));
            }
        }
    }
    begun
}

#[test]
fn without_limits_nobody_waits() {
    let mut pacer = Pacer::new(Rates::default(), 1);
    for _ in 0..1_000 {
        pacer.begin(&name("t"), 1_000_000, START).unwrap();
    }
}

#[test]
fn whoever_asked_lately_is_not_idle() {
    let mut pacer = Pacer::new(requests(1), 1);
    assert!(pacer.is_idle(START));
    pacer.begin(&name("t"), 1, START).unwrap();
    assert!(!pacer.is_idle(at(62_000)), "its limit is used up");
    assert!(pacer.is_idle(at(64_000)));
}

#[test]
fn a_small_limit_is_spread_over_the_minute() {
    let mut pacer = Pacer::new(requests(3), 1);
    let begun: Vec<u64> =
        greedy(&mut pacer, &[name("t")], 70_000).into_iter().map(|(_, ms)| ms).collect();
    assert_eq!(begun, [0, 21_000, 42_000, 63_000]);
}

#[test]
fn tenants_get_the_same_share_however_much_they_ask() {
    let mut pacer = Pacer::new(requests(600), 1);
    let (greedy_one, modest) = (name("a"), name("b"));
    let mut served = 0;
    for ms in (0..60_000).step_by(50) {
        while pacer.begin(&greedy_one, 1, at(ms)).is_ok() {}
        // Once a second, long after the other one took all that there was.
        if ms % 1_000 == 0 {
            served += u32::from(pacer.begin(&modest, 1, at(ms + 20)).is_ok());
        }
    }
    assert!(served >= 55, "{served}");
    let both = greedy(&mut Pacer::new(requests(600), 1), &[greedy_one.clone(), modest], 60_000);
    let first = both.iter().filter(|(tenant, _)| *tenant == greedy_one).count();
    assert!((250..=350).contains(&first), "{first} of {}", both.len());
}

#[test]
fn gateways_together_keep_to_the_limit() {
    let mut fleet: Vec<_> = (0..4).map(|_| Pacer::new(requests(60), 4)).collect();
    let begun: usize =
        fleet.iter_mut().map(|pacer| greedy(pacer, &[name("t")], 60_000).len()).sum();
    assert!((52..=60).contains(&begun), "{begun}");
    let mut alone = Pacer::new(requests(60), 4);
    alone.share(1);
    assert!(greedy(&mut alone, &[name("t")], 60_000).len() > 50);
}

#[test]
fn tokens_that_were_not_needed_are_given_back() {
    let rates = Rates { requests_per_minute: None, tokens_per_minute: Some(60_000) };
    let mut pacer = Pacer::new(rates, 1);
    let tenant = name("t");
    pacer.begin(&tenant, 30_000, START).unwrap();
    let wait = pacer.begin(&tenant, 30_000, START).unwrap_err();
    assert_eq!(wait, Duration::from_millis(31_500));
    pacer.answered(&tenant, (30_000, 1_000), START);
    assert_eq!(pacer.wait(&tenant, 1_000, START), Duration::ZERO);
}

/// Begins calls every 50 ms for so long, at most as many as `most`; says how many began.
fn at_most(pacer: &mut Pacer, (from_ms, until_ms): (u64, u64), most: usize) -> usize {
    let mut begun = 0;
    for ms in (from_ms..until_ms).step_by(50) {
        while begun < most && pacer.begin(&name("t"), 1, at(ms)).is_ok() {
            begun += 1;
        }
    }
    begun
}

#[test]
fn a_limit_is_learnt_from_refusals_that_do_not_say_for_how_long() {
    let mut pacer = Pacer::new(Rates::default(), 1);
    assert_eq!(at_most(&mut pacer, (0, 9_000), 40), 40);
    let again = |pacer: &mut Pacer, ms| pacer.refused(None, 0.0, at(ms)).since(at(ms)).as_secs();
    assert_eq!(again(&mut pacer, 9_000), 1);
    // 240 a minute were too many: 180, and a twentieth more every ten seconds.
    assert_eq!(again(&mut pacer, 9_500), 2, "of those that were out, who says the same");
    let begun = at_most(&mut pacer, (12_000, 72_000), 1_000);
    assert!((170..=230).contains(&begun), "{begun}");
    // It is still too many.
    pacer.answered(&name("t"), (1, 1), at(72_000));
    again(&mut pacer, 72_000);
    let slower = at_most(&mut pacer, (80_000, 140_000), 1_000);
    assert!((150..begun).contains(&slower), "{slower} of {begun}");
    assert_eq!(at_most(&mut pacer, (680_000, 680_050), 500), 500, "it is forgotten after a while");

    let mut told = Pacer::new(Rates::default(), 1);
    assert_eq!(at_most(&mut told, (0, 9_000), 40), 40);
    told.refused(Some(Duration::from_secs(2)), 0.0, at(9_000));
    assert_eq!(
        at_most(&mut told, (12_000, 12_050), 500),
        500,
        "who says for how long has said all"
    );

    let mut set = Pacer::new(requests(60), 3);
    set.refused(None, 0.0, at(0));
    let begun = at_most(&mut set, (2_000, 62_000), 1_000);
    assert!(begun <= 4, "{begun}: of six a minute for all three, the least that is learnt");
}

#[test]
fn what_one_gateway_has_learnt_the_others_keep_to_and_forget_with_it() {
    let [mut one, mut two] = [1, 2].map(|_| Pacer::new(Rates::default(), 2));
    assert_eq!(one.learnt(at(0)), None);
    assert_eq!(at_most(&mut one, (0, 9_000), 40), 40);
    one.refused(None, 0.0, at(9_000));
    let (per_minute, age) = one.learnt(at(19_000)).expect("three quarters of 240 for each of two");
    assert_eq!((per_minute, age), (360, Duration::from_secs(10)));
    // Its clock is another one.
    two.hear_learnt((per_minute, age), at(119_000));
    let begun = at_most(&mut two, (119_000, 179_000), 1_000);
    assert!((170..=230).contains(&begun), "{begun}: its half of the fleet's limit");
    // Echoes keep nothing alive, and nothing younger than it is.
    two.hear_learnt((per_minute, Duration::ZERO), at(179_000));
    one.hear_learnt((per_minute, Duration::ZERO), at(79_000));
    assert_eq!(two.learnt(at(179_000)), Some((360, Duration::from_secs(70))));
    assert_eq!(one.learnt(at(609_000)), None);
    assert_eq!(two.learnt(at(709_000)), None);
    // A higher one is no news, a lower one is.
    two.hear_learnt((60, Duration::ZERO), at(800_000));
    two.hear_learnt((90, Duration::ZERO), at(800_000));
    two.hear_learnt((30, Duration::ZERO), at(800_000));
    assert_eq!(two.learnt(at(800_000)), Some((30, Duration::ZERO)));
    two.hear_learnt((1, Duration::from_secs(600)), at(800_000));
    assert_eq!(two.learnt(at(800_000)), Some((30, Duration::ZERO)), "that one is forgotten");
}

#[test]
fn a_provider_that_asks_for_patience_gets_it() {
    let mut pacer = Pacer::new(requests(600), 1);
    let tenant = name("t");
    pacer.begin(&tenant, 1, START).unwrap();
    let until = pacer.refused(Some(Duration::from_secs(8)), 0.5, START);
    assert_eq!(until, at(9_000));
    assert_eq!(pacer.begin(&tenant, 1, at(1_000)), Err(Duration::from_millis(8_105)));
    let begun = greedy(&mut pacer, std::slice::from_ref(&tenant), 10_000);
    let times: Vec<_> = begun.iter().map(|(_, ms)| *ms).collect();
    assert!(times.len() > 5 && times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    assert!(times[0] >= 9_000);

    let mut silent = Pacer::new(Rates::default(), 1);
    let waits = [1, 2, 4].map(|_| silent.refused(None, 0.0, START).since(START).as_secs());
    assert_eq!(waits, [1, 2, 4]);
    silent.answered(&tenant, (0, 0), START);
    assert_eq!(silent.refused(None, 0.0, at(60_000)), at(61_000));
    assert_eq!(silent.refused(Some(Duration::MAX), 0.0, START), START.after(RETRY_AFTER_MAX));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_minute_has_more_requests_than_the_limit(
        per_minute in 1_u32..200, gateways in 1_u32..4,
        steps in prop::collection::vec((0_u64..3_000, 0_usize..3, 0_usize..3), 1..300),
    ) {
        let mut fleet: Vec<_> = (0..gateways).map(|_| Pacer::new(requests(per_minute), gateways)).collect();
        let tenants = ["a", "b", "c"].map(name);
        let (mut ms, mut begun) = (0, Vec::new());
        for (step, pacer, tenant) in steps {
            ms += step;
            let pacer = pacer % fleet.len();
            while fleet[pacer].begin(&tenants[tenant], 1, at(ms)).is_ok() {
                begun.push(ms);
            }
        }
        for (index, first) in begun.iter().enumerate() {
            let within = begun[index..].iter().take_while(|ms| **ms < first + 60_000).count();
            // A share below one request a minute still lets each process ask once.
            let most = per_minute.max(gateways) as usize + gateways as usize - 1;
            prop_assert!(within <= most, "{within} of {per_minute} by {gateways}");
        }
    }

    #[test]
    fn tokens_never_outrun_the_providers_bucket(
        per_minute in 10_000_u64..1_000_000,
        steps in prop::collection::vec((0_u64..5_000, 1_u64..10_000), 1..200),
    ) {
        let rates = Rates { requests_per_minute: None, tokens_per_minute: Some(per_minute) };
        let mut pacer = Pacer::new(rates, 1);
        let (mut ms, mut bucket) = (0, per_minute as f64);
        for (step, tokens) in steps {
            ms += step;
            let filled = step as f64 * per_minute as f64 / 60_000.0;
            bucket = (bucket + filled).min(per_minute as f64);
            while pacer.begin(&name("t"), tokens, at(ms)).is_ok() {
                bucket -= tokens as f64;
                prop_assert!(bucket >= 0.0, "{bucket}");
            }
        }
    }
}
