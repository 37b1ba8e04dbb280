//! Repositories of workspaces that are followed, also those that are no packages.

use crate::{
    Storage, StorageError, query,
    tables::{
        Row,
        remote_repository::{Column, Entity, Model, choice_key, manifest, manifest_key},
    },
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, UpdateMany,
};
use stave_domain::{
    Timestamp,
    id::SynchronizationId,
    repository::Followed,
    synchronization::{Choice, KnownRepository, Manifest},
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// How many repositories a workspace has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RepositoryCounts {
    /// Those that are remembered.
    pub all: u64,
    /// Those with a composer.json.
    pub present: u64,
    /// Those without one.
    pub absent: u64,
    /// Those at which nobody looked yet, or that have changed since.
    pub unknown: u64,
    /// Those at which nobody could look.
    pub with_problem: u64,
}

impl Storage {
    /// The repositories that a synchronization remembers, by number.
    pub async fn remote_repository_list(
        &self,
        synchronization: SynchronizationId,
    ) -> Result<Vec<KnownRepository>, StorageError> {
        query::all(of(synchronization).order_by_asc(Column::Number), &self.conn).await
    }

    /// A page of them by their names in addresses; an empty search finds all, any other looks into both names and the project.
    pub async fn remote_repository_page(
        &self,
        synchronization: SynchronizationId,
        search: &str,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<KnownRepository>, StorageError> {
        let found = of(synchronization).filter(query::contains(Column::Search, search));
        let page = found.order_by_asc(Column::Slug).order_by_asc(Column::Number).offset(offset).limit(limit);
        query::all(page, &self.conn).await
    }

    /// The repository of this number.
    pub async fn remote_repository_find(
        &self,
        synchronization: SynchronizationId,
        number: u32,
    ) -> Result<Option<KnownRepository>, StorageError> {
        query::one(of(synchronization).filter(Column::Number.eq(i64::from(number))), &self.conn).await
    }

    /// The repository that the platform knows by this id.
    pub async fn remote_repository_find_by_external(
        &self,
        synchronization: SynchronizationId,
        external_id: &str,
    ) -> Result<Option<KnownRepository>, StorageError> {
        query::one(of(synchronization).filter(Column::ExternalId.eq(external_id)), &self.conn).await
    }

    /// The repositories in which a composer.json is to be looked for: those at which nobody has looked, those that have changed
    /// since, those at which nobody could look, and, where the platform does not say when a repository changed, those that had
    /// none before an instant. Not those that somebody does not want. At most `limit`: what was never looked at first, then what
    /// was not looked at for the longest time.
    pub async fn remote_repository_list_unlooked(
        &self,
        synchronization: SynchronizationId,
        looked_before: Timestamp,
        limit: u64,
    ) -> Result<Vec<KnownRepository>, StorageError> {
        let may_have_one_now = Condition::all()
            .add(Column::Manifest.eq(manifest_key(Manifest::Absent)))
            .add(Column::ChangedAt.is_null())
            .add(Column::LookedAt.lt(looked_before.as_millisecond()));
        let is_unknown = Column::Manifest.eq(manifest_key(Manifest::Unknown));
        let unlooked = of(synchronization)
            .filter(Column::Choice.ne(choice_key(Choice::Unwanted)))
            .filter(Condition::any().add(is_unknown).add(may_have_one_now))
            .order_by_desc(Column::LookedAt.is_null())
            .order_by_asc(Column::LookedAt)
            .order_by_asc(Column::Number);
        query::all(unlooked.limit(limit), &self.conn).await
    }

    /// How many repositories a synchronization remembers.
    pub async fn remote_repository_counts(
        &self,
        synchronization: SynchronizationId,
    ) -> Result<RepositoryCounts, StorageError> {
        let groups: Vec<(String, i64, i64)> = of(synchronization)
            .select_only()
            .column(Column::Manifest)
            .column_as(Column::Number.count(), "all")
            .column_as(Column::Problem.count(), "with_problem")
            .group_by(Column::Manifest)
            .into_tuple()
            .all(&self.conn)
            .await?;
        let row = Row::of("remote_repository", synchronization);
        let mut counts = RepositoryCounts::default();
        for (text, all, with_problem) in groups {
            let all = row.number("number", all)?;
            counts.all += all;
            counts.with_problem += row.number::<u64>("problem", with_problem)?;
            match manifest(&row, &text)? {
                Manifest::Present => counts.present = all,
                Manifest::Absent => counts.absent = all,
                Manifest::Unknown => counts.unknown = all,
            }
        }
        Ok(counts)
    }

    /// Stores everything of these records; those that are new are remembered from now on. `Conflict` if the synchronization
    /// remembers one of them under another number.
    pub async fn remote_repository_put_many(
        &self,
        synchronization: SynchronizationId,
        repositories: &[KnownRepository],
    ) -> Result<(), StorageError> {
        let rows = repositories.iter().map(|known| Model::from((synchronization, known))).collect();
        query::insert_many(rows, query::replace::<Entity>(), self).await
    }

    /// Notes what somebody found who looked for a composer.json, and why nobody could. A repository that is gone stays gone.
    pub async fn remote_repository_looked(
        &self,
        which: Followed,
        manifest: Manifest,
        at: Timestamp,
        problem: Option<&str>,
    ) -> Result<(), StorageError> {
        change(which)
            .col_expr(Column::Manifest, query::value(manifest_key(manifest)))
            .col_expr(Column::LookedAt, query::value(at.as_millisecond()))
            .col_expr(Column::Problem, query::value(problem.map(str::to_owned)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Somebody decided about a repository. `Detached` if the synchronization remembers none of this number.
    pub async fn remote_repository_choose(
        &self,
        synchronization: SynchronizationId,
        number: u32,
        choice: Choice,
    ) -> Result<(), StorageError> {
        let which = Followed { synchronization_id: synchronization, number };
        let chosen = change(which).col_expr(Column::Choice, query::value(choice_key(choice)));
        query::one_changed(&chosen.exec(&self.conn).await?)
    }

    /// Forgets these repositories.
    pub async fn remote_repository_delete_many(
        &self,
        synchronization: SynchronizationId,
        numbers: &BTreeSet<u32>,
    ) -> Result<(), StorageError> {
        for numbers in query::batches(numbers.iter().copied().map(i64::from)) {
            Entity::delete_many()
                .filter(Column::SynchronizationId.eq(Uuid::from(synchronization)))
                .filter(Column::Number.is_in(numbers))
                .exec(&self.conn)
                .await?;
        }
        Ok(())
    }
}

fn of(synchronization: SynchronizationId) -> Select<Entity> {
    Entity::find().filter(Column::SynchronizationId.eq(Uuid::from(synchronization)))
}

fn change(which: Followed) -> UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::SynchronizationId.eq(Uuid::from(which.synchronization_id)))
        .filter(Column::Number.eq(i64::from(which.number)))
}

#[cfg(test)]
mod tests;
