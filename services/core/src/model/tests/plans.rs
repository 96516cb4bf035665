//! A planner whose plan was refused goes on in the conversation that its journal has.

use super::*;

fn planner(input: Value) -> Dialogue {
    let changed = |pack: &str| {
        pack.replace(
            "pattern: network, lead: boss, team: [boss, other]",
            "pattern: planner, lead: boss, team: [other]",
        )
    };
    let brief = brief_of(&workflow(changed), "boss");
    Dialogue::new(brief, &Payload::from_value(input).unwrap(), (2, GRANT)).unwrap()
}

#[test]
fn a_refused_plan_is_told_behind_the_plan() {
    let asked = json!({"input": {"place": "Rome"}, "team": ["other"], "steps_max": 3});
    let mut first = planner(asked.clone());
    let plan = r#"{"output": {"days": 3}, "confidence": 0.9}"#;
    let question = say(&mut first, text(plan), 1);
    assert!(matches!(first.act(), Ok(Act::End(Outcome::Completed { .. }))));

    let mut again = asked;
    again["problems"] = "step venue: role estate-agent is not in the team (other)".into();
    let mut second = planner(again);
    let repeated = say(&mut second, text(plan), 1);
    assert_eq!(repeated.arguments(), question.arguments(), "what the journal has is the same call");
    let question = say(&mut second, text(r#"{"output": {"days": 2}, "confidence": 0.9}"#), 1);
    let Some(Turn::User(told)) = question.prompt.turns.last() else { panic!("{question:?}") };
    assert!(told.starts_with("This cannot be done: step venue: role estate-agent"), "{told}");
    let ended = second.act();
    let Ok(Act::End(Outcome::Completed { output, .. })) = ended else { panic!("{ended:?}") };
    assert_eq!(output.value(), &json!({"days": 2}));
}

#[test]
fn problems_mean_nothing_to_those_who_do_not_plan() {
    let brief = reader(same);
    let input = json!({"text": "t", "subject": [], "problems": "none"});
    let input = Payload::from_value(input).unwrap();
    let mut dialogue = Dialogue::new(brief, &input, (1, GRANT)).unwrap();
    say(&mut dialogue, text(r#"{"output": {"days": 3}, "confidence": 0.9}"#), 1);
    assert!(matches!(dialogue.act(), Ok(Act::End(Outcome::Completed { .. }))));
}
