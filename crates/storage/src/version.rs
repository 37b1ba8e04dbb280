//! Versions of packages, and when each commit was first published.

use crate::{
    Storage, StorageError, query,
    tables::{publication, version},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use stave_domain::{
    id::PackageId,
    version::{Publication, Version},
};
use uuid::Uuid;

impl Storage {
    /// A package's versions in the order of their normalized texts, removed ones too.
    pub async fn version_list(&self, package: PackageId) -> Result<Vec<Version>, StorageError> {
        let found = version::Entity::find().filter(version::Column::PackageId.eq(Uuid::from(package)));
        query::all(found.order_by_asc(version::Column::Normalized), &self.conn).await
    }

    /// Stores versions, all or none; one that is there already, by package and normalized text, is overwritten.
    pub async fn version_upsert_many(&self, versions: &[Version]) -> Result<(), StorageError> {
        let rows = versions.iter().map(version::Model::from).collect();
        query::insert_many(rows, query::replace::<version::Entity>(), self).await
    }

    /// Every commit that was ever published under a version of a package.
    pub async fn publication_list(&self, package: PackageId) -> Result<Vec<Publication>, StorageError> {
        let found =
            publication::Entity::find().filter(publication::Column::PackageId.eq(Uuid::from(package)));
        let ordered = found.order_by_asc(publication::Column::Normalized);
        query::all(ordered.order_by_asc(publication::Column::Commit), &self.conn).await
    }

    /// Remembers publications, all or none. One that is remembered already keeps its time; where its archive is may have been
    /// mended meanwhile.
    pub async fn publication_insert_many(
        &self,
        package: PackageId,
        publications: &[Publication],
    ) -> Result<(), StorageError> {
        let rows = publications.iter().map(|one| publication::Model::new(package, one)).collect();
        let mut known = query::keep::<publication::Entity>();
        known.update_column(publication::Column::Archive);
        query::insert_many(rows, known, self).await
    }

    /// The first publication of a commit under any version of a package. What was never published has no dist.
    pub async fn publication_find(
        &self,
        package: PackageId,
        commit: &str,
    ) -> Result<Option<Publication>, StorageError> {
        let found = publication::Entity::find()
            .filter(publication::Column::PackageId.eq(Uuid::from(package)))
            .filter(publication::Column::Commit.eq(commit));
        query::one(found.order_by_asc(publication::Column::PublishedAt), &self.conn).await
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{acme_mailer, at, id, test_storage},
    };
    use stave_domain::{
        id::PackageId,
        version::{Archive, Publication, RemoteArchive, Version},
    };

    fn version(number: u32, package: PackageId) -> Version {
        Version {
            id: id(u128::from(number) + 1),
            package_id: package,
            version: format!("v1.{number}"),
            normalized: format!("1.{number:04}.0.0"),
            is_dev: false,
            is_default_branch: false,
            reference_name: format!("v1.{number}"),
            commit: format!("{number:040x}"),
            archive: Archive::Commit,
            released_at: at(number.into()),
            published_at: at(0),
            manifest: format!(r#"{{"require":{{"php":">=8.{number}"}}}}"#),
            removed_at: None,
        }
    }

    fn publication(version: &Version, seconds: i64) -> Publication {
        Publication {
            normalized: version.normalized.clone(),
            commit: version.commit.clone(),
            archive: version.archive.clone(),
            published_at: at(seconds),
        }
    }

    #[tokio::test]
    async fn versions_are_inserted_and_overwritten_in_bulk() {
        let storage = test_storage().await;
        let (_, mailer) = acme_mailer(&storage).await;
        storage.version_upsert_many(&[]).await.unwrap();
        // More than fit into one statement on either engine.
        let mut versions: Vec<_> = (0..6_000).map(|number| version(number, mailer)).collect();
        storage.version_upsert_many(&versions).await.unwrap();
        assert_eq!(storage.version_list(mailer).await.unwrap(), versions);
        versions[7].commit = "f".repeat(40);
        versions[7].is_dev = true;
        versions[8].archive = Archive::Upload;
        versions[9].archive = Archive::Nothing;
        versions[10].archive = Archive::Remote(RemoteArchive {
            url: "https://zips.example/a.zip".into(),
            kind: "zip".into(),
            shasum: Some("5".repeat(40)),
            reference: None,
        });
        versions[5_999].removed_at = Some(at(99));
        storage.version_upsert_many(&[&versions[7..11], &versions[5_999..]].concat()).await.unwrap();
        assert_eq!(storage.version_list(mailer).await.unwrap(), versions);
        storage.package_delete(mailer).await.unwrap();
        assert_eq!(storage.version_list(mailer).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_bulk_is_stored_as_a_whole_or_not_at_all() {
        let storage = test_storage().await;
        let (_, mailer) = acme_mailer(&storage).await;
        let mut versions: Vec<_> = (0..6_000).map(|number| version(number, mailer)).collect();
        versions[5_999].package_id = id(77);
        let stored = storage.version_upsert_many(&versions).await;
        assert!(matches!(stored, Err(StorageError::Detached)), "{stored:?}");
        assert_eq!(storage.version_list(mailer).await.unwrap(), []);
    }

    #[tokio::test]
    async fn the_first_publication_counts() {
        let storage = test_storage().await;
        let (_, mailer) = acme_mailer(&storage).await;
        let (one, two) = (version(1, mailer), version(2, mailer));
        storage.publication_insert_many(mailer, &[publication(&one, 10)]).await.unwrap();
        storage
            .publication_insert_many(mailer, &[publication(&one, 20), publication(&two, 20)])
            .await
            .unwrap();
        let known = storage.publication_list(mailer).await.unwrap();
        assert_eq!(known, [publication(&one, 10), publication(&two, 20)]);
        let found = storage.publication_find(mailer, &two.commit).await.unwrap();
        assert_eq!(found, Some(publication(&two, 20)));
        assert!(storage.publication_find(mailer, &"0".repeat(40)).await.unwrap().is_none());
        assert!(storage.publication_find(id(77), &two.commit).await.unwrap().is_none());

        let mended = Archive::Remote(RemoteArchive {
            url: "https://r.example/1.zip".into(),
            kind: "zip".into(),
            shasum: Some("a".repeat(40)),
            reference: None,
        });
        let again = Publication { archive: mended, ..publication(&one, 30) };
        storage.publication_insert_many(mailer, std::slice::from_ref(&again)).await.unwrap();
        let found = storage.publication_find(mailer, &one.commit).await.unwrap();
        assert_eq!(found, Some(Publication { published_at: publication(&one, 10).published_at, ..again }));
    }
}
