//! Answers that are still true: what was read a moment ago need not be read again.
//!
//! An answer is good until something is written that it was made of, in whichever process: storage tells of it
//! ([`Storage::hears_all`]). While it cannot hear the others, an answer is good for a second at most. So a token that is revoked
//! stops working at once where that was done, and everywhere within a second.
//!
//! What is small is kept by number here; what is large by its bytes, on a [`Shelf`].

mod answer;
mod dist;
mod document;
mod kept;
mod shelf;
mod text;

pub(crate) use answer::{Answers, Asked};
pub(crate) use dist::FoundDist;
pub use dist::{DistBytes, DistFile};
pub(crate) use document::Documents;
pub(crate) use shelf::Shelf;
pub use text::Text;

use crate::Failure;
use stave_storage::Storage;
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

/// How long an answer is good while nobody hears what other processes write.
const LONGEST_UNHEARD: Duration = Duration::from_secs(1);
/// How long at most, whatever is heard.
const LONGEST: Duration = Duration::from_mins(10);
/// The same for what somebody may read, which also ends by itself: an answer of Bitbucket becomes too old.
const LONGEST_READER: Duration = Duration::from_mins(1);

/// Whether what was read then is still true, if nobody told of a change since.
fn is_young(storage: &Storage, read_at: Instant, longest: Duration) -> bool {
    let age = read_at.elapsed();
    age < LONGEST_UNHEARD || age < longest && storage.hears_all()
}

/// Answers by what was asked.
pub(crate) struct Warm<K, V> {
    answers: RwLock<HashMap<K, Answer<V>>>,
    /// How many are kept at the same time.
    most: usize,
    /// What makes them old.
    hangs_on: HangsOn,
}

/// What makes an answer old when it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HangsOn {
    /// What decides about visitors of websites.
    Websites,
    /// What decides about who reads which package.
    Readers,
    /// What decides where the dist of a commit is.
    Dists,
}

struct Answer<V> {
    value: V,
    since: Since,
}

/// When an answer was read, by the clock and by what had been written.
#[derive(Clone, Copy)]
pub(crate) struct Since {
    change_count: u64,
    read_at: Instant,
}

impl<K, V> Warm<K, V> {
    /// For what decides about visitors of websites.
    pub(crate) fn of_websites() -> Self {
        Self { answers: RwLock::default(), most: 20_000, hangs_on: HangsOn::Websites }
    }

    /// For what decides about who reads which package.
    pub(crate) fn of_readers() -> Self {
        Self { answers: RwLock::default(), most: 5_000, hangs_on: HangsOn::Readers }
    }

    /// For what decides where the dist of a commit is.
    pub(crate) fn of_dists() -> Self {
        Self { answers: RwLock::default(), most: 20_000, hangs_on: HangsOn::Dists }
    }

    fn is_good(&self, answer: &Answer<V>, storage: &Storage) -> bool {
        let longest = if self.hangs_on == HangsOn::Readers { LONGEST_READER } else { LONGEST };
        answer.since.change_count == self.change_count(storage)
            && is_young(storage, answer.since.read_at, longest)
    }

    fn change_count(&self, storage: &Storage) -> u64 {
        match self.hangs_on {
            HangsOn::Websites => storage.website_change_count(),
            HangsOn::Readers => storage.reader_change_count(),
            HangsOn::Dists => storage.dist_change_count(),
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
        if let Some(known) = self.known(storage, &asked) {
            return Ok(known);
        }
        let since = self.since(storage);
        let value = read.await?;
        self.keep(storage, asked, value.clone(), since);
        Ok(value)
    }

    /// The answer, if it is still true.
    pub(crate) fn known(&self, storage: &Storage, asked: &K) -> Option<V> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        answers.get(asked).filter(|answer| self.is_good(answer, storage)).map(|answer| answer.value.clone())
    }

    /// To be asked before an answer is read: what is written meanwhile makes it old.
    pub(crate) fn since(&self, storage: &Storage) -> Since {
        Since { change_count: self.change_count(storage), read_at: Instant::now() }
    }

    /// Keeps an answer.
    pub(crate) fn keep(&self, storage: &Storage, asked: K, value: V, since: Since) {
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= self.most {
            answers.retain(|_, answer| self.is_good(answer, storage));
        }
        if answers.len() >= self.most {
            // Those that are asked for are soon here again.
            answers.clear();
        }
        answers.insert(asked, Answer { value, since });
    }

    /// The next one who asks for this gets a fresh answer.
    pub(crate) fn forget(&self, asked: &K) {
        self.answers.write().unwrap_or_else(PoisonError::into_inner).remove(asked);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use stave_domain::{Secret, Timestamp, organization::Organization};
    use std::sync::atomic::{AtomicU32, Ordering};
    use tempfile::TempDir;

    pub(super) async fn storage() -> (TempDir, Storage) {
        let folder = tempfile::tempdir().unwrap();
        let url = Secret::new(format!("sqlite://{}/test.sqlite", folder.path().display()));
        (folder, Storage::open(&url).await.unwrap())
    }

    pub(super) fn acme(name: &str) -> Organization {
        Organization {
            id: uuid::Uuid::from_u128(1).into(),
            short_name: "acme".parse().unwrap(),
            name: name.into(),
            enforced: None,
            deactivates_found: false,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn an_answer_is_good_until_something_is_written_that_it_was_made_of() {
        let (_folder, storage) = storage().await;
        let (warm, reads) = (Warm::of_readers(), AtomicU32::new(0));
        let ask = || {
            warm.get(&storage, "a", async {
                reads.fetch_add(1, Ordering::Relaxed);
                Ok(storage.organization_find(acme("a").id).await?.map(|it| it.name))
            })
        };
        assert_eq!(ask().await.unwrap(), None);
        storage.organization_insert(&acme("one")).await.unwrap();
        assert_eq!(ask().await.unwrap().as_deref(), Some("one"));
        storage.setting_put("a", "1").await.unwrap();
        assert_eq!(ask().await.unwrap().as_deref(), Some("one"));
        assert_eq!(reads.load(Ordering::Relaxed), 2, "a setting is nothing to it");
        let txn = storage.begin().await.unwrap();
        txn.organization_rename(&acme("two")).await.unwrap();
        txn.commit().await.unwrap();
        assert_eq!(ask().await.unwrap().as_deref(), Some("two"));
        assert_eq!(reads.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let (_folder, storage) = storage().await;
        let warm = Warm::of_readers();
        assert!(warm.get(&storage, "a", async { Err(Failure::LogInNeeded) }).await.is_err());
        assert_eq!(warm.get(&storage, "a", async { Ok(7) }).await.unwrap(), 7);
    }
}
