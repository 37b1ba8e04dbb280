//! Where a statement goes: to a pool, or into a transaction.

use crate::StorageError;
use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// The tables that decide whether a visitor with a pass may see a page behind a proxy, with all that lead to them by deletion.
/// A name is quoted in a statement, so it is not found in a longer one.
const PASS_TABLES: [&str; 6] = [
    "\"website\"",
    "\"website_member\"",
    "\"website_login\"",
    "\"website_pass\"",
    "\"organization\"",
    "\"integration\"",
];
/// How the statement begins with which a browser shows a sign of life.
const SIGN_OF_LIFE: &str = "UPDATE \"website_login\" SET \"seen_at\"";

/// Counts what this process wrote, so that an answer that was read before can be told from one that is still true.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: AtomicU64,
    of_passes: AtomicU64,
}

impl Changes {
    pub(crate) fn count(&self) -> u64 {
        self.0.all.load(Ordering::Acquire)
    }

    /// Those among them that [`changes_passes`].
    pub(crate) fn count_of_passes(&self) -> u64 {
        self.0.of_passes.load(Ordering::Acquire)
    }
}

/// Counts a change when it is dropped: after the statement, and also if whoever asked for it goes away meanwhile.
struct Counted<'a> {
    changes: &'a Changes,
    of_passes: bool,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let counts = &self.changes.0;
        if self.of_passes {
            counts.of_passes.fetch_add(1, Ordering::AcqRel);
        }
        counts.all.fetch_add(1, Ordering::AcqRel);
    }
}

/// Outside of a transaction, what reads goes to `readers` and everything else to `writer`. On SQLite the writer is one
/// connection, so writers wait their turn in a queue and never meet "database is locked"; on PostgreSQL both are one pool.
#[derive(Clone, Debug)]
pub(crate) enum Conn {
    Pool { readers: DatabaseConnection, writer: DatabaseConnection, changes: Changes },
    Transaction { open: Arc<DatabaseTransaction>, changes: Changes, of_passes: Arc<AtomicBool> },
}

impl Conn {
    /// A transaction that holds SQLite's write lock from the start; within a transaction, a savepoint.
    pub(crate) async fn begin(&self) -> Result<Self, StorageError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let (begun, of_passes) = match self {
            Self::Pool { writer, .. } => (writer.begin_with_options(options).await?, Arc::default()),
            // What happens within a savepoint lasts when the outer transaction does: both remember it in one place.
            Self::Transaction { open, of_passes, .. } => {
                (open.begin_with_options(options).await?, Arc::clone(of_passes))
            }
        };
        Ok(Self::Transaction { open: Arc::new(begun), changes: self.changes().clone(), of_passes })
    }

    pub(crate) async fn commit(self) -> Result<(), StorageError> {
        let changes = self.changes().clone();
        let (open, of_passes) = match self {
            Self::Transaction { open, of_passes, .. } => {
                (Arc::into_inner(open), of_passes.load(Ordering::Acquire))
            }
            Self::Pool { .. } => (None, false),
        };
        let _counted = Counted { changes: &changes, of_passes };
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
    fn counted(&self, sql: &str) -> Option<Counted<'_>> {
        let touches = changes_passes(sql);
        match self {
            Self::Pool { changes, .. } => Some(Counted { changes, of_passes: touches }),
            Self::Transaction { of_passes, .. } => {
                of_passes.fetch_or(touches, Ordering::AcqRel);
                None
            }
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
        if let Some(counted) = &mut counted {
            // A sweep that found nothing, every minute, makes nobody's pass another.
            counted.of_passes &= done.rows_affected() > 0;
        }
        Ok(done)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let _counted = self.counted(sql);
        route!(self, false, target => target.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let reads = only_reads(&statement);
        let _counted = if reads { None } else { self.counted(&statement.sql) };
        route!(self, reads, target => target.query_one_raw(statement).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let reads = only_reads(&statement);
        let _counted = if reads { None } else { self.counted(&statement.sql) };
        route!(self, reads, target => target.query_all_raw(statement).await)
    }
}

/// A query can also be `UPDATE .. RETURNING`.
fn only_reads(statement: &Statement) -> bool {
    statement.sql.starts_with("SELECT")
}

/// Whether a statement can make a decision about a pass wrong that was right before. A new row cannot: nobody has a pass that
/// hangs on it yet. A sign of life cannot either: it only lets a login live on, and it comes once a minute from every browser, so
/// whatever it made forgotten would never be remembered.
fn changes_passes(sql: &str) -> bool {
    let is_new_row = sql.starts_with("INSERT") && !sql.contains("ON CONFLICT");
    let is_sign_of_life = sql.starts_with(SIGN_OF_LIFE) && !sql.contains(',');
    !is_new_row && !is_sign_of_life && PASS_TABLES.iter().any(|table| sql.contains(table))
}

#[cfg(test)]
mod tests {
    use super::changes_passes;

    #[test]
    fn what_may_make_a_decision_wrong() {
        for (sql, counts) in [
            (r#"UPDATE "website_login" SET "seen_at" = ? WHERE "website_login"."id" = ?"#, false),
            (r#"UPDATE "website_login" SET "seen_at" = ?, "member_id" = ? WHERE "id" = ?"#, true),
            (r#"INSERT INTO "website_login" ("id") VALUES (?)"#, false),
            (
                r#"INSERT INTO "website_login" ("id") VALUES (?) ON CONFLICT ("id") DO UPDATE SET "id" = ?"#,
                true,
            ),
            (r#"DELETE FROM "website_pass" WHERE "secret_hash" = ?"#, true),
            (r#"DELETE FROM "website_trip""#, false),
            (r#"UPDATE "organization" SET "name" = ?"#, true),
        ] {
            assert_eq!(changes_passes(sql), counts, "{sql}");
        }
    }
}
