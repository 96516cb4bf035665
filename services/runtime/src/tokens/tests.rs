//! What a prompt is estimated at, beside what OpenAI's own tokenizers count: over the files of the packs that
//! ship, this project's documents and sources, and texts that tokenizers find hard.

use std::{fs, path::Path};

use cadre_core::{
    ids::Name,
    model::{ToolSpec, Turn},
    workflow::Route,
};
use serde_json::json;
use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton};

use super::*;

/// Bytes of a file that are looked at: an unoptimised tokenizer is slow.
const FILE_BYTES_MAX: usize = 12_000;

/// Texts of which tokenizers make many pieces.
const HARD: [&str; 9] = [
    "Rückerstattungsansprüche verjähren nach Ablauf der gesetzlichen Gewährleistungsfrist.",
    "Стороны договорились, что ответственность не превышает уплаченную сумму.",
    "يتفق الطرفان على أن المسؤولية لا تتجاوز الرسوم المدفوعة.",
    "दोनों पक्ष सहमत हैं कि दायित्व भुगतान की गई फीस से अधिक नहीं होगा।",
    "双方同意，责任总额不得超过过去十二个月内支付的费用。",
    "両当事者は、責任が支払われた料金を超えないことに同意する。",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "SGVsbG8sIHdvcmxkISBUaGlzIGlzIGEgdGVzdCBvZiBiYXNlNjQgbm9pc2Uu+/==",
    "🙂🚀👩‍👩‍👧‍👦 ¯\\_(ツ)_/¯ \t\t\n\n\n    {{[(((\\\"'`~!@#$%^&*",
];

/// Every text file below a folder.
fn texts(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            texts(&path, found);
        } else if let Ok(mut text) = fs::read_to_string(&path) {
            text.truncate(text.floor_char_boundary(FILE_BYTES_MAX));
            found.push((path.display().to_string(), text));
        }
    }
}

#[test]
fn no_tokenizer_of_openais_counts_more_than_is_set_aside() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found: Vec<_> = HARD.map(|text| (text.to_owned(), text.to_owned())).into();
    for pack in ["contract", "support", "planner"] {
        texts(&project.join("services/cadre/packs").join(pack), &mut found);
    }
    texts(&project.join("services/core/src/model"), &mut found);
    for file in ["README.md", "ARCHITECTURE.md"] {
        let text = fs::read_to_string(project.join(file)).expect("text");
        found.push((file.to_owned(), text));
    }
    assert!(found.len() > 60, "{}", found.len());
    let count = |tokenizer: &CoreBPE, text: &str| tokenizer.encode_ordinary(text).len() as u64;
    let (mut counted, mut estimated) = (0, 0);
    for (name, text) in &found {
        let most = count(cl100k_base_singleton(), text).max(count(o200k_base_singleton(), text));
        let estimate = of_text(text);
        assert!(estimate >= most, "{name}: {estimate} for {most}");
        (counted, estimated) = (counted + most, estimated + estimate);
    }
    assert!(estimated < counted * 2, "{estimated} for {counted}: far too much is set aside");
}

/// Two requests of OpenAI's cookbook ("How to count tokens with tiktoken"), with what its API billed for
/// gpt-4o: messages of several roles, and a tool.
fn billed() -> [(Prompt, u64); 2] {
    let user = |text: &str| Turn::User(text.to_owned());
    let talk = Prompt {
        system: "You are a helpful, pattern-following assistant that translates corporate jargon into plain \
                 English."
            .to_owned(),
        tools: Vec::new(),
        turns: vec![
            user("New synergies will help drive top-line growth."),
            user("Things working well together will increase revenue."),
            user(
                "Let's circle back when we have more bandwidth to touch base on opportunities for increased \
                 leverage.",
            ),
            user("Let's talk later when we're less busy about how to do better."),
            user(
                "This late pivot means we don't have time to boil the ocean for the client deliverable.",
            ),
        ],
    };
    let weather = ToolSpec {
        name: Name::new("get-current-weather").unwrap(),
        description: "Get the current weather in a given location".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                "unit": {
                    "type": "string", "description": "The unit of temperature to return",
                    "enum": ["celsius", "fahrenheit"]
                },
            },
            "required": ["location"],
        }),
    };
    let called = Prompt {
        system: "You are a helpful assistant that can answer to questions about the weather."
            .to_owned(),
        tools: vec![weather],
        turns: vec![user("What's the weather like in San Francisco?")],
    };
    [(talk, 124), (called, 101)]
}

#[test]
fn what_openai_billed_was_set_aside() {
    for (prompt, billed) in billed() {
        let exact = of_prompt_by(&prompt, &Manner::default(), &o200k);
        // Tools are JSON, and have a bound only.
        let most = if prompt.tools.is_empty() { billed * 3 / 2 } else { billed * 9 / 4 };
        assert!((billed..most).contains(&exact), "{exact} for {billed}");
    }
}

#[tokio::test]
async fn each_route_is_counted_as_its_model_counts() {
    let routes = ["openai/gpt-5-2025-08-07", "anthropic/claude-sonnet-5", "openai/gpt-4-0613"];
    let route = |name: &str| {
        let (provider, model) = name.split_once('/').unwrap();
        Route::new(provider, model)
    };
    let routes = routes.map(route).into();
    let alias = ModelAlias { routes, cache_answers: false, is_free: false };
    let turns = vec![Turn::User("The fees are due within thirty days of the invoice. ".repeat(20))];
    let prompt = Arc::new(Prompt { turns, ..Prompt::default() });
    let counted = of_routes(&alias, &prompt, &Manner::default()).await;
    let bound = of_prompt(&prompt, &Manner::default());
    let [exact, other, old] = counted[..] else { panic!("{counted:?}") };
    assert_eq!((other, old), (bound, bound));
    assert!(exact < bound * 3 / 4, "{exact} of {bound}");
}

#[test]
fn a_text_is_counted_as_the_tokenizer_counts_it_while_it_is_not_too_long() {
    let ends = "<|endoftext|> is mere text here";
    for text in HARD.into_iter().chain([ends, ""]) {
        let counted = o200k_base_singleton().encode_ordinary(text).len() as u64;
        assert_eq!(o200k(text), counted, "{text}");
    }
    let blanks = " ".repeat(TOKENIZED_BYTES_MAX);
    assert!(o200k(&blanks) <= of_text(&blanks));
    let long = "a ".repeat(TOKENIZED_BYTES_MAX / 2 + 1);
    assert_eq!(o200k(&long), of_text(&long));
}
