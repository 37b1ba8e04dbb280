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
    kept: RwLock<Kept<K, V>>,
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
    /// The same, and which packages there are.
    Lists,
    /// What decides where the dist of a commit is.
    Dists,
}

struct Kept<K, V> {
    answers: HashMap<K, Answer<V>>,
    /// What had been written when they were read. Later answers make all of these go: they may hold much that is old.
    change_count: u64,
}

struct Answer<V> {
    value: V,
    read_at: Instant,
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
        Self::new(20_000, HangsOn::Websites)
    }

    /// For what decides about who reads which package.
    pub(crate) fn of_readers() -> Self {
        Self::new(5_000, HangsOn::Readers)
    }

    /// For what decides about who reads which package, and which there are.
    pub(crate) fn of_lists() -> Self {
        Self::new(5_000, HangsOn::Lists)
    }

    /// For what decides where the dist of a commit is.
    pub(crate) fn of_dists() -> Self {
        Self::new(20_000, HangsOn::Dists)
    }

    fn new(most: usize, hangs_on: HangsOn) -> Self {
        let kept = Kept { answers: HashMap::new(), change_count: 0 };
        Self { kept: RwLock::new(kept), most, hangs_on }
    }

    fn is_young(&self, answer: &Answer<V>, storage: &Storage) -> bool {
        let longest = match self.hangs_on {
            HangsOn::Readers | HangsOn::Lists => LONGEST_READER,
            HangsOn::Websites | HangsOn::Dists => LONGEST,
        };
        is_young(storage, answer.read_at, longest)
    }

    fn change_count(&self, storage: &Storage) -> u64 {
        match self.hangs_on {
            HangsOn::Websites => storage.website_change_count(),
            HangsOn::Readers => storage.reader_change_count(),
            HangsOn::Lists => storage.list_change_count(),
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
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let answer = kept.answers.get(asked).filter(|answer| self.is_young(answer, storage))?;
        (kept.change_count == self.change_count(storage)).then(|| answer.value.clone())
    }

    /// To be asked before an answer is read: what is written meanwhile makes it old.
    pub(crate) fn since(&self, storage: &Storage) -> Since {
        Since { change_count: self.change_count(storage), read_at: Instant::now() }
    }

    /// Keeps an answer.
    pub(crate) fn keep(&self, storage: &Storage, asked: K, value: V, since: Since) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if since.change_count < kept.change_count {
            return;
        }
        if since.change_count > kept.change_count {
            *kept = Kept { answers: HashMap::new(), change_count: since.change_count };
        }
        if kept.answers.len() >= self.most {
            kept.answers.retain(|_, answer| self.is_young(answer, storage));
        }
        if kept.answers.len() >= self.most {
            // Those that are asked for are soon here again.
            kept.answers.clear();
        }
        kept.answers.insert(asked, Answer { value, read_at: since.read_at });
    }

    /// The next one who asks for this gets a fresh answer.
    pub(crate) fn forget(&self, asked: &K) {
        self.kept.write().unwrap_or_else(PoisonError::into_inner).answers.remove(asked);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use stave_domain::{Secret, Timestamp, organization::Organization};
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };
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
    async fn what_is_old_takes_no_room() {
        let (_folder, storage) = storage().await;
        let warm = Warm::of_readers();
        let before = warm.since(&storage);
        warm.keep(&storage, 1, Arc::new(1), before);
        let old = warm.known(&storage, &1).unwrap();
        storage.organization_insert(&acme("one")).await.unwrap();
        assert_eq!(warm.known(&storage, &1), None);
        warm.keep(&storage, 2, Arc::new(2), warm.since(&storage));
        warm.keep(&storage, 3, Arc::new(3), before);
        assert_eq!(Arc::strong_count(&old), 1, "what nobody has asked for since is gone");
        assert_eq!((warm.known(&storage, &2).as_deref(), warm.known(&storage, &3)), (Some(&2), None));
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let (_folder, storage) = storage().await;
        let warm = Warm::of_readers();
        assert!(warm.get(&storage, "a", async { Err(Failure::LogInNeeded) }).await.is_err());
        assert_eq!(warm.get(&storage, "a", async { Ok(7) }).await.unwrap(), 7);
    }
}
