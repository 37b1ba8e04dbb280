//! Followed packages.

use crate::{
    Storage, StorageError, query,
    tables::{
        Row, identity,
        package::{Column, Entity, Model, by_name},
        publication,
    },
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};
use stave_domain::{
    Timestamp,
    id::{IntegrationId, OrganizationId, PackageId},
    package::{Package, PackageName, SourceUrl},
};
use std::collections::BTreeSet;
use uuid::Uuid;

impl Storage {
    /// A new package. `Conflict` if the organization has one of this name or from this source.
    pub async fn package_insert(&self, package: &Package) -> Result<(), StorageError> {
        query::insert(Model::from(package), &self.conn).await
    }

    /// The package with this id.
    pub async fn package_find(&self, id: PackageId) -> Result<Option<Package>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// The organization's package of this name.
    pub async fn package_find_by_name(
        &self,
        organization: OrganizationId,
        name: &PackageName,
    ) -> Result<Option<Package>, StorageError> {
        query::one(packages_of(organization).filter(Column::Name.eq(name.as_str())), &self.conn).await
    }

    /// The organization's package whose code is there.
    pub async fn package_find_by_source(
        &self,
        organization: OrganizationId,
        source: &SourceUrl,
    ) -> Result<Option<Package>, StorageError> {
        query::one(packages_of(organization).filter(Column::SourceUrl.eq(source.to_string())), &self.conn)
            .await
    }

