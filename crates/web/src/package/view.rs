//! A package's page: how the reading of its repository stands, its versions, its log.

use crate::{
    frame::{Frame, home},
    repository::{Log, Reading},
};
use askama::Template;
use serde_json::{Map, Value};
use stave_app::PackageView;
use stave_domain::{organization::Role, run::RunLevel, version::Version};

#[derive(Template)]
#[template(path = "package.html")]
pub(crate) struct PackagePage {
    frame: Frame,
    home: String,
    view: PackageView,
    versions: Vec<VersionRow>,
    reading: Reading,
    log: Option<Log>,
}

struct VersionRow {
    version: Version,
    requires: Vec<(String, String)>,
    requires_dev: Vec<(String, String)>,
}

impl PackagePage {
    pub(crate) fn of(frame: Frame, mut view: PackageView) -> Self {
        let reading = Reading::of(&view.repository);
        let log = Log::of(&view.repository, Some(&view.package.path));
        let versions = std::mem::take(&mut view.versions).into_iter().map(VersionRow::of).collect();
        let home = home(&view.repository.organization);
        Self { frame, home, view, versions, reading, log }
    }

    fn title(&self) -> String {
        self.view.package.title(&self.view.repository.repository.source)
    }

    /// What installs it, once there is something to install. Composer has to be told that a branch will do, if there is no tag.
    fn require(&self) -> Option<String> {
        let name = self.view.package.name.as_ref().filter(|_| !self.versions.is_empty())?;
        let is_dev = self.versions.iter().all(|row| row.version.is_dev);
        Some(format!("composer require {name}{}", if is_dev { ":@dev" } else { "" }))
    }

    fn address(&self) -> String {
        format!("{}/packages/{}", self.home, self.view.package.id)
    }

    fn is_manager(&self) -> bool {
        self.view.repository.role >= Role::Admin
    }

    /// The page of the repository that it is in.
    fn repository_address(&self) -> String {
        format!("{}/repositories/{}", self.home, self.view.repository.repository.id)
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
        self.view.repository.packages.len() > 1
    }

    /// Whether versions are served although something is wrong.
    fn serves(&self) -> bool {
        !self.versions.is_empty()
    }
}

impl VersionRow {
    fn of(version: Version) -> Self {
        let manifest: Map<String, Value> = serde_json::from_str(&version.manifest).unwrap_or_default();
        Self { requires: links(&manifest, "require"), requires_dev: links(&manifest, "require-dev"), version }
    }

    /// `2 packages + 1 dev`.
    fn requires_in_words(&self) -> String {
        let packages = match self.requires.len() {
            1 => "1 package".to_owned(),
            count => format!("{count} packages"),
        };
        match (self.requires.len(), self.requires_dev.len()) {
            (0, dev) => format!("{dev} dev"),
            (_, 0) => packages,
            (_, dev) => format!("{packages} + {dev} dev"),
        }
    }

    /// Enough of the commit to recognise it.
    fn commit(&self) -> &str {
        self.version.commit.get(..10).unwrap_or(&self.version.commit)
    }
}

/// The packages that a section of composer.json names, with their constraints.
fn links(manifest: &Map<String, Value>, section: &str) -> Vec<(String, String)> {
    let links = manifest.get(section).and_then(Value::as_object).into_iter().flatten();
    links
        .map(|(name, constraint)| (name.clone(), constraint.as_str().unwrap_or_default().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_from_what_is_served() {
        let manifest =
            serde_json::from_str(r#"{"require": {"php": ">=8", "psr/log": "^3"}, "require-dev": []}"#)
                .unwrap();
        assert_eq!(links(&manifest, "require").len(), 2);
        assert!(links(&manifest, "require-dev").is_empty());
    }
}
