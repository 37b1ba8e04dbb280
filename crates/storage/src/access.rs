//! What decides about who may read which package.

use crate::{
    Storage, StorageError, remote_person,
    tables::{
        Row, identity, package,
        remote_person::{Column, access},
        repository,
        synchronization::{self, rights_from},
    },
};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, Select};
use stave_domain::{
    access::{Readable, Rights},
    id::{OrganizationId, PackageId, SynchronizationId, UserId},
    repository::Followed,
    synchronization::RightsFrom,
};
use uuid::Uuid;

/// A person's row with what its synchronization says about it.
type RightsRow = (Uuid, String, Option<i64>, Option<Vec<u8>>, Option<i64>);
/// A package's row with the place of its repository in a synchronization.
type ReadableRow = (Uuid, Option<String>, bool, Option<Uuid>, Option<i64>);

impl Storage {
    /// What the workspaces that an organization follows let a user read: one entry for each active synchronization that knows
    /// one of their connected accounts; of several accounts, the one that they connected first.
    pub async fn rights_of_user(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Vec<(SynchronizationId, Rights)>, StorageError> {
        let mut rows: Vec<RightsRow> = remote_person::connected()
            .filter(synchronization::Column::OrganizationId.eq(Uuid::from(organization)))
            .filter(identity::Column::UserId.eq(Uuid::from(user)))
            .select_only()
            .column(synchronization::Column::Id)
            .column(synchronization::Column::RightsFrom)
            .column(synchronization::Column::SucceededAt)
            .column(Column::Access)
            .column(Column::AskedAt)
            .order_by_asc(synchronization::Column::Id)
            .order_by_asc(identity::Column::ConnectedAt)
            .order_by_asc(identity::Column::Id)
            .into_tuple()
            .all(&self.conn)
            .await?;
        rows.dedup_by_key(|row| row.0);
        rows.into_iter().map(rights).collect()
    }

    /// All packages of an organization but those of its mirrors, which every member reads, with what decides about who may read
    /// them, by id.
    pub async fn readable_list(&self, organization: OrganizationId) -> Result<Vec<Readable>, StorageError> {
        let theirs = package::Column::OrganizationId.eq(Uuid::from(organization));
        let own = readables().filter(theirs).filter(package::Column::MirrorId.is_null());
        let found = own.order_by_asc(package::Column::Id);
        let rows: Vec<ReadableRow> = found.into_tuple().all(&self.conn).await?;
        rows.into_iter().map(readable).collect()
    }

    /// What decides about who may read a package.
    pub async fn readable_find(&self, package: PackageId) -> Result<Option<Readable>, StorageError> {
        let found = readables().filter(package::Column::Id.eq(Uuid::from(package)));
        let row: Option<ReadableRow> = found.into_tuple().one(&self.conn).await?;
        row.map(readable).transpose()
    }
}

fn rights(
    (id, from, succeeded_at, bytes, asked_at): RightsRow,
) -> Result<(SynchronizationId, Rights), StorageError> {
    let row = Row::of("synchronization", id);
    // An answer that bears its own time came from their own account, whoever is asked from now on.
    let is_own = rights_from(&row, &from)? == RightsFrom::EachPerson || asked_at.is_some();
    let asked_at = if is_own { asked_at } else { succeeded_at };
    let asked_at = row.instant_or_null("asked_at", asked_at)?;
    let access = access(&Row::of("remote_person", id), bytes)?;
    Ok((id.into(), Rights { access, asked_at, is_own }))
}

fn readables() -> Select<package::Entity> {
    let to_repository = package::Entity::belongs_to(repository::Entity)
        .from(package::Column::RepositoryId)
        .to(repository::Column::Id)
        .into();
    package::Entity::find()
        .join(JoinType::LeftJoin, to_repository)
        .select_only()
        .column(package::Column::Id)
        .column(package::Column::Name)
        .column(package::Column::IsRestricted)
        .column(repository::Column::SynchronizationId)
        .column(repository::Column::Number)
}

fn readable(
    (id, name, is_restricted, synchronization, number): ReadableRow,
) -> Result<Readable, StorageError> {
    let name = Row::of("package", id).parse_or_null("name", name)?;
    let number = number.map(|number| Row::of("repository", id).number("number", number)).transpose()?;
    let followed =
        synchronization.zip(number).map(|(id, number)| Followed { synchronization_id: id.into(), number });
    Ok(Readable { package_id: id.into(), name, followed, is_restricted })
}

#[cfg(test)]
mod tests;
