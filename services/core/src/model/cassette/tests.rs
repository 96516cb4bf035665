use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::{Finish, TokenUsage, ToolCall, ToolSpec};

fn name(name: &str) -> Name {
    Name::new(name).unwrap()
}

fn prompt(system: &str, input: &str) -> Prompt {
    let tools = vec![ToolSpec {
        name: name("clock"),
        description: "says the time".to_owned(),
        parameters: json!({"type": "object"}),
    }];
    Prompt { system: system.to_owned(), tools, turns: vec![Turn::User(input.to_owned())] }
}

fn later(mut prompt: Prompt, time: &str) -> Prompt {
    let calls =
        vec![ToolCall { id: "c1".to_owned(), tool: "clock".to_owned(), arguments: json!({}) }];
    prompt.turns.push(Turn::Model { text: String::new(), calls, thoughts: None });
    prompt.turns.push(Turn::Tool {
        call: "c1".to_owned(),
        name: "clock".to_owned(),
        result: time.to_owned(),
        is_error: false,
    });
    prompt
}

fn recorded(role: &str, prompt: &Prompt, text: &str) -> Recorded {
    Recorded {
        role: name(role),
        model: "openai/gpt-4.1-mini-2025-04-14".to_owned(),
        question: Question::of(prompt, &Manner::default()),
        turn: turn_of(prompt),
        said: Said {
            text: text.to_owned(),
            calls: vec![ToolCall {
                id: "x".to_owned(),
                tool: "lookup".to_owned(),
                arguments: json!({"query": "ä\n"}),
            }],
            thoughts: None,
            finish: Finish::Tools,
            usage: TokenUsage { input: 10, cached: 4, cache_write: 1, output: 5 },
        },
        latency_ms: 420,
    }
}

fn cassettes(recorded: &[Recorded]) -> Cassettes {
    let text: String = recorded.iter().map(|it| it.to_line() + "\n").collect();
    let mut cassettes = Cassettes::default();
    cassettes.add(&text).unwrap();
    cassettes
}

#[test]
fn what_was_recorded_is_played() {
    let first = prompt("Read.", "A");
    let second = later(first.clone(), "10:00");
    let tape = cassettes(&[recorded("reader", &first, "one"), recorded("reader", &second, "two")]);
    let play = |prompt: &Prompt| tape.play(&name("reader"), prompt, &Manner::default());
    assert_eq!(play(&first).unwrap(), &recorded("reader", &first, "one"));
    assert_eq!(play(&second).unwrap().said.text, "two");
    assert_eq!(play(&second).unwrap().turn, 2);
    assert_eq!(play(&later(first.clone(), "11:59")).unwrap().said.text, "two", "another time");
    assert_eq!(tape.iter().count(), 2);
}

#[test]
fn a_miss_says_what_is_different() {
    let first = prompt("Read.", "A");
    let tape = cassettes(&[
        recorded("reader", &first, "one"),
        recorded("reader", &later(first.clone(), ""), "two"),
    ]);
    let miss = |role: &str, prompt: &Prompt, manner: &Manner| {
        tape.play(&name(role), prompt, manner).unwrap_err().to_string()
    };
    let with_manner = Manner { temperature_millis: Some(0), ..Manner::default() };
    for (prompt, manner, difference) in [
        (prompt("Read!", "A"), Manner::default(), "the system prompt"),
        (prompt("Read.", "B"), Manner::default(), "the input"),
        (prompt("Read!", "B"), Manner::default(), "the system prompt and the input"),
        (first.clone(), with_manner, "the manner of the answer"),
        (Prompt { tools: Vec::new(), ..first.clone() }, Manner::default(), "the tools"),
    ] {
        let expected = format!(
            "no cassette of the pack answers call 1 of role reader: the nearest one differs in \
             {difference}; name a model with --model, or record it with `cadre pack record`"
        );
        assert_eq!(miss("reader", &prompt, &manner), expected);
    }
    assert_eq!(
        miss("writer", &first, &Manner::default()),
        "no cassette of the pack answers call 1 of role writer: there is none of this role; name \
         a model with --model, or record it with `cadre pack record`"
    );
}

#[test]
fn the_first_answer_to_a_question_counts() {
    let first = prompt("Read.", "A");
    let tape = cassettes(&[recorded("reader", &first, "one"), recorded("reader", &first, "two")]);
    assert_eq!(tape.play(&name("reader"), &first, &Manner::default()).unwrap().said.text, "one");
}

#[test]
fn what_is_no_cassette_is_refused_with_its_line() {
    let good = recorded("reader", &prompt("a", "b"), "").to_line();
    let refused = |bad: &str| {
        let error = Cassettes::default().add(&format!("{good}\n\n{bad}\n")).unwrap_err();
        (error.line, error.message)
    };
    assert_eq!(refused("x").0, 3);
    let hash = refused(&good.replace("\"ask_sha256\":\"", "\"ask_sha256\":\"x"));
    assert_eq!(hash.1, "ask_sha256 is no SHA-256: 64 hexadecimal digits");
    assert!(refused(&good.replace("\"turn\"", "\"tern\"")).1.contains("unknown field `tern`"));
    assert!(refused(&good.replace("reader", "Reader")).1.starts_with("role: "));
}

/// Golden: another hash would make every recorded cassette worthless.
#[test]
fn a_question_hashes_as_it_always_did() {
    let question = Question::of(&later(prompt("Read.", "A"), "10:00"), &Manner::default());
    assert_eq!(
        question.ask.to_string(),
        "47d9f1732a99a259c4f9c335436a0f63289cf3efeb7f79f994333913c9082175"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_read_back(text in "(?s).{0,40}", latency_ms in any::<u64>(), input in any::<u64>()) {
        let mut wanted = recorded("reader", &prompt("a", &text), &text);
        wanted.latency_ms = latency_ms;
        wanted.said.usage.input = input;
        let line = wanted.to_line();
        prop_assert!(!line.contains('\n'));
        prop_assert_eq!(line::parse(&line).unwrap(), wanted);
    }
}
