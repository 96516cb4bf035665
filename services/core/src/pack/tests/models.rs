//! Roles that ask models: what compiles, and what is refused where.

use super::*;
use crate::{
    ids::Name,
    workflow::{ModelAlias, Route, WhenFull, Workflow},
};

const MODELS: &str = "apiVersion: pack/v1
name: reading
models:
  cheap:
    routes:
      - {model: simulated/cheap}
      - {model: anthropic/claude-haiku-4-5-20251001, context_max: 180000, usd_left_min: 0.01}
  local: {routes: [{model: ollama/qwen3:8b}], cache_answers: true, free: true}
roles:
  reader:
    runtime: model
    model: cheap
    model_when_low: local
    prompt: prompts/reader.md
    tools: [lookup, clock]
    documents: [documents/handbook.md]
    loop: {max_calls: 4, temperature: 0.2, when_full: summarise, summarise_with: local}
    confidence_min: 0.6
    accepts: contracts/text.v1.json
    returns: contracts/terms.v2.json
    limits: {timeout: 8s, max_usd: 0.01, max_tokens: 9000}
workflow:
  input: contracts/text.v1.json
  output: contracts/terms.v2.json
  limits: {deadline: 90s, max_steps: 60, max_usd: 0.25, max_tokens: 200000}
  when_limited: partial
  steps:
    read: {role: reader, with: {text: \"${ goal.text }\"}}
  result: {kind: read.kind}
";

fn reading(pack: &str, prompt: &str) -> PackSource {
    let mut source = source(pack);
    source.files.retain(|path, _| {
        !["contracts/verdict", "contracts/brief", "contracts/any"]
            .iter()
            .any(|unused| path.starts_with(unused))
    });
    for (path, text) in [("prompts/reader.md", prompt), ("documents/handbook.md", "All terms.")] {
        source.files.insert(path.to_owned(), text.as_bytes().to_vec());
    }
    source
}

fn compiled(pack: &str) -> Workflow {
    compile(&reading(pack, "Read.\n{{ input.text }}")).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Replaces `from` in the sample pack and expects exactly these problems.
fn check(from: &str, to: &str, expected: &[&str]) {
    assert!(MODELS.contains(from), "{from}");
    let found = problems(&reading(&MODELS.replacen(from, to, 1), "Read.\n{{ input.text }}"));
    assert_eq!(found, expected, "{from} -> {to}");
}

#[test]
fn a_role_knows_whom_it_asks_and_how() {
    let workflow = compiled(MODELS);
    let names: Vec<_> = workflow.models.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["cheap", "local"]);
    let ModelAlias { routes, cache_answers, is_free } = workflow.models.values().next().unwrap();
    let bounded = Route {
        context_max: Some(180_000),
        usd_left_min_micros: Some(10_000),
        ..Route::new("anthropic", "claude-haiku-4-5-20251001")
    };
    assert_eq!(
        (routes.as_slice(), *cache_answers, *is_free),
        (&[Route::new("simulated", "cheap"), bounded][..], false, false)
    );

    let role = workflow.roles.values().next().unwrap();
    assert_eq!(role.runtime, Runtime::Model);
    let model = role.model.as_ref().unwrap();
    assert_eq!(
        (model.alias.as_str(), model.alias_when_low.as_ref().unwrap().as_str()),
        ("cheap", "local")
    );
    assert_eq!(model.prompt.fixed(), "Read.\n");
    assert_eq!(model.tools.iter().map(|it| it.as_str()).collect::<Vec<_>>(), ["clock", "lookup"]);
    assert_eq!(model.documents, [("documents/handbook.md".to_owned(), "All terms.".into())]);
    assert_eq!(
        (model.calls_max, model.output_tokens_max, model.context_tokens_max),
        (4, 2_000, 16_000)
    );
    assert_eq!((model.temperature_millis, model.confidence_min), (Some(200), Some(0.6)));
    assert!(matches!(&model.when_full, WhenFull::Summarise { alias } if alias.as_str() == "local"));
}

#[test]
fn names_that_mean_nothing_are_refused() {
    check(
        "    model: cheap",
        "    model: chep",
        &[
            "pack.yaml:4:3: models.cheap: no role asks this model",
            "pack.yaml:12:12: roles.reader.model: unknown model `chep`: did you mean `cheap`?",
        ],
    );
    check(
        "    prompt: prompts/reader.md",
        "    prompt: prompts/reder.md",
        &[
            "pack.yaml:14:13: roles.reader.prompt: there is no file `prompts/reder.md`: did you mean `prompts/reader.md`?",
        ],
    );
    check(
        "[lookup, clock]",
        "[lookup, clok]",
        &["pack.yaml:15:21: roles.reader.tools[1]: unknown tool `clok`: did you mean `clock`?"],
    );
    check(
        "[lookup, clock]",
        "[clock]",
        &[
            "pack.yaml:16:5: roles.reader.documents: nobody reads them: add `lookup` to the role's tools",
        ],
    );
    check(
        "    documents: [documents/handbook.md]\n",
        "",
        &["pack.yaml:15:5: roles.reader.tools: `lookup` needs `documents` to search"],
    );
    check(
        "{model: simulated/cheap}",
        "{model: cheap}",
        &[
            "pack.yaml:6:17: models.cheap.routes[0].model: is no model: write provider/model with its version, such as `anthropic/claude-haiku-4-5-20251001`",
        ],
    );
}

#[test]
fn keys_that_do_not_fit_are_refused() {
    check(
        "    model: cheap\n",
        "",
        &[
            "pack.yaml:4:3: models.cheap: no role asks this model",
            "pack.yaml:10:3: roles.reader.model: is what the runtime `model` needs: write one",
        ],
    );
    check(
        ", summarise_with: local",
        "",
        &[
            "pack.yaml:17:55: roles.reader.loop.when_full: needs `summarise_with`: a name of `models`",
        ],
    );
    check(
        "when_full: summarise",
        "when_full: trim",
        &["pack.yaml:17:61: roles.reader.loop.summarise_with: is for `when_full: summarise`"],
    );
    check(
        "temperature: 0.2",
        "temperature: 0.2001",
        &[
            "pack.yaml:17:39: roles.reader.loop.temperature: is no temperature: write 0 to 2 with at most 3 decimals",
        ],
    );
    check(
        "temperature: 0.2",
        "temperature: 3",
        &["pack.yaml:17:39: roles.reader.loop.temperature: is greater than the maximum of 2"],
    );
    check(
        ", max_usd: 0.01, max_tokens: 9000",
        "",
        &[
            "pack.yaml:21:5: roles.reader.limits: lacks `max_tokens`: without tokens no model can be asked",
            "pack.yaml:21:5: roles.reader.limits: lacks `max_usd`: without money only a model that is `free` can be asked",
        ],
    );
    let plain = PACK.replace("{runtime: rules,", "{runtime: rules, prompt: prompts/a.md,");
    assert_eq!(
        problems(&source(&plain)),
        ["pack.yaml:4:28: roles.reader.prompt: is for the runtime `model`"]
    );
}

#[test]
fn patience_with_a_route_needs_another_one_behind_it() {
    let hedged =
        MODELS.replace("{model: simulated/cheap}", "{model: simulated/cheap, hedge_after: 800ms}");
    let alias = compiled(&hedged).models.into_values().next().unwrap();
    let patience: Vec<_> = alias.routes.iter().map(|route| route.hedge_after).collect();
    assert_eq!(patience, [Some(std::time::Duration::from_millis(800)), None]);
    check(
        "ollama/qwen3:8b}",
        "ollama/qwen3:8b, hedge_after: 1s}",
        &[
            "pack.yaml:8:45: models.local.routes[0].hedge_after: is for routes that have another one behind them: nobody else can be asked",
        ],
    );
}

#[test]
fn a_model_has_a_route_for_the_roles_that_ask_it() {
    let classes = "{model: simulated/cheap, classes: [extract]}";
    let of_class = |class: &str| {
        let pack = MODELS.replace("{model: simulated/cheap}", classes);
        let pack = pack.replace(", context_max: 180000", ", classes: [reason]");
        pack.replace("    model: cheap\n", &format!("    model: cheap\n{class}"))
    };
    let workflow = compiled(&of_class("    class: extract\n"));
    let class = Name::new("extract").unwrap();
    let role = workflow.roles.values().next().unwrap();
    assert_eq!(role.model.as_ref().unwrap().class, Some(class.clone()));
    let routes = &workflow.models.values().next().unwrap().routes;
    let is_for: Vec<_> = routes.iter().map(|route| route.is_for(Some(&class))).collect();
    assert_eq!(is_for, [true, false]);
    for (class, who) in [("", "a role without a class"), ("    class: write\n", "write")] {
        let found = problems(&reading(&of_class(class), "Read.\n{{ input.text }}"));
        let text = format!("model cheap has no route for {who}: see their `classes`");
        assert!(matches!(found.as_slice(), [one] if one.ends_with(&text)), "{found:?}");
    }
    let plain = PACK.replace("{runtime: rules,", "{runtime: rules, class: extract,");
    let found = problems(&source(&plain));
    assert_eq!(found, ["pack.yaml:4:28: roles.reader.class: is for the runtime `model`"]);
}

#[test]
fn a_prompt_that_names_nothing_is_refused_where_it_stands() {
    let found = problems(&reading(MODELS, "Read.\n\n  {{ input.txt }}"));
    assert_eq!(
        found,
        ["prompts/reader.md:3:3: `input.txt`: `input` has no field `txt`: did you mean `text`?"]
    );
}

#[test]
fn cassettes_are_part_of_the_pack() {
    let mut source = reading(MODELS, "Read.\n{{ input.text }}");
    source.files.insert("cassettes/a.jsonl".to_owned(), b"\n{\"role\": 1}\n".to_vec());
    assert_eq!(
        problems(&source),
        [
            "cassettes/a.jsonl:2:1: is no cassette: invalid type: integer `1`, expected a string at line 1 column 10"
        ]
    );
}

#[test]
fn another_model_can_be_put_behind_every_name() {
    let source = reading(MODELS, "Read.\n{{ input.text }}");
    let swapped = compile(&with_model(&source, "local/qwen").unwrap()).unwrap();
    for alias in swapped.models.values() {
        let names: Vec<_> = alias.routes.iter().map(Route::name).collect();
        assert_eq!((names, alias.is_free), (vec!["local/qwen".to_owned()], true));
    }
    assert_eq!(swapped.steps.len(), compiled(MODELS).steps.len());
    assert_ne!(swapped.revision, source.revision());
    let played = compile(&simulated(&source).unwrap()).unwrap();
    let names: Vec<_> =
        played.models.values().flat_map(|alias| &alias.routes).map(Route::name).collect();
    assert_eq!(
        names,
        [
            "simulated/cheap",
            "simulated/anthropic/claude-haiku-4-5-20251001",
            "simulated/ollama/qwen3:8b"
        ]
    );
    assert_eq!(with_model(&PackSource::default(), "local/qwen").map(|it| it.files), None);
}
