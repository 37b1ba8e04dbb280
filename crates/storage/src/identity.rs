//! Connected accounts and their grants.

use crate::{
    Storage, StorageError, query,
    tables::identity::{Column, Entity, Model},
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, sea_query::Expr,
};
use stave_domain::{
    id::{IdentityId, IntegrationId, UserId},
    identity::Identity,
    secret::Sealed,
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

    /// A user's connected accounts, oldest first.
    pub async fn identity_list_of_user(&self, user: UserId) -> Result<Vec<Identity>, StorageError> {
        let found = Entity::find().filter(Column::UserId.eq(Uuid::from(user)));
        query::all(found.order_by_asc(Column::ConnectedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// How many accounts are connected through an integration.
    pub async fn identity_count(&self, integration: IntegrationId) -> Result<u64, StorageError> {
        let found = Entity::find().filter(Column::IntegrationId.eq(Uuid::from(integration)));
        Ok(found.count(&self.conn).await?)
    }

    /// Somebody signed in again: stores what the platform calls them now and their new grant, which is no longer broken.
    pub async fn identity_signed_in(
        &self,
        id: IdentityId,
        handle: &str,
        display_name: &str,
        grant: &Sealed,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::Handle, query::value(handle))
            .col_expr(Column::DisplayName, query::value(display_name))
            .col_expr(Column::Grant, query::value(grant.0.clone()))
            .col_expr(Column::GrantRevision, Expr::col(Column::GrantRevision).add(1_i64))
            .col_expr(Column::BrokenBecause, query::value(None::<String>))
            .filter(Column::Id.eq(Uuid::from(id)))
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

    /// Deletes a connected account. Packages read with its rights become `SourceAccess::AccountGone`.
    pub async fn identity_delete(&self, id: IdentityId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{acme_mailer, ada, at, connected, id, test_storage, user},
    };
    use stave_domain::{package::SourceAccess, secret::Sealed};
    use std::slice;

    #[tokio::test]
    async fn an_account_is_known_by_the_platforms_id() {
        let storage = test_storage().await;
        let identity = connected(&storage, ada(&storage).await).await;
        let found = storage.identity_find_by_external(identity.integration_id, "{1}").await.unwrap();
        assert_eq!(found.as_ref(), Some(&identity));
        assert_eq!(storage.identity_find_by_external(identity.integration_id, "{2}").await.unwrap(), None);
        assert_eq!(storage.identity_find_by_external(id(99), "{1}").await.unwrap(), None);
        assert_eq!(
            storage.identity_list_of_user(identity.user_id).await.unwrap(),
            slice::from_ref(&identity)
        );
        assert_eq!(storage.identity_count(identity.integration_id).await.unwrap(), 1);
        let mut twin = identity;
        twin.id = id(2);
        let twin = storage.identity_insert(&twin).await;
        assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
    }

    #[tokio::test]
    async fn of_two_refreshes_at_a_time_one_is_stored() {
        let storage = test_storage().await;
        let identity = connected(&storage, ada(&storage).await).await;
        let revision = identity.grant_revision;
        assert!(storage.identity_grant_update(identity.id, revision, &Sealed(vec![1])).await.unwrap());
        assert!(!storage.identity_grant_update(identity.id, revision, &Sealed(vec![2])).await.unwrap());
        assert_eq!(storage.identity_find(identity.id).await.unwrap().unwrap().grant, Sealed(vec![1]));
    }

    #[tokio::test]
    async fn signing_in_again_mends_a_broken_account() {
        let storage = test_storage().await;
        let identity = connected(&storage, ada(&storage).await).await;
        let revision = identity.grant_revision;
        assert!(storage.identity_broken(identity.id, revision, "Access was withdrawn.").await.unwrap());
        let broken = storage.identity_find(identity.id).await.unwrap().unwrap();
        assert_eq!(broken.broken_because.as_deref(), Some("Access was withdrawn."));
        storage.identity_signed_in(identity.id, "ada2", "Ada", &Sealed(vec![7])).await.unwrap();
        let mended = storage.identity_find(identity.id).await.unwrap().unwrap();
        assert_eq!((mended.handle.as_str(), mended.display_name.as_str()), ("ada2", "Ada"));
        assert_eq!((mended.grant, mended.broken_because), (Sealed(vec![7]), None));
        assert_eq!(mended.grant_revision, revision + 1);
        // Who read the old grant and failed with it has nothing to say about the new one.
        assert!(!storage.identity_broken(identity.id, revision, "Too late.").await.unwrap());
        let working = storage.identity_find(identity.id).await.unwrap().unwrap();
        assert_eq!(working.broken_because, None);
    }

    #[tokio::test]
    async fn a_package_read_as_somebody_who_leaves_does_not_become_public() {
        let storage = test_storage().await;
        let (_, mailer) = acme_mailer(&storage).await;
        let identity = connected(&storage, ada(&storage).await).await;
        let mut package = storage.package_find(mailer).await.unwrap().unwrap();
        package.access = SourceAccess::Account(identity.id);
        package.checked_at = Some(at(5));
        storage.package_update(&package).await.unwrap();
        let of_integration = storage.package_list_of_integration(identity.integration_id).await.unwrap();
        assert_eq!(of_integration, [package.clone()]);
        assert_eq!(storage.package_list_of_integration(id(99)).await.unwrap(), []);
        storage.user_delete(identity.user_id).await.unwrap();
        assert_eq!(storage.identity_find(identity.id).await.unwrap(), None);
        package.access = SourceAccess::AccountGone;
        assert_eq!(storage.package_find(mailer).await.unwrap(), Some(package.clone()));
        // And stays so when it is stored again.
        storage.package_update(&package).await.unwrap();
        assert_eq!(storage.package_find(mailer).await.unwrap().unwrap().access, SourceAccess::AccountGone);
    }

    #[tokio::test]
    async fn an_account_belongs_to_a_user() {
        let storage = test_storage().await;
        let mut identity = connected(&storage, ada(&storage).await).await;
        identity.id = id(2);
        identity.external_id = "{2}".into();
        identity.user_id = user(77, "nobody").id;
        let orphan = storage.identity_insert(&identity).await;
        assert!(matches!(orphan, Err(StorageError::Detached)), "{orphan:?}");
    }
}
