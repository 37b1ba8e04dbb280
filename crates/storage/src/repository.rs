//! Git repositories that are mirrored here.

use crate::{
    Storage, StorageError, query,
    tables::{
        identity,
        repository::{Column, Entity, Model},
    },
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use stave_domain::{
    Timestamp,
    id::{CredentialId, IntegrationId, OrganizationId, RepositoryId, SynchronizationId},
    repository::{Followed, Repository, SourceUrl},
};
use std::collections::BTreeSet;
use uuid::Uuid;

impl Storage {
    /// A new repository. `Conflict` if its synchronization has one of this number.
    pub async fn repository_insert(&self, repository: &Repository) -> Result<(), StorageError> {
        query::insert(Model::from(repository), &self.conn).await
    }

    /// The repository with this id.
    pub async fn repository_find(&self, id: RepositoryId) -> Result<Option<Repository>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// The organization's repository whose code is there: the oldest, if several.
    pub async fn repository_find_by_source(
        &self,
        organization: OrganizationId,
        source: &SourceUrl,
    ) -> Result<Option<Repository>, StorageError> {
        let there = repositories_of(organization).filter(Column::SourceUrl.eq(source.to_string()));
        query::one(by_age(there), &self.conn).await
    }

    /// The repository that a synchronization brought under a number.
    pub async fn repository_find_followed(
        &self,
        followed: Followed,
    ) -> Result<Option<Repository>, StorageError> {
        let of_synchronization = repositories_followed(followed.synchronization_id);
        query::one(of_synchronization.filter(Column::Number.eq(i64::from(followed.number))), &self.conn).await
    }

    /// The repositories that a synchronization brought, by number.
    pub async fn repository_list_followed(
        &self,
        synchronization: SynchronizationId,
    ) -> Result<Vec<Repository>, StorageError> {
        query::all(repositories_followed(synchronization).order_by_asc(Column::Number), &self.conn).await
    }

    /// A repository that nobody else changes until the transaction ends, so that what is written follows from what was read.
    pub async fn repository_lock(&self, id: RepositoryId) -> Result<Option<Repository>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)).lock_exclusive(), &self.conn).await
    }

    /// An organization's repositories, the oldest first.
    pub async fn repository_list(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<Repository>, StorageError> {
        query::all(by_age(repositories_of(organization)), &self.conn).await
    }

    /// Which repositories exist, by id.
    pub async fn repository_id_list(&self) -> Result<BTreeSet<RepositoryId>, StorageError> {
        let ids =
            Entity::find().select_only().column(Column::Id).into_tuple::<Uuid>().all(&self.conn).await?;
        Ok(ids.into_iter().map(RepositoryId::from).collect())
    }

    /// Stores everything of the record. `Conflict` if its synchronization has another one of this number.
    pub async fn repository_update(&self, repository: &Repository) -> Result<(), StorageError> {
        query::update(Model::from(repository), &self.conn).await
    }

    /// Notes when a repository was last asked, and why it could not be read then. One that is gone stays gone.
    pub async fn repository_checked(
        &self,
        id: RepositoryId,
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

    /// Deletes a repository with its runs and its packages, and all that [`Self::package_delete`] deletes with these.
    pub async fn repository_delete(&self, id: RepositoryId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }

    /// Repositories that were last read before an instant, or never, those first: at most `limit`.
    pub async fn repository_list_due(
        &self,
        checked_before: Timestamp,
        limit: u64,
    ) -> Result<Vec<Repository>, StorageError> {
        let never = Column::CheckedAt.is_null();
        let long_ago = Column::CheckedAt.lt(checked_before.as_millisecond());
        let due = Entity::find().filter(Condition::any().add(never.clone()).add(long_ago));
        let first = due.order_by_desc(never).order_by_asc(Column::CheckedAt).order_by_asc(Column::Id);
        query::all(first.limit(limit), &self.conn).await
    }
}

fn repositories_of(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationId.eq(Uuid::from(organization)))
}

fn repositories_followed(synchronization: SynchronizationId) -> Select<Entity> {
    Entity::find().filter(Column::SynchronizationId.eq(Uuid::from(synchronization)))
}

fn by_age(repositories: Select<Entity>) -> Select<Entity> {
    repositories.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id)
}

/// The ids of those that are read with the rights of any account of an integration.
pub(crate) fn ids_read_through(integration: IntegrationId) -> Select<Entity> {
    let accounts = identity::Entity::find()
        .select_only()
        .column(identity::Column::Id)
        .filter(identity::Column::IntegrationId.eq(Uuid::from(integration)));
    ids().filter(Column::IdentityId.in_subquery(accounts.into_query()))
}

