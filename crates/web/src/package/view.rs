//! A package's page: how the reading of its origin stands, its versions, who installs and requires it, its README.

use super::{chart, readme};
use crate::{
    artifact::size,
    frame::{Frame, home},
    repository::{Log, Reading},
};
use askama::Template;
use stave_app::{PackageView, Problems};
use stave_domain::{
    advisory::Advisory,
    organization::Role,
    package::Origin,
    run::RunLevel,
    security::Withheld,
    version::{Dist, Link, Stability, Version},
};

/// Versions on the page unless somebody wants all.
const SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "package.html")]
pub(crate) struct PackagePage {
    frame: Frame,
    home: String,
    view: PackageView,
    versions: Vec<VersionRow>,
    /// How many there are, shown or not.
    version_count: usize,
    reading: Reading,
    log: Option<Log>,
    weeks: Vec<chart::Week>,
    readme: Option<String>,
    /// What was typed to replace it, and what is wrong with that.
    replacement: String,
    problems: Problems,
}

struct VersionRow {
    version: Version,
    stability: Stability,
    requires: Vec<Link>,
    requires_dev: Vec<Link>,
    /// What it suggests, provides, conflicts with and replaces.
    other_links: Vec<Link>,
    licence: String,
    authors: String,
    dist: Option<Dist>,
    withheld: Option<Withheld>,
    advisories: Vec<Advisory>,
}

impl PackagePage {
    pub(crate) fn of(frame: Frame, mut view: PackageView, shows_all: bool) -> Self {
        let reading = view.repository.as_ref().map_or(Reading::Unknown, Reading::of);
        let log = view.repository.as_ref().and_then(|it| Log::of(it, Some(view.package.path())));
        let versions = std::mem::take(&mut view.versions);
        let version_count = versions.len();
        let shown = if shows_all { version_count } else { SHOWN };
        let versions = versions.into_iter().take(shown).map(|it| VersionRow::of(it, &view)).collect();
        let (home, weeks) = (home(&view.organization), chart::weeks(&view.installs));
        let readme = view.readme.as_deref().map(readme::shown).filter(|html| !html.trim().is_empty());
        let (replacement, problems) = (String::new(), Problems::default());
        Self {
            frame,
            home,
            view,
            versions,
            version_count,
            reading,
            log,
            weeks,
            readme,
            replacement,
            problems,
        }
    }

    /// The same after a replacement was typed that cannot be one.
    pub(super) fn refused(self, replacement: String, problems: Problems) -> Self {
        Self { replacement, problems, ..self }
    }

    fn title(&self) -> String {
        self.view.package.title(self.view.repository.as_ref().map(|it| &it.repository))
    }

    /// What installs it, once there is something to install. Composer has to be told that a branch will do, if there is no tag.
    fn require(&self) -> Option<String> {
        let served = || self.versions.iter().filter(|row| row.withheld.is_none());
        let name = self.view.package.name.as_ref().filter(|_| served().next().is_some())?;
        let is_dev = served().all(|row| row.version.is_dev);
        Some(format!("composer require {name}{}", if is_dev { ":@dev" } else { "" }))
    }

    /// The newest version that Composer gets: a stable one, if there is one.
    fn newest(&self) -> Option<&VersionRow> {
        let served = || self.versions.iter().filter(|row| row.withheld.is_none());
        served().find(|row| row.stability == Stability::Stable).or_else(|| served().next())
    }

    fn address(&self) -> String {
        format!("{}/packages/{}", self.home, self.view.package.id)
    }

    /// Whether the log says of a tag or branch why it is no version.
    fn has_log(&self) -> bool {
        self.log.as_ref().is_some_and(|log| !log.problems.is_empty())
    }

    fn is_manager(&self) -> bool {
        self.view.role >= Role::Admin
    }

    /// Whether there is something to read again.
    fn can_be_read(&self) -> bool {
        matches!(self.view.package.origin, Origin::Folder { .. } | Origin::Mirror(_))
    }

    fn is_custom(&self) -> bool {
        self.view.package.origin == Origin::Custom
    }

    fn is_artifact(&self) -> bool {
        self.view.package.origin == Origin::Artifact
    }

