//! Rows and blobs: the only room with SQL and object stores.
//!
//! Records of the domain come in and go out; no entity, no SQL and no driver's type leaves this room. Rows live in
//! SQLite or PostgreSQL, by one code path; blobs in a folder or an S3 bucket. Instants are kept to the millisecond.
//! `now` and ids come in as values. The functions of a noun are in the file of that name.

mod access;
mod advisory;
mod blob;
mod change;
mod check;
mod conn;
mod credential;
mod definition;
mod delivery;
mod dist;
mod document;
mod document_name;
mod endpoint;
mod engine;
mod error;
mod facet;
mod filter;
mod identity;
mod install;
mod integration;
mod job;
mod listener;
mod log;
mod login;
mod member;
mod migrations;
mod mirror;
mod mirrored_package;
mod organization;
mod package;
mod query;
mod readme;
mod remote_group;
mod remote_person;
mod remote_repository;
mod repository;
mod run;
mod security;
mod setting;
mod synchronization;
mod tables;
mod team;
#[cfg(test)]
mod testing;
mod token;
mod touched;
mod user;
mod version;
mod webhook;
mod website;

pub use blob::{Blob, Blobs, StoredBlob};
pub use change::Change;
pub use error::{OpenError, StorageError};
pub use remote_repository::RepositoryCounts;
pub use website::{Redeemed, WebsiteCounts};

use conn::Conn;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use stave_domain::Secret;
use std::ops::Deref;

/// The rows. Cheap to clone: clones share their connections.
#[derive(Debug, Clone)]
pub struct Storage {
    conn: Conn,
}

/// Several changes that happen together or not at all: all functions of [`Storage`] work on it.
///
/// On SQLite it holds the only right to write: while it is open, writing through the [`Storage`] it came from waits for
/// its end, so within it write through it alone, and do nothing slow.
#[derive(Debug)]
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction(Storage);

impl Storage {
    /// Opens `sqlite://<path>` (made if it is not there; the path is taken as it stands) or `postgres://..`, and brings
    /// the tables up to date. Of several processes that start at once, one does so and the others wait for it.
    pub async fn open(url: &Secret) -> Result<Self, OpenError> {
        let conn = engine::connect(url.expose()).await?;
        Ok(Self { conn })
    }

    /// Starts a [`Transaction`]; within one, a part that can fail by itself.
    pub async fn begin(&self) -> Result<Transaction, StorageError> {
        Ok(Transaction(Self { conn: self.conn.begin().await? }))
    }

    /// How often something changed that decides about the passes of websites: a website, its members, logins and passes, the
    /// organization, an integration. A decision that was taken before is still right as long as it stays the same and
    /// [`Self::hears_all`]. Insertions and [`Self::website_login_seen`] do not count, which make no decision wrong:
    /// so visitors who come and go do not make those of others forgotten.
    #[must_use]
    pub fn website_change_count(&self) -> u64 {
        self.conn.changes().count_of_passes()
    }

    /// How often something changed that decides what a token reads: a token, the people and teams of an organization, what was
    /// given to them, what Bitbucket lets them read, which packages there are. What was decided before is still right as long as
    /// it stays the same and [`Self::hears_all`]. Mere signs of life do not count, such as
    /// [`Self::token_used`], [`Self::repository_checked`] or a refreshed grant.
    #[must_use]
    pub fn reader_change_count(&self) -> u64 {
        self.conn.changes().count_of_readers()
    }

    /// How often something changed that decides which packages there are for somebody. It counts whatever
    /// [`Self::reader_change_count`] counts, and each package that a mirror brings.
    #[must_use]
    pub fn list_change_count(&self) -> u64 {
        self.conn.changes().count_of_lists()
    }

    /// How often something changed that decides where the dist of a commit is. What was found before is still there as long as it
    /// stays the same and [`Self::hears_all`]. A new dist does not count.
    #[must_use]
    pub fn dist_change_count(&self) -> u64 {
        self.conn.changes().count_of_dists()
    }

    /// From now on `told` hears of every change, whichever process made it, when it lasts. It is called by whoever made it or
    /// heard of it, who waits: it has to be quick.
    pub fn on_change(&self, told: impl Fn(&Change) + Send + Sync + 'static) {
        self.conn.changes().listen(Box::new(told));
    }

