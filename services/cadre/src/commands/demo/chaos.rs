//! `cadre demo chaos`: breaks a whole system on purpose, shows what it does, and checks the streams.
//!
//! A private broker, an orchestrator, an aggregator and three workers, each a process of its own.
//! Goals come all along. What is broken when follows from the seed; what the system does about it
//! is read from its log and from what the workers tell.

mod book;
mod call;
mod director;
mod fleet;
mod plan;
mod report;
mod story;
mod worker;

use std::{sync::Arc, time::Duration};

use cadre_core::check::Verdict;
use cadre_nats::bus::JetStreamBus;
use cadre_runtime::shutdown::Shutdown;
use clap::Args;

use self::{director::Director, fleet::Fleet, report::Figures, story::Story};
use super::interrupted;
use crate::{
    broker,
    commands::{check, client::unavailable, pack::apply_failure},
    exit::{Code, Failure},
    output::{self, OutputArgs, text},
    packs::BuiltIn,
    settings::Settings,
};

pub(crate) use self::worker::{WorkerArgs, work};

/// Shortest run in which there is time for each fault.
const LENGTH_MIN: Duration = Duration::from_secs(20);

/// How long the last tasks may take to end after the last goal.
const END_WITHIN: Duration = Duration::from_secs(90);

/// How long the last acknowledgements may come behind the last answer.
const REST_WITHIN: Duration = Duration::from_secs(20);

/// The pause between two looks at the streams while they come to rest.
const REST_LOOK: Duration = Duration::from_millis(300);

/// Break things on purpose, watch what holds, and check the streams; exit code 13 when a rule is broken.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cadre demo chaos                            one minute
  cadre demo chaos --seed 7                   the same faults and goals as any run with this seed
  cadre demo chaos --for 10m --tasks 1500
  cadre demo chaos -o json > figures.json     figures as data; the story is told on standard error")]
pub(crate) struct ChaosArgs {
    /// What is broken when, and what the goals are like, follows from it; default: any.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Goals that are published.
    #[arg(long, default_value_t = 120, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    tasks: u32,
    /// How long things are broken, at least 20s.
    #[arg(long = "for", default_value = "60s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    length: Duration,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: &ChaosArgs, settings: &Settings) -> anyhow::Result<()> {
    if args.length < LENGTH_MIN {
        let text = format!(
            "use --for {}: each fault needs its time, use 20s or more",
            text::span(args.length)
        );
        return Err(Failure::new(Code::Usage, text).into());
    }
    let shutdown = Shutdown::new();
    shutdown.listen()?;
    let mut fleet = tokio::select! {
        fleet = Fleet::open(settings) => fleet?,
        () = shutdown.triggered() => return Err(interrupted()),
    };
    let outcome = tokio::select! {
        outcome = play(args, settings, &mut fleet) => outcome,
        () = shutdown.triggered() => Err(interrupted()),
    };
    fleet.close().await?;
    let (figures, verdict) = outcome?;
    report::print(&figures, &verdict, args.output.format(settings))?;
    if verdict.violations_total > 0 {
        let text = text::count(verdict.violations_total, "violation");
        return Err(Failure::new(Code::Violated, text).into());
    }
    match figures.tasks.open() {
        0 => Ok(()),
        open => {
            let text = format!("{} did not end in time", text::count(open as u64, "task"));
            Err(Failure::new(Code::TimedOut, text).into())
        }
    }
}

/// Plays the whole run and returns what it came to.
async fn play(
    args: &ChaosArgs,
    settings: &Settings,
    fleet: &mut Fleet,
) -> anyhow::Result<(Figures, Verdict)> {
    let seed = args.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    let bus = JetStreamBus::open(&fleet.connection).await.map_err(|error| unavailable(&error))?;
    let packs = broker::packs_on(&fleet.connection).await?;
    let Some(pack) = BuiltIn::find("chaos") else { anyhow::bail!("the pack is not built in") };
    packs.apply(&pack.source()).await.map_err(|error| apply_failure(&error))?;
    let story = Story::new();
    fleet.start(&story).await?;
    output::say(&format!(
        "seed {seed}: {} goals within {}, on a broker, an orchestrator, an aggregator and {}",
        args.tasks,
        text::span(args.length),
        text::count(fleet.workers.len() as u64, "worker")
    ));
    let tenant = settings.tenant.clone();
    let director =
        Director { story: Arc::clone(&story), bus: bus.clone(), tenant, length: args.length };
    let orders = plan::orders(seed, args.tasks as usize);
    let undisturbed = orders.iter().map(|order| order.calls).sum();
    let run = async {
        let done = tokio::join!(director.publish(&orders), director.disturb(seed, fleet));
        let (published, faults) = (done.0?, done.1?);
        let count = published.len();
        story.until(END_WITHIN, |book| book.ended() >= count && book.is_healed()).await;
        let verdict = at_rest(&bus, &published).await?;
        anyhow::Ok((Figures::of(seed, &story, (published.len(), undisturbed), faults), verdict))
    };
    tokio::select! {
        outcome = run => outcome,
        ended = story.follow_log(&bus) => Err(ended.err().unwrap_or_else(interrupted)),
        ended = story.follow_breakers(&bus) => Err(ended.err().unwrap_or_else(interrupted)),
    }
}

/// The check's verdict once nothing waits any more, or when that does not come.
async fn at_rest(bus: &JetStreamBus, published: &director::Published) -> anyhow::Result<Verdict> {
    let deadline = tokio::time::Instant::now() + REST_WITHIN;
    loop {
        let verdict = check::verdict(bus, true, published.clone()).await?;
        let counts = verdict.counts;
        let waits = counts.goals_waiting + counts.inputs_waiting + counts.orders_waiting;
        if waits == 0 || tokio::time::Instant::now() > deadline {
            return Ok(verdict);
        }
        tokio::time::sleep(REST_LOOK).await;
    }
}
