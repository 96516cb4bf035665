//! Views as a busy afternoon would fill them.

mod bus;
mod task;

use cadre_core::fleet::{Actor, Actors};
use serde_json::json;

use crate::pages::{
    agents::{Agents, Member, RoleRow},
    approvals::{Approvals, Question},
    audit::{Audit, AuditRow},
    breakers::{BreakerRow, Breakers},
    chrome::Chrome,
    letters::{Letter, Letters},
    overview::{FailureGroup, Figure, Need, Overview},
    packs::{Diff, Pack, Packs, Revision},
    publish::Publish,
    spend::{Near, Share, Spend},
    tasks::{Filter, TaskRow, Tasks},
};

pub(super) use self::{
    bus::{bus, peek, webhooks},
    task::{task, task_with_step},
};

/// The broker's time in every fixture.
pub(super) const NOW: u64 = 1_795_270_000_000;

const GOALS: [&str; 6] = [
    "Summarise and risk-flag the master services agreement with Northwind",
    "Refund order A-1734: the lamp arrived broken, the customer wants the money back",
    "Answer: do we need a DPIA for the new analytics vendor?",
    "Review renewal terms and flag auto-renewal clauses of 14 supplier contracts",
    "Research: which ISO 27001 controls does our incident process already satisfy?",
    "Classify 6,200 support conversations of October by cause and product",
];

const WORKFLOWS: [&str; 4] = ["contract-intake", "refund", "compliance", "research"];

const STATUSES: [&str; 8] =
    ["running", "completed", "waiting", "completed", "failed", "partial", "completed", "cancelled"];

pub(super) fn chrome() -> Chrome {
    Chrome {
        now_ms: NOW,
        user: "mara".to_owned(),
        tenant: "acme".to_owned(),
        role: "operator".to_owned(),
        has_session: true,
        csrf: "c0ffee".to_owned(),
        theme: None,
        questions: 3,
        letters: Some(2),
        lag_ms: 40,
    }
}

fn id(index: usize) -> String {
    let letters = b"abcdefghijklmnopqrstuvwxyz234567";
    (0..26).map(|at| char::from(letters[(index * 31 + at * 7 + at * at * index) % 32])).collect()
}

pub(super) fn row(index: usize) -> TaskRow {
    let status = STATUSES[index % STATUSES.len()];
    let is_open = matches!(status, "running" | "waiting");
    let accepted_ms = NOW - 14_000 - index as u64 * 97_000;
    TaskRow {
        id: id(index),
        status: status.to_owned(),
        goal: GOALS[index % GOALS.len()].to_owned(),
        workflow: WORKFLOWS[index % WORKFLOWS.len()].to_owned(),
        tenant: ["acme", "initech", "globex"][index % 3].to_owned(),
        remark: match status {
            "waiting" => "approve waits for a person".to_owned(),
            "failed" => "extract.3 failed: unavailable: provider answered 503".to_owned(),
            "partial" => "2 of 14 parts are missing".to_owned(),
            _ => String::new(),
        },
        steps_done: 3 + index as u64 % 9,
        steps_total: 9 + index as u64 % 9,
        tokens: 912 + index as u64 * 1_733 % 61_000,
        cost_micros: 4_100 + index as u64 * 17_300 % 240_000,
        cost_limit_micros: 250_000,
        retries: u64::from(index % 5 == 4) * 2,
        fallbacks: u64::from(index % 7 == 3),
        accepted_ms,
        ended_ms: (!is_open).then_some(accepted_ms + 4_000 + index as u64 % 13 * 7_300),
        is_stuck: index == 8,
    }
}

pub(super) fn tasks(rows: usize) -> Tasks {
    let counts = [
        ("running", 4_002),
        ("waiting", 2_085),
        ("completed", 88_915),
        ("partial", 640),
        ("failed", 3_011),
        ("cancelled", 1_987),
    ];
    Tasks {
        rows: (0..rows).map(row).collect(),
        counts: counts.iter().map(|(status, count)| ((*status).to_owned(), *count)).collect(),
        is_counted_partly: false,
        filter: Filter::default(),
        workflows: WORKFLOWS.iter().map(|name| (*name).to_owned()).collect(),
        next: Some("k9".to_owned()),
        can_steer: true,
    }
}

