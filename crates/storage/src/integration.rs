//! Registered OAuth applications.

use crate::{
    Storage, StorageError, query,
    tables::integration::{Column, Entity, Model, scopes},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use stave_domain::{
    id::IntegrationId,
    integration::{Integration, IntegrationSlug, Permission},
};
use uuid::Uuid;

impl Storage {
    /// A new integration. `Conflict` if the slug is taken.
    pub async fn integration_insert(&self, integration: &Integration) -> Result<(), StorageError> {
        query::insert(Model::from(integration), &self.conn).await
    }

    /// The integration with this id.
    pub async fn integration_find(&self, id: IntegrationId) -> Result<Option<Integration>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// The integration of a callback.
    pub async fn integration_find_by_slug(
        &self,
        slug: &IntegrationSlug,
    ) -> Result<Option<Integration>, StorageError> {
        query::one(Entity::find().filter(Column::Slug.eq(slug.as_str())), &self.conn).await
    }

    /// All integrations, oldest first.
    pub async fn integration_list(&self) -> Result<Vec<Integration>, StorageError> {
        query::all(Entity::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// Stores everything of the record.
    pub async fn integration_update(&self, integration: &Integration) -> Result<(), StorageError> {
        query::update(Model::from(integration), &self.conn).await
    }

    /// Stores what a log-in showed, and nothing else: an admin may be changing the rest at this moment.
    pub async fn integration_condition_update(
        &self,
        id: IntegrationId,
        missing_permissions: Option<&[Permission]>,
        last_error: Option<&str>,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::MissingPermissions, query::value(missing_permissions.map(scopes)))
            .col_expr(Column::LastError, query::value(last_error.map(ToOwned::to_owned)))
            .filter(Column::Id.eq(Uuid::from(id)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Deletes an integration with the accounts that are connected through it, and the trips that are under way.
    pub async fn integration_delete(&self, id: IntegrationId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{ada, connected, id, integration, test_storage},
    };
    use stave_domain::{
        integration::{ApiTimeout, Permission},
        secret::Sealed,
    };

    #[tokio::test]
    async fn an_integration_is_found_by_its_callback() {
        let storage = test_storage().await;
        let mut bitbucket = integration(1, "bitbucket");
        storage.integration_insert(&bitbucket).await.unwrap();
        let twin = storage.integration_insert(&integration(2, "bitbucket")).await;
        assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
        storage.integration_insert(&integration(3, "other")).await.unwrap();
        assert_eq!(
            storage.integration_find_by_slug(&bitbucket.slug).await.unwrap().as_ref(),
            Some(&bitbucket)
        );
        bitbucket.missing_permissions = Some(vec![Permission::AccountEmail, Permission::WebhooksReadWrite]);
        bitbucket.last_error = Some("The secret is wrong.".into());
        bitbucket.api_timeout = ApiTimeout(Some(0));
        bitbucket.trust_email = true;
        storage.integration_update(&bitbucket).await.unwrap();
        assert_eq!(storage.integration_find(bitbucket.id).await.unwrap(), Some(bitbucket.clone()));
        bitbucket.missing_permissions = Some(vec![]);
        storage.integration_update(&bitbucket).await.unwrap();
        assert_eq!(storage.integration_list().await.unwrap(), [bitbucket, integration(3, "other")]);
    }

    #[tokio::test]
    async fn what_a_log_in_shows_leaves_what_an_admin_typed() {
        let storage = test_storage().await;
        let mut bitbucket = integration(1, "bitbucket");
        storage.integration_insert(&bitbucket).await.unwrap();
        bitbucket.client_secret = Sealed(vec![9]);
        storage.integration_update(&bitbucket).await.unwrap();
        let missing = [Permission::AccountEmail, Permission::WebhooksReadWrite];
        for (permissions, error) in [(Some(&missing[..]), Some("No.")), (Some(&[][..]), None), (None, None)] {
            storage.integration_condition_update(bitbucket.id, permissions, error).await.unwrap();
            bitbucket.missing_permissions = permissions.map(<[_]>::to_vec);
            bitbucket.last_error = error.map(Into::into);
            assert_eq!(storage.integration_find(bitbucket.id).await.unwrap().as_ref(), Some(&bitbucket));
        }
    }

    #[tokio::test]
    async fn connected_accounts_go_with_it() {
        let storage = test_storage().await;
        let identity = connected(&storage, ada(&storage).await).await;
        storage.integration_delete(identity.integration_id).await.unwrap();
        assert_eq!(storage.integration_list().await.unwrap(), []);
        assert_eq!(storage.identity_find(identity.id).await.unwrap(), None);
        assert!(storage.user_find(identity.user_id).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_is_named() {
        let storage = test_storage().await;
        let bitbucket = integration(1, "bitbucket");
        storage.integration_insert(&bitbucket).await.unwrap();
        storage.database.run("UPDATE integration SET platform = 'nonsense'").await;
        let StorageError::Corrupt { table, column, id: row } =
            storage.integration_find(id(1)).await.unwrap_err()
        else {
            panic!("a platform that is none was accepted")
        };
        assert_eq!((table, column, row), ("integration", "platform", bitbucket.id.to_string()));
    }
}
