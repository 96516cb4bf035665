use proptest::prelude::*;

use super::*;
use crate::workflow::WhenFull;

const SECOND: Duration = Duration::from_secs(1);

fn prices() -> Prices {
    Prices::parse(
        r#"{"version": "t", "source": "", "models": {
            "a/dear": {"input": 10, "output": 50}, "b/cheap": {"input": 1, "output": 5},
            "c/cheap": {"input": 1, "output": 5}}}"#,
    )
    .unwrap()
}

fn route(name: &str) -> Route {
    let (provider, model) = name.split_once('/').unwrap();
    Route::new(provider, model)
}

fn alias() -> ModelAlias {
    let mut dear = route("a/dear");
    dear.context_max = Some(2_000);
    dear.usd_left_min_micros = Some(20_000);
    let routes = vec![dear, route("b/cheap"), route("c/cheap")];
    ModelAlias { routes, cache_answers: false, is_free: false }
}

fn ask() -> Ask<'static> {
    let grant = Grant { usd_micros: 100_000, tokens: 10_000 };
    Ask {
        class: None,
        prompt_tokens: &[1_000; 3],
        output_tokens_max: 500,
        grant,
        time_left: 5 * SECOND,
    }
}

fn ready(_: usize, _: &Route) -> Health {
    Health::Ready
}

/// The route's name, and why each one before it was passed over.
fn chosen_for(ask: &Ask<'_>, health: impl Fn(usize, &Route) -> Health) -> (String, Vec<String>) {
    let chosen = choose(&alias(), ask, &prices(), health).unwrap_or_else(|it| panic!("{it}"));
    let whys = chosen.choice.passed.into_iter().map(|(_, why)| why).collect();
    (chosen.choice.model, whys)
}

#[test]
fn the_first_route_is_asked_and_priced() {
    let chosen = choose(&alias(), &ask(), &prices(), ready).unwrap();
    assert_eq!(chosen.estimate, Grant { usd_micros: 35_000, tokens: 1_500 });
    let choice = Choice {
        model: "a/dear".to_owned(),
        why: "first choice of the pack".to_owned(),
        ..Choice::default()
    };
    assert_eq!((chosen.index, chosen.wait, chosen.choice), (0, Duration::ZERO, choice));
}

#[test]
fn each_reason_passes_a_route_over() {
    let long = Ask { prompt_tokens: &[3_000; 3], ..ask() };
    let (model, why) = chosen_for(&long, ready);
    assert_eq!(model, "b/cheap");
    assert_eq!(why, ["takes prompts of 2000 tokens, this one has up to 3000"]);
    let poor = Ask { grant: Grant { usd_micros: 10_000, tokens: 10_000 }, ..ask() };
    assert_eq!(
        chosen_for(&poor, ready).1,
        ["is for attempts with 0.02 USD left, this one has 0.01"]
    );
    let less = Ask { grant: Grant { usd_micros: 30_000, tokens: 10_000 }, ..ask() };
    assert_eq!(
        chosen_for(&less, ready).1,
        ["can cost 0.035 USD and 1500 tokens, 0.03 USD and 10000 are left"]
    );
    let counted = Ask { prompt_tokens: &[3_000, 10_000, 1_000], ..ask() };
    assert_eq!(chosen_for(&counted, ready).0, "c/cheap", "each model counts in its own way");
    let (model, why) = chosen_for(&ask(), |index, _| match index {
        0 => Health::Unset { why: "has no key".to_owned() },
        1 => Health::Down { why: "breaker is open".to_owned(), is_limited: false },
        _ => Health::Ready,
    });
    assert_eq!(
        (model.as_str(), why),
        ("c/cheap", vec!["has no key".to_owned(), "breaker is open".to_owned()])
    );
    let other = choose(&alias(), &long, &prices(), ready).unwrap().choice;
    assert_eq!(other.why, "the one before it was passed over");
    assert!(!other.is_degraded, "a route for longer prompts is no fallback");
    for health in [
        Health::Unset { why: String::new() },
        Health::Down { why: String::new(), is_limited: false },
        Health::Busy { wait: SECOND },
    ] {
        let first = |index: usize, _: &Route| match index {
            0 => health.clone(),
            _ => Health::Ready,
        };
        assert!(choose(&alias(), &ask(), &prices(), first).unwrap().choice.is_degraded);
    }
    for ask in [poor, less] {
        assert!(choose(&alias(), &ask, &prices(), ready).unwrap().choice.is_degraded, "{ask:?}");
    }
}

