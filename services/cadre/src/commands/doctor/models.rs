//! Which providers of models could be asked from here. Says who has a key, never the key.

use cadre_inference::Wire;

use super::check::Check;
use crate::settings::ModelSettings;

/// What a gateway with this environment could ask.
pub(super) fn check(models: &ModelSettings) -> Check {
    let (usable, without): (Vec<_>, Vec<_>) =
        models.providers.iter().partition(|setup| setup.is_usable());
    let names = |setups: &[&cadre_inference::ProviderSetup]| {
        let name = |setup: &&cadre_inference::ProviderSetup| match (&setup.base_url, &setup.key) {
            (Some(_), Some(_)) => format!("{} (own address, key)", setup.name),
            (Some(_), None) => format!("{} (own address)", setup.name),
            (None, Some(_)) => format!("{} (key)", setup.name),
            (None, None) => setup.name.clone(),
        };
        setups.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    let has_key = usable.iter().any(|setup| setup.key.is_some() || setup.wire != Wire::Ollama);
    let text = format!("simulated, {}", names(&usable));
    if has_key {
        return Check::green("models", text);
    }
    Check::yellow("models", format!("{text}; without a key: {}", names(&without)))
        .advise("set ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or CADRE_PROVIDERS where the gateway runs")
}

#[cfg(test)]
mod tests {
    use cadre_inference::{ProviderSetup, Secret};

    use super::*;

    #[test]
    fn keys_are_told_of_and_not_shown() {
        let setup = |name: &str, key| ProviderSetup {
            name: name.to_owned(),
            wire: Wire::Anthropic,
            base_url: None,
            key,
        };
        let mut models =
            ModelSettings { providers: vec![setup("anthropic", None)], ..Default::default() };
        let poor = check(&models);
        assert_eq!(poor.text, "simulated, ; without a key: anthropic");
        models.providers.push(setup("other", Secret::new("sk-planted")));
        let rich = check(&models);
        assert_eq!(rich.text, "simulated, other (key)");
        assert_ne!(poor.level, rich.level);
    }
}