    /// Whether what any process wrote a second ago was counted and told here by now. It always is on SQLite, where there is one
    /// process; on PostgreSQL it is not while this process has no sound connection to listen on.
    #[must_use]
    pub fn hears_all(&self) -> bool {
        self.conn.changes().are_heard()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StorageError> {
        let statement = Statement::from_string(self.conn.get_database_backend(), "SELECT 1");
        self.conn.query_one_raw(statement).await?;
        Ok(())
    }

    /// Waits for the statements that are under way and closes all connections, of the clones too. On SQLite this leaves
    /// one file behind, without a log beside it.
    pub async fn close(&self) -> Result<(), StorageError> {
        self.conn.close().await
    }

    /// "SQLite" or "PostgreSQL".
    #[must_use]
    pub fn engine_name(&self) -> &'static str {
        match self.conn.get_database_backend() {
            DbBackend::Postgres => "PostgreSQL",
            _ => "SQLite",
        }
    }
}

impl Transaction {
    /// Makes the changes last.
    pub async fn commit(self) -> Result<(), StorageError> {
        self.0.conn.commit().await
    }
}

impl Deref for Transaction {
    type Target = Storage;

    fn deref(&self) -> &Storage {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Storage, StorageError,
        testing::{test_storage, user},
    };
    use tokio::task::JoinSet;

    #[tokio::test]
    async fn a_dropped_transaction_has_not_happened() {
        let storage = test_storage().await;
        storage.setting_put("a", "1").await.unwrap();
        let transaction = storage.begin().await.unwrap();
        transaction.setting_put("a", "2").await.unwrap();
        assert_eq!(transaction.setting_find("a").await.unwrap().as_deref(), Some("2"));
        // Readers do not wait, and see what is committed.
        assert_eq!(storage.setting_find("a").await.unwrap().as_deref(), Some("1"));
        drop(transaction);
        assert_eq!(storage.setting_find("a").await.unwrap().as_deref(), Some("1"));
        let transaction = storage.begin().await.unwrap();
        transaction.setting_put("a", "3").await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(storage.setting_find("a").await.unwrap().as_deref(), Some("3"));
    }

    #[tokio::test]
    async fn a_part_of_a_transaction_can_fail_by_itself() {
        let storage = test_storage().await;
        let transaction = storage.begin().await.unwrap();
        transaction.user_insert(&user(1, "ada"), None).await.unwrap();
        let part = transaction.begin().await.unwrap();
        part.user_insert(&user(2, "bob"), None).await.unwrap();
        let twin = part.user_insert(&user(3, "ada"), None).await;
        assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
        drop(part);
        transaction.user_insert(&user(4, "eve"), None).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(storage.user_list("", 0, 9).await.unwrap(), [user(1, "ada"), user(4, "eve")]);
    }

    #[tokio::test]
    async fn a_transaction_that_is_still_used_cannot_be_committed() {
        let storage = test_storage().await;
        let transaction = storage.begin().await.unwrap();
        let copy = Storage::clone(&transaction);
        let committed = transaction.commit().await;
        assert!(matches!(committed, Err(StorageError::Engine(_))), "{committed:?}");
        drop(copy);
    }

    /// On SQLite a transaction that reads first and writes later fails with "database is locked" unless it takes the
    /// write lock at once. The second [`Storage`] is what another process would be.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn transactions_that_read_before_they_write_do_not_fail() {
        let storage = test_storage().await;
        let other = Storage::open(&storage.database.url).await.unwrap();
        storage.setting_put("0", "0").await.unwrap();
        let mut tasks = JoinSet::new();
        for number in 0..80 {
            let storage = Storage::clone(if number % 2 == 0 { &storage } else { &other });
            tasks.spawn(async move {
                let transaction = storage.begin().await?;
                let before: u32 = transaction.setting_find("0").await?.unwrap().parse().unwrap();
                transaction.setting_put("0", &(before + 1).to_string()).await?;
                transaction.commit().await
            });
        }
        for ended in tasks.join_all().await {
            ended.unwrap();
        }
        if storage.engine_name() == "SQLite" {
            assert_eq!(storage.setting_find("0").await.unwrap().as_deref(), Some("80"));
        }
    }
}
