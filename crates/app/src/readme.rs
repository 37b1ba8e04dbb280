//! READMEs of packages whose code is in no repository: they are in the zips.

use crate::{App, Failure, archive};
use stave_domain::{
    id::PackageId,
    version::{Version, compare},
};
use std::{collections::HashSet, path::Path};

impl App {
    /// Reads the README out of the zip of a version that was just stored, if no newer version has its zip here.
    pub(crate) async fn readme_keep(
        &self,
        package: PackageId,
        commit: &str,
        zip: &Path,
    ) -> Result<(), Failure> {
        let dists = self.storage.dist_list(package).await?;
        let here: HashSet<&str> = dists.iter().map(|dist| dist.commit.as_str()).collect();
        let versions = self.storage.version_list(package).await?;
        let served =
            versions.iter().filter(|it| it.removed_at.is_none() && here.contains(it.commit.as_str()));
        if served.max_by(|a, b| by_age(a, b)).is_none_or(|newest| newest.commit != commit) {
            return Ok(());
        }
        let zip = zip.to_owned();
        let read = tokio::task::spawn_blocking(move || archive::readme(&zip));
        // The zip is served as it is; one whose README cannot be read has none.
        let readme = read.await.map_err(Failure::internal)?.unwrap_or_default();
        Ok(self.storage.readme_put(package, readme.as_deref()).await?)
    }
}

/// Releases come after branches.
fn by_age(a: &Version, b: &Version) -> std::cmp::Ordering {
    b.is_dev.cmp(&a.is_dev).then_with(|| compare(&a.normalized, &b.normalized))
}
