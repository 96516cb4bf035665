//! Random workflows meet random inputs: whatever comes, in whatever order, the log stays sound.

use proptest::{prelude::*, sample::Index};

use super::{
    kit::{Step as StepKit, T0, UNDO_MS, completed, failed, goal, name, payload},
    *,
};
use crate::workflow::{AskTerms, Otherwise, Pattern};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Happening {
    /// Some order that was ever out is reported: the first time, again, or too late.
    Report(Index, Reported),
    /// Time passes, then the timer fires.
    Due(u64),
    /// Time passes or, below zero, the clock goes back.
    Drift(i64),
    Advance,
    Goal,
    OtherGoal,
    /// A report that nobody asked for.
    Stray,
    Cancel,
    /// Somebody pauses, resumes, adds to the budget.
    Control(Action),
    /// A person rules about some step that waits.
    Decision(Index, Ruling),
    /// A role's breaker opens for so long, or closes.
    Breaker(Index, Option<u64>),
}

#[derive(Debug, Clone, Copy)]
enum Reported {
    Completed,
    Unsure,
    Failed,
    Handoff,
    NeedsHuman,
    Invalid,
    Costly,
    WrongRole,
    Unavailable,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Reported::*;
    let kinds = vec![
        Completed,
        Completed,
        Completed,
        Completed,
        Unsure,
        Failed,
        Handoff,
        NeedsHuman,
        Invalid,
        Costly,
        WrongRole,
        Unavailable,
        Unavailable,
    ];
    let more = Budget { steps: 1, usd_micros: 30, tokens: 30, ..Budget::default() };
    let nothing = Action::AddBudget(Budget::default());
    let retry = Action::Retry(None);
    let actions = vec![
        Action::Pause,
        Action::Resume,
        Action::Resume,
        Action::AddBudget(more),
        nothing,
        retry,
    ];
    let rulings = vec![Ruling::Grant, Ruling::GrantWith(payload(json!({"mine": 1}))), Ruling::Deny];
    prop_oneof![
        12 => (any::<Index>(), prop::sample::select(kinds)).prop_map(|(i, r)| Happening::Report(i, r)),
        2 => (0..30_000_u64).prop_map(Happening::Due),
        2 => (-3_000..3_000_i64).prop_map(Happening::Drift),
        1 => Just(Happening::Advance),
        1 => Just(Happening::Goal),
        1 => Just(Happening::OtherGoal),
        1 => Just(Happening::Stray),
        2 => prop::sample::select(actions).prop_map(Happening::Control),
        2 => (any::<Index>(), prop::sample::select(rulings)).prop_map(|(i, r)| Happening::Decision(i, r)),
        1 => (any::<Index>(), prop::option::of(0..9_000_u64)).prop_map(|(i, ms)| Happening::Breaker(i, ms)),
        1 => prop::bool::weighted(0.1).prop_map(|yes| if yes { Happening::Cancel } else { Happening::Goal }),
    ]
}

/// What a random step is made of; `before` chooses among the earlier steps.
type Shape = (Vec<Index>, bool, u8, u8, bool, u8, u8);

fn shape() -> impl Strategy<Value = Shape> {
    let before = prop::collection::vec(any::<Index>(), 0..3);
    (before, any::<bool>(), 0..6_u8, 0..6_u8, any::<bool>(), 0..4_u8, 0..12_u8)
}

fn build(index: usize, (before, settled, when, each, optional, accept, doer): &Shape) -> StepKit {
    let mut names: Vec<String> = match index {
        0 => Vec::new(),
        count => before.iter().map(|i| format!("s{}", i.index(count))).collect(),
    };
    names.dedup();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut built = step(&format!("s{index}")).after(&names);
    built = if *settled { built.settled() } else { built };
    built = if *optional { built.optional() } else { built };
    built = match when {
        0 => built.when("false"),
        1 => built.when("goal.gone.deep"),
        2 => built.when("goal.yes"),
        _ => built,
    };
    built = match each {
        0 => built.each("goal.items").parallel(2).keep(500),
        1 => built.each("goal.none").keep(1000),
        2 => built.each("goal.yes"),
        3 => built.each("goal.items").take(if *settled { "2" } else { "1.5 + double(item)" }),
        _ => built,
    };
    built = match doer {
        0 => built.retry(3),
        1 => built.retry(2).fallback("spare"),
        2 => built.once(),
        3 => built.grant(30, 10),
        5 => return built.each_less().crew(Pattern::Network, &["one", "other"], 5).undone(),
        6 => {
            let crew = built.each_less().crew(Pattern::Supervisor, &["router", "one", "other"], 6);
            return crew.otherwise(Otherwise::AskHuman);
        }
        // A pack cannot say both.
        7 if !names.is_empty() => built.each_less().with(json!({})).quorum(1),
        8 | 9 => built.undone(),
        4 => {
            let expires = Some(std::time::Duration::from_secs(7));
            let terms =
                AskTerms { expires, quorum: 1 + u32::from(*optional), ..AskTerms::default() };
            return built.approval("go on?").ask(terms);
        }
        _ => built,
    };
    match accept {
        0 => built.accept_if("report.confidence > 0.5", Otherwise::AcceptUnsure),
        1 => built.otherwise(Otherwise::AskHuman),
        2 => built.otherwise(Otherwise::AcceptUnsure),
        _ => built,
    }
    .returns(json!({"type": "object"}))
}

