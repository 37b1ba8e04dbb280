//! Packages.

use crate::{
    Storage, StorageError,
    change::About,
    conn::Conn,
    definition, query, repository,
    tables::{
        Row,
        package::{Column, Entity, Model, by_name},
        publication, repository as repository_table,
    },
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};
use stave_domain::{
    access::Named,
    id::{CredentialId, IntegrationId, OrganizationId, PackageId, RepositoryId, SynchronizationId},
    package::{Package, PackageName},
    repository::Repository,
};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

impl Storage {
    /// A new package. `Conflict` if the organization has one of this name, or the repository one in this folder.
    pub async fn package_insert(&self, package: &Package) -> Result<(), StorageError> {
        query::insert(Model::from(package), &self.conn_about(package)).await
    }

    fn conn_about(&self, package: &Package) -> Conn {
        self.conn.about(if package.is_mirrored() { About::MirroredPackage } else { About::Anything })
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

    /// The packages of a repository, by folder.
    pub async fn package_list_of_repository(&self, id: RepositoryId) -> Result<Vec<Package>, StorageError> {
        let found = Entity::find().filter(Column::RepositoryId.eq(Uuid::from(id)));
        query::all(found.order_by_asc(Column::Path), &self.conn).await
    }

    /// A page of an organization's packages by name, nameless ones last, with the repositories that they are in; an empty
    /// search finds all, any other looks into name, description, folder and source.
    pub async fn package_list(
        &self,
        organization: OrganizationId,
        search: &str,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<(Package, Option<Repository>)>, StorageError> {
        let there = repository::ids_containing(search).into_query();
        let contains = Condition::any()
            .add(query::contains(Column::Search, search))
            .add(Column::RepositoryId.in_subquery(there));
        let found = packages_of(organization).filter(contains);
        self.with_repositories(by_name(found).offset(offset).limit(limit)).await
    }

    /// These packages, in this order, with their repositories; those that are not there are left out.
    pub async fn package_list_of_ids(
        &self,
        ids: &[PackageId],
    ) -> Result<Vec<(Package, Option<Repository>)>, StorageError> {
        let mut found = HashMap::new();
        for ids in query::batches(ids.iter().map(|id| Uuid::from(*id))) {
            let packages = Entity::find().filter(Column::Id.is_in(ids));
            found.extend(self.with_repositories(packages).await?.into_iter().map(|it| (it.0.id, it)));
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// A package that nobody else changes until the transaction ends, so that what is written follows from what was read.
    pub async fn package_lock(&self, id: PackageId) -> Result<Option<Package>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)).lock_exclusive(), &self.conn).await
    }

    /// The packages of an organization that were once published at a commit, under whatever name: the oldest first.
    pub async fn package_list_by_commit(
        &self,
        organization: OrganizationId,
        commit: &str,
    ) -> Result<Vec<Package>, StorageError> {
        let published = publication::Entity::find()
            .select_only()
            .column(publication::Column::PackageId)
            .filter(publication::Column::Commit.eq(commit));
        let theirs = packages_of(organization).filter(Column::Id.in_subquery(published.into_query()));
        query::all(theirs.order_by_asc(Column::CreatedAt), &self.conn).await
    }

    /// Which packages exist, by id.
    pub async fn package_id_list(&self) -> Result<BTreeSet<PackageId>, StorageError> {
        let ids =
            Entity::find().select_only().column(Column::Id).into_tuple::<Uuid>().all(&self.conn).await?;
        Ok(ids.into_iter().map(PackageId::from).collect())
    }

    /// A page of an organization's packages by id, which is the order in which they were added, from after one on.
    pub async fn package_id_list_of(
        &self,
        organization: OrganizationId,
        after: Option<PackageId>,
        limit: u64,
    ) -> Result<Vec<PackageId>, StorageError> {
        let mut found = packages_of(organization);
        if let Some(after) = after {
            found = found.filter(Column::Id.gt(Uuid::from(after)));
        }
        let ids = found.select_only().column(Column::Id).order_by_asc(Column::Id).limit(limit);
        let ids = ids.into_tuple::<Uuid>().all(&self.conn).await?;
        Ok(ids.into_iter().map(PackageId::from).collect())
    }

    /// How many packages an organization has.
    pub async fn package_count(&self, organization: OrganizationId) -> Result<u64, StorageError> {
        Ok(packages_of(organization).count(&self.conn).await?)
    }

    /// How many packages a synchronization brought.
    pub async fn package_count_of_synchronization(&self, id: SynchronizationId) -> Result<u64, StorageError> {
        Ok(packages_in(repository::ids_followed(id)).count(&self.conn).await?)
    }

    /// Stores everything of the record. `Conflict` if the organization has another one of this name, or the repository in this folder.
    pub async fn package_update(&self, package: &Package) -> Result<(), StorageError> {
        query::update(Model::from(package), &self.conn_about(package)).await
    }

    /// Deletes a package with its versions, documents, runs and the records of its dists; their blobs stay.
    pub async fn package_delete(&self, id: PackageId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }

