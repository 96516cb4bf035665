//! The dead letters: each says why and where from, and has lost nothing.

use super::{
    fact::{LetterFact, Place},
    rule::Rule,
    verdict::Findings,
};

/// Judges one letter.
pub(super) fn check(place: &Place, letter: &LetterFact, findings: &mut Findings) {
    let lacks = [
        letter.reason.is_empty().then(|| "it has no reason".to_owned()),
        letter.came_on.is_empty().then(|| "it does not say what subject it came on".to_owned()),
        letter.body_problem.clone(),
    ];
    for text in lacks.into_iter().flatten() {
        findings.accuse(Rule::LetterComplete, None, place, text);
    }
}
