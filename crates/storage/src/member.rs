//! People in organizations.

use crate::{
    Storage, StorageError, query,
    tables::{
        identity,
        member::{Column, Entity, Model},
        user,
    },
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use stave_domain::{
    id::{IntegrationId, OrganizationId, UserId},
    organization::{Member, Role},
    user::User,
};
use uuid::Uuid;

impl Storage {
    /// Somebody joins, or gets another role.
    pub async fn member_upsert(&self, member: &Member) -> Result<(), StorageError> {
        query::upsert(Model::from(member), &self.conn).await
    }

    /// What a user may do in an organization; `None` if they are no member.
    pub async fn member_role(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<Role>, StorageError> {
        let found = Entity::find_by_id((Uuid::from(organization), Uuid::from(user)));
        let member: Option<Member> = query::one(found, &self.conn).await?;
        Ok(member.map(|member| member.role))
    }

    /// The members of an organization by username.
    pub async fn member_list(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(User, Member)>, StorageError> {
        let rows = Entity::find()
            .filter(Column::OrganizationId.eq(Uuid::from(organization)))
            .find_also_related(user::Entity)
            .order_by_asc(user::Column::Username)
            .all(&self.conn)
            .await?;
        let both = |(member, user): (Model, Option<user::Model>)| Some((user?, member));
        rows.into_iter()
            .filter_map(both)
            .map(|(user, member)| Ok((user.try_into()?, member.try_into()?)))
            .collect()
    }

    /// How many members of an organization have no account at an integration with which Stave can act.
    pub async fn member_count_without(
        &self,
        organization: OrganizationId,
        integration: IntegrationId,
    ) -> Result<u64, StorageError> {
        let connected = identity::Entity::find()
            .select_only()
            .column(identity::Column::UserId)
            .filter(identity::Column::IntegrationId.eq(Uuid::from(integration)))
            .filter(identity::Column::BrokenBecause.is_null());
        let without = Entity::find()
            .filter(Column::OrganizationId.eq(Uuid::from(organization)))
            .filter(Column::UserId.not_in_subquery(connected.into_query()));
        Ok(without.count(&self.conn).await?)
    }

    /// Somebody leaves.
    pub async fn member_delete(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<(), StorageError> {
        Entity::delete_by_id((Uuid::from(organization), Uuid::from(user))).exec(&self.conn).await?;
        Ok(())
    }

    /// How many owners an organization has.
    pub async fn owner_count(&self, organization: OrganizationId) -> Result<u64, StorageError> {
        let owners = Entity::find()
            .filter(Column::OrganizationId.eq(Uuid::from(organization)))
            .filter(Column::Role.eq(Role::Owner.key()));
        Ok(owners.count(&self.conn).await?)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{ada, at, connected, id, organization, test_storage, user};
    use stave_domain::organization::{Member, Role};

    #[tokio::test]
    async fn a_role_can_change() {
        let storage = test_storage().await;
        let (ada, acme) = (ada(&storage).await, organization(1, "acme"));
        storage.user_insert(&user(2, "aaa"), None).await.unwrap();
        storage.organization_insert(&acme).await.unwrap();
        let owner = Member { organization_id: acme.id, user_id: ada, role: Role::Owner, joined_at: at(1) };
        let member = Member { user_id: id(2), role: Role::Member, ..owner.clone() };
        storage.member_upsert(&owner).await.unwrap();
        storage.member_upsert(&member).await.unwrap();
        assert_eq!(storage.owner_count(acme.id).await.unwrap(), 1);
        let list = storage.member_list(acme.id).await.unwrap();
        assert_eq!(list, [(user(2, "aaa"), member.clone()), (user(1, "ada"), owner)]);
        storage.member_upsert(&Member { role: Role::Owner, ..member }).await.unwrap();
        assert_eq!(storage.owner_count(acme.id).await.unwrap(), 2);
        assert_eq!(storage.member_role(acme.id, ada).await.unwrap(), Some(Role::Owner));
        storage.member_delete(acme.id, ada).await.unwrap();
        assert_eq!(storage.member_role(acme.id, ada).await.unwrap(), None);
        storage.user_delete(id(2)).await.unwrap();
        assert_eq!(storage.member_list(acme.id).await.unwrap(), []);
    }

    #[tokio::test]
    async fn members_without_a_working_account_are_counted() {
        let storage = test_storage().await;
        let identity = connected(&storage, ada(&storage).await).await;
        storage.user_insert(&user(2, "bob"), None).await.unwrap();
        for number in [1, 2] {
            let acme = organization(number, &format!("acme-{number}"));
            storage.organization_insert(&acme).await.unwrap();
            let joined =
                |user_id| Member { organization_id: acme.id, user_id, role: Role::Member, joined_at: at(1) };
            storage.member_upsert(&joined(identity.user_id)).await.unwrap();
            storage.member_upsert(&joined(id(2))).await.unwrap();
        }
        let without = async || storage.member_count_without(id(1), identity.integration_id).await.unwrap();
        assert_eq!(without().await, 1);
        assert_eq!(storage.member_count_without(id(1), id(99)).await.unwrap(), 2);
        storage.identity_broken(identity.id, identity.grant_revision, "No.").await.unwrap();
        assert_eq!(without().await, 2);
    }
}
