//! The shipped refund pack means what its comments say.

use super::*;
use crate::{
    ids::Name,
    workflow::{Doer, Effects, Grant},
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

#[test]
fn refunds_are_approved_by_another_person_and_paid_once() {
    let files = REFUND.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let source = PackSource { files: files.into_iter().collect() };
    let workflow = compile(&source).unwrap_or_else(|errors| panic!("{errors}"));
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