pub(super) fn overview() -> Overview {
    Overview {
        needs: needs(),
        figures: figures(),
        failures: vec![
            FailureGroup {
                text: "unavailable: provider answered 503".to_owned(),
                place: "assessor-model".to_owned(),
                count: 212,
                last_ms: NOW - 9_000,
                task: id(4),
            },
            FailureGroup {
                text: "invalid_output: /amount_usd must be a number, found \"49,90\"".to_owned(),
                place: "extractor".to_owned(),
                count: 37,
                last_ms: NOW - 95_000,
                task: id(12),
            },
            FailureGroup {
                text: "timeout: no report within 15 s".to_owned(),
                place: "validator".to_owned(),
                count: 4,
                last_ms: NOW - 1_900_000,
                task: id(20),
            },
        ],
        running: (0..7).map(|index| row(index * 8 + if index % 2 == 0 { 0 } else { 2 })).collect(),
    }
}

fn needs() -> Vec<Need> {
    let need = |severity: &str, title: &str, text: &str, ago: u64, address: &str| Need {
        severity: severity.to_owned(),
        title: title.to_owned(),
        text: text.to_owned(),
        since_ms: NOW - ago,
        address: address.to_owned(),
    };
    vec![
        need(
            "critical",
            "Breaker of role assessor-model is open",
            "Half of its last 20 calls failed: provider answered 503. 14 steps wait. Look at the provider's status, or hold it closed once it is back.",
            190_000,
            "/breakers",
        ),
        need(
            "critical",
            "Task wkz3m4q is stuck",
            "Its timer lies nowhere since 30 s. cadre task wake sends it one.",
            70_000,
            "/tasks?stuck=1",
        ),
        need(
            "warning",
            "A question expires in 3 min 20 s",
            "Refund 49.90 USD of order A-1734 to customer 8812?",
            700_000,
            "/approvals",
        ),
        need(
            "warning",
            "Backlog of role extractor grows",
            "412 work orders wait and 61 more come each minute than are done.",
            310_000,
            "/agents",
        ),
    ]
}

fn figures() -> Vec<Figure> {
    let wave = |scale: u64, phase: u64| {
        (0..60)
            .map(|at| {
                let swing = (at * phase % 23) + (at * at * phase / 7 % 11) + at / (2 + phase);
                scale * (24 + swing) / 60
            })
            .collect::<Vec<u64>>()
    };
    let figure = |name: &str, value: &str, rest: &str, past: Vec<u64>, tone: &str| Figure {
        name: name.to_owned(),
        value: value.to_owned(),
        rest: rest.to_owned(),
        past,
        tone: tone.to_owned(),
    };
    vec![
        figure("Completed", "412", "a minute", wave(400, 1), "ok"),
        figure("Failed", "3.1 %", "of ended", wave(9, 4), "bad"),
        figure("In flight", "3,981", "tasks", wave(4_000, 2), "run"),
        figure("p95 duration", "71 s", "", wave(71, 5), "idle"),
        figure("Spent today", "$214.80", "", wave(60, 3), "idle"),
    ]
}

