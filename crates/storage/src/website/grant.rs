//! What members of websites let clients do: codes, tokens, consents.

use crate::{
    Storage, StorageError, query,
    tables::website::{
        access, client, consent,
        grant::{Column, Entity, Model},
        member,
    },
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, sea_query::Expr};
use stave_domain::{
    Timestamp,
    id::{WebsiteClientId, WebsiteGrantId, WebsiteId, WebsiteMemberId},
    secret::SecretHash,
    website::{AccessToken, Consent, Grant, Member},
};
use uuid::Uuid;

/// What came of redeeming a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// It is redeemed with this: nobody else can.
    Now(Grant),
    /// It was redeemed before. Whoever comes second makes the grant end.
    Before(Grant),
    /// There is no such code of this client.
    Unknown,
}

impl Storage {
    /// A member lets a client do something: a code is on its way.
    pub async fn website_grant_insert(&self, grant: &Grant) -> Result<(), StorageError> {
        query::insert(Model::from(grant), &self.conn).await
    }

    /// Redeems a code, valid or not: of several that come with one code, one gets [`Redeemed::Now`].
    pub async fn website_grant_redeem(
        &self,
        website: WebsiteId,
        client: WebsiteClientId,
        code_hash: &SecretHash,
        now: Timestamp,
    ) -> Result<Redeemed, StorageError> {
        let this = of(website, client).add(Column::CodeHash.eq(code_hash.0.to_vec()));
        let redeemed = Entity::update_many()
            .col_expr(Column::RedeemedAt, query::value(now.as_millisecond()))
            .filter(this.clone())
            .filter(Column::RedeemedAt.is_null())
            .exec_with_returning(&self.conn)
            .await?;
        if let Some(grant) = redeemed.into_iter().next() {
            return Ok(Redeemed::Now(grant.try_into()?));
        }
        let before = query::one(Entity::find().filter(this), &self.conn).await?;
        Ok(before.map_or(Redeemed::Unknown, Redeemed::Before))
    }

    /// The grant of a client with this refresh token, and whether it is the one that works; otherwise it is the one before.
    pub async fn website_grant_find_by_refresh(
        &self,
        website: WebsiteId,
        client: WebsiteClientId,
        refresh_hash: &SecretHash,
    ) -> Result<Option<(Grant, bool)>, StorageError> {
        let hash = refresh_hash.0.to_vec();
        let either = Column::RefreshHash.eq(hash.clone()).or(Column::RefreshBeforeHash.eq(hash));
        let found = Entity::find().filter(of(website, client).add(either));
        let grant: Option<Grant> = query::one(found, &self.conn).await?;
        Ok(grant.map(|grant| {
            let is_current = grant.refresh_hash == Some(*refresh_hash);
            (grant, is_current)
        }))
    }

    /// The refresh token `to` takes the place of `from`; `false` if `from` is not the one that works, and nothing has changed.
    pub async fn website_grant_refresh(
        &self,
        id: WebsiteGrantId,
        from: Option<&SecretHash>,
        to: &SecretHash,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        let from = from.map(|hash| hash.0.to_vec());
        let is_current = match &from {
            Some(hash) => Column::RefreshHash.eq(hash.clone()),
            None => Column::RefreshHash.is_null(),
        };
        let changed = Entity::update_many()
            .col_expr(Column::RefreshBeforeHash, query::value(from))
            .col_expr(Column::RefreshHash, query::value(to.0.to_vec()))
            .col_expr(Column::RefreshCount, Expr::col(Column::RefreshCount).add(1_i64))
            .col_expr(Column::RefreshedAt, query::value(now.as_millisecond()))
            .filter(Column::Id.eq(Uuid::from(id)))
            .filter(is_current)
            .exec(&self.conn)
            .await?;
        Ok(changed.rows_affected == 1)
    }

    /// Ends a grant of a website with its tokens; `false` if the website has no such grant.
    pub async fn website_grant_delete(
        &self,
        website: WebsiteId,
        id: WebsiteGrantId,
    ) -> Result<bool, StorageError> {
        let this = Entity::delete_many()
            .filter(Column::Id.eq(Uuid::from(id)))
            .filter(Column::WebsiteId.eq(Uuid::from(website)));
        Ok(this.exec(&self.conn).await?.rows_affected == 1)
    }

    /// Ends everything that a member let a client do; says how many grants there were.
    pub async fn website_grant_delete_of_member(
        &self,
        website: WebsiteId,
        member: WebsiteMemberId,
        client: WebsiteClientId,
    ) -> Result<u64, StorageError> {
        let theirs = of(website, client).add(Column::MemberId.eq(Uuid::from(member)));
        Ok(Entity::delete_many().filter(theirs).exec(&self.conn).await?.rows_affected)
    }

