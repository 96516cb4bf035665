//! A crash of everybody behind every write of every shipped pack: the same answer, and no call twice.
//!
//! Writes are finer than records: between two records lie orders, timers, reports, acknowledgements.

use std::{collections::BTreeSet, path::Path};

use cadre::packs::{BuiltIn, read};
use cadre_core::{ids::Name, pack::PackSource};
use cadre_tests::sim::{
    packs,
    people::Wanted,
    play::{Piece, Played, play},
};
use serde_json::json;

/// A shipped pack with a document for it. A pack without one cannot be tested, so it fails.
fn piece(pack: BuiltIn, sample: &str) -> Piece {
    let text = pack.file(sample).and_then(|file| str::from_utf8(file).ok());
    let text = text.unwrap_or_else(|| panic!("pack {} has no {sample}", pack.folder()));
    let is_json = sample.ends_with(".json");
    let input = if is_json { text.to_owned() } else { json!({ "text": text }).to_string() };
    let packs = packs(&[patient(pack)]);
    let workflow = packs.values().next().expect("a pack").name.clone();
    let tenant = Name::new("acme").expect("a name");
    let (key, headers) = ("sample".to_owned(), Vec::new());
    let goal = Wanted { tenant, workflow, key, input, headers };
    Piece { packs, goal, known: Default::default() }
}

/// The pack with time to recover: who takes over waits 3 s for the owner's pin and 5 s for its inputs,
/// so a step that has 5 s times out when everybody dies while its order or its report is on its way.
/// The workers of remote roles, which are no part of a pack, only repeat here.
fn patient(pack: BuiltIn) -> PackSource {
    let mut source = pack.source();
    let yaml = source.files.get_mut("pack.yaml").expect("a declaration");
    let text = String::from_utf8_lossy(yaml)
        .replace("timeout: 5s", "timeout: 15s")
        .replace("runtime: remote", "runtime: echo");
    *yaml = text.into_bytes();
    source
}

/// What a crash has changed.
fn differences(calm: &Played, crashed: &Played) -> Vec<String> {
    let mut found = crashed.wrong.clone();
    if calm.answer != crashed.answer {
        found.push(format!("another answer: {}\nnot: {}", crashed.answer, calm.answer));
    }
    for (step, calls) in &crashed.calls {
        let before = calm.calls.get(step).copied().unwrap_or_default();
        let more = u32::from(crashed.in_flight.contains(step));
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

fn survives_every_crash(pack: BuiltIn, sample: &str, stride: usize) {
    let name = format!("{}/{sample}", pack.folder());
    survives(&piece(pack, sample), (&name, "completed"), stride);
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
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/packs/saga");
    let packs = packs(&[read(Path::new(folder)).expect("a pack")]);
    let [tenant, workflow] = ["acme", "trip"].map(|name| Name::new(name).expect("a name"));
    let input = json!({"usd": usd, "to": "Rome"}).to_string();
    let (key, headers) = ("trip".to_owned(), Vec::new());
    let goal = Wanted { tenant, workflow, key, input, headers };
    Piece { packs, goal, known: Default::default() }
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
    // The chaos pack has no sample: `cadre demo chaos` makes its goals.
    for pack in BuiltIn::all().filter(|pack| pack.folder() != "chaos") {
        let sample = match pack.folder() {
            "contract" => "samples/nda.txt",
            _ => "samples/goal.json",
        };
        survives_every_crash(pack, sample, 1);
    }
}

#[test]
fn a_fan_out_survives_crashes_on_its_way() {
    let pack = BuiltIn::find("contract").expect("the pack");
    survives_every_crash(pack, "samples/msa.txt", 3);
}
