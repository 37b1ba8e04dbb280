//! Published documents: what a read of `p2/` is answered with.

use crate::{
    Storage, StorageError,
    change::About,
    query,
    tables::{
        Row,
        document::{Column, Entity, Model},
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use stave_domain::{
    id::{OrganizationId, PackageId},
    package::{Document, PackageName},
};
use uuid::Uuid;

impl Storage {
    /// Publishes a document in place of the one of this name.
    pub async fn document_put(&self, document: &Document) -> Result<(), StorageError> {
        let named = self.conn.about(About::Document((document.organization_id, document.name.clone())));
        query::upsert(Model::from(document), &named).await
    }

    /// The document of this name.
    pub async fn document_find(
        &self,
        organization: OrganizationId,
        name: &PackageName,
        is_dev: bool,
    ) -> Result<Option<Document>, StorageError> {
        let key = (Uuid::from(organization), name.to_string(), is_dev);
        query::one(Entity::find_by_id(key), &self.conn).await
    }

    /// Withdraws a package's documents, under whatever name they were published.
    pub async fn document_delete_of(&self, package: PackageId) -> Result<(), StorageError> {
        let theirs = Column::PackageId.eq(Uuid::from(package));
        let found = Entity::find().select_only().columns([Column::OrganizationId, Column::Name]).distinct();
        let published: Vec<(Uuid, String)> =
            found.filter(theirs.clone()).into_tuple().all(&self.conn).await?;
        for (organization, name) in published {
            let row = Row::of("document", format!("{organization}/{name}"));
            let telling = self.conn.about(About::Document((organization.into(), row.parse("name", &name)?)));
            Entity::delete_many().filter(theirs.clone()).filter(Column::Name.eq(name)).exec(&telling).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{acme_mailer, at, id, test_storage};
    use stave_domain::package::Document;

    #[tokio::test]
    async fn a_document_is_replaced_and_withdrawn() {
        let storage = test_storage().await;
        let (acme, mailer) = acme_mailer(&storage).await;
        let tags = Document {
            organization_id: acme,
            package_id: mailer,
            name: "acme/mailer".parse().unwrap(),
            is_dev: false,
            body_gzip: vec![0x1f, 0x8b, 0],
            modified_at: at(1),
        };
        let branches = Document { is_dev: true, body_gzip: vec![], ..tags.clone() };
        storage.document_put(&tags).await.unwrap();
        storage.document_put(&branches).await.unwrap();
        let newer = Document { body_gzip: vec![7; 100_000], modified_at: at(2), ..tags.clone() };
        storage.document_put(&newer).await.unwrap();
        assert_eq!(storage.document_find(acme, &tags.name, false).await.unwrap(), Some(newer));
        assert_eq!(storage.document_find(acme, &tags.name, true).await.unwrap(), Some(branches));
        assert_eq!(storage.document_find(id(9), &tags.name, false).await.unwrap(), None);
        storage.document_delete_of(mailer).await.unwrap();
        assert_eq!(storage.document_find(acme, &tags.name, false).await.unwrap(), None);
    }
}
