//! Stored secrets with which Stave reads repositories elsewhere.

use crate::{
    Storage, StorageError, query,
    tables::{
        credential::{Column, Entity, Model},
        package,
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use stave_domain::{
    credential::StoredCredential,
    id::{CredentialId, OrganizationId},
    package::Package,
};
use uuid::Uuid;

impl Storage {
    /// A new credential.
    pub async fn credential_insert(&self, credential: &StoredCredential) -> Result<(), StorageError> {
        query::insert(Model::from(credential), &self.conn).await
    }

    /// The credential with this id.
    pub async fn credential_find(&self, id: CredentialId) -> Result<Option<StoredCredential>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// An organization's credentials, oldest first.
    pub async fn credential_list(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<StoredCredential>, StorageError> {
        let theirs = Entity::find().filter(Column::OrganizationId.eq(Uuid::from(organization)));
        query::all(theirs.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// Stores everything of the record.
    pub async fn credential_update(&self, credential: &StoredCredential) -> Result<(), StorageError> {
        query::update(Model::from(credential), &self.conn).await
    }

    /// Deletes a credential. `Detached` while a package uses it: ask [`Self::credential_package_list`] first.
    pub async fn credential_delete(&self, id: CredentialId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }

    /// The packages that are read with a credential, by name.
    pub async fn credential_package_list(&self, id: CredentialId) -> Result<Vec<Package>, StorageError> {
        let users = package::Entity::find().filter(package::Column::CredentialId.eq(Uuid::from(id)));
        query::all(package::by_name(users), &self.conn).await
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{acme_mailer, at, id, test_storage},
    };
    use stave_domain::{credential::StoredCredential, package::SourceAccess, secret::Sealed};

    #[tokio::test]
    async fn a_credential_in_use_stays() {
        let storage = test_storage().await;
        let (acme, mailer) = acme_mailer(&storage).await;
        let mut credential = StoredCredential {
            id: id(1),
            organization_id: acme,
            description: "deploy key".into(),
            host: "bitbucket.org".into(),
            username: "x-token-auth".into(),
            secret: Sealed(vec![1, 2, 3]),
            created_at: at(0),
        };
        storage.credential_insert(&credential).await.unwrap();
        credential.description = "access token".into();
        storage.credential_update(&credential).await.unwrap();
        assert_eq!(storage.credential_find(credential.id).await.unwrap().as_ref(), Some(&credential));
        assert_eq!(storage.credential_list(acme).await.unwrap(), [credential.clone()]);

        let mut package = storage.package_find(mailer).await.unwrap().unwrap();
        package.access = SourceAccess::Stored(credential.id);
        storage.package_update(&package).await.unwrap();
        assert_eq!(storage.credential_package_list(credential.id).await.unwrap(), [package.clone()]);
        let deleted = storage.credential_delete(credential.id).await;
        assert!(matches!(deleted, Err(StorageError::Detached)), "{deleted:?}");

        package.access = SourceAccess::OrganizationKey;
        storage.package_update(&package).await.unwrap();
        assert_eq!(storage.package_find(mailer).await.unwrap(), Some(package.clone()));
        storage.credential_delete(credential.id).await.unwrap();
        assert_eq!(storage.credential_list(acme).await.unwrap(), []);
    }

    #[tokio::test]
    async fn an_organization_takes_credential_and_package_with_it() {
        let storage = test_storage().await;
        let (acme, mailer) = acme_mailer(&storage).await;
        let credential = StoredCredential {
            id: id(1),
            organization_id: acme,
            description: String::new(),
            host: "bitbucket.org".into(),
            username: "ada".into(),
            secret: Sealed(vec![]),
            created_at: at(0),
        };
        storage.credential_insert(&credential).await.unwrap();
        let mut package = storage.package_find(mailer).await.unwrap().unwrap();
        package.access = SourceAccess::Stored(credential.id);
        storage.package_update(&package).await.unwrap();
        storage.organization_delete(acme).await.unwrap();
        assert_eq!(storage.package_find(mailer).await.unwrap(), None);
        assert_eq!(storage.credential_find(credential.id).await.unwrap(), None);
    }
}
