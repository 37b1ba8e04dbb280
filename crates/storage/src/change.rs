//! Change notices: what a commit wrote, told to whoever keeps answers, in every process that works on the same database.
//!
//! On PostgreSQL a notice is part of the transaction, so it is sent if and only if the change lasts (`NOTIFY`; [`crate::listener`]
//! hears it). On SQLite there is one process, which tells itself.

use crate::{
    listener::ECHO,
    touched::{Touched, writes_documents},
};
use serde::{Deserialize, Serialize};
use stave_domain::{id::OrganizationId, package::PackageName};
use std::{
    collections::BTreeSet,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long what was heard last vouches for what is kept.
const VOUCHES: Duration = Duration::from_secs(1);
/// PostgreSQL takes less than 8,000 bytes in a notice.
const LONGEST_NOTICE_BYTES: usize = 7_500;

/// What was written that somebody may keep an answer about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A document of this name was published in an organization, or withdrawn.
    Document(OrganizationId, PackageName),
    /// Any document may have been withdrawn.
    Documents,
}

/// A document that is named where it is written, so that no other one is forgotten.
pub(crate) type DocumentKey = (OrganizationId, PackageName);

/// What statements are about, where that says more than they do themselves.
#[derive(Debug, Clone)]
pub(crate) enum About {
    Anything,
    Document(DocumentKey),
    /// A package of a mirror: whoever reads one of its packages reads them all.
    MirroredPackage,
}

/// What a statement or a whole transaction wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) touched: Touched,
    pub(crate) documents: Documents,
}

/// Which documents were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Documents {
    Named(BTreeSet<DocumentKey>),
    /// Nobody knows which.
    Any,
}

impl Default for Documents {
    fn default() -> Self {
        Self::Named(BTreeSet::new())
    }
}

/// A notice on its way to other processes.
#[derive(Serialize, Deserialize)]
struct Letter {
    /// Who wrote it: they have told themselves.
    from: Sender,
    touched: Touched,
    /// `None`: nobody knows which.
    documents: Option<Vec<(OrganizationId, String)>>,
}

impl Notice {
    pub(crate) fn everything() -> Self {
        Self { touched: Touched::everything(), documents: Documents::Any }
    }

    /// What a statement writes.
    pub(crate) fn of(sql: &str, about: &About) -> Self {
        let documents = match about {
            About::Document(key) => Documents::Named(BTreeSet::from([key.clone()])),
            _ if writes_documents(sql) => Documents::Any,
            _ => Documents::default(),
        };
        let touched = Touched::by(sql);
        let readers = touched.readers && !matches!(about, About::MirroredPackage);
        Self { touched: Touched { readers, ..touched }, documents }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.touched = self.touched.or(other.touched);
        match (&mut self.documents, other.documents) {
            (Documents::Named(all), Documents::Named(more)) => all.extend(more),
            (all, Documents::Any) => *all = Documents::Any,
            (Documents::Any, _) => {}
        }
    }
}

/// Counts and tells what was written. Clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes(Arc<Inner>);

/// What is done with a change.
type Told = Box<dyn Fn(&Change) + Send + Sync>;

#[derive(Default)]
struct Inner {
    of_passes: AtomicU64,
    of_readers: AtomicU64,
    of_lists: AtomicU64,
    of_dists: AtomicU64,
    listeners: RwLock<Vec<Told>>,
    hearing: Mutex<Hearing>,
    sender: Sender,
}

/// Who writes, among others on the same database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Sender(u64);

impl Default for Sender {
    fn default() -> Self {
        Self(RandomState::new().hash_one(std::process::id()))
    }
}

/// How what other processes write is known.
#[derive(Debug, Clone, Copy, Default)]
enum Hearing {
    /// There are none.
    #[default]
    Alone,
    /// What they wrote until then was heard; `None`: nothing is heard now.
    Until(Option<Instant>),
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("hearing", &self.hearing).finish_non_exhaustive()
    }
}

impl Changes {
    /// Those among several processes, of which nothing is heard yet.
    pub(crate) fn shared() -> Self {
        let inner = Inner { hearing: Mutex::new(Hearing::Until(None)), ..Inner::default() };
        Self(Arc::new(inner))
    }

    pub(crate) fn count_of_passes(&self) -> u64 {
        self.0.of_passes.load(Ordering::Acquire)
    }

    pub(crate) fn count_of_readers(&self) -> u64 {
        self.0.of_readers.load(Ordering::Acquire)
    }

    pub(crate) fn count_of_lists(&self) -> u64 {
        self.0.of_lists.load(Ordering::Acquire)
    }

    pub(crate) fn count_of_dists(&self) -> u64 {
        self.0.of_dists.load(Ordering::Acquire)
    }

    /// From now on `told` is called after each commit, on the thread that heard of it: it must be quick.
    pub(crate) fn listen(&self, told: Box<dyn Fn(&Change) + Send + Sync>) {
        self.0.listeners.write().unwrap_or_else(PoisonError::into_inner).push(told);
    }

    pub(crate) fn tell(&self, notice: &Notice) {
        let counts = [
            (notice.touched.passes, &self.0.of_passes),
            (notice.touched.readers, &self.0.of_readers),
            (notice.touched.lists, &self.0.of_lists),
            (notice.touched.dists, &self.0.of_dists),
        ];
        for (_, count) in counts.into_iter().filter(|(is_touched, _)| *is_touched) {
            count.fetch_add(1, Ordering::AcqRel);
        }
        let changes = match &notice.documents {
            Documents::Named(keys) => {
                keys.iter().map(|(id, name)| Change::Document(*id, name.clone())).collect()
            }
            Documents::Any => vec![Change::Documents],
        };
        let listeners = self.0.listeners.read().unwrap_or_else(PoisonError::into_inner);
        for change in &changes {
            listeners.iter().for_each(|told| told(change));
        }
    }

