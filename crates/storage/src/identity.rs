//! Connected accounts and their grants.

use crate::{
    Storage, StorageError, query,
    tables::{
        identity::{Column, Entity, Model},
        integration,
    },
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, UpdateMany, sea_query::Expr,
};
use stave_domain::{
    id::{IdentityId, IntegrationId, UserId},
    identity::{Identity, RemoteProfile},
    integration::Integration,
    secret::Sealed,
};
use uuid::Uuid;

impl Storage {
    /// A new connected account. `Conflict` if it is connected already, to whomever.
    pub async fn identity_insert(&self, identity: &Identity) -> Result<(), StorageError> {
        query::insert(Model::from(identity), &self.conn).await
    }

    /// The connected account with this id.
    pub async fn identity_find(&self, id: IdentityId) -> Result<Option<Identity>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// The connected account that the platform knows by this id.
    pub async fn identity_find_by_external(
        &self,
        integration: IntegrationId,
        external_id: &str,
    ) -> Result<Option<Identity>, StorageError> {
        let found = Entity::find()
            .filter(Column::IntegrationId.eq(Uuid::from(integration)))
            .filter(Column::ExternalId.eq(external_id));
        query::one(found, &self.conn).await
    }

    /// A user's connected accounts with their integrations, oldest first.
    pub async fn identity_list_with_integration(
        &self,
        user: UserId,
    ) -> Result<Vec<(Identity, Integration)>, StorageError> {
        let rows = Entity::find()
            .filter(Column::UserId.eq(Uuid::from(user)))
            .find_also_related(integration::Entity)
            .order_by_asc(Column::ConnectedAt)
            .order_by_asc(Column::Id)
            .all(&self.conn)
            .await?;
        let both =
            |(identity, integration): (Model, Option<integration::Model>)| Some((identity, integration?));
        rows.into_iter()
            .filter_map(both)
            .map(|(identity, integration)| Ok((identity.try_into()?, integration.try_into()?)))
            .collect()
    }

