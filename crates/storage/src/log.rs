//! The Log: who changed what, when.

use crate::{
    Storage, StorageError, query,
    tables::log::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use stave_domain::{
    id::{LogEntryId, OrganizationId},
    log::LogEntry,
};
use uuid::Uuid;

impl Storage {
    /// Something was changed.
    pub async fn log_insert(&self, entry: &LogEntry) -> Result<(), StorageError> {
        query::insert(Model::from(entry), &self.conn).await
    }

    /// A page of the Log of an organization or, with `None`, of the Admin section, newest first: what was written
    /// before the line `before`, which is the last one of the page shown.
    pub async fn log_list(
        &self,
        organization: Option<OrganizationId>,
        before: Option<LogEntryId>,
        limit: u64,
    ) -> Result<Vec<LogEntry>, StorageError> {
        let of = match organization {
            Some(id) => Column::OrganizationId.eq(Uuid::from(id)),
            None => Column::OrganizationId.is_null(),
        };
        let mut found = Entity::find().filter(of);
        if let Some(before) = before {
            found = found.filter(Column::Id.lt(Uuid::from(before)));
        }
        query::all(found.order_by_desc(Column::Id).limit(limit), &self.conn).await
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{at, id, test_storage};
    use stave_domain::log::LogEntry;

    #[tokio::test]
    async fn the_log_is_paged_newest_first() {
        let storage = test_storage().await;
        let entry = |number: u128, organization: Option<u128>| LogEntry {
            id: id(number),
            organization_id: organization.map(id),
            user_id: Some(id(4)),
            actor: "ada".into(),
            action: "created the integration Bitbucket".into(),
            created_at: at(0),
        };
        for (number, organization) in [(1, None), (2, Some(1)), (3, None), (4, None), (5, Some(2))] {
            storage.log_insert(&entry(number, organization)).await.unwrap();
        }
        let first = storage.log_list(None, None, 2).await.unwrap();
        assert_eq!(first, [entry(4, None), entry(3, None)]);
        assert_eq!(storage.log_list(None, Some(first[1].id), 2).await.unwrap(), [entry(1, None)]);
        assert_eq!(storage.log_list(Some(id(2)), None, 9).await.unwrap(), [entry(5, Some(2))]);
    }
}
