//! A task's graph as it ran: what the plan has become, crews turn by turn, without what never began.

use std::collections::BTreeMap;

use cadre_core::{
    task::AGGREGATE,
    workflow::{Doer, StepPlan, Workflow},
};

use super::or_empty;
use crate::{
    model::rows::StepRow,
    pages::{
        task::Node,
        text::{count, span},
    },
};

/// Nodes of one drawing: with more nobody sees anything.
const NODES_MAX: usize = 80;

/// Draws what ran; without the plan, what began comes after what had ended by then.
pub(super) fn ran(plan: Option<&Workflow>, rows: &[StepRow], address: &str) -> Vec<Node> {
    let mut groups: BTreeMap<&str, Vec<&StepRow>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state != "skipped") {
        groups.entry(&row.name).or_default().push(row);
    }
    let mut drawn: Vec<Drawn> = Vec::new();
    for (name, mut of_step) in groups {
        of_step.sort_by_key(|row| row.item);
        let is_crew = plan
            .and_then(|plan| declared(plan, name))
            .is_some_and(|step| matches!(step.doer, Doer::Crew(_)) && step.each.is_none());
        if is_crew {
            drawn.extend(of_step.iter().map(|turn| Drawn::of(&turn.step, vec![turn])));
        } else {
            drawn.push(Drawn::of(name, of_step));
        }
    }
    drawn.sort_by(|one, other| (one.began, &one.name).cmp(&(other.began, &other.name)));
    drawn.truncate(NODES_MAX);
    let mut after: Vec<Vec<String>> = drawn.iter().map(|one| before(plan, one, &drawn)).collect();
    // The gate comes after whatever nothing else comes after.
    let is_end = |name: &String| !after.iter().flatten().any(|other| other == name);
    let names = drawn.iter().map(|one| &one.name);
    let ends: Vec<String> =
        names.filter(|name| name.as_str() != AGGREGATE && is_end(name)).cloned().collect();
    for (one, after) in drawn.iter().zip(&mut after) {
        if one.name == AGGREGATE {
            after.clone_from(&ends);
        }
    }
    drawn.into_iter().zip(after).map(|(one, after)| one.node(after, address)).collect()
}

/// One node in the making: a step with its items, or one turn of a crew.
struct Drawn<'a> {
    name: String,
    rows: Vec<&'a StepRow>,
    began: u64,
    ended: Option<u64>,
}

impl<'a> Drawn<'a> {
    fn of(name: &str, rows: Vec<&'a StepRow>) -> Self {
        let began = rows.iter().map(|row| row.started_at_ms).min().unwrap_or(0);
        let ends: Option<Vec<u64>> = rows.iter().map(|row| row.ended_at_ms).collect();
        let ended = ends.and_then(|ends| ends.into_iter().max());
        Self { name: name.to_owned(), rows, began, ended }
    }

    /// The declared step.
    fn step(&self) -> &str {
        self.rows.first().map_or(self.name.as_str(), |row| &row.name)
    }

    fn node(self, after: Vec<String>, address: &str) -> Node {
        let first = self.rows.first();
        let role = first.and_then(|row| row.role.clone());
        let tries: u64 = self.rows.iter().map(|row| row.tries.len() as u64).sum();
        let more = tries.saturating_sub(self.rows.len() as u64);
        let is_degraded = self.rows.iter().any(|row| row.degraded.is_some());
        let parts = [
            role.clone(),
            self.ended.map(|ended| span(ended.saturating_sub(self.began))),
            (more > 0).then(|| count(more, "more attempt")),
            is_degraded.then(|| "degraded".to_owned()),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let items = self.rows.iter().filter(|row| row.item.is_some()).count() as u64;
        let selects = first.map(|row| row.step.clone());
        Node {
            detail: parts.join(" · "),
            state: super::steps::state_of(&self.rows),
            after,
            items: if self.rows.len() > 1 { items } else { 0 },
            is_person: role.is_none() && first.is_some_and(|row| !row.questions.is_empty()),
            address: format!("{address}{}", or_empty(selects)),
            name: self.name,
        }
    }
}

fn declared<'p>(plan: &'p Workflow, name: &str) -> Option<&'p StepPlan> {
    plan.steps.iter().find(|step| step.name.as_str() == name)
}

/// What it came after: by the plan, through steps that never ran; what the plan does not have by its time.
fn before(plan: Option<&Workflow>, one: &Drawn, drawn: &[Drawn]) -> Vec<String> {
    if one.name == AGGREGATE {
        return Vec::new();
    }
    let turns: Vec<&Drawn> = drawn.iter().filter(|other| other.step() == one.step()).collect();
    if let Some(at) = turns.iter().position(|turn| turn.name == one.name)
        && let Some(before) = at.checked_sub(1).and_then(|before| turns.get(before))
    {
        return vec![before.name.clone()];
    }
    let found = plan.and_then(|plan| declared(plan, one.step()).map(|step| (plan, step)));
    let Some((plan, step)) = found else { return by_time(one, drawn) };
    let mut found = Vec::new();
    let mut wanted: Vec<&str> = step.after.iter().map(|name| name.as_str()).collect();
    let mut seen: Vec<&str> = Vec::new();
    while let Some(name) = wanted.pop() {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        match drawn.iter().rfind(|other| other.step() == name) {
            Some(last) => found.push(last.name.clone()),
            None => wanted.extend(
                declared(plan, name)
                    .into_iter()
                    .flat_map(|step| step.after.iter().map(|it| it.as_str())),
            ),
        }
    }
    found
}

