//! Packs for tests, put together from a few lines.

use std::collections::BTreeMap;

use cadre_core::pack::PackSource;

/// A contract that every document satisfies.
pub const ANYTHING: &str = r#"{"type": "object"}"#;

/// A pack of `yaml` with contracts by path.
#[must_use]
pub fn pack(yaml: &str, contracts: &[(&str, &str)]) -> PackSource {
    let mut files = BTreeMap::from([("pack.yaml".to_owned(), yaml.as_bytes().to_vec())]);
    for (path, schema) in contracts {
        files.insert((*path).to_owned(), schema.as_bytes().to_vec());
    }
    PackSource { files }
}

/// A pipeline of echo steps `s1 … sn`, one role each, that returns `{echo: <the goal>}`.
#[must_use]
pub fn pipeline(name: &str, steps: usize) -> PackSource {
    let mut roles = String::new();
    let mut list = String::new();
    for index in 1..=steps {
        let role = format!("{name}-r{index}");
        roles += &format!(
            "  {role}: {{runtime: echo, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, \
             limits: {{timeout: 60s}}, concurrency: 4096}}\n"
        );
        let after = match index {
            1 => String::new(),
            _ => format!(", after: [s{}]", index - 1),
        };
        let with = match index {
            1 => "goal".to_owned(),
            _ => format!("s{}", index - 1),
        };
        list += &format!("    s{index}: {{role: {role}{after}, with: \"${{ {with} }}\"}}\n");
    }
    let yaml = format!(
        "apiVersion: pack/v1\nname: {name}\nroles:\n{roles}workflow:\n  input: contracts/any.v1.json\n  \
         output: contracts/answer.v1.json\n  limits: {{deadline: 5m, max_steps: {steps}, max_usd: 0, \
         max_tokens: 0}}\n  when_limited: partial\n  steps:\n{list}  result:\n    echo: \"${{ s{steps} }}\"\n"
    );
    let answer = r#"{"type": "object", "properties": {"echo": {}}, "required": ["echo"]}"#;
    pack(&yaml, &[("contracts/any.v1.json", ANYTHING), ("contracts/answer.v1.json", answer)])
}
