mod bounds;

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::limits::PAYLOAD_BYTES_MAX;

struct Data(BTreeMap<String, Value>);

impl Env for Data {
    fn lookup(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(name).map(Cow::Borrowed)
    }
}

fn data(values: Value) -> Data {
    let Value::Object(values) = values else { panic!("an object of variables") };
    Data(values.into_iter().collect())
}

fn scope() -> Scope {
    let goal = json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "text": {"type": "string"}, "pages": {"type": "integer"}, "price": {"type": "number"},
            "tags": {"type": "array", "items": {"type": "string"}}, "meta": {"type": "object"},
            "big": {"type": "integer"}
        }
    });
    let terms = json!({"type": "object", "additionalProperties": false, "properties": {
        "parties": {"type": "array"}, "degraded": {"type": "boolean"}
    }});
    Scope::new()
        .with("goal", Shape::of_schema(&goal))
        .with("classify", Shape::Any)
        .with("extract", Shape::of_schema(&terms).list())
        .with("absent", Shape::Any)
        .with("task", Shape::closed(&["id", "tenant", "workflow", "key"]))
}

fn sample() -> Data {
    data(json!({
        "goal": {
            "text": "Größe: one. Two", "pages": 3, "price": 2.5, "tags": ["b", "a"],
            "meta": {"z": 1, "a": {"b": null}}, "big": u64::MAX
        },
        "classify": {"kind": "msa", "confidence": 0.7, "unsure": false},
        "extract": [
            {"parties": ["x"], "degraded": false}, null, {"parties": ["y"], "degraded": true}
        ],
        "absent": null,
        "task": {"id": "t", "tenant": "acme", "workflow": "w", "key": "k"}
    }))
}

fn eval(source: &str) -> Result<Value, String> {
    let expr = Expr::compile(source, &scope()).map_err(|e| e.to_string())?;
    expr.eval(&sample()).map_err(|e| e.to_string())
}

#[test]
fn expressions_give_values() {
    for (source, value) in [
        ("goal.pages", json!(3)),
        ("${ goal.pages }", json!(3)),
        ("goal.price", json!(2.5)),
        ("goal.big", json!(u64::MAX)),
        ("[goal.big]", json!([u64::MAX])),
        ("[goal.pages, goal.price]", json!([3, 2.5])),
        ("goal.pages + 1", json!(4)),
        ("goal.meta", json!({"z": 1, "a": {"b": null}})),
        ("{'copy': goal.meta}", json!({"copy": {"z": 1, "a": {"b": null}}})),
        ("classify.confidence >= 0.7 && !classify.unsure", json!(true)),
        ("classify.kind in ['msa', 'nda', 'sow']", json!(true)),
        ("absent == null", json!(true)),
        ("absent", json!(null)),
        ("has(goal.meta.a.b)", json!(true)),
        ("has(goal.meta.q)", json!(false)),
        ("has(classify.nothing) && classify.nothing > 1", json!(false)),
        ("classify.nothing == 1 || true", json!(true)),
        ("extract.exists(e, e != null && e.degraded)", json!(true)),
        ("extract.filter(e, e != null).map(e, e.parties[0])", json!(["x", "y"])),
        ("extract.exists_one(e, e == null)", json!(true)),
        ("goal.meta.map(k, k)", json!(["a", "z"])),
        ("goal.tags.all(t, t in goal.tags)", json!(true)),
        ("goal.tags.map(t, goal.tags.map(u, t + u))", json!([["bb", "ba"], ["ab", "aa"]])),
        ("goal.tags.join('-') + '!'", json!("b-a!")),
        ("goal.text.substring(0, 5)", json!("Größe")),
        ("goal.text.substring(13, 9000)", json!("wo")),
        ("goal.text.substring(9000)", json!("")),
        ("goal.text.split(' ')[0].trim().upperAscii()", json!("GRößE:")),
        ("goal.text.matches('^Gr.{2}e')", json!(true)),
        ("size(goal.text)", json!(15)),
        ("size(compact(extract))", json!(2)),
        ("merge(extract)", json!({"parties": ["x", "y"], "degraded": false})),
        ("merge(extract).parties", json!(["x", "y"])),
        ("merge(absent)", json!({})),
        ("chunks('aa bb', 3)", json!([{"text": "aa ", "offset": 0}, {"text": "bb", "offset": 3}])),
        ("chunks(goal.text, 8)[1].offset", json!(7)),
        ("goal.pages > 2 ? 'long' : 'short'", json!("long")),
        ("string(goal.pages) + ' pages'", json!("3 pages")),
        ("type(goal.pages) == int", json!(true)),
        ("task.tenant", json!("acme")),
    ] {
        assert_eq!(eval(source), Ok(value), "{source}");
    }
}

