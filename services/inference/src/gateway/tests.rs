//! The flow of one call, over providers that do as they are told, on a paused clock.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use cadre_core::{
    breaker::Settings,
    ids::{StepId, TaskId},
    model::{Manner, Prompt, ProviderCall, Turn},
    pack::{PackSource, compile},
    ports::Provider,
    time::UnixMillis,
};
use cadre_runtime::breaker::BreakerOptions;

use super::*;

const ANYTHING: &[u8] = b"{\"type\": \"object\"}";

/// A pack store with one pack.
#[derive(Debug, Clone)]
pub(crate) struct Shelf(Arc<Workflow>);

impl Packs for Shelf {
    async fn current(&self, _: &Name) -> Result<Option<Arc<Workflow>>, BusError> {
        Ok(Some(Arc::clone(&self.0)))
    }

    async fn list(&self) -> Result<Vec<(Name, String)>, BusError> {
        Ok(vec![(self.0.name.clone(), self.0.revision.clone())])
    }

    async fn revisions(&self, _: usize) -> Result<Vec<String>, BusError> {
        Ok(vec![self.0.revision.clone()])
    }

    async fn revision(&self, revision: &str) -> Result<Option<Arc<Workflow>>, BusError> {
        Ok((self.0.revision == revision).then(|| Arc::clone(&self.0)))
    }
}

/// A pack whose model `fast` is what `model` says.
pub(crate) fn shelf(model: &str, cassette: &str) -> Shelf {
    shelf_of("", model, cassette)
}

/// The same, whose role has these keys as well.
fn shelf_of(keys: &str, model: &str, cassette: &str) -> Shelf {
    let yaml = format!(
        "apiVersion: pack/v1\nname: told\nmodels:\n  fast: {model}\nroles:\n  teller: {{{keys}runtime: model, \
         model: fast, prompt: prompts/tell.md, accepts: contracts/any.v1.json, returns: \
         contracts/any.v1.json, limits: {{timeout: 1m, max_usd: 1, max_tokens: 100000}}}}\nworkflow:\n  \
         input: contracts/any.v1.json\n  output: contracts/any.v1.json\n  limits: {{deadline: 5m, \
         max_steps: 1, max_usd: 1, max_tokens: 100000}}\n  when_limited: partial\n  steps:\n    tell: \
         {{role: teller, with: \"${{ goal }}\"}}\n  result:\n    told: \"${{ tell }}\"\n"
    );
    let mut files = BTreeMap::from([
        ("pack.yaml".to_owned(), yaml.into_bytes()),
        ("prompts/tell.md".to_owned(), b"Tell.\n".to_vec()),
        ("contracts/any.v1.json".to_owned(), ANYTHING.to_vec()),
    ]);
    if !cassette.is_empty() {
        files.insert("cassettes/told.jsonl".to_owned(), cassette.as_bytes().to_vec());
    }
    let source = PackSource { files };
    let workflow = compile(&source).unwrap_or_else(|errors| panic!("{errors}"));
    Shelf(Arc::new(workflow))
}

/// What a provider does with its next call.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Say(&'static str, TokenUsage),
    Fail(ProviderFailureKind, Option<Duration>),
    After(Duration, Box<Self>),
    Panic,
}

/// A provider that does as it is told, and the last thing for ever.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Arc<(Mutex<VecDeque<Act>>, AtomicU64)>);

impl Told {
    pub(crate) fn to(acts: &[Act]) -> Self {
        Self(Arc::new((Mutex::new(acts.iter().cloned().collect()), AtomicU64::new(0))))
    }

    pub(crate) fn calls(&self) -> u64 {
        self.0.1.load(Ordering::Relaxed)
    }
}

impl Provider for Told {
    async fn complete(
        &self,
        call: ProviderCall,
        heard: impl Fn(&str) + Send + Sync,
    ) -> Result<Said, ProviderFailure> {
        assert!(!call.cache_key.is_empty());
        self.0.1.fetch_add(1, Ordering::Relaxed);
        let mut act = {
            let mut acts = self.0.0.lock().unwrap();
            if acts.len() > 1 { acts.pop_front() } else { acts.front().cloned() }.unwrap()
        };
        while let Act::After(wait, then) = act {
            tokio::time::sleep(wait).await;
            act = *then;
        }
        match act {
            Act::Say(text, usage) => {
                for word in text.split_inclusive(' ') {
                    heard(word);
                    tokio::task::yield_now().await;
                }
                Ok(Said { text: text.to_owned(), usage, ..Said::default() })
            }
            Act::Fail(kind, retry_after) => {
                Err(ProviderFailure { kind, message: "as told".to_owned(), retry_after })
            }
            Act::Panic => panic!("as told"),
            Act::After(..) => unreachable!("waited for above"),
        }
    }
}

