//! Who does a step, on which terms: grants, effects, retries, fallbacks, approvals, questions.

use super::*;
use crate::{
    ids::Name,
    workflow::{Approval, AskTerms, Doer, Effects, Grant, Retry, StepPlan, WhenExpired, Workflow},
};

const RICH: &str = r#"apiVersion: pack/v1
name: payout
roles:
  model:
    runtime: remote
    accepts: contracts/text.v1.json
    returns: contracts/terms.v2.json
    limits: {timeout: 20s, max_usd: 0.05, max_tokens: 4000}
    retry: {attempts: 3, backoff: 0ms, backoff_max: 2s}
  rules: {runtime: rules, accepts: contracts/text.v1.json, returns: contracts/terms.v2.json, limits: {timeout: 40s}}
  payer:
    runtime: remote
    accepts: contracts/any.v1.json
    returns: contracts/verdict.v1.json
    limits: {timeout: 10s}
    effects: once
    retry: {attempts: 2}
workflow:
  input: contracts/text.v1.json
  output: contracts/brief.v1.json
  limits: {deadline: 2h, max_steps: 2, max_usd: 0.25, max_tokens: 9000}
  when_limited: ask_human
  steps:
    read:
      role: model
      fallback: rules
      with: {text: "${ goal.text }"}
      accept_if: size(read.parties) > 0
      otherwise: ask_human
      ask: {expires: 10m, when_expired: accept, four_eyes: true}
    agree:
      approval: {question: "Pay ${ goal.text }?", expires: 30m, when_expired: accept, quorum: 2, four_eyes: true}
      after: [read]
      with: {parties: "${ read.parties }"}
    each_party:
      approval: {question: "Is ${ party } known?", editable: false}
      after: [read]
      each: {over: "${ read.parties }", as: party}
      with: "${ party }"
    pay:
      role: payer
      after: [agree, each_party]
      when: agree.decision == 'granted' && size(agree.by) == 2
      with: {what: "${ agree.content.parties }", known: "${ each_party.map(one, one.by[0]) }"}
      timeout: 8s
  result:
    score: pay.score
    parties: agree.content.parties
"#;

fn workflow(pack: &str) -> Workflow {
    compile(&source(pack)).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Replaces `from` in the rich pack and expects exactly these problems.
fn check(from: &str, to: &str, expected: &[&str]) {
    assert!(RICH.contains(from), "{from}");
    let mut source = source(&RICH.replacen(from, to, 1));
    source.files.retain(|path, _| RICH.contains(path) || path == "pack.yaml");
    assert_eq!(problems(&source), expected, "{from} -> {to}");
}

fn approval<'a>(workflow: &'a Workflow, name: &str) -> (&'a StepPlan, &'a Approval) {
    let step = workflow.step(&Name::new(name).unwrap()).unwrap();
    match &step.doer {
        Doer::Person(approval) => (step, approval),
        Doer::Role { role, .. } => panic!("role {} does {name}", role.name),
        Doer::Crew(crew) => panic!("role {} leads {name}", crew.lead.name),
    }
}

#[test]
fn roles_keep_what_they_may_spend_and_repeat() {
    let workflow = workflow(RICH);
    assert_eq!(workflow.when_limited, WhenLimited::AskHuman);
    let role = |name: &str| &workflow.roles[&Name::new(name).unwrap()];
    let (model, rules, payer) = (role("model"), role("rules"), role("payer"));
    assert_eq!(model.grant, Grant { usd_micros: 50_000, tokens: 4_000 });
    assert_eq!(model.effects, Effects::Repeatable);
    let (backoff, backoff_max) = (Duration::ZERO, Duration::from_secs(2));
    assert_eq!(model.retry, Retry { attempts_max: 3, backoff, backoff_max });
    assert_eq!((rules.grant, rules.retry), (Grant::default(), Retry::default()));
    assert_eq!(payer.effects, Effects::Once);
    assert_eq!(payer.retry, Retry { attempts_max: 2, ..Retry::default() });
}

#[test]
fn a_step_of_a_role_keeps_its_fallback_and_how_people_are_asked() {
    let workflow = workflow(RICH);
    let step = |name: &str| workflow.step(&Name::new(name).unwrap()).unwrap();
    let (read, pay) = (step("read"), step("pay"));
    assert_eq!(read.role().unwrap().name.as_str(), "model");
    assert_eq!(read.fallback().unwrap().name.as_str(), "rules");
    assert_eq!(read.timeout, Duration::from_secs(40), "the longer one: each keeps to its own");
    let expires = Some(Duration::from_secs(600));
    let terms = AskTerms {
        expires,
        when_expired: WhenExpired::Accept,
        quorum: 1,
        four_eyes: true,
        editable: true,
    };
    assert_eq!((read.ask, read.otherwise), (terms, Otherwise::AskHuman));
    assert_eq!(pay.role().unwrap().name.as_str(), "payer");
    assert!(pay.fallback().is_none());
    assert_eq!((pay.ask, pay.otherwise), (AskTerms::default(), Otherwise::Fail));
    assert_eq!(pay.timeout, Duration::from_secs(8));
}

