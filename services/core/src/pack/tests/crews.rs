//! Crews and scripts: what they mean, and what is wrong with them.

use super::*;
use crate::{
    ids::Name,
    workflow::{Crew, Pattern, ScriptAct, Workflow},
};

const DESK: &str = r#"apiVersion: pack/v1
name: desk
roles:
  router: {runtime: remote, accepts: contracts/routed.v1.json, returns: contracts/brief.v1.json, limits: {timeout: 20s}}
  bill:
    runtime: script
    accepts: contracts/turn.v1.json
    returns: contracts/any.v1.json
    limits: {timeout: 8s}
    script:
      - when: input.from == 'router'
        do: {output: {score: 1, by: "${ input.reason }"}}
      - do: {hand_off: {to: tech, reason: "for ${ input.from }", output: {a: 1}}}
  tech: {runtime: remote, accepts: contracts/turn.v1.json, returns: contracts/any.v1.json, limits: {timeout: 9s}}
workflow:
  input: contracts/text.v1.json
  output: contracts/brief.v1.json
  limits: {deadline: 2h, max_steps: 9, max_usd: 0, max_tokens: 0}
  when_limited: partial
  steps:
    desk:
      crew: {pattern: supervisor, lead: router, team: [bill, tech], max_turns: 7, stall_after: 6}
      with: {text: "${ goal.text }"}
  result:
    score: desk.score
    parties: {from: [desk.parties], required: false}
"#;

fn desk(from: &str, to: &str) -> PackSource {
    assert!(DESK.contains(from), "{from}");
    let mut source = source(&DESK.replacen(from, to, 1));
    let turn = ["input", "from", "reason", "previous"];
    let contract = |keys: &[&str]| {
        let keys = keys.iter().map(|key| ((*key).to_owned(), json!({})));
        let keys: serde_json::Map<_, _> = keys.collect();
        json!({"type": "object", "properties": keys, "additionalProperties": false}).to_string()
    };
    let routed = [&turn[..], &["team", "turns", "turns_left"]].concat();
    for (path, keys) in [("turn", &turn[..]), ("routed", &routed)] {
        source.files.insert(format!("contracts/{path}.v1.json"), contract(keys).into_bytes());
    }
    let pack = DESK.replacen(from, to, 1);
    source.files.retain(|path, _| pack.contains(path.as_str()) || path == "pack.yaml");
    source
}

fn crew(workflow: &Workflow) -> &Crew {
    workflow.step(&Name::new("desk").unwrap()).unwrap().crew().unwrap()
}

#[test]
fn a_crew_and_a_script_are_what_the_pack_says() {
    let workflow = compile(&desk("", "")).unwrap_or_else(|errors| panic!("{errors}"));
    let crew = crew(&workflow);
    assert_eq!((crew.pattern, crew.lead.name.as_str()), (Pattern::Supervisor, "router"));
    assert_eq!((crew.turns_max, crew.team.len(), crew.returns.is_none()), (7, 2, true));
    let loops = crew.loops;
    assert_eq!((loops.repeats_max, loops.pingpong_max, loops.stall_after), (3, 3, 6));
    let step = &workflow.steps[0];
    assert_eq!(step.otherwise, Otherwise::AskHuman, "what goes in circles asks");
    assert_eq!(step.timeout, Duration::from_secs(20), "the longest of all");
    let [first, second] = workflow.roles[&Name::new("bill").unwrap()].script.as_slice() else {
        panic!("two rules")
    };
    assert_eq!(first.when.as_ref().unwrap().source(), "input.from == 'router'");
    assert!(matches!(&first.act, ScriptAct::Output(_)) && second.when.is_none());
    assert!(
        matches!(&second.act, ScriptAct::HandOff { to, output: Some(_), .. } if to.as_str() == "tech")
    );

    let otherwise = desk("      with: {text", "      otherwise: fail\n      with: {text");
    assert_eq!(compile(&otherwise).unwrap().steps[0].otherwise, Otherwise::Fail);
    let returns = desk("max_turns: 7", "max_turns: 7, returns: contracts/verdict.v1.json");
    let found = problems(&returns).join("\n");
    assert!(found.contains("`desk` has no field `parties`"), "its contract is known: {found}");
}

/// What is changed in the pack, and what is said about it.
const MISTAKES: [(&str, &str, &str); 19] = [
    (
        "lead: router",
        "lead: roter",
        "22:41: workflow.steps.desk.crew.lead: unknown role `roter`: did you mean `router`?",
    ),
    ("lead: router", "lead: bill", "crew.lead: is in the team: a router hands work to others"),
    ("supervisor", "network", "crew.lead: is not in the team: a network begins with a member"),
    ("[bill, tech]", "[bill, tech, bill]", "crew.team[2]: role `bill` is in the team twice"),
    ("max_turns: 7, ", "", "workflow.steps.desk.crew: lacks `max_turns`"),
    ("max_turns: 7", "max_turns: 65", "crew.max_turns: is greater than the maximum of 64"),
    (
        "contracts/routed.v1",
        "contracts/turn.v1",
        "crew.lead: gets `team` with each turn, but `contract turn@1` has no field `team`",
    ),
    ("supervisor", "planner", "crew.lead: gets `steps_max` with each turn, but"),
    ("stall_after: 6", "timeout: 6s", "crew.timeout: unknown key"),
    (
        "      with: {text",
        "      fallback: tech\n      with: {text",
        "desk.fallback: is for a step of one role",
    ),
    (
        "      with: {text",
        "      each: {over: \"${ [1] }\", as: it}\n      with: {text",
        "desk.each: is for steps of one role",
    ),
    (
        "      with: {text",
        "      timeout: 30s\n      with: {text",
        "desk.timeout: is longer than the 20s of role `router`",
    ),
    (
        "      with: {text",
        "      role: tech\n      with: {text",
        "workflow.steps.desk: has both `role` and `crew`: keep one",
    ),
    ("to: tech,", "to: Tech,", "roles.bill.script[1].do.hand_off.to: \"Tech\" is not a name"),
    (
        "input.from == 'router'",
        "inputs.from == 'router'",
        "roles.bill.script[0].when: `inputs.from == 'router'`",
    ),
    (
        "${ input.reason }",
        "${ input.why }",
        "roles.bill.script[0].do.output.by: `input.why`: `input` has no field `why`",
    ),
    ("do: {output: {score", "do: {outputs: {score", "roles.bill.script[0].do"),
    ("runtime: script", "runtime: echo", "roles.bill.script: is for the runtime `script`"),
    (
        "runtime: remote, accepts: contracts/turn",
        "runtime: script, accepts: contracts/turn",
        "roles.tech.script: is what the runtime `script` follows: write one",
    ),
];

#[test]
fn what_is_wrong_with_a_crew_is_said_where_it_is() {
    let mut wrong = String::new();
    for (from, to, expected) in MISTAKES {
        let found = problems(&desk(from, to)).join("\n");
        if !found.contains(expected) || !found.starts_with("pack.yaml:") {
            wrong += &format!("{from} -> {to}:\n{found}\nwithout: {expected}\n\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
