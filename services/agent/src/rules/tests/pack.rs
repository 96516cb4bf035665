//! The shipped contract pack: its four roles by hand over both samples.

use super::*;

const CHUNK_CHARS: usize = 4_000;
const MSA: &str = include_str!("../../../../cadre/packs/contract/samples/msa.txt");
const NDA: &str = include_str!("../../../../cadre/packs/contract/samples/nda.txt");

macro_rules! contract {
    ($name:literal) => {
        include_str!(concat!("../../../../cadre/packs/contract/contracts/", $name))
    };
}

/// Accepts and returns of the roles, in the order of the workflow.
const CLASSIFIER: (&str, &str) =
    (contract!("excerpt.v1.json"), contract!("classification.v1.json"));
const EXTRACTOR: (&str, &str) = (contract!("chunk.v1.json"), contract!("terms.v2.json"));
const VALIDATOR: (&str, &str) = (contract!("review.v1.json"), contract!("findings.v1.json"));
const SYNTHESIZER: (&str, &str) = (contract!("dossier.v1.json"), contract!("brief.v1.json"));

fn role((accepts, returns): (&str, &str), input: &Value) -> Value {
    let parse = |schema: &str| serde_json::from_str::<Value>(schema).expect("a contract");
    let (accepts, returns) = (parse(accepts), parse(returns));
    jsonschema::draft202012::meta::validate(&returns).expect("a schema");
    jsonschema::validate(&accepts, input).expect("an input that the role accepts");
    let rules = Rules::compile(&returns).unwrap_or_else(|error| panic!("{error}"));
    let outcome = rules.run(input).expect("an outcome");
    assert_eq!(outcome.unsure, None, "{}", outcome.output);
    assert!(outcome.confidence >= 0.5, "confidence {}", outcome.confidence);
    jsonschema::validate(&returns, &outcome.output).expect("a valid answer");
    outcome.output
}

/// Windows of at most `CHUNK_CHARS`, cut at the last paragraph or line in the second half.
fn chunks(text: &str) -> Vec<(usize, String)> {
    let chars: Vec<char> = text.chars().collect();
    let (mut chunks, mut start) = (Vec::new(), 0);
    while start < chars.len() {
        let end = chars.len().min(start + CHUNK_CHARS);
        let window: String = chars[start..end].iter().collect();
        let cut = window.rfind("\n\n").map(|at| at + 2).or(window.rfind('\n').map(|at| at + 1));
        let keep = cut.filter(|cut| end < chars.len() && *cut > window.len() / 2);
        let part = window[..keep.unwrap_or(window.len())].to_owned();
        let width = part.chars().count();
        chunks.push((start, part));
        start += width;
    }
    chunks
}

/// All terms, kept in chunk order, and the brief.
fn pipeline(text: &str) -> (Value, Value) {
    let excerpt: String = text.chars().take(2_000).collect();
    let kind = role(CLASSIFIER, &json!({"text": excerpt}))["kind"].clone();
    let mut terms = json!({});
    for (offset, chunk) in chunks(text) {
        let found = role(EXTRACTOR, &json!({"text": chunk, "offset": offset, "kind": kind}));
        for (name, findings) in found.as_object().unwrap() {
            let all = terms.as_object_mut().unwrap().entry(name.clone()).or_insert(json!([]));
            all.as_array_mut().unwrap().extend(findings.as_array().unwrap().iter().cloned());
        }
    }
    let findings = role(VALIDATOR, &json!({"kind": kind, "terms": terms}));
    let dossier = json!({"kind": kind, "terms": terms, "findings": findings, "text": text});
    let brief = role(SYNTHESIZER, &dossier);
    let chars: Vec<char> = text.chars().collect();
    assert_quotes(&terms, &chars, 0);
    assert_quotes(&brief, &chars, 0);
    (terms, brief)
}

fn values(findings: &Value) -> Value {
    findings.as_array().unwrap().iter().map(|finding| finding["value"].clone()).collect()
}

const CODES: [&str; 4] = [
    "payment_terms_differ",
    "liability_caps_differ",
    "renews_automatically",
    "renewal_notice_long",
];

fn codes(brief: &Value) -> Vec<&str> {
    brief["issues"].as_array().unwrap().iter().filter_map(|issue| issue["code"].as_str()).collect()
}

