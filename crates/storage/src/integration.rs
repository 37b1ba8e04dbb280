//! Registered OAuth applications.

use crate::{
    Storage, StorageError, query,
    tables::{
        identity,
        integration::{Column, Entity, Model, public_key_of, scopes, secret_of},
        json_text, login, member,
    },
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use stave_domain::{
    id::{IntegrationId, OrganizationId, UserId},
    integration::{Client, Integration, IntegrationSlug, Permission, Seen},
};
use uuid::Uuid;

impl Storage {
    /// A new integration. `Conflict` if the slug is taken.
    pub async fn integration_insert(&self, integration: &Integration) -> Result<(), StorageError> {
        query::insert(Model::from(integration), &self.conn).await
    }

    /// The integration with this id.
    pub async fn integration_find(&self, id: IntegrationId) -> Result<Option<Integration>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// The integration of a callback.
    pub async fn integration_find_by_slug(
        &self,
        slug: &IntegrationSlug,
    ) -> Result<Option<Integration>, StorageError> {
        query::one(Entity::find().filter(Column::Slug.eq(slug.as_str())), &self.conn).await
    }

    /// All integrations, oldest first.
    pub async fn integration_list(&self) -> Result<Vec<Integration>, StorageError> {
        query::all(oldest_first(Entity::find()), &self.conn).await
    }

    /// The integrations of an organization, oldest first; `None` for those that are everybody's.
    pub async fn integration_list_of(
        &self,
        organization: Option<OrganizationId>,
    ) -> Result<Vec<Integration>, StorageError> {
        let found = Entity::find().filter(match organization {
            Some(organization) => Column::OrganizationId.eq(Uuid::from(organization)),
            None => Column::OrganizationId.is_null(),
        });
        query::all(oldest_first(found), &self.conn).await
    }

    /// The integrations at which a user may connect an account, oldest first: those that are everybody's, those of the
    /// organizations that they are a member of, and those at which they have one.
    pub async fn integration_list_reachable(&self, user: UserId) -> Result<Vec<Integration>, StorageError> {
        let theirs = member::Entity::find()
            .select_only()
            .column(member::Column::OrganizationId)
            .filter(member::Column::UserId.eq(Uuid::from(user)))
            .filter(member::Column::IsActive.eq(true));
        let connected = identity::Entity::find()
            .select_only()
            .column(identity::Column::IntegrationId)
            .filter(identity::Column::UserId.eq(Uuid::from(user)));
        let reachable = Condition::any()
            .add(Column::OrganizationId.is_null())
            .add(Column::OrganizationId.in_subquery(theirs.into_query()))
            .add(Column::Id.in_subquery(connected.into_query()));
        query::all(oldest_first(Entity::find().filter(reachable)), &self.conn).await
    }

    /// Stores everything of the record.
    pub async fn integration_update(&self, integration: &Integration) -> Result<(), StorageError> {
        query::update(Model::from(integration), &self.conn).await
    }

    /// Stores what a log-in showed, and nothing else: an admin may be changing the rest at this moment.
    pub async fn integration_condition_update(
        &self,
        id: IntegrationId,
        missing_permissions: Option<&[Permission]>,
        last_error: Option<&str>,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::MissingPermissions, query::value(missing_permissions.map(scopes)))
            .col_expr(Column::LastError, query::value(last_error.map(ToOwned::to_owned)))
            .filter(Column::Id.eq(Uuid::from(id)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Stores what was last seen at the base URL, and nothing else.
    pub async fn integration_seen_update(
        &self,
        id: IntegrationId,
        seen: Option<&Seen>,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::Seen, query::value(seen.map(json_text)))
            .filter(Column::Id.eq(Uuid::from(id)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Stores what Stave is registered as and what it was before, and nothing else. `Detached` if there is no such
    /// integration any more.
    pub async fn integration_client_update(
        &self,
        id: IntegrationId,
        client: &Client,
        previous: Option<&Client>,
    ) -> Result<(), StorageError> {
        let changed = Entity::update_many()
            .col_expr(Column::Oauth, query::value(client.oauth().key()))
            .col_expr(Column::ClientId, query::value(client.id()))
            .col_expr(Column::ClientSecret, query::value(secret_of(client)))
            .col_expr(Column::PublicKey, query::value(public_key_of(client)))
            .col_expr(Column::PreviousOauth, query::value(previous.map(|client| client.oauth().key())))
            .col_expr(Column::PreviousClientId, query::value(previous.map(Client::id)))
            .col_expr(Column::PreviousClientSecret, query::value(previous.map(secret_of)))
            .col_expr(Column::PreviousPublicKey, query::value(previous.and_then(public_key_of)))
            .filter(Column::Id.eq(Uuid::from(id)))
            .exec(&self.conn)
            .await?;
        query::one_changed(&changed)
    }

    /// Deletes an integration with the accounts that are connected through it, its check, and the trips that are under way.
    /// Organizations that enforced it leave it to their members how they log in. Who logged in through it stays logged in if
    /// it was everybody's; if it was an organization's, these logins end.
    pub async fn integration_delete(&self, id: IntegrationId) -> Result<(), StorageError> {
        let id = Uuid::from(id);
        let everybodys = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Id.eq(id))
            .filter(Column::OrganizationId.is_null());
        let transaction = self.begin().await?;
        login::Entity::update_many()
            .col_expr(login::Column::IntegrationId, query::value(None::<Uuid>))
            .filter(login::Column::IntegrationId.in_subquery(everybodys.into_query()))
            .exec(&transaction.conn)
            .await?;
        Entity::delete_by_id(id).exec(&transaction.conn).await?;
        transaction.commit().await
    }
}

fn oldest_first(integrations: Select<Entity>) -> Select<Entity> {
    integrations.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id)
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{ada, at, connected, id, integration, login, member, organization, test_storage, user},
    };
    use stave_domain::{
        id::OrganizationId,
        identity::Identity,
        integration::{ApiTimeout, Client, Integration, Permission, Platform, Seen},
        login::Login,
        organization::Role,
        secret::Sealed,
    };
    use std::slice;

    fn oauth1(consumer_key: &str) -> Client {
        Client::OAuth1 {
            consumer_key: consumer_key.into(),
            private_key: Sealed(vec![4, 5]),
            public_key: "-----BEGIN PUBLIC KEY-----".into(),
        }
    }

    fn oauth2(id: &str) -> Client {
        Client::OAuth2 { id: id.into(), secret: Sealed(vec![9]) }
    }

    fn owned(number: u128, slug: &str, organization: OrganizationId) -> Integration {
        Integration { organization_id: Some(organization), ..integration(number, slug) }
    }

    #[tokio::test]
    async fn an_integration_is_found_by_its_callback() {
        let storage = test_storage().await;
        let mut bitbucket = integration(1, "bitbucket");
        storage.integration_insert(&bitbucket).await.unwrap();
        let twin = storage.integration_insert(&integration(2, "bitbucket")).await;
        assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
        storage.integration_insert(&integration(3, "other")).await.unwrap();
        assert_eq!(
            storage.integration_find_by_slug(&bitbucket.slug).await.unwrap().as_ref(),
            Some(&bitbucket)
        );
        bitbucket.missing_permissions = Some(vec![Permission::AccountEmail, Permission::WebhooksReadWrite]);
        bitbucket.last_error = Some("The secret is wrong.".into());
        bitbucket.api_timeout = ApiTimeout(Some(0));
        bitbucket.trust_email = true;
        storage.integration_update(&bitbucket).await.unwrap();
        assert_eq!(storage.integration_find(bitbucket.id).await.unwrap(), Some(bitbucket.clone()));
        bitbucket.missing_permissions = Some(vec![]);
        storage.integration_update(&bitbucket).await.unwrap();
        assert_eq!(storage.integration_list().await.unwrap(), [bitbucket, integration(3, "other")]);
    }

    #[tokio::test]
    async fn what_a_log_in_shows_leaves_what_an_admin_typed() {
        let storage = test_storage().await;
        let mut bitbucket = integration(1, "bitbucket");
        storage.integration_insert(&bitbucket).await.unwrap();
        bitbucket.client = oauth2("other");
        storage.integration_update(&bitbucket).await.unwrap();
        let missing = [Permission::AccountEmail, Permission::WebhooksReadWrite];
        for (permissions, error) in [(Some(&missing[..]), Some("No.")), (Some(&[][..]), None), (None, None)] {
            storage.integration_condition_update(bitbucket.id, permissions, error).await.unwrap();
            bitbucket.missing_permissions = permissions.map(<[_]>::to_vec);
            bitbucket.last_error = error.map(Into::into);
            assert_eq!(storage.integration_find(bitbucket.id).await.unwrap().as_ref(), Some(&bitbucket));
        }
        let seen = Seen { version: Some("7.21.0".parse().unwrap()), speaks_oauth2: true, seen_at: at(7) };
        for seen in [Some(seen), None] {
            storage.integration_seen_update(bitbucket.id, seen.as_ref()).await.unwrap();
            bitbucket.seen = seen;
            assert_eq!(storage.integration_find(bitbucket.id).await.unwrap().as_ref(), Some(&bitbucket));
        }
    }

    #[tokio::test]
    async fn an_upgrade_keeps_the_client_before_and_can_be_called_off() {
        let storage = test_storage().await;
        let mut server = Integration {
            platform: Platform::BitbucketDataCenter,
            client: oauth1("stave"),
            seen: Some(Seen { version: None, speaks_oauth2: false, seen_at: at(3) }),
            ..integration(1, "server")
        };
        storage.integration_insert(&server).await.unwrap();
        assert_eq!(storage.integration_find(server.id).await.unwrap().as_ref(), Some(&server));
        for (client, previous) in [
            (oauth2("new"), Some(oauth1("stave"))),
            (oauth2("newer"), Some(oauth2("new"))),
            (oauth1("stave"), None),
        ] {
            storage.integration_client_update(server.id, &client, previous.as_ref()).await.unwrap();
            (server.client, server.previous) = (client, previous);
            assert_eq!(storage.integration_find(server.id).await.unwrap().as_ref(), Some(&server));
        }
        server.previous = Some(oauth1("older"));
        storage.integration_update(&server).await.unwrap();
        assert_eq!(storage.integration_find(server.id).await.unwrap().as_ref(), Some(&server));
        let gone = storage.integration_client_update(id(99), &server.client, None).await;
        assert!(matches!(gone, Err(StorageError::Detached)), "{gone:?}");
    }

    #[tokio::test]
    async fn integrations_are_everybodys_or_an_organizations() {
        let storage = test_storage().await;
        let (acme, zoo) = (organization(1, "acme"), organization(2, "zoo"));
        storage.organization_insert(&acme).await.unwrap();
        storage.organization_insert(&zoo).await.unwrap();
        let everybodys = Integration { created_at: at(9), ..integration(1, "bitbucket") };
        let [of_acme, second_of_acme] = [owned(3, "acme-1", acme.id), owned(4, "acme-2", acme.id)];
        let of_zoo = owned(2, "zoo-1", zoo.id);
        for integration in [&everybodys, &of_acme, &second_of_acme, &of_zoo] {
            storage.integration_insert(integration).await.unwrap();
        }
        let list = async |of| storage.integration_list_of(of).await.unwrap();
        assert_eq!(list(None).await, slice::from_ref(&everybodys));
        assert_eq!(list(Some(acme.id)).await, [of_acme.clone(), second_of_acme.clone()]);
        assert_eq!(list(Some(id(99))).await, []);
        assert_eq!(
            storage.integration_list().await.unwrap(),
            [of_zoo.clone(), of_acme.clone(), second_of_acme.clone(), everybodys.clone()]
        );
        let orphan = storage.integration_insert(&owned(5, "orphan", id(99))).await;
        assert!(matches!(orphan, Err(StorageError::Detached)), "{orphan:?}");
        // An organization that enforces what is its own can be deleted.
        storage.organization_enforce(acme.id, Some(of_acme.id)).await.unwrap();
        storage.organization_delete(acme.id).await.unwrap();
        assert_eq!(storage.integration_list().await.unwrap(), [of_zoo, everybodys]);
    }

    #[tokio::test]
    async fn a_user_reaches_the_integrations_of_their_organizations() {
        let storage = test_storage().await;
        let ada = ada(&storage).await;
        storage.user_insert(&user(2, "bob"), None).await.unwrap();
        for (number, name) in [(1, "acme"), (2, "zoo"), (3, "left")] {
            storage.organization_insert(&organization(number, name)).await.unwrap();
        }
        for (organization, user) in [(1, ada), (2, id(2))] {
            let role = Role::Member;
            let member = member(id(organization), user, role);
            storage.member_upsert(&member).await.unwrap();
        }
        let identity = connected(&storage, ada).await;
        for (number, slug) in [(2, "acme-1"), (3, "zoo-1"), (4, "left-1")] {
            storage.integration_insert(&owned(number, slug, id(number - 1))).await.unwrap();
        }
        let left = Identity { id: id(2), integration_id: id(4), ..identity };
        storage.identity_insert(&left).await.unwrap();
        let reachable = async |user| {
            let found = storage.integration_list_reachable(user).await.unwrap();
            found.iter().map(|integration| integration.slug.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(reachable(ada).await, "bitbucket acme-1 left-1");
        assert_eq!(reachable(id(2)).await, "bitbucket zoo-1");
        assert_eq!(reachable(id(99)).await, "bitbucket");
    }

    #[tokio::test]
    async fn a_login_does_not_reach_further_when_its_integration_is_gone() {
        let storage = test_storage().await;
        let ada = ada(&storage).await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        storage.integration_insert(&integration(1, "bitbucket")).await.unwrap();
        storage.integration_insert(&owned(2, "acme-1", acme.id)).await.unwrap();
        storage.integration_insert(&owned(3, "acme-2", acme.id)).await.unwrap();
        for (number, through) in [(1, Some(id(1))), (2, Some(id(2))), (3, Some(id(3))), (4, None)] {
            let proven_id = Some(id(2));
            let login = Login { integration_id: through, proven_id, ..login(number, ada) };
            storage.login_insert(&login).await.unwrap();
        }
        let logins = async || {
            let logins = storage.login_list(ada).await.unwrap();
            logins.iter().map(|login| (login.id, login.integration_id, login.proven_id)).collect::<Vec<_>>()
        };
        storage.integration_delete(id(2)).await.unwrap();
        assert_eq!(
            logins().await,
            [(id(4), None, None), (id(3), Some(id(3)), None), (id(1), Some(id(1)), None)]
        );
        storage.organization_delete(acme.id).await.unwrap();
        assert_eq!(logins().await, [(id(4), None, None), (id(1), Some(id(1)), None)]);
        storage.integration_delete(id(1)).await.unwrap();
        assert_eq!(logins().await, [(id(4), None, None), (id(1), None, None)]);
    }

    #[tokio::test]
    async fn connected_accounts_go_with_it() {
        let storage = test_storage().await;
        let identity = connected(&storage, ada(&storage).await).await;
        storage.integration_delete(identity.integration_id).await.unwrap();
        assert_eq!(storage.integration_list().await.unwrap(), []);
        assert_eq!(storage.identity_find(identity.id).await.unwrap(), None);
        assert!(storage.user_find(identity.user_id).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_is_named() {
        let storage = test_storage().await;
        let bitbucket = integration(1, "bitbucket");
        storage.integration_insert(&bitbucket).await.unwrap();
        storage.database.run("UPDATE integration SET platform = 'nonsense'").await;
        let StorageError::Corrupt { table, column, id: row } =
            storage.integration_find(id(1)).await.unwrap_err()
        else {
            panic!("a platform that is none was accepted")
        };
        assert_eq!((table, column, row), ("integration", "platform", bitbucket.id.to_string()));
        storage.database.run("UPDATE integration SET platform = 'bitbucket'").await;
        // OAuth 1 has a public key and OAuth 2 none; the client before is there as a whole or not at all.
        for (nonsense, expected) in [
            ("oauth = '1'", "oauth"),
            ("oauth = '2', public_key = 'x'", "oauth"),
            ("public_key = NULL, previous_oauth = '2'", "previous_oauth"),
            ("previous_oauth = NULL, previous_client_id = 'x'", "previous_oauth"),
            ("previous_client_id = NULL, previous_public_key = 'x'", "previous_oauth"),
            ("previous_public_key = NULL, seen = 'nonsense'", "seen"),
        ] {
            storage.database.run(&format!("UPDATE integration SET {nonsense}")).await;
            let error = storage.integration_find(id(1)).await.unwrap_err();
            assert!(
                matches!(error, StorageError::Corrupt { column, .. } if column == expected),
                "{nonsense}: {error}"
            );
        }
    }
}
