//! Connected accounts and their grants.

use crate::{
    Storage, StorageError, query,
    tables::{
        identity::{Column, Entity, Model},
        integration, member, remote_person,
    },
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, UpdateMany, sea_query::Expr,
};
use stave_domain::{
    Timestamp,
    id::{IdentityId, IntegrationId, UserId},
    identity::{Identity, RemoteProfile},
    integration::Integration,
    secret::Sealed,
    synchronization::Synchronization,
};
use uuid::Uuid;

impl Storage {
    /// A new connected account. `Conflict` if it is connected already, to whomever.
    pub async fn identity_insert(&self, identity: &Identity) -> Result<(), StorageError> {
        query::insert(Model::from(identity), &self.conn).await
    }

    /// The connected account with this id.
    pub async fn identity_find(&self, id: IdentityId) -> Result<Option<Identity>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// The connected account that the platform knows by this id.
    pub async fn identity_find_by_external(
        &self,
        integration: IntegrationId,
        external_id: &str,
    ) -> Result<Option<Identity>, StorageError> {
        let found = Entity::find()
            .filter(Column::IntegrationId.eq(Uuid::from(integration)))
            .filter(Column::ExternalId.eq(external_id));
        query::one(found, &self.conn).await
    }

    /// A user's connected accounts with their integrations, oldest first.
    pub async fn identity_list_with_integration(
        &self,
        user: UserId,
    ) -> Result<Vec<(Identity, Integration)>, StorageError> {
        let rows = Entity::find()
            .filter(Column::UserId.eq(Uuid::from(user)))
            .find_also_related(integration::Entity)
            .order_by_asc(Column::ConnectedAt)
            .order_by_asc(Column::Id)
            .all(&self.conn)
            .await?;
        let both =
            |(identity, integration): (Model, Option<integration::Model>)| Some((identity, integration?));
        rows.into_iter()
            .filter_map(both)
            .map(|(identity, integration)| Ok((identity.try_into()?, integration.try_into()?)))
            .collect()
    }

