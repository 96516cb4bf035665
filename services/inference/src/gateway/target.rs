//! What a model is called among breakers.

use cadre_core::{
    breaker::Target, ids::Name, limits::NAME_CHARS_MAX, payload::Hash, workflow::Route,
};

/// Hexadecimal digits that keep names apart which look alike.
const MARK_CHARS: usize = 6;

/// The breaker of a model: its name as far as one can have these letters, and a mark where that is not far enough.
pub(super) fn target_of(route: &Route) -> Target {
    let name = route.name();
    let plain = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_alphanumeric() || c == '_' => c,
        _ => '-',
    };
    let mut text: String = name.chars().map(plain).collect();
    let is_same = text.len() < NAME_CHARS_MAX && text.replacen('-', "/", 1) == name;
    if !is_same {
        let mark: String = Hash::of(name.as_bytes()).to_string().chars().take(MARK_CHARS).collect();
        text.truncate(NAME_CHARS_MAX - MARK_CHARS - 1);
        text = format!("{text}-{mark}");
    }
    // A provider's name is a name, so the text begins like one.
    Target::Model(Name::new(&text).unwrap_or_else(|_| Name::nobody()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str) -> String {
        let (provider, model) = name.split_once('/').unwrap();
        target_of(&Route::new(provider, model)).to_string()
    }

    #[test]
    fn names_stay_readable_and_apart() {
        assert_eq!(target("anthropic/claude-haiku-4-5"), "model.anthropic-claude-haiku-4-5");
        let looks_alike = ["openai/gpt-4.1", "openai/gpt-4:1", "openai/GPT-4-1", "openai/gpt-4-1"];
        let targets: std::collections::BTreeSet<_> = looks_alike.map(target).into();
        assert_eq!(targets.len(), 4, "{targets:?}");
        let long = format!("vllm/{}", "x".repeat(120));
        assert_ne!(target(&long), target(&format!("{long}y")));
        assert_eq!(target(&long).len(), "model.".len() + NAME_CHARS_MAX);
    }
}
