//! Installs and downloads, counted.

use crate::{
    Storage, StorageError, query,
    tables::{
        Row, download,
        install::{Column, Entity, Model},
        package, version,
    },
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Alias, Expr, OnConflict},
};
use stave_domain::{
    id::PackageId,
    install::{Day, DownloadCount, InstallCount},
};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

impl Storage {
    /// Adds to what was counted, all or nothing. Whatever is of a package that was deleted meanwhile counts no more.
    pub async fn install_add(
        &self,
        installs: &[InstallCount],
        downloads: &[DownloadCount],
    ) -> Result<(), StorageError> {
        let txn = self.begin().await?;
        let counted = installs.iter().map(|it| it.package_id).chain(downloads.iter().map(|it| it.package_id));
        let there = txn.packages_there(counted.collect()).await?;
        let installs = installs.iter().filter(|it| there.contains(&it.package_id));
        query::insert_many(installs.map(Model::from).collect(), one_more_install(), &txn).await?;
        let downloads = downloads.iter().filter(|it| there.contains(&it.package_id));
        query::insert_many(downloads.map(download::Model::from).collect(), one_more_download(), &txn).await?;
        txn.commit().await
    }

    /// The installs of a package on each day that had some, from `since` on, the oldest first.
    pub async fn install_list_by_day(
        &self,
        package: PackageId,
        since: Day,
    ) -> Result<Vec<(Day, u64)>, StorageError> {
        let days = of(package)
            .filter(Column::Day.gte(i64::from(since.0)))
            .select_only()
            .column(Column::Day)
            .column_as(sum(), "sum")
            .group_by(Column::Day)
            .order_by_asc(Column::Day);
        let rows: Vec<(i64, i64)> = days.into_tuple().all(&self.conn).await?;
        let row = Row::of("install", package);
        let each = |(day, count)| Ok((Day(row.number("day", day)?), row.number("count", count)?));
        rows.into_iter().map(each).collect()
    }

    /// The installs of each version of a package that ever had some.
    pub async fn install_list_by_version(
        &self,
        package: PackageId,
    ) -> Result<Vec<(String, u64)>, StorageError> {
        let versions = of(package)
            .select_only()
            .column(Column::Version)
            .column_as(sum(), "sum")
            .group_by(Column::Version)
            .order_by_asc(Column::Version);
        let rows: Vec<(String, i64)> = versions.into_tuple().all(&self.conn).await?;
        let row = Row::of("install", package);
        rows.into_iter().map(|(version, count)| Ok((version, row.number("count", count)?))).collect()
    }

    /// All installs of each of these packages; those without are not in it.
    pub async fn install_totals(
        &self,
        packages: &[PackageId],
    ) -> Result<HashMap<PackageId, u64>, StorageError> {
        let totals = Entity::find()
            .filter(Column::PackageId.is_in(packages.iter().map(|id| Uuid::from(*id))))
            .select_only()
            .column(Column::PackageId)
            .column_as(sum(), "sum")
            .group_by(Column::PackageId);
        let rows: Vec<(Uuid, i64)> = totals.into_tuple().all(&self.conn).await?;
        let each = |(id, count)| Ok((PackageId::from(id), Row::of("install", id).number("count", count)?));
        rows.into_iter().map(each).collect()
    }

    /// The downloads of each dist of a package that ever had some, by commit.
    pub async fn download_list(&self, package: PackageId) -> Result<Vec<DownloadCount>, StorageError> {
        let theirs = download::Entity::find().filter(download::Column::PackageId.eq(Uuid::from(package)));
        query::all(theirs.order_by_asc(download::Column::Commit), &self.conn).await
    }

    /// Which of these packages have which of these versions, by their normalized form, or once had them.
    pub async fn version_list_there(
        &self,
        packages: &BTreeSet<PackageId>,
        normalized: &BTreeSet<&str>,
    ) -> Result<HashSet<(PackageId, String)>, StorageError> {
        let there = version::Entity::find()
            .filter(version::Column::PackageId.is_in(packages.iter().map(|id| Uuid::from(*id))))
            .filter(version::Column::Normalized.is_in(normalized.iter().copied()))
            .select_only()
            .columns([version::Column::PackageId, version::Column::Normalized]);
        let rows: Vec<(Uuid, String)> = there.into_tuple().all(&self.conn).await?;
        Ok(rows.into_iter().map(|(id, version)| (id.into(), version)).collect())
    }