pub(crate) fn usage(input: u64, output: u64) -> TokenUsage {
    TokenUsage { input, output, ..TokenUsage::default() }
}

pub(crate) fn request(shelf: &Shelf) -> ModelRequest {
    let name = |text: &str| Name::new(text).unwrap();
    ModelRequest {
        tenant: name("acme"),
        task: TaskId::derive(&name("acme"), "1"),
        step: StepId::single(name("tell")),
        role: name("teller"),
        workflow: name("told"),
        revision: shelf.0.revision.clone(),
        alias: name("fast"),
        key: "key.1".to_owned(),
        prompt: Prompt {
            system: "Tell.".to_owned(),
            tools: Vec::new(),
            turns: vec![Turn::User("a story".to_owned())],
        },
        manner: Manner { output_tokens_max: 1_000, ..Manner::default() },
        grant: Grant { usd_micros: 1_000_000, tokens: 100_000 },
        time_left: Duration::from_secs(60),
        is_followed: false,
        trace: None,
    }
}

/// A gateway with these providers; its breakers tell the time by tokio's clock.
pub(crate) fn gateway(shelf: &Shelf, told: &[(&str, &Told)]) -> Gateway<Shelf> {
    let pod = Name::new("pod-1").unwrap();
    let begun = Instant::now();
    let now = move || UnixMillis(u64::try_from(begun.elapsed().as_millis()).unwrap());
    let providers =
        told.iter().fold(Providers::default(), |all, (name, told)| all.with(name, (*told).clone()));
    Gateway::new(GatewayTerms {
        pod: pod.clone(),
        packs: shelf.clone(),
        providers,
        simulated: SimulatedOptions::default(),
        rates: RateTable::default(),
        breakers: Breakers::local(BreakerOptions { pod, settings: Settings::default() }, now),
    })
    .unwrap()
}

const TWO: &str = "{routes: [{model: first/a}, {model: second/b}], free: true}";
const PRICED: &str = "{routes: [{model: anthropic/claude-haiku-4-5-20251001}]}";

async fn ask(
    model: &str,
    told: &[(&str, &Told)],
    change: impl FnOnce(&mut ModelRequest),
) -> Result<ModelAnswer, ModelFailure> {
    let shelf = shelf(model, "");
    let mut request = request(&shelf);
    change(&mut request);
    gateway(&shelf, told).answer(&request, &|_| {}).await
}

async fn ask_as(
    keys: &str,
    model: &str,
    told: &[(&str, &Told)],
) -> Result<ModelAnswer, ModelFailure> {
    let shelf = shelf_of(keys, model, "");
    gateway(&shelf, told).answer(&request(&shelf), &|_| {}).await
}

#[tokio::test(start_paused = true)]
async fn the_first_route_answers_and_is_paid_by_what_it_counted() {
    let told = Told::to(&[Act::Say("once upon", usage(1_000, 100))]);
    let answer = ask(PRICED, &[("anthropic", &told)], |_| {}).await.unwrap();
    assert_eq!(answer.said.text, "once upon");
    assert_eq!(answer.cost, Grant { usd_micros: 1_000 + 500, tokens: 1_100 });
    assert_eq!(answer.choice.model, "anthropic/claude-haiku-4-5-20251001");
    assert!(!answer.choice.is_degraded && answer.choice.passed.is_empty());

    let silent = Told::to(&[Act::Say("once upon", TokenUsage::default())]);
    let answer = ask(PRICED, &[("anthropic", &silent)], |_| {}).await.unwrap();
    assert!(answer.cost.usd_micros > 5_000, "what nobody counted costs what was set aside");
}