    /// A user's connected accounts, oldest first.
    pub async fn identity_list_of_user(&self, user: UserId) -> Result<Vec<Identity>, StorageError> {
        let found = Entity::find().filter(Column::UserId.eq(Uuid::from(user)));
        query::all(found.order_by_asc(Column::ConnectedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// A user's connected account at an integration: the oldest, if several.
    pub async fn identity_find_of_user(
        &self,
        user: UserId,
        integration: IntegrationId,
    ) -> Result<Option<Identity>, StorageError> {
        let found = Entity::find()
            .filter(Column::UserId.eq(Uuid::from(user)))
            .filter(Column::IntegrationId.eq(Uuid::from(integration)));
        query::one(found.order_by_asc(Column::ConnectedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// The accounts that a synchronization asks what they may read: those of its people, and those of the organization's members.
    pub async fn identity_list_to_ask(
        &self,
        synchronization: &Synchronization,
    ) -> Result<Vec<Identity>, StorageError> {
        let people = remote_person::Entity::find()
            .select_only()
            .column(remote_person::Column::ExternalId)
            .filter(remote_person::Column::SynchronizationId.eq(Uuid::from(synchronization.id)));
        let members = member::Entity::find()
            .select_only()
            .column(member::Column::UserId)
            .filter(member::Column::OrganizationId.eq(Uuid::from(synchronization.organization_id)));
        let asked = Condition::any()
            .add(Column::ExternalId.in_subquery(people.into_query()))
            .add(Column::UserId.in_subquery(members.into_query()));
        let found = Entity::find()
            .filter(Column::IntegrationId.eq(Uuid::from(synchronization.integration_id)))
            .filter(Column::BrokenBecause.is_null())
            .filter(asked);
        query::all(found.order_by_asc(Column::ConnectedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// How many accounts are connected through an integration.
    pub async fn identity_count(&self, integration: IntegrationId) -> Result<u64, StorageError> {
        let found = Entity::find().filter(Column::IntegrationId.eq(Uuid::from(integration)));
        Ok(found.count(&self.conn).await?)
    }

    /// How many of them gave their grant to this client of the integration.
    pub async fn identity_count_by_client(
        &self,
        integration: IntegrationId,
        client_id: &str,
    ) -> Result<u64, StorageError> {
        let found = Entity::find()
            .filter(Column::IntegrationId.eq(Uuid::from(integration)))
            .filter(Column::ClientId.eq(client_id));
        Ok(found.count(&self.conn).await?)
    }

    /// Somebody signed in again: stores what the platform calls them now and the new grant that they gave to `client_id`,
    /// which is no longer broken. `Detached` if the account is gone, or another one has taken its place.
    pub async fn identity_signed_in(
        &self,
        id: IdentityId,
        profile: &RemoteProfile,
        client_id: &str,
        grant: &Sealed,
    ) -> Result<(), StorageError> {
        let same = Column::ExternalId.eq(&profile.external_id);
        let changed = granted(id, profile, client_id, grant).filter(same).exec(&self.conn).await?;
        query::one_changed(&changed)
    }

    /// Another account of the same user takes the place of this one; what is read with its rights is read with the new ones.
    /// `Conflict` if it is connected already, to whomever; `Detached` if this one is gone.
    pub async fn identity_replace(
        &self,
        id: IdentityId,
        profile: &RemoteProfile,
        client_id: &str,
        grant: &Sealed,
    ) -> Result<(), StorageError> {
        let other = query::value(&profile.external_id);
        let changed = granted(id, profile, client_id, grant)
            .col_expr(Column::ExternalId, other)
            .exec(&self.conn)
            .await?;
        query::one_changed(&changed)
    }

    /// Takes the right to refresh the grant of revision `expected_revision`, whose refresh token may work only once; of all
    /// callers on all nodes one gets it, until a grant is stored or the instant `until` comes. Says whether.
    pub async fn identity_refresh_claim(
        &self,
        id: IdentityId,
        expected_revision: i64,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StorageError> {
        let nobody_has_it = Condition::any()
            .add(Column::RefreshingUntil.is_null())
            .add(Column::RefreshingUntil.lte(now.as_millisecond()));
        let claimed = Entity::update_many()
            .col_expr(Column::RefreshingUntil, query::value(until.as_millisecond()))
            .filter(Column::Id.eq(Uuid::from(id)))
            .filter(Column::GrantRevision.eq(expected_revision))
            .filter(nobody_has_it)
            .exec(&self.conn)
            .await?;
        Ok(claimed.rows_affected == 1)
    }

    /// Gives the right to refresh back, because nothing came of it.
    pub async fn identity_refresh_release(
        &self,
        id: IdentityId,
        expected_revision: i64,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::RefreshingUntil, query::value(None::<i64>))
            .filter(Column::Id.eq(Uuid::from(id)))
            .filter(Column::GrantRevision.eq(expected_revision))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Stores a refreshed grant, if nobody else stored one since revision `expected_revision` was read; says whether.
    pub async fn identity_grant_update(
        &self,
        id: IdentityId,
        expected_revision: i64,
        grant: &Sealed,
    ) -> Result<bool, StorageError> {
        let changed = Entity::update_many()
            .col_expr(Column::Grant, query::value(grant.0.clone()))
            .col_expr(Column::GrantRevision, Expr::col(Column::GrantRevision).add(1_i64))
            .col_expr(Column::RefreshingUntil, query::value(None::<i64>))
            .filter(Column::Id.eq(Uuid::from(id)))
            .filter(Column::GrantRevision.eq(expected_revision))
            .exec(&self.conn)
            .await?;
        Ok(changed.rows_affected == 1)
    }

    /// Remembers why Stave can no longer act as this person, until they sign in again; unless somebody stored another grant
    /// since revision `expected_revision` was read. Says whether.
    pub async fn identity_broken(
        &self,
        id: IdentityId,
        expected_revision: i64,
        because: &str,
    ) -> Result<bool, StorageError> {
        let changed = Entity::update_many()
            .col_expr(Column::BrokenBecause, query::value(because))
            .filter(Column::Id.eq(Uuid::from(id)))
            .filter(Column::GrantRevision.eq(expected_revision))
            .exec(&self.conn)
            .await?;
        Ok(changed.rows_affected == 1)
    }

    /// Remembers why Stave can no longer act as those who gave their grant to this client of an integration, until they sign in
    /// again.
    pub async fn identity_break(
        &self,
        integration: IntegrationId,
        client_id: &str,
        because: &str,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::BrokenBecause, query::value(because))
            .filter(Column::IntegrationId.eq(Uuid::from(integration)))
            .filter(Column::ClientId.eq(client_id))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// The server behind an integration is another one now: its accounts stay, but no client of the integration serves their
    /// grants any more.
    pub async fn identity_move(&self, integration: IntegrationId, because: &str) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::BrokenBecause, query::value(because))
            .col_expr(Column::ClientId, query::value(""))
            .filter(Column::IntegrationId.eq(Uuid::from(integration)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// The accounts that gave their grant to this client of an integration and can be acted as, oldest first.
    pub async fn identity_list_by_client(
        &self,
        integration: IntegrationId,
        client_id: &str,
    ) -> Result<Vec<Identity>, StorageError> {
        let found = Entity::find()
            .filter(Column::IntegrationId.eq(Uuid::from(integration)))
            .filter(Column::ClientId.eq(client_id))
            .filter(Column::BrokenBecause.is_null());
        query::all(found.order_by_asc(Column::ConnectedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// Deletes a connected account. Repositories read with its rights become `SourceAccess::AccountGone`.
    pub async fn identity_delete(&self, id: IdentityId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }
}

/// What a new grant changes in an account.
fn granted(id: IdentityId, profile: &RemoteProfile, client_id: &str, grant: &Sealed) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::Handle, query::value(&profile.handle))
        .col_expr(Column::DisplayName, query::value(&profile.display_name))
        .col_expr(Column::ClientId, query::value(client_id))
        .col_expr(Column::Grant, query::value(grant.0.clone()))
        .col_expr(Column::GrantRevision, Expr::col(Column::GrantRevision).add(1_i64))
        .col_expr(Column::BrokenBecause, query::value(None::<String>))
        .col_expr(Column::RefreshingUntil, query::value(None::<i64>))
        .filter(Column::Id.eq(Uuid::from(id)))
}

#[cfg(test)]
mod tests;
