//! What a pack's expressions see of a task.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{
    gather, join,
    standing::{Standing, standing},
    state::{StepState, Task},
};
use crate::{
    expr,
    ids::{Name, StepId},
    payload::Payload,
    workflow::{Each, Workflow},
};

/// What expressions see: the goal, the outputs so far, and the item or report at hand.
pub(super) struct Env<'a> {
    workflow: &'a Workflow,
    task: &'a Task,
    item: Option<(&'a str, &'a Value)>,
    own: Option<(&'a str, &'a Value)>,
    report: Option<Value>,
    candidate: Option<Value>,
}

impl<'a> Env<'a> {
    pub(super) fn new(workflow: &'a Workflow, task: &'a Task) -> Self {
        Self { workflow, task, item: None, own: None, report: None, candidate: None }
    }

    /// Adds the report at hand: its output under the step's name, `report`, and the item.
    pub(super) fn with_report(
        mut self,
        step: &'a StepId,
        output: &'a Payload,
        confidence: Option<f64>,
    ) -> Self {
        self.own = Some((step.name.as_str(), output.value()));
        self.report = Some(json!({"confidence": confidence, "unsure": false}));
        let each = self.workflow.step(&step.name).and_then(|declared| declared.each.as_ref());
        let fan_out = self.task.fan_outs.get(&step.name);
        if let (Some(each), Some(fan_out), Some(index)) = (each, fan_out, step.item) {
            self.item =
                fan_out.values().get(index as usize).map(|value| (each.item.as_str(), value));
        }
        self
    }

    /// Adds one item of a fan-out.
    pub(super) fn with_item(mut self, each: &'a Each, step: &Name, index: u32) -> Self {
        let fan_out = self.task.fan_outs.get(step);
        let value = fan_out.and_then(|fan_out| fan_out.values().get(index as usize));
        self.item = Some((each.item.as_str(), value.unwrap_or(&Value::Null)));
        self
    }

    /// Adds what a score judges: `output`, `confidence` and `step`.
    pub(super) fn with_candidate(
        mut self,
        step: &StepId,
        output: &Value,
        confidence: Option<f64>,
    ) -> Self {
        let step = step.to_string();
        self.candidate = Some(json!({"output": output, "confidence": confidence, "step": step}));
        self
    }

    pub(super) fn output(&self, name: &str) -> Option<Cow<'_, Value>> {
        let declared = self.workflow.steps.iter().find(|step| step.name.as_str() == name)?;
        if declared.each.is_none() {
            let step = self.task.steps.get(&StepId::single(declared.name.clone()));
            return Some(match step.map(|step| &step.state) {
                Some(StepState::Completed { output, .. }) => Cow::Borrowed(output.value()),
                _ => Cow::Owned(Value::Null),
            });
        }
        if standing(self.task, declared) != Standing::Done {
            return Some(Cow::Owned(Value::Null));
        }
        let outputs = gather::outputs(self.task, &declared.name).map(|(_, output)| output.clone());
        Some(Cow::Owned(Value::Array(outputs.collect())))
    }
}

impl expr::Env for Env<'_> {
    fn lookup(&self, name: &str) -> Option<Cow<'_, Value>> {
        if let Some((_, value)) =
            [self.own, self.item].into_iter().flatten().find(|(n, _)| *n == name)
        {
            return Some(Cow::Borrowed(value));
        }
        if let Some(value) = self.candidate.as_ref().and_then(|candidate| candidate.get(name)) {
            return Some(Cow::Borrowed(value));
        }
        match name {
            "goal" => Some(Cow::Borrowed(self.task.goal.input.value())),
            "report" => self.report.as_ref().map(Cow::Borrowed),
            "task" => Some(Cow::Owned(json!({
                "id": self.task.goal.task.as_str(),
                "tenant": self.task.goal.tenant.as_str(),
                "workflow": self.task.goal.workflow.as_str(),
                "key": self.task.goal.key,
                "winners": join::winners(self.task, self),
            }))),
            step => self.output(step),
        }
    }
}
