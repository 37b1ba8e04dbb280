//! The latest test sign-in of each owner at each website.

use crate::{
    StorageError,
    tables::{Row, json_text},
};
use sea_orm::entity::prelude::*;
use stave_domain::website::TestReport;

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "website_test")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub website_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// JSON.
    pub report: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&TestReport> for Model {
    fn from(report: &TestReport) -> Self {
        Self {
            website_id: report.website_id.into(),
            user_id: report.user_id.into(),
            report: json_text(report),
        }
    }
}

impl TryFrom<Model> for TestReport {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("website_test", format!("{}/{}", model.website_id, model.user_id));
        row.json("report", &model.report)
    }
}
