//! Properties of the rules over random candidates.

use proptest::prelude::*;

use super::*;

const RULES: [FieldRule; 6] = [
    FieldRule::Agree,
    FieldRule::Priority,
    FieldRule::Newest,
    FieldRule::HighestConfidence,
    FieldRule::Vote,
    FieldRule::Merge,
];

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..3_i64).prop_map(Value::from),
        (-2..2_i32).prop_map(|n| json!(f64::from(n) / 2.0)),
        any::<f64>().prop_map(|n| json!(n)),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("a|b|value|confidence|as_of", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_candidate() -> impl Strategy<Value = Candidate> {
    let confidence = prop::option::of(prop_oneof![0.0..1.0, any::<f64>()]);
    ("[a-c]", json_value(), confidence)
        .prop_map(|(from, value, confidence)| candidate(&from, value, confidence))
}

fn any_missing() -> impl Strategy<Value = Missing> {
    ("(a|b|c)(-[0-2])?", "[xy]").prop_map(|(step, cause)| missing(&step, &cause))
}

fn any_field() -> impl Strategy<Value = Field> {
    let candidates = prop::collection::vec(any_candidate(), 0..5);
    let absent = prop::collection::vec(any_missing(), 0..2);
    (prop::sample::select(&RULES[..]), any::<bool>(), candidates, absent).prop_map(
        |(rule, is_required, candidates, missing)| Field {
            name: String::new(),
            rule,
            is_required,
            candidates,
            missing,
        },
    )
}

fn any_request() -> impl Strategy<Value = Request> {
    let fields = prop::collection::vec(any_field(), 0..4);
    let gaps = prop::collection::vec(any_missing(), 0..3);
    (fields, gaps, prop::option::of("limit")).prop_map(|(mut fields, gaps, limit)| {
        for (index, field) in fields.iter_mut().enumerate() {
            field.name = format!("f{index}");
        }
        Request { fields, gaps, limit }
    })
}

/// Findings with distinct values, dates and confidences: nothing is left to declared order.
fn distinct_findings() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::btree_set((0..1_000_i64, 0..1_000_u32), 1..6).prop_map(|set| {
        let all = set.into_iter().enumerate();
        all.map(|(i, (day, sure))| {
            let unique = day * 10 + i as i64;
            let confidence = f64::from(sure * 10 + i as u32) / 10_000.0;
            json!({"value": i, "as_of": unique, "confidence": confidence})
        })
        .collect()
    })
}

proptest! {
    #[test]
    fn an_answer_is_made_of_its_candidates_and_accounts_for_every_field(request in any_request()) {
        let response = answer(&request);
        prop_assert_eq!(&response, &answer(&request), "the same parts, the same answer");
        prop_assert_ne!(response.to_value(), Value::Null);
        for field in &request.fields {
            let value = response.result.get(&field.name);
            let is_taken = field.candidates.iter().any(|c| Some(&c.value) == value);
            prop_assert!(value.is_none() || is_taken || field.rule == FieldRule::Merge);
            let is_listed = response.missing.iter().any(|m| m.field.as_ref() == Some(&field.name));
            prop_assert!(value.is_some() || is_listed || !field.is_required);
            let stood: Vec<_> = response.conflicts.iter().filter(|c| c.field == field.name).collect();
            for conflict in stood {
                prop_assert!(!conflict.why.is_empty() && !conflict.losers.is_empty());
                prop_assert_eq!(conflict.winner.is_none(), field.rule == FieldRule::Agree);
            }
        }
        let is_whole = response.status == EndStatus::Completed;
        prop_assert!(!is_whole || request.limit.is_none());
        prop_assert!(!is_whole || request.fields.iter().all(|f| !f.is_required || response.result.contains_key(&f.name)));
    }

    #[test]
    fn declared_order_does_not_matter_where_the_rule_has_a_measure(
        (values, shuffled) in distinct_findings().prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
        rule in prop::sample::select(vec![FieldRule::Newest, FieldRule::HighestConfidence, FieldRule::Agree, FieldRule::Vote]),
    ) {
        let of = |values: &[Value]| {
            answer(&request(vec![field("x", rule, candidates(values))])).result.get("x").cloned()
        };
        prop_assert_eq!(of(&values), of(&shuffled));
    }

    #[test]
    fn a_majority_wins_wherever_it_stands(
        shuffled in Just(vec![json!(1), json!(2), json!(3), json!(2)]).prop_shuffle(),
    ) {
        let response = answer(&request(vec![field("x", FieldRule::Vote, candidates(&shuffled))]));
        prop_assert_eq!(&response.result["x"], &json!(2));
    }

    #[test]
    fn a_request_survives_the_wire(request in any_request()) {
        let text = request.to_value().to_string();
        let read = Request::from_value(&serde_json::from_str(&text).unwrap()).unwrap();
        // NaN and infinity do not exist in JSON: as a confidence they mean nothing was said.
        let answer = |request: &Request| answer(request).to_value().to_string();
        prop_assert_eq!(answer(&read), answer(&request));
    }
}