    async fn packages_there(&self, ids: BTreeSet<PackageId>) -> Result<BTreeSet<PackageId>, StorageError> {
        let mut there = BTreeSet::new();
        for ids in query::batches(ids.into_iter().map(Uuid::from)) {
            let found = package::Entity::find().filter(package::Column::Id.is_in(ids));
            let found = found.select_only().column(package::Column::Id).into_tuple::<Uuid>();
            there.extend(found.all(&self.conn).await?.into_iter().map(PackageId::from));
        }
        Ok(there)
    }
}

fn of(package: PackageId) -> Select<Entity> {
    Entity::find().filter(Column::PackageId.eq(Uuid::from(package)))
}

/// PostgreSQL makes another type of a sum.
fn sum() -> Expr {
    Column::Count.sum().cast_as("bigint")
}

fn one_more_install() -> OnConflict {
    let count = Expr::col((Entity, Column::Count)).add(Expr::col((Alias::new("excluded"), Column::Count)));
    OnConflict::columns([Column::PackageId, Column::Day, Column::Version])
        .value(Column::Count, count)
        .to_owned()
}

fn one_more_download() -> OnConflict {
    use download::{Column, Entity};
    let known = |column: Column| Expr::col((Entity, column));
    let new = |column: Column| Expr::col((Alias::new("excluded"), column));
    let later = Expr::case(new(Column::UsedAt).gt(known(Column::UsedAt)), new(Column::UsedAt));
    OnConflict::columns([Column::PackageId, Column::Commit])
        .value(Column::Count, known(Column::Count).add(new(Column::Count)))
        .value(Column::UsedAt, later.finally(known(Column::UsedAt)))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use crate::testing::{acme_mailer, at, id, test_storage};
    use stave_domain::{
        id::PackageId,
        install::{Day, DownloadCount, InstallCount},
    };
    use std::collections::HashMap;

    fn installs(package_id: PackageId, day: i32, version: &str, count: u64) -> InstallCount {
        InstallCount { package_id, day: Day(day), version: version.into(), count }
    }

    fn downloads(package_id: PackageId, commit: char, count: u64, seconds: i64) -> DownloadCount {
        DownloadCount { package_id, commit: commit.to_string().repeat(40), count, used_at: at(seconds) }
    }

    #[tokio::test]
    async fn counts_are_added_up() {
        let storage = test_storage().await;
        let (_, mailer) = acme_mailer(&storage).await;
        let first = [
            installs(mailer, 20_000, "1.0.0.0", 2),
            installs(mailer, 20_000, "dev-main", 1),
            installs(mailer, 20_001, "1.0.0.0", 4),
            installs(id(99), 20_000, "1.0.0.0", 7),
        ];
        let of_dists =
            [downloads(mailer, 'a', 2, 5), downloads(mailer, 'b', 1, 9), downloads(id(99), 'a', 1, 1)];
        storage.install_add(&first, &of_dists).await.unwrap();
        storage
            .install_add(&[installs(mailer, 20_001, "1.0.0.0", 10)], &[downloads(mailer, 'b', 2, 7)])
            .await
            .unwrap();
        storage.install_add(&[], &[downloads(mailer, 'a', 1, 8)]).await.unwrap();
        let by_day = storage.install_list_by_day(mailer, Day(20_000)).await.unwrap();
        assert_eq!(by_day, [(Day(20_000), 3), (Day(20_001), 14)]);
        assert_eq!(storage.install_list_by_day(mailer, Day(20_001)).await.unwrap(), by_day[1..]);
        let by_version = storage.install_list_by_version(mailer).await.unwrap();
        assert_eq!(by_version, [("1.0.0.0".to_owned(), 16), ("dev-main".to_owned(), 1)]);
        assert_eq!(storage.install_totals(&[mailer, id(99)]).await.unwrap(), HashMap::from([(mailer, 17)]));
        let counted = storage.download_list(mailer).await.unwrap();
        assert_eq!(counted, [downloads(mailer, 'a', 3, 8), downloads(mailer, 'b', 3, 9)]);
        storage.package_delete(mailer).await.unwrap();
        assert_eq!(storage.install_totals(&[mailer]).await.unwrap(), HashMap::new());
        assert_eq!(storage.download_list(mailer).await.unwrap(), []);
    }
}
