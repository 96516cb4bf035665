//! What the read model shows of a storm is what a replay says.

use std::{collections::BTreeMap, time::Duration};

use cadre_core::{
    ids::StepId,
    task::{StepState, Task},
    time::UnixMillis,
};
use cadre_edge::model::{ModelOptions, ModelService, QuestionFilter, ReadModel};
use cadre_tests::sim::{history::WorldLog, storm::weather_seen};
use tokio::runtime::Builder;

/// Seeds of one run of the suite: together they have most kinds of event.
const SEEDS: u64 = 8;

#[test]
fn rows_of_a_storm_are_what_a_replay_says() {
    std::panic::set_hook(Box::new(|_| ()));
    let logs: Vec<_> = (1..=SEEDS).map(|seed| weather_seen(seed, WorldLog::of).1).collect();
    drop(std::panic::take_hook());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build();
    runtime.expect("a runtime").block_on(async {
        for log in logs {
            let ports = (log.clone(), log.clone());
            let started = ModelService::start(ports, ModelOptions::default(), None).await;
            let service = started.expect("a read model");
            let mut lag = service.model().lag_changes();
            let all = lag.wait_for(|lag| lag.taken >= log.records() as u64);
            let all = tokio::time::timeout(Duration::from_secs(60), all).await;
            drop(all.expect("all records in time").expect("open"));
            for task in log.tasks() {
                agrees(service.model(), task).await;
            }
            sums(service.model(), log.tasks()).await;
            service.stop().await;
        }
    });
}

async fn agrees(model: &ReadModel, task: &Task) {
    let id = task.id();
    let row = model.task(None, id).await.expect("an answer").expect("a row");
    let shown = (row.status.as_str(), row.rev, row.cost_micros, row.tokens, row.dispatches);
    let Task { usage, rev, dispatches, .. } = task;
    assert_eq!(shown, (task.status(), *rev, usage.usd_micros, usage.tokens, *dispatches), "{id}");
    assert_eq!(row.due_at_ms, task.wake_at().map(|at| at.0), "{id}");
    assert_eq!(row.problem, None, "{id}");
    assert!(row.steps_done <= row.steps_total, "{row:?}");
    let events = model.events(None, id, 0, 1_000).await.expect("an answer").expect("a task");
    assert_eq!(
        events.iter().map(|event| event.rev).collect::<Vec<_>>(),
        (1..=*rev).collect::<Vec<_>>()
    );

    let steps = model.steps(None, id).await.expect("an answer").expect("a task");
    let shown: BTreeMap<_, _> = steps.iter().map(|step| (step.step.clone(), step)).collect();
    let known: Vec<_> = task.steps.keys().map(StepId::to_string).collect();
    let mut names: Vec<_> = shown.keys().cloned().collect();
    let mut expected = known;
    names.sort();
    expected.sort();
    assert_eq!(names, expected, "{id}");
    for (step, state) in &task.steps {
        let row = shown[&step.to_string()];
        // The gate's step is closed by the end of the task.
        let is_gate = row.name == "aggregate" && matches!(state.state, StepState::Cancelled);
        assert!(is_gate || row.state == state.state.as_str(), "{id}: {row:?}");
        assert_eq!((row.attempts, row.rev), (state.attempt, state.rev), "{id}: {row:?}");
        // Retried steps begin their attempts anew; what was tried before stays on view.
        assert!(row.tries.len() >= usize::from(state.attempt > 0), "{id}: {row:?}");
        let out = row.tries.iter().filter(|attempt| attempt.ended_at_ms.is_none()).count();
        let is_out = matches!(state.state, StepState::Dispatched { .. });
        assert_eq!(out, usize::from(is_out), "{id}: {row:?}");
        let open = row.questions.iter().filter(|question| question.state == "open").count();
        assert_eq!(
            open,
            usize::from(matches!(state.state, StepState::Waiting { .. })),
            "{id}: {row:?}"
        );
    }
}

/// What was spent is what the tasks have cost, and questions are open where steps wait.
async fn sums(model: &ReadModel, tasks: &[Task]) {
    let everything = (UnixMillis(0), UnixMillis(u64::MAX));
    let spend = model.spend(None, everything, &[]).await.expect("an answer");
    let (cost, tokens) = spend.first().map_or((0, 0), |row| (row.cost_micros, row.tokens));
    let known = tasks.iter().fold((0, 0), |(cost, tokens), task| {
        (cost + task.usage.usd_micros, tokens + task.usage.tokens)
    });
    assert_eq!((cost, tokens), known);
    let waiting = tasks.iter().flat_map(|task| task.steps.values());
    let waiting = waiting.filter(|step| matches!(step.state, StepState::Waiting { .. })).count();
    let filter = QuestionFilter { is_open: true, ..QuestionFilter::default() };
    let open = model.questions(None, &filter, None, 1_000).await.expect("an answer");
    assert_eq!(open.rows.len(), waiting);
}
