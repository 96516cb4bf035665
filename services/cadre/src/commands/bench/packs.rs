//! Packs of no-op roles, made to measure.

use std::collections::BTreeMap;

use cadre_core::pack::PackSource;

const ANYTHING: &str = r#"{"type": "object"}"#;
const ANSWER: &str = r#"{"type": "object", "properties": {"echo": {}}, "required": ["echo"]}"#;
const LIST: &str =
    r#"{"type": "object", "properties": {"items": {"type": "array"}}, "required": ["items"]}"#;

/// Steps of one role that a fleet may hold: more than any benchmark has in flight.
const CONCURRENCY: u32 = 20_000;

fn role(name: &str) -> String {
    format!(
        "  {name}: {{runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, \
         limits: {{timeout: 2m}}, concurrency: {CONCURRENCY}}}\n"
    )
}

fn pack(name: &str, input: &str, parts: [&str; 3], steps_max: usize) -> PackSource {
    let [roles, steps, result] = parts;
    let yaml = format!(
        "apiVersion: pack/v1\nname: {name}\nroles:\n{roles}workflow:\n  input: contracts/{input}.v1.json\n  \
         output: contracts/answer.v1.json\n  limits: {{deadline: 5m, max_steps: {steps_max}, max_usd: 0, \
         max_tokens: 0}}\n  when_limited: partial\n  steps:\n{steps}  result:\n    echo: \"${{ {result} }}\"\n"
    );
    let mut files = BTreeMap::from([
        ("pack.yaml".to_owned(), yaml.into_bytes()),
        ("contracts/any.v1.json".to_owned(), ANYTHING.into()),
        ("contracts/answer.v1.json".to_owned(), ANSWER.into()),
    ]);
    if input == "list" {
        files.insert("contracts/list.v1.json".to_owned(), LIST.into());
    }
    PackSource { files }
}

/// `s1 → s2 → … → sn`, a role each, every step returning the goal as it came.
#[must_use]
pub(super) fn pipeline(name: &str, steps: usize) -> PackSource {
    let roles: String = (1..=steps).map(|index| role(&format!("{name}-r{index}"))).collect();
    let list: String = (1..=steps)
        .map(|index| match index {
            1 => format!("    s1: {{role: {name}-r1, with: \"${{ goal }}\"}}\n"),
            _ => {
                let before = index - 1;
                format!(
                    "    s{index}: {{role: {name}-r{index}, after: [s{before}], with: \"${{ s{before} }}\"}}\n"
                )
            }
        })
        .collect();
    pack(name, "any", [&roles, &list, &format!("s{steps}")], steps)
}

/// One step for each item of the goal's list, all at once, joined in the answer.
#[must_use]
pub(super) fn fan_out(name: &str, width: usize) -> PackSource {
    let roles = role(&format!("{name}-item"));
    let steps = format!(
        "    spread: {{role: {name}-item, each: {{over: goal.items, as: item, parallel: {width}}}, \
         with: \"${{ item }}\"}}\n"
    );
    pack(name, "list", [&roles, &steps, "spread"], width)
}

/// A role that asks one model at `provider`, which costs nothing.
#[must_use]
pub(super) fn models(name: &str, provider: &str) -> PackSource {
    let yaml = format!(
        "apiVersion: pack/v1\nname: {name}\nmodels:\n  fast:\n    routes: [{{model: {provider}/fast}}]\n    free: true\n\
         roles:\n  {name}-role: {{runtime: model, model: fast, prompt: prompts/ask.md, accepts: contracts/any.v1.json, \
         returns: contracts/answer.v1.json, limits: {{timeout: 1m, max_usd: 0, max_tokens: 100000}}}}\nworkflow:\n  \
         input: contracts/any.v1.json\n  output: contracts/answer.v1.json\n  limits: {{deadline: 5m, max_steps: 1, \
         max_usd: 0, max_tokens: 100000}}\n  when_limited: partial\n  steps:\n    ask: {{role: {name}-role, with: \
         \"${{ goal }}\"}}\n  result:\n    echo: \"${{ ask.echo }}\"\n"
    );
    let files = BTreeMap::from([
        ("pack.yaml".to_owned(), yaml.into_bytes()),
        ("prompts/ask.md".to_owned(), b"Say what you are told.\n".to_vec()),
        ("contracts/any.v1.json".to_owned(), ANYTHING.into()),
        ("contracts/answer.v1.json".to_owned(), ANSWER.into()),
    ]);
    PackSource { files }
}
