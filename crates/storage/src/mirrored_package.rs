//! What is to be asked of mirrors again, and what is wrong with single packages of theirs.

use crate::{
    Storage, StorageError, query,
    tables::{
        mirror,
        mirrored_package::{Column, Entity},
        package,
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use stave_domain::{
    id::MirrorId,
    mirror::MirroredPackage,
    package::{Package, PackageName},
};
use std::collections::BTreeSet;
use uuid::Uuid;

impl Storage {
    /// Up to where the feed of a mirror was heard.
    pub async fn mirror_heard(&self, id: MirrorId, changes_since: i64) -> Result<(), StorageError> {
        mirror::Entity::update_many()
            .filter(mirror::Column::Id.eq(Uuid::from(id)))
            .col_expr(mirror::Column::ChangesSince, query::value(changes_since))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Every package of a mirror is to be asked for again.
    pub async fn mirrored_package_recheck(&self, id: MirrorId) -> Result<(), StorageError> {
        self.recheck(ids_of(id)).await
    }

    /// The packages of a mirror that have these names are to be asked for again.
    pub async fn mirrored_package_recheck_named(
        &self,
        id: MirrorId,
        names: &BTreeSet<PackageName>,
    ) -> Result<(), StorageError> {
        for names in query::batches(names.iter().map(PackageName::as_str)) {
            self.recheck(ids_of(id).filter(package::Column::Name.is_in(names))).await?;
        }
        Ok(())
    }

    async fn recheck(&self, packages: Select<package::Entity>) -> Result<(), StorageError> {
        Entity::update_many()
            .filter(Column::PackageId.in_subquery(packages.into_query()))
            .col_expr(Column::CheckedAt, query::value(None::<i64>))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Forgets by what a mirror recognises its files: they are somewhere else now.
    pub async fn mirrored_package_forget(&self, id: MirrorId) -> Result<(), StorageError> {
        Entity::update_many()
            .filter(Column::PackageId.in_subquery(ids_of(id).into_query()))
            .col_expr(Column::CheckedAt, query::value(None::<i64>))
            .col_expr(Column::LastModified, query::value(None::<String>))
            .col_expr(Column::DevLastModified, query::value(None::<String>))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Packages of a mirror with which something is wrong, by name: at most `limit`.
    pub async fn mirrored_package_list_failing(
        &self,
        id: MirrorId,
        limit: u64,
    ) -> Result<Vec<(Package, MirroredPackage)>, StorageError> {
        let failing =
            Entity::find().select_only().column(Column::PackageId).filter(Column::LastError.is_not_null());
        let packages = package::Entity::find()
            .filter(package::Column::MirrorId.eq(Uuid::from(id)))
            .filter(package::Column::Id.in_subquery(failing.into_query()))
            .order_by_asc(package::Column::Name)
            .order_by_asc(package::Column::Id)
            .limit(limit);
        let packages: Vec<Package> = query::all(packages, &self.conn).await?;
        let mut found = Vec::new();
        for package in packages {
            if let Some(mirrored) = self.mirrored_package_find(package.id).await? {
                found.push((package, mirrored));
            }
        }
        Ok(found)
    }
}

fn ids_of(id: MirrorId) -> Select<package::Entity> {
    package::Entity::find()
        .select_only()
        .column(package::Column::Id)
        .filter(package::Column::MirrorId.eq(Uuid::from(id)))
}

#[cfg(test)]
mod tests {
    use crate::{
        Storage,
        testing::{at, id, organization, package, test_storage},
    };
    use stave_domain::{
        id::MirrorId,
        mirror::{Adds, Mirror, MirrorTimeout, MirroredPackage},
        package::{Origin, Package},
    };

    /// A mirror with the packages `vendor/a` and `vendor/b`, which were read at 10 s.
    async fn mirror(storage: &Storage) -> MirrorId {
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        let mirror = Mirror {
            id: id(1),
            organization_id: acme.id,
            name: "Vendor".into(),
            url: "https://repo.example.com".parse().unwrap(),
            credential_id: None,
            timeout: MirrorTimeout::default(),
            adds: Adds::default(),
            position: 0,
            root: None,
            changes_since: None,
            checked_at: None,
            last_error: None,
            failing_since: None,
            created_at: at(0),
        };
        storage.mirror_insert(&mirror).await.unwrap();
        for (number, name) in [(1, "vendor/a"), (2, "vendor/b")] {
            let package = Package { origin: Origin::Mirror(mirror.id), ..package(number, acme.id, name) };
            storage.package_insert(&package).await.unwrap();
            let mirrored = MirroredPackage {
                last_modified: Some("x".into()),
                dev_last_modified: Some("y".into()),
                checked_at: Some(at(10)),
                ..MirroredPackage::new(package.id)
            };
            storage.mirrored_package_put(&mirrored).await.unwrap();
        }
        mirror.id
    }

    async fn due(storage: &Storage, mirror: MirrorId) -> Vec<String> {
        let due = storage.mirrored_package_list_due(mirror, at(5), 9).await.unwrap();
        due.iter().map(|(package, _)| package.name.as_ref().unwrap().to_string()).collect()
    }

    #[tokio::test]
    async fn what_a_feed_names_is_asked_for_again() {
        let storage = test_storage().await;
        let mirror = mirror(&storage).await;
        assert_eq!(due(&storage, mirror).await, [""; 0]);
        let names = ["vendor/b", "vendor/unknown"].map(|name| name.parse().unwrap()).into();
        storage.mirrored_package_recheck_named(mirror, &names).await.unwrap();
        assert_eq!(due(&storage, mirror).await, ["vendor/b"]);
        storage.mirrored_package_recheck(id(2)).await.unwrap();
        assert_eq!(due(&storage, mirror).await, ["vendor/b"], "another mirror is nobody's business");
        storage.mirrored_package_recheck(mirror).await.unwrap();
        assert_eq!(due(&storage, mirror).await, ["vendor/a", "vendor/b"]);
        storage.mirror_heard(mirror, 17).await.unwrap();
        assert_eq!(storage.mirror_find(mirror).await.unwrap().unwrap().changes_since, Some(17));
        let seen = storage.mirrored_package_find(id(1)).await.unwrap().unwrap();
        assert_eq!(seen.last_modified.as_deref(), Some("x"), "by which it may say that nothing has changed");

        storage.mirrored_package_forget(mirror).await.unwrap();
        let seen = storage.mirrored_package_find(id(1)).await.unwrap().unwrap();
        assert_eq!((seen.last_modified, seen.dev_last_modified, seen.checked_at), (None, None, None));
    }

    #[tokio::test]
    async fn what_is_wrong_is_listed() {
        let storage = test_storage().await;
        let mirror = mirror(&storage).await;
        assert_eq!(storage.mirrored_package_list_failing(mirror, 9).await.unwrap(), []);
        let seen = storage.mirrored_package_find(id(2)).await.unwrap().unwrap();
        let failing = MirroredPackage { last_error: Some("It is down.".into()), ..seen };
        storage.mirrored_package_put(&failing).await.unwrap();
        let listed = storage.mirrored_package_list_failing(mirror, 9).await.unwrap();
        let [(package, listed)] = listed.as_slice() else { panic!("{listed:?}") };
        assert_eq!((package.id, listed), (id(2), &failing));
        assert_eq!(storage.mirrored_package_list_failing(id(2), 9).await.unwrap(), []);
    }
}
