use proptest::prelude::*;

use super::kit::{acme, faults, lines, source, verify};
use crate::audit::{Chain, Entry, Found, Heads, Report, Tip, Verifier};

#[test]
fn a_whole_trail_has_no_fault_and_says_where_it_ends() {
    let lines = lines(&acme(), 5);
    let report = verify(&lines);
    assert_eq!((report.entries, report.faults_total), (5, 0));
    let last = Entry::decode(lines[4].as_bytes()).expect("an entry");
    assert_eq!(report.heads.0["tenant.acme"], (5, last.hash));
}

#[test]
fn an_entry_that_is_written_anew_as_a_whole_is_named() {
    let mut lines = lines(&acme(), 5);
    let before = Tip::of_page(lines[1].as_bytes()).expect("a tip");
    let mut other = source(30, 1);
    "somebody else".clone_into(&mut other.deeds[0].actor);
    lines[2] = before.forge(&acme(), [&other]).remove(0).text.trim_end().to_owned();
    assert_eq!(faults(&verify(&lines)), [("changed", Some(3), 3)]);
}

#[test]
fn a_page_of_several_entries_is_looked_at_line_by_line() {
    let mut bytes = lines(&acme(), 3).join("\n").into_bytes();
    let mut verifier = Verifier::default();
    verifier.message(1, "tenant.acme", &bytes);
    assert_eq!(verifier.end_of_stream(1).faults, []);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let mut verifier = Verifier::default();
    verifier.message(1, "tenant.acme", &bytes);
    assert_eq!(faults(&verifier.end_of_stream(1)), [("changed", Some(2), 1)]);
}

#[test]
fn the_stream_tells_of_what_is_gone_behind_the_last_entry() {
    let lines = lines(&acme(), 3);
    let show = |verifier: &mut Verifier, places: &[u64]| {
        for (place, line) in places.iter().zip(&lines) {
            verifier.message(*place, "tenant.acme", line.as_bytes());
        }
    };
    let mut verifier = Verifier::default();
    show(&mut verifier, &[1, 2]);
    assert_eq!(faults(&verifier.end_of_stream(3)), [("dropped", None, 3)]);
    let mut verifier = Verifier::default();
    show(&mut verifier, &[2, 3]);
    assert_eq!(faults(&verifier.end_of_stream(3)), [("dropped", None, 1)]);
}

#[test]
fn an_earlier_export_knows_what_a_shorter_or_other_chain_hides() {
    let lines = lines(&acme(), 4);
    let earlier = verify(&lines).heads;
    let show = |lines: &[String]| {
        let mut verifier = Verifier::against(earlier.clone());
        for (place, line) in (1..).zip(lines) {
            verifier.line(Found { place, chain: Some("tenant.acme"), line: line.as_bytes() });
        }
        verifier.end_of_stream(lines.len() as u64)
    };
    assert_eq!(show(&lines).faults, []);
    assert_eq!(faults(&show(&lines[..2])), [("dropped", Some(3), 2)]);
    let sources: Vec<_> = (1..=6).map(|n| source(n * 100, 1)).collect();
    let forged: String = Tip::default().forge(&acme(), &sources).remove(0).text;
    let forged: Vec<_> = forged.lines().map(str::to_owned).collect();
    assert_eq!(faults(&show(&forged)), [("changed", Some(4), 4)]);
}

#[test]
fn two_chains_do_not_mix() {
    let (acme_lines, fleet) = (lines(&acme(), 2), lines(&Chain::Fleet, 2));
    let mut verifier = Verifier::default();
    verifier.message(1, "tenant.acme", acme_lines[0].as_bytes());
    verifier.message(2, "fleet", fleet[0].as_bytes());
    verifier.message(3, "fleet", fleet[1].as_bytes());
    verifier.message(4, "tenant.acme", acme_lines[1].as_bytes());
    assert_eq!(verifier.clone().end_of_stream(4).faults, []);
    verifier.message(5, "tenant.acme", fleet[1].as_bytes());
    assert_eq!(faults(&verifier.end_of_stream(5)), [("foreign", Some(2), 5)]);
}

/// As a file is verified: chains interleaved, and a last line.
fn file(lines: &[String], heads: Option<&Heads>) -> Report {
    let mut verifier = Verifier::default();
    for (place, line) in (1..).zip(lines) {
        verifier.line(Found { place, chain: None, line: line.as_bytes() });
    }
    verifier.end_of_file(heads)
}

#[test]
fn a_file_that_was_cut_off_is_no_whole_export() {
    let lines = lines(&acme(), 3);
    let heads = verify(&lines).heads;
    assert_eq!(file(&lines, Some(&heads)).faults, []);
    assert_eq!(faults(&file(&lines[..2], Some(&heads))), [("dropped", Some(3), 2)]);
    assert_eq!(faults(&file(&lines[..2], None)), [("dropped", None, 2)]);
}

#[test]
fn a_message_that_is_told_of_twice_is_found() {
    let sources = [source(10, 2), source(20, 1)];
    let page = Tip::default().forge(&acme(), &sources).remove(0);
    let forgetful = Tip { seen: Default::default(), ..page.tip.clone() };
    let again = forgetful.forge(&acme(), &sources[..1]).remove(0);
    let text = page.text + &again.text;
    let report = verify(&text.lines().collect::<Vec<_>>());
    assert_eq!(faults(&report), [("repeated", Some(4), 4)]);
}

proptest! {
    #[test]
    fn a_dropped_entry_is_named(count in 2_u64..40, at in 0_usize..40) {
        let mut lines = lines(&acme(), count);
        let at = at % lines.len();
        lines.remove(at);
        let mut verifier = Verifier::default();
        for (place, line) in (1_u64..).filter(|place| *place != at as u64 + 1).zip(&lines) {
            verifier.message(place, "tenant.acme", line.as_bytes());
        }
        let found = faults(&verifier.end_of_stream(count));
        let number = at as u64 + 1;
        prop_assert!(found.contains(&("dropped", None, number)), "{found:?}");
        let is_last = number == count;
        prop_assert!(is_last || found.contains(&("dropped", Some(number), number + 1)), "{found:?}");
        prop_assert_eq!(found.len(), if is_last { 1 } else { 2 });
    }

    #[test]
    fn two_entries_that_change_places_are_named(count in 2_u64..40, one in 0_usize..40, two in 0_usize..40) {
        let mut lines = lines(&acme(), count);
        let (one, two) = (one % lines.len(), two % lines.len());
        lines.swap(one, two);
        let report = verify(&lines);
        if one == two {
            prop_assert_eq!(report.faults, []);
        } else {
            let first = one.min(two) as u64 + 1;
            let named = report.faults.iter().any(|it| it.kind.as_str() == "reordered" && it.number == Some(first));
            prop_assert!(named, "{:?}", report.faults);
        }
    }

    #[test]
    fn a_changed_byte_is_named(count in 1_u64..20, at in 0_usize..100_000, mask in 1_u8..=255) {
        let mut lines: Vec<_> = lines(&acme(), count).into_iter().map(String::into_bytes).collect();
        let number = at % lines.len();
        let byte = at / lines.len() % lines[number].len();
        lines[number][byte] ^= mask;
        let report = verify(&lines);
        let number = number as u64 + 1;
        prop_assert_eq!(faults(&report), [("changed", Some(number), number)]);
    }

    #[test]
    fn nothing_that_is_shown_makes_it_panic(lines in proptest::collection::vec(any::<Vec<u8>>(), 0..20)) {
        let report = verify(&lines);
        prop_assert_eq!(report.entries, lines.len() as u64);
    }
}
