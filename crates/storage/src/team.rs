//! Teams, who is in them, and what was given to them.

use crate::{
    Storage, StorageError, query,
    tables::{
        identity, package, remote_group_person, synchronization,
        team::{Column, Entity, Model},
        team_member, team_package, user,
    },
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
    sea_query::{Alias, Expr, Query, SelectStatement, UnionType},
};
use stave_domain::{
    id::{OrganizationId, PackageId, SynchronizationId, TeamId, UserId},
    package::Package,
    team::{Team, TeamLine},
    user::User,
};
use std::collections::HashMap;
use uuid::Uuid;

impl Storage {
    /// A new team. `Conflict` if the organization has one of this name.
    pub async fn team_insert(&self, team: &Team) -> Result<(), StorageError> {
        query::insert(Model::from(team), &self.conn).await
    }

    /// The team with this id.
    pub async fn team_find(&self, id: TeamId) -> Result<Option<Team>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// The teams of an organization by name, and how much is in each.
    pub async fn team_list(&self, organization: OrganizationId) -> Result<Vec<TeamLine>, StorageError> {
        let teams: Vec<Team> = query::all(by_name(teams_of(organization)), &self.conn).await?;
        let people = self.team_count_each(organization, people()).await?;
        let packages = self.team_count_each(organization, gifts()).await?;
        let count = |counts: &HashMap<TeamId, u64>, team: &Team| counts.get(&team.id).copied().unwrap_or(0);
        let line = |team| TeamLine { people: count(&people, &team), packages: count(&packages, &team), team };
        Ok(teams.into_iter().map(line).collect())
    }

    /// The teams that a synchronization brought, by name.
    pub async fn team_list_of_synchronization(
        &self,
        synchronization: SynchronizationId,
    ) -> Result<Vec<Team>, StorageError> {
        query::all(by_name(teams_brought_by(synchronization)), &self.conn).await
    }

