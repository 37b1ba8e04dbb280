//! Websites whose visitors log in here. What is a website's own is asked for with the website's id: an id or a hash of
//! another website's finds nothing.

mod client;
mod event;
mod grant;
mod key;
mod login;
mod member;
mod setting;
mod test;
mod trip;

pub use grant::Redeemed;

use crate::{
    Storage, StorageError, query,
    tables::website::{
        ActiveModel, Column, Entity, Model, client as clients, draft, login as logins, member as members,
        revision,
    },
};
use sea_orm::{
    ActiveValue::NotSet, ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr,
};
use stave_domain::{
    id::{IntegrationId, OrganizationId, WebsiteId},
    website::{ClientKind, Slug, Website},
};
use uuid::Uuid;

/// How much is a website's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebsiteCounts {
    /// Its members, whatever their status.
    pub members: u64,
    /// Its applications, without the one that stands for its own pages.
    pub clients: u64,
    /// The browsers that are signed in, with those whose time is over and that are not forgotten yet.
    pub logins: u64,
}

impl Storage {
    /// A new website. `Conflict` if the slug is taken.
    pub async fn website_insert(&self, website: &Website) -> Result<(), StorageError> {
        query::insert(Model::from(website), &self.conn).await
    }

    /// The website with this id.
    pub async fn website_find(&self, id: WebsiteId) -> Result<Option<Website>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// The website of an issuer.
    pub async fn website_find_by_slug(&self, slug: &Slug) -> Result<Option<Website>, StorageError> {
        query::one(Entity::find().filter(Column::Slug.eq(slug.as_str())), &self.conn).await
    }

    /// Whether no website has this slug.
    pub async fn website_slug_is_free(&self, slug: &Slug) -> Result<bool, StorageError> {
        let taken = Entity::find().filter(Column::Slug.eq(slug.as_str())).count(&self.conn).await?;
        Ok(taken == 0)
    }

    /// The websites of an organization by name.
    pub async fn website_list(&self, organization: OrganizationId) -> Result<Vec<Website>, StorageError> {
        let theirs = Entity::find().filter(Column::OrganizationId.eq(Uuid::from(organization)));
        query::all(theirs.order_by_asc(Column::Name).order_by_asc(Column::Id), &self.conn).await
    }

    /// The websites whose login setting names an integration: the draft, or the revision that visitors see. By name.
    pub async fn website_list_naming(
        &self,
        integration: IntegrationId,
    ) -> Result<Vec<Website>, StorageError> {
        let name = format!("\"integration\":\"{integration}\"");
        let drafts = draft::Entity::find()
            .select_only()
            .column(draft::Column::WebsiteId)
            .filter(query::has(draft::Column::Setting, &name));
        let published = revision::Entity::find()
            .select_only()
            .column(revision::Column::WebsiteId)
            .filter(query::has(revision::Column::Setting, &name))
            .filter(
                Expr::col((revision::Entity, revision::Column::Number))
                    .equals((Entity, Column::Revision))
                    .and(
                        Expr::col((revision::Entity, revision::Column::WebsiteId))
                            .equals((Entity, Column::Id)),
                    ),
            );
        let either = Condition::any()
            .add(Column::Id.in_subquery(drafts.into_query()))
            .add(Column::Id.in_subquery(published.into_query()));
        let found = Entity::find().filter(either);
        query::all(found.order_by_asc(Column::Name).order_by_asc(Column::Id), &self.conn).await
    }

    /// Stores name, origins and proxy keys; the rest stays.
    pub async fn website_update(&self, website: &Website) -> Result<(), StorageError> {
        let row = ActiveModel {
            organization_id: NotSet,
            slug: NotSet,
            revision: NotSet,
            created_at: NotSet,
            ..Model::from(website).into_active_model()
        };
        query::update(row, &self.conn).await
    }

    /// Deletes a website with its settings, clients, keys, members and all that is theirs, and its log.
    pub async fn website_delete(&self, id: WebsiteId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }

