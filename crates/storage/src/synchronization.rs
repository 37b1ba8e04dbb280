//! The standing arrangements by which organizations follow workspaces, and how they fare.

use crate::{
    Storage, StorageError, query,
    tables::{
        Row, json_text,
        synchronization::{ACTIVE, ActiveModel, Column, Entity, Model, WithCondition},
    },
};
use sea_orm::{
    ActiveValue::NotSet,
    ColumnTrait, Condition as Where, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, UpdateMany,
    sea_query::{Expr, Func},
};
use stave_domain::{
    Timestamp,
    id::{CredentialId, IdentityId, IntegrationId, OrganizationId, SynchronizationId},
    synchronization::{Condition, Preview, Synchronization},
};
use uuid::Uuid;

impl Storage {
    /// A new synchronization, which no run has been through. `Conflict` if the organization follows this workspace already.
    pub async fn synchronization_insert(&self, new: &Synchronization) -> Result<(), StorageError> {
        query::insert(Model::from(new), &self.conn).await
    }

    /// The synchronization with this id.
    pub async fn synchronization_find(
        &self,
        id: SynchronizationId,
    ) -> Result<Option<Synchronization>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// A synchronization that nobody else changes until the transaction ends, so that what is written follows from what was
    /// read.
    pub async fn synchronization_lock(
        &self,
        id: SynchronizationId,
    ) -> Result<Option<Synchronization>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)).lock_exclusive(), &self.conn).await
    }

    /// The synchronizations of an organization and how they fare: the primary one first, then by the workspace's key.
    pub async fn synchronization_list(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(Synchronization, Condition)>, StorageError> {
        let found = synchronizations_of(organization).order_by_desc(Column::IsPrimary);
        self.synchronization_list_with_condition(by_key(found)).await
    }

    /// How many synchronizations an organization has, drafts included.
    pub async fn synchronization_count(&self, organization: OrganizationId) -> Result<u64, StorageError> {
        Ok(synchronizations_of(organization).count(&self.conn).await?)
    }

    /// The synchronizations at an integration, by the workspace's key.
    pub async fn synchronization_list_of_integration(
        &self,
        integration: IntegrationId,
    ) -> Result<Vec<Synchronization>, StorageError> {
        let found = Entity::find().filter(Column::IntegrationId.eq(Uuid::from(integration)));
        query::all(by_key(found), &self.conn).await
    }

    /// The synchronizations that ask with a stored credential, by the workspace's key.
    pub async fn synchronization_list_of_credential(
        &self,
        credential: CredentialId,
    ) -> Result<Vec<Synchronization>, StorageError> {
        let found = Entity::find().filter(Column::CredentialId.eq(Uuid::from(credential)));
        query::all(by_key(found), &self.conn).await
    }

    /// The synchronizations that ask with the rights of a connected account, by the workspace's key.
    pub async fn synchronization_list_of_identity(
        &self,
        identity: IdentityId,
    ) -> Result<Vec<Synchronization>, StorageError> {
        let found = Entity::find().filter(Column::IdentityId.eq(Uuid::from(identity)));
        query::all(by_key(found), &self.conn).await
    }

    /// All synchronizations that are active, of all organizations, the oldest first.
    pub async fn synchronization_list_active(&self) -> Result<Vec<Synchronization>, StorageError> {
        let found = active().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
        query::all(found, &self.conn).await
    }

    /// The active synchronizations whose next run is due, at `now` itself too, or was never set, those first: at most `limit`.
    pub async fn synchronization_list_due(
        &self,
        now: Timestamp,
        limit: u64,
    ) -> Result<Vec<Synchronization>, StorageError> {
        let never = Column::NextAt.is_null();
        let over = Column::NextAt.lte(now.as_millisecond());
        let due = active().filter(Where::any().add(never.clone()).add(over));
        let first = due.order_by_desc(never).order_by_asc(Column::NextAt).order_by_asc(Column::Id);
        query::all(first.limit(limit), &self.conn).await
    }

    /// The active synchronizations of which no run came to its end since `before` or longer, and of which nobody was told yet;
    /// the longest first.
    pub async fn synchronization_list_failing_since(
        &self,
        before: Timestamp,
    ) -> Result<Vec<(Synchronization, Condition)>, StorageError> {
        let found = active()
            .filter(Column::FailingSince.lte(before.as_millisecond()))
            .filter(Column::ToldAt.is_null())
            .order_by_asc(Column::FailingSince)
            .order_by_asc(Column::Id);
        self.synchronization_list_with_condition(found).await
    }

    async fn synchronization_list_with_condition(
        &self,
        found: Select<Entity>,
    ) -> Result<Vec<(Synchronization, Condition)>, StorageError> {
        let rows: Vec<WithCondition> = query::all(found, &self.conn).await?;
        Ok(rows
            .into_iter()
            .map(|WithCondition(synchronization, condition)| (synchronization, condition))
            .collect())
    }

    /// Stores everything of the record; how it fares and its preview stay. `Conflict` if the organization follows this
    /// workspace already; `Detached` if it is gone.
    pub async fn synchronization_update(&self, changed: &Synchronization) -> Result<(), StorageError> {
        let row = ActiveModel {
            succeeded_at: NotSet,
            failing_since: NotSet,
            last_error: NotSet,
            notes: NotSet,
            next_at: NotSet,
            told_at: NotSet,
            preview: NotSet,
            ..Model::from(changed).into_active_model()
        };
        query::update(row, &self.conn).await
    }

    /// Makes this synchronization the primary one of its organization, and the others not. `Detached` if the organization has
    /// no such one.
    pub async fn synchronization_promote(
        &self,
        organization: OrganizationId,
        id: SynchronizationId,
    ) -> Result<(), StorageError> {
        let is_it = Column::Id.eq(Uuid::from(id));
        let theirs = Column::OrganizationId.eq(Uuid::from(organization));
        let transaction = self.begin().await?;
        Entity::update_many()
            .col_expr(Column::IsPrimary, query::value(false))
            .filter(theirs.clone())
            .filter(Column::IsPrimary.eq(true))
            .exec(&transaction.conn)
            .await?;
        let promoted = Entity::update_many()
            .col_expr(Column::IsPrimary, query::value(true))
            .filter(theirs)
            .filter(is_it)
            .exec(&transaction.conn)
            .await?;
        query::one_changed(&promoted)?;
        transaction.commit().await
    }

    /// Deletes a synchronization with all that is remembered of its workspace. The repositories that it brought stay, and
    /// nobody may read them any more: delete them first, or let go of them.
    pub async fn synchronization_delete(&self, id: SynchronizationId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }

    /// How a synchronization fares.
    pub async fn synchronization_condition(
        &self,
        id: SynchronizationId,
    ) -> Result<Option<Condition>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// A run came to its end, and there are things that it could not read or do. One that is gone stays gone.
    pub async fn synchronization_succeeded(
        &self,
        id: SynchronizationId,
        at: Timestamp,
        next_at: Timestamp,
        notes: &[String],
    ) -> Result<(), StorageError> {
        let nothing = None::<i64>;
        change(id)
            .col_expr(Column::SucceededAt, query::value(at.as_millisecond()))
            .col_expr(Column::FailingSince, query::value(nothing))
            .col_expr(Column::LastError, query::value(None::<String>))
            .col_expr(Column::Notes, query::value(json_text(&notes)))
            .col_expr(Column::NextAt, query::value(next_at.as_millisecond()))
            .col_expr(Column::ToldAt, query::value(nothing))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// A run failed: since `at`, unless the one before failed too. One that is gone stays gone.
    pub async fn synchronization_failed(
        &self,
        id: SynchronizationId,
        at: Timestamp,
        next_at: Timestamp,
        because: &str,
    ) -> Result<(), StorageError> {
        let first = Func::coalesce([Expr::col(Column::FailingSince), query::value(at.as_millisecond())]);
        change(id)
            .col_expr(Column::FailingSince, first.into())
            .col_expr(Column::LastError, query::value(because))
            .col_expr(Column::NextAt, query::value(next_at.as_millisecond()))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// When the next run is due.
    pub async fn synchronization_next(
        &self,
        id: SynchronizationId,
        next_at: Timestamp,
    ) -> Result<(), StorageError> {
        let next = change(id).col_expr(Column::NextAt, query::value(next_at.as_millisecond()));
        next.exec(&self.conn).await?;
        Ok(())
    }

    /// The owners were told that it fails; the next success forgets it.
    pub async fn synchronization_told(
        &self,
        id: SynchronizationId,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let told = change(id).col_expr(Column::ToldAt, query::value(at.as_millisecond()));
        told.exec(&self.conn).await?;
        Ok(())
    }

    /// What a synchronization would do.
    pub async fn synchronization_preview_put(
        &self,
        id: SynchronizationId,
        preview: &Preview,
    ) -> Result<(), StorageError> {
        change(id).col_expr(Column::Preview, query::value(json_text(preview))).exec(&self.conn).await?;
        Ok(())
    }

    /// What a synchronization would do; `None` if nobody looked yet.
    pub async fn synchronization_preview(
        &self,
        id: SynchronizationId,
    ) -> Result<Option<Preview>, StorageError> {
        let found = Entity::find_by_id(Uuid::from(id)).select_only().column(Column::Preview);
        let preview: Option<Option<String>> = found.into_tuple().one(&self.conn).await?;
        let row = Row::of("synchronization", id);
        preview.flatten().map(|preview| row.json("preview", &preview)).transpose()
    }
}

fn synchronizations_of(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationId.eq(Uuid::from(organization)))
}

fn active() -> Select<Entity> {
    Entity::find().filter(Column::Stage.eq(ACTIVE))
}

fn by_key(found: Select<Entity>) -> Select<Entity> {
    found.order_by_asc(Column::WorkspaceKey).order_by_asc(Column::Id)
}

fn change(id: SynchronizationId) -> UpdateMany<Entity> {
    Entity::update_many().filter(Column::Id.eq(Uuid::from(id)))
}

#[cfg(test)]
mod tests;