#[test]
fn an_approval_keeps_its_question_and_terms() {
    let workflow = workflow(RICH);
    let (step, agree) = approval(&workflow, "agree");
    let terms = AskTerms {
        expires: Some(Duration::from_secs(1800)),
        when_expired: WhenExpired::Accept,
        quorum: 2,
        four_eyes: true,
        editable: false,
    };
    assert_eq!((agree.terms, step.timeout), (terms, Duration::from_secs(1800)));
    assert_eq!(agree.question.variables(), ["goal"]);
    assert_eq!(step.with.variables(), ["read"]);
    let (step, known) = approval(&workflow, "each_party");
    assert_eq!(known.terms, AskTerms { editable: false, ..AskTerms::default() });
    assert_eq!(step.timeout, Duration::from_secs(7200), "the task's deadline");
    assert_eq!(known.question.variables(), ["party"]);
}

#[test]
fn a_step_has_one_doer() {
    check(
        "      role: payer\n",
        "",
        &["pack.yaml:40:5: workflow.steps.pay: lacks `role` or `approval` or `crew`"],
    );
    check(
        "      role: payer\n",
        "      role: payer\n      approval: {question: Pay?}\n",
        &["pack.yaml:40:5: workflow.steps.pay: has both `role` and `approval`: keep one"],
    );
    check(
        "role: payer",
        "role:",
        &[
            "pack.yaml:11:3: roles.payer: no step uses this role",
            "pack.yaml:40:5: workflow.steps.pay: lacks `role` or `approval` or `crew`",
        ],
    );
    let at = "pack.yaml:33:7: workflow.steps.agree";
    for (key, why) in [
        ("fallback: rules", "is for a role that fails: here a person decides"),
        ("ask: {quorum: 2}", "is for steps of roles: write its keys inside `approval`"),
        ("accept_if: 'true'", "is for the report of a role: here a person decides"),
        ("otherwise: fail", "is for the report of a role: here a person decides"),
        ("timeout: 5s", "is for steps of roles: write `expires` inside `approval`"),
    ] {
        let name = key.split(':').next().unwrap();
        let after = "      after: [read]\n      with: {parties";
        check(after, &format!("      {key}\n{after}"), &[&format!("{at}.{name}: {why}")]);
    }
    let question = "question: \"Pay ${ goal.text }?\", ";
    check(question, "", &["pack.yaml:32:7: workflow.steps.agree.approval: lacks `question`"]);
}

#[test]
fn a_fallback_can_stand_in() {
    let at = "pack.yaml:26:17: workflow.steps.read.fallback";
    let unused = "pack.yaml:10:3: roles.rules: no step uses this role";
    let unknown = format!("{at}: unknown role `rulez`: did you mean `rules`?");
    check("fallback: rules", "fallback: rulez", &[unused, &unknown]);
    let own = format!("{at}: is the step's own role: for more attempts give the role a `retry`");
    check("fallback: rules", "fallback: model", &[unused, &own]);
    let accepts = format!("{at}: accepts any@1, but role `model` accepts text@1");
    let returns = format!("{at}: returns verdict@1, but role `model` returns terms@2");
    check("fallback: rules", "fallback: payer", &[unused, &accepts, &returns]);
    check(
        "timeout: 8s",
        "timeout: 11s",
        &["pack.yaml:45:16: workflow.steps.pay.timeout: is longer than the 10s of role `payer`"],
    );
    check(
        "fallback: rules",
        "timeout: 41s\n      fallback: rules",
        &["pack.yaml:26:16: workflow.steps.read.timeout: is longer than the 40s of role `rules`"],
    );
}

#[test]
fn a_grant_fits_into_the_tasks_limits() {
    check(
        "max_usd: 0.05",
        "max_usd: 0.250001",
        &[
            "pack.yaml:8:37: roles.model.limits.max_usd: is more than the workflow's 0.25: no attempt could ever begin",
        ],
    );
    check(
        "max_tokens: 4000",
        "max_tokens: 9001",
        &[
            "pack.yaml:8:55: roles.model.limits.max_tokens: is more than the workflow's 9000: no attempt could ever begin",
        ],
    );
    check(
        "max_usd: 0.05",
        "max_usd: cheap",
        &[
            "pack.yaml:8:37: roles.model.limits.max_usd: is no amount of money: write US dollars with at most 6 decimals, such as 0.25",
        ],
    );
    let whole = RICH.replace("max_usd: 0.05", "max_usd: 0.25").replace("4000", "9000");
    assert_eq!(workflow(&whole).roles[&Name::new("model").unwrap()].grant.tokens, 9_000);
}

