//! A crash of everybody behind every write of every shipped pack: the same answer, and no call twice.
//!
//! Writes are finer than records: between two records lie orders, timers, reports, acknowledgements.

use std::{collections::BTreeSet, fs, path::Path};

use cadre::packs::{BuiltIn, read};
use cadre_core::{ids::Name, pack::PackSource};
use cadre_tests::sim::{
    packs,
    people::Wanted,
    play::{Piece, Played, play},
};
use serde_json::{Value, json};

/// What a task costs, in its answer.
const COSTS: [&str; 2] = ["usd_micros", "tokens"];

/// What the pack is played with: one goal, and how it ends.
fn piece(source: &PackSource, input: String) -> Piece {
    let packs = packs(&[patient(source)]);
    let workflow = packs.values().next().expect("a pack").name.clone();
    let tenant = Name::new("acme").expect("a name");
    let (key, headers) = ("sample".to_owned(), Vec::new());
    let goal = Wanted { tenant, workflow, key, input, headers };
    Piece { packs, goal, known: Default::default() }
}

/// The pack with time to recover: who takes over waits 3 s for the owner's pin and 5 s for its inputs,
/// so a step that has 5 s times out when everybody dies while its order or its report is on its way.
/// The workers of remote roles, which are no part of a pack, only repeat here.
fn patient(source: &PackSource) -> PackSource {
    let mut source = source.clone();
    let yaml = source.files.get_mut("pack.yaml").expect("a declaration");
    let text = String::from_utf8_lossy(yaml)
        .replace("timeout: 5s", "timeout: 15s")
        .replace("expires: 4s", "expires: 20s")
        .replace("runtime: remote", "runtime: echo");
    *yaml = text.into_bytes();
    source
}

/// What a sample of a built-in pack says.
fn sample(pack: BuiltIn, path: &str) -> String {
    let text = pack.file(path).and_then(|file| str::from_utf8(file).ok());
    let text = text.unwrap_or_else(|| panic!("pack {} has no {path}", pack.folder()));
    if path.ends_with(".json") { text.to_owned() } else { json!({ "text": text }).to_string() }
}

/// A pack of the tests.
fn own(folder: &str) -> PackSource {
    let all = concat!(env!("CARGO_MANIFEST_DIR"), "/packs");
    read(&Path::new(all).join(folder)).expect("a pack")
}

/// The answer without its cost, and without what a person's ruling adds: each is one more attempt.
fn comparable(played: &Played) -> Value {
    let mut answer = played.answer.clone();
    if let Some(steps) = answer.get_mut("steps") {
        let more: u32 = played.ruled.values().sum();
        *steps = json!(steps.as_u64().unwrap_or_default().saturating_sub(u64::from(more)));
    }
    if let Some(answer) = answer.as_object_mut() {
        answer.retain(|key, _| !COSTS.contains(&key.as_str()));
    }
    answer
}

/// What a crash has changed.
fn differences(calm: &Played, crashed: &Played) -> Vec<String> {
    let mut found = crashed.wrong.clone();
    if comparable(calm) != comparable(crashed) {
        found.push(format!("another answer: {}\nnot: {}", crashed.answer, calm.answer));
    }
    if calm.effects != crashed.effects {
        found.push(format!("effects {:?}, not {:?}", crashed.effects, calm.effects));
    }
    // A call that is lost with its worker costs what was set aside for it.
    let is_less = |cost: &&str| crashed.answer[*cost].as_u64() < calm.answer[*cost].as_u64();
    if let Some(cost) = COSTS.into_iter().find(is_less) {
        found.push(format!("fewer {cost}: {}", crashed.answer));
    }
    for (step, calls) in &crashed.calls {
        let before = calm.calls.get(step).copied().unwrap_or_default();
        let ruled = crashed.ruled.get(step).copied().unwrap_or_default();
        let more = u32::from(crashed.in_flight.contains(step)) + ruled;
        if *calls > before + more {
            found.push(format!("step {step} was called {calls} times, {before} without a crash"));
        }
    }
    for (step, before) in &crashed.settled {
        let calls = crashed.calls.get(step).copied().unwrap_or_default();
        if calls != *before {
            found.push(format!("step {step} was called again after it had completed"));
        }
    }
    found
}

