//! How the endpoints of integrations fare.

use crate::{
    Storage, StorageError, query,
    tables::endpoint::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use stave_domain::{endpoint::EndpointState, id::IntegrationId};
use uuid::Uuid;

impl Storage {
    /// An endpoint was asked: what it was before is forgotten.
    pub async fn endpoint_put(&self, endpoint: &EndpointState) -> Result<(), StorageError> {
        query::upsert(Model::from(endpoint), &self.conn).await
    }

    /// The endpoints of an integration that were ever asked, by path.
    pub async fn endpoint_list(
        &self,
        integration: IntegrationId,
    ) -> Result<Vec<EndpointState>, StorageError> {
        let theirs = Entity::find().filter(Column::IntegrationId.eq(Uuid::from(integration)));
        query::all(theirs.order_by_asc(Column::Path), &self.conn).await
    }

    /// Forgets the endpoints of an integration but those with these paths: others are no longer asked.
    pub async fn endpoint_keep(
        &self,
        integration: IntegrationId,
        paths: &[&str],
    ) -> Result<(), StorageError> {
        let others = Entity::delete_many()
            .filter(Column::IntegrationId.eq(Uuid::from(integration)))
            .filter(Column::Path.is_not_in(paths.iter().copied()));
        others.exec(&self.conn).await?;
        Ok(())
    }

    /// The endpoints of all integrations that do not answer as they should, the longest first.
    pub async fn endpoint_list_failing(&self) -> Result<Vec<EndpointState>, StorageError> {
        let failing = Entity::find()
            .filter(Column::FailingSince.is_not_null())
            .order_by_asc(Column::FailingSince)
            .order_by_asc(Column::IntegrationId)
            .order_by_asc(Column::Path);
        query::all(failing, &self.conn).await
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{at, id, integration, test_storage},
    };
    use stave_domain::endpoint::EndpointState;

    fn endpoint(integration: u128, path: &str) -> EndpointState {
        EndpointState {
            integration_id: id(integration),
            path: path.into(),
            purpose: "who is in a workspace".into(),
            asked_at: at(1),
            failing_since: None,
            because: None,
            is_gone: false,
        }
    }

    #[tokio::test]
    async fn an_endpoint_that_fails_is_told_until_it_answers() {
        let storage = test_storage().await;
        for number in [1, 2] {
            storage.integration_insert(&integration(number, &format!("server-{number}"))).await.unwrap();
        }
        let (good, other) = (endpoint(1, "/2.0/user"), endpoint(1, "/2.0/workspaces"));
        let gone = EndpointState {
            asked_at: at(9),
            failing_since: Some(at(5)),
            because: Some("It was removed.".into()),
            is_gone: true,
            ..other.clone()
        };
        let longer = EndpointState { failing_since: Some(at(4)), ..endpoint(2, "/2.0/user") };
        for state in [&other, &good, &gone, &longer] {
            storage.endpoint_put(state).await.unwrap();
        }
        assert_eq!(storage.endpoint_list(id(1)).await.unwrap(), [good.clone(), gone.clone()]);
        assert_eq!(storage.endpoint_list_failing().await.unwrap(), [longer.clone(), gone]);
        storage.endpoint_put(&other).await.unwrap();
        assert_eq!(storage.endpoint_list_failing().await.unwrap(), [longer]);
        storage.integration_delete(id(2)).await.unwrap();
        assert_eq!(storage.endpoint_list_failing().await.unwrap(), []);
        assert_eq!(storage.endpoint_list(id(1)).await.unwrap(), [good, other.clone()]);
        storage.endpoint_keep(id(1), &["/2.0/workspaces", "/2.0/new"]).await.unwrap();
        assert_eq!(storage.endpoint_list(id(1)).await.unwrap(), [other]);
        let of_nothing = storage.endpoint_put(&endpoint(99, "/")).await;
        assert!(matches!(of_nothing, Err(StorageError::Detached)), "{of_nothing:?}");
    }
}
