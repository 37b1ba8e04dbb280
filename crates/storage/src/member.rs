//! People in organizations.

use crate::{
    Storage, StorageError, query,
    tables::{
        identity,
        member::{Column, Entity, Model},
        team, team_member, user,
    },
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use stave_domain::{
    id::{IntegrationId, OrganizationId, UserId},
    organization::{Member, Role},
    user::User,
};
use std::collections::BTreeMap;
use uuid::Uuid;

impl Storage {
    /// Somebody joins, or is something else now: stores everything of the record.
    pub async fn member_upsert(&self, member: &Member) -> Result<(), StorageError> {
        query::upsert(Model::from(member), &self.conn).await
    }

    /// What a user is in an organization, deactivated or not; `None` if they are no member.
    pub async fn member_find(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<Member>, StorageError> {
        let found = Entity::find_by_id((Uuid::from(organization), Uuid::from(user)));
        query::one(found, &self.conn).await
    }

    /// What a user may do in an organization; `None` if they are no member, or a deactivated one.
    pub async fn member_role(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<Role>, StorageError> {
        let member = self.member_find(organization, user).await?;
        Ok(member.filter(|member| member.is_active).map(|member| member.role))
    }

    /// The members of an organization by username, deactivated ones too.
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

    /// The members of an organization who have an account at an integration, with what it is called there.
    pub async fn member_account_list(
        &self,
        organization: OrganizationId,
        integration: IntegrationId,
    ) -> Result<BTreeMap<UserId, String>, StorageError> {
        let members = Entity::find()
            .select_only()
            .column(Column::UserId)
            .filter(Column::OrganizationId.eq(Uuid::from(organization)));
        let accounts: Vec<(Uuid, String)> = identity::Entity::find()
            .select_only()
            .column(identity::Column::UserId)
            .column(identity::Column::Handle)
            .filter(identity::Column::IntegrationId.eq(Uuid::from(integration)))
            .filter(identity::Column::UserId.in_subquery(members.into_query()))
            .into_tuple()
            .all(&self.conn)
            .await?;
        Ok(accounts.into_iter().map(|(user, handle)| (user.into(), handle)).collect())
    }

    /// Somebody may come in again, or no longer. `Detached` if they are no member.
    pub async fn member_set_active(
        &self,
        organization: OrganizationId,
        user: UserId,
        is_active: bool,
    ) -> Result<(), StorageError> {
        let changed = Entity::update_many()
            .col_expr(Column::IsActive, query::value(is_active))
            .filter(Column::OrganizationId.eq(Uuid::from(organization)))
            .filter(Column::UserId.eq(Uuid::from(user)))
            .exec(&self.conn)
            .await?;
        query::one_changed(&changed)
    }

    /// Somebody leaves, and with the organization its teams.
    pub async fn member_delete(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<(), StorageError> {
        let transaction = self.begin().await?;
        let teams = team::Entity::find()
            .select_only()
            .column(team::Column::Id)
            .filter(team::Column::OrganizationId.eq(Uuid::from(organization)));
        team_member::Entity::delete_many()
            .filter(team_member::Column::UserId.eq(Uuid::from(user)))
            .filter(team_member::Column::TeamId.in_subquery(teams.into_query()))
            .exec(&transaction.conn)
            .await?;
        Entity::delete_by_id((Uuid::from(organization), Uuid::from(user))).exec(&transaction.conn).await?;
        transaction.commit().await
    }

    /// How many owners an organization has who may come in.
    pub async fn owner_count(&self, organization: OrganizationId) -> Result<u64, StorageError> {
        let owners = Entity::find()
            .filter(Column::OrganizationId.eq(Uuid::from(organization)))
            .filter(Column::Role.eq(Role::Owner.key()))
            .filter(Column::IsActive.eq(true));
        Ok(owners.count(&self.conn).await?)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{ada, connected, id, member, organization, test_storage, user},
    };
    use stave_domain::organization::{Member, Role};

    #[tokio::test]
    async fn a_role_can_change() {
        let storage = test_storage().await;
        let (ada, acme) = (ada(&storage).await, organization(1, "acme"));
        storage.user_insert(&user(2, "aaa"), None).await.unwrap();
        storage.organization_insert(&acme).await.unwrap();
        let owner = member(acme.id, ada, Role::Owner);
        let member = member(acme.id, id(2), Role::Member);
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
    async fn a_deactivated_member_keeps_the_place_and_may_nothing() {
        let storage = test_storage().await;
        let (ada, acme) = (ada(&storage).await, organization(1, "acme"));
        storage.organization_insert(&acme).await.unwrap();
        let followed = Member { given: None, ..member(acme.id, ada, Role::Owner) };
        storage.member_upsert(&followed).await.unwrap();
        assert_eq!(storage.member_find(acme.id, ada).await.unwrap().as_ref(), Some(&followed));

        storage.member_set_active(acme.id, ada, false).await.unwrap();
        assert_eq!(storage.member_role(acme.id, ada).await.unwrap(), None);
        assert_eq!(storage.owner_count(acme.id).await.unwrap(), 0);
        let deactivated = Member { is_active: false, ..followed };
        assert_eq!(storage.member_find(acme.id, ada).await.unwrap().as_ref(), Some(&deactivated));
        assert_eq!(storage.member_list(acme.id).await.unwrap(), [(user(1, "ada"), deactivated)]);

        storage.member_set_active(acme.id, ada, true).await.unwrap();
        assert_eq!(storage.member_role(acme.id, ada).await.unwrap(), Some(Role::Owner));
        let stranger = storage.member_set_active(acme.id, id(9), true).await;
        assert!(matches!(stranger, Err(StorageError::Detached)), "{stranger:?}");
        assert_eq!(storage.member_find(acme.id, id(9)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn members_without_a_working_account_are_counted() {
        let storage = test_storage().await;
        let identity = connected(&storage, ada(&storage).await).await;
        storage.user_insert(&user(2, "bob"), None).await.unwrap();
        for number in [1, 2] {
            let acme = organization(number, &format!("acme-{number}"));
            storage.organization_insert(&acme).await.unwrap();
            for user in [identity.user_id, id(2)] {
                storage.member_upsert(&member(acme.id, user, Role::Member)).await.unwrap();
            }
        }
        let without = async || storage.member_count_without(id(1), identity.integration_id).await.unwrap();
        assert_eq!(without().await, 1);
        assert_eq!(storage.member_count_without(id(1), id(99)).await.unwrap(), 2);
        let accounts = storage.member_account_list(id(1), identity.integration_id).await.unwrap();
        assert_eq!(accounts, [(identity.user_id, identity.handle.clone())].into());
        assert_eq!(storage.member_account_list(id(1), id(99)).await.unwrap(), [].into());
        storage.identity_broken(identity.id, identity.grant_revision, "No.").await.unwrap();
        assert_eq!(without().await, 2);
    }
}
