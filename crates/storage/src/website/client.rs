//! Applications of websites.

use crate::{
    Storage, StorageError, query,
    tables::website::client::{ActiveModel, Column, Entity, Model},
};
use sea_orm::{ActiveValue::NotSet, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use stave_domain::{
    id::{WebsiteClientId, WebsiteId},
    website::Client,
};
use uuid::Uuid;

impl Storage {
    /// A new client. `Conflict` if its public id is taken.
    pub async fn website_client_insert(&self, client: &Client) -> Result<(), StorageError> {
        query::insert(Model::from(client), &self.conn).await
    }

    /// Stores everything of the record but its website, its public id and when it was made. `Detached` if the website has no
    /// such client.
    pub async fn website_client_update(&self, client: &Client) -> Result<(), StorageError> {
        let row = ActiveModel {
            website_id: NotSet,
            public_id: NotSet,
            created_at: NotSet,
            ..Model::from(client).into_active_model()
        };
        query::update_if(row, Column::WebsiteId.eq(Uuid::from(client.website_id)), &self.conn).await
    }

    /// Deletes a client with everything that it was let do; `false` if the website has no such client.
    pub async fn website_client_delete(
        &self,
        website: WebsiteId,
        id: WebsiteClientId,
    ) -> Result<bool, StorageError> {
        let deleted = Entity::delete_many()
            .filter(Column::Id.eq(Uuid::from(id)))
            .filter(Column::WebsiteId.eq(Uuid::from(website)))
            .exec(&self.conn)
            .await?;
        Ok(deleted.rows_affected == 1)
    }

    /// The clients of a website, oldest first.
    pub async fn website_client_list(&self, website: WebsiteId) -> Result<Vec<Client>, StorageError> {
        let its = Entity::find().filter(Column::WebsiteId.eq(Uuid::from(website)));
        query::all(its.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id), &self.conn).await
    }

    /// The client of a website with this id.
    pub async fn website_client_find(
        &self,
        website: WebsiteId,
        id: WebsiteClientId,
    ) -> Result<Option<Client>, StorageError> {
        let found = Entity::find_by_id(Uuid::from(id)).filter(Column::WebsiteId.eq(Uuid::from(website)));
        query::one(found, &self.conn).await
    }

    /// The client of a website that calls itself so.
    pub async fn website_client_find_by_public_id(
        &self,
        website: WebsiteId,
        public_id: &str,
    ) -> Result<Option<Client>, StorageError> {
        let found = Entity::find()
            .filter(Column::PublicId.eq(public_id))
            .filter(Column::WebsiteId.eq(Uuid::from(website)));
        query::one(found, &self.conn).await
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{
            at, id, test_storage,
            website::{client, shop},
        },
    };
    use stave_domain::website::{Client, ClientKind};

    #[tokio::test]
    async fn a_client_is_found_by_what_it_calls_itself() {
        let storage = test_storage().await;
        let shop = shop(&storage).await;
        let mut till = client(10);
        storage.website_client_insert(&till).await.unwrap();
        let twin = storage.website_client_insert(&Client { id: id(11), ..till.clone() }).await;
        assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
        storage.website_client_insert(&client(12)).await.unwrap();
        let find =
            async |public_id| storage.website_client_find_by_public_id(shop.id, public_id).await.unwrap();
        assert_eq!(find("client-10").await.as_ref(), Some(&till));
        assert_eq!(find("client-99").await, None);
        till = Client {
            name: "New till".into(),
            kind: ClientKind::Browser,
            secrets: vec![],
            redirect_uris: vec![],
            post_logout_uris: vec!["https://till.example/bye".parse().unwrap()],
            pkce_required: false,
            is_own: true,
            may_refresh: false,
            ..till
        };
        let changed = Client { public_id: "other".into(), created_at: at(99), ..till.clone() };
        storage.website_client_update(&changed).await.unwrap();
        assert_eq!(storage.website_client_find(shop.id, till.id).await.unwrap().as_ref(), Some(&till));
        assert_eq!(storage.website_client_list(shop.id).await.unwrap(), [till.clone(), client(12)]);
        assert!(storage.website_client_delete(shop.id, till.id).await.unwrap());
        assert!(!storage.website_client_delete(shop.id, till.id).await.unwrap());
        let gone = storage.website_client_update(&till).await;
        assert!(matches!(gone, Err(StorageError::Detached)), "{gone:?}");
    }
}
