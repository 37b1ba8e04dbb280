//! Browsers in which members of websites are signed in, and their passes at sites behind proxies.

use crate::{
    Storage, StorageError, query,
    tables::website::{
        login::{Column, Entity, Model},
        member, pass,
    },
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, sea_query::Expr};
use stave_domain::{
    Timestamp,
    id::{WebsiteId, WebsiteLoginId, WebsiteMemberId},
    secret::SecretHash,
    website::{Login, Member, Pass, ProviderKey},
};
use uuid::Uuid;

impl Storage {
    /// A browser is signed in to a website.
    pub async fn website_login_insert(&self, login: &Login) -> Result<(), StorageError> {
        query::insert(Model::from(login), &self.conn).await
    }

    /// A member signed in once more in a browser: everything but the id may be another.
    pub async fn website_login_update(&self, login: &Login) -> Result<(), StorageError> {
        query::update(Model::from(login), &self.conn).await
    }

    /// The login that a cookie belongs to, valid or not.
    pub async fn website_login_find(
        &self,
        website: WebsiteId,
        secret_hash: &SecretHash,
    ) -> Result<Option<Login>, StorageError> {
        let found = Entity::find()
            .filter(Column::SecretHash.eq(secret_hash.0.to_vec()))
            .filter(Column::WebsiteId.eq(Uuid::from(website)));
        query::one(found, &self.conn).await
    }

    /// The login of a website with this id, valid or not.
    pub async fn website_login_find_by_id(
        &self,
        website: WebsiteId,
        id: WebsiteLoginId,
    ) -> Result<Option<Login>, StorageError> {
        let found = Entity::find_by_id(Uuid::from(id)).filter(Column::WebsiteId.eq(Uuid::from(website)));
        query::one(found, &self.conn).await
    }

    /// A member's logins, newest first.
    pub async fn website_login_list(&self, member: WebsiteMemberId) -> Result<Vec<Login>, StorageError> {
        let theirs = Entity::find().filter(Column::MemberId.eq(Uuid::from(member)));
        let newest_first = theirs.order_by_desc(Column::AuthenticatedAt).order_by_desc(Column::Id);
        query::all(newest_first, &self.conn).await
    }

