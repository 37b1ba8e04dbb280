//! Test sign-ins of owners: the latest of each at each website.

use crate::{
    Storage, StorageError, query,
    tables::website::test::{Entity, Model},
};
use sea_orm::EntityTrait;
use stave_domain::{
    id::{UserId, WebsiteId},
    website::TestReport,
};
use uuid::Uuid;

impl Storage {
    /// An owner tried a website; it takes the place of what they saw before.
    pub async fn website_test_put(&self, report: &TestReport) -> Result<(), StorageError> {
        query::upsert(Model::from(report), &self.conn).await
    }

    /// What an owner saw when they last tried a website.
    pub async fn website_test_find(
        &self,
        website: WebsiteId,
        user: UserId,
    ) -> Result<Option<TestReport>, StorageError> {
        query::one(Entity::find_by_id((Uuid::from(website), Uuid::from(user))), &self.conn).await
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{
        ada, id, test_storage,
        website::{report, shop},
    };
    use stave_domain::website::{Circle, TestReport, TestStep};

    #[tokio::test]
    async fn the_latest_test_counts() {
        let storage = test_storage().await;
        let shop = shop(&storage).await;
        let ada = ada(&storage).await;
        let step = TestStep {
            name: "Who am I".into(),
            result: String::new(),
            problem: Some("Bitbucket refused the key.".into()),
            took_ms: 12,
        };
        let second = TestReport {
            is_draft: false,
            steps: vec![step],
            circles: vec![Circle::Group { name: "devs".into() }],
            claims: Some("{\"sub\":\"…\"}".into()),
            ..report(10)
        };
        for report in [report(10), second] {
            storage.website_test_put(&report).await.unwrap();
            assert_eq!(storage.website_test_find(shop.id, ada).await.unwrap(), Some(report));
        }
        assert_eq!(storage.website_test_find(shop.id, id(2)).await.unwrap(), None);
        storage.user_delete(ada).await.unwrap();
        assert_eq!(storage.website_test_find(shop.id, ada).await.unwrap(), None);
    }
}