/// What had ended when it began, and of that the last: nothing that ended before another of them began.
fn by_time(one: &Drawn, drawn: &[Drawn]) -> Vec<String> {
    let is_before = |other: &&Drawn| {
        other.name != one.name && other.ended.is_some_and(|ended| ended <= one.began)
    };
    let before: Vec<&Drawn> = drawn.iter().filter(is_before).collect();
    let latest = before.iter().map(|other| other.began).max().unwrap_or(0);
    let near = before.iter().filter(|other| other.ended.is_some_and(|ended| ended > latest));
    let near: Vec<String> = near.map(|other| other.name.clone()).collect();
    // What ended in the very moment in which it began is the last one all the same.
    match (near.is_empty(), before.last()) {
        (true, Some(last)) => vec![last.name.clone()],
        (_, _) => near,
    }
}

#[cfg(test)]
mod tests {
    use cadre_core::pack::{PackSource, compile};

    use super::*;

    fn row(step: &str, (name, item): (&str, Option<u32>), (from, to): (u64, u64)) -> StepRow {
        StepRow {
            step: step.to_owned(),
            name: name.to_owned(),
            item,
            role: Some("reader".to_owned()),
            state: "completed".to_owned(),
            attempts: 1,
            degraded: None,
            started_at_ms: from,
            changed_at_ms: to,
            ended_at_ms: Some(to),
            until_ms: None,
            queued_ms: 0,
            running_ms: 0,
            asked_ms: 0,
            grant_micros: 0,
            grant_tokens: 0,
            cost_micros: 0,
            tokens: 0,
            confidence: None,
            note: None,
            failure_kind: None,
            failure_text: None,
            rev: 1,
            tries: Vec::new(),
            questions: Vec::new(),
            spans: Vec::new(),
        }
    }

    /// `a`, then `b` which may be skipped, then the crew `c`.
    fn workflow() -> Workflow {
        let any = br#"{"type": "object"}"#.to_vec();
        let yaml = "apiVersion: pack/v1\nname: graph\nroles:\n  \
            one: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 5s}}\n  \
            two: {runtime: remote, accepts: contracts/any.v1.json, returns: contracts/any.v1.json, limits: {timeout: 5s}}\n\
            workflow:\n  input: contracts/any.v1.json\n  output: contracts/any.v1.json\n  \
            limits: {deadline: 30s, max_steps: 20, max_usd: 0, max_tokens: 0}\n  when_limited: partial\n  steps:\n    \
            a: {role: one, with: \"${ goal }\"}\n    \
            b: {role: one, after: [a], when: \"false\", with: \"${ goal }\"}\n    \
            c: {role: two, after: [b], join: all, with: \"${ goal }\"}\n  \
            result: {x: {from: [\"${ c }\"], required: false}}\n";
        let files = [("pack.yaml", yaml.into()), ("contracts/any.v1.json", any)];
        let files = files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes));
        compile(&PackSource { files: files.collect() }).unwrap()
    }

    fn edges(nodes: &[Node]) -> Vec<(String, String)> {
        let of = |node: &Node| {
            let name = node.name.clone();
            node.after.clone().into_iter().map(move |after| (after, name.clone()))
        };
        nodes.iter().flat_map(of).collect()
    }

    fn pair(one: &str, other: &str) -> (String, String) {
        (one.to_owned(), other.to_owned())
    }

    #[test]
    fn what_never_ran_is_left_out_and_its_edges_are_joined() {
        let skipped = StepRow { state: "skipped".to_owned(), ..row("b", ("b", None), (10, 10)) };
        let rows = [
            row("a", ("a", None), (0, 10)),
            skipped,
            row("c", ("c", None), (10, 20)),
            row(AGGREGATE, (AGGREGATE, None), (20, 21)),
        ];
        let nodes = ran(Some(&workflow()), &rows, "/x?step=");
        assert_eq!(edges(&nodes), [pair("a", "c"), pair("c", AGGREGATE)]);
        assert_eq!(nodes[0].address, "/x?step=a");
        assert_eq!(nodes[0].detail, "reader · 10 ms");
    }

    #[test]
    fn items_are_one_node_with_their_number() {
        let rows = [
            row("a-0", ("a", Some(0)), (0, 10)),
            row("a-1", ("a", Some(1)), (0, 14)),
            row("c", ("c", None), (14, 20)),
        ];
        let nodes = ran(Some(&workflow()), &rows, "");
        assert_eq!((nodes[0].items, nodes[0].name.as_str()), (2, "a"));
        assert_eq!(edges(&nodes), [pair("a", "c")]);
    }

    #[test]
    fn without_a_plan_time_tells_what_came_after_what() {
        let rows = [
            row("a", ("a", None), (0, 10)),
            row("b", ("b", None), (12, 20)),
            row("c", ("c", None), (12, 30)),
            row("d", ("d", None), (30, 40)),
        ];
        let nodes = ran(None, &rows, "");
        assert_eq!(edges(&nodes), [pair("a", "b"), pair("a", "c"), pair("b", "d"), pair("c", "d")]);
    }
}
