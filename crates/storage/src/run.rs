//! Passes over repositories.

use crate::{
    Storage, StorageError, query,
    tables::run::{Column, Entity, FAILED, Model, RUNNING},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use stave_domain::{
    Timestamp,
    id::{RepositoryId, RunId},
    run::Run,
};
use uuid::Uuid;

impl Storage {
    /// A pass begins.
    pub async fn run_insert(&self, run: &Run) -> Result<(), StorageError> {
        query::insert(Model::from(run), &self.conn).await
    }

    /// A pass that is going on got further; one that has ended stays as it is.
    pub async fn run_progress(
        &self,
        id: RunId,
        phase: &str,
        done: u32,
        total: u32,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::Phase, query::value(phase))
            .col_expr(Column::Done, query::value(i64::from(done)))
            .col_expr(Column::Total, query::value(i64::from(total)))
            .filter(Column::Id.eq(Uuid::from(id)))
            .filter(Column::State.eq(RUNNING))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// A pass has ended: stores everything of the record.
    pub async fn run_finish(&self, run: &Run) -> Result<(), StorageError> {
        query::update(Model::from(run), &self.conn).await
    }

    /// The newest pass over a repository.
    pub async fn run_latest(&self, repository: RepositoryId) -> Result<Option<Run>, StorageError> {
        query::one(newest_first(repository).limit(1), &self.conn).await
    }

    /// The newest passes over a repository, newest first.
    pub async fn run_list(&self, repository: RepositoryId, limit: u64) -> Result<Vec<Run>, StorageError> {
        query::all(newest_first(repository).limit(limit), &self.conn).await
    }

    /// Forgets all passes over a repository but the newest `keep`.
    pub async fn run_prune(&self, repository: RepositoryId, keep: u64) -> Result<(), StorageError> {
        let kept = newest_first(repository).select_only().column(Column::Id).limit(keep).into_query();
        Entity::delete_many()
            .filter(Column::RepositoryId.eq(Uuid::from(repository)))
            .filter(Column::Id.not_in_subquery(kept))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Ends the passes that a crash left as if they were going on.
    pub async fn run_fail_running(
        &self,
        repository: RepositoryId,
        now: Timestamp,
        because: &str,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::State, query::value(FAILED))
            .col_expr(Column::EndedAt, query::value(now.as_millisecond()))
            .col_expr(Column::Because, query::value(because))
            .filter(Column::RepositoryId.eq(Uuid::from(repository)))
            .filter(Column::State.eq(RUNNING))
            .exec(&self.conn)
            .await?;
        Ok(())
    }
}

fn newest_first(repository: RepositoryId) -> Select<Entity> {
    Entity::find()
        .filter(Column::RepositoryId.eq(Uuid::from(repository)))
        .order_by_desc(Column::StartedAt)
        .order_by_desc(Column::Id)
}

#[cfg(test)]
mod tests {
    use crate::testing::{acme_mailer, at, id, test_storage};
    use stave_domain::{
        id::RepositoryId,
        run::{Run, RunLevel, RunLine, RunState},
    };

    fn run(number: u8, repository: RepositoryId) -> Run {
        let state = RunState::Running { phase: "Fetching".into(), done: 0, total: 0 };
        Run {
            id: id(number.into()),
            repository_id: repository,
            started_at: at(number.into()),
            state,
            lines: vec![],
        }
    }

    #[tokio::test]
    async fn a_run_shows_its_progress_and_then_its_log() {
        let storage = test_storage().await;
        acme_mailer(&storage).await;
        let mailer = id(1);
        assert_eq!(storage.run_latest(mailer).await.unwrap(), None);
        let mut run = run(1, mailer);
        storage.run_insert(&run).await.unwrap();
        storage.run_progress(run.id, "Reading tags", 3, 10).await.unwrap();
        run.state = RunState::Running { phase: "Reading tags".into(), done: 3, total: 10 };
        assert_eq!(storage.run_latest(mailer).await.unwrap().as_ref(), Some(&run));
        run.state = RunState::Done { at: at(9), changes: 2 };
        run.lines = vec![RunLine {
            level: RunLevel::Skipped,
            path: String::new(),
            subject: "v1.2".into(),
            message: "skipped, composer.json names acme/other".into(),
        }];
        storage.run_finish(&run).await.unwrap();
        storage.run_progress(run.id, "too late", 1, 1).await.unwrap();
        storage.run_fail_running(mailer, at(10), "Stave was stopped.").await.unwrap();
        assert_eq!(storage.run_latest(mailer).await.unwrap(), Some(run));
    }

    #[tokio::test]
    async fn a_crash_leaves_no_run_going_on() {
        let storage = test_storage().await;
        acme_mailer(&storage).await;
        let mailer = id(1);
        storage.run_insert(&run(1, mailer)).await.unwrap();
        storage.run_fail_running(id(77), at(3), "somebody else's").await.unwrap();
        assert_eq!(storage.run_latest(mailer).await.unwrap().unwrap().state, run(1, mailer).state);
        storage.run_fail_running(mailer, at(3), "Stave was stopped.").await.unwrap();
        let state = storage.run_latest(mailer).await.unwrap().unwrap().state;
        assert_eq!(state, RunState::Failed { at: at(3), because: "Stave was stopped.".into() });
    }

    #[tokio::test]
    async fn old_runs_are_forgotten() {
        let storage = test_storage().await;
        acme_mailer(&storage).await;
        let mailer = id(1);
        for number in 1..=5 {
            storage.run_insert(&run(number, mailer)).await.unwrap();
        }
        storage.run_prune(mailer, 2).await.unwrap();
        assert_eq!(storage.run_list(mailer, 9).await.unwrap(), [run(5, mailer), run(4, mailer)]);
        assert_eq!(storage.run_list(mailer, 1).await.unwrap(), [run(5, mailer)]);
    }
}
