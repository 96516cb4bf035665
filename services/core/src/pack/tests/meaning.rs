//! Packs that the grammar has, but that mean nothing.

use super::*;

#[test]
fn names_are_checked() {
    check(
        "name: intake",
        "name: Intake",
        &[
            "pack.yaml:2:1: name: \"Intake\" is not a name: use a lower-case letter, then up to 62 of a-z, 0-9, '_' or '-'",
        ],
    );
    check(
        "first:\n",
        "goal:\n",
        &[
            "pack.yaml:17:5: workflow.steps.goal: `goal` is reserved: choose another name",
            "pack.yaml:22:15: workflow.steps.second.after[0]: unknown step `first`; known: check, goal, second",
            "pack.yaml:23:13: workflow.steps.second.when: `size(first.parties) > 0`: unknown name `first`; known: goal, task",
            "pack.yaml:32:73: workflow.steps.check.with.notes[0]: `first.kind`: unknown name `first`; known: goal, second, task",
            "pack.yaml:38:55: workflow.result.parties.from[1]: `first.parties`: unknown name `first`; known: check, goal, second, task",
        ],
    );
    for (name, message) in [
        ("a-b", "`a-b` would be a subtraction in expressions: write `a_b`"),
        ("in", "`in` is a word of the expression language: choose another name"),
        ("string", "`string` is a word of the expression language: choose another name"),
        ("result", "`result` is reserved: choose another name"),
        ("second", "`second` is the name of a step: choose another"),
    ] {
        let found = problems(&source(&PACK.replace("as: chunk", &format!("as: {name}"))));
        let expected = format!("pack.yaml:24:56: workflow.steps.second.each.as: {message}");
        assert!(found.contains(&expected), "{name}: {found:?}");
    }
    let renamed = PACK.replace("judge", "aggregate");
    assert_eq!(
        problems(&source(&renamed)),
        [
            "pack.yaml:5:3: roles.aggregate: `aggregate` is the name of a part of Cadre: choose another",
        ]
    );
}

#[test]
fn references_are_checked() {
    check(
        "role: judge",
        "role: juge",
        &[
            "pack.yaml:5:3: roles.judge: no step uses this role",
            "pack.yaml:29:13: workflow.steps.check.role: unknown role `juge`: did you mean `judge`?",
        ],
    );
    check(
        "contracts/any.v1.json",
        "contracts/any.v2.json",
        &[
            "pack.yaml:7:14: roles.judge.accepts: there is no file `contracts/any.v2.json`: did you mean `contracts/any.v1.json`?",
            "contracts/any.v1.json: no role and no workflow uses this contract",
        ],
    );
    check(
        "after: [second]",
        "after: [secnd]",
        &[
            "pack.yaml:30:15: workflow.steps.check.after[0]: unknown step `secnd`: did you mean `second`?",
            "pack.yaml:32:21: workflow.steps.check.with.terms: `merge(second)`: `second` does not come before `check`: add it to the step's `after`",
            "pack.yaml:32:73: workflow.steps.check.with.notes[0]: `first.kind`: `first` does not come before `check`: add it to the step's `after`",
        ],
    );
    check(
        "after: [first]",
        "after: []",
        &[
            "pack.yaml:23:13: workflow.steps.second.when: `size(first.parties) > 0`: `first` does not come before `second`: add it to the step's `after`",
            "pack.yaml:32:73: workflow.steps.check.with.notes[0]: `first.kind`: `first` does not come before `check`: add it to the step's `after`",
        ],
    );
    check(
        "goal.text.substring",
        "goal.txt.substring",
        &[
            "pack.yaml:19:20: workflow.steps.first.with.text: `goal.txt.substring(0, 2000)`: `goal` has no field `txt`: did you mean `text`?",
        ],
    );
}

