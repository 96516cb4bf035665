//! What `cadre check` says of a bed: how every test of the whole can end.

use std::collections::BTreeMap;

use cadre_core::{
    check::{CheckOptions, Checker, Verdict},
    ids::TaskId,
};
use cadre_nats::audit;

use crate::{bed::Bed, plain};

/// Checks the streams as they are.
///
/// # Panics
/// When they cannot be read.
pub async fn check(bed: &Bed) -> Verdict {
    check_with(bed, false, &[]).await
}

/// Checks the streams; with `is_quiescent` nothing may be open, and each of `acknowledged` must be there.
///
/// # Panics
/// When they cannot be read.
pub async fn check_with(bed: &Bed, is_quiescent: bool, acknowledged: &[TaskId]) -> Verdict {
    let partitions = bed.bus.streams().topology.partitions;
    let acknowledged: BTreeMap<_, _> =
        acknowledged.iter().map(|task| (task.clone(), task.to_string())).collect();
    let mut checker = Checker::new(CheckOptions { partitions, is_quiescent, acknowledged });
    audit::read(&bed.bus, |fact| checker.take(fact)).await.expect("readable streams");
    checker.finish()
}

/// Nothing breaks a rule, whatever is still going on.
///
/// # Panics
/// With the violations.
pub async fn is_clean(bed: &Bed) {
    let verdict = check(bed).await;
    assert!(verdict.violations.is_empty(), "{:#?}", verdict.violations);
}

/// Nothing breaks a rule, nothing is open, and every confirmed goal has its log.
///
/// # Panics
/// With the violations.
pub async fn is_clean_at_rest(bed: &Bed, acknowledged: &[TaskId]) -> Verdict {
    at_rest(bed).await;
    let verdict = check_with(bed, true, acknowledged).await;
    assert!(verdict.violations.is_empty(), "{:#?}", verdict.violations);
    verdict
}

/// Waits until no goal and no input waits: the last acknowledgement comes behind the last answer.
async fn at_rest(bed: &Bed) {
    for stream in ["CADRE_GOALS", "CADRE_IN_0"] {
        plain::emptied(bed, stream).await;
    }
}
