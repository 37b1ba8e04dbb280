//! Security advisories: an organization's own, and those that its mirrors told.

use crate::{
    Storage, StorageError, query,
    tables::advisory::{Column, Entity, Model},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use stave_domain::{
    Timestamp,
    advisory::StoredAdvisory,
    id::{MirrorId, OrganizationId},
    package::PackageName,
};
use uuid::Uuid;

impl Storage {
    /// Stores advisories, all or none; one that the organization has already, by package and id, is overwritten.
    pub async fn advisory_put_many(&self, advisories: &[StoredAdvisory]) -> Result<(), StorageError> {
        let rows = advisories.iter().map(Model::from).collect();
        query::insert_many(rows, query::replace::<Entity>(), self).await
    }

    /// An organization's own advisory.
    pub async fn advisory_find_own(
        &self,
        organization: OrganizationId,
        id: &str,
    ) -> Result<Option<StoredAdvisory>, StorageError> {
        query::one(own(organization).filter(Column::AdvisoryId.eq(id)), &self.conn).await
    }

    /// An organization's own advisories, by package, the newest first.
    pub async fn advisory_list_own(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<StoredAdvisory>, StorageError> {
        let listed = own(organization).order_by_asc(Column::Package).order_by_desc(Column::UpdatedAt);
        query::all(listed.order_by_asc(Column::AdvisoryId), &self.conn).await
    }

    /// All advisories about these packages of an organization, by package and id.
    pub async fn advisory_list(
        &self,
        organization: OrganizationId,
        packages: impl IntoIterator<Item = &PackageName>,
    ) -> Result<Vec<StoredAdvisory>, StorageError> {
        let mut advisories = Vec::new();
        for names in query::batches(packages.into_iter().map(PackageName::as_str)) {
            let about = in_order(of(organization).filter(Column::Package.is_in(names)));
            advisories.extend(query::all::<_, StoredAdvisory>(about, &self.conn).await?);
        }
        Ok(advisories)
    }

    /// The advisories of an organization that came or changed from an instant on, by package and id.
    pub async fn advisory_list_since(
        &self,
        organization: OrganizationId,
        since: Timestamp,
        limit: u64,
    ) -> Result<Vec<StoredAdvisory>, StorageError> {
        let changed = of(organization).filter(Column::UpdatedAt.gte(since.as_millisecond()));
        query::all(in_order(changed).limit(limit), &self.conn).await
    }

    /// What a mirror told about a package, by id.
    pub async fn advisory_list_of_mirror(
        &self,
        mirror: MirrorId,
        package: &PackageName,
    ) -> Result<Vec<StoredAdvisory>, StorageError> {
        let told = Entity::find()
            .filter(Column::MirrorId.eq(Uuid::from(mirror)))
            .filter(Column::Package.eq(package.as_str()));
        query::all(in_order(told), &self.conn).await
    }

    /// Forgets advisories about a package.
    pub async fn advisory_delete(
        &self,
        organization: OrganizationId,
        package: &PackageName,
        ids: &[&str],
    ) -> Result<(), StorageError> {
        for ids in query::batches(ids.iter().copied()) {
            Entity::delete_many()
                .filter(Column::OrganizationId.eq(Uuid::from(organization)))
                .filter(Column::Package.eq(package.as_str()))
                .filter(Column::AdvisoryId.is_in(ids))
                .exec(&self.conn)
                .await?;
        }
        Ok(())
    }
}

fn of(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationId.eq(Uuid::from(organization)))
}

fn own(organization: OrganizationId) -> Select<Entity> {
    of(organization).filter(Column::MirrorId.is_null())
}

fn in_order(advisories: Select<Entity>) -> Select<Entity> {
    advisories.order_by_asc(Column::Package).order_by_asc(Column::AdvisoryId)
}

#[cfg(test)]
mod tests {
    use crate::testing::{acme_mailer, at, test_storage};
    use stave_domain::{
        advisory::{Advisory, Report, Severity, Source, StoredAdvisory},
        id::OrganizationId,
        package::PackageName,
    };

    fn advisory(organization: OrganizationId, package: &str, id: &str, seconds: i64) -> StoredAdvisory {
        StoredAdvisory {
            organization_id: organization,
            mirror_id: None,
            advisory: Advisory {
                id: id.into(),
                package: package.parse().unwrap(),
                affected: "<1.2|>=2.0,<2.1".parse().unwrap(),
                report: None,
            },
            updated_at: at(seconds),
        }
    }

    #[tokio::test]
    async fn advisories_are_stored_changed_and_forgotten() {
        let storage = test_storage().await;
        let (acme, _) = acme_mailer(&storage).await;
        let mailer: PackageName = "acme/mailer".parse().unwrap();
        let (one, two) = (advisory(acme, "acme/mailer", "A-1", 1), advisory(acme, "acme/mailer", "A-2", 2));
        let other = advisory(acme, "acme/log", "A-1", 3);
        storage.advisory_put_many(&[one.clone(), two.clone(), other.clone()]).await.unwrap();
        let mut told = two.clone();
        told.updated_at = at(9);
        told.advisory.report = Some(Report {
            title: "Sends too much".into(),
            cve: Some("CVE-2026-1".into()),
            link: None,
            severity: Some(Severity::High),
            sources: vec![Source { name: "Stave".into(), remote_id: "A-2".into() }],
            reported_at: at(0),
        });
        storage.advisory_put_many(std::slice::from_ref(&told)).await.unwrap();
        let about = storage.advisory_list(acme, [&mailer]).await.unwrap();
        assert_eq!(about, [one.clone(), told.clone()]);
        let all = storage.advisory_list_own(acme).await.unwrap();
        assert_eq!(all, [other.clone(), told.clone(), one.clone()]);
        let since = storage.advisory_list_since(acme, at(3), 9).await.unwrap();
        assert_eq!(since, [other.clone(), told.clone()]);
        assert_eq!(storage.advisory_list_since(acme, at(3), 1).await.unwrap(), std::slice::from_ref(&other));
        assert_eq!(storage.advisory_find_own(acme, "A-2").await.unwrap(), Some(told));
        storage.advisory_delete(acme, &mailer, &["A-1", "A-2"]).await.unwrap();
        assert_eq!(storage.advisory_list_own(acme).await.unwrap(), [other]);
    }
}
