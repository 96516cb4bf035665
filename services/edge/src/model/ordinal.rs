//! Numbers that sort by time, and are the same after every rebuild.
//!
//! `milliseconds << 21 | 21 bits of a hash`: room until the year 2109, and for two million things in one
//! millisecond. Two that meet on one number are told apart by the next free one.

use cadre_core::time::UnixMillis;

/// Bits below the time.
const BITS: u32 = 21;

/// The number of something that happened at `at` and has this name.
pub(super) fn ordinal(at: UnixMillis, name: &[&str]) -> i64 {
    // FNV-1a.
    let bytes = name.iter().flat_map(|part| part.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    first(at) | i64::try_from(hash >> (64 - BITS)).unwrap_or_default()
}

/// The lowest number of this millisecond.
pub(super) fn first(at: UnixMillis) -> i64 {
    let latest = (1_u64 << (63 - BITS)) - 1;
    i64::try_from(at.0.min(latest)).unwrap_or_default() << BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_by_time() {
        let (early, late) = (UnixMillis(1_790_000_000_000), UnixMillis(1_790_000_000_001));
        let names = ["a", "b", "zz"];
        for name in names {
            let number = ordinal(early, &[name]);
            assert!(first(early) <= number && number < first(late), "{name}");
            assert!(number < ordinal(late, &[name]), "{name}");
        }
        assert_ne!(ordinal(early, &["a", "b"]), ordinal(early, &["ab"]));
        assert!(first(UnixMillis(u64::MAX)) > 0);
    }
}
