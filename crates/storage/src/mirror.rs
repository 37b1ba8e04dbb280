//! Composer repositories of others that are followed, and their packages.

use crate::{
    Storage, StorageError, query,
    tables::{
        mirror::{Column, Entity, Model},
        mirrored_package, package,
    },
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
    sea_query::{Expr, Func},
};
use stave_domain::{
    Timestamp,
    id::{CredentialId, MirrorId, OrganizationId, PackageId},
    mirror::{Adds, Mirror, MirroredPackage},
    package::{Package, PackageName},
};
use std::collections::HashMap;
use uuid::Uuid;

impl Storage {
    /// A new mirror.
    pub async fn mirror_insert(&self, mirror: &Mirror) -> Result<(), StorageError> {
        query::insert(Model::from(mirror), &self.conn).await
    }

    /// The mirror with this id.
    pub async fn mirror_find(&self, id: MirrorId) -> Result<Option<Mirror>, StorageError> {
        query::one(Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// An organization's mirrors, in the order in which they are asked.
    pub async fn mirror_list(&self, organization: OrganizationId) -> Result<Vec<Mirror>, StorageError> {
        let theirs = Entity::find().filter(Column::OrganizationId.eq(Uuid::from(organization)));
        query::all(by_position(theirs), &self.conn).await
    }

    /// The mirrors that are asked with a credential.
    pub async fn mirror_list_of_credential(&self, id: CredentialId) -> Result<Vec<Mirror>, StorageError> {
        let asked_with = Entity::find().filter(Column::CredentialId.eq(Uuid::from(id)));
        query::all(by_position(asked_with), &self.conn).await
    }

    /// Mirrors that were last asked before an instant, or never, those first: at most `limit`. Those that are switched off are never
    /// due.
    pub async fn mirror_list_due(
        &self,
        checked_before: Timestamp,
        limit: u64,
    ) -> Result<Vec<Mirror>, StorageError> {
        let never = Column::CheckedAt.is_null();
        let long_ago = Column::CheckedAt.lt(checked_before.as_millisecond());
        let asked = Entity::find().filter(Column::Adds.ne(Adds::Disabled.key()));
        let due = asked.filter(Condition::any().add(never.clone()).add(long_ago));
        let first = due.order_by_desc(never).order_by_asc(Column::CheckedAt).order_by_asc(Column::Id);
        query::all(first.limit(limit), &self.conn).await
    }

    /// Stores everything of the record.
    pub async fn mirror_update(&self, mirror: &Mirror) -> Result<(), StorageError> {
        query::update(Model::from(mirror), &self.conn).await
    }

    /// Notes when a mirror was last asked, and why it could not be read then. Since when it fails is the first of the tries that did.
    /// One that is gone stays gone.
    pub async fn mirror_checked(
        &self,
        id: MirrorId,
        at: Timestamp,
        because: Option<&str>,
    ) -> Result<(), StorageError> {
        let (before, now) = (Expr::col(Column::FailingSince), query::value(at.as_millisecond()));
        let failing_since =
            because.map_or_else(|| query::value(None::<i64>), |_| Expr::from(Func::coalesce([before, now])));
        Entity::update_many()
            .filter(Column::Id.eq(Uuid::from(id)))
            .col_expr(Column::CheckedAt, query::value(at.as_millisecond()))
            .col_expr(Column::LastError, query::value(because.map(str::to_owned)))
            .col_expr(Column::FailingSince, failing_since)
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Puts an organization's mirrors into this order, all or none. Those that it does not have are passed over; those that are not
    /// named keep their place.
    pub async fn mirror_reorder(
        &self,
        organization: OrganizationId,
        order: &[MirrorId],
    ) -> Result<(), StorageError> {
        let transaction = self.begin().await?;
        for (position, id) in (0_i64..).zip(order) {
            Entity::update_many()
                .filter(Column::Id.eq(Uuid::from(*id)))
                .filter(Column::OrganizationId.eq(Uuid::from(organization)))
                .col_expr(Column::Position, query::value(position))
                .exec(&transaction.conn)
                .await?;
        }
        transaction.commit().await
    }

    /// Deletes a mirror. Its packages stay: delete them before, with [`Self::package_delete_of_mirror`].
    pub async fn mirror_delete(&self, id: MirrorId) -> Result<(), StorageError> {
        Entity::delete_by_id(Uuid::from(id)).exec(&self.conn).await?;
        Ok(())
    }

    /// How many packages each mirror of an organization has; one without any is not in it.
    pub async fn mirror_package_counts(
        &self,
        organization: OrganizationId,
    ) -> Result<HashMap<MirrorId, u64>, StorageError> {
        let counts: Vec<(Uuid, i64)> = package::Entity::find()
            .filter(package::Column::OrganizationId.eq(Uuid::from(organization)))
            .filter(package::Column::MirrorId.is_not_null())
            .select_only()
            .column(package::Column::MirrorId)
            .column_as(package::Column::Id.count(), "count")
            .group_by(package::Column::MirrorId)
            .into_tuple()
            .all(&self.conn)
            .await?;
        Ok(counts.into_iter().map(|(id, count)| (id.into(), count.unsigned_abs())).collect())
    }

    /// How many packages a mirror has.
    pub async fn mirror_package_count(&self, id: MirrorId) -> Result<u64, StorageError> {
        Ok(packages_of(id).count(&self.conn).await?)
    }

    /// A page of a mirror's packages by name, those after `after`: at most `limit`.
    pub async fn package_list_of_mirror(
        &self,
        id: MirrorId,
        after: Option<&PackageName>,
        limit: u64,
    ) -> Result<Vec<Package>, StorageError> {
        let after = after.map_or("", PackageName::as_str);
        let page = packages_of(id).filter(package::Column::Name.gt(after));
        query::all(page.order_by_asc(package::Column::Name).limit(limit), &self.conn).await
    }

    /// Deletes packages of a mirror with all that [`Self::package_delete`] deletes with them: at most `limit`. Says how many there
    /// were; with none, all are gone.
    pub async fn package_delete_of_mirror(&self, id: MirrorId, limit: u64) -> Result<u64, StorageError> {
        let some = packages_of(id).select_only().column(package::Column::Id);
        let ids: Vec<Uuid> =
            some.order_by_asc(package::Column::Id).limit(limit).into_tuple().all(&self.conn).await?;
        let transaction = self.begin().await?;
        let mut deleted = 0;
        for ids in query::batches(ids) {
            let these = package::Entity::delete_many().filter(package::Column::Id.is_in(ids));
            deleted += these.exec(&transaction.conn).await?.rows_affected;
        }
        transaction.commit().await?;
        Ok(deleted)
    }

    /// What is remembered of a package because it is a mirror's.
    pub async fn mirrored_package_find(
        &self,
        id: PackageId,
    ) -> Result<Option<MirroredPackage>, StorageError> {
        query::one(mirrored_package::Entity::find_by_id(Uuid::from(id)), &self.conn).await
    }

    /// Remembers this of a package, in place of what was remembered.
    pub async fn mirrored_package_put(&self, mirrored: &MirroredPackage) -> Result<(), StorageError> {
        query::upsert(mirrored_package::Model::from(mirrored), &self.conn).await
    }

    /// The packages of a mirror that were last asked for before an instant, or never, the oldest packages first, with what is
    /// remembered of them: at most `limit`.
    pub async fn mirrored_package_list_due(
        &self,
        id: MirrorId,
        checked_before: Timestamp,
        limit: u64,
    ) -> Result<Vec<(Package, Option<MirroredPackage>)>, StorageError> {
        let fresh = mirrored_package::Entity::find()
            .select_only()
            .column(mirrored_package::Column::PackageId)
            .filter(mirrored_package::Column::CheckedAt.gte(checked_before.as_millisecond()));
        let due = packages_of(id).filter(package::Column::Id.not_in_subquery(fresh.into_query()));
        let first = due.order_by_asc(package::Column::CreatedAt).order_by_asc(package::Column::Id);
        let packages: Vec<Package> = query::all(first.limit(limit), &self.conn).await?;
        let mut remembered: HashMap<PackageId, MirroredPackage> = HashMap::new();
        for ids in query::batches(packages.iter().map(|package| Uuid::from(package.id))) {
            let found = mirrored_package::Entity::find();
            let found = found.filter(mirrored_package::Column::PackageId.is_in(ids));
            let found: Vec<MirroredPackage> = query::all(found, &self.conn).await?;
            remembered.extend(found.into_iter().map(|mirrored| (mirrored.package_id, mirrored)));
        }
        let with_memory = |package: Package| {
            let mirrored = remembered.remove(&package.id);
            (package, mirrored)
        };
        Ok(packages.into_iter().map(with_memory).collect())
    }
}

fn by_position(mirrors: Select<Entity>) -> Select<Entity> {
    mirrors.order_by_asc(Column::Position).order_by_asc(Column::CreatedAt).order_by_asc(Column::Id)
}

fn packages_of(id: MirrorId) -> Select<package::Entity> {
    package::Entity::find().filter(package::Column::MirrorId.eq(Uuid::from(id)))
}

#[cfg(test)]
mod tests;
