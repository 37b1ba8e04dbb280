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
    QueryTrait, Select, UpdateMany,
    sea_query::{Alias, Expr, LockBehavior, LockType, OnConflict, Query, SelectStatement},
};
use stave_domain::{
    Timestamp,
    id::{JobId, OrganizationId},
    job::{CRASHES, ClaimedJob, Job, ListedJob, NewJob, PendingJob, Progress},
};
use uuid::Uuid;

/// How often a statement that met another one asks again. Twice in a row is next to impossible.
const MEETINGS: usize = 5;
/// So many jobs are looked at to find one that is busy and known.
const BUSY_LOOKED_AT: u64 = 8;

impl Storage {
    /// Puts a job in the queue. If one with the same key waits already, that one stays, and runs at the earlier of both
    /// instants, and as the more urgent of both.
    pub async fn job_enqueue(&self, new: &NewJob) -> Result<(), StorageError> {
        Entity::insert(Model::from(new).into_active_model())
            .on_conflict(wait_together())
            .exec_without_returning(&self.conn)
            .await?;
        Ok(())
    }

    /// The next job for a runner: the most urgent that is due, of those the oldest, and whose key does not run, or that another runner left behind
    /// when its lease ended. It is the runner's until `lease_until`. No job and no key is ever given to two runners.
    pub async fn job_claim(
        &self,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<ClaimedJob>, StorageError> {
        let claim = not_begun()
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

    /// A running job says how far it is.
    pub async fn job_progress(&self, id: JobId, progress: &Progress) -> Result<(), StorageError> {
        progressed(progress)
            .filter(Column::Id.eq(Uuid::from(id)))
            .filter(Column::State.eq(RUNNING))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// A waiting job may run now; `false` if it is gone or runs already.
    pub async fn job_hasten(&self, id: JobId, now: Timestamp) -> Result<bool, StorageError> {
        let now = now.as_millisecond();
        let earlier = Expr::case(Expr::col(Column::RunAt).gt(now), now).finally(Expr::col(Column::RunAt));
        let hastened = Entity::update_many()
            .col_expr(Column::RunAt, earlier.into())
            .filter(Column::Id.eq(Uuid::from(id)))
            .filter(Column::State.eq(WAITING))
            .exec(&self.conn)
            .await?;
        Ok(hastened.rows_affected == 1)
    }

    /// The job with this id.
    pub async fn job_find(&self, id: JobId) -> Result<Option<ListedJob>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// The first jobs of an organization, or of all, the installation's too: those that run first, then the next to run.
    /// Jobs that only a newer Stave knows are left out.
    pub async fn job_list(
        &self,
        organization: Option<OrganizationId>,
        limit: u64,
    ) -> Result<Vec<ListedJob>, StorageError> {
        let mut jobs = Entity::find();
        if let Some(id) = organization {
            jobs = jobs.filter(Column::OrganizationId.eq(Uuid::from(id)));
        }
        known(next_first(jobs).limit(limit).all(&self.conn).await?).collect()
    }

    /// The job of an organization that runs, or else one that is due: of several that run one that says how far it is.
    pub async fn job_busy(
        &self,
        organization: OrganizationId,
        now: Timestamp,
    ) -> Result<Option<ListedJob>, StorageError> {
        let busy =
            Condition::any().add(Column::State.eq(RUNNING)).add(Column::RunAt.lte(now.as_millisecond()));
        let jobs = Entity::find()
            .filter(Column::OrganizationId.eq(Uuid::from(organization)))
            .filter(busy)
            .order_by_desc(Column::Total.gt(0));
        known(next_first(jobs).limit(BUSY_LOOKED_AT).all(&self.conn).await?).next().transpose()
    }

    /// The jobs with a key, the running one first.
    pub async fn job_pending(&self, key: &str) -> Result<Vec<PendingJob>, StorageError> {
        query::all(next_first(Entity::find().filter(Column::Key.eq(key))), &self.conn).await
    }
}

/// The running ones first, since "running" comes before "waiting".
fn next_first(jobs: Select<Entity>) -> Select<Entity> {
    jobs.order_by_asc(Column::State).order_by_asc(Column::RunAt).order_by_asc(Column::Id)
}

/// The jobs that this Stave knows: what a newer one put in the queue is its own to show.
fn known(rows: Vec<Model>) -> impl Iterator<Item = Result<ListedJob, StorageError>> {
    let is_known = |row: &Model| serde_json::from_str::<Job>(&row.body).is_ok();
    rows.into_iter().filter(is_known).map(ListedJob::try_from)
}

/// What becomes of a job whose key waits already: the waiting one runs at the earlier of both instants.
fn wait_together() -> OnConflict {
    let known = || Expr::col((Entity, Column::RunAt));
    let new = || Expr::col((Alias::new("excluded"), Column::RunAt));
    let earlier = Expr::case(new().lt(known()), new()).finally(known());
    let (known, new) =
        (Expr::col((Entity, Column::Urgency)), Expr::col((Alias::new("excluded"), Column::Urgency)));
    let sooner = Expr::case(new.clone().lt(known.clone()), new).finally(known);
    OnConflict::column(Column::Key)
        .target_and_where(Expr::col(Column::State).eq(Expr::cust("'waiting'")))
        .value(Column::RunAt, earlier)
        .value(Column::Urgency, sooner)
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
        .order_by_asc(Column::Urgency)
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

/// What a job says that is far or not.
fn progressed(progress: &Progress) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::Phase, query::value(&progress.phase))
        .col_expr(Column::Done, query::value(i64::from(progress.done)))
        .col_expr(Column::Total, query::value(i64::from(progress.total)))
}

/// A try begins from the beginning.
fn not_begun() -> UpdateMany<Entity> {
    progressed(&Progress::default())
}

fn wait_again(id: JobId, worker: &str, run_at: Timestamp) -> UpdateMany<Entity> {
    not_begun()
        .filter(is_owned_by(id, worker))
        .col_expr(Column::State, query::value(WAITING))
        .col_expr(Column::RunAt, query::value(run_at.as_millisecond()))
        .col_expr(Column::Worker, query::value(None::<String>))
        .col_expr(Column::LeaseUntil, query::value(None::<i64>))
}

mod count;
#[cfg(test)]
mod tests;