#[test]
fn expressions_without_a_value_say_why() {
    for (source, reason) in [
        ("classify.nothing", "`classify.nothing`: `classify` has no field `nothing`"),
        ("goal.meta.a.c.d", "`goal.meta.a.c.d`: `goal.meta.a` has no field `c`"),
        ("goal.meta.a.b.c", "`goal.meta.a.b.c`: `goal.meta.a.b` is null, it has no field `c`"),
        ("absent.kind", "`absent.kind`: `absent` is null, it has no field `kind`"),
        ("absent.kind == 'x'", "`absent.kind == 'x'`: `absent` is null, it has no field `kind`"),
        ("classify.nothing > 1", "`classify.nothing > 1`: `classify` has no field `nothing`"),
        ("goal.pages > goal.text", "`goal.pages > goal.text`: `>` does not fit int and string"),
        ("goal.pages / 0", "`goal.pages / 0`: divides by zero"),
        ("goal.price / 0.0", "`goal.price / 0.0`: gives inf"),
        (
            "9223372036854775807 + goal.pages",
            "`9223372036854775807 + goal.pages`: a number is out of range",
        ),
        ("type(goal.pages)", "`type(goal.pages)`: gives a type, which JSON has not"),
        ("{1: 2}", "`{1: 2}`: gives an object whose keys are not texts"),
        ("merge(goal.text)", "`merge(goal.text)`: `merge` wants a list"),
        (
            "chunks(goal.text, 0)",
            "`chunks(goal.text, 0)`: `chunks` wants at least 1 character a piece, not 0",
        ),
        (
            "chunks(goal.pages, 9)",
            "`chunks(goal.pages, 9)`: `chunks` wants a text and a number of characters",
        ),
        ("1 - goal.meta", "`1 - goal.meta`: `sub` does not fit int and map"),
        ("extract[7]", "`extract[7]`: the list has no such item"),
    ] {
        assert_eq!(eval(source), Err(reason.to_owned()), "{source}");
    }
}

#[test]
fn wrong_expressions_do_not_compile() {
    for (source, reason) in [
        ("", "``: empty"),
        ("gaol.text", "`gaol.text`: unknown name `gaol`: did you mean `goal`?"),
        (
            "nothing",
            "`nothing`: unknown name `nothing`; known: absent, classify, extract, goal, task",
        ),
        ("goal.txt", "`goal.txt`: `goal` has no field `txt`: did you mean `text`?"),
        ("has(goal.txt)", "`has(goal.txt)`: `goal` has no field `txt`: did you mean `text`?"),
        ("task.name", "`task.name`: `task` has no field `name`; known: id, key, tenant, workflow"),
        (
            "extract.degraded",
            "`extract.degraded`: `extract` is a list and has no field `degraded`: take an item, \
             `extract[0].degraded`, or use exists, all, map or filter",
        ),
        (
            "extract[0].degrade",
            "`extract[0].degrade`: `the value` has no field `degrade`: did you mean `degraded`?",
        ),
        (
            "extract.exists(e, e.degrade)",
            "`extract.exists(e, e.degrade)`: `e` has no field `degrade`: did you mean `degraded`?",
        ),
        (
            "merge(extract).partis",
            "`merge(extract).partis`: `the value` has no field `partis`: did you mean `parties`?",
        ),
    ] {
        assert_eq!(eval(source), Err(reason.to_owned()), "{source}");
    }
}

