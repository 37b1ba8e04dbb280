//! One lock per thing: whoever works on it does so alone, others wait for their turn.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OwnedMutexGuard;

/// Whoever holds it works alone; dropping it ends the turn.
pub(crate) type Turn = OwnedMutexGuard<()>;

/// One lock per key. A lock exists while somebody holds or awaits it.
pub(crate) struct Locks<K>(Mutex<HashMap<K, Arc<tokio::sync::Mutex<()>>>>);

impl<K> Default for Locks<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Locks<K> {
    /// Waits for the turn; it ends when the guard is dropped.
    pub(crate) async fn turn(&self, key: K) -> Turn {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry(key).or_default())
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_per_key() {
        let locks = Locks::default();
        let first = locks.turn("a").await;
        let _other_key = locks.turn("b").await;
        assert!(futures::FutureExt::now_or_never(locks.turn("a")).is_none());
        drop(first);
        assert!(futures::FutureExt::now_or_never(locks.turn("a")).is_some());
    }
}