pub(super) fn approvals() -> Approvals {
    let question = |index: u64, text: &str, expires: u64| Question {
        id: format!("{}/approve-{index}", id(1)),
        task: id(1),
        step: "approve".to_owned(),
        workflow: "refund".to_owned(),
        tenant: "acme".to_owned(),
        question: text.to_owned(),
        role: String::new(),
        why: "the pack asks a person before money leaves".to_owned(),
        by: "kiosk-7".to_owned(),
        content: Some(
            "{\n  \"order\": \"A-1734\",\n  \"customer\": \"8812\",\n  \"amount_usd\": 49.90\n}"
                .to_owned(),
        ),
        content_hash: "5b1f33a90c2e7d".to_owned(),
        cost_micros: 3_140,
        asked_ms: NOW - 700_000,
        expires_ms: Some(NOW + expires),
        quorum: index,
        votes: index.saturating_sub(1),
        four_eyes: index == 1,
        choices: vec!["approve".to_owned(), "deny".to_owned()],
        decision: String::new(),
        decided_by: String::new(),
    };
    let decided = Question {
        decision: "granted".to_owned(),
        decided_by: "jonas".to_owned(),
        ..question(1, "Pay invoice 2026-118 of 1,240.00 USD?", 0)
    };
    Approvals {
        open: vec![
            question(
                1,
                "Refund 49.90 USD of order A-1734 to customer 8812 (arrived broken)?",
                200_000,
            ),
            question(2, "Send the termination notice to Northwind by registered mail?", 5_400_000),
        ],
        decided: vec![decided],
        can_decide: true,
    }
}

pub(super) fn agents() -> Agents {
    let role =
        |name: &str, runtime: &str, in_flight: u64, queued: u64, errors: u64, breaker: &str| {
            RoleRow {
                restarts: u64::from(name == "synthesizer"),
                name: name.to_owned(),
                runtime: runtime.to_owned(),
                free: Some(if queued > 0 { 0 } else { 12 }),
                queued: Some(queued),
                in_flight,
                concurrency: 32,
                p50_ms: Some(480 + name.len() as u64 * 90),
                p95_ms: Some(2_900 + name.len() as u64 * 240),
                attempts: 4_120,
                errors,
                breaker: breaker.to_owned(),
            }
        };
    Agents {
        roles: vec![
            role("assessor-model", "remote", 0, 14, 212, "open"),
            role("classifier", "rules", 3, 0, 0, "closed"),
            role("extractor", "rules", 32, 412, 37, "closed"),
            role("synthesizer", "model", 9, 0, 2, "closed"),
        ],
        members: vec![
            Member {
                name: "worker-6d4f-x2k9".to_owned(),
                version: "0.1.0".to_owned(),
                services: vec!["agent".to_owned()],
                since_ms: NOW - 9_000_000,
                actors: Actors::bounded(vec![
                    actor(0, "agent", ("running", 1)),
                    actor(1, "extractor", ("running", 0)),
                    actor(1, "synthesizer", ("restarting", 1)),
                ]),
            },
            Member {
                name: "orchestrator-7b91".to_owned(),
                version: "0.1.0".to_owned(),
                services: vec!["orchestrator".to_owned()],
                since_ms: NOW - 9_100_000,
                actors: Actors::default(),
            },
        ],
    }
}

fn actor(depth: u8, name: &str, (state, restarts): (&str, u32)) -> Actor {
    let error = (restarts > 0).then(|| "lost the bus".to_owned());
    Actor { depth, name: name.to_owned(), state: state.to_owned(), restarts, error }
}

pub(super) fn breakers() -> Breakers {
    Breakers {
        rows: vec![
            BreakerRow {
                target: "role.assessor-model".to_owned(),
                state: "open".to_owned(),
                since_ms: Some(NOW - 190_000),
                until_ms: Some(NOW + 22_000),
                reporters: vec!["worker-a".to_owned(), "worker-b".to_owned()],
                reason: "12 of 20 calls failed within 30 s: unavailable: provider answered 503"
                    .to_owned(),
                ..BreakerRow::default()
            },
            BreakerRow {
                target: "model.fast".to_owned(),
                state: "forced closed".to_owned(),
                since_ms: Some(NOW - 3_600_000),
                forced_by: "jonas: provider is back".to_owned(),
                ..BreakerRow::default()
            },
        ],
        can_steer: true,
    }
}

