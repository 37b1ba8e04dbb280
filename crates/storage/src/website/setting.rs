//! Login settings of websites: drafts, revisions, and the pictures that they name.

use crate::{
    Storage, StorageError, query,
    tables::website::{self, draft, logo, revision},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use stave_domain::{
    Timestamp,
    id::WebsiteId,
    website::{Draft, Revision},
};
use uuid::Uuid;

impl Storage {
    /// The setting of a website that visitors do not see yet.
    pub async fn website_draft_find(&self, website: WebsiteId) -> Result<Option<Draft>, StorageError> {
        query::one(draft::Entity::find_by_id(Uuid::from(website)), &self.conn).await
    }

    /// Stores a draft in place of the one before.
    pub async fn website_draft_put(&self, website: WebsiteId, draft: &Draft) -> Result<(), StorageError> {
        query::upsert(draft::Model::from((website, draft)), &self.conn).await
    }

    /// Forgets the draft; `false` if there was none.
    pub async fn website_draft_delete(&self, website: WebsiteId) -> Result<bool, StorageError> {
        let deleted = draft::Entity::delete_by_id(Uuid::from(website)).exec(&self.conn).await?;
        Ok(deleted.rows_affected == 1)
    }

    /// A setting that never changes. `Conflict` if the number is taken.
    pub async fn website_revision_insert(
        &self,
        website: WebsiteId,
        revision: &Revision,
    ) -> Result<(), StorageError> {
        query::insert(revision::Model::from((website, revision)), &self.conn).await
    }

    /// The revision with this number.
    pub async fn website_revision_find(
        &self,
        website: WebsiteId,
        number: u32,
    ) -> Result<Option<Revision>, StorageError> {
        let found = revision::Entity::find_by_id((Uuid::from(website), i64::from(number)));
        query::one(found, &self.conn).await
    }

    /// The revisions of a website, newest first.
    pub async fn website_revision_list(&self, website: WebsiteId) -> Result<Vec<Revision>, StorageError> {
        let its = revision::Entity::find().filter(revision::Column::WebsiteId.eq(Uuid::from(website)));
        query::all(its.order_by_desc(revision::Column::Number), &self.conn).await
    }

    /// From now on visitors see this revision. `Detached` if there is no such one.
    pub async fn website_publish(&self, website: WebsiteId, number: u32) -> Result<(), StorageError> {
        let (id, number) = (Uuid::from(website), i64::from(number));
        let of_revision = revision::Entity::find_by_id((id, number))
            .select_only()
            .column(revision::Column::WebsiteId)
            .into_query();
        let changed = website::Entity::update_many()
            .col_expr(website::Column::Revision, query::value(number))
            .filter(website::Column::Id.eq(id))
            .filter(website::Column::Id.in_subquery(of_revision))
            .exec(&self.conn)
            .await?;
        query::one_changed(&changed)
    }

    /// The revision that visitors see; `None` if none was published yet.
    pub async fn website_published(&self, website: WebsiteId) -> Result<Option<Revision>, StorageError> {
        let id = Uuid::from(website);
        let number = website::Entity::find_by_id(id).select_only().column(website::Column::Revision);
        let published = revision::Entity::find()
            .filter(revision::Column::WebsiteId.eq(id))
            .filter(revision::Column::Number.in_subquery(number.into_query()));
        query::one(published, &self.conn).await
    }

    /// A picture of a website; `hash` is its SHA-256 in hex.
    pub async fn website_logo_put(
        &self,
        website: WebsiteId,
        hash: &str,
        png: &[u8],
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let row = logo::Model {
            website_id: website.into(),
            hash: hash.to_owned(),
            png: png.to_vec(),
            created_at: now.as_millisecond(),
        };
        query::upsert(row, &self.conn).await
    }

    /// The bytes of a picture of a website.
    pub async fn website_logo_find(
        &self,
        website: WebsiteId,
        hash: &str,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let found = logo::Entity::find_by_id((Uuid::from(website), hash.to_owned())).one(&self.conn).await?;
        Ok(found.map(|logo| logo.png))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{
            at, id, integration, test_storage,
            website::{draft, revision, shop, website},
        },
    };
    use stave_domain::{
        integration::{Client, Platform},
        secret::Sealed,
        website::{
            Allowed, Circle, Colour, Draft, EmailTrust, Look, Provider, ProviderKey, Revision, Setting,
            SignUp, Source,
        },
    };

    /// A setting with something everywhere.
    fn setting() -> Setting {
        let own = Provider {
            key: ProviderKey::own(Platform::BitbucketCloud),
            is_on: true,
            label: "Log in with “Bitbucket”".into(),
            source: Source::Own {
                platform: Platform::BitbucketCloud,
                base_url: "https://bitbucket.org".parse().unwrap(),
                client: Client::OAuth2 { id: "key".into(), secret: Sealed(vec![0, 255]) },
                secret_ending: "wxyz".into(),
                secret_set_at: at(1),
            },
            email: EmailTrust::Confirmed,
            only: vec![Circle::Workspace { uuid: Some("{1}".into()), slug: "acme".into() }],
        };
        let server = Provider {
            key: ProviderKey::own(Platform::BitbucketDataCenter),
            source: Source::Own {
                platform: Platform::BitbucketDataCenter,
                base_url: "https://git.acme.example/bb".parse().unwrap(),
                client: Client::OAuth1 {
                    consumer_key: "stave".into(),
                    private_key: Sealed(vec![]),
                    public_key: "-----BEGIN PUBLIC KEY-----".into(),
                },
                secret_ending: String::new(),
                secret_set_at: at(2),
            },
            only: vec![Circle::Group { name: "Devs".into() }],
            ..own.clone()
        };
        let shared = Provider {
            key: ProviderKey::integration(&"bitbucket".parse().unwrap()),
            is_on: false,
            source: Source::Integration(id(1)),
            email: EmailTrust::Never,
            only: vec![],
            ..own.clone()
        };
        Setting {
            providers: vec![server, own, shared],
            sign_up: SignUp::Approval,
            default_roles: "staff".parse().unwrap(),
            allowed: vec![
                "grace@navy.example".parse().unwrap(),
                Allowed::Domain("xn--bcher-kva.example".into()),
            ],
            email_required: true,
            idle_hours: 1,
            longest_hours: 2160,
            look: Look {
                title: "<script>".into(),
                accent: Colour([1, 2, 3]),
                logo: Some("00".into()),
                ..Look::default()
            },
        }
    }

    #[tokio::test]
    async fn a_website_has_one_draft() {
        let storage = test_storage().await;
        let shop = shop(&storage).await;
        assert_eq!(storage.website_draft_find(shop.id).await.unwrap(), None);
        let second = Draft { setting: setting(), began_with: Some(4), author: "bob".into(), ..draft() };
        for draft in [draft(), second] {
            storage.website_draft_put(shop.id, &draft).await.unwrap();
            assert_eq!(storage.website_draft_find(shop.id).await.unwrap(), Some(draft));
        }
        assert!(storage.website_draft_delete(shop.id).await.unwrap());
        assert!(!storage.website_draft_delete(shop.id).await.unwrap());
        assert_eq!(storage.website_draft_find(shop.id).await.unwrap(), None);
        let orphan = storage.website_draft_put(id(99), &draft()).await;
        assert!(matches!(orphan, Err(StorageError::Detached)), "{orphan:?}");
    }

    #[tokio::test]
    async fn visitors_see_the_revision_that_is_published() {
        let storage = test_storage().await;
        let shop = shop(&storage).await;
        storage.website_insert(&website(2, "zoo")).await.unwrap();
        let first = Revision { setting: setting(), note: "From revision 0".into(), ..revision(1) };
        storage.website_revision_insert(shop.id, &first).await.unwrap();
        storage.website_revision_insert(shop.id, &revision(2)).await.unwrap();
        let twin = storage.website_revision_insert(shop.id, &revision(2)).await;
        assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
        assert_eq!(storage.website_revision_list(shop.id).await.unwrap(), [revision(2), first.clone()]);
        assert_eq!(storage.website_revision_find(shop.id, 1).await.unwrap().as_ref(), Some(&first));
        assert_eq!(storage.website_revision_find(id(2), 1).await.unwrap(), None);

        assert_eq!(storage.website_published(shop.id).await.unwrap(), None);
        for published in [revision(2), first.clone()] {
            storage.website_publish(shop.id, published.number).await.unwrap();
            assert_eq!(storage.website_published(shop.id).await.unwrap(), Some(published));
        }
        for (website, number) in [(shop.id, 3), (id(2), 1), (id(99), 1)] {
            let nothing = storage.website_publish(website, number).await;
            assert!(matches!(nothing, Err(StorageError::Detached)), "{website} {number}: {nothing:?}");
        }
        assert_eq!(storage.website_published(shop.id).await.unwrap(), Some(first));
        assert_eq!(storage.website_published(id(2)).await.unwrap(), None);
        assert_eq!(storage.website_find(shop.id).await.unwrap().unwrap().revision, Some(1));
    }

    #[tokio::test]
    async fn a_setting_outlives_the_integration_that_it_names() {
        let storage = test_storage().await;
        let shop = shop(&storage).await;
        storage.integration_insert(&integration(1, "bitbucket")).await.unwrap();
        let (draft, revision) =
            (Draft { setting: setting(), ..draft() }, Revision { setting: setting(), ..revision(1) });
        storage.website_revision_insert(shop.id, &revision).await.unwrap();
        let naming = async |number| storage.website_list_naming(id(number)).await.unwrap();
        assert!(naming(1).await.is_empty(), "neither a draft nor published");
        storage.website_publish(shop.id, 1).await.unwrap();
        assert_eq!(naming(1).await.len(), 1);
        storage.website_draft_put(shop.id, &draft).await.unwrap();
        assert_eq!((naming(1).await.len(), naming(2).await.len()), (1, 0));
        storage.integration_delete(id(1)).await.unwrap();
        assert_eq!(storage.website_draft_find(shop.id).await.unwrap(), Some(draft));
        assert_eq!(storage.website_published(shop.id).await.unwrap(), Some(revision));
    }

    #[tokio::test]
    async fn a_setting_that_cannot_be_read_is_named() {
        let storage = test_storage().await;
        let shop = shop(&storage).await;
        storage.website_revision_insert(shop.id, &revision(1)).await.unwrap();
        storage.database.run("UPDATE website_revision SET setting = '{\"providers\":[]}'").await;
        let StorageError::Corrupt { table, column, id: row } =
            storage.website_revision_find(shop.id, 1).await.unwrap_err()
        else {
            panic!("half a setting was accepted")
        };
        assert_eq!((table, column, row), ("website_revision", "setting", format!("{}/1", shop.id)));
    }

    #[tokio::test]
    async fn a_picture_is_found_by_its_hash() {
        let storage = test_storage().await;
        let shop = shop(&storage).await;
        storage.website_logo_put(shop.id, "aa", b"\x89PNG\0", at(1)).await.unwrap();
        storage.website_logo_put(shop.id, "aa", b"\x89PNG\0", at(2)).await.unwrap();
        storage.website_logo_put(shop.id, "bb", b"other", at(2)).await.unwrap();
        let find = async |website, hash| storage.website_logo_find(website, hash).await.unwrap();
        assert_eq!(find(shop.id, "aa").await.as_deref(), Some(&b"\x89PNG\0"[..]));
        assert_eq!(find(shop.id, "bb").await.as_deref(), Some(&b"other"[..]));
        assert_eq!(find(shop.id, "cc").await, None);
        assert_eq!(find(id(2), "aa").await, None);
    }
}