fn flow() -> impl Strategy<Value = Flow> {
    let steps = prop::collection::vec(shape(), 1..7);
    (steps, 0..14_u32, 0..5_u8).prop_map(|(shapes, steps_max, when_limited)| {
        let steps: Vec<_> = shapes.iter().enumerate().map(|(i, shape)| build(i, shape)).collect();
        let flow = Flow::of(&steps).steps_max(steps_max).spending_max(100, 100);
        match when_limited {
            0 => flow.fails_when_limited(),
            1 | 2 => flow.asks_when_limited(),
            _ => flow,
        }
    })
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#?}", self.workflow())
    }
}

fn input() -> Value {
    json!({"items": [1, 2, 3, 4, 5], "none": [], "yes": true})
}

fn reported(step: &str, kind: Reported) -> Report {
    let good = || completed(json!({"status": "completed", "result": {}}));
    let text = || "because".to_owned();
    let outcome = match kind {
        Reported::Completed | Reported::Costly | Reported::WrongRole => good(),
        Reported::Unsure => Outcome::Unsure {
            output: Some(payload(json!({"maybe": 1}))),
            confidence: Some(0.2),
            reason: text(),
        },
        Reported::Failed => failed(),
        Reported::Unavailable => Outcome::Failed(Failure::new(FailureKind::Unavailable, "gone")),
        Reported::Handoff => Outcome::Handoff { to: name("other"), reason: text(), output: None },
        Reported::NeedsHuman => Outcome::NeedsHuman { question: text() },
        Reported::Invalid => completed(json!([])),
    };
    let mut report = report(step, outcome);
    if let Reported::Costly = kind {
        report.usage.tokens = 101;
    }
    if let Reported::WrongRole = kind {
        report.role = name("thief");
    }
    report
}

