//! Deliveries of webhooks that came.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::delivery::Delivery;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub synchronization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub delivery_id: String,
    pub event: String,
    pub effect: String,
    pub received_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Delivery> for Model {
    fn from(delivery: &Delivery) -> Self {
        Self {
            synchronization_id: delivery.synchronization_id.into(),
            delivery_id: delivery.delivery_id.clone(),
            event: delivery.event.clone(),
            effect: delivery.effect.clone(),
            received_at: delivery.received_at.as_millisecond(),
        }
    }
}

impl TryFrom<Model> for Delivery {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("delivery", format!("{}/{}", model.synchronization_id, model.delivery_id));
        Ok(Self {
            synchronization_id: model.synchronization_id.into(),
            delivery_id: model.delivery_id,
            event: model.event,
            effect: model.effect,
            received_at: row.instant("received_at", model.received_at)?,
        })
    }
}
