//! Visitors on the way: to a server, and from a page behind a proxy to the login form.

use crate::{
    Storage, StorageError, query,
    tables::website::{
        trip::{Column, Entity, Model},
        visit,
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use stave_domain::{
    Timestamp,
    id::WebsiteId,
    secret::SecretHash,
    website::{Trip, Visit},
};
use uuid::Uuid;

impl Storage {
    /// A trip begins.
    pub async fn website_trip_insert(&self, trip: &Trip) -> Result<(), StorageError> {
        query::insert(Model::from(trip), &self.conn).await
    }

    /// Finds a trip and forgets it in the same instant: of two browsers that come back with one state, one gets it. The state
    /// says of which website the trip is; whoever takes it compares.
    pub async fn website_trip_take(&self, state_hash: &SecretHash) -> Result<Option<Trip>, StorageError> {
        let taken = Entity::delete_many()
            .filter(Column::StateHash.eq(state_hash.0.to_vec()))
            .exec_with_returning(&self.conn)
            .await?;
        taken.into_iter().next().map(Trip::try_from).transpose()
    }

    /// Finds a trip and leaves it as it is: whose it is, when a browser comes back to a callback that is not the website's own.
    pub async fn website_trip_find(&self, state_hash: &SecretHash) -> Result<Option<Trip>, StorageError> {
        query::one(Entity::find_by_id(state_hash.0.to_vec()), &self.conn).await
    }

    /// Forgets the trips that began before an instant; says how many.
    pub async fn website_trip_delete_before(&self, created_at: Timestamp) -> Result<u64, StorageError> {
        let old = Column::CreatedAt.lt(created_at.as_millisecond());
        Ok(Entity::delete_many().filter(old).exec(&self.conn).await?.rows_affected)
    }

    /// A visitor of a page behind a proxy leaves for the login form.
    pub async fn website_visit_insert(&self, visit: &Visit) -> Result<(), StorageError> {
        query::insert(visit::Model::from(visit), &self.conn).await
    }

    /// Finds a visit of a website and forgets it in the same instant.
    pub async fn website_visit_take(
        &self,
        website: WebsiteId,
        state_hash: &SecretHash,
    ) -> Result<Option<Visit>, StorageError> {
        let taken = visit::Entity::delete_many()
            .filter(visit::Column::StateHash.eq(state_hash.0.to_vec()))
            .filter(visit::Column::WebsiteId.eq(Uuid::from(website)))
            .exec_with_returning(&self.conn)
            .await?;
        taken.into_iter().next().map(Visit::try_from).transpose()
    }

    /// Forgets the visits that began before an instant; says how many.
    pub async fn website_visit_delete_before(&self, created_at: Timestamp) -> Result<u64, StorageError> {
        let old = visit::Column::CreatedAt.lt(created_at.as_millisecond());
        Ok(visit::Entity::delete_many().filter(old).exec(&self.conn).await?.rows_affected)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{
        at, id, test_storage,
        website::{hash, shop, trip, visit, website},
    };
    use stave_domain::website::{Trip, TripPurpose};

    #[tokio::test]
    async fn a_state_works_once() {
        let storage = test_storage().await;
        shop(&storage).await;
        let purposes = [
            TripPurpose::SignIn { request: None },
            TripPurpose::Connect { login: id(7) },
            TripPurpose::Test { user: id(5) },
        ];
        for (number, purpose) in (10..).zip(purposes) {
            let revision = (number > 10).then_some(2);
            let trip = Trip { purpose, revision, ..trip(number) };
            storage.website_trip_insert(&trip).await.unwrap();
            let state = hash(number);
            assert_eq!(storage.website_trip_find(&state).await.unwrap().as_ref(), Some(&trip));
            assert_eq!(storage.website_trip_take(&hash(99)).await.unwrap(), None);
            assert_eq!(storage.website_trip_take(&state).await.unwrap(), Some(trip));
            assert_eq!(storage.website_trip_find(&state).await.unwrap(), None);
            assert_eq!(storage.website_trip_take(&state).await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn trips_that_are_over_are_forgotten() {
        let storage = test_storage().await;
        shop(&storage).await;
        storage.website_insert(&website(2, "zoo")).await.unwrap();
        for number in [10, 11, 12, 20] {
            storage.website_trip_insert(&trip(number)).await.unwrap();
        }
        assert_eq!(storage.website_trip_delete_before(at(12)).await.unwrap(), 2);
        for (number, is_there) in [(10, false), (11, false), (12, true), (20, true)] {
            let found = storage.website_trip_find(&hash(number)).await.unwrap();
            assert_eq!(found.is_some(), is_there, "{number}");
        }
    }

    #[tokio::test]
    async fn a_visit_works_once_and_ends() {
        let storage = test_storage().await;
        let shop = shop(&storage).await;
        for number in [10, 11, 12] {
            storage.website_visit_insert(&visit(number)).await.unwrap();
        }
        let take = async |number| storage.website_visit_take(shop.id, &hash(number)).await.unwrap();
        assert_eq!(take(11).await, Some(visit(11)));
        assert_eq!(take(11).await, None);
        assert_eq!(storage.website_visit_delete_before(at(12)).await.unwrap(), 1);
        assert_eq!(take(10).await, None);
        assert_eq!(take(12).await, Some(visit(12)));
    }
}
