//! Archives of commits: what is known of them. Their bytes are blobs.

use crate::{
    Storage, StorageError, query,
    tables::{
        Row,
        dist::{Column, Entity, Model},
        package,
    },
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::Expr,
};
use stave_domain::{
    id::{OrganizationId, PackageId},
    version::Dist,
};
use std::collections::HashMap;
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

    /// How many archives each package of an organization has, and how many bytes they are; a package without any is missing.
    pub async fn dist_sizes(
        &self,
        organization: OrganizationId,
    ) -> Result<HashMap<PackageId, (u64, u64)>, StorageError> {
        let theirs = package::Entity::find()
            .select_only()
            .column(package::Column::Id)
            .filter(package::Column::OrganizationId.eq(Uuid::from(organization)));
        let rows: Vec<(Uuid, i64, i64)> = Entity::find()
            .filter(Column::PackageId.in_subquery(theirs.into_query()))
            .select_only()
            .column(Column::PackageId)
            .column_as(Column::Commit.count(), "count")
            .column_as(Expr::expr(Column::SizeBytes.sum()).cast_as("bigint"), "bytes")
            .group_by(Column::PackageId)
            .into_tuple()
            .all(&self.conn)
            .await?;
        let counted = rows.into_iter().map(|(id, count, bytes)| {
            let row = Row::of("dist", id);
            Ok((id.into(), (row.number("count", count)?, row.number("size_bytes", bytes)?)))
        });
        counted.collect()
    }

    /// Forgets an archive; its blob stays for now.
    pub async fn dist_delete(&self, package: PackageId, commit: &str) -> Result<(), StorageError> {
        Entity::delete_by_id((Uuid::from(package), commit.to_owned())).exec(&self.conn).await?;
        Ok(())
    }

    /// How many archives have these bytes.
    pub async fn dist_count_of_digest(&self, digest: &str) -> Result<u64, StorageError> {
        Ok(Entity::find().filter(Column::Digest.eq(digest)).count(&self.conn).await?)
    }

    /// An archive was built; if somebody else was faster, theirs stays.
    pub async fn dist_insert(&self, dist: &Dist) -> Result<(), StorageError> {
        query::insert_many(vec![Model::from(dist)], query::keep::<Entity>(), self).await
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{acme_mailer, at, id, test_storage};
    use stave_domain::version::Dist;
    use std::collections::HashMap;

    #[tokio::test]
    async fn the_first_archive_of_a_commit_counts() {
        let storage = test_storage().await;
        let (acme, mailer) = acme_mailer(&storage).await;
        let first = Dist {
            package_id: mailer,
            commit: "a".repeat(40),
            digest: "b".repeat(64),
            shasum: "c".repeat(40),
            size_bytes: 5_000_000_000,
            created_at: Some(at(1)),
        };
        storage.dist_insert(&first).await.unwrap();
        storage.dist_insert(&Dist { digest: "d".repeat(64), ..first.clone() }).await.unwrap();
        assert_eq!(storage.dist_find(mailer, &first.commit).await.unwrap().as_ref(), Some(&first));
        assert_eq!(storage.dist_find(mailer, &"0".repeat(40)).await.unwrap(), None);
        assert_eq!(storage.dist_list(mailer).await.unwrap(), std::slice::from_ref(&first));
        let second = Dist { commit: "e".repeat(40), ..first.clone() };
        storage.dist_insert(&second).await.unwrap();
        assert_eq!(storage.dist_sizes(acme).await.unwrap(), HashMap::from([(mailer, (2, 10_000_000_000))]));
        assert_eq!(storage.dist_sizes(id(9)).await.unwrap(), HashMap::new());

        storage.dist_delete(mailer, &first.commit).await.unwrap();
        assert_eq!(storage.dist_count_of_digest(&first.digest).await.unwrap(), 1, "the second one");
        storage.dist_delete(mailer, &second.commit).await.unwrap();
        assert_eq!(storage.dist_count_of_digest(&first.digest).await.unwrap(), 0);
    }
}
