//! Races between steps and items, and what undoes a step.

use super::*;
use crate::workflow::{Compensation, Race};

const TRIP: &str = r#"apiVersion: pack/v1
name: trip
roles:
  book: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/terms.v2.json, limits: {timeout: 20s}}
  undo: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/verdict.v1.json, limits: {timeout: 9s}}
workflow:
  input: contracts/text.v1.json
  output: contracts/brief.v1.json
  limits: {deadline: 2h, max_steps: 9, max_usd: 1, max_tokens: 0}
  when_limited: fail
  compensation: {within: 5m, on_partial: true}
  steps:
    one: {role: book, with: {}, compensate: {role: undo, with: {what: "${ one.kind } of ${ goal.text }"}}}
    two: {role: book, with: {}}
    pick:
      role: book
      after: [one, two]
      join: {best: "size(output.parties)"}
      with: "${ task.winners.pick[0].output }"
    many:
      role: book
      after: [pick]
      each: {over: "${ pick.parties }", as: party, take: {quorum: 2}}
      with: {party: "${ party }"}
      compensate: {role: undo, with: {party: "${ party }", kind: "${ many.kind }"}, timeout: 4s}
  result:
    score: size(many)
"#;

#[test]
fn races_and_compensations_become_part_of_the_workflow() {
    let workflow = compile(&source(TRIP)).unwrap_or_else(|errors| panic!("{errors}"));
    let within = Duration::from_secs(300);
    assert_eq!(workflow.compensation, Compensation { within, on_partial: true });
    let step = |text: &str| workflow.step(&crate::ids::Name::new(text).unwrap()).unwrap();
    assert!(matches!(step("pick").join, Join::Race(Race::Best(_))));
    assert!(matches!(step("many").each.as_ref().unwrap().take, Some(Race::Quorum(2))));
    assert_eq!(workflow.steps.len(), 4, "a compensation is no step of the plan");
    let undo = step("compensate_many");
    assert_eq!(
        (undo.timeout, undo.role().unwrap().name.as_str()),
        (Duration::from_secs(4), "undo")
    );
    assert_eq!(step("compensate_one").timeout, Duration::from_secs(9), "its role's");
}

#[test]
fn what_makes_no_sense_is_said_where_it_stands() {
    let cases = [
        ("join: {best: \"size(output.parties)\"}", "join: {quorum: 3}", "wants 3 of the 2 steps"),
        ("join: {best: \"size(output.parties)\"}", "join: {most: 2}", "join"),
        ("join: {best: \"size(output.parties)\"}", "join: {best: \"outputs.x\"}", "outputs"),
        ("take: {quorum: 2}", "take: first, keep_partial: 0.5", "leave out `keep_partial`"),
        ("role: undo, with: {what", "role: nobody, with: {what", "unknown role `nobody`"),
        ("timeout: 4s", "timeout: 10s", "longer than the 9s"),
        (
            "limits: {timeout: 9s}",
            "limits: {timeout: 9s, max_usd: 0.1}",
            "the budget may be used up",
        ),
        ("within: 5m", "within: 9d", "is longer than"),
        ("two: {role: book,", "compensate_one: {role: book,", "is step `compensate_one`"),
        (
            "after: [pick]",
            "after: [pick]\n      join: first",
            "let another step, with `each`, come after this one",
        ),
        ("after: [pick]", "after: [pick, one]", ""),
    ];
    for (from, to, wanted) in cases {
        assert!(TRIP.contains(from), "{from}");
        let found = problems(&source(&TRIP.replace(from, to)));
        if wanted.is_empty() {
            assert_eq!(found, [""; 0], "the best of all stops nobody");
        } else {
            assert!(found.iter().any(|text| text.contains(wanted)), "{to}: {found:?}");
        }
    }
    let raced = TRIP.replace("{best: \"size(output.parties)\"}", "first");
    assert_eq!(problems(&source(&raced)), [""; 0]);
    let found = problems(&source(&raced.replace("after: [pick]", "after: [pick, one]")));
    assert!(
        found.iter().any(|text| text.contains("`one` may be stopped once `pick`")),
        "{found:?}"
    );
}
