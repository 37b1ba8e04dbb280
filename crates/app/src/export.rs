//! Leaving: an organization's packages as files, from which Composer installs without Stave.
//!
//! What is written is a Composer repository of metadata version 2: packages.json, p2/ and dists/, for any web server or none. It may be
//! written again over what is there: zips never change, and packages.json comes last.

use crate::{App, Failure};
use futures::TryStreamExt as _;
use serde_json::json;
use stave_domain::{
    composer::{
        Metadata,
        metadata::{Keys, Source},
    },
    organization::ShortName,
    package::{Package, PackageName},
    repository::Repository,
    version::{Dist, Publication, Version},
};
use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
};
use tokio::io::AsyncWriteExt as _;
use url::Url;

/// What is exported, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportAsked {
    /// The short name of the organization.
    pub organization: String,
    /// The folder; it is made if it is not there.
    pub to: PathBuf,
    /// Where the folder will be served; `None` if Composer reads it from the disk.
    pub base_url: Option<Url>,
    /// Whether what mirrors brought is exported too, as far as its zips are here.
    pub with_mirrored: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Exported {
    /// What goes into `repositories` of composer.json.
    pub url: String,
    /// Packages.
    pub packages: usize,
    /// Versions that Composer finds.
    pub versions: usize,
    /// Zips, those of versions that are gone too.
    pub dists: usize,
    /// What is not exported on purpose.
    pub left_out: LeftOut,
    /// What could not be exported, a sentence each.
    pub problems: Vec<String>,
}

/// What an export does not have in it, and nobody has to mend.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Packages of mirrored repositories.
    pub mirrored: usize,
    /// Packages of repositories in which no composer.json was found yet.
    pub unnamed: usize,
    /// Versions of mirrored packages that nobody installed here, so that their zips are still where they came from.
    pub unused: usize,
    /// Versions that the security settings hold back.
    pub withheld: usize,
}

impl LeftOut {
    /// A sentence for each, and for what no export has.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let counted = [
            (
                self.mirrored,
                "Packages of mirrored repositories",
                "--with-mirrored takes along those whose zips are here.",
            ),
            (
                self.unnamed,
                "Packages without a name",
                "No composer.json was found in their repositories yet.",
            ),
            (
                self.unused,
                "Versions of mirrored packages that nobody installed here",
                "Their zips are where they came from.",
            ),
            (
                self.withheld,
                "Versions that the security settings hold back",
                "Their zips are there, for lock files.",
            ),
        ];
        let counted = counted.into_iter().filter(|(count, ..)| *count > 0);
        let found = counted.map(|(count, what, why)| format!("{what} ({count}). {why}"));
        let always =
            "Who may read what, and warnings of security: whoever reaches the folder reads all of it.";
        found.chain([always.to_owned()]).collect()
    }
}

/// Where an export stands, for whoever waits.
#[derive(Debug)]
pub struct ExportEvent<'a> {
    /// The package that was just written.
    pub package: &'a PackageName,
    /// Packages done.
    pub done: usize,
    /// Packages in all.
    pub total: usize,
}

/// A package that is exported, with the zips that are there.
struct Exporting<'a> {
    package: &'a Package,
    repository: Option<&'a Repository>,
    name: &'a PackageName,
    dists: HashMap<String, Dist>,
}

