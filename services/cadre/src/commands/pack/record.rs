//! `cadre pack record`: plays a pack's samples with real models, and keeps what they said.
//!
//! Listens on the private broker to what agents ask and what they hear, and changes nothing of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use cadre_core::{
    eval::Latency,
    model::{
        ModelRequest,
        cassette::{Question, Recorded, turn_of},
    },
    workflow::Workflow,
};
use cadre_nats::connect::Connection;
use cadre_proto::{
    model::{self, Envelope},
    subject::infer,
};
use clap::Args;
use futures::{FutureExt as _, StreamExt as _, stream::BoxStream};

use super::{
    check,
    drift::{Baseline, Play, keep, shown_files},
    stage::{Sample, Stage},
};
use crate::{
    exit::{Code, Failure},
    output::{
        self,
        text::{clean, count},
    },
    packs::{self, Place},
    settings::Settings,
    stack::StackOptions,
};

/// Replies to anybody on the private broker.
const REPLIES: &str = "_INBOX.>";

/// Play a pack's samples with real models, and keep what they say as its cassettes.
///
/// Starts a private broker and every service, publishes each file of samples/, and writes what the models
/// answered to cassettes/<sample>.jsonl; then plays them once more without a model and keeps the outcome as
/// baseline.json, so that `cadre pack test` passes. If a question gets no answer, all files stay as they
/// were. Needs the keys of the providers that the pack names, or --model: see `cadre serve --help`. What samples
/// and models say stands in the files: look before you share.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ANTHROPIC_API_KEY=... cadre pack record packs/contract --model anthropic/claude-haiku-4-5-20251001
  CADRE_PROVIDERS=local=http://127.0.0.1:8080/v1/ cadre pack record packs/contract --model local/qwen3")]
pub(super) struct RecordArgs {
    /// The pack's folder.
    #[arg(value_name = "DIR")]
    pack: PathBuf,
    /// Ask this one, as provider/model, whatever the pack says.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
}

/// `cadre pack record DIR`.
pub(super) async fn run(args: &RecordArgs, settings: &Settings) -> anyhow::Result<()> {
    let usage =
        |why: &str| Failure::new(Code::Usage, format!("record {}: {why}", args.pack.display()));
    let place = Place::find(&args.pack);
    let folder = place.as_ref().and_then(Place::folder);
    let folder = folder.ok_or_else(|| usage("name a folder; `cadre init` makes one"))?;
    let source = check::read(folder)?;
    let declared = check::compiled(folder, &source)?;
    if declared.models.is_empty() {
        return Err(usage("no role asks a model").into());
    }
    let asked = match &args.model {
        Some(model) => packs::asking(&source, model)?,
        None => source,
    };
    let workflow = check::compiled(folder, &asked)?;
    let place = Place::Folder(folder.to_owned());
    let samples = Sample::all(&place, &workflow)?;
    if samples.is_empty() {
        return Err(usage("it has no samples/: put an input there").into());
    }
    let services = StackOptions { inference: Some(settings.models.clone()), ..StackOptions::all() };
    let stage = Stage::open(settings, &asked, services).await?;
    let taped = taped(&stage, &workflow, &samples).await;
    stage.close().await;
    write(folder, taped?)?;
    rebase(folder, &place, settings).await
}

/// Plays every sample, and what was said of it.
async fn taped(
    stage: &Stage,
    workflow: &Workflow,
    samples: &[Sample],
) -> anyhow::Result<BTreeMap<String, Vec<Recorded>>> {
    let mut taped = BTreeMap::new();
    for sample in samples {
        let key = sample.key();
        let mut tape = Tape::open(stage.connection()).await?;
        let run = tokio::select! {
            run = stage.play(workflow, (key.as_str(), &sample.input), Latency::OfModels) => run?,
            never = tape.listen() => match never {},
        };
        let (lines, lost) = tape.recorded(stage.connection()).await?;
        let answers = count(lines.len() as u64, "answer");
        output::say(&format!("{}: {}, {answers}", clean(&sample.name), run.status));
        run.problems.iter().for_each(|problem| output::say(&format!("  {}", clean(problem))));
        let has_failed = matches!(run.status.as_str(), "failed" | "incomplete");
        if lost > 0 || (lines.is_empty() && has_failed) {
            return Err(unanswered(&sample.name, lost).into());
        }
        taped.insert(sample.name.clone(), lines);
    }
    Ok(taped)
}

/// What is missing would be missed at every replay, and a baseline of failures would pass for good.
fn unanswered(sample: &str, lost: u64) -> Failure {
    let what = match lost {
        0 => "it failed before any model was asked".to_owned(),
        _ => format!("{} got no answer", count(lost, "question")),
    };
    let next = "nothing was written; mend what is said above (a key, the model's name, a limit) and record again";
    Failure::new(Code::TaskFailed, format!("{}: {what}: {next}", clean(sample)))
}

