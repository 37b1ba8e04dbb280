//! What lists of bad versions say of packages of mirrors.

use crate::{
    Storage, StorageError, query,
    tables::{
        Row,
        mirrored_package::{Column, Entity},
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use stave_domain::{composer::metadata::Keys, id::PackageId};
use std::collections::HashMap;
use uuid::Uuid;

impl Storage {
    /// What is said of each of these packages, by the name of the list; those of which nothing is said are not in it.
    pub async fn filter_list(
        &self,
        packages: &[PackageId],
    ) -> Result<HashMap<PackageId, Keys>, StorageError> {
        let mut filters = HashMap::new();
        for ids in query::batches(packages.iter().map(|id| Uuid::from(*id))) {
            let said = Entity::find()
                .filter(Column::PackageId.is_in(ids))
                .filter(Column::Filter.ne("{}"))
                .select_only()
                .columns([Column::PackageId, Column::Filter]);
            for (id, text) in said.into_tuple::<(Uuid, String)>().all(&self.conn).await? {
                filters.insert(PackageId::from(id), Row::of("mirrored_package", id).json("filter", &text)?);
            }
        }
        Ok(filters)
    }
}