#[test]
fn the_services_agreement_gives_its_brief_and_its_conflict() {
    let (terms, brief) = pipeline(MSA);
    assert_eq!(brief["kind"], "msa");
    assert_eq!(
        values(&brief["parties"]),
        json!(["Tessel Logistics, Inc.", "Harrowgate Analytics Limited"])
    );
    assert_eq!(brief["effective_date"]["value"], "2025-03-03");
    assert_eq!(brief["term"]["initial_months"]["value"], 36);
    assert_eq!(brief["term"]["auto_renewal"]["value"], true);
    assert_eq!(brief["term"]["renewal_notice_days"]["value"], 90);
    assert_eq!(values(&terms["payment_days"]), json!([30, 45]));
    assert_eq!(terms["payment_days"][0]["source"]["clause"], "5.2");
    assert_eq!(brief["payment_days"]["value"], 45, "the amendment is newer");
    assert_eq!(brief["payment_days"]["as_of"], "2026-03-01");
    assert_eq!(brief["liability_cap"]["value"], 1_500_000);
    assert_eq!(brief["liability_currency"]["value"], "USD");
    assert_eq!(brief["governing_law"]["value"], "State of New York");
    assert_eq!(brief["termination"]["notice_days"]["value"], 60);
    assert_eq!(brief["confidentiality_years"]["value"], 5);
    assert!(brief["precedence"]["value"].as_str().unwrap().contains("latest first"));
    assert!(brief["liability_carve_outs"]["value"].as_str().unwrap().contains("fraud"));
    assert_eq!(brief["risk"], "high");
    assert_eq!(
        values(&terms["liability_cap"]),
        json!([1_500_000, 5_000_000]),
        "8.3 has a cap of its own"
    );
    assert_eq!(values(&terms["renewal_notice_days"]), json!([90]), "120 days is for the fees");
    assert_eq!(codes(&brief), CODES);
    let message = brief["issues"][0]["message"].as_str().unwrap();
    assert!(message.contains("30 (5.2), 45 (SCHEDULE B, 3)"), "{message}");
    assert_eq!(brief["issues"][0]["sources"].as_array().map(Vec::len), Some(2));
    assert_eq!(brief["summary"].as_array().map(Vec::len), Some(6));
}

#[test]
fn the_secrecy_agreement_gives_its_brief() {
    let (_, brief) = pipeline(NDA);
    assert_eq!(brief["kind"], "nda");
    assert_eq!(
        values(&brief["parties"]),
        json!(["Bluefen Robotics GmbH", "Ostrava Castings s.r.o."])
    );
    assert_eq!(brief["effective_date"]["value"], "2026-01-15");
    assert_eq!(brief["term"]["initial_months"]["value"], 24);
    assert_eq!(brief["term"].get("auto_renewal"), None);
    assert_eq!(brief.get("payment_days"), None);
    assert_eq!(brief["liability_cap"]["value"], 250_000);
    assert_eq!(brief["liability_currency"]["value"], "EUR");
    assert_eq!(brief["governing_law"]["value"], "Germany");
    assert_eq!(brief["termination"]["notice_days"]["value"], 30);
    assert_eq!(brief["confidentiality_years"]["value"], 3);
    assert_eq!(brief["risk"], "low");
    assert_eq!(codes(&brief), Vec::<&str>::new());
}

#[test]
fn contracts_of_other_styles_give_a_brief_too() {
    let consulting = "CONSULTING AGREEMENT\n\nmade on June 1, 2024 BETWEEN:\n\nACME WIDGETS INC. (\"Company\")\nAND\n\
        Jane Q. Doe, of 12 Elm Street, Springfield (\"Consultant\")\n\n1. Fees. Invoices are due net 30.\n\
        2. Termination. Either party may terminate on fourteen (14) days' written notice.\n\
        3. Secrecy. Consultant shall keep all information confidential for two years.\n\
        4. Law. Governed by the laws of the State of Illinois.\n";
    let service = "Terms of Service\n\nThese Terms of Service (\"Terms\") govern your use of the services of \
        Foobar GmbH, Berlin (\"we\", \"us\").\n\nFees are billed monthly and payable within 14 days.\n";
    let lease = "RESIDENTIAL LEASE\n\nLandlord: Riverside Properties LLC\nTenant: John Smith\n\n\
        The lease term is 12 months starting September 1, 2025.\n";
    for (text, parties, field, value) in [
        (consulting, json!(["ACME WIDGETS INC.", "Jane Q. Doe"]), "/termination/notice_days", 14),
        (consulting, json!(["ACME WIDGETS INC.", "Jane Q. Doe"]), "/confidentiality_years", 2),
        (service, json!(["Foobar GmbH"]), "/payment_days", 14),
        (lease, json!(["Riverside Properties LLC", "John Smith"]), "/term/initial_months", 12),
        ("Payment is due in 30 days.", json!([]), "/payment_days", 30),
    ] {
        let (_, brief) = pipeline(text);
        assert_eq!(values(&brief["parties"]), parties, "{text}");
        let found = brief.pointer(field).map(|finding| &finding["value"]);
        assert_eq!(found, Some(&json!(value)), "{text}: {brief}");
        let is_missing = codes(&brief).contains(&"parties_missing");
        assert_eq!(is_missing, parties == json!([]), "{text}");
    }
}

#[test]
fn plain_sentences_are_read() {
    let text = "SERVICE AGREEMENT\n\nThis Agreement starts on 1 May 2026.\n\nGoverned by the laws of England.\n";
    let (_, brief) = pipeline(text);
    assert_eq!(brief["effective_date"]["value"], "2026-05-01", "{brief}");
    assert_eq!(brief["governing_law"]["value"], "England", "{brief}");
    let codes = codes(&brief);
    let missing = ["effective_date_missing", "governing_law_missing"];
    assert!(missing.iter().all(|code| !codes.contains(code)), "{codes:?}");
}
