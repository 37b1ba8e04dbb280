//! The logs of websites.

use crate::{
    Storage, StorageError, query,
    tables::website::event::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use stave_domain::{
    Timestamp,
    id::{WebsiteEventId, WebsiteId},
    website::Event,
};
use uuid::Uuid;

impl Storage {
    /// Something happened at a website.
    pub async fn website_event_insert(&self, event: &Event) -> Result<(), StorageError> {
        query::insert(Model::from(event), &self.conn).await
    }

    /// A page of a website's log, newest first: what was written before the line `before`, which is the last one of the page
    /// shown.
    pub async fn website_event_list(
        &self,
        website: WebsiteId,
        before: Option<WebsiteEventId>,
        limit: u64,
    ) -> Result<Vec<Event>, StorageError> {
        let mut found = Entity::find().filter(Column::WebsiteId.eq(Uuid::from(website)));
        if let Some(before) = before {
            found = found.filter(Column::Id.lt(Uuid::from(before)));
        }
        query::all(found.order_by_desc(Column::Id).limit(limit), &self.conn).await
    }

    /// Forgets the lines of all websites that were written before an instant; says how many.
    pub async fn website_event_delete_before(&self, created_at: Timestamp) -> Result<u64, StorageError> {
        let old = Column::CreatedAt.lt(created_at.as_millisecond());
        Ok(Entity::delete_many().filter(old).exec(&self.conn).await?.rows_affected)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{
        at, test_storage,
        website::{event, shop, website},
    };
    use stave_domain::website::Event;

    #[tokio::test]
    async fn a_log_is_paged_newest_first_and_ends() {
        let storage = test_storage().await;
        let shop = shop(&storage).await;
        storage.website_insert(&website(2, "zoo")).await.unwrap();
        let unknown = Event { member_id: None, is_failure: true, ..event(11) };
        for event in [&event(10), &unknown, &event(20), &event(12), &event(13)] {
            storage.website_event_insert(event).await.unwrap();
        }
        let first = storage.website_event_list(shop.id, None, 2).await.unwrap();
        assert_eq!(first, [event(13), event(12)]);
        let rest = storage.website_event_list(shop.id, Some(first[1].id), 2).await.unwrap();
        assert_eq!(rest, [unknown, event(10)]);
        assert_eq!(storage.website_event_delete_before(at(12)).await.unwrap(), 2);
        assert_eq!(storage.website_event_list(shop.id, None, 9).await.unwrap(), first);
    }
}
