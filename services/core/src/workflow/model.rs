//! Roles that ask models, and what their pack calls a model.

use std::{sync::Arc, time::Duration};

use crate::{ids::Name, model::template::Template};

/// What a role of the runtime `model` does.
#[derive(Debug)]
pub struct ModelRole {
    /// Whom it asks: a name of [`super::Workflow::models`].
    pub alias: Name,
    /// What kind of work it does, where the pack says so: some routes are for some kinds only.
    pub class: Option<Name>,
    /// Whom it asks instead when little of its grant is left: [`crate::model::route::step_down`].
    pub alias_when_low: Option<Name>,
    /// What it is told.
    pub prompt: Template,
    /// Tools on offer, sorted by name, each once.
    pub tools: Vec<Name>,
    /// What `lookup` searches: paths in the pack, and texts.
    pub documents: Vec<(String, Arc<str>)>,
    /// Calls of models in one attempt at most.
    pub calls_max: u32,
    /// Tokens of one answer at most.
    pub output_tokens_max: u32,
    /// Thousandths, 0 to 2,000; `None` leaves it to the provider.
    pub temperature_millis: Option<u16>,
    /// Tokens of one prompt at most.
    pub context_tokens_max: u64,
    /// What happens with a prompt that would be longer.
    pub when_full: WhenFull,
    /// A report of less confidence counts as unsure; 0 to 1.
    pub confidence_min: Option<f64>,
}

/// What happens with a conversation that grows beyond [`ModelRole::context_tokens_max`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhenFull {
    /// The oldest turns behind the first one are left out.
    Trim,
    /// A model sums them up.
    Summarise {
        /// Which: a name of [`super::Workflow::models`].
        alias: Name,
    },
    /// The attempt fails.
    Fail,
}

/// What a pack calls a model: whom to ask, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelAlias {
    /// The first one that can be asked is; at least one.
    pub routes: Vec<Route>,
    /// The same question of the same tenant may be answered with what it was answered before;
    /// only at temperature 0.
    pub cache_answers: bool,
    /// A model without a known price costs nothing; otherwise it is not asked.
    pub is_free: bool,
}

/// One model that can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Whose it is.
    pub provider: String,
    /// Its name there, with its version.
    pub model: String,
    /// Kinds of work ([`ModelRole::class`]) that it is for; empty for all.
    pub classes: Vec<Name>,
    /// Passed over when the prompt has more tokens.
    pub context_max: Option<u64>,
    /// Passed over when less money is left to the attempt, in millionths of a US dollar.
    pub usd_left_min_micros: Option<u64>,
    /// When there is no answer after so long, the next route is asked as well and the first answer counts;
    /// `None` waits for this one alone.
    pub hedge_after: Option<Duration>,
}

impl Route {
    /// A route without conditions.
    #[must_use]
    pub fn new(provider: &str, model: &str) -> Self {
        let (provider, model) = (provider.to_owned(), model.to_owned());
        Self {
            provider,
            model,
            classes: Vec::new(),
            context_max: None,
            usd_left_min_micros: None,
            hedge_after: None,
        }
    }

    /// Whether it is for this kind of work.
    #[must_use]
    pub fn is_for(&self, class: Option<&Name>) -> bool {
        self.classes.is_empty() || class.is_some_and(|class| self.classes.contains(class))
    }

    /// `provider/model`, as the pack has it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.provider, self.model)
    }
}
