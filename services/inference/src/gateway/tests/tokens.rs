//! What a prompt is estimated at, beside what OpenAI's own tokenizers count: over the files of the packs that
//! ship, this project's documents and sources, and texts that tokenizers find hard.

use std::{fs, path::Path};

use cadre_core::model::tokens::of_text;
use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton};

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
