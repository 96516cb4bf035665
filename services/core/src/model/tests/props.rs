//! Conversations with a model that says anything.

use proptest::prelude::*;

use super::*;

/// What a model may say, and what it costs.
fn sayings() -> impl Strategy<Value = Vec<(Said, u64)>> {
    let one = |arguments: Value| calls(&[("lookup", arguments)]);
    let said = prop_oneof![
        3 => Just(one(json!({"query": "fees"}))),
        1 => Just(one(json!({"query": 7}))),
        2 => Just(calls(&[("clock", json!({})), ("mail", json!({})), ("lookup", json!({"query": "a"}))])),
        1 => Just(calls(&vec![("clock", json!({})); 20])),
        1 => Just(text("not JSON")),
        1 => Just(Said { finish: Finish::Filtered, ..text(GOOD) }),
        1 => Just(text(GOOD)),
        1 => Just(text("")),
    ];
    prop::collection::vec((said, 0_u64..4_000), 0..20)
}

/// What was asked, and whether the conversation came to an end.
#[derive(Debug, PartialEq)]
struct Played {
    asked: Vec<Payload>,
    questions: Vec<Question>,
    has_ended: bool,
}

fn play(brief: &Arc<Brief>, attempt: u32, sayings: &[(Said, u64)], result: &str) -> Played {
    let input = Payload::from_value(json!({"text": "t", "subject": "s"})).unwrap();
    let mut dialogue = Dialogue::new(Arc::clone(brief), &input, (attempt, GRANT)).unwrap();
    let mut played = Played { asked: Vec::new(), questions: Vec::new(), has_ended: false };
    let mut sayings = sayings.iter();
    loop {
        match dialogue.act() {
            Ok(Act::Use(_)) => dialogue.returned(ToolAnswer::new(result)),
            Ok(Act::Ask(question)) => {
                let Some((said, usd_micros)) = sayings.next() else { return played };
                played.asked.push(question.arguments().unwrap());
                played.questions.push(*question);
                let cost = Grant { usd_micros: *usd_micros, tokens: 10 };
                let answered = Answered { said: said.clone(), cost, degraded: None };
                if dialogue.heard(answered).is_err() {
                    played.has_ended = true;
                    return played;
                }
            }
            Ok(Act::End(_)) | Err(_) => {
                played.has_ended = true;
                return played;
            }
        }
    }
}

/// Whether every call is answered behind it, and nothing else is.
fn is_well_formed(turns: &[Turn]) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for turn in turns {
        match turn {
            Turn::Tool { call, .. } => match open.iter().position(|id| id == call) {
                Some(index) => drop(open.remove(index)),
                None => return false,
            },
            Turn::User(_) | Turn::Model { .. } if !open.is_empty() => return false,
            Turn::User(_) => {}
            Turn::Model { calls, .. } => open = calls.iter().map(|call| call.id.as_str()).collect(),
        }
    }
    open.is_empty() && matches!(turns.first(), Some(Turn::User(_)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_said_the_conversation_is_bounded_and_the_same_again(
        sayings in sayings(),
        when_full in prop::sample::select(vec!["trim", "summarise, summarise_with: cheap", "fail"]),
        words in 0_usize..120,
    ) {
        let bounds = "max_calls: 4, max_output_tokens: 900";
        let wanted = format!("{bounds}, context_tokens: 4000, when_full: {when_full}");
        let brief = reader(|pack| pack.replace(bounds, &wanted));
        let result = "found it ".repeat(words);
        let first = play(&brief, 1, &sayings, &result);
        prop_assert_eq!(&play(&brief, 1, &sayings, &result), &first);
        prop_assert!(first.asked.len() <= 4);
        prop_assert!(first.has_ended || sayings.len() < 4);
        for question in &first.questions {
            prop_assert!(is_well_formed(&question.prompt.turns), "{:?}", question.prompt.turns);
            prop_assert!(question.tokens <= 4_000 || question.purpose == Purpose::Summary);
        }
        let second = play(&brief, 2, &sayings, &result);
        prop_assert!(second.asked.starts_with(&first.asked), "a later attempt asks the same first");
        prop_assert!(second.asked.len() <= 8);
    }
}
