//! Members of websites, and the servers where they say who they are.

use crate::{
    Storage, StorageError, query,
    tables::{
        json_text,
        website::{
            identity,
            member::{ActiveModel, Column, Entity, Model},
        },
    },
};
use sea_orm::{
    ActiveValue::NotSet, ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, sea_query::Expr,
};
use stave_domain::{
    id::{WebsiteId, WebsiteMemberId},
    user::EmailAddress,
    website::{Address, Member, MemberIdentity, MemberStatus, Place, Roles},
};
use uuid::Uuid;

impl Storage {
    /// A new member. `Conflict` if the website has one with the same `sub`.
    pub async fn website_member_insert(&self, member: &Member) -> Result<(), StorageError> {
        query::insert(Model::from(member), &self.conn).await
    }

    /// Stores everything of the record but its website, its `sub` and when it was made. `Detached` if the website has no such
    /// member.
    pub async fn website_member_update(&self, member: &Member) -> Result<(), StorageError> {
        let row = ActiveModel {
            website_id: NotSet,
            sub: NotSet,
            created_at: NotSet,
            ..Model::from(member).into_active_model()
        };
        query::update_if(row, Column::WebsiteId.eq(Uuid::from(member.website_id)), &self.conn).await
    }

    /// The member of a website with this id.
    pub async fn website_member_find(
        &self,
        website: WebsiteId,
        id: WebsiteMemberId,
    ) -> Result<Option<Member>, StorageError> {
        let found = Entity::find_by_id(Uuid::from(id)).filter(Column::WebsiteId.eq(Uuid::from(website)));
        query::one(found, &self.conn).await
    }

    /// Those of these members that the website has.
    pub async fn website_member_list_by_id(
        &self,
        website: WebsiteId,
        ids: impl IntoIterator<Item = WebsiteMemberId>,
    ) -> Result<Vec<Member>, StorageError> {
        let ids = ids.into_iter().map(Uuid::from);
        let found =
            Entity::find().filter(Column::WebsiteId.eq(Uuid::from(website))).filter(Column::Id.is_in(ids));
        query::all(found, &self.conn).await
    }

    /// Deletes a member with identities, logins, grants and consents; `false` if the website has no such member.
    pub async fn website_member_delete(
        &self,
        website: WebsiteId,
        id: WebsiteMemberId,
    ) -> Result<bool, StorageError> {
        let deleted = Entity::delete_many().filter(is(website, id)).exec(&self.conn).await?;
        Ok(deleted.rows_affected == 1)
    }

    /// A page of a website's members, newest sign-in first; an empty search finds all, any other looks into name, handle,
    /// address and `sub`, and into id, handle and name at each server.
    pub async fn website_member_list(
        &self,
        website: WebsiteId,
        search: &str,
        status: Option<MemberStatus>,
        (offset, limit): (u64, u64),
    ) -> Result<Vec<Member>, StorageError> {
        let newest_first = members(website, search, status)
            .order_by_desc(Column::SignedInAt)
            .order_by_desc(Column::Id)
            .offset(offset)
            .limit(limit);
        query::all(newest_first, &self.conn).await
    }

    /// How many members [`Self::website_member_list`] finds on all pages together.
    pub async fn website_member_count(
        &self,
        website: WebsiteId,
        search: &str,
        status: Option<MemberStatus>,
    ) -> Result<u64, StorageError> {
        Ok(members(website, search, status).count(&self.conn).await?)
    }

