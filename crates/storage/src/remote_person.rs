//! People of workspaces that are followed, whether or not they ever logged in here.

use crate::{
    Storage, StorageError, query,
    tables::{
        Row, identity,
        remote_person::{Column, Entity, Model, to_account},
        synchronization, user,
    },
};
use sea_orm::{
    ColumnTrait, EntityTrait, JoinType, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, RelationTrait,
    Select,
};
use stave_domain::{
    Timestamp,
    id::{IntegrationId, OrganizationId, SynchronizationId, UserId},
    organization::Role,
    synchronization::{AccessSet, KnownPerson, RemotePerson},
    user::User,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

impl Storage {
    /// The people whom a synchronization remembers, by external id.
    pub async fn remote_person_list(
        &self,
        synchronization: SynchronizationId,
    ) -> Result<Vec<KnownPerson>, StorageError> {
        query::all(of(synchronization).order_by_asc(Column::ExternalId), &self.conn).await
    }

    /// A page of them by what to call them, each with the user here whose connected account they are, if there is one. An empty
    /// search finds all, any other looks into name, handle and external id.
    pub async fn remote_person_page(
        &self,
        synchronization: SynchronizationId,
        search: &str,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<(KnownPerson, Option<User>)>, StorageError> {
        let rows = of(synchronization)
            .filter(query::contains(Column::Search, search))
            .inner_join(synchronization::Entity)
            .join(JoinType::LeftJoin, to_account())
            .join(JoinType::LeftJoin, identity::Relation::User.def())
            .select_also(user::Entity)
            .order_by_asc(Column::Search)
            .order_by_asc(Column::ExternalId)
            .offset(offset)
            .limit(limit)
            .all(&self.conn)
            .await?;
        rows.into_iter()
            .map(|(person, user)| Ok((person.try_into()?, user.map(User::try_from).transpose()?)))
            .collect()
    }

    /// The person whom the platform knows by this id.
    pub async fn remote_person_find(
        &self,
        synchronization: SynchronizationId,
        external_id: &str,
    ) -> Result<Option<KnownPerson>, StorageError> {
        query::one(of(synchronization).filter(Column::ExternalId.eq(external_id)), &self.conn).await
    }

    /// How many people a synchronization remembers, and how many of them have connected their account here.
    pub async fn remote_person_count(
        &self,
        synchronization: SynchronizationId,
    ) -> Result<(u64, u64), StorageError> {
        let all = of(synchronization).count(&self.conn).await?;
        let here = of(synchronization)
            .inner_join(synchronization::Entity)
            .join(JoinType::InnerJoin, to_account())
            .count(&self.conn)
            .await?;
        Ok((all, here))
    }

    /// Stores everything of these records; those who are new are remembered from now on.
    pub async fn remote_person_put_many(
        &self,
        synchronization: SynchronizationId,
        people: &[KnownPerson],
    ) -> Result<(), StorageError> {
        let rows = people.iter().map(|known| Model::from((synchronization, known))).collect();
        query::insert_many(rows, query::replace::<Entity>(), self).await
    }

    /// Notes what a person's own account answered and when, or why it could not be asked: then its answer before stays, with its
    /// age. A person who is gone stays gone.
    pub async fn remote_person_answer(
        &self,
        synchronization: SynchronizationId,
        external_id: &str,
        answer: Result<(&AccessSet, Timestamp), &str>,
    ) -> Result<(), StorageError> {
        let mut noted = Entity::update_many()
            .filter(Column::SynchronizationId.eq(Uuid::from(synchronization)))
            .filter(Column::ExternalId.eq(external_id))
            .col_expr(Column::Problem, query::value(answer.err().map(str::to_owned)));
        if let Ok((access, asked_at)) = answer {
            noted = noted
                .col_expr(Column::Access, query::value(access.to_bytes()))
                .col_expr(Column::AskedAt, query::value(asked_at.as_millisecond()));
        }
        noted.exec(&self.conn).await?;
        Ok(())
    }

    /// Forgets these people, and with them what they may read.
    pub async fn remote_person_delete_many(
        &self,
        synchronization: SynchronizationId,
        external_ids: &BTreeSet<String>,
    ) -> Result<(), StorageError> {
        for external_ids in query::batches(external_ids) {
            Entity::delete_many()
                .filter(Column::SynchronizationId.eq(Uuid::from(synchronization)))
                .filter(Column::ExternalId.is_in(external_ids))
                .exec(&self.conn)
                .await?;
        }
        Ok(())
    }

    /// What synchronizations say that users are in an organization: of everybody with a connected account that an active one
    /// knows, or of one user. At the primary one it is the role that the person has in the workspace, at another one they are
    /// members; the highest counts.
    pub async fn roles_followed(
        &self,
        organization: OrganizationId,
        user: Option<UserId>,
    ) -> Result<BTreeMap<UserId, Role>, StorageError> {
        let mut found = connected()
            .filter(synchronization::Column::OrganizationId.eq(Uuid::from(organization)))
            .select_only()
            .column(identity::Column::UserId)
            .column(Column::Role)
            .column(synchronization::Column::IsPrimary);
        if let Some(user) = user {
            found = found.filter(identity::Column::UserId.eq(Uuid::from(user)));
        }
        let rows: Vec<(Uuid, String, bool)> = found.into_tuple().all(&self.conn).await?;
        let mut roles = BTreeMap::new();
        for (user, role, is_primary) in rows {
            let there: Role = Row::of("remote_person", user).parse("role", &role)?;
            let here = if is_primary { there } else { Role::Member };
            let highest = roles.entry(user.into()).or_insert(here);
            *highest = here.max(*highest);
        }
        Ok(roles)
    }

    /// Which users the active synchronizations of an organization know.
    pub async fn remote_person_list_here(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(UserId, SynchronizationId)>, StorageError> {
        let rows: Vec<(Uuid, Uuid)> = connected()
            .filter(synchronization::Column::OrganizationId.eq(Uuid::from(organization)))
            .select_only()
            .column(identity::Column::UserId)
            .column(Column::SynchronizationId)
            .into_tuple()
            .all(&self.conn)
            .await?;
        Ok(rows.into_iter().map(|(user, synchronization)| (user.into(), synchronization.into())).collect())
    }

    /// The people of active synchronizations of an organization who have connected no account here, once for each
    /// synchronization that knows them.
    pub async fn remote_person_list_waiting(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(SynchronizationId, RemotePerson)>, StorageError> {
        let rows: Vec<(Uuid, String, String, String, String)> = Entity::find()
            .inner_join(synchronization::Entity)
            .join(JoinType::LeftJoin, to_account())
            .filter(synchronization::Column::Stage.eq(synchronization::ACTIVE))
            .filter(synchronization::Column::OrganizationId.eq(Uuid::from(organization)))
            .filter(identity::Column::Id.is_null())
            .select_only()
            .columns([
                Column::SynchronizationId,
                Column::ExternalId,
                Column::Handle,
                Column::Name,
                Column::Role,
            ])
            .order_by_asc(Column::Search)
            .order_by_asc(Column::ExternalId)
            .into_tuple()
            .all(&self.conn)
            .await?;
        let person = |(synchronization, external_id, handle, name, role): (Uuid, _, _, _, String)| {
            let role = Row::of("remote_person", &external_id).parse("role", &role)?;
            Ok((synchronization.into(), RemotePerson { external_id, handle, name, role }))
        };
        rows.into_iter().map(person).collect()
    }

    /// The organizations of which an active synchronization knows this person: where whoever connects this account is a member.
    pub async fn organization_list_knowing(
        &self,
        integration: IntegrationId,
        external_id: &str,
    ) -> Result<Vec<OrganizationId>, StorageError> {
        let ids: Vec<Uuid> = Entity::find()
            .inner_join(synchronization::Entity)
            .filter(synchronization::Column::Stage.eq(synchronization::ACTIVE))
            .filter(synchronization::Column::IntegrationId.eq(Uuid::from(integration)))
            .filter(Column::ExternalId.eq(external_id))
            .select_only()
            .column(synchronization::Column::OrganizationId)
            .distinct()
            .order_by_asc(synchronization::Column::OrganizationId)
            .into_tuple()
            .all(&self.conn)
            .await?;
        Ok(ids.into_iter().map(OrganizationId::from).collect())
    }
}

/// The people of active synchronizations with their synchronizations and connected accounts.
pub(crate) fn connected() -> Select<Entity> {
    Entity::find()
        .inner_join(synchronization::Entity)
        .join(JoinType::InnerJoin, to_account())
        .filter(synchronization::Column::Stage.eq(synchronization::ACTIVE))
}

fn of(synchronization: SynchronizationId) -> Select<Entity> {
    Entity::find().filter(Column::SynchronizationId.eq(Uuid::from(synchronization)))
}

#[cfg(test)]
mod tests;