#[test]
fn wrong_calls_do_not_compile() {
    for (source, reason) in [
        (
            "chunk(goal.text, 8)",
            "`chunk(goal.text, 8)`: unknown function `chunk`: did you mean `chunks`?",
        ),
        ("chunks(goal.text)", "`chunks(goal.text)`: `chunks` takes 2 arguments, not 1"),
        ("goal.text.chunks(8)", "`goal.text.chunks(8)`: `chunks` is called as chunks(x)"),
        (
            "contains(goal.text, 'a')",
            "`contains(goal.text, 'a')`: `contains` is called as x.contains()",
        ),
        (
            "goal.text.replace('', goal.text)",
            "`goal.text.replace('', goal.text)`: unknown function `replace`; known: bool, chunks, compact, contains, double, dyn, endsWith, int, join, lowerAscii, matches, merge, …",
        ),
        (
            "goal.tags.map(goal, goal)",
            "`goal.tags.map(goal, goal)`: `goal` is a variable already: choose another name in the macro",
        ),
        (
            "goal.tags.map(t)",
            "`goal.tags.map(t)`: `map` is a macro: write list.map(x, …) with a variable and a condition or value, or has(a.b)",
        ),
        (
            "t == 1 && goal.tags.exists(t, true)",
            "`t == 1 && goal.tags.exists(t, true)`: unknown name `t`; known: absent, classify, extract, goal, task",
        ),
        ("Goal{a: 1}", "`Goal{a: 1}`: typed objects are not supported: write {\"key\": value}"),
        ("b'raw'", "`b'raw'`: bytes have no place in JSON: use a text"),
        (".goal", "`.goal`: unknown name `.goal`: did you mean `goal`?"),
    ] {
        assert_eq!(eval(source), Err(reason.to_owned()), "{source}");
    }
    for source in ["goal.", "1 +", "goal.text == 'a", "a b", "(", "goal.?text", "\u{0}", "@result"]
    {
        let error = Expr::compile(source, &scope()).unwrap_err();
        assert!(!error.message.contains('\n'), "{source}: {error}");
    }
}

#[test]
fn only_what_is_read_is_named() {
    let expr = Expr::compile("extract.all(e, e.degraded || goal.pages > 1)", &scope()).unwrap();
    assert_eq!(expr.variables(), ["extract", "goal"]);
    let path = Expr::compile("goal.text", &scope()).unwrap();
    assert!(matches!(path.plan, Plan::Path(_)));
    let call = Expr::compile("chunks(goal.text, 8000)", &scope()).unwrap();
    assert!(matches!(call.plan, Plan::Call(Function::Chunks, _)));
}

#[test]
fn a_condition_is_a_boolean() {
    let holds = |source: &str| Expr::compile(source, &scope()).unwrap().holds(&sample());
    assert_eq!(holds("goal.pages == 3"), Ok(true));
    assert_eq!(holds("classify.unsure"), Ok(false));
    let error = holds("goal.pages").unwrap_err();
    assert_eq!(error.to_string(), "`goal.pages`: gives a number, not true or false");
}

#[test]
fn every_function_is_known_to_the_interpreter() {
    for (name, plain, member) in check::FUNCTIONS {
        let arguments = |count: usize| vec!["goal.text"; count].join(", ");
        let plain = plain.iter().map(|n| format!("{name}({})", arguments(*n)));
        let member = member.iter().map(|n| format!("goal.text.{name}({})", arguments(*n)));
        for source in plain.chain(member) {
            if let Err(error) = eval(&source) {
                assert!(!error.contains("Undeclared"), "{error}");
            }
        }
    }
}

