//! Work that waits or is being done.
//!
//! Two partial unique indexes carry the rule that per key at most one job waits and one runs; the statements below ask
//! nicely first, and where two of them meet at the same instant, the one that comes second asks again.

use crate::{
    Storage, StorageError, query,
    tables::job::{Column, Entity, Model, RUNNING, WAITING},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, UpdateMany,
    sea_query::{Alias, Expr, LockBehavior, LockType, OnConflict, Query, SelectStatement},
};
use stave_domain::{
    Timestamp,
    id::JobId,
    job::{CRASHES, ClaimedJob, Job, PendingJob},
};
use uuid::Uuid;

/// How often a statement that met another one asks again. Twice in a row is next to impossible.
const MEETINGS: usize = 5;

impl Storage {
    /// Puts a job in the queue. If one with the same key waits already, that one stays, and runs at the earlier of both
    /// instants.
    pub async fn job_enqueue(
        &self,
        id: JobId,
        job: &Job,
        run_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let row = Model {
            id: id.into(),
            key: job.key(),
            body: crate::tables::json_text(job),
            state: WAITING.to_owned(),
            attempt: 0,
            run_at: run_at.as_millisecond(),
            worker: None,
            lease_until: None,
            last_error: None,
            created_at: now.as_millisecond(),
        };
        Entity::insert(row.into_active_model())
            .on_conflict(wait_together())
            .exec_without_returning(&self.conn)
            .await?;
        Ok(())
    }