/// The ids of those that are read with a credential.
pub(crate) fn ids_read_with(credential: CredentialId) -> Select<Entity> {
    ids().filter(Column::CredentialId.eq(Uuid::from(credential)))
}

/// The ids of those that a synchronization brought.
pub(crate) fn ids_followed(synchronization: SynchronizationId) -> Select<Entity> {
    ids().filter(Column::SynchronizationId.eq(Uuid::from(synchronization)))
}

/// The ids of those in whose source a text is.
pub(crate) fn ids_containing(search: &str) -> Select<Entity> {
    ids().filter(query::contains(Column::Search, search))
}

fn ids() -> Select<Entity> {
    Entity::find().select_only().column(Column::Id)
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{acme_mailer, at, id, organization, package, repository, test_storage},
    };
    use stave_domain::{
        package::{Origin, Package},
        repository::{Followed, Repository},
    };

    #[tokio::test]
    async fn a_repository_is_kept_as_it_is() {
        let storage = test_storage().await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        let followed = Followed { synchronization_id: id(5), number: 7 };
        let tools = Repository {
            layout: "packages/*\n!packages/old".parse().unwrap(),
            followed: Some(followed),
            checked_at: Some(at(3)),
            last_error: Some("No.".into()),
            ..repository(1, acme.id)
        };
        storage.repository_insert(&tools).await.unwrap();
        assert_eq!(storage.repository_find(tools.id).await.unwrap().as_ref(), Some(&tools));
        assert_eq!(storage.repository_find_followed(followed).await.unwrap().as_ref(), Some(&tools));
        let other_number = Followed { number: 8, ..followed };
        assert_eq!(storage.repository_find_followed(other_number).await.unwrap(), None);

        let twice = storage.repository_insert(&Repository { id: id(2), ..tools.clone() }).await;
        assert!(matches!(twice, Err(StorageError::Conflict)), "{twice:?}");
        let moved = Repository { source: "https://bitbucket.org/acme/x".parse().unwrap(), ..tools.clone() };
        storage.repository_update(&moved).await.unwrap();
        storage.repository_checked(moved.id, at(9), None).await.unwrap();
        let checked = Repository { checked_at: Some(at(9)), last_error: None, ..moved };
        assert_eq!(storage.repository_list(acme.id).await.unwrap(), std::slice::from_ref(&checked));
        assert_eq!(storage.repository_list_followed(id(5)).await.unwrap(), [checked]);
        assert_eq!(storage.repository_list_followed(id(6)).await.unwrap(), []);
    }

    #[tokio::test]
    async fn two_repositories_may_swap_their_sources() {
        let storage = test_storage().await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        let (one, two) = (repository(1, acme.id), repository(2, acme.id));
        storage.repository_insert(&one).await.unwrap();
        storage.repository_insert(&two).await.unwrap();
        storage.repository_update(&Repository { source: two.source.clone(), ..one.clone() }).await.unwrap();
        let found = storage.repository_find_by_source(acme.id, &two.source).await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(one.id), "the oldest");
        storage.repository_update(&Repository { source: one.source.clone(), ..two.clone() }).await.unwrap();
        let found = storage.repository_find_by_source(acme.id, &one.source).await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(two.id));
    }

    #[tokio::test]
    async fn a_repository_takes_its_packages_with_it() {
        let storage = test_storage().await;
        let (acme, mailer) = acme_mailer(&storage).await;
        let origin = Origin::Folder { repository_id: id(1), path: "log".into() };
        let log = Package { origin, ..package(2, acme, "acme/log") };
        storage.package_insert(&log).await.unwrap();
        let same_folder = Package { id: id(3), name: None, ..log.clone() };
        let same_folder = storage.package_insert(&same_folder).await;
        assert!(matches!(same_folder, Err(StorageError::Conflict)), "{same_folder:?}");
        let known = storage.package_list_of_repository(id(1)).await.unwrap();
        assert_eq!(known.iter().map(|it| it.id).collect::<Vec<_>>(), [mailer, log.id]);

        storage.repository_delete(id(1)).await.unwrap();
        assert_eq!(storage.package_find(mailer).await.unwrap(), None);
        assert!(storage.repository_id_list().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_was_never_read_is_due_first() {
        let storage = test_storage().await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        for (number, checked_at) in (1..).zip([None, Some(at(20)), Some(at(10)), Some(at(30))]) {
            let repository = Repository { checked_at, ..repository(number, acme.id) };
            storage.repository_insert(&repository).await.unwrap();
        }
        let due = async |limit| {
            let due = storage.repository_list_due(at(30), limit).await.unwrap();
            due.iter().map(|repository| repository.id).collect::<Vec<_>>()
        };
        assert_eq!(due(9).await, [id(1), id(3), id(2)]);
        assert_eq!(due(2).await, [id(1), id(3)]);
    }
}