impl App {
    /// Exports an organization. Who may run commands on this machine may read everything.
    pub async fn export(
        &self,
        asked: &ExportAsked,
        tell: &mut (dyn FnMut(ExportEvent<'_>) + Send),
    ) -> Result<Exported, Failure> {
        let missing = || Failure::Absent(format!("There is no organization {} here.", asked.organization));
        let short_name: ShortName = asked.organization.parse().map_err(|_| missing())?;
        let organization =
            self.storage.organization_find_by_short_name(&short_name).await?.ok_or_else(missing)?;
        let to = folder(&asked.to)?;
        let base = match &asked.base_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("file://{}", to.display()),
        };
        let mut found = self.storage.package_list(organization.id, "", 0, u64::from(u32::MAX)).await?;
        let mut left_out = LeftOut::default();
        found.retain(|(package, _)| is_exported(package, asked.with_mirrored, &mut left_out));
        if found.is_empty() {
            return Err(Failure::Conflict(format!(
                "The organization {short_name} has no package that could be exported."
            )));
        }
        let mut exported = Exported { url: base.clone(), left_out, ..Exported::default() };
        let mut names = Vec::new();
        for (done, (package, repository)) in found.iter().enumerate() {
            let Some(name) = &package.name else { continue };
            let publications = self.storage.publication_list(package.id).await?;
            let mut exporting =
                Exporting { package, repository: repository.as_ref(), name, dists: HashMap::new() };
            self.dists_export(&mut exporting, &publications, &to, &mut exported).await?;
            let versions = self.documents_export(&exporting, (&base, &to), &mut exported.left_out).await?;
            exported.versions += versions;
            if versions > 0 || !package.is_mirrored() {
                // Composer would look nowhere else for one that is named here.
                names.push(name.as_str());
            }
            tell(ExportEvent { package: name, done: done + 1, total: found.len() });
        }
        exported.packages = names.len();
        let root = json!({
            "packages": [],
            "metadata-url": format!("{base}/p2/%package%.json"),
            "available-packages": names,
        });
        write(&to.join("packages.json"), format!("{root:#}\n").as_bytes())?;
        Ok(exported)
    }

    /// Writes every zip that was ever served. What cannot be had is named, and its version left out.
    async fn dists_export(
        &self,
        exporting: &mut Exporting<'_>,
        publications: &[Publication],
        to: &Path,
        exported: &mut Exported,
    ) -> Result<(), Failure> {
        let Exporting { package, name, .. } = *exporting;
        let there = publications.iter().filter(|publication| publication.archive.is_there());
        let by_commit: BTreeMap<&str, &Publication> = there.map(|it| (it.commit.as_str(), it)).collect();
        for (commit, publication) in by_commit {
            if package.is_mirrored() && self.storage.dist_find(package.id, commit).await?.is_none() {
                // It was never used here, and is where it came from.
                continue;
            }
            let place = to.join(format!("dists/{name}/{commit}.zip"));
            let version = &publication.normalized;
            match self.dist_export(package, commit, &place).await {
                Ok(Some(dist)) => {
                    exported.dists += 1;
                    exporting.dists.insert(commit.to_owned(), dist);
                }
                Ok(None) => {
                    exported.problems.push(format!("{name} {version}: its archive is nowhere any more."));
                }
                Err(failure @ Failure::Disk(_)) => return Err(failure),
                Err(failure) => exported.problems.push(format!("{name} {version}: {failure}")),
            }
        }
        Ok(())
    }

    /// Writes a zip, unless it is there. `None` if there is none.
    async fn dist_export(
        &self,
        package: &Package,
        commit: &str,
        place: &Path,
    ) -> Result<Option<Dist>, Failure> {
        let Some(blob) = self.dist_open(package, commit).await? else { return Ok(None) };
        let dist = self.storage.dist_find(package.id, commit).await?;
        if fs::metadata(place).is_ok_and(|file| file.len() == blob.size_bytes) {
            return Ok(dist);
        }
        let folder = place.parent().unwrap_or(place);
        fs::create_dir_all(folder).map_err(Failure::Disk)?;
        let (file, path) = tempfile::NamedTempFile::new_in(folder).map_err(Failure::Disk)?.into_parts();
        let (mut file, mut stream) = (tokio::fs::File::from_std(file), blob.stream);
        while let Some(bytes) = stream.try_next().await? {
            file.write_all(&bytes).await.map_err(Failure::Disk)?;
        }
        file.flush().await.map_err(Failure::Disk)?;
        finish(path, place)?;
        Ok(dist)
    }

    /// Writes both p2 files of a package. How many versions are in them.
    async fn documents_export(
        &self,
        exporting: &Exporting<'_>,
        (base, to): (&str, &Path),
        left_out: &mut LeftOut,
    ) -> Result<usize, Failure> {
        let Exporting { package, repository, name, dists } = exporting;
        let withheld = self.versions_withheld(package).await?;
        let mut versions = self.storage.version_list(package.id).await?;
        versions.retain(|version| version.removed_at.is_none());
        let there = versions.len();
        versions.retain(|version| !withheld.contains_key(&version.id));
        left_out.withheld += there - versions.len();
        let there = versions.len();
        versions.retain(|version| !version.archive.is_there() || dists.contains_key(&version.commit));
        if package.is_mirrored() {
            left_out.unused += there - versions.len();
        }
        let metadata = Metadata {
            name,
            abandoned: package.replacement(),
            source: match repository {
                Some(repository) if package.path().is_empty() => Source::Of(repository.source.as_str()),
                Some(_) => Source::Hidden,
                None => Source::Own,
            },
            dist_url: &|version| format!("{base}/dists/{name}/{}.zip", version.commit),
            advisories: &[],
            filter: &Keys::new(),
        };
        for (is_dev, file) in [(false, format!("p2/{name}.json")), (true, format!("p2/{name}~dev.json"))] {
            let there = versions.iter().filter(|version| version.is_dev == is_dev);
            let there: Vec<(&Version, Option<&Dist>)> = there.map(|it| (it, dists.get(&it.commit))).collect();
            write(&to.join(file), &metadata.document(is_dev, &there).map_err(Failure::internal)?)?;
        }
        Ok(versions.len())
    }
}

/// Whether a package is exported; if not, it is counted.
fn is_exported(package: &Package, with_mirrored: bool, left_out: &mut LeftOut) -> bool {
    let is_left_out = package.is_mirrored() && !with_mirrored;
    left_out.mirrored += usize::from(is_left_out);
    left_out.unnamed += usize::from(!is_left_out && package.name.is_none());
    !is_left_out && package.name.is_some()
}

/// The folder to export to: a new or empty one, or one with an earlier export.
fn folder(path: &Path) -> Result<PathBuf, Failure> {
    let cannot = |error: io::Error| {
        Failure::Conflict(format!(
            "The folder {} cannot be written: {error}. Name another one.",
            path.display()
        ))
    };
    fs::create_dir_all(path).map_err(cannot)?;
    let is_empty = fs::read_dir(path).map_err(cannot)?.next().is_none();
    if !is_empty && !path.join("packages.json").is_file() && !path.join("p2").is_dir() {
        return Err(Failure::Conflict(format!(
            "The folder {} has something else in it. Name a new folder, or one with an earlier export.",
            path.display()
        )));
    }
    path.canonicalize().map_err(cannot)
}

/// Writes a file whole or not at all.
fn write(place: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = place.parent().unwrap_or(place);
    fs::create_dir_all(folder).map_err(Failure::Disk)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(Failure::Disk)?;
    io::Write::write_all(&mut file, bytes).map_err(Failure::Disk)?;
    finish(file.into_temp_path(), place)
}

/// Puts a finished file in its place, for every web server to read: temporary files are their owner's.
fn finish(file: tempfile::TempPath, place: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).map_err(Failure::Disk)?;
    file.persist(place).map_err(|error| Failure::Disk(error.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_said() {
        let nothing = LeftOut::default();
        assert_eq!(nothing.sentences().len(), 1, "who may read what is in no export");
        let all = LeftOut { mirrored: 3, unnamed: 1, unused: 20, withheld: 2 };
        let said = all.sentences();
        assert_eq!(said.len(), 5);
        for (sentence, count) in said.iter().zip(["(3)", "(1)", "(20)", "(2)"]) {
            assert!(sentence.contains(count), "{sentence}");
        }
    }
}