    /// The next job for a runner: the oldest that is due and whose key does not run, or that another runner left behind
    /// when its lease ended. It is the runner's until `lease_until`. No job and no key is ever given to two runners.
    pub async fn job_claim(
        &self,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<ClaimedJob>, StorageError> {
        let claim = Entity::update_many()
            .col_expr(Column::State, query::value(RUNNING))
            .col_expr(Column::Worker, query::value(worker))
            .col_expr(Column::LeaseUntil, query::value(lease_until.as_millisecond()))
            .col_expr(Column::Attempt, Expr::col(Column::Attempt).add(1_i64))
            .filter(Expr::col((Entity, Column::Id)).eq(next_due(now)));
        for _ in 0..MEETINGS {
            match claim.clone().exec_with_returning(&self.conn).await.map_err(StorageError::from) {
                Err(StorageError::Conflict) => {}
                Err(error) => return Err(error),
                Ok(rows) => return rows.into_iter().next().map(ClaimedJob::try_from).transpose(),
            }
        }
        Ok(None)
    }

    /// A runner needs longer; `false` if the job is no longer its own, and it has to stop.
    pub async fn job_renew(
        &self,
        id: JobId,
        worker: &str,
        lease_until: Timestamp,
    ) -> Result<bool, StorageError> {
        let renewed = Entity::update_many()
            .filter(is_owned_by(id, worker))
            .col_expr(Column::LeaseUntil, query::value(lease_until.as_millisecond()))
            .exec(&self.conn)
            .await?;
        Ok(renewed.rows_affected == 1)
    }

    /// A runner is done with a job, for good or ill: it leaves the queue, if it was still the runner's own.
    pub async fn job_done(&self, id: JobId, worker: &str) -> Result<(), StorageError> {
        Entity::delete_many().filter(is_owned_by(id, worker)).exec(&self.conn).await?;
        Ok(())
    }

    /// A try failed: the job waits for the next one, if it was still the runner's own. If another job with its key waits,
    /// that one will do, and this one leaves the queue.
    pub async fn job_retry(
        &self,
        id: JobId,
        worker: &str,
        run_at: Timestamp,
        error: &str,
    ) -> Result<(), StorageError> {
        let again = wait_again(id, worker, run_at).col_expr(Column::LastError, query::value(error));
        self.job_give_back(id, worker, again).await
    }

    /// A runner hands a job back unfinished, because it stops: the try does not count. If another job with its key
    /// waits, that one will do.
    pub async fn job_release(&self, id: JobId, worker: &str, now: Timestamp) -> Result<(), StorageError> {
        let again =
            wait_again(id, worker, now).col_expr(Column::Attempt, Expr::col(Column::Attempt).sub(1_i64));
        self.job_give_back(id, worker, again).await
    }

    /// A runner hands everything back that an earlier process of its name held when it died. The try counts, and a job that
    /// had [`CRASHES`] of them leaves the queue.
    pub async fn job_release_all(&self, worker: &str, now: Timestamp) -> Result<(), StorageError> {
        let held = Condition::all().add(Column::State.eq(RUNNING)).add(Column::Worker.eq(worker));
        let too_often = held.clone().add(Column::Attempt.gte(i64::from(CRASHES)));
        Entity::delete_many().filter(too_often).exec(&self.conn).await?;
        let left = Entity::find().filter(held).select_only().column(Column::Id).into_tuple::<Uuid>();
        for id in left.all(&self.conn).await? {
            let id = JobId::from(id);
            self.job_give_back(id, worker, wait_again(id, worker, now)).await?;
        }
        Ok(())
    }

    async fn job_give_back(
        &self,
        id: JobId,
        worker: &str,
        again: UpdateMany<Entity>,
    ) -> Result<(), StorageError> {
        let superseded =
            Entity::delete_many().filter(is_owned_by(id, worker)).filter(Expr::exists(same_key(WAITING)));
        for _ in 0..MEETINGS {
            if superseded.clone().exec(&self.conn).await?.rows_affected > 0 {
                return Ok(());
            }
            match again.clone().exec(&self.conn).await.map_err(StorageError::from) {
                Err(StorageError::Conflict) => {}
                given_back => return given_back.map(|_| ()),
            }
        }
        Err(StorageError::Conflict)
    }

    /// The jobs with a key, the running one first.
    pub async fn job_pending(&self, key: &str) -> Result<Vec<PendingJob>, StorageError> {
        // "running" comes before "waiting".
        query::all(Entity::find().filter(Column::Key.eq(key)).order_by_asc(Column::State), &self.conn).await
    }
}

/// What becomes of a job whose key waits already: the waiting one runs at the earlier of both instants.
fn wait_together() -> OnConflict {
    let known = || Expr::col((Entity, Column::RunAt));
    let new = || Expr::col((Alias::new("excluded"), Column::RunAt));
    let earlier = Expr::case(new().lt(known()), new()).finally(known());
    OnConflict::column(Column::Key)
        .target_and_where(Expr::col(Column::State).eq(Expr::cust("'waiting'")))
        .value(Column::RunAt, earlier)
        .to_owned()
}

/// The id of the job to claim next, if there is one.
fn next_due(now: Timestamp) -> SelectStatement {
    let now = now.as_millisecond();
    let due = Condition::all()
        .add(Column::State.eq(WAITING))
        .add(Column::RunAt.lte(now))
        .add(Expr::exists(same_key(RUNNING)).not());
    let left_behind = Condition::all().add(Column::State.eq(RUNNING)).add(Column::LeaseUntil.lte(now));
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Condition::any().add(due).add(left_behind))
        .order_by_asc(Column::RunAt)
        .order_by_asc(Column::Id)
        .limit(1)
        // PostgreSQL: runners step over each other's rows. On SQLite there is one writer, and SeaORM leaves this out.
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_query()
}

/// Another job in this state with the key of the job that is being looked at.
fn same_key(state: &str) -> SelectStatement {
    let other = || Alias::new("other");
    Query::select()
        .expr(Expr::val(1))
        .from_as(Entity, other())
        .and_where(Expr::col((other(), Column::Key)).equals((Entity, Column::Key)))
        .and_where(Expr::col((other(), Column::State)).eq(state))
        .take()
}

fn is_owned_by(id: JobId, worker: &str) -> Condition {
    Condition::all()
        .add(Column::Id.eq(Uuid::from(id)))
        .add(Column::State.eq(RUNNING))
        .add(Column::Worker.eq(worker))
}

fn wait_again(id: JobId, worker: &str, run_at: Timestamp) -> UpdateMany<Entity> {
    Entity::update_many()
        .filter(is_owned_by(id, worker))
        .col_expr(Column::State, query::value(WAITING))
        .col_expr(Column::RunAt, query::value(run_at.as_millisecond()))
        .col_expr(Column::Worker, query::value(None::<String>))
        .col_expr(Column::LeaseUntil, query::value(None::<i64>))
}

#[cfg(test)]
mod tests;
