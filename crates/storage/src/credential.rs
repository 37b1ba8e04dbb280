//! Stored secrets with which Stave reads repositories elsewhere.

use crate::{
    Storage, StorageError, query,
    tables::{
        credential::{Column, Entity, Model},
        definition, mirror, repository, synchronization,
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use stave_domain::{
    Timestamp,
    credential::StoredCredential,
    id::{CredentialId, OrganizationId},
    repository::Repository,
};
use uuid::Uuid;

impl Storage {
    /// A new credential.
    pub async fn credential_insert(&self, credential: &StoredCredential) -> Result<(), StorageError> {
        query::insert(Model::from(credential), &self.conn).await
    }

    /// The credential with this id.
    pub async fn credential_find(&self, id: CredentialId) -> Result<Option<StoredCredential>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// An organization's credentials, oldest first.
    pub async fn credential_list(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<StoredCredential>, StorageError> {
        let theirs = Entity::find().filter(Column::OrganizationId.eq(Uuid::from(organization)));
        query::all(theirs.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// Stores everything of the record.
    pub async fn credential_update(&self, credential: &StoredCredential) -> Result<(), StorageError> {
        query::update(Model::from(credential), &self.conn).await
    }

    /// Remembers when a credential was last tried, and why it did not work then; `None` if it did.
    pub async fn credential_checked(
        &self,
        id: CredentialId,
        at: Timestamp,
        because: Option<&str>,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::CheckedAt, query::value(at.as_millisecond()))
            .col_expr(Column::LastError, query::value(because.map(str::to_owned)))
            .filter(Column::Id.eq(Uuid::from(id)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// The credentials that die before an instant and whose owners were not warned of it, the next to die first.
    pub async fn credential_list_expiring(
        &self,
        before: Timestamp,
    ) -> Result<Vec<StoredCredential>, StorageError> {
        let dying = Entity::find()
            .filter(Column::ExpiresAt.lt(before.as_millisecond()))
            .filter(Column::WarnedAt.is_null());
        query::all(dying.order_by_asc(Column::ExpiresAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// The credentials of an organization that die before an instant, the next to die first.
    pub async fn credential_list_dying(
        &self,
        organization: OrganizationId,
        before: Timestamp,
    ) -> Result<Vec<StoredCredential>, StorageError> {
        let dying = Entity::find()
            .filter(Column::OrganizationId.eq(Uuid::from(organization)))
            .filter(Column::ExpiresAt.lt(before.as_millisecond()));
        query::all(dying.order_by_asc(Column::ExpiresAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// Its owners were warned that a credential expires.
    pub async fn credential_warned(&self, id: CredentialId, at: Timestamp) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::WarnedAt, query::value(at.as_millisecond()))
            .filter(Column::Id.eq(Uuid::from(id)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Another credential takes the place of one wherever it is used: repositories, synchronizations, mirrors and custom packages.
    pub async fn credential_replace(&self, old: CredentialId, new: CredentialId) -> Result<(), StorageError> {
        let (old, new) = (Uuid::from(old), Uuid::from(new));
        let transaction = self.begin().await?;
        repository::Entity::update_many()
            .col_expr(repository::Column::CredentialId, query::value(new))
            .filter(repository::Column::CredentialId.eq(old))
            .exec(&transaction.conn)
            .await?;
        synchronization::Entity::update_many()
            .col_expr(synchronization::Column::CredentialId, query::value(new))
            .filter(synchronization::Column::CredentialId.eq(old))
            .exec(&transaction.conn)
            .await?;
        mirror::Entity::update_many()
            .col_expr(mirror::Column::CredentialId, query::value(new))
            .filter(mirror::Column::CredentialId.eq(old))
            .exec(&transaction.conn)
            .await?;
        definition::Entity::update_many()
            .col_expr(definition::Column::CredentialId, query::value(new))
            .filter(definition::Column::CredentialId.eq(old))
            .exec(&transaction.conn)
            .await?;
        transaction.commit().await
    }

    /// The repositories that are read with a credential, by source.
    pub async fn credential_repository_list(
        &self,
        id: CredentialId,
    ) -> Result<Vec<Repository>, StorageError> {
        let read_with = repository::Column::CredentialId.eq(Uuid::from(id));
        let found = repository::Entity::find().filter(read_with);
        query::all(found.order_by_asc(repository::Column::SourceUrl), &self.conn).await
    }

    /// Deletes a credential. `Detached` while a package, synchronization or mirror uses it: ask
    /// [`Self::package_list_of_credential`], [`Self::synchronization_list_of_credential`] and [`Self::mirror_list_of_credential`] first.
    pub async fn credential_delete(&self, id: CredentialId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{
            acme_mailer, at, credential, id, integration, organization, repository,
            synchronization::synchronization, test_storage,
        },
    };
    use stave_domain::{
        credential::{CredentialKind, CredentialSeen, StoredCredential},
        repository::{Repository, SourceAccess},
        synchronization::{Synchronization, SynchronizationAccess},
    };

    #[tokio::test]
    async fn a_credential_in_use_stays() {
        let storage = test_storage().await;
        let (acme, mailer) = acme_mailer(&storage).await;
        let mut credential = credential(1, acme);
        storage.credential_insert(&credential).await.unwrap();
        credential.description = "access token".into();
        credential.seen =
            Some(CredentialSeen { account: Some("ada".into()), scopes: ["repository".to_owned()].into() });
        storage.credential_update(&credential).await.unwrap();
        assert_eq!(storage.credential_find(credential.id).await.unwrap().as_ref(), Some(&credential));
        assert_eq!(storage.credential_list(acme).await.unwrap(), [credential.clone()]);

        let mut repository = storage.repository_find(id(1)).await.unwrap().unwrap();
        repository.access = SourceAccess::Stored(credential.id);
        storage.repository_update(&repository).await.unwrap();
        let package = storage.package_find(mailer).await.unwrap().unwrap();
        let users = storage.package_list_of_credential(credential.id).await.unwrap();
        assert_eq!(users, [(package, Some(repository.clone()))]);
        let deleted = storage.credential_delete(credential.id).await;
        assert!(matches!(deleted, Err(StorageError::Detached)), "{deleted:?}");

        repository.access = SourceAccess::OrganizationKey;
        storage.repository_update(&repository).await.unwrap();
        assert_eq!(storage.repository_find(id(1)).await.unwrap(), Some(repository.clone()));
        storage.credential_delete(credential.id).await.unwrap();
        assert_eq!(storage.credential_list(acme).await.unwrap(), []);
    }

    #[tokio::test]
    async fn an_organization_takes_credential_and_package_with_it() {
        let storage = test_storage().await;
        let (acme, mailer) = acme_mailer(&storage).await;
        let credential = credential(1, acme);
        storage.credential_insert(&credential).await.unwrap();
        let mut repository = storage.repository_find(id(1)).await.unwrap().unwrap();
        repository.access = SourceAccess::Stored(credential.id);
        storage.repository_update(&repository).await.unwrap();
        storage.organization_delete(acme).await.unwrap();
        assert_eq!(storage.package_find(mailer).await.unwrap(), None);
        assert_eq!(storage.credential_find(credential.id).await.unwrap(), None);
    }

    #[tokio::test]
    async fn it_is_remembered_whether_a_credential_works() {
        let storage = test_storage().await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        let token = StoredCredential { kind: CredentialKind::ApiToken, ..credential(1, acme.id) };
        storage.credential_insert(&token).await.unwrap();
        storage.credential_checked(token.id, at(5), Some("Bitbucket says no.")).await.unwrap();
        let broken = StoredCredential {
            checked_at: Some(at(5)),
            last_error: Some("Bitbucket says no.".into()),
            ..token.clone()
        };
        assert_eq!(storage.credential_find(token.id).await.unwrap(), Some(broken));
        storage.credential_checked(token.id, at(6), None).await.unwrap();
        let mended = StoredCredential { checked_at: Some(at(6)), ..token };
        assert_eq!(storage.credential_find(mended.id).await.unwrap(), Some(mended));
    }

    #[tokio::test]
    async fn owners_are_warned_once() {
        let storage = test_storage().await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        let dies = |number, at_seconds: Option<i64>| StoredCredential {
            expires_at: at_seconds.map(at),
            ..credential(number, acme.id)
        };
        for credential in [dies(1, Some(9)), dies(2, Some(20)), dies(3, None), dies(4, Some(5))] {
            storage.credential_insert(&credential).await.unwrap();
        }
        let expiring = storage.credential_list_expiring(at(20)).await.unwrap();
        assert_eq!(expiring, [dies(4, Some(5)), dies(1, Some(9))]);
        storage.credential_warned(id(4), at(3)).await.unwrap();
        assert_eq!(storage.credential_list_expiring(at(20)).await.unwrap(), [dies(1, Some(9))]);
        let warned = storage.credential_find(id(4)).await.unwrap().unwrap();
        assert_eq!(warned.warned_at, Some(at(3)));
        let dying = storage.credential_list_dying(acme.id, at(20)).await.unwrap();
        assert_eq!(dying, [warned, dies(1, Some(9))], "a warning does not end the danger");
        assert_eq!(storage.credential_list_dying(id(9), at(20)).await.unwrap(), []);
    }

    #[tokio::test]
    async fn another_credential_takes_the_place_of_one() {
        let storage = test_storage().await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        let read_with = |number, credential| Repository {
            access: SourceAccess::Stored(id(credential)),
            ..repository(number, acme.id)
        };
        for number in [1, 2] {
            storage.credential_insert(&credential(number, acme.id)).await.unwrap();
        }
        for repository in [read_with(1, 1), read_with(2, 2), read_with(3, 1)] {
            storage.repository_insert(&repository).await.unwrap();
        }
        let followed =
            Synchronization { access: SynchronizationAccess::Stored(id(1)), ..synchronization(1, "one") };
        storage.integration_insert(&integration(1, "bitbucket")).await.unwrap();
        storage.synchronization_insert(&followed).await.unwrap();
        let list = storage.credential_repository_list(id(1)).await.unwrap();
        assert_eq!(list, [read_with(1, 1), read_with(3, 1)]);

        storage.credential_replace(id(1), id(2)).await.unwrap();
        assert_eq!(storage.credential_repository_list(id(1)).await.unwrap(), []);
        let list = storage.credential_repository_list(id(2)).await.unwrap();
        assert_eq!(list, [read_with(1, 2), read_with(2, 2), read_with(3, 2)]);
        let moved = storage.synchronization_find(followed.id).await.unwrap().unwrap();
        assert_eq!(moved.access, SynchronizationAccess::Stored(id(2)));
        storage.credential_delete(id(1)).await.unwrap();
        let gone = storage.credential_replace(id(2), id(9)).await;
        assert!(matches!(gone, Err(StorageError::Detached)), "{gone:?}");
    }
}