#[test]
fn templates_render() {
    let template = json!({
        "fixed": [1, {"a": null}],
        "text": "${ goal.text }",
        "pages": "${goal.pages}",
        "line": "${ goal.pages } pages of ${ classify.kind }${ absent }, ${ goal.tags }",
        "escaped": "$${ goal.pages } costs $5",
        "braces": "${ {'a': '}'}['a'] }",
        "deep": [{"x": "${ merge(extract).parties }"}]
    });
    let template = Template::compile(&template, &scope()).unwrap();
    assert_eq!(template.variables(), ["absent", "classify", "extract", "goal"]);
    let rendered = json!({
        "fixed": [1, {"a": null}],
        "text": "Größe: one. Two",
        "pages": 3,
        "line": "3 pages of msa, [\"b\",\"a\"]",
        "escaped": "${ goal.pages } costs $5",
        "braces": "}",
        "deep": [{"x": ["x", "y"]}]
    });
    assert_eq!(template.render(&sample()), Ok(rendered));
}

#[test]
fn templates_say_where_they_are_wrong() {
    let mut errors = Vec::new();
    let template = json!({"a": ["${ goal.txt }", "${ goal.text"], "b": {"c": "x ${ nope } y"}});
    Template::compile_all(&template, &scope(), &mut errors);
    let errors: Vec<_> = errors.iter().map(|e| (e.path.as_str(), e.message.as_str())).collect();
    assert_eq!(
        errors,
        [
            ("/a/0", "`goal.txt`: `goal` has no field `txt`: did you mean `text`?"),
            ("/a/1", "`${ goal.text` has no closing `}`; write `$${` for a plain `${`"),
            ("/b/c", "`nope`: unknown name `nope`; known: absent, classify, extract, goal, task"),
        ]
    );
}

#[test]
fn a_template_cannot_grow_without_end() {
    let scope = Scope::new().with("goal", Shape::Any);
    let template = Template::compile(&json!(vec!["${ goal }"; 10]), &scope).unwrap();
    let error = template.render(&data(json!({"goal": "x".repeat(1 << 20)}))).unwrap_err();
    assert_eq!(error.reason, format!("the document grows beyond {PAYLOAD_BYTES_MAX} bytes"));
}

#[test]
fn chunks_end_where_people_pause() {
    let pieces = |text: &str, max: i64| -> Vec<String> {
        let pieces = functions::chunks(text, max).unwrap();
        pieces.iter().map(|piece| piece["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(pieces("one two\n\nthree\nfour", 14), ["one two\n\n", "three\nfour"]);
    assert_eq!(pieces("one two\r\n \r\nthree\nfour", 18), ["one two\r\n \r\n", "three\nfour"]);
    assert_eq!(pieces("one two\nthree four", 14), ["one two\n", "three four"]);
    assert_eq!(pieces("One. Two three", 10), ["One. ", "Two three"]);
    assert_eq!(pieces("one two three", 9), ["one two ", "three"]);
    assert_eq!(pieces("日本語日本語", 4), ["日本語日", "本語"]);
    assert_eq!(pieces("", 4), Vec::<String>::new());
    let many = functions::chunks(&"x".repeat(10_001), 1).unwrap_err();
    assert_eq!(many, "`chunks` gives more than 10000 pieces: make them longer");
}

#[test]
fn merging_unites_deeply() {
    let source = json!([
        {"a": null, "b": [1], "c": {"x": 1}, "d": "first"}, null, 7,
        {"a": 2, "b": [2, 3], "c": {"y": [1]}, "d": "second", "e": false},
        {"c": "not an object", "b": 9}
    ]);
    let merged = Function::Merge.call(vec![source]).unwrap();
    let united = json!({"a": 2, "b": [1, 2, 3], "c": {"x": 1, "y": [1]}, "d": "first", "e": false});
    assert_eq!(merged, united);
}