#[test]
fn retries_are_bounded() {
    let retry = "{attempts: 3, backoff: 0ms, backoff_max: 2s}";
    let at = "pack.yaml:9";
    for (to, expected) in [
        ("{backoff: 1s}", ":5: roles.model.retry: lacks `attempts`"),
        ("{attempts: 0}", ":23: roles.model.retry.attempts: is less than the minimum of 1"),
        ("{attempts: 21}", ":23: roles.model.retry.attempts: is greater than the maximum of 20"),
        (
            "{attempts: 2, backoff: 31s}",
            ":35: roles.model.retry.backoff: is longer than 30s: write a backoff_max, too",
        ),
        (
            "{attempts: 2, backoff: 3s, backoff_max: 2s}",
            ":52: roles.model.retry.backoff_max: is shorter than backoff, 3s",
        ),
        (
            "{attempts: 2, backoff: 3}",
            ":35: roles.model.retry.backoff: is no duration: write 250ms, 8s, 5m, 72h or 3d",
        ),
        (
            "{attempts: 2, backoff: soon}",
            ":35: roles.model.retry.backoff: is no duration: write 250ms, 8s, 5m, 72h or 3d",
        ),
        (
            "{attempts: 2, wait: 3s}",
            ":26: roles.model.retry.wait: unknown key; known: attempts, backoff, backoff_max",
        ),
    ] {
        check(retry, to, &[&format!("{at}{expected}")]);
    }
    check(
        "effects: once",
        "effects: twice",
        &["pack.yaml:16:14: roles.payer.effects: is none of \"repeatable\", \"once\""],
    );
}

#[test]
fn terms_are_checked() {
    let asks = "{expires: 10m, when_expired: accept, four_eyes: true}";
    let at = "pack.yaml:30:";
    for (to, expected) in [
        (
            "{expires: 3h}",
            "22: workflow.steps.read.ask.expires: is longer than the workflow's deadline of 2h",
        ),
        ("{expires: 1ms}", "22: workflow.steps.read.ask.expires: is shorter than 10ms"),
        ("{quorum: 0}", "21: workflow.steps.read.ask.quorum: is less than the minimum of 1"),
        ("{quorum: 17}", "21: workflow.steps.read.ask.quorum: is greater than the maximum of 16"),
        (
            "{quorum: 2, editable: true}",
            "34: workflow.steps.read.ask.editable: needs a quorum of 1: several people must agree to the same content",
        ),
        (
            "{when_expired: deny}",
            "27: workflow.steps.read.ask.when_expired: is none of \"fail\", \"accept\"",
        ),
    ] {
        check(asks, to, &[&format!("{at}{expected}")]);
    }
    check(
        "expires: 30m",
        "expires: 121m",
        &[
            "pack.yaml:32:60: workflow.steps.agree.approval.expires: is longer than the workflow's deadline of 2h",
        ],
    );
    check(
        "editable: false",
        "editable: true, quorum: 3",
        &[
            "pack.yaml:36:62: workflow.steps.each_party.approval.editable: needs a quorum of 1: several people must agree to the same content",
        ],
    );
    check(
        "when_limited: ask_human",
        "when_limited: ask",
        &[
            "pack.yaml:22:17: workflow.when_limited: is none of \"partial\", \"fail\", \"ask_human\"",
        ],
    );
}

#[test]
fn questions_and_what_comes_of_them_are_checked() {
    check(
        "Pay ${ goal.text }?",
        "Pay ${ goal.txt }?",
        &[
            "pack.yaml:32:28: workflow.steps.agree.approval.question: `goal.txt`: `goal` has no field `txt`: did you mean `text`?",
        ],
    );
    check(
        "agree.decision == 'granted'",
        "agree.decided",
        &[
            "pack.yaml:43:13: workflow.steps.pay.when: `agree.decided && size(agree.by) == 2`: `agree` has no field `decided`: did you mean `decision`?",
        ],
    );
    check(
        "size(agree.by) == 2",
        "agree.by.name == 'x'",
        &[
            "pack.yaml:43:13: workflow.steps.pay.when: `agree.decision == 'granted' && agree.by.name == 'x'`: `agree.by` is a list and has no field `name`: \
             take an item, `agree.by[0].name`, or use exists, all, map or filter",
        ],
    );
}

#[test]
fn approvals_are_no_work_orders() {
    check(
        "max_steps: 2",
        "max_steps: 1",
        &[
            "pack.yaml:21:37: workflow.limits.max_steps: is less than the 2 steps of roles: no task could end",
        ],
    );
}

#[test]
fn a_diff_shows_what_the_new_words_change() {
    let careless =
        RICH.replace("effects: once", "effects: repeatable").replace("quorum: 2", "quorum: 1");
    let shown = diff(&source(RICH), &source(&careless));
    let changed: Vec<&str> = shown.lines().filter(|line| line.starts_with(['-', '+'])).collect();
    assert_eq!(changed.len(), 6, "{shown}");
    assert!(
        changed.contains(&"-    effects: once") && changed.contains(&"+    effects: repeatable")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_rich_pack_panic(at in 0..RICH.len(), cut in 0_usize..40, put in "(?s)[ -~\n]{0,12}") {
        let end = (at + cut).min(RICH.len());
        let pack = format!("{}{put}{}", &RICH[..at], &RICH[end..]);
        if let Err(errors) = compile(&source(&pack)) {
            prop_assert!(!errors.0.is_empty());
        }
    }
}