    /// What would go with a website.
    pub async fn website_counts(&self, id: WebsiteId) -> Result<WebsiteCounts, StorageError> {
        let id = Uuid::from(id);
        let its_members = members::Entity::find().filter(members::Column::WebsiteId.eq(id));
        let its_clients = clients::Entity::find()
            .filter(clients::Column::WebsiteId.eq(id))
            .filter(clients::Column::Kind.ne(ClientKind::Site.key()));
        let its_logins = logins::Entity::find().filter(logins::Column::WebsiteId.eq(id));
        Ok(WebsiteCounts {
            members: its_members.count(&self.conn).await?,
            clients: its_clients.count(&self.conn).await?,
            logins: its_logins.count(&self.conn).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::WebsiteCounts;
    use crate::{
        Storage, StorageError,
        testing::{
            at, id, integration, test_storage,
            website::{
                client, hash, identity, key, login, member, pass, place, provider, shop, shop_and_zoo,
                website,
            },
        },
    };
    use sea_orm::{ConnectionTrait, Statement};
    use stave_domain::{
        Secret,
        website::{Client, ClientKind, HeldSecret, Member, MemberStatus, Website},
    };

    /// Every table that is a website's own.
    const TABLES: [&str; 16] = [
        "draft", "revision", "logo", "key", "client", "member", "identity", "login", "pass", "grant",
        "access", "consent", "trip", "visit", "event", "test",
    ];

    async fn row_counts(storage: &Storage) -> Vec<i64> {
        let engine = storage.conn.get_database_backend();
        let mut counts = Vec::new();
        for table in TABLES {
            let query = Statement::from_string(engine, format!("SELECT COUNT(*) FROM website_{table}"));
            let row = storage.conn.query_one_raw(query).await.unwrap().unwrap();
            counts.push(row.try_get_by_index(0).unwrap());
        }
        counts
    }

    #[tokio::test]
    async fn a_website_is_found_by_its_issuer() {
        let storage = test_storage().await;
        let mut shop = shop(&storage).await;
        let twin = storage.website_insert(&website(2, "shop")).await;
        assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
        let orphan = Website { organization_id: id(99), ..website(2, "orphan") };
        let orphan = storage.website_insert(&orphan).await;
        assert!(matches!(orphan, Err(StorageError::Detached)), "{orphan:?}");
        let bakery = website(3, "bakery");
        storage.website_insert(&bakery).await.unwrap();
        shop.origins.push("http://localhost:8080".parse().unwrap());
        shop.proxy_keys = vec![HeldSecret::of(&Secret::new("correct horse"), at(1))];
        shop.name = "Corner Shop".into();
        let changed = Website {
            organization_id: id(99),
            slug: "other".parse().unwrap(),
            revision: Some(7),
            created_at: at(99),
            ..shop.clone()
        };
        storage.website_update(&changed).await.unwrap();
        assert_eq!(storage.website_find(shop.id).await.unwrap().as_ref(), Some(&shop));
        assert_eq!(storage.website_find_by_slug(&shop.slug).await.unwrap().as_ref(), Some(&shop));
        assert_eq!(storage.website_list(shop.organization_id).await.unwrap(), [bakery, shop.clone()]);
        assert_eq!(storage.website_list(id(99)).await.unwrap(), []);
        assert!(!storage.website_slug_is_free(&shop.slug).await.unwrap());
        assert!(storage.website_slug_is_free(&changed.slug).await.unwrap());
        let gone = storage.website_update(&website(99, "gone")).await;
        assert!(matches!(gone, Err(StorageError::Detached)), "{gone:?}");
    }

    #[tokio::test]
    async fn what_is_a_websites_own_goes_with_it() {
        let storage = test_storage().await;
        let [shop, zoo] = shop_and_zoo(&storage).await;
        let pages = Client { kind: ClientKind::Site, ..client(11) };
        storage.website_client_insert(&pages).await.unwrap();
        let counts = WebsiteCounts { members: 1, clients: 1, logins: 1 };
        assert_eq!(storage.website_counts(shop.id).await.unwrap(), counts);
        storage.website_client_delete(shop.id, pages.id).await.unwrap();
        assert_eq!(row_counts(&storage).await, [2; TABLES.len()]);
        storage.website_delete(shop.id).await.unwrap();
        assert_eq!(row_counts(&storage).await, [1; TABLES.len()]);
        assert_eq!(storage.website_counts(zoo.id).await.unwrap(), counts);
        storage.organization_delete(zoo.organization_id).await.unwrap();
        assert_eq!(row_counts(&storage).await, [0; TABLES.len()]);
        assert_eq!(storage.website_find(zoo.id).await.unwrap(), None);
    }

    /// Rule S-24 of the specification: what is one website's is nothing at another.
    #[tokio::test]
    async fn an_id_of_another_website_finds_nothing() {
        let storage = test_storage().await;
        let [shop, zoo] = shop_and_zoo(&storage).await;
        let (of_zoo, till, both) = (member(20), client(20), hash(20));
        for (website, is_there) in [(&shop, false), (&zoo, true)] {
            let at = website.id;
            let found = [
                storage.website_member_find(at, of_zoo.id).await.unwrap().is_some(),
                storage.website_client_find(at, till.id).await.unwrap().is_some(),
                storage.website_client_find_by_public_id(at, &till.public_id).await.unwrap().is_some(),
                storage.website_login_find(at, &both).await.unwrap().is_some(),
                storage.website_login_find_by_id(at, id(20)).await.unwrap().is_some(),
                storage.website_pass_find(at, &both).await.unwrap().is_some(),
                storage.website_access_find(at, &both).await.unwrap().is_some(),
                storage
                    .website_identity_find(at, &place("bitbucket.org"), "{sub-20}")
                    .await
                    .unwrap()
                    .is_some(),
            ];
            assert_eq!(found, [is_there; 8]);
            let is_listed = [
                storage.website_key_list(at).await.unwrap().contains(&key(20)),
                storage.website_member_list(at, "", None, (0, 9)).await.unwrap().contains(&of_zoo),
                storage.website_client_list(at).await.unwrap().contains(&till),
            ];
            assert_eq!(is_listed, [is_there; 3]);
        }
    }

    #[tokio::test]
    async fn an_id_of_another_website_changes_nothing() {
        let storage = test_storage().await;
        let [shop, zoo] = shop_and_zoo(&storage).await;
        let before = row_counts(&storage).await;
        let (of_zoo, till, both) = (member(20), client(20), hash(20));
        let done = [
            storage.website_member_delete(shop.id, of_zoo.id).await.unwrap(),
            storage.website_client_delete(shop.id, till.id).await.unwrap(),
            storage.website_key_delete(shop.id, &key(20).id).await.unwrap(),
            storage.website_login_delete(shop.id, id(20)).await.unwrap(),
            storage.website_identity_delete(shop.id, of_zoo.id, &place("bitbucket.org")).await.unwrap(),
            storage.website_grant_delete(shop.id, id(20)).await.unwrap(),
            storage.website_login_delete_of_member(shop.id, of_zoo.id).await.unwrap() > 0,
            storage.website_grant_delete_of_member(shop.id, of_zoo.id, till.id).await.unwrap() > 0,
            storage.website_access_delete(shop.id, &both).await.unwrap().is_some(),
            storage.website_visit_take(shop.id, &both).await.unwrap().is_some(),
        ];
        assert_eq!(done, [false; 10]);
        let refused = [
            storage.website_member_update(&Member { website_id: shop.id, ..of_zoo.clone() }).await,
            storage.website_member_status_update(shop.id, of_zoo.id, MemberStatus::Blocked).await,
            storage.website_member_role_update(shop.id, of_zoo.id, &"admin".parse().unwrap()).await,
            storage.website_client_update(&Client { website_id: shop.id, ..till.clone() }).await,
        ];
        for refused in refused {
            assert!(matches!(refused, Err(StorageError::Detached)), "{refused:?}");
        }
        assert_eq!(row_counts(&storage).await, before);
        assert_eq!(storage.website_member_find(zoo.id, of_zoo.id).await.unwrap(), Some(of_zoo));
        assert_eq!(storage.website_client_find(zoo.id, till.id).await.unwrap(), Some(till));
        // And what was refused above works at home.
        assert_eq!(storage.website_login_delete_of_provider(zoo.id, &provider()).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_change_that_may_make_a_decision_wrong_counts() {
        let storage = test_storage().await;
        let [shop, _] = shop_and_zoo(&storage).await;
        storage.integration_insert(&integration(1, "bitbucket")).await.unwrap();
        assert_eq!(storage.website_change_count(), 0, "insertions do not count");
        let second = login(11, &member(10));
        storage.website_login_insert(&second).await.unwrap();
        storage.website_pass_insert(&pass(11, &second)).await.unwrap();
        storage.website_login_seen(second.id, at(30)).await.unwrap();
        storage.website_trip_take(&hash(10)).await.unwrap();
        storage.website_draft_delete(shop.id).await.unwrap();
        storage.website_grant_delete(shop.id, id(10)).await.unwrap();
        storage.website_identity_update(&identity(&member(10))).await.unwrap();
        assert_eq!(storage.website_login_delete_ended(at(0)).await.unwrap(), 0);
        assert_eq!(storage.website_change_count(), 0, "nothing of it decides about a pass");

        let mut expected = 0;
        let mut counts_one = |what: &str| {
            expected += 1;
            assert_eq!(storage.website_change_count(), expected, "{what}");
        };
        storage.website_pass_delete(&hash(11)).await.unwrap();
        counts_one("a pass that is given back");
        storage.website_login_delete(shop.id, second.id).await.unwrap();
        counts_one("a login that ends");
        assert!(storage.website_login_delete_ended(at(100_000_000)).await.unwrap() > 0);
        counts_one("logins whose time is over");
        storage.website_member_update(&member(10)).await.unwrap();
        counts_one("a member who changes");
        storage.website_update(&shop).await.unwrap();
        counts_one("a website that changes");
        storage.website_publish(shop.id, 1).await.unwrap();
        counts_one("a setting that is published");
        storage.integration_delete(id(1)).await.unwrap();
        counts_one("an integration that is gone");
        storage.organization_delete(shop.organization_id).await.unwrap();
        counts_one("an organization that is gone");
    }

    #[tokio::test]
    async fn what_a_transaction_changes_counts_when_it_lasts() {
        let storage = test_storage().await;
        let [shop, _] = shop_and_zoo(&storage).await;
        let transaction = storage.begin().await.unwrap();
        assert!(transaction.website_login_delete(shop.id, id(10)).await.unwrap());
        drop(transaction);
        assert_eq!(storage.website_change_count(), 0, "it has not happened");
        let transaction = storage.begin().await.unwrap();
        transaction.setting_put("a", "1").await.unwrap();
        transaction.website_login_seen(id(10), at(30)).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(storage.website_change_count(), 0, "it decides nothing");
        let transaction = storage.begin().await.unwrap();
        let part = transaction.begin().await.unwrap();
        assert!(part.website_login_delete(shop.id, id(10)).await.unwrap());
        part.commit().await.unwrap();
        let before = storage.website_change_count();
        transaction.commit().await.unwrap();
        assert_eq!(storage.website_change_count(), before + 1, "it lasts from now on");
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_is_named() {
        let storage = test_storage().await;
        let shop = shop(&storage).await;
        for (nonsense, expected) in [
            ("slug = 'No Slug'", "slug"),
            ("slug = 'shop', origins = ''", "origins"),
            ("origins = 'https://shop.example shop'", "origins"),
            ("origins = 'https://shop.example', proxy_keys = '{}'", "proxy_keys"),
            ("proxy_keys = '[]', revision = -1", "revision"),
        ] {
            storage.database.run(&format!("UPDATE website SET {nonsense}")).await;
            let error = storage.website_find(shop.id).await.unwrap_err();
            assert!(
                matches!(error, StorageError::Corrupt { table: "website", column, .. } if column == expected),
                "{nonsense}: {error}"
            );
        }
    }
}
