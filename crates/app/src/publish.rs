//! Publishing: the finished bytes of p2/<name>.json and p2/<name>~dev.json, made when versions change, not when they are read.

use crate::{App, Failure};
use flate2::{Compression, write::GzEncoder};
use jiff::{SignedDuration, Unit};
use stave_domain::{
    Timestamp,
    composer::Metadata,
    id::PackageId,
    job::Job,
    organization::Organization,
    package::{Package, PackageName, document::Document},
    repository::Repository,
    version::{Dist, Version},
};
use stave_storage::{Storage, Transaction};
use std::{collections::HashMap, io::Write};

/// The public address that the published documents hold.
const PUBLISHED_URL: &str = "published.url";

impl App {
    /// Stores both documents of a package anew, if their bytes changed. Both exist from the first import on, even when one
    /// is empty: an empty list keeps Composer from looking for a private name in public repositories.
    pub(crate) async fn documents_publish(
        &self,
        storage: &Transaction,
        id: PackageId,
    ) -> Result<(), Failure> {
        // Read here and now: whoever calls may have worked for minutes since it last looked.
        let Some(package) = storage.package_lock(id).await? else { return Ok(()) };
        let Some(organization) = storage.organization_find(package.organization_id).await? else {
            return Ok(());
        };
        let Some(name) = &package.name else { return Ok(()) };
        let Some(repository) = storage.repository_find(package.repository_id).await? else { return Ok(()) };
        let versions = storage.version_list(package.id).await?;
        let dists: HashMap<String, Dist> = storage
            .dist_list(package.id)
            .await?
            .into_iter()
            .map(|dist| (dist.commit.clone(), dist))
            .collect();
        for is_dev in [false, true] {
            let published: Vec<(&Version, Option<&Dist>)> = versions
                .iter()
                .filter(|version| version.is_dev == is_dev && version.removed_at.is_none())
                // A branch's zip is made when first asked for, so its checksum is never announced.
                .map(|version| (version, dists.get(&version.commit).filter(|_| !is_dev)))
                .collect();
            let body = self.document_body(&organization, (&package, &repository), name, &published)?;
            let document = Document {
                organization_id: organization.id,
                package_id: package.id,
                name: name.clone(),
                is_dev,
                body_gzip: gzip(&body).map_err(Failure::internal)?,
                modified_at: self.clock.now(),
            };
            self.document_put(storage, document).await?;
        }
        Ok(())
    }

    /// The documents hold absolute addresses: when the public address is another one, they are written anew.
    pub(crate) async fn documents_follow_url(&self) -> Result<(), Failure> {
        if self.storage.setting_find(PUBLISHED_URL).await?.as_deref() == Some(self.url().as_str()) {
            return Ok(());
        }
        self.job_enqueue(Job::PublishAll, None).await
    }

    /// Writes the documents of all packages anew, each package in its own transaction.
    pub(crate) async fn documents_publish_all(&self) -> Result<(), Failure> {
        for package in self.storage.package_id_list().await? {
            let txn = self.storage.begin().await?;
            self.documents_publish(&txn, package).await?;
            txn.commit().await?;
        }
        Ok(self.storage.setting_put(PUBLISHED_URL, self.url().as_str()).await?)
    }

    fn document_body(
        &self,
        organization: &Organization,
        (package, repository): (&Package, &Repository),
        name: &PackageName,
        published: &[(&Version, Option<&Dist>)],
    ) -> Result<Vec<u8>, Failure> {
        let metadata = Metadata {
            name,
            abandoned: package.abandoned.as_deref(),
            // Composer clones the whole repository, so a package in a folder has no source.
            source_url: Some(repository.source.as_str()).filter(|_| package.path.is_empty()),
            dist_url: &|version| self.dist_url(organization, name, &version.commit),
        };
        metadata.document(published).map_err(Failure::internal)
    }

    async fn document_put(&self, storage: &Storage, document: Document) -> Result<(), Failure> {
        let before = storage.document_find(document.organization_id, &document.name, document.is_dev).await?;
        if before.as_ref().is_some_and(|before| before.body_gzip == document.body_gzip) {
            return Ok(());
        }
        let modified_at = later_than(before.map(|before| before.modified_at), document.modified_at);
        Ok(storage.document_put(&Document { modified_at, ..document }).await?)
    }

    /// Where the zip of a commit is, for ever.
    fn dist_url(&self, organization: &Organization, name: &PackageName, commit: &str) -> String {
        format!("{}dists/{name}/{commit}.zip", self.repository_url(organization))
    }
}

/// Composer compares `Last-Modified` by the second, so each change gets a second of its own.
fn later_than(before: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let second = now
        .round(jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc))
        .unwrap_or(now);
    before.map_or(second, |before| second.max(before + SignedDuration::from_secs(1)))
}

/// The same bytes for the same body: no time and no name are in the header.
fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_modified_strictly_increases() {
        let now: Timestamp = "2026-01-01T00:00:00.9Z".parse().unwrap();
        let first = later_than(None, now);
        assert_eq!(first.to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(later_than(Some(first), now).to_string(), "2026-01-01T00:00:01Z");
    }
}
