//! Where a statement goes: to a pool, or into a transaction; and what is told of it.

use crate::{
    StorageError,
    change::{About, Changes, Notice},
    listener::{CHANNEL, Listener},
};
use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use std::sync::{Arc, Mutex, PoisonError};

/// Tells of a change when it is dropped: after the statement, and also if whoever asked for it goes away meanwhile.
struct Told<'a> {
    ledger: Ledger<'a>,
    notice: Notice,
}

/// Where a change is told: it lasts from now on, or from the commit on.
enum Ledger<'a> {
    Now(&'a Changes),
    AtCommit(&'a Mutex<Notice>),
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        let notice = std::mem::take(&mut self.notice);
        match self.ledger {
            _ if notice.is_empty() => {}
            Ledger::Now(changes) => changes.tell(&notice),
            Ledger::AtCommit(so_far) => so_far.lock().unwrap_or_else(PoisonError::into_inner).add(notice),
        }
    }
}

/// Where statements go.
#[derive(Clone, Debug)]
pub(crate) struct Conn {
    way: Way,
    changes: Changes,
    about: About,
}

/// Outside of a transaction, what reads goes to `readers` and everything else to `writer`. On SQLite the writer is one
/// connection, so writers wait their turn in a queue and never meet "database is locked"; on PostgreSQL both are one pool.
#[derive(Clone, Debug)]
enum Way {
    Pool {
        readers: DatabaseConnection,
        writer: DatabaseConnection,
        listener: Option<Arc<Listener>>,
    },
    Transaction {
        open: Arc<DatabaseTransaction>,
        /// What its statements wrote so far, those of its parts too.
        so_far: Arc<Mutex<Notice>>,
        /// Whether it is a part of another one, with which it lasts.
        is_part: bool,
    },
}

impl Conn {
    /// A SQLite file, which has one process.
    pub(crate) fn alone(readers: DatabaseConnection, writer: DatabaseConnection) -> Self {
        let way = Way::Pool { readers, writer, listener: None };
        Self { way, changes: Changes::default(), about: About::Anything }
    }

    /// A database on which several processes work.
    pub(crate) fn shared(pool: DatabaseConnection, changes: Changes, listener: Listener) -> Self {
        let way = Way::Pool { readers: pool.clone(), writer: pool, listener: Some(Arc::new(listener)) };
        Self { way, changes, about: About::Anything }
    }

    /// The same for statements that are about this and nothing else, so that nothing else counts as changed.
    pub(crate) fn about(&self, about: About) -> Self {
        Self { about, ..self.clone() }
    }

    /// A transaction that holds SQLite's write lock from the start; within a transaction, a savepoint.
    pub(crate) async fn begin(&self) -> Result<Self, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let way = match &self.way {
            Way::Pool { writer, .. } => {
                let open = Arc::new(writer.begin_with_options(options).await?);
                Way::Transaction { open, so_far: Arc::default(), is_part: false }
            }
            Way::Transaction { open, so_far, .. } => {
                let open = Arc::new(open.begin_with_options(options).await?);
                Way::Transaction { open, so_far: Arc::clone(so_far), is_part: true }
            }
        };
        Ok(Self { way, changes: self.changes.clone(), about: self.about.clone() })
    }

    pub(crate) async fn commit(self) -> Result<(), StorageError> {
        let Way::Transaction { open, so_far, is_part } = self.way else { return Err(still_used()) };
        let open = Arc::into_inner(open).ok_or_else(still_used)?;
        if is_part {
            return Ok(open.commit().await?);
        }
        let notice = std::mem::take(&mut *so_far.lock().unwrap_or_else(PoisonError::into_inner));
        if open.get_database_backend() == DbBackend::Postgres && !notice.is_empty() {
            let values = [CHANNEL.into(), self.changes.letter(&notice).into()];
            let notify = "SELECT pg_notify($1, $2)";
            open.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, notify, values)).await?;
        }
        let _told = Told { ledger: Ledger::Now(&self.changes), notice };
        Ok(open.commit().await?)
    }

    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// What a statement changes outside of a transaction is told at its end; within one, at the commit.
    fn told(&self, sql: &str) -> Told<'_> {
        let ledger = match &self.way {
            Way::Pool { .. } => Ledger::Now(&self.changes),
            Way::Transaction { so_far, .. } => Ledger::AtCommit(so_far),
        };
        Told { ledger, notice: Notice::of(sql, &self.about) }
    }

    /// Whether a statement needs a transaction of its own, because others are to hear of it if and only if it lasts.
    fn is_news(&self, sql: &str) -> bool {
        let is_among_others = matches!(&self.way, Way::Pool { listener: Some(_), .. });
        is_among_others && !Notice::of(sql, &self.about).is_empty()
    }

    /// The writer last: it is the last connection to a SQLite file that folds the log into it.
    pub(crate) async fn close(&self) -> Result<(), StorageError> {
        if let Way::Pool { readers, writer, listener } = &self.way {
            if let Some(listener) = listener {
                listener.stop();
            }
            readers.close_by_ref().await?;
            writer.close_by_ref().await?;
        }
        Ok(())
    }
}

fn still_used() -> StorageError {
    StorageError::engine("a transaction was committed while a copy of it was still in use")
}

/// Passes a statement on to whoever it belongs to.
macro_rules! route {
    ($conn:expr, $reads:expr, $target:ident => $call:expr) => {
        match &$conn.way {
            Way::Pool { readers: $target, .. } if $reads => $call,
            Way::Pool { writer: $target, .. } => $call,
            Way::Transaction { open: $target, .. } => $call,
        }
    };
}

/// Sends a statement in a transaction of its own.
macro_rules! alone {
    ($conn:expr, $open:ident => $call:expr) => {{
        let $open = $conn.begin().await?;
        let done = $call.await?;
        $open.commit().await.map_err(|error| DbErr::Custom(error.to_string()))?;
        Ok(done)
    }};
}

#[async_trait]
impl ConnectionTrait for Conn {
    fn get_database_backend(&self) -> DbBackend {
        route!(self, false, target => target.get_database_backend())
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        if self.is_news(&statement.sql) {
            return alone!(self, open => open.execute_raw(statement));
        }
        let mut told = self.told(&statement.sql);
        let done = route!(self, false, target => target.execute_raw(statement).await)?;
        if done.rows_affected() == 0 {
            // A sweep that found nothing, every minute, makes nobody's pass another.
            told.notice = Notice::default();
        }
        Ok(done)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        if self.is_news(sql) {
            return alone!(self, open => open.execute_unprepared(sql));
        }
        let _told = self.told(sql);
        route!(self, false, target => target.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let reads = only_reads(&statement);
        if !reads && self.is_news(&statement.sql) {
            return alone!(self, open => open.query_one_raw(statement));
        }
        let _told = (!reads).then(|| self.told(&statement.sql));
        route!(self, reads, target => target.query_one_raw(statement).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let reads = only_reads(&statement);
        if !reads && self.is_news(&statement.sql) {
            return alone!(self, open => open.query_all_raw(statement));
        }
        let _told = (!reads).then(|| self.told(&statement.sql));
        route!(self, reads, target => target.query_all_raw(statement).await)
    }
}

/// A query can also be `UPDATE .. RETURNING`.
fn only_reads(statement: &Statement) -> bool {
    statement.sql.starts_with("SELECT")
}
