//! Which providers of models could be asked from here. Says who has a key, never the key.

use cadre_inference::{ProviderSetup, SIMULATED, Wire};

use super::check::Check;
use crate::settings::ModelSettings;

/// What to do when there is no key.
const ADVICE: &str = "set ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or CADRE_PROVIDERS where the gateway runs";

/// What a gateway with this environment could ask.
pub(super) fn check(models: &ModelSettings) -> Check {
    let (usable, without): (Vec<_>, Vec<_>) =
        models.providers.iter().partition(|setup| setup.is_usable());
    let shown = usable.iter().map(|setup| match (&setup.base_url, &setup.key) {
        (Some(_), Some(_)) => format!("{} (own address, key)", setup.name),
        (Some(_), None) => format!("{} (own address)", setup.name),
        (None, Some(_)) => format!("{} (key)", setup.name),
        (None, None) => setup.name.clone(),
    });
    let shown: Vec<_> = std::iter::once(SIMULATED.to_owned()).chain(shown).collect();
    let is_set = |setup: &&ProviderSetup| setup.key.is_some() || setup.wire != Wire::Ollama;
    if usable.iter().any(is_set) {
        return Check::green("models", shown.join(", "));
    }
    let without: Vec<_> = without.iter().map(|setup| setup.name.as_str()).collect();
    let text = format!("{}; without a key: {}", shown.join(", "), without.join(", "));
    Check::yellow("models", text).advise(ADVICE)
}

#[cfg(test)]
mod tests {
    use cadre_inference::Secret;

    use super::*;

    #[test]
    fn keys_are_told_of_and_not_shown() {
        let setup = |name: &str, key| {
            let (name, wire) = (name.to_owned(), Wire::Anthropic);
            ProviderSetup { name, wire, base_url: None, key }
        };
        let mut models =
            ModelSettings { providers: vec![setup("anthropic", None)], ..Default::default() };
        let poor = check(&models);
        assert_eq!(poor.text, "simulated; without a key: anthropic");
        models.providers.push(setup("other", Secret::new("sk-planted")));
        let rich = check(&models);
        assert_eq!(rich.text, "simulated, other (key)");
        assert_ne!(poor.level, rich.level);
    }
}
