//! `goal publish --wait|--follow`: until the task has ended.

use cadre_core::task::{Record, Task};
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use indicatif::ProgressBar;
use tokio::time::{Instant, timeout_at};

use super::{PublishArgs, publish::Outcome, wanted::Wanted};
use crate::{
    commands::{client::Client, task},
    exit::{Code, Failure},
    output::{self, Format, Style},
    timeline::{
        FollowError, Timeline,
        partial::{Seen, Voice, with_parts},
    },
};

/// Prints records as they come, when they are wanted, and what models say between them.
struct Watch {
    timeline: Timeline,
    is_shown: bool,
    format: Format,
    spinner: Option<ProgressBar>,
    voice: Voice,
}

impl Watch {
    fn see(&mut self, record: &Record) -> Result<(), output::Closed> {
        let lines = self.timeline.lines(record);
        if let (Some(spinner), Some(line)) = (&self.spinner, lines.last()) {
            spinner.set_message(line.trim_start().to_owned());
        }
        if !self.is_shown {
            return Ok(());
        }
        // Beside a document for programs the timeline is talk.
        match self.format {
            Format::Table => {
                self.voice.aside(|| lines.iter().try_for_each(|line| output::data(line)))
            }
            Format::Json | Format::Ndjson | Format::Id => {
                lines.iter().for_each(|line| output::say(line));
                Ok(())
            }
        }
    }
}

/// Waits for the end of the task and prints its answer.
pub(super) async fn run(
    args: &PublishArgs,
    client: &Client,
    outcome: Outcome,
    (wanted, format): (&Wanted, Format),
) -> anyhow::Result<()> {
    let end = Instant::now() + args.timeout;
    let timeline = Timeline::new(Style::detect());
    let (is_shown, voice) = (args.follow, Voice::default());
    let mut watch = Watch { timeline, is_shown, format, spinner: None, voice };
    // Whoever leaves, by Ctrl-C for example, must know what to ask for later.
    output::say(&format!(
        "task {}: it goes on without you, `cadre task watch` hears of it",
        wanted.task
    ));
    if !args.follow {
        watch.spinner = Some(output::spinner(&format!("task {}", wanted.task)));
    }
    let records = match outcome {
        Outcome::Stored { records } => records,
        Outcome::Accepted { first, records } => {
            let mut begun = None;
            Task::fold(&mut begun, &first);
            if let Some(begun) = &begun {
                let workflow = client.workflow_of(begun).await;
                watch.timeline = watch.timeline.knowing(workflow);
            }
            watch.see(&first)?;
            records
        }
    };
    let is_live = args.follow && format == Format::Table && output::is_terminal();
    let mut parts = stream::empty().boxed();
    if args.partial || is_live {
        watch.voice = match format {
            Format::Table => Voice::new(format),
            Format::Json | Format::Ndjson | Format::Id => Voice::beside(),
        };
        parts = client.parts(&wanted.task).await?;
    }
    let mut all = with_parts(records, parts);
    match timeout_at(end, rest(&mut all, &mut watch)).await {
        Ok(done) => done?,
        Err(_) => {
            let id = &wanted.task;
            let text = format!(
                "task {id} has not ended within {:?}; it goes on: `cadre task watch {id}`, `cadre \
                 task why {id}`",
                args.timeout
            );
            return Err(Failure::new(Code::TimedOut, text).into());
        }
    }
    (watch.spinner, watch.voice) = (None, Voice::default());
    let Some(task) = watch.timeline.task() else {
        anyhow::bail!("the log of task {} ended without a beginning", wanted.task);
    };
    if format == Format::Id {
        return task::end_of(task);
    }
    if args.follow && format == Format::Table {
        output::data("")?;
    }
    task::print_answer(task, format)
}

async fn rest(
    all: &mut BoxStream<'static, Result<Seen, FollowError>>,
    watch: &mut Watch,
) -> anyhow::Result<()> {
    while let Some(seen) = all.next().await {
        match seen? {
            Seen::Record(record) => watch.see(&record)?,
            Seen::Part(part) => watch.voice.hear(&part)?,
        }
    }
    Ok(())
}
