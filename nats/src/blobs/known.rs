//! Hashes that are known to be stored, so that the same large input is not looked for again and again.

use std::collections::{HashSet, VecDeque};

use cadre_core::payload::Hash;

/// How many are remembered: 32 bytes each, and a miss costs one request.
const KNOWN_MAX: usize = 4_096;

/// A bounded set; the oldest hash leaves first.
#[derive(Debug, Default)]
pub(super) struct Known {
    set: HashSet<Hash>,
    order: VecDeque<Hash>,
}

impl Known {
    pub(super) fn contains(&self, hash: Hash) -> bool {
        self.set.contains(&hash)
    }

    pub(super) fn insert(&mut self, hash: Hash) {
        if !self.set.insert(hash) {
            return;
        }
        self.order.push_back(hash);
        if self.order.len() > KNOWN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.set.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut known = Known::default();
        let hash = |number: usize| Hash::of(&number.to_le_bytes());
        for number in 0..=KNOWN_MAX {
            known.insert(hash(number));
            known.insert(hash(number));
        }
        assert!(!known.contains(hash(0)));
        assert!(known.contains(hash(1)) && known.contains(hash(KNOWN_MAX)));
        assert_eq!((known.set.len(), known.order.len()), (KNOWN_MAX, KNOWN_MAX));
    }
}
