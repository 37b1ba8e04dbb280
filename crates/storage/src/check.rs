//! Checks of an integration's connection: the latest of each.

use crate::{
    Storage, StorageError, query,
    tables::check::{Entity, Model},
};
use sea_orm::EntityTrait;
use stave_domain::{check::Check, id::IntegrationId};
use uuid::Uuid;

impl Storage {
    /// A check begins or goes on; it takes the place of the integration's earlier one.
    pub async fn check_upsert(&self, check: &Check) -> Result<(), StorageError> {
        query::upsert(Model::from(check), &self.conn).await
    }

    /// What was checked is not there any more.
    pub async fn check_delete(&self, integration: IntegrationId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(integration)).exec(&self.conn).await?;
        Ok(())
    }

    /// The integration's latest check.
    pub async fn check_find(&self, integration: IntegrationId) -> Result<Option<Check>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(integration)), &self.conn).await
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{at, id, integration, test_storage},
    };
    use stave_domain::{
        check::{Check, Outcome, Part, Step},
        integration::Permission,
    };

    #[tokio::test]
    async fn the_latest_check_is_kept_as_long_as_the_integration() {
        let storage = test_storage().await;
        let bitbucket = integration(1, "bitbucket");
        storage.integration_insert(&bitbucket).await.unwrap();
        assert_eq!(storage.check_find(bitbucket.id).await.unwrap(), None);
        let step = |part, outcome| Step { part, outcome };
        let mut check = Check {
            integration_id: bitbucket.id,
            steps: vec![step(Part::Server, Outcome::Passed("Bitbucket 8.19.3 answers.".into()))],
            is_away: true,
            started_at: at(1),
        };
        storage.check_upsert(&check).await.unwrap();
        assert_eq!(storage.check_find(bitbucket.id).await.unwrap().as_ref(), Some(&check));
        check.is_away = false;
        check.steps.push(step(Part::Permission(Permission::RepositoriesRead), Outcome::Noted("No.".into())));
        check.steps.push(step(Part::Webhooks, Outcome::Failed("Tick the box.".into())));
        storage.check_upsert(&check).await.unwrap();
        assert_eq!(storage.check_find(bitbucket.id).await.unwrap().as_ref(), Some(&check));
        storage.check_delete(bitbucket.id).await.unwrap();
        assert_eq!(storage.check_find(bitbucket.id).await.unwrap(), None);
        storage.check_upsert(&check).await.unwrap();
        storage.integration_delete(bitbucket.id).await.unwrap();
        assert_eq!(storage.check_find(bitbucket.id).await.unwrap(), None);
        let late = storage.check_upsert(&check).await;
        assert!(matches!(late, Err(StorageError::Detached)), "{late:?}");
        assert_eq!(storage.check_find(id(99)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn steps_that_cannot_be_are_named() {
        let storage = test_storage().await;
        let bitbucket = integration(1, "bitbucket");
        storage.integration_insert(&bitbucket).await.unwrap();
        let check = Check { integration_id: bitbucket.id, steps: vec![], is_away: false, started_at: at(1) };
        storage.check_upsert(&check).await.unwrap();
        storage.database.run("UPDATE integration_check SET steps = 'nonsense'").await;
        let error = storage.check_find(bitbucket.id).await.unwrap_err();
        assert!(
            matches!(error, StorageError::Corrupt { table: "integration_check", column: "steps", .. }),
            "{error}"
        );
    }
}