    /// A member of a website for whom another server than `except` verified this address: the oldest, if there are several.
    pub async fn website_member_find_by_verified(
        &self,
        website: WebsiteId,
        address: &EmailAddress,
        except: &Place,
    ) -> Result<Option<Member>, StorageError> {
        let address = Address { address: address.clone(), is_verified: true };
        let theirs = identity::Entity::find()
            .select_only()
            .column(identity::Column::MemberId)
            .filter(identity::Column::WebsiteId.eq(Uuid::from(website)))
            .filter(identity::Column::Place.ne(except.as_str()))
            .filter(query::has(identity::Column::Verified, &identity::verified_text([&address])));
        let found = Entity::find()
            .filter(Column::WebsiteId.eq(Uuid::from(website)))
            .filter(Column::Id.in_subquery(theirs.into_query()))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Id);
        query::one(found.limit(1), &self.conn).await
    }

    /// Changes what a member is at a website. `Detached` if the website has no such member.
    pub async fn website_member_role_update(
        &self,
        website: WebsiteId,
        id: WebsiteMemberId,
        roles: &Roles,
    ) -> Result<(), StorageError> {
        let update = Entity::update_many().col_expr(Column::Roles, query::value(json_text(roles)));
        query::one_changed(&update.filter(is(website, id)).exec(&self.conn).await?)
    }

    /// Changes whether a member may come in. `Detached` if the website has no such member.
    pub async fn website_member_status_update(
        &self,
        website: WebsiteId,
        id: WebsiteMemberId,
        status: MemberStatus,
    ) -> Result<(), StorageError> {
        let update = Entity::update_many().col_expr(Column::Status, query::value(status.key()));
        query::one_changed(&update.filter(is(website, id)).exec(&self.conn).await?)
    }

    /// A member is known by this from now on. `Conflict` if the website knows somebody by it already.
    pub async fn website_identity_insert(&self, identity: &MemberIdentity) -> Result<(), StorageError> {
        query::insert(identity::Model::from(identity), &self.conn).await
    }

    /// Stores what a server says about a member; whose it is and since when stays. `Detached` if they are not known by it.
    pub async fn website_identity_update(&self, identity: &MemberIdentity) -> Result<(), StorageError> {
        let row = identity::ActiveModel {
            member_id: NotSet,
            connected_at: NotSet,
            ..identity::Model::from(identity).into_active_model()
        };
        let is_theirs = identity::Column::MemberId.eq(Uuid::from(identity.member_id));
        query::update_if(row, is_theirs, &self.conn).await
    }

    /// Whom a website knows by this.
    pub async fn website_identity_find(
        &self,
        website: WebsiteId,
        place: &Place,
        external_id: &str,
    ) -> Result<Option<MemberIdentity>, StorageError> {
        let key = (Uuid::from(website), place.as_str().to_owned(), external_id.to_owned());
        query::one(identity::Entity::find_by_id(key), &self.conn).await
    }

    /// What a member is known by, oldest first.
    pub async fn website_identity_list(
        &self,
        member: WebsiteMemberId,
    ) -> Result<Vec<MemberIdentity>, StorageError> {
        let theirs = identity::Entity::find()
            .filter(identity::Column::MemberId.eq(Uuid::from(member)))
            .order_by_asc(identity::Column::ConnectedAt)
            .order_by_asc(identity::Column::Place);
        query::all(theirs, &self.conn).await
    }

    /// The identities of several members of a website, first come first.
    pub async fn website_identity_list_of(
        &self,
        website: WebsiteId,
        members: &[WebsiteMemberId],
    ) -> Result<Vec<MemberIdentity>, StorageError> {
        let theirs = identity::Entity::find()
            .filter(identity::Column::WebsiteId.eq(Uuid::from(website)))
            .filter(identity::Column::MemberId.is_in(members.iter().copied().map(Uuid::from)))
            .order_by_asc(identity::Column::ConnectedAt)
            .order_by_asc(identity::Column::Place);
        query::all(theirs, &self.conn).await
    }

    /// A member is no longer known by what this server says; `false` if they were not.
    pub async fn website_identity_delete(
        &self,
        website: WebsiteId,
        member: WebsiteMemberId,
        place: &Place,
    ) -> Result<bool, StorageError> {
        let deleted = identity::Entity::delete_many()
            .filter(identity::Column::WebsiteId.eq(Uuid::from(website)))
            .filter(identity::Column::MemberId.eq(Uuid::from(member)))
            .filter(identity::Column::Place.eq(place.as_str()))
            .exec(&self.conn)
            .await?;
        Ok(deleted.rows_affected > 0)
    }
}

fn is(website: WebsiteId, id: WebsiteMemberId) -> Expr {
    Column::Id.eq(Uuid::from(id)).and(Column::WebsiteId.eq(Uuid::from(website)))
}

fn members(website: WebsiteId, search: &str, status: Option<MemberStatus>) -> Select<Entity> {
    let by_account = identity::Entity::find()
        .select_only()
        .column(identity::Column::MemberId)
        .filter(identity::Column::WebsiteId.eq(Uuid::from(website)))
        .filter(query::contains(identity::Column::Search, search));
    let mut found = Entity::find().filter(Column::WebsiteId.eq(Uuid::from(website)));
    if !search.trim().is_empty() {
        let either = query::contains(Column::Search, search);
        found =
            found.filter(Condition::any().add(either).add(Column::Id.in_subquery(by_account.into_query())));
    }
    match status {
        Some(status) => found.filter(Column::Status.eq(status.key())),
        None => found,
    }
}

#[cfg(test)]
mod tests;
