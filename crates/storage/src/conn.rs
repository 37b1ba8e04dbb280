//! Where a statement goes: to a pool, or into a transaction.

use crate::StorageError;
use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Counts what this process wrote, so that an answer that was read before can be told from one that is still true.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes(Arc<AtomicU64>);

impl Changes {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Counts a change when it is dropped: after the statement, and also if whoever asked for it goes away meanwhile.
struct Counted<'a>(&'a Changes);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// Outside of a transaction, what reads goes to `readers` and everything else to `writer`. On SQLite the writer is one
/// connection, so writers wait their turn in a queue and never meet "database is locked"; on PostgreSQL both are one pool.
#[derive(Clone, Debug)]
pub(crate) enum Conn {
    Pool { readers: DatabaseConnection, writer: DatabaseConnection, changes: Changes },
    Transaction(Arc<DatabaseTransaction>, Changes),
}

impl Conn {
    /// A transaction that holds SQLite's write lock from the start; within a transaction, a savepoint.
    pub(crate) async fn begin(&self) -> Result<Self, StorageError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = match self {
            Self::Pool { writer, .. } => writer.begin_with_options(options).await?,
            Self::Transaction(outer, _) => outer.begin_with_options(options).await?,
        };
        Ok(Self::Transaction(Arc::new(transaction), self.changes().clone()))
    }

    pub(crate) async fn commit(self) -> Result<(), StorageError> {
        let changes = self.changes().clone();
        let _counted = Counted(&changes);
        let transaction = match self {
            Self::Transaction(transaction, _) => Arc::into_inner(transaction),
            Self::Pool { .. } => None,
        };
        let transaction = transaction.ok_or_else(|| {
            StorageError::engine("a transaction was committed while a copy of it was still in use")
        })?;
        Ok(transaction.commit().await?)
    }

    pub(crate) fn changes(&self) -> &Changes {
        match self {
            Self::Pool { changes, .. } | Self::Transaction(_, changes) => changes,
        }
    }

    /// What a statement changes outside of a transaction counts at its end; within one, at the commit.
    fn counted(&self) -> Option<Counted<'_>> {
        match self {
            Self::Pool { changes, .. } => Some(Counted(changes)),
            Self::Transaction(..) => None,
        }
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
            Conn::Transaction($target, _) => $call,
        }
    };
}

#[async_trait]
impl ConnectionTrait for Conn {
    fn get_database_backend(&self) -> DbBackend {
        route!(self, false, target => target.get_database_backend())
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let _counted = self.counted();
        route!(self, false, target => target.execute_raw(statement).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let _counted = self.counted();
        route!(self, false, target => target.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let reads = only_reads(&statement);
        let _counted = if reads { None } else { self.counted() };
        route!(self, reads, target => target.query_one_raw(statement).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let reads = only_reads(&statement);
        let _counted = if reads { None } else { self.counted() };
        route!(self, reads, target => target.query_all_raw(statement).await)
    }
}

/// A query can also be `UPDATE .. RETURNING`.
fn only_reads(statement: &Statement) -> bool {
    statement.sql.starts_with("SELECT")
}