#[tokio::test(start_paused = true)]
async fn a_route_that_fails_is_passed_over_and_told_of() {
    let broken = Told::to(&[Act::Fail(ProviderFailureKind::Unavailable, None)]);
    let well = Told::to(&[Act::Say("so", usage(10, 1))]);
    let answer = ask(TWO, &[("first", &broken), ("second", &well)], |_| {}).await.unwrap();
    assert_eq!((answer.choice.model.as_str(), answer.choice.is_degraded), ("second/b", true));
    assert_eq!(answer.choice.passed, [("first/a".to_owned(), "as told".to_owned())]);
    assert_eq!(answer.cost, Grant { usd_micros: 0, tokens: 11 }, "an outage costs nothing");

    let answer = ask(TWO, &[("second", &well)], |_| {}).await.unwrap();
    let [(_, why)] = answer.choice.passed.try_into().unwrap();
    assert!(why.contains("has no key"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_for_where_nobody_else_can_be_asked() {
    let wait = Some(Duration::from_secs(7));
    let acts = [Act::Fail(ProviderFailureKind::RateLimited, wait), Act::Say("then", usage(10, 1))];
    let (told, begun) = (Told::to(&acts), Instant::now());
    let one = "{routes: [{model: first/a}], free: true}";
    let answer = ask(one, &[("first", &told)], |_| {}).await.unwrap();
    assert_eq!((answer.said.text.as_str(), told.calls()), ("then", 2));
    let waited = begun.elapsed();
    assert!((7..=10).contains(&waited.as_secs()), "{waited:?}");

    let told = Told::to(&acts);
    let limited = ask(one, &[("first", &told)], |it| it.time_left = Duration::from_secs(5)).await;
    let failure = limited.unwrap_err().failure;
    assert_eq!(failure.kind, FailureKind::RateLimited);
    assert!(failure.retry_after.is_some_and(|wait| wait > Duration::from_secs(6)), "{failure:?}");

    let (told, well) = (Told::to(&acts), Told::to(&[Act::Say("so", usage(10, 1))]));
    let answer = ask(TWO, &[("first", &told), ("second", &well)], |_| {}).await.unwrap();
    assert_eq!(answer.choice.model, "second/b", "somebody else is asked at once");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_for_more_than_the_grant() {
    let told = Told::to(&[Act::Say("no", usage(10, 1))]);
    for grant in [
        Grant { usd_micros: 100, tokens: 100_000 },
        Grant { usd_micros: 1_000_000, tokens: 100 },
        Grant::default(),
    ] {
        let refused = ask(PRICED, &[("anthropic", &told)], |it| it.grant = grant).await;
        assert_eq!(refused.unwrap_err().failure.kind, FailureKind::Limit);
    }
    let unpriced = "{routes: [{model: first/a}]}";
    let refused = ask(unpriced, &[("first", &told)], |_| {}).await.unwrap_err();
    assert!(refused.failure.message.contains("has no price"), "{refused}");
    assert_eq!(told.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_try_whose_answer_is_lost_counts_in_full() {
    let hangs = Told::to(&[Act::After(
        Duration::from_secs(3_600),
        Box::new(Act::Say("late", usage(10, 1))),
    )]);
    let failure = ask(PRICED, &[("anthropic", &hangs)], |_| {}).await.unwrap_err();
    assert_eq!(failure.failure.kind, FailureKind::Timeout);
    assert!(failure.cost.usd_micros > 5_000 && failure.cost.tokens > 1_000, "{failure:?}");

    // What the lost try may have cost is not spent on the next one.
    let lost = Told::to(&[Act::Fail(ProviderFailureKind::Malformed, None)]);
    let well = Told::to(&[Act::Say("so", usage(10, 1))]);
    let both = [("first", &lost), ("second", &well)];
    let enough = |tokens| move |it: &mut ModelRequest| it.grant.tokens = tokens;
    let answer = ask(TWO, &both, enough(2_500)).await.unwrap();
    assert!(answer.cost.tokens > 1_000, "both are paid: {:?}", answer.cost);
    let failure = ask(TWO, &both, enough(1_500)).await.unwrap_err();
    assert_eq!(failure.failure.kind, FailureKind::Limit, "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn a_role_is_routed_by_its_class_of_work() {
    let model = "{routes: [{model: first/a, classes: [write]}, {model: second/b, classes: [tell]}], free: true}";
    let told = Told::to(&[Act::Say("so", usage(10, 1))]);
    let both = [("first", &told), ("second", &told)];
    let answer = ask_as("class: tell, ", model, &both).await.unwrap();
    assert_eq!((answer.choice.model.as_str(), answer.choice.is_degraded), ("second/b", false));
    assert_eq!(answer.choice.passed[0].1, "is for work of class write");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_refused_is_put_to_nobody_else() {
    let no = Told::to(&[Act::Fail(ProviderFailureKind::Refused, None)]);
    let well = Told::to(&[Act::Say("so", usage(10, 1))]);
    let failure = ask(TWO, &[("first", &no), ("second", &well)], |_| {}).await.unwrap_err();
    assert_eq!((failure.failure.kind, well.calls()), (FailureKind::Error, 0));
    assert!(failure.failure.message.starts_with("first/a: as told"), "{failure}");

    let long = Told::to(&[Act::Fail(ProviderFailureKind::TooLong, None)]);
    let failure = ask(TWO, &[("first", &long), ("second", &long)], |_| {}).await.unwrap_err();
    assert_eq!((failure.failure.kind, long.calls()), (FailureKind::InvalidInput, 2));
}

#[tokio::test(start_paused = true)]
async fn a_broken_model_is_left_alone_until_one_probe_passes() {
    let mut acts = vec![Act::Fail(ProviderFailureKind::Unavailable, None); 20];
    acts.push(Act::Say("well again", usage(10, 1)));
    let (sick, well) = (Told::to(&acts), Told::to(&[Act::Say("so", usage(10, 1))]));
    let shelf = shelf(TWO, "");
    let (gateway, request) =
        (gateway(&shelf, &[("first", &sick), ("second", &well)]), request(&shelf));
    for _ in 0..30 {
        let answer = gateway.answer(&request, &|_| {}).await.unwrap();
        assert_eq!(answer.choice.model, "second/b");
    }
    assert_eq!(sick.calls(), 20, "the breaker opened, and no task failed");
    let answer = gateway.answer(&request, &|_| {}).await.unwrap();
    let [(_, why)] = answer.choice.passed.try_into().unwrap();
    assert!(why.contains("breaker is open"), "{why}");

    tokio::time::sleep(Duration::from_secs(10)).await;
    let answer = gateway.answer(&request, &|_| {}).await.unwrap();
    assert_eq!((answer.said.text.as_str(), sick.calls()), ("well again", 21));
}

#[tokio::test(start_paused = true)]
async fn the_simulated_provider_says_what_the_pack_recorded() {
    let model = "{routes: [{model: simulated/fast}]}";
    let miss = ask(model, &[], |_| {}).await.unwrap_err();
    assert!(miss.failure.message.contains("there is none of this role"), "{miss}");

    let bare = shelf(model, "");
    let asked = request(&bare);
    let recorded = cadre_core::model::cassette::Recorded {
        role: asked.role.clone(),
        model: "simulated/fast".to_owned(),
        question: cadre_core::model::cassette::Question::of(&asked.prompt, &asked.manner),
        turn: 1,
        said: Said { text: "as recorded".to_owned(), usage: usage(20, 2), ..Said::default() },
        latency_ms: 3,
    };
    let shelf = shelf(model, &recorded.to_line());
    let request = ModelRequest { revision: shelf.0.revision.clone(), ..asked };
    let answer = gateway(&shelf, &[]).answer(&request, &|_| {}).await.unwrap();
    assert_eq!(answer.said, recorded.said);
    assert!(answer.cost.usd_micros > 0, "simulated models cost, so that budgets can be tried");
}

#[tokio::test(start_paused = true)]
async fn answers_are_given_again_only_where_the_pack_says_so_and_to_one_tenant() {
    let kept = "{routes: [{model: first/a}], free: true, cache_answers: true}";
    for (model, calls) in [(kept, 3), (TWO, 5)] {
        let (told, shelf) = (Told::to(&[Act::Say("so", usage(10, 1))]), shelf(model, ""));
        let gateway = gateway(&shelf, &[("first", &told)]);
        let cold = Manner { temperature_millis: Some(0), ..request(&shelf).manner };
        let first = ModelRequest { manner: cold, ..request(&shelf) };
        let stranger = ModelRequest { tenant: Name::new("other").unwrap(), ..first.clone() };
        let warm = request(&shelf);
        for asked in [&first, &first, &stranger, &warm, &first] {
            assert_eq!(gateway.answer(asked, &|_| {}).await.unwrap().said.text, "so");
        }
        assert_eq!(told.calls(), calls, "{model}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_a_stand_in_is_not_kept() {
    let both = "{routes: [{model: first/a}, {model: second/b}], free: true, cache_answers: true}";
    let ill = Act::Fail(ProviderFailureKind::Unavailable, None);
    let first = Told::to(&[ill, Act::Say("the first", usage(10, 1))]);
    let second = Told::to(&[Act::Say("the second", usage(10, 1))]);
    let shelf = shelf(both, "");
    let gateway = gateway(&shelf, &[("first", &first), ("second", &second)]);
    let cold = Manner { temperature_millis: Some(0), ..request(&shelf).manner };
    let asked = ModelRequest { manner: cold, ..request(&shelf) };
    for (text, calls) in [("the second", 1), ("the first", 2), ("the first", 2)] {
        assert_eq!(gateway.answer(&asked, &|_| {}).await.unwrap().said.text, text);
        assert_eq!(first.calls(), calls);
    }
}

const HEDGED: &str =
    "{routes: [{model: first/a, hedge_after: 800ms}, {model: second/b}], free: true}";

fn slow(ms: u64, then: Act) -> Told {
    Told::to(&[Act::After(Duration::from_millis(ms), Box::new(then))])
}

#[tokio::test(start_paused = true)]
async fn a_slow_route_gets_another_one_beside_it_and_both_are_paid() {
    let fails = || Act::Fail(ProviderFailureKind::Unavailable, None);
    let says = |text| Act::Say(text, usage(10, 1));
    // How long the first one takes and what it says, the same of the second, who answers, and after how long.
    for (first, second, model, after_ms, calls, is_both_paid) in [
        (slow(700, says("one")), slow(0, says("two")), "first/a", 700, 0, false),
        (slow(900, says("one")), slow(500, says("two")), "first/a", 900, 1, true),
        (slow(5_000, says("one")), slow(100, says("two")), "second/b", 900, 1, true),
        (slow(1_500, fails()), slow(5_000, says("two")), "second/b", 5_800, 1, false),
        (slow(1_500, says("one")), slow(100, fails()), "first/a", 1_500, 1, false),
        (slow(700, fails()), slow(100, says("two")), "second/b", 800, 1, false),
    ] {
        let begun = Instant::now();
        let answer = ask(HEDGED, &[("first", &first), ("second", &second)], |_| {}).await.unwrap();
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap();
        assert_eq!((answer.choice.model.as_str(), took), (model, after_ms));
        assert_eq!((first.calls(), second.calls()), (1, calls), "{model} {after_ms}");
        // What the cancelled one may have cost is its whole estimate: the answer's 1,000 tokens and more.
        assert_eq!(
            answer.cost.tokens > 1_000,
            is_both_paid,
            "{model} {after_ms}: {:?}",
            answer.cost
        );
        assert_eq!(answer.choice.is_degraded, model == "second/b");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_beside_is_heard_only_when_it_has_won() {
    let says = |text| Act::Say(text, usage(10, 1));
    let (first, second) = (slow(5_000, says("the first")), slow(100, says("the second")));
    let shelf = shelf(HEDGED, "");
    let heard = Mutex::new(Vec::new());
    let hear = |sound: Sound<'_>| {
        let sound = match sound {
            Sound::Begin => "(begin)".to_owned(),
            Sound::Text(text) => text.to_owned(),
        };
        heard.lock().unwrap().push(sound);
    };
    let gateway = gateway(&shelf, &[("first", &first), ("second", &second)]);
    gateway.answer(&request(&shelf), &hear).await.unwrap();
    assert_eq!(*heard.lock().unwrap(), ["(begin)", "(begin)", "the second"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_beside_for_more_than_the_grant() {
    let says = |text| Act::Say(text, usage(10, 1));
    let (first, second) = (slow(5_000, says("one")), slow(100, says("two")));
    let both = [("first", &first), ("second", &second)];
    let answer = ask(HEDGED, &both, |it| it.grant.tokens = 1_900).await.unwrap();
    assert_eq!((answer.choice.model.as_str(), second.calls()), ("first/a", 0));
}
