//! Answers that are still true: what was read a moment ago need not be read again.
//!
//! An answer is good until something is written in this process, and for a second at most, because on PostgreSQL another
//! process may write too. So a token that is revoked here stops working at once, and everywhere within a second.
//!
//! What proxies of websites ask, many times for every page, is good until something is written that decides about it; and so is
//! what a token reads.

use crate::Failure;
use stave_storage::Storage;
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long an answer is good at most where another process may write too.
const LONGEST: Duration = Duration::from_secs(1);
/// How long at most where this is the only one.
const LONGEST_ALONE: Duration = Duration::from_mins(10);
/// The same for what somebody may read, which also ends by itself: an answer of Bitbucket becomes too old.
const LONGEST_READER_ALONE: Duration = Duration::from_mins(1);

/// Answers by what was asked.
pub(crate) struct Warm<K, V> {
    answers: Mutex<HashMap<K, Answer<V>>>,
    /// How many are kept at the same time.
    most: usize,
    /// What makes them old.
    hangs_on: HangsOn,
}

/// What makes an answer old when it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HangsOn {
    /// Anything.
    Anything,
    /// What decides about visitors of websites.
    Websites,
    /// What decides about who reads which package.
    Readers,
}

struct Answer<V> {
    value: V,
    change_count: u64,
    read_at: Instant,
}

impl<K, V> Default for Warm<K, V> {
    fn default() -> Self {
        Self { answers: Mutex::default(), most: 1000, hangs_on: HangsOn::Anything }
    }
}

impl<K, V> Warm<K, V> {
    /// For what decides about visitors of websites.
    pub(crate) fn of_websites() -> Self {
        Self { answers: Mutex::default(), most: 20_000, hangs_on: HangsOn::Websites }
    }

    /// For what decides about who reads which package.
    pub(crate) fn of_readers() -> Self {
        Self { answers: Mutex::default(), most: 5_000, hangs_on: HangsOn::Readers }
    }

    fn is_good(&self, answer: &Answer<V>, storage: &Storage) -> bool {
        let longest = match self.hangs_on {
            HangsOn::Websites if storage.is_alone() => LONGEST_ALONE,
            HangsOn::Readers if storage.is_alone() => LONGEST_READER_ALONE,
            _ => LONGEST,
        };
        answer.change_count == self.change_count(storage) && answer.read_at.elapsed() < longest
    }

    fn change_count(&self, storage: &Storage) -> u64 {
        match self.hangs_on {
            HangsOn::Anything => storage.change_count(),
            HangsOn::Websites => storage.website_change_count(),
            HangsOn::Readers => storage.reader_change_count(),
        }
    }
}

impl<K: Eq + Hash, V: Clone> Warm<K, V> {
    /// The answer, or else what `read` finds. What has failed is not kept.
    pub(crate) async fn get(
        &self,
        storage: &Storage,
        asked: K,
        read: impl Future<Output = Result<V, Failure>>,
    ) -> Result<V, Failure> {
        let known = self
            .lock()
            .get(&asked)
            .filter(|answer| self.is_good(answer, storage))
            .map(|answer| answer.value.clone());
        if let Some(value) = known {
            return Ok(value);
        }
        // Counted before it is read: what is written meanwhile makes the answer old.
        let (change_count, read_at) = (self.change_count(storage), Instant::now());
        let value = read.await?;
        let mut answers = self.lock();
        if answers.len() >= self.most {
            answers.retain(|_, answer| self.is_good(answer, storage));
        }
        if answers.len() >= self.most {
            // Those that are asked for are soon here again.
            answers.clear();
        }
        answers.insert(asked, Answer { value: value.clone(), change_count, read_at });
        Ok(value)
    }

    /// The next one who asks for this gets a fresh answer.
    pub(crate) fn forget(&self, asked: &K) {
        self.lock().remove(asked);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, Answer<V>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stave_domain::Secret;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn an_answer_is_good_until_something_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let url = Secret::new(format!("sqlite://{}/test.sqlite", folder.path().display()));
        let storage = Storage::open(&url).await.unwrap();
        let (warm, reads) = (Warm::default(), AtomicU32::new(0));
        let ask = || {
            warm.get(&storage, "a", async {
                reads.fetch_add(1, Ordering::Relaxed);
                Ok(storage.setting_find("a").await?)
            })
        };
        assert_eq!(ask().await.unwrap(), None);
        storage.setting_put("a", "1").await.unwrap();
        assert_eq!(ask().await.unwrap().as_deref(), Some("1"));
        let txn = storage.begin().await.unwrap();
        txn.setting_put("a", "2").await.unwrap();
        txn.commit().await.unwrap();
        assert_eq!(ask().await.unwrap().as_deref(), Some("2"));
        assert_eq!(reads.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let url = Secret::new(format!("sqlite://{}/test.sqlite", folder.path().display()));
        let storage = Storage::open(&url).await.unwrap();
        let warm = Warm::default();
        assert!(warm.get(&storage, "a", async { Err(Failure::LogInNeeded) }).await.is_err());
        assert_eq!(warm.get(&storage, "a", async { Ok(7) }).await.unwrap(), 7);
    }
}
