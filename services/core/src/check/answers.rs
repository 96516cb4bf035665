//! The answers: each end is told, once, as it is.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    chain::Chain,
    debts::Evidence,
    fact::{AnswerFact, Place},
    rule::Rule,
    tasks::{Ended, Stage, Tasks},
    verdict::Findings,
};
use crate::{
    ids::{Name, TaskId},
    payload::Hash,
    task::Task,
    time::UnixMillis,
};

/// What is compared of an answer and an end.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    tenant: Name,
    workflow: Name,
    status: String,
    result: Hash,
    spent: [u64; 3],
}

impl Told {
    fn of(tenant: &Name, workflow: &Name, document: &Value) -> Self {
        let number = |key: &str| document.get(key).and_then(Value::as_u64).unwrap_or(u64::MAX);
        let status = document.get("status").and_then(Value::as_str).unwrap_or_default();
        let result = document.get("result").unwrap_or(&Value::Null);
        Self {
            tenant: tenant.clone(),
            workflow: workflow.clone(),
            status: status.to_owned(),
            result: Hash::of(crate::payload::canonical(result).as_bytes()),
            spent: ["steps", "tokens", "usd_micros"].map(number),
        }
    }

    /// What the log says should be told; `None` for an end that cannot be written.
    fn owed(task: &Task) -> Option<Self> {
        let answer = task.answer()?;
        Some(Self::of(&answer.goal.tenant, &answer.goal.workflow, answer.document.value()))
    }
}

/// Answers whose end was not seen yet, and how long answers are kept.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Nothing that was answered since then may be missing.
    pub(super) since: UnixMillis,
    waiting: BTreeMap<TaskId, (Place, Told)>,
}

impl Answers {
    pub(super) fn take(
        &mut self,
        place: Place,
        answer: AnswerFact,
        tasks: &mut Tasks,
        findings: &mut Findings,
    ) {
        let AnswerFact { tenant, workflow, task, expected, document } = answer;
        if expected != Some(0) {
            let text = "it was published without the guard that there is no answer yet";
            findings.accuse(Rule::OneAnswer, Some(&task), &place, text);
        }
        let document = match document {
            Ok(document) => document,
            Err(why) => {
                findings.accuse(Rule::AnswerFromEnd, Some(&task), &place, why);
                // It is there, whatever it says: the end is told.
                drop(tasks.take_end(&task));
                return;
            }
        };
        let told = Told::of(&tenant, &workflow, document.value());
        if let Some((twin, _)) = self.waiting.insert(task.clone(), (place, told)) {
            let text = "there is another answer of the same task";
            findings.accuse(Rule::OneAnswer, Some(&task), &twin, text);
        }
        self.settle(&task, tasks, findings);
    }

    /// Compares answer and end once both were seen.
    pub(super) fn settle(&mut self, id: &TaskId, tasks: &mut Tasks, findings: &mut Findings) {
        if !self.waiting.contains_key(id) {
            return;
        }
        let Some(end) = tasks.take_end(id) else { return };
        let Some((place, told)) = self.waiting.remove(id) else { return };
        let Some(owed) = Told::owed(&end.task) else { return };
        if (&told.tenant, &told.workflow) != (&owed.tenant, &owed.workflow) {
            let text = format!("the task is of {} and {}", owed.tenant, owed.workflow);
            findings.accuse(Rule::AnswerFromEnd, Some(id), &place, text);
        }
        if told.status != owed.status {
            let text = format!("it says {} and the log says {}", told.status, owed.status);
            findings.accuse(Rule::AnswerFromEnd, Some(id), &place, text);
        } else if told.result != owed.result {
            let text = "its result is not that of the log";
            findings.accuse(Rule::AnswerFromEnd, Some(id), &place, text);
        }
        if told.spent != owed.spent {
            let shown = |[steps, tokens, usd_micros]: [u64; 3]| {
                format!("{steps} steps, {tokens} tokens and {usd_micros} micro-USD")
            };
            let text =
                format!("it says {} and the log says {}", shown(told.spent), shown(owed.spent));
            findings.accuse(Rule::Spending, Some(id), &place, text);
        }
    }
}

/// Judges ends without an answer, and answers without an end.
pub(super) fn finish(
    answers: &Answers,
    (tasks, evidence, chain): (&Tasks, &Evidence, &Chain),
    findings: &mut Findings,
) {
    for (id, entry) in tasks.all() {
        let Stage::Ended(Some(end)) = &entry.stage else { continue };
        let Ended { task, cause } = end.as_ref();
        let is_due = chain.is_settled(&entry.place)
            && !evidence.is_unsettled(entry.place.shard, *cause)
            && !evidence.will_wake(id);
        if is_due && entry.place.at >= answers.since {
            let text = format!("the task ended as {} and there is no answer", task.status());
            findings.accuse(Rule::AnswerPaid, Some(id), &entry.nowhere("CADRE_ANSWERS"), text);
        }
    }
    for (id, (place, told)) in &answers.waiting {
        let text = match tasks.get(id).map(|entry| &entry.stage) {
            None => "there is no log of that task".to_owned(),
            Some(Stage::Open(_)) => format!("it says {} and the task is open", told.status),
            Some(Stage::Ended(_)) => {
                let text = "there is another answer of the same task";
                findings.accuse(Rule::OneAnswer, Some(id), place, text);
                continue;
            }
            Some(Stage::Lost) => continue,
        };
        findings.accuse(Rule::AnswerFromEnd, Some(id), place, text);
    }
}