    /// Another process wrote this. What cannot be read comes from another version of Stave, and may be anything.
    pub(crate) fn tell_letter(&self, text: &str) {
        if text == ECHO {
            return;
        }
        match serde_json::from_str::<Letter>(text) {
            Ok(letter) if letter.from == self.0.sender => {}
            Ok(letter) => {
                let key = |(id, name): (_, String)| Some((id, name.parse().ok()?));
                let keys = letter.documents.and_then(|keys| keys.into_iter().map(key).collect());
                let documents = keys.map_or(Documents::Any, Documents::Named);
                self.tell(&Notice { touched: letter.touched, documents });
            }
            Err(_) => self.tell(&Notice::everything()),
        }
    }

    /// A notice as other processes read it. If it were too long, it says that any document may have changed.
    pub(crate) fn letter(&self, notice: &Notice) -> String {
        let documents = match &notice.documents {
            Documents::Named(keys) => Some(keys.iter().map(|(id, name)| (*id, name.to_string())).collect()),
            Documents::Any => None,
        };
        let letter = Letter { from: self.0.sender, touched: notice.touched, documents };
        let text = serde_json::to_string(&letter).unwrap_or_default();
        if text.len() <= LONGEST_NOTICE_BYTES {
            return text;
        }
        serde_json::to_string(&Letter { documents: None, ..letter }).unwrap_or_default()
    }

    /// Everything that other processes wrote until then was told here; `None`: nobody knows.
    pub(crate) fn heard_until(&self, until: Option<Instant>) {
        *self.0.hearing.lock().unwrap_or_else(PoisonError::into_inner) = Hearing::Until(until);
    }

    /// Whether what others wrote a second ago was told here by now.
    pub(crate) fn are_heard(&self) -> bool {
        match *self.0.hearing.lock().unwrap_or_else(PoisonError::into_inner) {
            Hearing::Alone => true,
            Hearing::Until(until) => until.is_some_and(|until| until.elapsed() < VOUCHES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{acme_mailer, at, id, test_storage};
    use stave_domain::package::Document;

    fn named(names: impl IntoIterator<Item = String>) -> Notice {
        let keys = names.into_iter().map(|name| (id(1), name.parse().unwrap())).collect();
        Notice { documents: Documents::Named(keys), ..Notice::default() }
    }

    /// What somebody who listens is told when this letter comes.
    fn told(changes: &Changes, letter: &str) -> Vec<Change> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = heard.clone();
        changes.listen(Box::new(move |change| ear.lock().unwrap().push(change.clone())));
        changes.tell_letter(letter);
        heard.lock().unwrap().clone()
    }

    #[test]
    fn a_letter_is_short_and_says_enough() {
        let (ours, theirs) = (Changes::default(), Changes::default());
        let two = named(["acme/mailer".to_owned(), "acme/queue".to_owned()]);
        let expected =
            ["acme/mailer", "acme/queue"].map(|name| Change::Document(id(1), name.parse().unwrap()));
        assert_eq!(told(&ours, &theirs.letter(&two)), expected);
        assert_eq!(told(&ours, &ours.letter(&two)), [], "who wrote it has told itself");

        let many = theirs.letter(&named((0..1000).map(|number| format!("acme/package-{number}"))));
        assert!(many.len() <= LONGEST_NOTICE_BYTES);
        assert_eq!(told(&ours, &many), [Change::Documents]);
        assert_eq!(told(&ours, "from a newer Stave"), [Change::Documents]);
        assert_eq!(told(&ours, ECHO), []);
        let readers =
            Notice { touched: Touched { readers: true, ..Touched::default() }, ..Notice::default() };
        let before = ours.count_of_readers();
        assert_eq!(told(&ours, &theirs.letter(&readers)), []);
        assert_eq!(ours.count_of_readers(), before + 1);
    }

    #[tokio::test]
    async fn who_listens_is_told_what_lasts() {
        let storage = test_storage().await;
        let (acme, mailer) = acme_mailer(&storage).await;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = heard.clone();
        storage.on_change(move |change| ear.lock().unwrap().push(change.clone()));
        let said = || std::mem::take(&mut *heard.lock().unwrap());
        let document = Document {
            organization_id: acme,
            package_id: mailer,
            name: "acme/mailer".parse().unwrap(),
            is_dev: false,
            body_gzip: vec![1],
            modified_at: at(1),
        };
        let mailers = || Change::Document(acme, document.name.clone());

        let dropped = storage.begin().await.unwrap();
        dropped.document_put(&document).await.unwrap();
        drop(dropped);
        assert_eq!(said(), [], "it has not happened");

        let txn = storage.begin().await.unwrap();
        let part = txn.begin().await.unwrap();
        part.document_put(&document).await.unwrap();
        part.document_put(&Document { is_dev: true, ..document.clone() }).await.unwrap();
        part.commit().await.unwrap();
        assert_eq!(said(), [], "it may still not happen");
        txn.commit().await.unwrap();
        assert_eq!(said(), [mailers()]);

        storage.document_put(&document).await.unwrap();
        assert_eq!(said(), [mailers()]);
        storage.setting_put("a", "1").await.unwrap();
        assert_eq!(said(), []);
        storage.document_delete_of(mailer).await.unwrap();
        assert_eq!(said(), [mailers()]);
        storage.document_delete_of(mailer).await.unwrap();
        assert_eq!(said(), [], "there was nothing left");
        storage.package_delete(mailer).await.unwrap();
        assert_eq!(said(), [Change::Documents]);
    }
}