pub(super) fn letters() -> Letters {
    Letters {
        rows: vec![Letter {
            id: "CADRE_LOG.8812".to_owned(),
            reason: "cannot be decoded: field 3 has the wrong wire type".to_owned(),
            subject: "in.0.report".to_owned(),
            kind: "report".to_owned(),
            task: id(9),
            at_ms: NOW - 400_000,
            deliveries: 10,
            body: "{\"step\": \"extract.3\"}".to_owned(),
            lost: String::new(),
        }],
        total: 2,
        can_steer: true,
    }
}

pub(super) fn spend() -> Spend {
    let share = |name: &str, cost_micros: u64| Share {
        name: name.to_owned(),
        cost_micros,
        tokens: cost_micros / 3,
    };
    Spend {
        group: "model".to_owned(),
        range: "24h".to_owned(),
        shares: vec![
            share("anthropic/claude-sonnet-4-5", 131_200_000),
            share("openai/gpt-5-mini", 61_400_000),
            share("local/llama", 0),
        ],
        past: (0..24)
            .map(|hour| (NOW - (24 - hour) * 3_600_000, 4_000_000 + (hour * 7 % 11) * 900_000))
            .collect(),
        total_micros: 192_600_000,
        tokens: 61_300_000,
        before_micros: Some(171_000_000),
        near: vec![Near {
            task: id(1),
            goal: GOALS[3].to_owned(),
            cost_micros: 231_000,
            limit_micros: 250_000,
        }],
    }
}

pub(super) fn packs() -> Packs {
    Packs {
        address: "/packs".to_owned(),
        packs: vec![Pack {
            name: "contract-intake".to_owned(),
            revisions: vec![
                Revision {
                    hash: "9f20c1d4e8aa71".to_owned(),
                    at_ms: Some(NOW - 7_200_000),
                    is_current: true,
                    open_tasks: 41,
                    tasks: 912,
                },
                Revision {
                    hash: "11aa04bc91ff02".to_owned(),
                    at_ms: Some(NOW - 90_000_000),
                    is_current: false,
                    open_tasks: 3,
                    tasks: 18_220,
                },
            ],
        }],
        selected: "contract-intake".to_owned(),
        revision: "9f20c1d4e8aa71".to_owned(),
        nodes: task::nodes(),
        diff: Some(Diff {
            from: "11aa04bc91ff02".to_owned(),
            text:
                "--- a/pack.yaml\n+++ b/pack.yaml\n limits:\n-  deadline: 30s\n+  deadline: 60s\n"
                    .to_owned(),
            left_out: 3,
        }),
    }
}

pub(super) fn publish() -> Publish {
    Publish {
        workflows: vec!["contract-intake".to_owned(), "refund".to_owned()],
        workflow: "refund".to_owned(),
        schema: Some(json!({"type": "object", "required": ["order", "text"], "properties": {
            "order": {"type": "string", "maxLength": 40, "description": "As it stands on the invoice."},
            "text": {"type": "string", "description": "What the customer wrote."},
            "channel": {"enum": ["mail", "phone", "chat"]},
            "urgent": {"type": "boolean"},
        }})),
        filled: r#"{"order":"A-1734","text":"The lamp arrived broken."}"#.to_owned(),
        tenant: "acme".to_owned(),
        refused: String::new(),
        can_publish: true,
    }
}

pub(super) fn audit() -> Audit {
    let row = |number: u64, by: &str, what: &str| AuditRow {
        number,
        at_ms: NOW - (60 - number) * 61_000,
        by: by.to_owned(),
        what: what.to_owned(),
        of: "approve".to_owned(),
        reason: "checked with legal".to_owned(),
        task: id(number as usize),
        tenant: "acme".to_owned(),
        hash: format!("{number:x}b33f0a91c2"),
    };
    Audit {
        rows: vec![
            row(42, "jonas", "question granted"),
            row(41, "cadre", "question asked"),
            row(40, "mara", "budget added"),
        ],
        next: Some("/audit?before=40".to_owned()),
        verdict: String::new(),
        address: "/audit".to_owned(),
        task: String::new(),
    }
}