/// Every order that was ever out.
fn ordered(run: &Run<'_>) -> Vec<String> {
    let events = run.records.iter().flat_map(|record| &record.events);
    let steps = events.filter_map(|event| match event {
        Event::StepDispatched { step, .. } => Some(step.to_string()),
        Event::Accepted { .. }
        | Event::Expanded { .. }
        | Event::CrewBegan { .. }
        | Event::HandedOff { .. }
        | Event::LoopFound { .. }
        | Event::StepCompleted { .. }
        | Event::StepFailed { .. }
        | Event::StepSkipped { .. }
        | Event::StepDelayed { .. }
        | Event::StepWaiting { .. }
        | Event::Voted { .. }
        | Event::CallRuled { .. }
        | Event::LimitReached { .. }
        | Event::BudgetNear { .. }
        | Event::BudgetAdded { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::Refused { .. }
        | Event::Compensating { .. }
        | Event::Joined { .. }
        | Event::Retried { .. }
        | Event::TakenOver { .. }
        | Event::Forked { .. }
        | Event::Ended { .. } => None,
    });
    steps.collect()
}

/// A ruling about some step that waits, by one of three people.
fn decision(run: &Run<'_>, index: Index, ruling: &Ruling) -> Option<Decision> {
    let waits: Vec<_> = run
        .task()
        .steps
        .iter()
        .filter_map(|(id, step)| {
            let StepState::Waiting { ask, .. } = &step.state else { return None };
            Some((id.clone(), ask.hash(run.task().id(), id, step.attempt)))
        })
        .collect();
    let (step, hash) = waits.get(index.index(waits.len().max(1)))?.clone();
    let by = ["ann", "bob", "eve"][index.index(3)].to_owned();
    Some(Decision { step, by, hash, ruling: ruling.clone(), comment: String::new() })
}

/// Opens some role's breaker for so long, or closes it.
fn switch(run: &mut Run<'_>, index: Index, ms: Option<u64>) {
    let roles: Vec<_> = run.workflow.roles.keys().collect();
    if roles.is_empty() {
        return;
    }
    let role = (*index.get::<&crate::ids::Name>(&roles)).clone();
    run.fleet.broken.remove(&role);
    run.fleet.broken.extend(ms.map(|ms| (role, run.now + ms)));
}

fn happen(run: &mut Run<'_>, happening: &Happening) {
    let input = match happening {
        Happening::Report(index, kind) => {
            let orders = ordered(run);
            if orders.is_empty() {
                return;
            }
            let mut report = reported(index.get::<String>(&orders), *kind);
            // Mostly about the attempt that is out, else about one before.
            if let Some(known) = run.task().steps.get(&report.step)
                && index.index(5) > 0
            {
                report.attempt = known.attempt;
                let is_thief = matches!(kind, Reported::WrongRole);
                report.role = known.role.clone().filter(|_| !is_thief).unwrap_or(report.role);
            }
            run.overspends |= matches!(kind, Reported::Costly);
            Input::Report(report)
        }
        Happening::Control(action) => {
            let key = run.records.len().to_string();
            let (by, reason) = ("ann".to_owned(), String::new());
            Input::Control(Control { by, reason, key, action: action.clone() })
        }
        Happening::Decision(index, ruling) => match decision(run, *index, ruling) {
            Some(decision) => Input::Decision(decision),
            None => return,
        },
        Happening::Breaker(index, ms) => return switch(run, *index, *ms),
        Happening::Due(ms) => {
            run.now += ms;
            Input::Due
        }
        Happening::Drift(ms) => {
            run.now = run.now.saturating_add_signed(*ms);
            return;
        }
        Happening::Advance => Input::Advance,
        Happening::Goal => Input::Goal(goal(input()).into()),
        Happening::OtherGoal => Input::Goal(goal(json!({})).into()),
        Happening::Stray => Input::Report(report("stray", failed())),
        Happening::Cancel => Input::Cancel(Cancel { by: "ann".into(), reason: "no".into() }),
    };
    let before = run.task.clone();
    let verdict = run.feed(&input);
    if before.as_ref().is_some_and(|task| task.ended().is_some()) {
        let is_refused = |draft: &Draft| draft.decision == "refuse";
        let stays = !matches!(&verdict, Verdict::Append(draft) if !is_refused(draft));
        assert!(stays, "an ended task stays as it is");
        assert_eq!(run.task().ended(), before.as_ref().and_then(Task::ended));
    }
    if matches!(verdict, Verdict::Ignore(_)) {
        assert_eq!(run.task, before);
    }
    run.check_log();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_log_stays_sound_and_the_task_can_end(
        flow in flow(),
        happenings in prop::collection::vec(happening(), 0..40),
    ) {
        let mut run = flow.start(input());
        for happening in &happenings {
            happen(&mut run, happening);
        }
        run.fleet.broken.clear();
        // Then the workers answer all they were asked, and time passes for what nobody answers.
        for _ in 0..1_000 {
            let Some(wake_at) = run.task().wake_at() else { break };
            match run.open().first() {
                Some(step) => {
                    let step = step.clone();
                    run.report(&step, completed(json!({"status": "completed", "result": {}})));
                }
                None => {
                    run.now = run.now.max(wake_at.0);
                    let verdict = run.feed(&Input::Due);
                    prop_assert!(matches!(verdict, Verdict::Append(_)), "a due timer moves the task");
                }
            }
        }
        prop_assert!(run.task().ended().is_some(), "{:?}", run.task());
        run.check_log();
    }

    #[test]
    fn a_task_without_workers_ends_by_its_timers_alone(flow in flow()) {
        let mut run = flow.start(input());
        for _ in 0..1_000 {
            let Some(wake_at) = run.task().wake_at() else { break };
            run.now = run.now.max(wake_at.0);
            run.feed(&Input::Due);
        }
        prop_assert!(run.task().ended().is_some());
        let latest = T0 + 65_000 + UNDO_MS;
        prop_assert!(run.now <= latest, "deadline, grace and compensations are the latest end");
    }

    #[test]
    fn every_prefix_of_a_log_is_a_state_that_owes_the_same_after_a_crash(
        flow in flow(),
        happenings in prop::collection::vec(happening(), 0..12),
    ) {
        let mut run = flow.idle();
        run.feed_once(&Input::Goal(goal(input()).into()));
        for happening in &happenings {
            let replayed = Task::replay(&run.records).unwrap();
            prop_assert_eq!(replayed.orders_since(0).collect::<Vec<_>>(), run.task().orders_since(0).collect::<Vec<_>>());
            prop_assert_eq!(replayed.wake_at(), run.task().wake_at());
            prop_assert_eq!(replayed.answer(), run.task().answer());
            let last = replayed.rev - 1;
            prop_assert!(replayed.orders_since(last).all(|order| order.rev == replayed.rev));
            happen(&mut run, happening);
        }
    }
}
