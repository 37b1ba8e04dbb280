//! Deliveries of webhooks that came.

use crate::{
    Storage, StorageError, query,
    tables::delivery::{Column, Entity, Model},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select,
};
use stave_domain::{delivery::Delivery, id::SynchronizationId};
use uuid::Uuid;

impl Storage {
    /// A delivery came; `false` if it came before, and is doubled: then the first one stays.
    pub async fn delivery_insert(&self, delivery: &Delivery) -> Result<bool, StorageError> {
        let inserted = Entity::insert(Model::from(delivery).into_active_model())
            .on_conflict(query::keep::<Entity>())
            .exec_without_returning(&self.conn)
            .await?;
        Ok(inserted == 1)
    }

    /// The deliveries of a synchronization, newest first: at most `limit`.
    pub async fn delivery_list(
        &self,
        synchronization: SynchronizationId,
        limit: u64,
    ) -> Result<Vec<Delivery>, StorageError> {
        query::all(newest_first(synchronization).limit(limit), &self.conn).await
    }

    /// Forgets all deliveries of a synchronization but the newest.
    pub async fn delivery_prune(
        &self,
        synchronization: SynchronizationId,
        keep: u64,
    ) -> Result<(), StorageError> {
        let first_too_old = newest_first(synchronization).offset(keep).limit(1).one(&self.conn).await?;
        let Some(newest) = first_too_old else { return Ok(()) };
        let as_old = Condition::all()
            .add(Column::ReceivedAt.eq(newest.received_at))
            .add(Column::DeliveryId.lte(newest.delivery_id));
        let older = Column::ReceivedAt.lt(newest.received_at);
        Entity::delete_many()
            .filter(Column::SynchronizationId.eq(Uuid::from(synchronization)))
            .filter(Condition::any().add(older).add(as_old))
            .exec(&self.conn)
            .await?;
        Ok(())
    }
}

fn newest_first(synchronization: SynchronizationId) -> Select<Entity> {
    Entity::find()
        .filter(Column::SynchronizationId.eq(Uuid::from(synchronization)))
        .order_by_desc(Column::ReceivedAt)
        .order_by_desc(Column::DeliveryId)
}

#[cfg(test)]
mod tests {
    use crate::testing::{at, synchronization::acme_follows, test_storage};
    use stave_domain::{delivery::Delivery, id::SynchronizationId};

    fn delivery(synchronization: SynchronizationId, number: i64, second: i64) -> Delivery {
        Delivery {
            synchronization_id: synchronization,
            delivery_id: format!("d{number}"),
            event: "repo:push".into(),
            effect: format!("acme/mailer is read for the time {number}"),
            received_at: at(second),
        }
    }

    #[tokio::test]
    async fn a_doubled_delivery_is_told() {
        let storage = test_storage().await;
        let (first, second) = acme_follows(&storage).await;
        let once = delivery(first, 1, 1);
        let twice = Delivery { received_at: at(9), effect: String::new(), ..once.clone() };
        let of_other = Delivery { synchronization_id: second, ..twice.clone() };
        assert!(storage.delivery_insert(&once).await.unwrap());
        let transaction = storage.begin().await.unwrap();
        assert!(!transaction.delivery_insert(&twice).await.unwrap());
        assert!(transaction.delivery_insert(&of_other).await.unwrap());
        transaction.commit().await.unwrap();
        assert_eq!(storage.delivery_list(first, 9).await.unwrap(), [once]);
        assert_eq!(storage.delivery_list(second, 9).await.unwrap(), [of_other]);
    }

    #[tokio::test]
    async fn the_newest_are_kept() {
        let storage = test_storage().await;
        let (first, second) = acme_follows(&storage).await;
        for (number, at) in [(1, 10), (4, 20), (3, 20), (2, 20), (5, 30)] {
            storage.delivery_insert(&delivery(first, number, at)).await.unwrap();
            storage.delivery_insert(&delivery(second, number, at)).await.unwrap();
        }
        let ids = async |of: SynchronizationId, limit| {
            let list = storage.delivery_list(of, limit).await.unwrap();
            list.into_iter().map(|delivery| delivery.delivery_id).collect::<Vec<_>>().join(" ")
        };
        storage.delivery_prune(first, 5).await.unwrap();
        assert_eq!(ids(first, 9).await, "d5 d4 d3 d2 d1");
        storage.delivery_prune(first, 3).await.unwrap();
        assert_eq!(ids(first, 9).await, "d5 d4 d3");
        assert_eq!(ids(second, 2).await, "d5 d4");
        storage.delivery_prune(first, 0).await.unwrap();
        assert_eq!(ids(first, 9).await, "");
        assert_eq!(ids(second, 9).await, "d5 d4 d3 d2 d1");
    }
}