#[test]
fn only_what_exists_then_can_be_read() {
    check(
        "chunk.text",
        "chunk.txt",
        &[
            "pack.yaml:26:15: workflow.steps.second.with.text: `chunk.txt`: `chunk` has no field `txt`: did you mean `text`?",
        ],
    );
    check(
        "when: size(first.parties) > 0",
        "when: size(chunk.text) > 0",
        &[
            "pack.yaml:23:13: workflow.steps.second.when: `size(chunk.text) > 0`: unknown name `chunk`; known: first, goal, task",
        ],
    );
    check(
        "check.score >= 0.7",
        "check.scor >= 0.7",
        &[
            "pack.yaml:33:18: workflow.steps.check.accept_if: `check.scor >= 0.7 && !report.unsure`: `check` has no field `scor`: did you mean `score`?",
        ],
    );
    check(
        "first.kind",
        "check.score",
        &[
            "pack.yaml:32:73: workflow.steps.check.with.notes[0]: `check.score`: `check` is this very step: only accept_if sees its output",
        ],
    );
    check(
        "task.id",
        "report.unsure",
        &[
            "pack.yaml:32:49: workflow.steps.check.with.task: `report.unsure`: `report` is known to accept_if only",
        ],
    );
    check(
        "second.map(s, s.parties)",
        "second.parties",
        &[
            "pack.yaml:38:22: workflow.result.parties.from[0]: `second.parties`: `second` is a list and has no field `parties`: \
         take an item, `second[0].parties`, or use exists, all, map or filter",
        ],
    );
}

#[test]
fn steps_that_wait_for_each_other_are_named() {
    check(
        "role: reader\n      with:",
        "role: reader\n      after: [check]\n      with:",
        &[
            "pack.yaml:19:14: workflow.steps.first.after: steps wait for each other: first after check after second after first",
        ],
    );
    check(
        "after: [first]",
        "after: [second]",
        &[
            "pack.yaml:22:14: workflow.steps.second.after: steps wait for each other: second after second",
        ],
    );
}

#[test]
fn limits_are_checked() {
    check(
        "timeout: 8s",
        "timeout: 5m",
        &[
            "pack.yaml:4:113: roles.reader.limits.timeout: is longer than the workflow's deadline of 90s",
        ],
    );
    check(
        "timeout: 30s",
        "timeout: 61s",
        &["pack.yaml:35:16: workflow.steps.check.timeout: is longer than the 1m of role `judge`"],
    );
    check(
        "timeout: 30s",
        "timeout: 9ms",
        &["pack.yaml:35:16: workflow.steps.check.timeout: is shorter than 10ms"],
    );
    check(
        "deadline: 90s",
        "deadline: 401d",
        &["pack.yaml:14:22: workflow.limits.deadline: is longer than 400d"],
    );
    check(
        "max_steps: 60",
        "max_steps: 2",
        &[
            "pack.yaml:14:38: workflow.limits.max_steps: is less than the 3 steps of roles: no task could end",
        ],
    );
    for usd in ["0.0000001", "-1", "\"a lot\""] {
        check(
            "max_usd: 0.25",
            &format!("max_usd: {usd}"),
            &[
                "pack.yaml:14:51: workflow.limits.max_usd: is no amount of money: write US dollars with at most 6 decimals, such as 0.25",
            ],
        );
    }
    check(
        "keep_partial: 0.8",
        "keep_partial: 0.8888",
        &[
            "pack.yaml:24:90: workflow.steps.second.each.keep_partial: is no share: write 0 to 1 with at most 3 decimals, such as 0.8",
        ],
    );
}

#[test]
fn inputs_and_answer_fit_their_contracts() {
    check(
        "with: {text: \"${ goal.text.substring(0, 2000) }\"}",
        "with: {txt: x}",
        &[
            "pack.yaml:19:7: workflow.steps.first.with: lacks `text`, which contract text@1 requires",
            "pack.yaml:19:14: workflow.steps.first.with.txt: `contract text@1` has no field `txt`: did you mean `text`?",
        ],
    );
    check(
        "    score: \"${ check.score }\"\n",
        "    risk: \"${ check.score }\"\n",
        &[
            "pack.yaml:36:3: workflow.result: lacks `score`, which contract brief@1 requires",
            "pack.yaml:37:5: workflow.result.risk: `contract brief@1` has no field `risk`; known: parties, score",
        ],
    );
}
