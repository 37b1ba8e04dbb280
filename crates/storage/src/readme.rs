//! READMEs of packages.

use crate::{
    Storage, StorageError, query,
    tables::readme::{Entity, Model},
};
use sea_orm::EntityTrait;
use stave_domain::id::PackageId;
use uuid::Uuid;

impl Storage {
    /// A package's README as it was written; `None` if it has none.
    pub async fn readme_find(&self, package: PackageId) -> Result<Option<String>, StorageError> {
        let found = Entity::find_by_id(Uuid::from(package)).one(&self.conn).await?;
        Ok(found.map(|found| found.text))
    }

    /// Stores a package's README in place of the one before; `None` takes it away. Writes nothing if it is so already.
    pub async fn readme_put(&self, package: PackageId, text: Option<&str>) -> Result<(), StorageError> {
        if self.readme_find(package).await?.as_deref() == text {
            return Ok(());
        }
        let Some(text) = text else {
            Entity::delete_by_id(Uuid::from(package)).exec(&self.conn).await?;
            return Ok(());
        };
        // PostgreSQL keeps no zero bytes.
        let text = text.replace('\0', "");
        query::upsert(Model { package_id: package.into(), text }, &self.conn).await
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{acme_mailer, test_storage};

    #[tokio::test]
    async fn a_readme_is_replaced_and_taken_away() {
        let storage = test_storage().await;
        let (_, mailer) = acme_mailer(&storage).await;
        assert_eq!(storage.readme_find(mailer).await.unwrap(), None);
        for text in [Some("# Mailer"), Some("# Ma\0iler 2"), None, Some("")] {
            storage.readme_put(mailer, text).await.unwrap();
            let found = storage.readme_find(mailer).await.unwrap();
            assert_eq!(found, text.map(|text| text.replace('\0', "")));
        }
        storage.package_delete(mailer).await.unwrap();
        assert_eq!(storage.readme_find(mailer).await.unwrap(), None);
    }
}