/// Plays what was recorded, and keeps the outcome.
async fn rebase(folder: &Path, place: &Place, settings: &Settings) -> anyhow::Result<()> {
    let source = check::read(folder)?;
    let samples = Sample::all(place, &check::compiled(folder, &source)?)?;
    let play = Play { settings, source: &source, model: None };
    let runs = play.all(&samples).await?;
    keep(place, &Baseline { files: shown_files(&source), samples: runs })
}

/// Writes a cassette for each sample; of a question that two samples share the first answer is kept.
fn write(folder: &Path, taped: BTreeMap<String, Vec<Recorded>>) -> anyhow::Result<()> {
    let folder = folder.join("cassettes");
    let failed = |error| Failure::new(Code::Error, format!("write {}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(failed)?;
    let mut known = BTreeSet::new();
    for (sample, mut recorded) in taped {
        recorded.retain(|it| known.insert((it.role.clone(), it.question.ask)));
        // Steps that run side by side answer in any order.
        recorded.sort_by_key(|it| (it.role.clone(), it.turn, it.question.ask));
        let stem = sample.rsplit_once('.').map_or(sample.as_str(), |(stem, _)| stem);
        let text: String = recorded.iter().map(|it| it.to_line() + "\n").collect();
        fs::write(folder.join(format!("{stem}.jsonl")), text).map_err(failed)?;
    }
    Ok(())
}

/// What was asked and answered since it was opened.
struct Tape {
    heard: BoxStream<'static, Heard>,
    asked: Vec<(String, ModelRequest)>,
    replies: BTreeMap<String, Bytes>,
}

enum Heard {
    Asked(String, Box<ModelRequest>),
    Replied(String, Bytes),
    Noise,
}

impl Tape {
    async fn open(connection: &Connection) -> anyhow::Result<Self> {
        let client = &connection.client;
        let asks = client.subscribe(infer::ALL).await?;
        let asks = asks.map(|message| {
            let (Some(tenant), Some(reply)) = (infer::tenant(&message.subject), message.reply)
            else {
                return Heard::Noise;
            };
            let envelope = Envelope { tenant, time_left: Duration::ZERO, trace: None };
            match model::decode_ask(&message.payload, envelope) {
                Ok(request) => Heard::Asked(reply.to_string(), Box::new(request)),
                Err(_) => Heard::Noise,
            }
        });
        let replies = client.subscribe(REPLIES).await?;
        let replies = replies.map(|message| match message.payload.is_empty() {
            true => Heard::Noise,
            false => Heard::Replied(message.subject.to_string(), message.payload),
        });
        client.flush().await?;
        let heard = futures::stream::select(asks, replies).boxed();
        Ok(Self { heard, asked: Vec::new(), replies: BTreeMap::new() })
    }

    async fn listen(&mut self) -> std::convert::Infallible {
        while let Some(heard) = self.heard.next().await {
            self.keep(heard);
        }
        std::future::pending().await
    }

    fn keep(&mut self, heard: Heard) {
        match heard {
            Heard::Asked(reply, request) => self.asked.push((reply, *request)),
            Heard::Replied(subject, body) => {
                self.replies.insert(subject, body);
            }
            Heard::Noise => {}
        }
    }

    /// Every question that was answered, with its answer, and how many never were, however often they were asked.
    async fn recorded(mut self, connection: &Connection) -> anyhow::Result<(Vec<Recorded>, u64)> {
        // What was sent before the task ended is here by then.
        connection.client.flush().await?;
        while let Some(Some(heard)) = self.heard.next().now_or_never() {
            self.keep(heard);
        }
        let answered = self.asked.iter().filter_map(|(reply, request)| {
            let answer = model::decode_reply(self.replies.get(reply)?).ok()?.ok()?;
            Some(Recorded {
                role: request.role.clone(),
                model: answer.choice.model,
                question: Question::of(&request.prompt, &request.manner),
                turn: turn_of(&request.prompt),
                said: answer.said,
                latency_ms: u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX),
            })
        });
        let answered: Vec<Recorded> = answered.collect();
        let known: BTreeSet<_> = answered.iter().map(|it| it.question.ask).collect();
        let asked = self.asked.iter();
        let mut lost: BTreeSet<_> =
            asked.map(|(_, request)| Question::of(&request.prompt, &request.manner).ask).collect();
        lost.retain(|ask| !known.contains(ask));
        Ok((answered, lost.len() as u64))
    }
}
