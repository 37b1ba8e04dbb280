//! People here, and their passwords.

use crate::{
    Storage, StorageError, query,
    tables::user::{ActiveModel, Column, Entity},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use stave_domain::{
    id::UserId,
    user::{EmailAddress, User, Username},
};
use uuid::Uuid;

impl Storage {
    /// A new user. `Conflict` if the username or the address is taken.
    pub async fn user_insert(&self, user: &User, password_hash: Option<&str>) -> Result<(), StorageError> {
        let row = ActiveModel { password_hash: Set(password_hash.map(ToOwned::to_owned)), ..user.into() };
        Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// The user with this id.
    pub async fn user_find(&self, id: UserId) -> Result<Option<User>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// The user with this name.
    pub async fn user_find_by_username(&self, username: &Username) -> Result<Option<User>, StorageError> {
        query::one(Entity::find().filter(Column::Username.eq(username.as_str())), &self.conn).await
    }

    /// The user with this address, verified or not.
    pub async fn user_find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, StorageError> {
        query::one(Entity::find().filter(Column::Email.eq(email.as_str())), &self.conn).await
    }

    /// A page of users by username; an empty search finds all, any other looks into username, name and address.
    pub async fn user_list(&self, search: &str, offset: u64, limit: u64) -> Result<Vec<User>, StorageError> {
        let found = Entity::find().filter(query::contains(Column::Search, search));
        query::all(found.order_by_asc(Column::Username).offset(offset).limit(limit), &self.conn).await
    }

    /// Stores everything of the record; the password stays. `Conflict` if the username or the address is taken.
    pub async fn user_update(&self, user: &User) -> Result<(), StorageError> {
        Entity::update(ActiveModel::from(user)).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// Deletes a user with their connected accounts, log-ins, tokens and memberships.
    pub async fn user_delete(&self, id: UserId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }

    /// The hash of a user's password; `None` if they have none, or are not there.
    pub async fn user_password_hash(&self, id: UserId) -> Result<Option<String>, StorageError> {
        let row = Entity::find_by_id(Uuid::from(id)).one(&self.conn).await?;
        Ok(row.and_then(|row| row.password_hash))
    }

    /// The admins by username.
    pub async fn admin_list(&self) -> Result<Vec<User>, StorageError> {
        let admins = Entity::find().filter(Column::IsAdmin.eq(true));
        query::all(admins.order_by_asc(Column::Username), &self.conn).await
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{ada, test_storage, user},
    };
    use stave_domain::user::User;

    #[tokio::test]
    async fn a_user_is_found_by_id_name_and_address() {
        let storage = test_storage().await;
        let ada = User {
            name: "Ada Lovelace".into(),
            email: Some("ada@example.com".parse().unwrap()),
            email_verified: true,
            is_admin: true,
            ..user(1, "ada")
        };
        storage.user_insert(&ada, Some("hash")).await.unwrap();
        storage.user_insert(&user(2, "bob"), None).await.unwrap();
        assert_eq!(storage.user_find(ada.id).await.unwrap().as_ref(), Some(&ada));
        assert_eq!(storage.user_find_by_username(&ada.username).await.unwrap().as_ref(), Some(&ada));
        let address = "ADA@example.com".parse().unwrap();
        assert_eq!(storage.user_find_by_email(&address).await.unwrap().as_ref(), Some(&ada));
        assert_eq!(storage.user_find(user(3, "eve").id).await.unwrap(), None);
        assert_eq!(storage.admin_list().await.unwrap(), [ada]);
    }

    #[tokio::test]
    async fn names_and_addresses_are_unique() {
        let storage = test_storage().await;
        ada(&storage).await;
        let twin = storage.user_insert(&user(2, "ada"), None).await;
        assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
        storage.user_insert(&user(2, "bob"), None).await.unwrap();
        let renamed = storage.user_update(&user(2, "ada")).await;
        assert!(matches!(renamed, Err(StorageError::Conflict)), "{renamed:?}");
        let gone = storage.user_update(&user(3, "eve")).await;
        assert!(matches!(gone, Err(StorageError::Detached)), "{gone:?}");
    }

    #[tokio::test]
    async fn the_password_is_not_touched_by_an_update() {
        let storage = test_storage().await;
        let bob = user(2, "bob");
        storage.user_insert(&bob, Some("hash")).await.unwrap();
        storage.user_update(&User { name: "Bob".into(), ..bob.clone() }).await.unwrap();
        assert_eq!(storage.user_password_hash(bob.id).await.unwrap().as_deref(), Some("hash"));
        assert_eq!(storage.user_find(bob.id).await.unwrap().unwrap().name, "Bob");
    }

    #[tokio::test]
    async fn search_ignores_case_and_takes_signs_literally() {
        let storage = test_storage().await;
        let people = [("zoe", "Zoë É%"), ("ada-2", "Ada_L"), ("ada.1", ""), ("ada0", "")];
        for (number, (username, name)) in (1..).zip(people) {
            let user = User { name: name.into(), ..user(number, username) };
            storage.user_insert(&user, None).await.unwrap();
        }
        let found = async |search: &str, offset, limit| {
            let users = storage.user_list(search, offset, limit).await.unwrap();
            users.iter().map(|user| user.username.to_string()).collect::<Vec<_>>().join(" ")
        };
        // By bytes, on both engines.
        assert_eq!(found("", 0, 9).await, "ada-2 ada.1 ada0 zoe");
        assert_eq!(found("", 1, 2).await, "ada.1 ada0");
        assert_eq!(found(" ADA", 0, 9).await, "ada-2 ada.1 ada0");
        assert_eq!(found("ZOË é", 0, 9).await, "zoe");
        assert_eq!(found("%", 0, 9).await, "zoe");
        assert_eq!(found("a_l", 0, 9).await, "ada-2");
        assert_eq!(found("\\", 0, 9).await, "");
    }
}
