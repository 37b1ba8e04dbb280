//! One lock per thing: whoever works on it does so alone, others wait for their turn, or for what comes of it.

use crate::Failure;
use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, SemaphorePermit};

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

/// So many work at the same time, and so many of them for one: whoever wants very much keeps nobody else waiting.
pub(crate) struct Slots<K> {
    all: Semaphore,
    most_of_one: usize,
    /// Those that work or wait, by for whom.
    each: Mutex<HashMap<K, Arc<Semaphore>>>,
}

/// Whoever holds it works.
pub(crate) struct Slot<'a> {
    _all: SemaphorePermit<'a>,
    _own: OwnedSemaphorePermit,
}

impl<K: Eq + Hash> Slots<K> {
    pub(crate) fn new(all: usize, most_of_one: usize) -> Self {
        Self { all: Semaphore::new(all), most_of_one, each: Mutex::default() }
    }

    /// Waits for a slot; it is free again when the guard is dropped.
    pub(crate) async fn take(&self, of: K) -> Result<Slot<'_>, Failure> {
        let own = {
            let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
            each.retain(|_, own| Arc::strong_count(own) > 1);
            Arc::clone(each.entry(of).or_insert_with(|| Arc::new(Semaphore::new(self.most_of_one))))
        };
        // Its own first: whoever waits for that takes nothing from others.
        let own = own.acquire_owned().await.map_err(Failure::internal)?;
        Ok(Slot { _all: self.all.acquire().await.map_err(Failure::internal)?, _own: own })
    }
}

/// Work that several want at the same time and that is done once. It goes on when whoever asked for it has gone away.
pub(crate) struct Flights<K, T>(Arc<Mutex<Open<K, T>>>);

/// Work that goes on, by what it is about.
type Open<K, T> = HashMap<K, Shared<BoxFuture<'static, Result<T, Arc<Failure>>>>>;

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, T> Flights<K, T>
where
    K: Eq + Hash + Clone + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// What comes of the work on this: of that which goes on, or else of this one, which begins now.
    pub(crate) async fn join<F>(&self, key: K, work: impl FnOnce() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let flight = {
            let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            open.entry(key.clone())
                .or_insert_with(|| {
                    let landing = Landing { open: Arc::clone(&self.0), key };
                    let work = work();
                    let task = tokio::spawn(async move {
                        let _landing = landing;
                        work.await
                    });
                    task.map(|done| done.map_err(Failure::internal).flatten().map_err(Arc::new))
                        .boxed()
                        .shared()
                })
                .clone()
        };
        flight.await.map_err(Failure::shared)
    }
}

/// Whoever comes after the end of some work begins it anew, however it ended.
struct Landing<K: Eq + Hash, T> {
    open: Arc<Mutex<Open<K, T>>>,
    key: K,
}

impl<K: Eq + Hash, T> Drop for Landing<K, T> {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn whoever_wants_very_much_keeps_nobody_else_waiting() {
        let slots = Slots::new(3, 2);
        let (first, second) = (slots.take("greedy").await.unwrap(), slots.take("greedy").await.unwrap());
        assert!(slots.take("greedy").now_or_never().is_none());
        let other = slots.take("other").now_or_never().expect("there is a slot for it").unwrap();
        assert!(slots.take("third").now_or_never().is_none(), "all are taken");
        drop((first, other));
        let _third = slots.take("greedy").now_or_never().expect("one is free again").unwrap();
        drop(second);
        assert!(slots.take("third").now_or_never().is_some());
        assert_eq!(slots.each.lock().unwrap().len(), 2, "whoever has none is forgotten");
    }

    #[tokio::test]
    async fn a_hundred_who_want_the_same_get_it_once() {
        let (flights, count, go) = (Flights::default(), Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let work = || {
            let (count, go) = (Arc::clone(&count), Arc::clone(&go));
            async move {
                go.notified().await;
                let number = count.fetch_add(1, Ordering::Relaxed);
                if number == 0 { Err(Failure::Conflict("full".into())) } else { Ok(number) }
            }
        };
        {
            let left = flights.join("a", work);
            futures::pin_mut!(left);
            assert!(left.now_or_never().is_none(), "who goes away does not end it");
        }
        let hundred = futures::future::join_all((0..100).map(|_| flights.join("a", work)));
        let (answers, ()) = tokio::join!(hundred, async { go.notify_one() });
        assert!(
            answers.iter().all(|answer| matches!(answer, Err(Failure::Conflict(_)))),
            "also a failure is everybody's"
        );
        go.notify_one();
        assert_eq!(flights.join("a", work).await.unwrap(), 1, "but the next one begins anew");
    }

    #[tokio::test]
    async fn a_panic_leaves_nothing_behind() {
        let flights: Flights<&str, ()> = Flights::default();
        let failed = flights.join("a", || async { panic!("a defect") }).await;
        assert!(matches!(failed, Err(Failure::Internal(_))), "{failed:?}");
        flights.join("a", || async { Ok(()) }).await.unwrap();
    }

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
