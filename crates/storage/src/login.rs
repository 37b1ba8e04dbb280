//! Browsers that are signed in, and the trips that lead there.

use crate::{
    Storage, StorageError, query,
    tables::{attempt, login, registration},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use stave_domain::{
    Timestamp,
    id::{IntegrationId, LoginId, UserId},
    login::{Attempt, Login, Registration},
    secret::SecretHash,
};
use uuid::Uuid;

impl Storage {
    /// A trip begins.
    pub async fn attempt_insert(&self, attempt: &Attempt) -> Result<(), StorageError> {
        query::insert(attempt::Model::from(attempt), &self.conn).await
    }

    /// Finds a trip and forgets it in the same instant: of two browsers that come back with one state, one gets it.
    pub async fn attempt_take(&self, state_hash: &SecretHash) -> Result<Option<Attempt>, StorageError> {
        let taken = attempt::Entity::delete_many()
            .filter(attempt::Column::StateHash.eq(state_hash.0.to_vec()))
            .exec_with_returning(&self.conn)
            .await?;
        taken.into_iter().next().map(Attempt::try_from).transpose()
    }

    /// Forgets the trips that began before an instant; says how many.
    pub async fn attempt_delete_before(&self, created_at: Timestamp) -> Result<u64, StorageError> {
        let old = attempt::Column::CreatedAt.lt(created_at.as_millisecond());
        Ok(attempt::Entity::delete_many().filter(old).exec(&self.conn).await?.rows_affected)
    }

    /// A registration form is open; it takes the place of an earlier one in the same browser.
    pub async fn registration_insert(&self, registration: &Registration) -> Result<(), StorageError> {
        query::upsert(registration::Model::from(registration), &self.conn).await
    }

    /// What the registration form in this browser is about.
    pub async fn registration_find(
        &self,
        browser_hash: &SecretHash,
    ) -> Result<Option<Registration>, StorageError> {
        query::one(registration::Entity::find_by_id(browser_hash.0.to_vec()), &self.conn).await
    }

    /// The form was sent, or given up.
    pub async fn registration_delete(&self, browser_hash: &SecretHash) -> Result<(), StorageError> {
        registration::Entity::delete_by_id(browser_hash.0.to_vec()).exec(&self.conn).await?;
        Ok(())
    }

    /// Forgets the forms that were opened before an instant; says how many.
    pub async fn registration_delete_before(&self, created_at: Timestamp) -> Result<u64, StorageError> {
        let old = registration::Column::CreatedAt.lt(created_at.as_millisecond());
        Ok(registration::Entity::delete_many().filter(old).exec(&self.conn).await?.rows_affected)
    }

    /// A browser is signed in.
    pub async fn login_insert(&self, login: &Login) -> Result<(), StorageError> {
        query::insert(login::Model::from(login), &self.conn).await
    }

    /// The login that a cookie belongs to, valid or not.
    pub async fn login_find(&self, secret_hash: &SecretHash) -> Result<Option<Login>, StorageError> {
        let found = login::Entity::find().filter(login::Column::SecretHash.eq(secret_hash.0.to_vec()));
        query::one(found, &self.conn).await
    }

    /// A user's logins, newest first.
    pub async fn login_list(&self, user: UserId) -> Result<Vec<Login>, StorageError> {
        let found = login::Entity::find().filter(login::Column::UserId.eq(Uuid::from(user)));
        let newest_first = found.order_by_desc(login::Column::CreatedAt).order_by_desc(login::Column::Id);
        query::all(newest_first, &self.conn).await
    }

    /// The browser showed a sign of life.
    pub async fn login_seen(&self, id: LoginId, now: Timestamp) -> Result<(), StorageError> {
        login::Entity::update_many()
            .col_expr(login::Column::SeenAt, query::value(now.as_millisecond()))
            .filter(login::Column::Id.eq(Uuid::from(id)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// The server behind an integration is another one now: forgets the trips to the one before, and the registrations that
    /// began there.
    pub async fn attempt_delete_of_integration(
        &self,
        integration: IntegrationId,
    ) -> Result<(), StorageError> {
        let id = Uuid::from(integration);
        attempt::Entity::delete_many().filter(attempt::Column::IntegrationId.eq(id)).exec(&self.conn).await?;
        registration::Entity::delete_many()
            .filter(registration::Column::IntegrationId.eq(id))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// What an integration said about people counts no more: ends the logins that came through it.
    pub async fn login_delete_of_integration(&self, integration: IntegrationId) -> Result<(), StorageError> {
        let id = Uuid::from(integration);
        login::Entity::delete_many().filter(login::Column::IntegrationId.eq(id)).exec(&self.conn).await?;
        login::Entity::update_many()
            .col_expr(login::Column::ProvenId, query::value(None::<Uuid>))
            .filter(login::Column::ProvenId.eq(id))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Ends one login of a user; `false` if they have no such login.
    pub async fn login_delete(&self, user: UserId, id: LoginId) -> Result<bool, StorageError> {
        let deleted = login::Entity::delete_many()
            .filter(login::Column::Id.eq(Uuid::from(id)))
            .filter(login::Column::UserId.eq(Uuid::from(user)))
            .exec(&self.conn)
            .await?;
        Ok(deleted.rows_affected == 1)
    }

    /// Forgets the logins last seen before `seen_at` or made before `created_at`; says how many.
    pub async fn login_delete_before(
        &self,
        seen_at: Timestamp,
        created_at: Timestamp,
    ) -> Result<u64, StorageError> {
        let old = Condition::any()
            .add(login::Column::SeenAt.lt(seen_at.as_millisecond()))
            .add(login::Column::CreatedAt.lt(created_at.as_millisecond()));
        Ok(login::Entity::delete_many().filter(old).exec(&self.conn).await?.rows_affected)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Storage,
        testing::{ada, at, connected, id, integration, login, test_storage, user},
    };
    use stave_domain::{
        id::UserId,
        login::{Attempt, Login, Purpose, Registration},
        secret::{Sealed, SecretHash},
    };

    async fn sign_in(storage: &Storage, number: u8, user: UserId, seconds: i64) -> Login {
        let login = Login { created_at: at(seconds), seen_at: at(seconds), ..login(number, user) };
        storage.login_insert(&login).await.unwrap();
        login
    }

    fn attempt(number: u8, purpose: Purpose) -> Attempt {
        Attempt {
            state_hash: SecretHash([number; 32]),
            browser_hash: SecretHash([9; 32]),
            integration_id: id(1),
            client_id: "key".into(),
            kept: Sealed(vec![0, number]),
            purpose,
            return_to: "/orgs/acme".into(),
            created_at: at(number.into()),
        }
    }

    #[tokio::test]
    async fn a_state_works_once() {
        let storage = test_storage().await;
        storage.integration_insert(&integration(1, "bitbucket")).await.unwrap();
        let attempts =
            [attempt(1, Purpose::LogIn), attempt(2, Purpose::Connect { user: id(5), replaces: true })];
        for attempt in &attempts {
            storage.attempt_insert(attempt).await.unwrap();
        }
        let state = attempts[1].state_hash;
        let (one, other) = tokio::join!(storage.attempt_take(&state), storage.attempt_take(&state));
        let taken: Vec<_> = [one.unwrap(), other.unwrap()].into_iter().flatten().collect();
        assert_eq!(taken, [attempts[1].clone()]);
        assert_eq!(storage.attempt_delete_before(at(1)).await.unwrap(), 0);
        assert_eq!(storage.attempt_delete_before(at(2)).await.unwrap(), 1);
        assert_eq!(storage.attempt_take(&attempts[0].state_hash).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_browser_has_one_registration_form() {
        let storage = test_storage().await;
        storage.integration_insert(&integration(1, "bitbucket")).await.unwrap();
        let first = Registration {
            browser_hash: SecretHash([1; 32]),
            integration_id: id(1),
            sealed: Sealed(vec![1]),
            return_to: "/".into(),
            created_at: at(1),
        };
        let second = Registration {
            sealed: Sealed(vec![2]),
            return_to: "/profile".into(),
            created_at: at(2),
            ..first.clone()
        };
        storage.registration_insert(&first).await.unwrap();
        storage.registration_insert(&second).await.unwrap();
        assert_eq!(storage.registration_find(&first.browser_hash).await.unwrap(), Some(second));
        assert_eq!(storage.registration_delete_before(at(2)).await.unwrap(), 0);
        storage.registration_delete(&first.browser_hash).await.unwrap();
        assert_eq!(storage.registration_find(&first.browser_hash).await.unwrap(), None);
    }

    #[tokio::test]
    async fn logins_are_listed_and_ended_by_their_user_only() {
        let storage = test_storage().await;
        let ada = ada(&storage).await;
        storage.user_insert(&user(2, "bob"), None).await.unwrap();
        let old = sign_in(&storage, 1, ada, 10).await;
        let new = sign_in(&storage, 2, ada, 20).await;
        let other = sign_in(&storage, 3, id(2), 30).await;
        assert_eq!(storage.login_find(&old.secret_hash).await.unwrap(), Some(old.clone()));
        assert_eq!(storage.login_find(&SecretHash([8; 32])).await.unwrap(), None);
        assert_eq!(storage.login_list(ada).await.unwrap(), [new.clone(), old.clone()]);
        assert!(!storage.login_delete(ada, other.id).await.unwrap());
        assert!(storage.login_delete(ada, old.id).await.unwrap());
        assert_eq!(storage.login_list(ada).await.unwrap(), [new]);
        assert_eq!(storage.login_list(other.user_id).await.unwrap(), [other]);
    }

    #[tokio::test]
    async fn a_login_knows_where_it_was_proven_last() {
        let storage = test_storage().await;
        let bitbucket = connected(&storage, ada(&storage).await).await.integration_id;
        storage.integration_insert(&integration(2, "server")).await.unwrap();
        let first = Login { integration_id: Some(bitbucket), proven_id: Some(bitbucket), ..login(1, id(1)) };
        let second = login(2, id(1));
        storage.login_insert(&first).await.unwrap();
        storage.login_insert(&second).await.unwrap();
        assert_eq!(storage.login_find(&first.secret_hash).await.unwrap().as_ref(), Some(&first));
        let third = Login { proven_id: Some(bitbucket), ..login(3, id(1)) };
        storage.login_insert(&third).await.unwrap();
        storage.login_delete_of_integration(bitbucket).await.unwrap();
        assert_eq!(storage.login_find(&first.secret_hash).await.unwrap(), None);
        assert_eq!(storage.login_find(&second.secret_hash).await.unwrap(), Some(second));
        let unproven = Login { proven_id: None, ..third };
        assert_eq!(storage.login_find(&unproven.secret_hash).await.unwrap(), Some(unproven));
    }

    #[tokio::test]
    async fn old_logins_are_forgotten() {
        let storage = test_storage().await;
        let ada = ada(&storage).await;
        let [first, second, third] = [
            sign_in(&storage, 1, ada, 10).await,
            sign_in(&storage, 2, ada, 20).await,
            sign_in(&storage, 3, ada, 30).await,
        ];
        storage.login_seen(first.id, at(40)).await.unwrap();
        assert_eq!(storage.login_find(&first.secret_hash).await.unwrap().unwrap().seen_at, at(40));
        assert_eq!(storage.login_delete_before(at(30), at(10)).await.unwrap(), 1, "the second was not seen");
        assert_eq!(storage.login_find(&second.secret_hash).await.unwrap(), None);
        assert_eq!(storage.login_delete_before(at(0), at(30)).await.unwrap(), 1, "the first is too old");
        assert_eq!(storage.login_list(ada).await.unwrap(), [third]);
    }
}
