//! The shipped refund pack means what its comments say.

use std::sync::Arc;

use super::*;
use crate::{
    ids::{Name, StepId, TaskId},
    payload::{Hash, Payload},
    task::{
        Decision, Failure, FailureKind, Goal, GoalLimits, Input, Outcome, Report, Ruling,
        StepState, Task, Usage, Verdict, decide,
    },
    time::UnixMillis,
    workflow::{Doer, Effects, Grant, Workflow},
};

macro_rules! file {
    ($path:literal) => {
        ($path, include_str!(concat!("../../../../cadre/packs/refund/", $path)))
    };
}

const REFUND: [(&str, &str); 5] = [
    file!("pack.yaml"),
    file!("contracts/request.v1.json"),
    file!("contracts/assessment.v1.json"),
    file!("contracts/payment.v1.json"),
    file!("contracts/refund.v1.json"),
];
const GOAL: &str = include_str!("../../../../cadre/packs/refund/samples/goal.json");

fn refund() -> Workflow {
    let files = REFUND.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let source = PackSource { files: files.into_iter().collect() };
    compile(&source).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn refunds_are_approved_by_another_person_and_paid_once() {
    let workflow = refund();
    let goal: Value = serde_json::from_str(GOAL).unwrap();
    workflow.input.check(&goal).unwrap_or_else(|violations| panic!("{violations}"));

    let [assess, approve, pay] = workflow.steps.as_slice() else { panic!("{:?}", workflow.steps) };
    let model = assess.fallback().unwrap();
    assert_eq!(model.grant, Grant { usd_micros: 20_000, tokens: 4_000 });
    assert_eq!(model.retry.attempts_max, 3);
    let Doer::Person(asked) = &approve.doer else { panic!("a person approves") };
    assert!(asked.terms.four_eyes);
    assert_eq!(asked.terms.expires, Some(Duration::from_secs(900)));
    assert_eq!(asked.question.variables(), ["assess", "goal"]);
    assert_eq!(pay.role().unwrap().effects, Effects::Once);
    assert_eq!(pay.after, [Name::new("approve").unwrap()]);
}

#[test]
fn a_refund_goes_its_way() {
    let workflow = refund();
    let mut play = Play { workflow: &workflow, task: None };
    play.feed(&Input::Goal(Arc::new(goal())));
    let words = |amount: f64| payload(json!({"amount_usd": amount, "reason": "damaged"}));
    let guess = Outcome::Completed { output: words(4.0), confidence: Some(0.3) };
    play.report("assess", "assessor", guess);
    assert_eq!(play.task().reserved, Grant { usd_micros: 20_000, tokens: 4_000 }, "the model's");
    let sure = Outcome::Completed { output: words(48.9), confidence: None };
    play.report("assess", "assessor-model", sure);

    play.decide("approve", "dana", Ruling::Grant);
    let StepState::Waiting { ask, .. } = play.state("approve") else {
        panic!("whoever published the goal cannot decide")
    };
    let question = "Refund 48.9 USD of order A-1042 to Dana Lee (damaged)?";
    assert_eq!(ask.question, question);
    let less = json!({"order": "A-1042", "customer": "Dana Lee", "amount_usd": 40});
    play.decide("approve", "kim", Ruling::GrantWith(payload(less.clone())));

    let StepState::Dispatched { .. } = play.state("pay") else { panic!("{:?}", play.state("pay")) };
    let lost = Outcome::Failed(Failure::new(FailureKind::Timeout, "no report"));
    play.report("pay", "payer", lost);
    let asked = play.state("pay");
    assert!(matches!(asked, StepState::Waiting { .. }), "never paid twice: {asked:?}");
    play.decide("pay", "kim", Ruling::GrantWith(payload(less)));
    assert!(matches!(play.state("pay"), StepState::Completed { .. }));
}

fn payload(value: Value) -> Payload {
    Payload::from_value(value).unwrap()
}

fn goal() -> Goal {
    let tenant = Name::new("acme").unwrap();
    Goal {
        task: TaskId::derive(&tenant, "k"),
        tenant,
        workflow: Name::new("refund").unwrap(),
        revision: "0".repeat(64).into(),
        key: "k".to_owned(),
        digest: Hash::of(b"k"),
        input: payload(serde_json::from_str(GOAL).unwrap()),
        deadline: None,
        limits: GoalLimits::default(),
        user: Some("dana".to_owned()),
        trace: None,
        fork: None,
    }
}

/// One task of the pack, without a bus.
struct Play<'w> {
    workflow: &'w Workflow,
    task: Option<Task>,
}

impl Play<'_> {
    fn feed(&mut self, input: &Input) {
        let now = UnixMillis(1_800_000_000_000).into();
        match decide(self.workflow, self.task.as_ref(), input, &now) {
            Verdict::Append(draft) => self.task = Some(draft.next),
            Verdict::Ignore(seen) => panic!("{seen:?}"),
        }
    }

    fn task(&self) -> &Task {
        self.task.as_ref().unwrap()
    }

    fn state(&self, step: &str) -> &StepState {
        &self.task().steps[&StepId::parse(step).unwrap()].state
    }

    fn report(&mut self, step: &str, role: &str, outcome: Outcome) {
        let step = StepId::parse(step).unwrap();
        let attempt = self.task().steps[&step].attempt;
        let (role, worker) = (Name::new(role).unwrap(), "w".to_owned());
        let (usage, degraded) = (Usage::default(), None);
        let models = Vec::new();
        let report = Report { role, step, attempt, outcome, usage, models, degraded, worker };
        self.feed(&Input::Report(report));
    }

    fn decide(&mut self, step: &str, by: &str, ruling: Ruling) {
        let step = StepId::parse(step).unwrap();
        let state = &self.task().steps[&step];
        let StepState::Waiting { ask, .. } = &state.state else { panic!("{:?}", state.state) };
        let hash = ask.hash(self.task().id(), &step, state.attempt);
        let (by, comment) = (by.to_owned(), String::new());
        self.feed(&Input::Decision(Decision { step, by, hash, ruling, comment }));
    }
}