#[test]
fn routes_are_for_the_kinds_of_work_that_the_pack_names() {
    let [extract, reason] = ["extract", "reason"].map(|class| Name::new(class).unwrap());
    let mut alias = alias();
    alias.routes[0].classes = vec![reason.clone()];
    alias.routes[1].classes = vec![extract.clone(), reason.clone()];
    let choice = |class: Option<&Name>, health: fn(usize, &Route) -> Health| {
        let choice = choose(&alias, &Ask { class, ..ask() }, &prices(), health).unwrap().choice;
        (choice.model, choice.is_degraded)
    };
    assert_eq!(choice(Some(&reason), ready), ("a/dear".to_owned(), false));
    assert_eq!(choice(Some(&extract), ready), ("b/cheap".to_owned(), false), "no fallback");
    assert_eq!(choice(None, ready), ("c/cheap".to_owned(), false));
    let first_down = |index: usize, _: &Route| match index {
        2 => Health::Ready,
        _ => Health::Down { why: "down".to_owned(), is_limited: false },
    };
    assert_eq!(choice(Some(&extract), first_down), ("c/cheap".to_owned(), true));
    let passed = choose(&alias, &ask(), &prices(), ready).unwrap().choice.passed;
    assert_eq!(passed[1].1, "is for work of class extract, reason");
}

#[test]
fn a_wait_is_taken_only_when_nobody_is_ready() {
    let busy = |waits: [u64; 3]| {
        move |index: usize, _: &Route| match waits[index] {
            0 => Health::Ready,
            wait => Health::Busy { wait: Duration::from_millis(wait) },
        }
    };
    assert_eq!(chosen_for(&ask(), busy([300, 0, 0])).0, "b/cheap");
    let chosen = choose(&alias(), &ask(), &prices(), busy([300, 200, 900])).unwrap();
    assert_eq!((chosen.index, chosen.wait), (1, Duration::from_millis(200)));
    let late = choose(&alias(), &ask(), &prices(), busy([9_000, 7_000, 8_000])).unwrap_err();
    assert_eq!((late.kind, late.retry_after), (FailureKind::RateLimited, Some(7 * SECOND)));
    assert_eq!(late.passed.len(), 3);
}

#[test]
fn the_failure_says_what_would_help() {
    let kind = |ask: &Ask<'_>, health: fn(usize, &Route) -> Health| {
        choose(&alias(), ask, &prices(), health).unwrap_err().kind
    };
    let nothing = Ask { grant: Grant::default(), ..ask() };
    assert_eq!(kind(&nothing, ready), FailureKind::Limit);
    let unset = |_: usize, _: &Route| Health::Unset { why: String::new() };
    assert_eq!(kind(&ask(), unset), FailureKind::Error);
    let down = |_: usize, _: &Route| Health::Down { why: String::new(), is_limited: false };
    assert_eq!(kind(&ask(), down), FailureKind::Unavailable);
    let limited = |_: usize, _: &Route| Health::Down { why: String::new(), is_limited: true };
    assert_eq!(kind(&ask(), limited), FailureKind::RateLimited);
}

#[test]
fn another_route_is_asked_beside_a_slow_one_where_both_can_be_paid() {
    let mut alias = alias();
    for route in &mut alias.routes[..2] {
        route.hedge_after = Some(SECOND);
    }
    let second = |grant: u64, first: usize, health: fn(usize, &Route) -> Health| {
        let ask = Ask { grant: Grant { usd_micros: grant, tokens: 10_000 }, ..ask() };
        let passed = |index: usize, _: &Route| match index < first {
            true => Health::Unset { why: "no key".to_owned() },
            false => Health::Ready,
        };
        let first = choose(&alias, &ask, &prices(), passed).unwrap();
        beside(&alias, &first, (&ask, &prices()), health).map(|second| {
            let passed: Vec<_> = second.choice.passed.iter().map(|(_, why)| why.as_str()).collect();
            (second.index, passed.join("; "))
        })
    };
    let slow = "had no answer after 1000 ms";
    let busy = |index: usize, _: &Route| match index {
        1 => Health::Busy { wait: SECOND },
        _ => Health::Ready,
    };
    let down = |_: usize, _: &Route| Health::Down { why: String::new(), is_limited: false };
    assert_eq!(second(100_000, 0, ready), Some((1, slow.to_owned())));
    let waits = format!("{slow}; is to be left alone for 1000 ms");
    assert_eq!(second(100_000, 0, busy), Some((2, waits)), "nobody is waited for");
    assert_eq!(second(100_000, 1, ready), Some((2, format!("no key; {slow}"))));
    assert_eq!(second(100_000, 2, ready), None, "no patience was set, and nobody is left");
    assert_eq!(second(100_000, 0, down), None);
    // The first one can cost 35,000, each of the others 3,500.
    assert_eq!(second(38_500, 0, ready).map(|it| it.0), Some(1));
    assert_eq!(second(38_499, 0, ready), None, "both cannot be paid");
}

