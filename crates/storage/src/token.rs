//! Secrets with which clients act on Stave, as hashes.

use crate::{
    Storage, StorageError, query,
    tables::token::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use stave_domain::{
    Timestamp,
    id::TokenId,
    secret::SecretHash,
    token::{Token, TokenOwner},
};
use std::net::IpAddr;
use uuid::Uuid;

impl Storage {
    /// A new token.
    pub async fn token_insert(&self, token: &Token) -> Result<(), StorageError> {
        query::insert(Model::from(token), &self.conn).await
    }

    /// The token that a client showed, valid or not.
    pub async fn token_find_by_hash(&self, secret_hash: &SecretHash) -> Result<Option<Token>, StorageError> {
        query::one(Entity::find().filter(Column::SecretHash.eq(secret_hash.0.to_vec())), &self.conn).await
    }

    /// The token with this id.
    pub async fn token_find(&self, id: TokenId) -> Result<Option<Token>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// Somebody's tokens, oldest first.
    pub async fn token_list(&self, owner: TokenOwner) -> Result<Vec<Token>, StorageError> {
        let theirs = match owner {
            TokenOwner::User(id) => Column::UserId.eq(Uuid::from(id)),
            TokenOwner::Organization(id) => Column::OrganizationId.eq(Uuid::from(id)),
        };
        // By id, which is as old as the token: regenerating one does not move it.
        query::all(Entity::find().filter(theirs).order_by_asc(Column::Id), &self.conn).await
    }

    /// The token gets another secret; the old one works no longer.
    pub async fn token_regenerate(
        &self,
        id: TokenId,
        secret_hash: &SecretHash,
        created_at: Timestamp,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::SecretHash, query::value(secret_hash.0.to_vec()))
            .col_expr(Column::CreatedAt, query::value(created_at.as_millisecond()))
            .col_expr(Column::UsedAt, query::value(None::<i64>))
            .col_expr(Column::UsedFrom, query::value(None::<String>))
            .filter(Column::Id.eq(Uuid::from(id)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Changes what a token is for, what it reads, from where, and until when; `Detached` if it was revoked.
    pub async fn token_update(&self, token: &Token) -> Result<(), StorageError> {
        let row = Model::from(token);
        let changed = Entity::update_many()
            .col_expr(Column::Description, query::value(row.description))
            .col_expr(Column::Selection, query::value(row.selection))
            .col_expr(Column::Addresses, query::value(row.addresses))
            .col_expr(Column::ExpiresAt, query::value(row.expires_at))
            .filter(Column::Id.eq(row.id))
            .exec(&self.conn)
            .await?;
        query::one_changed(&changed)
    }

    /// The token was used, from this address if anybody knows.
    pub async fn token_used(
        &self,
        id: TokenId,
        now: Timestamp,
        from: Option<IpAddr>,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::UsedAt, query::value(now.as_millisecond()))
            .col_expr(Column::UsedFrom, query::value(from.map(|address| address.to_string())))
            .filter(Column::Id.eq(Uuid::from(id)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Revokes a token; `false` if there is none.
    pub async fn token_delete(&self, id: TokenId) -> Result<bool, StorageError> {
        Ok(Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?.rows_affected == 1)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{ada, at, id, organization, test_storage},
    };
    use stave_domain::{
        secret::SecretHash,
        token::{Addresses, Token, TokenAccess, TokenOwner},
    };
    use std::{slice, sync::Arc};

    fn token(number: u8, owner: TokenOwner, access: TokenAccess) -> Token {
        Token {
            id: id(number.into()),
            owner,
            access,
            description: "CI".into(),
            secret_hash: SecretHash([number; 32]),
            created_at: at(0),
            expires_at: Some(at(100)),
            selection: None,
            addresses: Addresses::default(),
            used_at: None,
            used_from: None,
        }
    }

    #[tokio::test]
    async fn a_token_is_found_by_its_hash_until_it_is_regenerated() {
        let storage = test_storage().await;
        let owner = TokenOwner::User(ada(&storage).await);
        let mut token = token(1, owner, TokenAccess::Update);
        storage.token_insert(&token).await.unwrap();
        let from = Some("192.0.2.7".parse().unwrap());
        storage.token_used(token.id, at(7), from).await.unwrap();
        (token.used_at, token.used_from) = (Some(at(7)), from);
        assert_eq!(storage.token_find_by_hash(&token.secret_hash).await.unwrap().as_ref(), Some(&token));
        let old = token.secret_hash;
        (token.secret_hash, token.created_at) = (SecretHash([9; 32]), at(8));
        (token.used_at, token.used_from) = (None, None);
        storage.token_regenerate(token.id, &token.secret_hash, at(8)).await.unwrap();
        assert_eq!(storage.token_find_by_hash(&old).await.unwrap(), None);
        assert_eq!(storage.token_find(token.id).await.unwrap().as_ref(), Some(&token));
        assert!(storage.token_delete(token.id).await.unwrap());
        assert!(!storage.token_delete(token.id).await.unwrap());
    }

    #[tokio::test]
    async fn a_change_leaves_the_secret_and_the_last_use_alone() {
        let storage = test_storage().await;
        let mut token = token(1, TokenOwner::User(ada(&storage).await), TokenAccess::Read);
        storage.token_insert(&token).await.unwrap();
        storage.token_used(token.id, at(7), None).await.unwrap();
        token.description = "Robot".into();
        token.selection = Some(Arc::new("acme/*\nacme/mailer".parse().unwrap()));
        token.addresses = "192.0.2.0/24\n2001:db8::1".parse().unwrap();
        token.expires_at = None;
        let typed = Token { secret_hash: SecretHash([9; 32]), used_at: None, ..token.clone() };
        storage.token_update(&typed).await.unwrap();
        token.used_at = Some(at(7));
        assert_eq!(storage.token_find(token.id).await.unwrap().as_ref(), Some(&token));
        storage.token_delete(token.id).await.unwrap();
        assert!(matches!(storage.token_update(&token).await, Err(StorageError::Detached)));
    }

    #[tokio::test]
    async fn tokens_go_with_their_owner() {
        let storage = test_storage().await;
        let user = ada(&storage).await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        let theirs = token(1, TokenOwner::User(user), TokenAccess::Read);
        let machine = token(2, TokenOwner::Organization(acme.id), TokenAccess::Read);
        for token in [&theirs, &machine] {
            storage.token_insert(token).await.unwrap();
        }
        assert_eq!(storage.token_list(theirs.owner).await.unwrap(), slice::from_ref(&theirs));
        storage.user_delete(user).await.unwrap();
        assert_eq!(storage.token_list(theirs.owner).await.unwrap(), []);
        assert_eq!(storage.token_list(machine.owner).await.unwrap(), slice::from_ref(&machine));
        storage.organization_delete(acme.id).await.unwrap();
        assert_eq!(storage.token_find(machine.id).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_token_of_nobody_is_corrupt() {
        let storage = test_storage().await;
        let token = token(1, TokenOwner::User(ada(&storage).await), TokenAccess::Read);
        storage.token_insert(&token).await.unwrap();
        storage.database.run("UPDATE token SET user_id = NULL").await;
        let found = storage.token_find(token.id).await;
        assert!(
            matches!(found, Err(StorageError::Corrupt { table: "token", column: "user_id", .. })),
            "{found:?}"
        );
    }
}
