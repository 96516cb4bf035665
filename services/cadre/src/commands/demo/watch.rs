//! Shows a task while it runs: finished lines, and on a terminal what is going on right now.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use cadre_core::{
    ids::TaskId,
    task::{Phase, Task},
};
use cadre_nats::bus::JetStreamBus;
use futures::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    output::{self, Style},
    timeline::{Timeline, follow},
};

/// How often the line at the bottom moves.
const TICK: Duration = Duration::from_millis(100);

/// Steps that the line at the bottom names.
const NAMED_MAX: usize = 4;

/// Shows everything that happens to a task, and returns it when it has ended.
pub(super) async fn until_end(bus: &JetStreamBus, task: &TaskId) -> anyhow::Result<Task> {
    let mut records = follow(bus, task).await?;
    let screen = Screen::new();
    let mut timeline = Timeline::new(screen.style());
    while let Some(record) = records.next().await {
        for line in timeline.lines(&record?) {
            screen.line(&line);
        }
        if let Some(task) = timeline.task() {
            screen.now(task);
        }
    }
    screen.clear();
    let ended = timeline.task().filter(|task| task.ended().is_some()).cloned();
    ended.ok_or_else(|| anyhow::anyhow!("the log of task {task} ended before the task did"))
}

/// Where the timeline goes: it is talk, the answer is the data.
struct Screen(Option<ProgressBar>);

impl Screen {
    fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            // The template is a constant; without it the default style does.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            bar.set_message("waiting for the goal to be accepted");
            bar
        });
        Self(bar)
    }

    fn style(&self) -> Style {
        Style { has_glyphs: self.0.is_some(), has_color: output::has_color_on_stderr() }
    }

    fn line(&self, line: &str) {
        match &self.0 {
            Some(bar) => bar.println(line),
            None => output::say(line),
        }
    }

    fn now(&self, task: &Task) {
        if let Some(bar) = &self.0 {
            bar.set_message(open_steps(task));
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// What is going on right now.
fn open_steps(task: &Task) -> String {
    match task.phase {
        Phase::Aggregating => return "putting the answer together".to_owned(),
        Phase::Ended(_) => return "done".to_owned(),
        Phase::Running | Phase::Compensating(_) => {}
    }
    let open: Vec<_> = task.steps.iter().filter(|(_, step)| step.state.is_open()).collect();
    let named: Vec<_> = open.iter().take(NAMED_MAX).map(|(id, _)| id.to_string()).collect();
    let more = open.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("running {}{more}", named.join(", "))
}