    /// The teams of an organization that a user is in, by name.
    pub async fn team_list_of_user(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Vec<Team>, StorageError> {
        query::all(by_name(teams_with(organization, user)), &self.conn).await
    }

    /// The teams that a package was given to, by name.
    pub async fn team_list_of_package(&self, package: PackageId) -> Result<Vec<Team>, StorageError> {
        let given = team_package::Entity::find()
            .select_only()
            .column(team_package::Column::TeamId)
            .filter(team_package::Column::PackageId.eq(Uuid::from(package)));
        let teams = Entity::find().filter(Column::Id.in_subquery(given.into_query()));
        query::all(by_name(teams), &self.conn).await
    }

    /// What was given to the teams of an organization that a user is in: each package with the name of such a team.
    pub async fn team_given(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Vec<(PackageId, String)>, StorageError> {
        let theirs = teams_with(organization, user).select_only().column(Column::Id);
        let gifts = Query::select()
            .column((team_package::Entity, team_package::Column::PackageId))
            .column((Entity, Column::Name))
            .from(team_package::Entity)
            .inner_join(Entity, Expr::col((Entity, Column::Id)).equals(team_package::Column::TeamId))
            .and_where(Expr::col((Entity, Column::Id)).in_subquery(theirs.into_query()))
            .order_by((Entity, Column::Name), sea_orm::Order::Asc)
            .order_by(team_package::Column::PackageId, sea_orm::Order::Asc)
            .take();
        let rows = self.conn.query_all(&gifts).await?;
        let gift = |row: sea_orm::QueryResult| {
            Ok((PackageId::from(row.try_get_by_index::<Uuid>(0)?), row.try_get_by_index(1)?))
        };
        rows.into_iter().map(gift).collect()
    }

    /// Stores everything of the record. `Conflict` if the organization has another one of this name.
    pub async fn team_update(&self, team: &Team) -> Result<(), StorageError> {
        query::update(Model::from(team), &self.conn).await
    }

    /// Deletes a team. What only it could read, nobody but owners and admins reads any more.
    pub async fn team_delete(&self, id: TeamId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }

    /// Somebody puts a user into a team; they may be in it already.
    pub async fn team_member_put(&self, team: TeamId, user: UserId) -> Result<(), StorageError> {
        let row = team_member::Model { team_id: team.into(), user_id: user.into() };
        query::insert_many(vec![row], query::keep::<team_member::Entity>(), self).await
    }

    /// Somebody takes a user out of a team. Those who are in it because of their group stay.
    pub async fn team_member_delete(&self, team: TeamId, user: UserId) -> Result<(), StorageError> {
        let key = (Uuid::from(team), Uuid::from(user));
        team_member::Entity::delete_by_id(key).exec(&self.conn).await?;
        Ok(())
    }

    /// The users who are in a team, by username: those who were put there, and those who are in its group.
    pub async fn team_member_list(&self, team: TeamId) -> Result<Vec<User>, StorageError> {
        let theirs = within(people(), USER).and_where(Expr::col(TEAM).eq(Uuid::from(team))).take();
        let users = user::Entity::find().filter(user::Column::Id.in_subquery(theirs));
        query::all(users.order_by_asc(user::Column::Username), &self.conn).await
    }

    /// A package is given to a team; it may have it already.
    pub async fn team_package_put(&self, team: TeamId, package: PackageId) -> Result<(), StorageError> {
        let row = team_package::Model { team_id: team.into(), package_id: package.into() };
        query::insert_many(vec![row], query::keep::<team_package::Entity>(), self).await
    }

    /// A package is taken from a team.
    pub async fn team_package_delete(&self, team: TeamId, package: PackageId) -> Result<(), StorageError> {
        let key = (Uuid::from(team), Uuid::from(package));
        team_package::Entity::delete_by_id(key).exec(&self.conn).await?;
        Ok(())
    }

    /// The packages that were given to a team, by name.
    pub async fn team_package_list(&self, team: TeamId) -> Result<Vec<Package>, StorageError> {
        let given = team_package::Entity::find()
            .select_only()
            .column(team_package::Column::PackageId)
            .filter(team_package::Column::TeamId.eq(Uuid::from(team)));
        let packages = package::Entity::find().filter(package::Column::Id.in_subquery(given.into_query()));
        query::all(package::by_name(packages), &self.conn).await
    }

    /// How many of these rows each team of an organization has.
    async fn team_count_each(
        &self,
        organization: OrganizationId,
        rows: SelectStatement,
    ) -> Result<HashMap<TeamId, u64>, StorageError> {
        let theirs = teams_of(organization).select_only().column(Column::Id);
        let counts = within(rows, TEAM)
            .expr(Expr::cust("COUNT(*)"))
            .and_where(Expr::col(TEAM).in_subquery(theirs.into_query()))
            .group_by_col(TEAM)
            .take();
        let count = |row: sea_orm::QueryResult| {
            let count: i64 = row.try_get_by_index(1)?;
            Ok((TeamId::from(row.try_get_by_index::<Uuid>(0)?), count.unsigned_abs()))
        };
        self.conn.query_all(&counts).await?.into_iter().map(count).collect()
    }
}

const TEAM: &str = "team_id";
const USER: &str = "user_id";

fn teams_of(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationId.eq(Uuid::from(organization)))
}

fn teams_brought_by(synchronization: SynchronizationId) -> Select<Entity> {
    Entity::find().filter(Column::SynchronizationId.eq(Uuid::from(synchronization)))
}

fn teams_with(organization: OrganizationId, user: UserId) -> Select<Entity> {
    let theirs = within(people(), TEAM).and_where(Expr::col(USER).eq(Uuid::from(user))).take();
    teams_of(organization).filter(Column::Id.in_subquery(theirs))
}

fn by_name(teams: Select<Entity>) -> Select<Entity> {
    teams.order_by_asc(Column::Name)
}

/// Who is in which team: [`TEAM`] and [`USER`], each pair once.
fn people() -> SelectStatement {
    Query::select()
        .column(team_member::Column::TeamId)
        .column(team_member::Column::UserId)
        .from(team_member::Entity)
        .union(UnionType::Distinct, group_people())
        .take()
}

/// Those who are in a team because an account of theirs is in its group.
fn group_people() -> SelectStatement {
    use remote_group_person::{Column as InGroup, Entity as GroupPeople};
    let of_team = Expr::col((GroupPeople, InGroup::SynchronizationId))
        .equals((Entity, Column::SynchronizationId))
        .and(Expr::col((GroupPeople, InGroup::Name)).equals((Entity, Column::GroupName)));
    let its_synchronization = Expr::col((synchronization::Entity, synchronization::Column::Id))
        .equals((Entity, Column::SynchronizationId));
    let their_account = Expr::col((identity::Entity, identity::Column::IntegrationId))
        .equals((synchronization::Entity, synchronization::Column::IntegrationId))
        .and(
            Expr::col((identity::Entity, identity::Column::ExternalId))
                .equals((GroupPeople, InGroup::ExternalId)),
        );
    Query::select()
        .column((Entity, Column::Id))
        .column((identity::Entity, identity::Column::UserId))
        .from(Entity)
        .inner_join(GroupPeople, of_team)
        .inner_join(synchronization::Entity, its_synchronization)
        .inner_join(identity::Entity, their_account)
        .take()
}

/// What was given to which team.
fn gifts() -> SelectStatement {
    Query::select()
        .column(team_package::Column::TeamId)
        .column(team_package::Column::PackageId)
        .from(team_package::Entity)
        .take()
}

/// A column of these rows, to be asked on.
fn within(rows: SelectStatement, column: &'static str) -> SelectStatement {
    Query::select().column(column).from_subquery(rows, Alias::new("pair")).take()
}

#[cfg(test)]
mod tests;
