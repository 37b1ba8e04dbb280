//! Publishing: the finished bytes of p2/<name>.json and p2/<name>~dev.json, made when versions change, not when they are read.

use crate::{
    App, Failure,
    security::{Grounds, shown},
};
use flate2::{Compression, write::GzEncoder};
use jiff::{SignedDuration, Unit};
use stave_domain::{
    Timestamp,
    composer::{Metadata, metadata::Source},
    id::PackageId,
    job::Job,
    organization::Organization,
    package::{Package, PackageName, document::Document, facet::facets_of},
    repository::Repository,
    version::{Dist, Version},
};
use stave_storage::{Storage, Transaction};
use std::{collections::HashMap, io::Write};

/// The public address that the published documents hold, and how they are written.
const PUBLISHED_URL: &str = "published.url";
/// Counts the ways in which documents were ever written: those of another way are written anew at the next start.
const FORMAT: u32 = 2;

/// What the documents of a package are written from.
struct Content {
    /// Those that are there and not withheld.
    versions: Vec<Version>,
    /// By commit.
    dists: HashMap<String, Dist>,
    grounds: Grounds,
}

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
        let repository = match package.repository_id() {
            Some(id) => storage.repository_find(id).await?,
            None => None,
        };
        let content = self.content_read(storage, &package, name).await?;
        storage.facet_put(package.id, &facets_of(&content.versions)).await?;
        for is_dev in [false, true] {
            let place = (&organization, repository.as_ref());
            let body = self.document_body(place, (&package, name), &content, is_dev)?;
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

    /// What the documents of a package are written from. On the way it is stored which dists are refused, and that the package is
    /// published again as soon as another version is old enough.
    async fn content_read(
        &self,
        storage: &Transaction,
        package: &Package,
        name: &PackageName,
    ) -> Result<Content, Failure> {
        let grounds = Grounds::of(storage, package, name).await?;
        let guard = grounds.guard(name);
        let versions = storage.version_list(package.id).await?;
        self.refusals_publish(storage, package.id, (&guard, &versions)).await?;
        let (versions, next_at) = shown(&guard, versions, self.clock.now());
        if let Some(next_at) = next_at {
            let job = Job::PublishPackage { package: package.id };
            self.job_enqueue_at(storage, next_at, job, Some(package.organization_id)).await?;
        }
        let dists = storage.dist_list(package.id).await?.into_iter();
        let dists = dists.map(|dist| (dist.commit.clone(), dist)).collect();
        Ok(Content { versions, dists, grounds })
    }

    /// The same in a transaction of its own.
    pub(crate) async fn package_publish(&self, id: PackageId) -> Result<(), Failure> {
        let txn = self.storage.begin().await?;
        self.documents_publish(&txn, id).await?;
        Ok(txn.commit().await?)
    }

    /// The documents hold absolute addresses: when the public address is another one, or this Stave writes them in another way,
    /// they are written anew.
    pub(crate) async fn documents_follow_url(&self) -> Result<(), Failure> {
        if self.storage.setting_find(PUBLISHED_URL).await?.as_deref() == Some(self.published_as().as_str()) {
            return Ok(());
        }
        self.job_enqueue(Job::PublishAll, None).await
    }

    /// Writes the documents of all packages anew, each package in its own transaction.
    pub(crate) async fn documents_publish_all(&self) -> Result<(), Failure> {
        for package in self.storage.package_id_list().await? {
            self.package_publish(package).await?;
        }
        Ok(self.storage.setting_put(PUBLISHED_URL, &self.published_as()).await?)
    }

    fn published_as(&self) -> String {
        format!("{} {FORMAT}", self.url())
    }

    fn document_body(
        &self,
        (organization, repository): (&Organization, Option<&Repository>),
        (package, name): (&Package, &PackageName),
        content: &Content,
        is_dev: bool,
    ) -> Result<Vec<u8>, Failure> {
        let there = content.versions.iter().filter(|version| version.is_dev == is_dev);
        // A branch's zip is made when first asked for, so its checksum is never announced.
        let dist = |version: &Version| content.dists.get(&version.commit).filter(|_| !is_dev);
        let published: Vec<_> = there.map(|version| (version, dist(version))).collect();
        let metadata = Metadata {
            name,
            abandoned: package.replacement(),
            // Composer clones the whole repository, so a package in a folder has no source.
            source: match repository {
                _ if content.grounds.guard(name).hides_source() => Source::Hidden,
                Some(repository) if package.path().is_empty() => Source::Of(repository.source.as_str()),
                Some(_) => Source::Hidden,
                None => Source::Own,
            },
            dist_url: &|version| self.dist_url(organization, name, &version.commit),
            advisories: &content.grounds.known.advisories,
            filter: &content.grounds.known.filter,
        };
        metadata.document(is_dev, &published).map_err(Failure::internal)
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