    /// Forgets the grants of all websites that were made before `unredeemed_before` and never redeemed, and all that were made
    /// before `created_before`; says how many.
    pub async fn website_grant_delete_ended(
        &self,
        unredeemed_before: Timestamp,
        created_before: Timestamp,
    ) -> Result<u64, StorageError> {
        let never =
            Column::RedeemedAt.is_null().and(Column::CreatedAt.lt(unredeemed_before.as_millisecond()));
        let old = Condition::any().add(never).add(Column::CreatedAt.lt(created_before.as_millisecond()));
        Ok(Entity::delete_many().filter(old).exec(&self.conn).await?.rows_affected)
    }

    /// A client gets an access token. `Detached` if its grant is over.
    pub async fn website_access_insert(&self, token: &AccessToken) -> Result<(), StorageError> {
        query::insert(access::Model::from(token), &self.conn).await
    }

    /// The access token that a client showed, valid or not, with its grant and whose it is.
    pub async fn website_access_find(
        &self,
        website: WebsiteId,
        hash: &SecretHash,
    ) -> Result<Option<(AccessToken, Grant, Member)>, StorageError> {
        let found = access::Entity::find_by_id(hash.0.to_vec())
            .filter(access::Column::WebsiteId.eq(Uuid::from(website)))
            .find_also_related(Entity)
            .and_also_related(member::Entity)
            .one(&self.conn)
            .await?;
        let Some((token, Some(grant), Some(member))) = found else { return Ok(None) };
        Ok(Some((token.try_into()?, grant.try_into()?, member.try_into()?)))
    }

    /// Ends an access token of a website; says of which grant it was.
    pub async fn website_access_delete(
        &self,
        website: WebsiteId,
        hash: &SecretHash,
    ) -> Result<Option<WebsiteGrantId>, StorageError> {
        let deleted = access::Entity::delete_many()
            .filter(access::Column::Hash.eq(hash.0.to_vec()))
            .filter(access::Column::WebsiteId.eq(Uuid::from(website)))
            .exec_with_returning(&self.conn)
            .await?;
        Ok(deleted.into_iter().next().map(|token| token.grant_id.into()))
    }

    /// Forgets the access tokens of all websites that are dead at an instant; says how many.
    pub async fn website_access_delete_before(&self, now: Timestamp) -> Result<u64, StorageError> {
        let dead = access::Column::ExpiresAt.lte(now.as_millisecond());
        Ok(access::Entity::delete_many().filter(dead).exec(&self.conn).await?.rows_affected)
    }

    /// A member agrees; it takes the place of what they agreed to before.
    pub async fn website_consent_put(&self, consent: &Consent) -> Result<(), StorageError> {
        query::upsert(consent::Model::from(consent), &self.conn).await
    }

    /// What a member let a client know.
    pub async fn website_consent_find(
        &self,
        member: WebsiteMemberId,
        client: WebsiteClientId,
    ) -> Result<Option<Consent>, StorageError> {
        let key = (Uuid::from(member), Uuid::from(client));
        query::one(consent::Entity::find_by_id(key), &self.conn).await
    }

    /// What a member let clients know, with the clients' names, newest first.
    pub async fn website_consent_list(
        &self,
        member: WebsiteMemberId,
    ) -> Result<Vec<(Consent, String)>, StorageError> {
        let rows = consent::Entity::find()
            .filter(consent::Column::MemberId.eq(Uuid::from(member)))
            .find_both_related(client::Entity)
            .order_by_desc(consent::Column::GivenAt)
            .order_by_desc(consent::Column::ClientId)
            .all(&self.conn)
            .await?;
        rows.into_iter().map(|(consent, client)| Ok((consent.try_into()?, client.name))).collect()
    }

    /// A member takes back what they agreed to; `false` if they did not agree. Grants that are there stay.
    pub async fn website_consent_delete(
        &self,
        member: WebsiteMemberId,
        client: WebsiteClientId,
    ) -> Result<bool, StorageError> {
        let key = (Uuid::from(member), Uuid::from(client));
        Ok(consent::Entity::delete_by_id(key).exec(&self.conn).await?.rows_affected == 1)
    }
}

fn of(website: WebsiteId, client: WebsiteClientId) -> Condition {
    Condition::all()
        .add(Column::WebsiteId.eq(Uuid::from(website)))
        .add(Column::ClientId.eq(Uuid::from(client)))
}

#[cfg(test)]
mod tests;
