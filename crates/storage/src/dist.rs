//! Archives of commits: what is known of them. Their bytes are blobs.

use crate::{
    Storage, StorageError, query,
    tables::dist::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use stave_domain::{id::PackageId, version::Dist};
use uuid::Uuid;

impl Storage {
    /// The archive of a commit, if it was built.
    pub async fn dist_find(&self, package: PackageId, commit: &str) -> Result<Option<Dist>, StorageError> {
        query::one(Entity::find_by_id((Uuid::from(package), commit.to_owned())), &self.conn).await
    }

    /// The archives of a package, by commit.
    pub async fn dist_list(&self, package: PackageId) -> Result<Vec<Dist>, StorageError> {
        let found = Entity::find().filter(Column::PackageId.eq(Uuid::from(package)));
        query::all(found.order_by_asc(Column::Commit), &self.conn).await
    }

    /// An archive was built; if somebody else was faster, theirs stays.
    pub async fn dist_insert(&self, dist: &Dist) -> Result<(), StorageError> {
        query::insert_many(vec![Model::from(dist)], query::keep::<Entity>(), self).await
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{acme_mailer, test_storage};
    use stave_domain::version::Dist;

    #[tokio::test]
    async fn the_first_archive_of_a_commit_counts() {
        let storage = test_storage().await;
        let (_, mailer) = acme_mailer(&storage).await;
        let first = Dist {
            package_id: mailer,
            commit: "a".repeat(40),
            digest: "b".repeat(64),
            shasum: "c".repeat(40),
            size_bytes: 5_000_000_000,
        };
        storage.dist_insert(&first).await.unwrap();
        storage.dist_insert(&Dist { digest: "d".repeat(64), ..first.clone() }).await.unwrap();
        assert_eq!(storage.dist_find(mailer, &first.commit).await.unwrap().as_ref(), Some(&first));
        assert_eq!(storage.dist_find(mailer, &"0".repeat(40)).await.unwrap(), None);
        assert_eq!(storage.dist_list(mailer).await.unwrap(), [first]);
    }
}
