//! Keys of what is kept for the next call: a provider's prompt cache, and answers.
//!
//! The tenant is part of every key, so that nothing is ever shared between two of them; so is everything
//! that the kept thing depends on, so that a change of it is another key.

use super::{Manner, Prompt, canonical};
use crate::ids::Name;

/// Characters of a key: providers take 64, and so many of a hash are as good as all.
const KEY_CHARS: usize = 40;

/// Names the stable beginning of a prompt for the provider's cache: instructions and tools of one
/// model, tenant and policy version (the pack's revision).
#[must_use]
pub fn prefix_key(tenant: &Name, model: &str, policy: &str, prompt: &Prompt) -> String {
    let tools = canonical::tools(&prompt.tools);
    let parts = [tenant.as_str(), model, policy, &prompt.system, &tools];
    shortened(canonical::hash("cadre.prefix.v1", parts))
}

/// Names a whole question, for the answer that was given to it; `None` when the answer must not be
/// kept, as it could be another one the next time: only temperature 0 is asked twice for nothing.
#[must_use]
pub fn answer_key(
    tenant: &Name,
    model: &str,
    policy: &str,
    (prompt, manner): (&Prompt, &Manner),
) -> Option<String> {
    if manner.temperature_millis != Some(0) {
        return None;
    }
    let prefix = prefix_key(tenant, model, policy, prompt);
    let (turns, manner) = (canonical::turns(&prompt.turns), canonical::manner(manner));
    Some(shortened(canonical::hash("cadre.answer.v1", [prefix.as_str(), &turns, &manner])))
}

fn shortened(hash: crate::payload::Hash) -> String {
    hash.to_string().chars().take(KEY_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::{ToolSpec, Turn};

    const ZERO: Manner =
        Manner { returns: None, output_tokens_max: 100, temperature_millis: Some(0) };

    fn name(name: &str) -> Name {
        Name::new(name).unwrap()
    }

    fn prompt(system: &str, turn: &str, tools: &[&str]) -> Prompt {
        let tool = |tool: &&str| ToolSpec {
            name: name(tool),
            description: String::new(),
            parameters: json!({}),
        };
        Prompt {
            system: system.to_owned(),
            tools: tools.iter().map(tool).collect(),
            turns: vec![Turn::User(turn.to_owned())],
        }
    }

    #[test]
    fn only_what_cannot_change_is_kept() {
        let prompt = prompt("a", "b", &[]);
        let key = |manner: &Manner| answer_key(&name("t"), "m", "p", (&prompt, manner));
        assert!(key(&ZERO).is_some());
        for temperature_millis in [None, Some(1), Some(1_000)] {
            assert_eq!(key(&Manner { temperature_millis, ..ZERO }), None);
        }
        assert_ne!(key(&ZERO), key(&Manner { output_tokens_max: 99, ..ZERO }));
    }

    #[test]
    fn a_prefix_is_the_same_whatever_comes_behind_it() {
        let key = |prompt: &Prompt| prefix_key(&name("t"), "m", "p", prompt);
        assert_eq!(key(&prompt("a", "b", &["clock"])), key(&prompt("a", "c", &["clock"])));
        assert_ne!(key(&prompt("a", "b", &["clock"])), key(&prompt("a", "b", &[])));
        assert_eq!(key(&prompt("a", "b", &[])).len(), KEY_CHARS);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn two_tenants_never_share_and_every_part_counts(
            tenants in prop::array::uniform2("[a-c]{1,3}"),
            models in prop::array::uniform2("[a-c]{0,3}"),
            policies in prop::array::uniform2("[a-c]{0,3}"),
            systems in prop::array::uniform2("[a-c]{0,3}"),
            turns in prop::array::uniform2("[a-c]{0,3}"),
        ) {
            let of = |at: usize| {
                let prompt = prompt(&systems[at], &turns[at], &[]);
                let (tenant, model, policy) = (name(&tenants[at]), &models[at], &policies[at]);
                let answer = answer_key(&tenant, model, policy, (&prompt, &ZERO)).unwrap();
                (prefix_key(&tenant, model, policy, &prompt), answer)
            };
            let is_same_prefix = tenants[0] == tenants[1] && models[0] == models[1]
                && policies[0] == policies[1] && systems[0] == systems[1];
            prop_assert_eq!(of(0).0 == of(1).0, is_same_prefix);
            prop_assert_eq!(of(0).1 == of(1).1, is_same_prefix && turns[0] == turns[1]);
        }
    }
}