    /// A page of an organization's packages by name, nameless ones last; an empty search finds all, any other looks
    /// into name, description and source.
    pub async fn package_list(
        &self,
        organization: OrganizationId,
        search: &str,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<Package>, StorageError> {
        let found = packages_of(organization).filter(query::contains(Column::Search, search));
        query::all(by_name(found).offset(offset).limit(limit), &self.conn).await
    }

    /// A package that nobody else changes until the transaction ends, so that what is written follows from what was read.
    pub async fn package_lock(&self, id: PackageId) -> Result<Option<Package>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)).lock_exclusive(), &self.conn).await
    }

    /// The package of an organization that was once published at a commit, under whatever name: the oldest, if several.
    pub async fn package_find_by_commit(
        &self,
        organization: OrganizationId,
        commit: &str,
    ) -> Result<Option<Package>, StorageError> {
        let published = publication::Entity::find()
            .select_only()
            .column(publication::Column::PackageId)
            .filter(publication::Column::Commit.eq(commit));
        let theirs = packages_of(organization).filter(Column::Id.in_subquery(published.into_query()));
        query::one(theirs.order_by_asc(Column::CreatedAt), &self.conn).await
    }

    /// Which packages exist, by id.
    pub async fn package_id_list(&self) -> Result<BTreeSet<PackageId>, StorageError> {
        let ids =
            Entity::find().select_only().column(Column::Id).into_tuple::<Uuid>().all(&self.conn).await?;
        Ok(ids.into_iter().map(PackageId::from).collect())
    }

    /// How many packages an organization has.
    pub async fn package_count(&self, organization: OrganizationId) -> Result<u64, StorageError> {
        Ok(packages_of(organization).count(&self.conn).await?)
    }

    /// Stores everything of the record. `Conflict` if the organization has another one of this name or from this source.
    pub async fn package_update(&self, package: &Package) -> Result<(), StorageError> {
        query::update(Model::from(package), &self.conn).await
    }

    /// Notes when a package's repository was last asked, and why it could not be read then. A package that is gone stays
    /// gone.
    pub async fn package_checked(
        &self,
        id: PackageId,
        at: Timestamp,
        because: Option<&str>,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .filter(Column::Id.eq(Uuid::from(id)))
            .col_expr(Column::CheckedAt, query::value(at.as_millisecond()))
            .col_expr(Column::LastError, query::value(because.map(str::to_owned)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Deletes a package with its versions, documents, runs and the records of its dists; their blobs stay.
    pub async fn package_delete(&self, id: PackageId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }

    /// Packages whose repository was last read before an instant, or never, those first: at most `limit`.
    pub async fn package_list_due(
        &self,
        checked_before: Timestamp,
        limit: u64,
    ) -> Result<Vec<Package>, StorageError> {
        let never = Column::CheckedAt.is_null();
        let long_ago = Column::CheckedAt.lt(checked_before.as_millisecond());
        let due = Entity::find().filter(Condition::any().add(never.clone()).add(long_ago));
        let first = due.order_by_desc(never).order_by_asc(Column::CheckedAt).order_by_asc(Column::Id);
        query::all(first.limit(limit), &self.conn).await
    }

    /// The vendors of an organization's packages, each once, in order.
    pub async fn package_vendor_list(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<String>, StorageError> {
        let names = self.package_name_list(organization).await?;
        let mut vendors: Vec<_> = names.iter().map(|name| name.vendor().to_owned()).collect();
        vendors.dedup();
        Ok(vendors)
    }

    /// The names of an organization's packages, in order.
    pub async fn package_name_list(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<PackageName>, StorageError> {
        let rows: Vec<(Uuid, String)> = packages_of(organization)
            .filter(Column::Name.is_not_null())
            .select_only()
            .columns([Column::Id, Column::Name])
            .order_by_asc(Column::Name)
            .into_tuple()
            .all(&self.conn)
            .await?;
        rows.into_iter().map(|(id, name)| Row::of("package", id).parse("name", &name)).collect()
    }

    /// The packages that are read with the rights of any account of an integration, by name.
    pub async fn package_list_of_integration(&self, id: IntegrationId) -> Result<Vec<Package>, StorageError> {
        let accounts = identity::Entity::find()
            .select_only()
            .column(identity::Column::Id)
            .filter(identity::Column::IntegrationId.eq(Uuid::from(id)));
        let theirs = Entity::find().filter(Column::IdentityId.in_subquery(accounts.into_query()));
        query::all(by_name(theirs), &self.conn).await
    }
}

fn packages_of(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationId.eq(Uuid::from(organization)))
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{at, id, organization, package, test_storage},
    };
    use stave_domain::package::{Package, PackageName};

    fn names(packages: &[Package]) -> String {
        let name = |package: &Package| package.name.as_ref().map_or("-".to_owned(), ToString::to_string);
        packages.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    #[tokio::test]
    async fn an_organization_has_each_name_and_each_source_once() {
        let storage = test_storage().await;
        let (acme, zoo) = (organization(1, "acme"), organization(2, "zoo"));
        storage.organization_insert(&acme).await.unwrap();
        storage.organization_insert(&zoo).await.unwrap();
        let mailer = package(1, acme.id, "acme/mailer");
        storage.package_insert(&mailer).await.unwrap();
        storage
            .package_insert(&Package { id: id(2), organization_id: zoo.id, ..mailer.clone() })
            .await
            .unwrap();

        let same_name = storage.package_insert(&package(3, acme.id, "acme/mailer")).await;
        assert!(matches!(same_name, Err(StorageError::Conflict)), "{same_name:?}");
        let same_source = Package { id: id(3), name: None, ..mailer.clone() };
        let same_source = storage.package_insert(&same_source).await;
        assert!(matches!(same_source, Err(StorageError::Conflict)), "{same_source:?}");

        let name = mailer.name.clone().unwrap();
        assert_eq!(storage.package_find_by_name(acme.id, &name).await.unwrap().as_ref(), Some(&mailer));
        assert_eq!(
            storage.package_find_by_source(acme.id, &mailer.source).await.unwrap().as_ref(),
            Some(&mailer)
        );
        storage.package_delete(mailer.id).await.unwrap();
        assert_eq!(storage.package_find_by_name(acme.id, &name).await.unwrap(), None);
        assert_eq!(storage.package_count(zoo.id).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn packages_are_listed_by_name() {
        let storage = test_storage().await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        for (number, name) in [(1, "zoo/b"), (2, "acme/mailer"), (3, "acme-x/a"), (4, "acme/log")] {
            storage.package_insert(&package(number, acme.id, name)).await.unwrap();
        }
        for number in [5, 6] {
            let nameless = Package { name: None, ..package(number, acme.id, "acme/new") };
            storage.package_insert(&nameless).await.unwrap();
        }
        let list = async |search: &str, offset, limit| {
            names(&storage.package_list(acme.id, search, offset, limit).await.unwrap())
        };
        // By bytes: "-" comes before "/".
        assert_eq!(list("", 0, 9).await, "acme-x/a acme/log acme/mailer zoo/b - -");
        assert_eq!(list("", 1, 2).await, "acme/log acme/mailer");
        assert_eq!(list("ACME/", 0, 9).await, "acme/log acme/mailer - -", "the source counts too");
        assert_eq!(storage.package_count(acme.id).await.unwrap(), 6);
        assert_eq!(storage.package_vendor_list(acme.id).await.unwrap(), ["acme-x", "acme", "zoo"]);
        let found: Vec<String> =
            storage.package_name_list(acme.id).await.unwrap().iter().map(PackageName::to_string).collect();
        assert_eq!(found, ["acme-x/a", "acme/log", "acme/mailer", "zoo/b"]);
    }

    #[tokio::test]
    async fn what_was_never_read_is_due_first() {
        let storage = test_storage().await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        let read = [
            ("acme/new", None),
            ("acme/late", Some(at(20))),
            ("acme/early", Some(at(10))),
            ("acme/fresh", Some(at(30))),
        ];
        for (number, (name, checked_at)) in (1..).zip(read) {
            storage.package_insert(&Package { checked_at, ..package(number, acme.id, name) }).await.unwrap();
        }
        let due = storage.package_list_due(at(30), 9).await.unwrap();
        assert_eq!(names(&due), "acme/new acme/early acme/late");
        assert_eq!(names(&storage.package_list_due(at(30), 2).await.unwrap()), "acme/new acme/early");
    }
}