    /// A user's connected accounts, oldest first.
    pub async fn identity_list_of_user(&self, user: UserId) -> Result<Vec<Identity>, StorageError> {
        let found = Entity::find().filter(Column::UserId.eq(Uuid::from(user)));
        query::all(found.order_by_asc(Column::ConnectedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// A user's connected account at an integration: the oldest, if several.
    pub async fn identity_find_of_user(
        &self,
        user: UserId,
        integration: IntegrationId,
    ) -> Result<Option<Identity>, StorageError> {
        let found = Entity::find()
            .filter(Column::UserId.eq(Uuid::from(user)))
            .filter(Column::IntegrationId.eq(Uuid::from(integration)));
        query::one(found.order_by_asc(Column::ConnectedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// How many accounts are connected through an integration.
    pub async fn identity_count(&self, integration: IntegrationId) -> Result<u64, StorageError> {
        let found = Entity::find().filter(Column::IntegrationId.eq(Uuid::from(integration)));
        Ok(found.count(&self.conn).await?)
    }

    /// How many of them gave their grant to this client of the integration.
    pub async fn identity_count_by_client(
        &self,
        integration: IntegrationId,
        client_id: &str,
    ) -> Result<u64, StorageError> {
        let found = Entity::find()
            .filter(Column::IntegrationId.eq(Uuid::from(integration)))
            .filter(Column::ClientId.eq(client_id));
        Ok(found.count(&self.conn).await?)
    }

    /// Somebody signed in again: stores what the platform calls them now and the new grant that they gave to `client_id`,
    /// which is no longer broken. `Detached` if the account is gone, or another one has taken its place.
    pub async fn identity_signed_in(
        &self,
        id: IdentityId,
        profile: &RemoteProfile,
        client_id: &str,
        grant: &Sealed,
    ) -> Result<(), StorageError> {
        let same = Column::ExternalId.eq(&profile.external_id);
        let changed = granted(id, profile, client_id, grant).filter(same).exec(&self.conn).await?;
        query::one_changed(&changed)
    }

    /// Another account of the same user takes the place of this one; what is read with its rights is read with the new ones.
    /// `Conflict` if it is connected already, to whomever; `Detached` if this one is gone.
    pub async fn identity_replace(
        &self,
        id: IdentityId,
        profile: &RemoteProfile,
        client_id: &str,
        grant: &Sealed,
    ) -> Result<(), StorageError> {
        let other = query::value(&profile.external_id);
        let changed = granted(id, profile, client_id, grant)
            .col_expr(Column::ExternalId, other)
            .exec(&self.conn)
            .await?;
        query::one_changed(&changed)
    }

    /// Stores a refreshed grant, if nobody else stored one since revision `expected_revision` was read; says whether.
    pub async fn identity_grant_update(
        &self,
        id: IdentityId,
        expected_revision: i64,
        grant: &Sealed,
    ) -> Result<bool, StorageError> {
        let changed = Entity::update_many()
            .col_expr(Column::Grant, query::value(grant.0.clone()))
            .col_expr(Column::GrantRevision, Expr::col(Column::GrantRevision).add(1_i64))
            .filter(Column::Id.eq(Uuid::from(id)))
            .filter(Column::GrantRevision.eq(expected_revision))
            .exec(&self.conn)
            .await?;
        Ok(changed.rows_affected == 1)
    }

    /// Remembers why Stave can no longer act as this person, until they sign in again; unless somebody stored another grant
    /// since revision `expected_revision` was read. Says whether.
    pub async fn identity_broken(
        &self,
        id: IdentityId,
        expected_revision: i64,
        because: &str,
    ) -> Result<bool, StorageError> {
        let changed = Entity::update_many()
            .col_expr(Column::BrokenBecause, query::value(because))
            .filter(Column::Id.eq(Uuid::from(id)))
            .filter(Column::GrantRevision.eq(expected_revision))
            .exec(&self.conn)
            .await?;
        Ok(changed.rows_affected == 1)
    }

    /// Remembers why Stave can no longer act as those who gave their grant to this client of an integration, until they sign in
    /// again.
    pub async fn identity_break(
        &self,
        integration: IntegrationId,
        client_id: &str,
        because: &str,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::BrokenBecause, query::value(because))
            .filter(Column::IntegrationId.eq(Uuid::from(integration)))
            .filter(Column::ClientId.eq(client_id))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// The server behind an integration is another one now: its accounts stay, but no client of the integration serves their
    /// grants any more.
    pub async fn identity_move(&self, integration: IntegrationId, because: &str) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::BrokenBecause, query::value(because))
            .col_expr(Column::ClientId, query::value(""))
            .filter(Column::IntegrationId.eq(Uuid::from(integration)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// The accounts that gave their grant to this client of an integration and can be acted as, oldest first.
    pub async fn identity_list_by_client(
        &self,
        integration: IntegrationId,
        client_id: &str,
    ) -> Result<Vec<Identity>, StorageError> {
        let found = Entity::find()
            .filter(Column::IntegrationId.eq(Uuid::from(integration)))
            .filter(Column::ClientId.eq(client_id))
            .filter(Column::BrokenBecause.is_null());
        query::all(found.order_by_asc(Column::ConnectedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// Deletes a connected account. Packages read with its rights become `SourceAccess::AccountGone`.
    pub async fn identity_delete(&self, id: IdentityId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }
}

/// What a new grant changes in an account.
fn granted(id: IdentityId, profile: &RemoteProfile, client_id: &str, grant: &Sealed) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::Handle, query::value(&profile.handle))
        .col_expr(Column::DisplayName, query::value(&profile.display_name))
        .col_expr(Column::ClientId, query::value(client_id))
        .col_expr(Column::Grant, query::value(grant.0.clone()))
        .col_expr(Column::GrantRevision, Expr::col(Column::GrantRevision).add(1_i64))
        .col_expr(Column::BrokenBecause, query::value(None::<String>))
        .filter(Column::Id.eq(Uuid::from(id)))
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{acme_mailer, ada, at, connected, id, integration, test_storage, user},
    };
    use stave_domain::{
        identity::{Identity, RemoteProfile},
        package::SourceAccess,
        secret::Sealed,
    };
    use std::slice;

    fn profile(external_id: &str, handle: &str, display_name: &str) -> RemoteProfile {
        RemoteProfile {
            external_id: external_id.into(),
            handle: handle.into(),
            display_name: display_name.into(),
            email: None,
            second_id: None,
            picture: None,
            emails: Vec::new(),
        }
    }

    #[tokio::test]
    async fn an_account_is_known_by_the_platforms_id() {
        let storage = test_storage().await;
        let identity = connected(&storage, ada(&storage).await).await;
        let found = storage.identity_find_by_external(identity.integration_id, "{1}").await.unwrap();
        assert_eq!(found.as_ref(), Some(&identity));
        assert_eq!(storage.identity_find_by_external(identity.integration_id, "{2}").await.unwrap(), None);
        assert_eq!(storage.identity_find_by_external(id(99), "{1}").await.unwrap(), None);
        assert_eq!(
            storage.identity_list_of_user(identity.user_id).await.unwrap(),
            slice::from_ref(&identity)
        );
        assert_eq!(storage.identity_count(identity.integration_id).await.unwrap(), 1);
        let with_integration = storage.identity_list_with_integration(identity.user_id).await.unwrap();
        assert_eq!(with_integration, [(identity.clone(), integration(1, "bitbucket"))]);
        assert_eq!(storage.identity_list_with_integration(id(99)).await.unwrap(), []);
        let mut twin = identity;
        twin.id = id(2);
        let twin = storage.identity_insert(&twin).await;
        assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
    }

    #[tokio::test]
    async fn of_two_refreshes_at_a_time_one_is_stored() {
        let storage = test_storage().await;
        let identity = connected(&storage, ada(&storage).await).await;
        let revision = identity.grant_revision;
        assert!(storage.identity_grant_update(identity.id, revision, &Sealed(vec![1])).await.unwrap());
        assert!(!storage.identity_grant_update(identity.id, revision, &Sealed(vec![2])).await.unwrap());
        assert_eq!(storage.identity_find(identity.id).await.unwrap().unwrap().grant, Sealed(vec![1]));
    }

    #[tokio::test]
    async fn signing_in_again_mends_a_broken_account() {
        let storage = test_storage().await;
        let identity = connected(&storage, ada(&storage).await).await;
        let revision = identity.grant_revision;
        assert!(storage.identity_broken(identity.id, revision, "Access was withdrawn.").await.unwrap());
        let broken = storage.identity_find(identity.id).await.unwrap().unwrap();
        assert_eq!(broken.broken_because.as_deref(), Some("Access was withdrawn."));
        let profile = profile("{1}", "ada2", "Ada");
        storage.identity_signed_in(identity.id, &profile, "new key", &Sealed(vec![7])).await.unwrap();
        let mended = storage.identity_find(identity.id).await.unwrap().unwrap();
        assert_eq!((mended.handle.as_str(), mended.display_name.as_str()), ("ada2", "Ada"));
        assert_eq!((mended.grant, mended.broken_because), (Sealed(vec![7]), None));
        assert_eq!(mended.client_id, "new key");
        assert_eq!(mended.grant_revision, revision + 1);
        // Who read the old grant and failed with it has nothing to say about the new one.
        assert!(!storage.identity_broken(identity.id, revision, "Too late.").await.unwrap());
        let working = storage.identity_find(identity.id).await.unwrap().unwrap();
        assert_eq!(working.broken_because, None);
    }

    #[tokio::test]
    async fn another_account_takes_the_place_of_one() {
        let storage = test_storage().await;
        let identity = connected(&storage, ada(&storage).await).await;
        storage.user_insert(&user(2, "bob"), None).await.unwrap();
        let bobs = Identity { id: id(2), user_id: id(2), external_id: "{2}".into(), ..identity.clone() };
        storage.identity_insert(&bobs).await.unwrap();
        storage.identity_broken(identity.id, 1, "Access was withdrawn.").await.unwrap();
        let replace = async |external_id| {
            let profile = profile(external_id, "ada3", "Ada the Third");
            storage.identity_replace(identity.id, &profile, "new key", &Sealed(vec![7])).await
        };
        let taken = replace("{2}").await;
        assert!(matches!(taken, Err(StorageError::Conflict)), "{taken:?}");
        replace("{3}").await.unwrap();
        let replaced = Identity {
            external_id: "{3}".into(),
            handle: "ada3".into(),
            display_name: "Ada the Third".into(),
            grant: Sealed(vec![7]),
            client_id: "new key".into(),
            grant_revision: identity.grant_revision + 1,
            ..identity.clone()
        };
        assert_eq!(storage.identity_list_of_user(identity.user_id).await.unwrap(), [replaced]);
        assert_eq!(storage.identity_find(bobs.id).await.unwrap(), Some(bobs));
        // Whoever signed in with the account before comes too late: its grant does not belong here any more.
        let before = profile("{1}", "ada", "");
        let late = storage.identity_signed_in(identity.id, &before, "key", &Sealed(vec![8])).await;
        assert!(matches!(late, Err(StorageError::Detached)), "{late:?}");
        storage.identity_delete(identity.id).await.unwrap();
        let gone = replace("{4}").await;
        assert!(matches!(gone, Err(StorageError::Detached)), "{gone:?}");
    }

    #[tokio::test]
    async fn accounts_are_counted_by_the_client_that_they_came_through() {
        let storage = test_storage().await;
        let identity = connected(&storage, ada(&storage).await).await;
        storage.integration_insert(&integration(2, "other")).await.unwrap();
        for (number, at_integration, client_id) in [(2, 1, "key"), (3, 1, "new key"), (4, 2, "key")] {
            let another = Identity {
                id: id(number),
                integration_id: id(at_integration),
                external_id: format!("{{{number}}}"),
                client_id: client_id.into(),
                connected_at: at(i64::try_from(number).unwrap()),
                ..identity.clone()
            };
            storage.identity_insert(&another).await.unwrap();
        }
        let count =
            async |number, client_id| storage.identity_count_by_client(id(number), client_id).await.unwrap();
        assert_eq!((count(1, "key").await, count(1, "new key").await, count(2, "key").await), (2, 1, 1));
        assert_eq!((count(2, "new key").await, count(1, "").await), (0, 0));
        let found = async |integration| {
            let found = storage.identity_find_of_user(identity.user_id, integration).await.unwrap();
            found.map(|identity| identity.id)
        };
        assert_eq!(found(id(1)).await, Some(identity.id), "the oldest");
        assert_eq!(found(id(2)).await, Some(id(4)));
        assert_eq!(found(id(3)).await, None);
        assert_eq!(storage.identity_find_of_user(id(99), id(1)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_package_read_as_somebody_who_leaves_does_not_become_public() {
        let storage = test_storage().await;
        let (_, mailer) = acme_mailer(&storage).await;
        let identity = connected(&storage, ada(&storage).await).await;
        let mut package = storage.package_find(mailer).await.unwrap().unwrap();
        package.access = SourceAccess::Account(identity.id);
        package.checked_at = Some(at(5));
        storage.package_update(&package).await.unwrap();
        let of_integration = storage.package_list_of_integration(identity.integration_id).await.unwrap();
        assert_eq!(of_integration, [package.clone()]);
        assert_eq!(storage.package_list_of_integration(id(99)).await.unwrap(), []);
        storage.user_delete(identity.user_id).await.unwrap();
        assert_eq!(storage.identity_find(identity.id).await.unwrap(), None);
        package.access = SourceAccess::AccountGone;
        assert_eq!(storage.package_find(mailer).await.unwrap(), Some(package.clone()));
        // And stays so when it is stored again.
        storage.package_update(&package).await.unwrap();
        assert_eq!(storage.package_find(mailer).await.unwrap().unwrap().access, SourceAccess::AccountGone);
    }

    #[tokio::test]
    async fn an_account_belongs_to_a_user() {
        let storage = test_storage().await;
        let mut identity = connected(&storage, ada(&storage).await).await;
        identity.id = id(2);
        identity.external_id = "{2}".into();
        identity.user_id = user(77, "nobody").id;
        let orphan = storage.identity_insert(&identity).await;
        assert!(matches!(orphan, Err(StorageError::Detached)), "{orphan:?}");
    }
}
