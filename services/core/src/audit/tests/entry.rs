use super::kit::{acme, deed, lines, source};
use crate::{
    audit::{Action, Chain, Entry, EntryError, Heads, Tip},
    limits::{AUDIT_PAGE_BYTES, AUDIT_TEXT_BYTES_MAX},
    payload::Hash,
};

#[test]
fn an_entry_says_who_did_what_and_is_bound_to_the_one_before() {
    let lines = lines(&acme(), 2);
    let [first, second] = [0, 1].map(|at| Entry::decode(lines[at].as_bytes()).expect("an entry"));
    assert_eq!((first.number, first.prev), (1, None));
    assert_eq!((second.number, second.prev), (2, Some(first.hash)));
    assert_eq!((second.actor.as_str(), second.action.as_str()), ("ada", "task_paused"));
    assert_eq!(second.source, Some(("CADRE_LOG_0".to_owned(), 20)));
    assert_eq!(second.seen["CADRE_LOG_0"], 20);
    // Golden: whoever keeps an export must be able to verify it with any later build.
    assert_eq!(
        lines[0],
        "{\"action\":\"task_paused\",\"actor\":\"ada\",\"at_unix_ms\":1700000000123,\"chain\":\"tenant.acme\",\
         \"hash\":\"051340214047847c9a78acdd2750353e6c37c1a5f33185000ad346f579250908\",\
         \"n\":1,\"object\":\"task/10\",\"prev\":null,\"reason\":\"because \\\"ß\\\"\\nof it\",\
         \"seen\":{\"CADRE_LOG_0\":10},\"source\":{\"sequence\":10,\"stream\":\"CADRE_LOG_0\"},\"v\":1}"
    );
}

#[test]
fn the_hash_is_that_of_the_line_without_it() {
    let line = &lines(&acme(), 1)[0];
    let entry = Entry::decode(line.as_bytes()).expect("an entry");
    let without = line.replace(&format!("\"hash\":\"{}\",", entry.hash), "");
    assert_eq!(Hash::of(without.as_bytes()), entry.hash);
}

#[test]
fn every_other_byte_anywhere_is_no_entry_any_more() {
    let line = lines(&acme(), 1).remove(0).into_bytes();
    for at in 0..line.len() {
        for bit in 0..8 {
            let mut changed = line.clone();
            changed[at] ^= 1 << bit;
            assert!(Entry::decode(&changed).is_err(), "bit {bit} of byte {at}");
        }
    }
    for at in 0..line.len() {
        assert!(Entry::decode(&line[..at]).is_err(), "cut at {at}");
        let mut longer = line.clone();
        longer.insert(at, b' ');
        assert!(Entry::decode(&longer).is_err(), "a blank at {at}");
    }
}

#[test]
fn another_spelling_of_the_same_is_no_entry() {
    let line = lines(&acme(), 1).remove(0).replace("\"n\":1,", "\"n\":1, ");
    assert_eq!(Entry::decode(line.as_bytes()), Err(EntryError::Form));
}

#[test]
fn what_a_newer_build_adds_is_read_over_and_counts() {
    let line = lines(&acme(), 1).remove(0);
    let hash = Entry::decode(line.as_bytes()).expect("an entry").hash.to_string();
    let newer = line.replace("\"v\":1", "\"v\":2,\"whence\":\"x\"");
    let without = newer.replace(&format!("\"hash\":\"{hash}\","), "");
    let newer = newer.replace(&hash, &Hash::of(without.as_bytes()).to_string());
    assert_eq!(Entry::decode(newer.as_bytes()).expect("an entry").number, 1);
    assert!(Entry::decode(newer.replace("\"x\"", "\"y\"").as_bytes()).is_err());
}

#[test]
fn what_the_chain_has_is_not_written_again() {
    let sources: Vec<_> = (1..=4).map(|n| source(n, usize::from(n != 3))).collect();
    let first = Tip::default().forge(&acme(), &sources[..2]).remove(0);
    // After a crash the reader begins earlier than it had come.
    let rest = first.tip.forge(&acme(), &sources);
    assert_eq!(rest.len(), 1);
    let entry = Entry::decode(rest[0].text.trim_end().as_bytes()).expect("one entry");
    assert_eq!((entry.number, entry.source.expect("a source").1), (3, 4));
    assert_eq!(Tip::of_page(rest[0].text.as_bytes()).expect("a tip"), rest[0].tip);
    assert_eq!(rest[0].tip.forge(&acme(), &sources), []);
}

#[test]
fn a_full_page_is_followed_by_another_and_no_source_is_torn() {
    let sources: Vec<_> = (1..=1_000).map(|n| source(n, 2)).collect();
    let pages = Tip::default().forge(&Chain::Fleet, &sources);
    assert!(pages.len() > 1);
    for page in &pages {
        assert!(page.text.len() < AUDIT_PAGE_BYTES + 4 * AUDIT_TEXT_BYTES_MAX);
        assert_eq!(page.text.lines().count() % 2, 0);
    }
    assert_eq!(pages.last().map(|page| page.tip.number), Some(2_000));
}

#[test]
fn long_texts_are_cut_and_a_note_has_no_source() {
    let mut long = deed(Action::PackApplied, "pack/x");
    long.reason = "ü".repeat(100_000);
    let page = Tip::default().note(&Chain::Fleet, &long);
    let entry = Entry::decode(page.text.trim_end().as_bytes()).expect("an entry");
    assert!(entry.reason.len() <= AUDIT_TEXT_BYTES_MAX && entry.reason.contains("bytes more"));
    assert_eq!((entry.source, entry.chain.as_str()), (None, "fleet"));
}

#[test]
fn heads_and_chains_read_back_and_nothing_else_does() {
    let heads = Heads([("fleet".to_owned(), (3, Hash::of(b"x")))].into());
    assert_eq!(Heads::decode(heads.encode().as_bytes()), Ok(heads.clone()));
    assert!(Heads::is_one(heads.encode().as_bytes()));
    let longer = heads.encode() + " ";
    for bad in ["", "{}", "{\"heads\":[]}", longer.as_str()] {
        assert!(Heads::decode(bad.as_bytes()).is_err(), "{bad:?}");
    }
    for text in ["fleet", "tenant.acme"] {
        assert_eq!(text.parse::<Chain>().expect("a chain").to_string(), text);
    }
    for bad in ["", "tenant", "tenant.", "tenant.A", "acme"] {
        assert!(bad.parse::<Chain>().is_err(), "{bad:?}");
    }
    let words: std::collections::BTreeSet<_> = Action::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(words.len(), Action::ALL.len());
}
