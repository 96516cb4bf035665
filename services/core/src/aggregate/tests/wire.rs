//! The documents that travel.

use super::*;

fn sample() -> Request {
    Request {
        fields: vec![
            field(
                "x",
                FieldRule::Vote,
                vec![
                    candidate("a.x", json!({"value": [1]}), Some(0.5)),
                    candidate("b.x", json!(null), None),
                ],
            ),
            Field {
                is_required: false,
                missing: vec![missing("c", "no")],
                ..field("y", FieldRule::Merge, vec![])
            },
        ],
        gaps: vec![missing("c-1", "timeout: late")],
        limit: Some("max_steps".to_owned()),
    }
}

#[test]
fn a_request_reads_back() {
    let bare = request(Vec::new());
    for request in [sample(), bare] {
        assert_eq!(Request::from_value(&request.to_value()), Ok(request));
    }
}

#[test]
fn a_document_that_is_no_request_names_the_place() {
    let broken = |pointer: &str, value: Value| {
        let mut document = sample().to_value();
        *document.pointer_mut(pointer).unwrap() = value;
        Request::from_value(&document).unwrap_err().to_string()
    };
    let table = [
        ("", json!(3), "/ of the aggregation request is not an object"),
        ("", json!({}), "/fields of the aggregation request is not there"),
        ("/fields", json!({}), "/fields of the aggregation request is not a list"),
        ("/fields/1", json!([]), "/fields/1 of the aggregation request is not an object"),
        ("/fields/0/name", json!(1), "/fields/0/name of the aggregation request is not a string"),
        (
            "/fields/0/required",
            json!(1),
            "/fields/0/required of the aggregation request is not a boolean",
        ),
        (
            "/fields/0/rule",
            json!("judge"),
            "/fields/0/rule of the aggregation request names the unknown rule \"judge\": update this process",
        ),
        (
            "/fields/0/candidates/0",
            json!({}),
            "/fields/0/candidates/0/value of the aggregation request is not there",
        ),
        (
            "/fields/0/candidates/0/confidence",
            json!("a"),
            "/fields/0/candidates/0/confidence of the aggregation request is not a number or null",
        ),
        ("/gaps/0/cause", json!(null), "/gaps/0/cause of the aggregation request is not a string"),
        ("/limit", json!(4), "/limit of the aggregation request is not a string"),
    ];
    for (pointer, value, message) in table {
        assert_eq!(broken(pointer, value), message);
    }
}
