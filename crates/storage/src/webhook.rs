//! Webhooks that are installed at platforms.

use crate::{
    Storage, StorageError, query,
    tables::webhook::{Column, Entity, Model, OF_WORKSPACE},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use stave_domain::{Timestamp, id::SynchronizationId, synchronization::InstalledWebhook};
use uuid::Uuid;

impl Storage {
    /// The webhooks that a synchronization has installed: that of the workspace first, then by number.
    pub async fn webhook_list(
        &self,
        synchronization: SynchronizationId,
    ) -> Result<Vec<InstalledWebhook>, StorageError> {
        let found = Entity::find().filter(Column::SynchronizationId.eq(Uuid::from(synchronization)));
        query::all(found.order_by_asc(Column::Number), &self.conn).await
    }

    /// A webhook was installed, in place of the one before.
    pub async fn webhook_put(
        &self,
        synchronization: SynchronizationId,
        number: Option<u32>,
        external_id: &str,
        installed_at: Timestamp,
    ) -> Result<(), StorageError> {
        let row = Model {
            synchronization_id: synchronization.into(),
            number: number.map_or(OF_WORKSPACE, i64::from),
            external_id: external_id.to_owned(),
            installed_at: installed_at.as_millisecond(),
        };
        query::upsert(row, &self.conn).await
    }

    /// A webhook is no longer installed.
    pub async fn webhook_delete(
        &self,
        synchronization: SynchronizationId,
        number: Option<u32>,
    ) -> Result<(), StorageError> {
        let key = (Uuid::from(synchronization), number.map_or(OF_WORKSPACE, i64::from));
        Entity::delete_by_id(key).exec(&self.conn).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{at, id, synchronization::acme_follows, test_storage},
    };
    use stave_domain::synchronization::InstalledWebhook;

    fn installed(number: Option<u32>, external_id: &str) -> InstalledWebhook {
        InstalledWebhook { number, external_id: external_id.to_owned(), installed_at: at(1) }
    }

    #[tokio::test]
    async fn a_workspace_and_each_repository_have_one_webhook() {
        let storage = test_storage().await;
        let (first, second) = acme_follows(&storage).await;
        for (number, id) in [(Some(2), "two"), (None, "all"), (Some(1), "one"), (None, "all again")] {
            storage.webhook_put(first, number, id, at(1)).await.unwrap();
        }
        storage.webhook_put(second, Some(1), "other", at(1)).await.unwrap();
        let [all, one, two] = [(None, "all again"), (Some(1), "one"), (Some(2), "two")]
            .map(|(number, id)| installed(number, id));
        assert_eq!(storage.webhook_list(first).await.unwrap(), [all, one.clone(), two]);
        storage.webhook_delete(first, None).await.unwrap();
        storage.webhook_delete(first, Some(2)).await.unwrap();
        storage.webhook_delete(first, Some(3)).await.unwrap();
        assert_eq!(storage.webhook_list(first).await.unwrap(), [one]);
        assert_eq!(storage.webhook_list(second).await.unwrap(), [installed(Some(1), "other")]);
        let of_nothing = storage.webhook_put(id(99), None, "x", at(1)).await;
        assert!(matches!(of_nothing, Err(StorageError::Detached)), "{of_nothing:?}");
    }
}
