//! Drives the whole service over a bus in memory, on a paused clock.

use std::sync::Arc;

use cadre_core::{
    contract::Contract,
    task::{FailureKind, Outcome, Report},
    workflow::Runtime,
};
use cadre_runtime::testing::{Memory, Work, role};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::*;

const SOON: Duration = Duration::from_secs(3);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

async fn start(memory: &Memory, roles: RoleSelection) -> Result<AgentService<Memory>, StartError> {
    let options = AgentOptions { roles, ..AgentOptions::default() };
    AgentService::start(memory.clone(), memory.clone(), options, None).await
}

/// A pack whose role `extractor` fills `returns` by rules.
fn apply_rules(memory: &Memory, revision: &str, returns: &Value) {
    let anything = Arc::new(Contract::compile("anything", 1, &json!(true)).unwrap());
    let returns = Arc::new(Contract::compile("terms", 1, returns).unwrap());
    let extractor = role(&name("extractor"), Runtime::Rules, &anything, &returns);
    memory.apply_roles(&name("contracts"), revision, vec![extractor], anything);
}

async fn report_on(memory: &Memory, work: Work) -> Report {
    memory.order(work);
    sleep(SOON).await;
    memory.reports().pop().unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_built_in_role_is_worked_on_and_remote_ones_are_left_alone() {
    let memory = Memory::default();
    let roles = [name("echo"), name("far")];
    let pack = [(&roles[0], Runtime::Echo), (&roles[1], Runtime::Remote)];
    memory.apply(&name("pack"), "r1", &pack).unwrap();
    let agent = start(&memory, RoleSelection::All).await.unwrap();
    assert!(agent.ready(SOON).await);
    assert_eq!(agent.roles().iter().map(RoleHandle::role).collect::<Vec<_>>(), [&roles[0]]);

    let left = memory.order(Work::of(&roles[1]));
    let report = report_on(&memory, Work { input: json!({"a": 1}), ..Work::of(&roles[0]) }).await;
    let Outcome::Completed { output, .. } = report.outcome else { panic!("{report:?}") };
    assert_eq!(output.value(), &json!({"a": 1}));
    assert_eq!(memory.open_orders(), [left]);
    agent.stop().await;
    assert!(agent.inspect(SOON).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn roles_of_a_pack_applied_later_are_engaged_once() {
    let memory = Memory::default();
    memory.world().flags.packs_down = true;
    let agent = start(&memory, RoleSelection::All).await.unwrap();
    assert!(!agent.ready(SOON).await, "packs were never looked through");
    memory.world().flags.packs_down = false;
    assert!(agent.ready(SOON).await && agent.roles().is_empty());

    let (first, second) = (name("first"), name("second"));
    memory.apply(&name("pack"), "r1", &[(&first, Runtime::Echo)]).unwrap();
    sleep(SOON).await;
    let grown = [(&first, Runtime::Echo), (&second, Runtime::Echo)];
    memory.apply(&name("pack"), "r2", &grown).unwrap();
    sleep(SOON).await;
    let snapshot = agent.inspect(SOON).await.unwrap();
    let children = snapshot.supervisor.children.iter().map(|child| child.name.as_str());
    assert_eq!(children.collect::<Vec<_>>(), ["scout", "role.first", "role.second"]);
    assert!(snapshot.roles.iter().all(|role| role.is_subscribed));
}

#[tokio::test(start_paused = true)]
async fn a_role_that_a_newer_revision_dropped_is_still_served_after_a_restart() {
    let memory = Memory::default();
    let (old, moved, new) = (name("old"), name("moved"), name("new"));
    memory.apply(&name("pack"), "r1", &[(&old, Runtime::Echo), (&moved, Runtime::Echo)]).unwrap();
    memory.apply(&name("pack"), "r2", &[(&moved, Runtime::Remote)]).unwrap();
    memory.apply(&name("pack"), "r3", &[(&new, Runtime::Echo), (&moved, Runtime::Remote)]).unwrap();
    let left = memory.order(Work { revision: "r1".to_owned(), ..Work::of(&old) });

    let agent = start(&memory, RoleSelection::All).await.unwrap();
    sleep(SOON).await;
    let roles: Vec<_> = agent.roles().iter().map(|role| role.role().clone()).collect();
    assert_eq!(roles, [new, old.clone()], "and none that is remote by now");
    assert!(!memory.open_orders().contains(&left), "its order is done");
    agent.stop().await;
    assert!(start(&memory, RoleSelection::Named(vec![old])).await.is_ok());
    assert!(start(&memory, RoleSelection::Named(vec![moved])).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn named_roles_must_be_built_in_and_known() {
    let memory = Memory::default();
    let (echo, far) = (name("echo"), name("far"));
    let pack = [(&echo, Runtime::Echo), (&far, Runtime::Remote)];
    memory.apply(&name("pack"), "r1", &pack).unwrap();

    let remote = start(&memory, RoleSelection::Named(vec![echo.clone(), far])).await.unwrap_err();
    assert_eq!(
        remote.to_string(),
        "role far of pack pack is remote: run a worker for it that speaks the worker protocol, \
         and leave it out here"
    );
    let unknown = start(&memory, RoleSelection::Named(vec![name("typo")])).await.unwrap_err();
    assert_eq!(unknown.to_string(), "role typo is in no applied pack, known built-in roles: echo");
    let agent = start(&memory, RoleSelection::Named(vec![echo])).await.unwrap();
    assert!(agent.ready(SOON).await);
}

#[tokio::test(start_paused = true)]
async fn a_rules_role_fills_its_contract_or_says_why_not() {
    let memory = Memory::default();
    let payment = json!({
        "type": "object",
        "required": ["days"],
        "properties": {
            "days": {"type": "integer", "x-rules": {"pattern": "within (\\d+) days"}}
        }
    });
    apply_rules(&memory, "r1", &payment);
    let _agent = start(&memory, RoleSelection::All).await.unwrap();

    let text = |text: &str| Work { input: json!({"text": text}), ..Work::of(&name("extractor")) };
    let found = report_on(&memory, text("Payment is due within 30 days.")).await.outcome;
    let Outcome::Completed { output, confidence } = found else { panic!("{found:?}") };
    assert_eq!((output.value(), confidence.is_some()), (&json!({"days": 30}), true));

    let lost = report_on(&memory, text("Nothing of the kind.")).await.outcome;
    assert!(matches!(lost, Outcome::Unsure { output: None, .. }), "{lost:?}");

    let no_text = Work { input: json!(7), ..Work::of(&name("extractor")) };
    let refused = report_on(&memory, no_text).await.outcome;
    let Outcome::Failed(failure) = refused else { panic!("{refused:?}") };
    assert_eq!(failure.kind, FailureKind::InvalidInput);
}

#[tokio::test(start_paused = true)]
async fn a_contract_that_rules_cannot_run_is_a_failed_report() {
    let memory = Memory::default();
    apply_rules(&memory, "r1", &json!({"type": "string", "x-rules": {"nonsense": true}}));
    let _agent = start(&memory, RoleSelection::All).await.unwrap();
    let outcome = report_on(&memory, Work::of(&name("extractor"))).await.outcome;
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    assert!(failure.message.starts_with("contract terms@1 cannot be run by rules"), "{failure:?}");
}
