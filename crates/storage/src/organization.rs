//! Teams with their own Composer repository, and their SSH keys.

use crate::{
    Storage, StorageError, query,
    tables::{
        member,
        organization::{Column, Entity, Model},
        organization_key,
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use stave_domain::{
    id::{IntegrationId, OrganizationId, UserId},
    organization::{Member, Organization, Role, ShortName},
    secret::Sealed,
};
use uuid::Uuid;

impl Storage {
    /// A new organization. `Conflict` if the short name is taken.
    pub async fn organization_insert(&self, organization: &Organization) -> Result<(), StorageError> {
        query::insert(Model::from(organization), &self.conn).await
    }

    /// The organization with this id.
    pub async fn organization_find(&self, id: OrganizationId) -> Result<Option<Organization>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// The organization of an address.
    pub async fn organization_find_by_short_name(
        &self,
        short_name: &ShortName,
    ) -> Result<Option<Organization>, StorageError> {
        query::one(Entity::find().filter(Column::ShortName.eq(short_name.as_str())), &self.conn).await
    }

    /// A page of organizations by short name; an empty search finds all, any other looks into short name and name.
    pub async fn organization_list(
        &self,
        search: &str,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<Organization>, StorageError> {
        let found = Entity::find().filter(query::contains(Column::Search, search));
        query::all(found.order_by_asc(Column::ShortName).offset(offset).limit(limit), &self.conn).await
    }

    /// The organizations of a user by short name, and what they may do there; not those where they are deactivated.
    pub async fn organization_list_of_user(
        &self,
        user: UserId,
    ) -> Result<Vec<(Organization, Role)>, StorageError> {
        let rows = member::Entity::find()
            .filter(member::Column::UserId.eq(Uuid::from(user)))
            .filter(member::Column::IsActive.eq(true))
            .find_also_related(Entity)
            .order_by_asc(Column::ShortName)
            .all(&self.conn)
            .await?;
        let both = |(member, organization): (member::Model, Option<Model>)| Some((organization?, member));
        rows.into_iter()
            .filter_map(both)
            .map(|(organization, member)| Ok((organization.try_into()?, Member::try_from(member)?.role)))
            .collect()
    }

    /// The organizations whose members have to log in through an integration, by short name.
    pub async fn organization_list_enforcing(
        &self,
        integration: IntegrationId,
    ) -> Result<Vec<Organization>, StorageError> {
        let found = Entity::find().filter(Column::Enforced.eq(Uuid::from(integration)));
        query::all(found.order_by_asc(Column::ShortName), &self.conn).await
    }

    /// Gives an organization another name, and changes nothing else.
    pub async fn organization_rename(&self, organization: &Organization) -> Result<(), StorageError> {
        let renamed = Model::from(organization);
        Entity::update_many()
            .col_expr(Column::Name, query::value(renamed.name))
            .col_expr(Column::Search, query::value(renamed.search))
            .filter(Column::Id.eq(renamed.id))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Stores through which integration its members have to log in, and changes nothing else.
    pub async fn organization_enforce(
        &self,
        id: OrganizationId,
        integration: Option<IntegrationId>,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::Enforced, query::value(integration.map(Uuid::from)))
            .filter(Column::Id.eq(Uuid::from(id)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Stores whether people whom a synchronization finds are deactivated at first, and changes nothing else.
    pub async fn organization_deactivate_found(
        &self,
        id: OrganizationId,
        deactivates_found: bool,
    ) -> Result<(), StorageError> {
        Entity::update_many()
            .col_expr(Column::DeactivatesFound, query::value(deactivates_found))
            .filter(Column::Id.eq(Uuid::from(id)))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Deletes an organization with everything in it: members, teams, tokens, credentials, packages, integrations. The Log stays.
    pub async fn organization_delete(&self, id: OrganizationId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }

    /// The organization's SSH key: the public half as it stands in `authorized_keys`, and the sealed private one.
    pub async fn organization_key_find(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<(String, Sealed)>, StorageError> {
        let row = organization_key::Entity::find_by_id(Uuid::from(organization)).one(&self.conn).await?;
        Ok(row.map(|row| (row.public, Sealed(row.private))))
    }

    /// The organization gets its SSH key. `Conflict` if it has one.
    pub async fn organization_key_insert(
        &self,
        organization: OrganizationId,
        public: &str,
        private: &Sealed,
    ) -> Result<(), StorageError> {
        let row = organization_key::Model {
            organization_id: organization.into(),
            public: public.to_owned(),
            private: private.0.clone(),
        };
        query::insert(row, &self.conn).await
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        StorageError,
        testing::{ada, id, integration, member, organization, test_storage},
    };
    use stave_domain::{
        organization::{Member, Organization, Role},
        secret::Sealed,
    };

    #[tokio::test]
    async fn organizations_are_listed_by_short_name() {
        let storage = test_storage().await;
        for (number, name) in [(1, "zoo"), (2, "acme"), (3, "acme-2")] {
            storage.organization_insert(&organization(number, name)).await.unwrap();
        }
        let twin = storage.organization_insert(&organization(4, "acme")).await;
        assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
        let all = storage.organization_list("", 0, 9).await.unwrap();
        assert_eq!(all, [organization(2, "acme"), organization(3, "acme-2"), organization(1, "zoo")]);
        assert_eq!(storage.organization_list("ZO", 0, 9).await.unwrap(), [organization(1, "zoo")]);
        let renamed = Organization { name: "The Zoo".into(), ..organization(1, "zoo") };
        storage.organization_rename(&renamed).await.unwrap();
        assert_eq!(storage.organization_list("THE", 0, 9).await.unwrap(), std::slice::from_ref(&renamed));
        assert_eq!(
            storage.organization_find_by_short_name(&renamed.short_name).await.unwrap(),
            Some(renamed.clone())
        );
        assert_eq!(storage.organization_find(id(1)).await.unwrap(), Some(renamed));
        storage.organization_deactivate_found(id(1), true).await.unwrap();
        assert!(storage.organization_find(id(1)).await.unwrap().unwrap().deactivates_found);
        storage.organization_delete(id(1)).await.unwrap();
        assert_eq!(storage.organization_find(id(1)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_user_sees_their_organizations() {
        let storage = test_storage().await;
        let ada = ada(&storage).await;
        for (number, name) in [(1, "zoo"), (2, "acme"), (3, "strangers")] {
            storage.organization_insert(&organization(number, name)).await.unwrap();
        }
        for (number, role) in [(1, Role::Member), (2, Role::Owner)] {
            storage.member_upsert(&member(id(number), ada, role)).await.unwrap();
        }
        let deactivated = Member { is_active: false, ..member(id(3), ada, Role::Owner) };
        storage.member_upsert(&deactivated).await.unwrap();
        let theirs = storage.organization_list_of_user(ada).await.unwrap();
        assert_eq!(theirs, [(organization(2, "acme"), Role::Owner), (organization(1, "zoo"), Role::Member)]);
    }

    #[tokio::test]
    async fn an_organization_enforces_an_integration_that_is_there() {
        let storage = test_storage().await;
        for number in [1, 2] {
            storage.integration_insert(&integration(number, &format!("server-{number}"))).await.unwrap();
        }
        let enforcing =
            |number, name, by| Organization { enforced: Some(id(by)), ..organization(number, name) };
        let [zoo, mut acme] = [enforcing(1, "zoo", 1), enforcing(2, "acme", 1)];
        storage.organization_insert(&zoo).await.unwrap();
        storage.organization_insert(&acme).await.unwrap();
        storage.organization_insert(&organization(3, "free")).await.unwrap();
        assert_eq!(storage.organization_list_enforcing(id(1)).await.unwrap(), [acme.clone(), zoo.clone()]);
        acme.enforced = Some(id(2));
        storage.organization_enforce(acme.id, Some(id(2))).await.unwrap();
        assert_eq!(storage.organization_list_enforcing(id(1)).await.unwrap(), [zoo]);
        assert_eq!(storage.organization_list_enforcing(id(2)).await.unwrap(), [acme.clone()]);
        storage.integration_delete(id(2)).await.unwrap();
        assert_eq!(storage.organization_list_enforcing(id(2)).await.unwrap(), []);
        assert_eq!(storage.organization_find(acme.id).await.unwrap(), Some(organization(2, "acme")));
        let detached = storage.organization_enforce(acme.id, Some(id(2))).await;
        assert!(matches!(detached, Err(StorageError::Detached)), "{detached:?}");
    }

    #[tokio::test]
    async fn an_organization_has_one_key() {
        let storage = test_storage().await;
        let acme = organization(1, "acme");
        storage.organization_insert(&acme).await.unwrap();
        assert_eq!(storage.organization_key_find(acme.id).await.unwrap(), None);
        let key = ("ssh-ed25519 AAAA stave-acme".to_owned(), Sealed(vec![0, 255]));
        storage.organization_key_insert(acme.id, &key.0, &key.1).await.unwrap();
        assert_eq!(storage.organization_key_find(acme.id).await.unwrap(), Some(key.clone()));
        let second = storage.organization_key_insert(acme.id, "other", &key.1).await;
        assert!(matches!(second, Err(StorageError::Conflict)), "{second:?}");
    }
}