/// Plays the piece, which ends with this status, once for each crash.
fn survives(piece: &Piece, (name, status): (&str, &str), stride: usize) -> Played {
    let calm = play(piece, None);
    assert!(calm.wrong.is_empty(), "{:#?}", calm.wrong);
    assert_eq!(calm.answer["status"], status, "{:#}", calm.answer);
    let (mut wrong, mut boundaries) = (Vec::new(), BTreeSet::new());
    for behind in (1..=calm.writes).step_by(stride) {
        let crashed = play(piece, Some(behind));
        boundaries.insert(crashed.records_at_death);
        let found = differences(&calm, &crashed);
        if !found.is_empty() {
            wrong.push(format!("behind write {behind}: {}", found.join("\n")));
        }
    }
    let (writes, records) = (calm.writes, calm.records);
    let crashes = writes.div_ceil(stride as u64);
    eprintln!("{name}: {crashes} crashes, {writes} writes, {records} records");
    assert!(wrong.is_empty(), "{} of {crashes} crashes:\n{}", wrong.len(), wrong.join("\n"));
    if stride == 1 {
        let all: BTreeSet<_> = (0..=records).collect();
        assert_eq!(boundaries, all, "a crash behind every record, and before the first");
    }
    calm
}

/// A trip for this much, to somewhere that is paid for up to 100.
fn trip(usd: u32) -> Piece {
    piece(&own("saga"), json!({"usd": usd, "to": "Rome"}).to_string())
}

#[test]
fn a_failed_trip_is_undone_once_whatever_dies() {
    let calm = survives(&trip(500), ("trip, too dear", "failed"), 1);
    let reason = calm.answer["reason"].as_str().unwrap_or_default();
    assert!(reason.ends_with("; undone: pick, rooms-0, rooms-1"), "{reason}");
    let undone =
        calm.calls.iter().filter(|(step, _)| step.name.as_str().starts_with("compensate_"));
    assert_eq!(undone.map(|(_, calls)| *calls).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn a_good_trip_is_not_undone_whatever_dies() {
    let calm = survives(&trip(50), ("trip", "completed"), 3);
    assert_eq!(calm.answer["result"], json!({"paid": 50}), "the cheaper one");
    assert!(!calm.calls.keys().any(|step| step.name.as_str().starts_with("compensate_")));
}

#[test]
fn every_shipped_pack_survives_a_crash_behind_every_write() {
    for pack in BuiltIn::all() {
        let path = match pack.folder() {
            "contract" => "samples/nda.txt",
            "support" => "samples/charge.json",
            "planner" => "samples/lisbon.json",
            _ => "samples/goal.json",
        };
        let calm =
            survives(&piece(&pack.source(), sample(pack, path)), (pack.folder(), "completed"), 1);
        let is_once = pack.folder() == "refund";
        assert_eq!(calm.effects.len(), usize::from(is_once), "{:?}", calm.effects);
    }
}

#[test]
fn every_pack_of_the_tests_survives_a_crash_behind_every_write() {
    let folders = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/packs")).expect("packs");
    for folder in folders {
        let folder = folder.expect("a folder").file_name();
        let folder = folder.to_str().expect("a name");
        let input = match folder {
            "order" => json!({"text": "Order no. A-17: 3 pieces, please."}),
            "payment" => json!({"usd": 12, "to": "Ann"}),
            // Played twice, see below.
            "saga" => continue,
            // Played by itself, see below.
            "trouble" => continue,
            other => panic!("pack {other} has no goal here"),
        };
        survives(&piece(&own(folder), input.to_string()), (folder, "completed"), 1);
    }
}

#[test]
fn a_pack_full_of_trouble_survives_a_crash_behind_every_write() {
    let (source, input) = (own("trouble"), json!({"n": 1}).to_string());
    let mut wide = source.clone();
    let yaml = wide.files.get_mut("pack.yaml").expect("a declaration");
    let text = String::from_utf8_lossy(yaml).replace("max_steps: 7", "max_steps: 60");
    *yaml = text.into_bytes();
    survives(&piece(&wide, input.clone()), ("trouble, with more steps", "partial"), 1);
    // Its limit of steps ends it while others are out: where, depends on the order. So only the rules and the
    // status are the same.
    let short = piece(&source, input);
    let calm = play(&short, None);
    for behind in std::iter::once(None).chain((1..=calm.writes).map(Some)) {
        let played = play(&short, behind);
        assert!(played.wrong.is_empty(), "behind write {behind:?}: {:#?}", played.wrong);
        assert_eq!(played.answer["status"], "partial", "behind write {behind:?}");
    }
}

#[test]
fn a_chaos_order_that_asks_a_person_survives_every_crash() {
    let pack = BuiltIn::find("chaos").expect("the pack");
    let input = json!({"number": 7, "parts": [70], "asks": true}).to_string();
    survives(&piece(&pack.source(), input), ("chaos, asked", "completed"), 3);
}

#[test]
fn a_fan_out_survives_crashes_on_its_way() {
    let pack = BuiltIn::find("contract").expect("the pack");
    let piece = piece(&pack.source(), sample(pack, "samples/msa.txt"));
    survives(&piece, ("contract, long", "completed"), 3);
}
