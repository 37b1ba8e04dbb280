//! What people typed for custom packages.

use crate::{
    Storage, StorageError, query,
    tables::definition::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Select};
use stave_domain::{
    id::{CredentialId, PackageId},
    package::definition::Typed,
};
use uuid::Uuid;

impl Storage {
    /// What was typed for a package; `None` if its versions come from elsewhere.
    pub async fn definition_find(&self, package: PackageId) -> Result<Option<Typed>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(package)), &self.conn).await
    }

    /// Stores what was typed for a package, in place of what was typed before.
    pub async fn definition_put(&self, typed: &Typed) -> Result<(), StorageError> {
        query::upsert(Model::from(typed), &self.conn).await
    }
}

/// The packages whose archives are fetched with a credential.
pub(crate) fn ids_fetched_with(credential: CredentialId) -> Select<Entity> {
    let theirs = Entity::find().select_only().column(Column::PackageId);
    theirs.filter(Column::CredentialId.eq(Uuid::from(credential)))
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{acme_mailer, credential, test_storage},
    };
    use stave_domain::package::definition::Typed;

    #[tokio::test]
    async fn a_definition_goes_with_its_package() {
        let storage = test_storage().await;
        let (acme, mailer) = acme_mailer(&storage).await;
        assert_eq!(storage.definition_find(mailer).await.unwrap(), None);
        let (old, new) = (credential(1, acme), credential(2, acme));
        storage.credential_insert(&old).await.unwrap();
        storage.credential_insert(&new).await.unwrap();
        let typed = Typed { package_id: mailer, credential_id: Some(old.id), text: "{}".into() };
        storage.definition_put(&typed).await.unwrap();
        let typed = Typed { text: "[]".into(), ..typed };
        storage.definition_put(&typed).await.unwrap();
        assert_eq!(storage.definition_find(mailer).await.unwrap(), Some(typed.clone()));
        assert_eq!(storage.package_list_of_credential(old.id).await.unwrap().len(), 1);

        let in_use = storage.credential_delete(old.id).await;
        assert!(matches!(in_use, Err(StorageError::Detached)), "{in_use:?}");
        storage.credential_replace(old.id, new.id).await.unwrap();
        storage.credential_delete(old.id).await.unwrap();
        let replaced = Typed { credential_id: Some(new.id), ..typed };
        assert_eq!(storage.definition_find(mailer).await.unwrap(), Some(replaced));

        storage.package_delete(mailer).await.unwrap();
        assert_eq!(storage.definition_find(mailer).await.unwrap(), None);
    }
}