    /// The browser showed a sign of life. It does not count in [`Self::website_change_count`].
    pub async fn website_login_seen(&self, id: WebsiteLoginId, now: Timestamp) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::SeenAt, query::value(now.as_millisecond()))
            .filter(Column::Id.eq(Uuid::from(id)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Ends a login of a website with its passes and grants; `false` if the website has no such login.
    pub async fn website_login_delete(
        &self,
        website: WebsiteId,
        id: WebsiteLoginId,
    ) -> Result<bool, StorageError> {
        let this = of(website).add(Column::Id.eq(Uuid::from(id)));
        Ok(self.website_logins_delete(this).await? == 1)
    }

    /// Ends the logins of a member; says how many.
    pub async fn website_login_delete_of_member(
        &self,
        website: WebsiteId,
        member: WebsiteMemberId,
    ) -> Result<u64, StorageError> {
        self.website_logins_delete(of(website).add(Column::MemberId.eq(Uuid::from(member)))).await
    }

    /// Ends the logins of a website that came through a button; says how many.
    pub async fn website_login_delete_of_provider(
        &self,
        website: WebsiteId,
        provider: &ProviderKey,
    ) -> Result<u64, StorageError> {
        self.website_logins_delete(of(website).add(Column::Provider.eq(provider.as_str()))).await
    }

    /// Forgets the logins of all websites that are over: without a sign of life, or in any case; says how many.
    pub async fn website_login_delete_ended(&self, now: Timestamp) -> Result<u64, StorageError> {
        let now = now.as_millisecond();
        let idle_until = Expr::col(Column::SeenAt).add(Expr::col(Column::IdleSeconds).mul(1_000_i64));
        let ended = Condition::any().add(Column::EndsAt.lte(now)).add(idle_until.lte(now));
        self.website_logins_delete(ended).await
    }

    async fn website_logins_delete(&self, which: Condition) -> Result<u64, StorageError> {
        Ok(Entity::delete_many().filter(which).exec(&self.conn).await?.rows_affected)
    }

    /// A browser that is signed in gets a pass at a site.
    pub async fn website_pass_insert(&self, pass: &Pass) -> Result<(), StorageError> {
        query::insert(pass::Model::from(pass), &self.conn).await
    }

    /// The pass that a cookie belongs to, the login on which it hangs, valid or not, and whose it is.
    pub async fn website_pass_find(
        &self,
        website: WebsiteId,
        secret_hash: &SecretHash,
    ) -> Result<Option<(Pass, Login, Member)>, StorageError> {
        let found = pass::Entity::find_by_id(secret_hash.0.to_vec())
            .filter(pass::Column::WebsiteId.eq(Uuid::from(website)))
            .find_also_related(Entity)
            .and_also_related(member::Entity)
            .one(&self.conn)
            .await?;
        let Some((pass, Some(login), Some(member))) = found else { return Ok(None) };
        Ok(Some((pass.try_into()?, login.try_into()?, member.try_into()?)))
    }

    /// A browser gives its pass at a site back.
    pub async fn website_pass_delete(&self, secret_hash: &SecretHash) -> Result<(), StorageError> {
        pass::Entity::delete_by_id(secret_hash.0.to_vec()).exec(&self.conn).await?;
        Ok(())
    }
}

fn of(website: WebsiteId) -> Condition {
    Condition::all().add(Column::WebsiteId.eq(Uuid::from(website)))
}

#[cfg(test)]
mod tests {
    use crate::{
        Storage, StorageError,
        testing::{
            at, id, test_storage,
            website::{access, client, grant, hash, login, member, pass, shop},
        },
    };
    use stave_domain::{
        id::WebsiteMemberId,
        website::{Login, Member},
    };

    /// The shop with a member.
    async fn grace(storage: &Storage) -> Member {
        shop(storage).await;
        let grace = member(10);
        storage.website_member_insert(&grace).await.unwrap();
        grace
    }

    async fn numbers(storage: &Storage, member: WebsiteMemberId) -> Vec<String> {
        let logins = storage.website_login_list(member).await.unwrap();
        logins.iter().map(|login| login.id.to_string()[34..].to_owned()).collect()
    }

    #[tokio::test]
    async fn a_login_is_found_by_its_cookie() {
        let storage = test_storage().await;
        let grace = grace(&storage).await;
        let first = login(10, &grace);
        storage.website_login_insert(&first).await.unwrap();
        let twin = storage.website_login_insert(&Login { id: id(11), ..first.clone() }).await;
        assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
        let seen = Login { seen_at: at(50), ..first };
        storage.website_login_seen(seen.id, at(50)).await.unwrap();
        let second = login(11, &grace);
        storage.website_login_insert(&second).await.unwrap();
        let website = grace.website_id;
        assert_eq!(storage.website_login_find(website, &hash(10)).await.unwrap().as_ref(), Some(&seen));
        assert_eq!(storage.website_login_find(website, &hash(99)).await.unwrap(), None);
        assert_eq!(storage.website_login_find_by_id(website, seen.id).await.unwrap().as_ref(), Some(&seen));
        assert_eq!(storage.website_login_list(grace.id).await.unwrap(), [second, seen]);
    }

    /// A login is over at its limits themselves, as the rule of the domain has it.
    #[tokio::test]
    async fn logins_that_are_over_are_forgotten() {
        let storage = test_storage().await;
        let grace = grace(&storage).await;
        let logins = [
            Login { seen_at: at(40), idle_seconds: 60, ends_at: at(101), ..login(11, &grace) },
            Login { seen_at: at(41), idle_seconds: 60, ends_at: at(100), ..login(12, &grace) },
            Login { seen_at: at(41), idle_seconds: 60, ends_at: at(101), ..login(13, &grace) },
        ];
        for login in &logins {
            storage.website_login_insert(login).await.unwrap();
        }
        assert_eq!(storage.website_login_delete_ended(at(99)).await.unwrap(), 0);
        assert_eq!(storage.website_login_delete_ended(at(100)).await.unwrap(), 2);
        assert_eq!(logins.each_ref().map(|login| login.is_valid_at(at(100))), [false, false, true]);
        assert_eq!(storage.website_login_list(grace.id).await.unwrap(), logins[2..]);
    }

    #[tokio::test]
    async fn logins_end_one_by_one_by_member_and_by_button() {
        let storage = test_storage().await;
        let grace = grace(&storage).await;
        let ada = member(11);
        storage.website_member_insert(&ada).await.unwrap();
        let other = "integration-acme".parse().unwrap();
        for (number, member) in [(10, &grace), (11, &grace), (12, &grace), (13, &ada), (14, &ada)] {
            storage.website_login_insert(&login(number, member)).await.unwrap();
        }
        let through_other = Login { provider: other, ..login(15, &ada) };
        storage.website_login_insert(&through_other).await.unwrap();
        let website = grace.website_id;
        assert!(storage.website_login_delete(website, id(11)).await.unwrap());
        assert!(!storage.website_login_delete(website, id(11)).await.unwrap());
        assert_eq!(numbers(&storage, grace.id).await, ["0c", "0a"]);
        assert_eq!(storage.website_login_delete_of_member(website, grace.id).await.unwrap(), 2);
        assert_eq!(numbers(&storage, grace.id).await, [""; 0]);
        let button = &through_other.provider;
        assert_eq!(storage.website_login_delete_of_provider(website, button).await.unwrap(), 1);
        assert_eq!(numbers(&storage, ada.id).await, ["0e", "0d"]);
    }

    /// Rule S-18 of the specification: nothing that hangs on a login outlives it.
    #[tokio::test]
    async fn passes_and_grants_end_with_the_login() {
        let storage = test_storage().await;
        let grace = grace(&storage).await;
        let (first, second) = (login(10, &grace), login(11, &grace));
        let till = client(10);
        storage.website_client_insert(&till).await.unwrap();
        for (number, login) in [(10, &first), (11, &second)] {
            let grant = grant(number, login, &till);
            storage.website_login_insert(login).await.unwrap();
            storage.website_pass_insert(&pass(number, login)).await.unwrap();
            storage.website_grant_insert(&grant).await.unwrap();
            storage.website_access_insert(&access(number, &grant)).await.unwrap();
        }
        let website = grace.website_id;
        let pass_of = async |number| storage.website_pass_find(website, &hash(number)).await.unwrap();
        let access_of = async |number| storage.website_access_find(website, &hash(number)).await.unwrap();
        assert_eq!(pass_of(10).await, Some((pass(10, &first), first.clone(), grace.clone())));
        storage.website_login_delete(website, first.id).await.unwrap();
        assert_eq!((pass_of(10).await, access_of(10).await), (None, None));
        assert_eq!(pass_of(11).await, Some((pass(11, &second), second.clone(), grace.clone())));
        assert!(access_of(11).await.is_some());
        let late = storage.website_pass_insert(&pass(12, &first)).await;
        assert!(matches!(late, Err(StorageError::Detached)), "{late:?}");
        storage.website_pass_delete(&hash(11)).await.unwrap();
        assert_eq!(pass_of(11).await, None);
        assert_eq!(numbers(&storage, grace.id).await, ["0b"]);
    }
}
