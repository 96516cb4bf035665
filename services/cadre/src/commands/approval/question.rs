//! One open question of a task, and why there is none, in the words of the command line.

use cadre_core::{
    ids::StepId,
    question,
    task::{Record, Task},
    wish::Unfit,
};

pub(super) use cadre_core::question::{Question, all};

use crate::{commands::client::unfit, exit::Failure};

/// The question that is meant: of `step`, or the only one.
///
/// # Errors
/// [`Code::Refused`](crate::exit::Code::Refused) when it was decided already or has expired, `NotFound` when
/// nothing is asked, `Usage` when several things are.
pub(super) fn choose<'a>(
    task: &'a Task,
    records: &[Record],
    step: Option<&StepId>,
) -> Result<Question<'a>, Failure> {
    question::choose(task, records, step).map_err(|error: Unfit| unfit(&error))
}
