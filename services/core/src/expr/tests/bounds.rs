//! Hostile source and hostile data.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::limits::{EXPRESSION_DEPTH_MAX, EXPRESSION_MARKS_MAX};

#[test]
fn work_is_bounded_whatever_the_data() {
    let items: Vec<Value> = (0..3_000).map(Value::from).collect();
    let long = "x".repeat(1 << 20);
    let data = data(json!({"goal": {"tags": items, "text": long}, "classify": {}, "extract": []}));
    for source in [
        "goal.tags.all(a, goal.tags.all(b, a + b >= 0))",
        "goal.tags.map(a, goal.text)",
        "goal.tags.filter(a, goal.text.matches('y$'))",
    ] {
        let error = Expr::compile(source, &scope()).unwrap().eval(&data).unwrap_err();
        assert!(error.reason.starts_with("takes too much work"), "{source}: {error}");
    }
    let cheap = Expr::compile("goal.tags.all(a, a >= 0 && a < 3000)", &scope()).unwrap();
    assert_eq!(cheap.holds(&data), Ok(true));
    let many = format!("[{}]", ["goal.text"; 12].join(", "));
    let error = Expr::compile(&many, &scope()).unwrap().eval(&data).unwrap_err();
    assert_eq!(error.reason, format!("gives more than {PAYLOAD_BYTES_MAX} bytes"));
}

#[test]
fn hostile_source_is_refused_before_it_is_parsed() {
    let compile =
        |source: String| Expr::compile(&source, &scope()).map(|_| ()).unwrap_err().message;
    for (open, close) in [("[", "]"), ("{'a': ", "}"), ("!(", ")"), ("size(", ")")] {
        compile(open.repeat(60) + "1" + &close.repeat(60));
        compile(open.repeat(500));
    }
    assert!(compile("a+".repeat(3_000) + "a").contains("longer than"));
    assert!(
        compile("a+".repeat(1_000) + "a").contains(&format!("{EXPRESSION_MARKS_MAX} operators"))
    );
    assert!(
        compile("goal.pages + ".repeat(60) + "1")
            .contains(&format!("{EXPRESSION_DEPTH_MAX} levels"))
    );
    compile("goal.tags.map(x, ".repeat(30) + "x" + &")".repeat(30));
}

/// The deepest trees that are accepted, with a meter at every level, on a test's 2 MB stack.
#[test]
fn the_deepest_expressions_leave_stack() {
    let deepest = |make: &dyn Fn(usize) -> String| {
        let fits = |n: &usize| Expr::compile(&make(*n), &scope()).is_ok();
        let most = (1..64).filter(fits).max().unwrap();
        let expr = Expr::compile(&make(most), &scope()).unwrap();
        expr.eval(&sample()).map(|_| most).map_err(|e| e.to_string())
    };
    for make in [
        &|n: usize| "goal.pages + ".repeat(n) + "1",
        &|n| "!(".repeat(n) + "goal.pages == 1" + &")".repeat(n),
        &|n| "[".repeat(n) + "goal.pages" + &"]".repeat(n),
        &|n| "{'a': ".repeat(n) + "goal.pages" + &"}".repeat(n),
        &|n| "goal.pages > 3 ? 1 : ".repeat(n) + "2",
        &|n| (0..n).map(|i| format!("[1].map(x{i}, ")).collect::<String>() + "1" + &")".repeat(n),
        &|n| {
            (0..n).map(|i| format!("[1].exists(x{i}, x{i} + 1 == 3 || ")).collect::<String>()
                + "true"
                + &")".repeat(n)
        },
        &|n| "[size(".repeat(n) + "goal.tags" + &")]".repeat(n),
    ] as [&dyn Fn(usize) -> String; 8]
    {
        let most = deepest(make).unwrap();
        assert!(most >= 5, "{most} of {}", make(1));
    }
}

fn source() -> impl Strategy<Value = String> {
    const TOKENS: [&str; 48] = [
        "goal",
        "goal.text",
        "extract",
        "absent",
        "task.id",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "?",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "&&",
        "||",
        "==",
        "<",
        "in",
        " ",
        "1",
        "0x",
        "1u",
        "2.5",
        "99999999999999999999",
        "1e999",
        ".",
        "'",
        "\"",
        "\\",
        "'abc'",
        "r'\\'",
        "null",
        "has(",
        ".map(x, ",
        ".all(x, x)",
        "merge(",
        "chunks(goal.text, 2)",
        "$",
        "${",
        "\u{0}",
        "日",
    ];
    prop_oneof![
        proptest::collection::vec(proptest::sample::select(&TOKENS[..]), 0..24)
            .prop_map(|tokens| tokens.concat()),
        ".{0,60}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_source_makes_an_expression_panic(source in source()) {
        if let Ok(expr) = Expr::compile(&source, &scope()) {
            let first = expr.eval(&sample());
            prop_assert_eq!(first, expr.eval(&sample()));
        }
    }

    #[test]
    fn no_text_makes_a_template_panic(text in source(), more in source()) {
        let template = json!({"a": text, "b": [format!("x ${{ {more} }} y")]});
        if let Ok(template) = Template::compile(&template, &scope()) {
            let _rendered = template.render(&sample());
        }
    }

    #[test]
    fn values_survive_the_interpreter(value in value()) {
        let expr = Expr::compile("[goal][0]", &Scope::new().with("goal", Shape::Any)).unwrap();
        prop_assert_eq!(expr.eval(&data(json!({"goal": value.clone()}))), Ok(value));
    }

    #[test]
    fn chunks_in_a_row_are_the_text(text in "[a-zé日\n\r .]{0,300}", max in 1_usize..40) {
        let pieces = functions::chunks(&text, max as i64).unwrap();
        let mut whole = String::new();
        for piece in pieces {
            prop_assert_eq!(piece["offset"].as_u64().unwrap(), whole.chars().count() as u64);
            let piece = piece["text"].as_str().unwrap();
            prop_assert!((1..=max).contains(&piece.chars().count()));
            whole.push_str(piece);
        }
        prop_assert_eq!(whole, text);
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e12..1e12).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(".{0,4}", inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}
