//! A small bounded cache for what is compiled once and used by many steps.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// Keeps the latest few values that were made, by key; shared by reference.
#[derive(Debug)]
pub struct Cache<K, V> {
    kept: Mutex<VecDeque<(K, Arc<V>)>>,
    max: usize,
}

impl<K: PartialEq, V> Cache<K, V> {
    /// Makes an empty cache of at most `max` values, looked through one by one: a few dozen.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { kept: Mutex::new(VecDeque::new()), max: max.max(1) }
    }

    /// The value of `key`; made when it is not there, and then kept in place of the oldest.
    ///
    /// Callers that ask for the same key at once may each make it: harmless, the last one stays.
    ///
    /// # Errors
    /// Whatever `make` says; nothing is kept then.
    pub fn get_or_make<E>(
        &self,
        is_key: impl Fn(&K) -> bool,
        make: impl FnOnce() -> Result<(K, V), E>,
    ) -> Result<Arc<V>, E> {
        if let Some(value) = self.find(&is_key) {
            return Ok(value);
        }
        let (key, value) = make()?;
        let value = Arc::new(value);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, _)| *other != key);
        kept.truncate(self.max.saturating_sub(1));
        kept.push_front((key, Arc::clone(&value)));
        Ok(value)
    }

    fn find(&self, is_key: impl Fn(&K) -> bool) -> Option<Arc<V>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(key, _)| is_key(key)).map(|(_, value)| Arc::clone(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_made_once_and_the_oldest_goes_first() {
        let (cache, mut made) = (Cache::<u32, u32>::new(2), Vec::new());
        for key in [1, 1, 2, 1, 3, 2, 1] {
            let value = cache.get_or_make(
                |other| *other == key,
                || {
                    made.push(key);
                    Ok::<_, ()>((key, key * 10))
                },
            );
            assert_eq!(value, Ok(Arc::new(key * 10)));
        }
        assert_eq!(made, [1, 2, 3, 1]);
    }

    #[test]
    fn a_failure_is_not_kept() {
        let cache = Cache::<u32, u32>::new(2);
        assert_eq!(cache.get_or_make(|_| true, || Err("no")), Err("no"));
        assert_eq!(cache.get_or_make(|_| true, || Ok::<_, &str>((1, 1))), Ok(Arc::new(1)));
    }
}
