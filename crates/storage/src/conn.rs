//! Where a statement goes: to a pool, or into a transaction.

use crate::{StorageError, touched::Touched};
use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Counts what this process wrote, so that an answer that was read before can be told from one that is still true.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: AtomicU64,
    of_passes: AtomicU64,
    of_readers: AtomicU64,
}

impl Changes {
    pub(crate) fn count(&self) -> u64 {
        self.0.all.load(Ordering::Acquire)
    }

    /// Those among them that [`touch passes`](Touched::passes).
    pub(crate) fn count_of_passes(&self) -> u64 {
        self.0.of_passes.load(Ordering::Acquire)
    }

    /// Those among them that [`touch readers`](Touched::readers).
    pub(crate) fn count_of_readers(&self) -> u64 {
        self.0.of_readers.load(Ordering::Acquire)
    }

    fn add(&self, touched: Touched) {
        if touched.passes {
            self.0.of_passes.fetch_add(1, Ordering::AcqRel);
        }
        if touched.readers {
            self.0.of_readers.fetch_add(1, Ordering::AcqRel);
        }
        self.0.all.fetch_add(1, Ordering::AcqRel);
    }
}

/// Counts a change when it is dropped: after the statement, and also if whoever asked for it goes away meanwhile.
struct Counted<'a> {
    ledger: Ledger<'a>,
    touched: Touched,
}

/// Where a change is counted: it lasts from now on, or from the commit on.
enum Ledger<'a> {
    Now(&'a Changes),
    AtCommit(&'a TouchedSoFar),
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        match self.ledger {
            Ledger::Now(changes) => changes.add(self.touched),
            Ledger::AtCommit(so_far) => so_far.add(self.touched),
        }
    }
}

/// What the statements of a transaction touched so far.
#[derive(Debug, Default)]
pub(crate) struct TouchedSoFar {
    passes: AtomicBool,
    readers: AtomicBool,
}

impl TouchedSoFar {
    fn add(&self, touched: Touched) {
        self.passes.fetch_or(touched.passes, Ordering::AcqRel);
        self.readers.fetch_or(touched.readers, Ordering::AcqRel);
    }

    fn all(&self) -> Touched {
        Touched { passes: self.passes.load(Ordering::Acquire), readers: self.readers.load(Ordering::Acquire) }
    }
}

/// Outside of a transaction, what reads goes to `readers` and everything else to `writer`. On SQLite the writer is one
/// connection, so writers wait their turn in a queue and never meet "database is locked"; on PostgreSQL both are one pool.
#[derive(Clone, Debug)]
pub(crate) enum Conn {
    Pool { readers: DatabaseConnection, writer: DatabaseConnection, changes: Changes },
    Transaction { open: Arc<DatabaseTransaction>, changes: Changes, touched: Arc<TouchedSoFar> },
}

impl Conn {
    /// A transaction that holds SQLite's write lock from the start; within a transaction, a savepoint.
    pub(crate) async fn begin(&self) -> Result<Self, StorageError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let (begun, touched) = match self {
            Self::Pool { writer, .. } => (writer.begin_with_options(options).await?, Arc::default()),
            // What happens within a savepoint lasts when the outer transaction does: both remember it in one place.
            Self::Transaction { open, touched, .. } => {
                (open.begin_with_options(options).await?, Arc::clone(touched))
            }
        };
        Ok(Self::Transaction { open: Arc::new(begun), changes: self.changes().clone(), touched })
    }

    pub(crate) async fn commit(self) -> Result<(), StorageError> {
        let changes = self.changes().clone();
        let (open, touched) = match self {
            Self::Transaction { open, touched, .. } => (Arc::into_inner(open), touched.all()),
            Self::Pool { .. } => (None, Touched::default()),
        };
        let _counted = Counted { ledger: Ledger::Now(&changes), touched };
        let open = open.ok_or_else(|| {
            StorageError::engine("a transaction was committed while a copy of it was still in use")
        })?;
        Ok(open.commit().await?)
    }

    pub(crate) fn changes(&self) -> &Changes {
        match self {
            Self::Pool { changes, .. } | Self::Transaction { changes, .. } => changes,
        }
    }

    /// What a statement changes outside of a transaction counts at its end; within one, at the commit.
    fn counted(&self, sql: &str) -> Counted<'_> {
        let ledger = match self {
            Self::Pool { changes, .. } => Ledger::Now(changes),
            Self::Transaction { touched, .. } => Ledger::AtCommit(touched),
        };
        Counted { ledger, touched: Touched::by(sql) }
    }

    /// The writer last: it is the last connection to a SQLite file that folds the log into it.
    pub(crate) async fn close(&self) -> Result<(), StorageError> {
        if let Self::Pool { readers, writer, .. } = self {
            readers.close_by_ref().await?;
            writer.close_by_ref().await?;
        }
        Ok(())
    }
}

/// Passes a statement on to whoever it belongs to.
macro_rules! route {
    ($conn:expr, $reads:expr, $target:ident => $call:expr) => {
        match $conn {
            Conn::Pool { readers: $target, .. } if $reads => $call,
            Conn::Pool { writer: $target, .. } => $call,
            Conn::Transaction { open: $target, .. } => $call,
        }
    };
}

#[async_trait]
impl ConnectionTrait for Conn {
    fn get_database_backend(&self) -> DbBackend {
        route!(self, false, target => target.get_database_backend())
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut counted = self.counted(&statement.sql);
        let done = route!(self, false, target => target.execute_raw(statement).await)?;
        if done.rows_affected() == 0 {
            // A sweep that found nothing, every minute, makes nobody's pass another.
            counted.touched = Touched::default();
        }
        Ok(done)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let _counted = self.counted(sql);
        route!(self, false, target => target.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let reads = only_reads(&statement);
        let _counted = (!reads).then(|| self.counted(&statement.sql));
        route!(self, reads, target => target.query_one_raw(statement).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let reads = only_reads(&statement);
        let _counted = (!reads).then(|| self.counted(&statement.sql));
        route!(self, reads, target => target.query_all_raw(statement).await)
    }
}

/// A query can also be `UPDATE .. RETURNING`.
fn only_reads(statement: &Statement) -> bool {
    statement.sql.starts_with("SELECT")
}
