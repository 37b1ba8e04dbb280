//! How the endpoints of integrations fare.

use super::Row;
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{Timestamp, endpoint::EndpointState};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "endpoint")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub integration_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub path: String,
    pub purpose: String,
    pub asked_at: i64,
    pub failing_since: Option<i64>,
    pub because: Option<String>,
    pub is_gone: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&EndpointState> for Model {
    fn from(endpoint: &EndpointState) -> Self {
        Self {
            integration_id: endpoint.integration_id.into(),
            path: endpoint.path.clone(),
            purpose: endpoint.purpose.clone(),
            asked_at: endpoint.asked_at.as_millisecond(),
            failing_since: endpoint.failing_since.map(Timestamp::as_millisecond),
            because: endpoint.because.clone(),
            is_gone: endpoint.is_gone,
        }
    }
}

impl TryFrom<Model> for EndpointState {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("endpoint", format!("{} {}", model.integration_id, model.path));
        Ok(Self {
            integration_id: model.integration_id.into(),
            path: model.path,
            purpose: model.purpose,
            asked_at: row.instant("asked_at", model.asked_at)?,
            failing_since: row.instant_or_null("failing_since", model.failing_since)?,
            because: model.because,
            is_gone: model.is_gone,
        })
    }
}
