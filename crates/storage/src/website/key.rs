//! Keys with which the tokens of websites are signed.

use crate::{
    Storage, StorageError, query,
    tables::website::key::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use stave_domain::{Timestamp, id::WebsiteId, website::SigningKey};
use uuid::Uuid;

impl Storage {
    /// A new key. `Conflict` if its id is taken.
    pub async fn website_key_insert(&self, key: &SigningKey) -> Result<(), StorageError> {
        query::insert(Model::from(key), &self.conn).await
    }

    /// The keys of a website, oldest first.
    pub async fn website_key_list(&self, website: WebsiteId) -> Result<Vec<SigningKey>, StorageError> {
        let its = Entity::find().filter(Column::WebsiteId.eq(Uuid::from(website)));
        query::all(its.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// The websites whose newest key was made before an instant.
    pub async fn website_key_list_aged(
        &self,
        newest_before: Timestamp,
    ) -> Result<Vec<WebsiteId>, StorageError> {
        let aged: Vec<Uuid> = Entity::find()
            .select_only()
            .column(Column::WebsiteId)
            .group_by(Column::WebsiteId)
            .having(Column::CreatedAt.max().lt(newest_before.as_millisecond()))
            .into_tuple()
            .all(&self.conn)
            .await?;
        Ok(aged.into_iter().map(WebsiteId::from).collect())
    }

    /// Deletes a key; `false` if the website has no such key.
    pub async fn website_key_delete(&self, website: WebsiteId, id: &str) -> Result<bool, StorageError> {
        let deleted = Entity::delete_many()
            .filter(Column::Id.eq(id))
            .filter(Column::WebsiteId.eq(Uuid::from(website)))
            .exec(&self.conn)
            .await?;
        Ok(deleted.rows_affected == 1)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{
            at, test_storage,
            website::{key, shop, shop_and_zoo},
        },
    };
    use stave_domain::website::SigningKey;

    #[tokio::test]
    async fn keys_are_listed_oldest_first() {
        let storage = test_storage().await;
        let shop = shop(&storage).await;
        for number in [11, 10, 12] {
            storage.website_key_insert(&key(number)).await.unwrap();
        }
        let twin = storage.website_key_insert(&key(10)).await;
        assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
        assert_eq!(storage.website_key_list(shop.id).await.unwrap(), [key(10), key(11), key(12)]);
        assert!(storage.website_key_delete(shop.id, &key(10).id).await.unwrap());
        assert!(!storage.website_key_delete(shop.id, &key(10).id).await.unwrap());
        assert_eq!(storage.website_key_list(shop.id).await.unwrap(), [key(11), key(12)]);
    }

    #[tokio::test]
    async fn a_website_with_one_young_key_needs_no_other() {
        let storage = test_storage().await;
        let [shop, zoo] = shop_and_zoo(&storage).await;
        assert_eq!(storage.website_key_list_aged(at(10)).await.unwrap(), []);
        assert_eq!(storage.website_key_list_aged(at(11)).await.unwrap(), [shop.id]);
        storage.website_key_insert(&SigningKey { created_at: at(30), ..key(11) }).await.unwrap();
        assert_eq!(storage.website_key_list_aged(at(30)).await.unwrap(), [zoo.id]);
    }
}