    /// The vendors of an organization's packages, each once, in order.
    pub async fn package_vendor_list(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<String>, StorageError> {
        let named = self.package_name_list(organization).await?;
        let mut vendors: Vec<_> = named.iter().map(|it| it.name.vendor().to_owned()).collect();
        vendors.dedup();
        Ok(vendors)
    }

    /// The packages of an organization that have a name, in its order.
    pub async fn package_name_list(&self, organization: OrganizationId) -> Result<Vec<Named>, StorageError> {
        let rows: Vec<(Uuid, String, Option<Uuid>)> = packages_of(organization)
            .filter(Column::Name.is_not_null())
            .select_only()
            .columns([Column::Id, Column::Name, Column::MirrorId])
            .order_by_asc(Column::Name)
            .into_tuple()
            .all(&self.conn)
            .await?;
        let each = rows.into_iter().map(|(id, name, mirror)| {
            let name = Row::of("package", id).parse("name", &name)?;
            Ok(Named { package_id: id.into(), name, is_mirrored: mirror.is_some() })
        });
        each.collect()
    }

    /// The packages that are read with the rights of any account of an integration, by name, with their repositories.
    pub async fn package_list_of_integration(
        &self,
        id: IntegrationId,
    ) -> Result<Vec<(Package, Option<Repository>)>, StorageError> {
        self.with_repositories(by_name(packages_in(repository::ids_read_through(id)))).await
    }

    /// The packages that are read with a credential, by name, with their repositories.
    pub async fn package_list_of_credential(
        &self,
        id: CredentialId,
    ) -> Result<Vec<(Package, Option<Repository>)>, StorageError> {
        let of_repositories = Column::RepositoryId.in_subquery(repository::ids_read_with(id).into_query());
        let custom = Column::Id.in_subquery(definition::ids_fetched_with(id).into_query());
        let found = Entity::find().filter(Condition::any().add(of_repositories).add(custom));
        self.with_repositories(by_name(found)).await
    }

    async fn with_repositories(
        &self,
        packages: Select<Entity>,
    ) -> Result<Vec<(Package, Option<Repository>)>, StorageError> {
        let packages: Vec<Package> = query::all(packages, &self.conn).await?;
        let ids: BTreeSet<Uuid> =
            packages.iter().filter_map(Package::repository_id).map(Into::into).collect();
        let mut repositories: HashMap<RepositoryId, Repository> = HashMap::new();
        for ids in query::batches(ids) {
            let found = repository_table::Entity::find().filter(repository_table::Column::Id.is_in(ids));
            let found: Vec<Repository> = query::all(found, &self.conn).await?;
            repositories.extend(found.into_iter().map(|repository| (repository.id, repository)));
        }
        // A package whose repository was deleted between the two queries was deleted with it.
        let placed = packages.into_iter().filter_map(|package| {
            let Some(id) = package.repository_id() else { return Some((package, None)) };
            let repository = repositories.get(&id)?.clone();
            Some((package, Some(repository)))
        });
        Ok(placed.collect())
    }
}

fn packages_in(repositories: Select<repository_table::Entity>) -> Select<Entity> {
    Entity::find().filter(Column::RepositoryId.in_subquery(repositories.into_query()))
}

fn packages_of(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationId.eq(Uuid::from(organization)))
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{id, organization, package, package_store, repository, test_storage},
    };
    use stave_domain::{
        package::{Origin, Package},
        repository::Repository,
    };

    fn names(packages: &[(Package, Option<Repository>)]) -> String {
        let name = |(package, _): &(Package, Option<Repository>)| {
            package.name.as_ref().map_or("-".to_owned(), ToString::to_string)
        };
        packages.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    #[tokio::test]
    async fn an_organization_has_each_name_once() {
        let storage = test_storage().await;
        let (acme, zoo) = (organization(1, "acme"), organization(2, "zoo"));
        storage.organization_insert(&acme).await.unwrap();
        storage.organization_insert(&zoo).await.unwrap();
        let mailer = package(1, acme.id, "acme/mailer");
        package_store(&storage, &mailer).await;
        let of_zoo =
            Package { id: id(2), origin: Origin::root_of(id(2)), organization_id: zoo.id, ..mailer.clone() };
        package_store(&storage, &of_zoo).await;

        storage.repository_insert(&repository(3, acme.id)).await.unwrap();
        let same_name = storage.package_insert(&package(3, acme.id, "acme/mailer")).await;
        assert!(matches!(same_name, Err(StorageError::Conflict)), "{same_name:?}");

        let name = mailer.name.clone().unwrap();
        assert_eq!(storage.package_find_by_name(acme.id, &name).await.unwrap().as_ref(), Some(&mailer));
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
            package_store(&storage, &package(number, acme.id, name)).await;
        }
        for number in [5, 6] {
            let nameless = Package { name: None, ..package(number, acme.id, "acme/new") };
            package_store(&storage, &nameless).await;
        }
        let list = async |search: &str, offset, limit| {
            names(&storage.package_list(acme.id, search, offset, limit).await.unwrap())
        };
        // By bytes: "-" comes before "/".
        assert_eq!(list("", 0, 9).await, "acme-x/a acme/log acme/mailer zoo/b - -");
        assert_eq!(list("", 1, 2).await, "acme/log acme/mailer");
        assert_eq!(list("ACME/", 0, 9).await, "acme/log acme/mailer");
        assert_eq!(list("Source-6", 0, 9).await, "-", "the source counts too");
        assert_eq!(storage.package_count(acme.id).await.unwrap(), 6);
        assert_eq!(storage.package_vendor_list(acme.id).await.unwrap(), ["acme-x", "acme", "zoo"]);
        let named = storage.package_name_list(acme.id).await.unwrap();
        let found: Vec<&str> = named.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(found, ["acme-x/a", "acme/log", "acme/mailer", "zoo/b"]);
        assert!(named.iter().all(|it| !it.is_mirrored));
    }
}