#[test]
fn an_unknown_price_is_refused_unless_free() {
    let mut own =
        ModelAlias { routes: vec![route("ollama/qwen3:8b")], cache_answers: false, is_free: false };
    let error = choose(&own, &ask(), &prices(), ready).unwrap_err();
    assert_eq!(error.kind, FailureKind::Error);
    assert_eq!(
        error.to_string(),
        "no model can be asked: ollama/qwen3:8b has no price in the table of t: pin a version that \
         has, or declare the model `free`"
    );
    own.is_free = true;
    let free = Ask { grant: Grant { usd_micros: 0, tokens: 10_000 }, ..ask() };
    let estimate = choose(&own, &free, &prices(), ready).unwrap().estimate;
    assert_eq!(estimate, Grant { usd_micros: 0, tokens: 1_500 });
}

fn role(low: Option<&str>) -> ModelRole {
    ModelRole {
        alias: Name::new("strong").unwrap(),
        class: None,
        alias_when_low: low.map(|low| Name::new(low).unwrap()),
        prompt: crate::model::template::Template::default(),
        tools: Vec::new(),
        documents: Vec::new(),
        calls_max: 1,
        output_tokens_max: 1,
        temperature_millis: None,
        context_tokens_max: 1,
        when_full: WhenFull::Fail,
        confidence_min: None,
    }
}

#[test]
fn a_role_steps_down_when_its_grant_runs_out() {
    let granted = Grant { usd_micros: 1_000, tokens: 1_000 };
    let role_low = role(Some("cheap"));
    let asked = |left: Grant, granted: Grant| {
        let (alias, why) = step_down(&role_low, granted, left);
        (alias.to_string(), why)
    };
    let left = |usd_micros, tokens| Grant { usd_micros, tokens };
    assert_eq!(asked(left(200, 200), granted), ("strong".to_owned(), None));
    let why = "19 % of the grant is left: cheap instead of strong".to_owned();
    assert_eq!(asked(left(199, 900), granted), ("cheap".to_owned(), Some(why)));
    assert_eq!(asked(left(900, 100), granted).0, "cheap");
    assert_eq!(asked(left(0, 900), left(0, 1_000)).0, "strong", "money was never granted");
    assert_eq!(step_down(&role(None), granted, left(0, 0)).1, None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_asked_that_could_cost_more_than_granted(
        usd_micros in 0_u64..100_000, tokens in 0_u64..10_000,
        prompt_tokens in 0_u64..5_000, output_tokens_max in 0_u32..2_000,
        states in prop::array::uniform3(0_u8..4), time_left_ms in 0_u64..3_000,
    ) {
        let time_left = Duration::from_millis(time_left_ms);
        let prompt_tokens = &[prompt_tokens; 3];
        let ask = Ask { class: None, prompt_tokens, output_tokens_max, grant: Grant { usd_micros, tokens }, time_left };
        let health = |index: usize, _: &Route| match states[index] {
            0 => Health::Ready,
            1 => Health::Busy { wait: SECOND * (index as u32 + 1) },
            2 => Health::Down { why: "down".to_owned(), is_limited: false },
            _ => Health::Unset { why: "unset".to_owned() },
        };
        match choose(&alias(), &ask, &prices(), health) {
            Ok(chosen) => {
                prop_assert!(ask.grant.covers(chosen.estimate));
                prop_assert!(chosen.wait.is_zero() || chosen.wait < time_left);
                prop_assert!(states[chosen.index] < 2);
                prop_assert_eq!(chosen.choice.passed.len(), chosen.index);
            }
            Err(none) => prop_assert_eq!(none.passed.len(), 3),
        }
    }
}
