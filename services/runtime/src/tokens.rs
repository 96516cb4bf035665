//! Prompts counted with the tokenizer of the model that will read them, where it is public.
//!
//! Called by whoever sets money aside: the worker before a call, the gateway for each try. The tables of o200k are
//! read once, by the first prompt for a model of OpenAI's (0.3 s, 45 MB), on a thread that may block; counting 2 KB
//! takes 0.2 ms, 64 KB 8 ms. Invariant: what OpenAI bills for a prompt is never more than what is said here: exact
//! for its texts, and a bound for all that OpenAI writes in its own way.

use std::{collections::HashSet, sync::Arc};

use cadre_core::{
    model::{
        Manner, Prompt,
        tokens::{Counting, of_prompt, of_prompt_by, of_text},
    },
    workflow::ModelAlias,
};

use crate::worker::{INLINE_BYTES_MAX, compute};

/// A longer text is given the bound, which takes a tenth of the time: 256 KB keep a core busy for 30 ms.
pub const TOKENIZED_BYTES_MAX: usize = 256 * 1024;

/// What a prompt has for each route of `alias`, at most.
pub async fn of_routes(alias: &ModelAlias, prompt: &Arc<Prompt>, manner: &Manner) -> Vec<u64> {
    let bound = of_prompt(prompt, manner);
    let countings: Vec<_> = alias.routes.iter().map(Counting::of).collect();
    let mut exact = bound;
    if countings.contains(&Counting::O200k) {
        let (prompt, manner) = (Arc::clone(prompt), manner.clone());
        // Never in place: the first one reads the tables.
        let count = move || of_prompt_by(&prompt, &manner, &o200k);
        exact = compute(INLINE_BYTES_MAX + 1, count).await;
    }
    let of = |counting| match counting {
        Counting::O200k => exact,
        Counting::Unknown => bound,
    };
    countings.into_iter().map(of).collect()
}

/// What OpenAI's o200k makes of a text; the bound where it is too long, or too odd for its expression.
#[must_use]
pub fn o200k(text: &str) -> u64 {
    if text.len() > TOKENIZED_BYTES_MAX {
        return of_text(text);
    }
    // Names of special tokens in a text are mere text to the provider, too.
    let counted = tiktoken_rs::o200k_base_singleton().count(text, &HashSet::new());
    counted.map_or_else(|_| of_text(text), |count| u64::try_from(count).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