    /// The page of the repository that it is in.
    fn repository_address(&self) -> String {
        match &self.view.repository {
            Some(view) => format!("{}/repositories/{}", self.home, view.repository.id),
            None => self.address(),
        }
    }

    /// The page of a package here that a version names.
    fn page_of(&self, link: &Link) -> Option<String> {
        let id = self.view.required.get(&link.name)?;
        Some(format!("{}/packages/{id}", self.home))
    }

    /// Why it is not served as it is now, if the repository itself could be read.
    fn problem(&self) -> Option<&str> {
        let problem = self.view.package.problem.as_deref()?;
        let is_it = match &self.reading {
            Reading::Waiting | Reading::Running { .. } => false,
            Reading::Failed { .. } => self.reading.has_failed_because(problem),
            Reading::Done { .. } | Reading::Unknown => true,
        };
        is_it.then_some(problem)
    }

    /// Whether there is more in its repository.
    fn has_siblings(&self) -> bool {
        self.view.repository.as_ref().is_some_and(|it| it.packages.len() > 1)
    }

    /// Whether versions are served although something is wrong.
    fn serves(&self) -> bool {
        self.version_count > self.view.withheld.len()
    }

    /// `12 zips, 3.4 MB`.
    fn room(&self) -> String {
        let bytes: u64 = self.view.dists.values().map(|dist| dist.size_bytes).sum();
        match self.view.dists.len() {
            0 => "no zip was made yet".into(),
            1 => format!("1 zip, {}", size(&bytes)),
            count => format!("{count} zips, {}", size(&bytes)),
        }
    }

    /// How many installs a version had.
    fn installs_of(&self, version: &Version) -> u64 {
        let by_version = &self.view.installs.by_version;
        by_version.iter().find(|(it, _)| *it == version.normalized).map_or(0, |(_, count)| *count)
    }
}

impl VersionRow {
    fn of(version: Version, view: &PackageView) -> Self {
        let manifest: serde_json::Value = serde_json::from_str(&version.manifest).unwrap_or_default();
        let (mut requires, mut requires_dev, mut other_links) = (Vec::new(), Vec::new(), Vec::new());
        for link in version.links() {
            match link.section {
                "require" => requires.push(link),
                "require-dev" => requires_dev.push(link),
                _ => other_links.push(link),
            }
        }
        let affects = |advisory: &&Advisory| advisory.affected.contains(&version.normalized);
        let names = manifest["authors"].as_array().into_iter().flatten();
        let names: Vec<&str> = names.filter_map(|author| author["name"].as_str()).collect();
        Self {
            stability: Stability::of(&version.normalized),
            requires,
            requires_dev,
            other_links,
            licence: words(&manifest["license"]),
            authors: names.join(", "),
            dist: view.dists.get(&version.commit).cloned(),
            withheld: view.withheld.get(&version.id).cloned(),
            advisories: view.advisories.iter().filter(affects).cloned().collect(),
            version,
        }
    }

    /// `2 packages + 1 dev`.
    fn requires_in_words(&self) -> String {
        let packages = match self.requires.len() {
            1 => "1 package".to_owned(),
            count => format!("{count} packages"),
        };
        match (self.requires.len(), self.requires_dev.len()) {
            (0, 0) => "nothing".into(),
            (0, dev) => format!("{dev} dev"),
            (_, 0) => packages,
            (_, dev) => format!("{packages} + {dev} dev"),
        }
    }

    /// Enough of the commit to recognise it.
    fn commit(&self) -> &str {
        self.version.commit.get(..10).unwrap_or(&self.version.commit)
    }

    fn size(&self) -> String {
        self.dist.as_ref().map(|dist| size(&dist.size_bytes)).unwrap_or_default()
    }
}

/// A text, or some of them with commas.
fn words(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(texts) => {
            texts.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn licences_in_words() {
        assert_eq!(words(&json!("MIT")), "MIT");
        assert_eq!(words(&json!(["MIT", 7, "Apache-2.0"])), "MIT, Apache-2.0");
        assert_eq!(words(&json!({})), "");
    }
}
