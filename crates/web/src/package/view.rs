//! A package's page: how the reading of its repository stands, its versions, its log.

use crate::frame::{Frame, home};
use askama::Template;
use serde_json::{Map, Value};
use stave_app::PackageView;
use stave_domain::{
    Timestamp,
    organization::Role,
    run::{RunLevel, RunLine, RunState},
    version::Version,
};

/// More problems than this are folded.
const PROBLEMS_SHOWN: usize = 12;

#[derive(Template)]
#[template(path = "package.html")]
pub(crate) struct PackagePage {
    frame: Frame,
    home: String,
    update_action: String,
    delete_action: String,
    view: PackageView,
    versions: Vec<VersionRow>,
    reading: Reading,
    /// What is worth a look in the last pass, errors first.
    problems: Vec<RunLine>,
    /// References that were imported under the name of the package, in order.
    lines: Vec<RunLine>,
}

/// How the reading of the repository stands.
enum Reading {
    /// Nobody has begun yet.
    Waiting,
    /// It goes on; `total` 0 is not known yet.
    Running { phase: String, done: u32, total: u32 },
    /// It failed. Without a next try only the periodic check is left.
    Failed { because: String, at: Option<Timestamp>, next_try_at: Option<Timestamp> },
    /// It went through.
    Done { at: Timestamp, changes: u32 },
    /// Nothing is known of any pass.
    Unknown,
}

struct VersionRow {
    version: Version,
    requires: Vec<(String, String)>,
    requires_dev: Vec<(String, String)>,
}

impl PackagePage {
    pub(crate) fn of(frame: Frame, mut view: PackageView) -> Self {
        let reading = Reading::of(&view);
        let lines = view.run.as_mut().map(|run| std::mem::take(&mut run.lines)).unwrap_or_default();
        let (mut problems, lines): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| !is_routine(line));
        problems.sort_by_key(|line| match line.level {
            RunLevel::Error => 0,
            RunLevel::Skipped => 1,
            RunLevel::Info => 2,
        });
        let versions = std::mem::take(&mut view.versions).into_iter().map(VersionRow::of).collect();
        let home = home(&view.organization);
        let address = format!("{home}/packages/{}", view.package.id);
        let (update_action, delete_action) = (format!("{address}/update"), format!("{address}/delete"));
        Self { frame, home, update_action, delete_action, view, versions, reading, problems, lines }
    }

    fn title(&self) -> String {
        self.view
            .package
            .name
            .as_ref()
            .map_or_else(|| self.view.package.source.to_string(), ToString::to_string)
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

    fn is_owner(&self) -> bool {
        self.view.role == Role::Owner
    }

    /// Whether the page should look again soon.
    fn is_busy(&self) -> bool {
        matches!(self.reading, Reading::Waiting | Reading::Running { .. })
    }

    fn has_failed(&self) -> bool {
        matches!(self.reading, Reading::Failed { .. })
    }

    fn are_problems_folded(&self) -> bool {
        self.problems.len() > PROBLEMS_SHOWN
    }
}

impl Reading {
    fn of(view: &PackageView) -> Self {
        let run = view.run.as_ref().map(|run| &run.state);
        let next_try_at = view.jobs.iter().filter(|job| !job.is_running).map(|job| job.run_at).min();
        let last_error = view.jobs.iter().find_map(|job| job.last_error.clone());
        match run {
            Some(RunState::Running { phase, done, total }) if view.is_busy => {
                Self::Running { phase: phase.clone(), done: *done, total: *total }
            }
            _ if view.is_busy => Self::Waiting,
            Some(RunState::Failed { at, because }) => {
                Self::Failed { because: because.clone(), at: Some(*at), next_try_at }
            }
            _ if last_error.is_some() => {
                Self::Failed { because: last_error.unwrap_or_default(), at: None, next_try_at }
            }
            Some(RunState::Done { at, changes }) => Self::Done { at: *at, changes: *changes },
            _ => Self::Unknown,
        }
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

/// Whether a reference was imported and there is nothing more to say. What names another package has more to say, after a
/// semicolon ([`Outcome::line`](stave_domain::composer::scan::Outcome::line)).
fn is_routine(line: &RunLine) -> bool {
    line.level == RunLevel::Info && line.message.starts_with("imported as ") && !line.message.contains(';')
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
    use stave_domain::{
        job::PendingJob,
        organization::Organization,
        package::{Package, SourceAccess},
        run::Run,
    };
    use uuid::Uuid;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn view(state: Option<RunState>, jobs: Vec<PendingJob>) -> PackageView {
        let id = Uuid::nil();
        let run = state.map(|state| Run {
            id: id.into(),
            package_id: id.into(),
            started_at: at(0),
            state,
            lines: Vec::new(),
        });
        PackageView {
            organization: Organization {
                id: id.into(),
                short_name: "acme".parse().unwrap(),
                name: "Acme".into(),
                enforced: None,
                created_at: at(0),
            },
            role: Role::Owner,
            package: Package {
                id: id.into(),
                organization_id: id.into(),
                name: None,
                source: "https://bitbucket.org/acme/mailer".parse().unwrap(),
                access: SourceAccess::Public,
                description: String::new(),
                abandoned: None,
                created_at: at(0),
                checked_at: None,
                last_error: None,
            },
            access: String::new(),
            versions: Vec::new(),
            run,
            is_busy: jobs.iter().any(|job| job.is_running || job.attempt == 0),
            jobs,
            hook_url: None,
        }
    }

    fn job(is_running: bool, attempt: u32, last_error: Option<&str>) -> PendingJob {
        PendingJob { is_running, run_at: at(90), attempt, last_error: last_error.map(str::to_owned) }
    }

    fn failed() -> RunState {
        RunState::Failed { at: at(5), because: "no".into() }
    }

    #[test]
    fn a_job_that_waits_for_its_first_try_hides_what_was() {
        assert!(matches!(Reading::of(&view(None, vec![job(false, 0, None)])), Reading::Waiting));
        assert!(matches!(Reading::of(&view(Some(failed()), vec![job(false, 0, None)])), Reading::Waiting));
    }

    #[test]
    fn a_failure_tells_when_it_is_tried_again() {
        let Reading::Failed { next_try_at, .. } =
            Reading::of(&view(Some(failed()), vec![job(false, 2, Some("no"))]))
        else {
            panic!("not failed")
        };
        assert_eq!(next_try_at, Some(at(90)));
        let Reading::Failed { next_try_at, .. } = Reading::of(&view(Some(failed()), Vec::new())) else {
            panic!("not failed")
        };
        assert_eq!(next_try_at, None);
    }

    #[test]
    fn a_job_that_never_came_to_a_run_is_a_failure_too() {
        let Reading::Failed { because, at, .. } =
            Reading::of(&view(None, vec![job(false, 1, Some("disk full"))]))
        else {
            panic!("not failed")
        };
        assert_eq!((because.as_str(), at), ("disk full", None));
    }

    #[test]
    fn what_names_another_package_is_not_folded() {
        let line = |level, message: &str| RunLine { level, subject: "v1".into(), message: message.into() };
        assert!(is_routine(&line(RunLevel::Info, "imported as 1.0.0")));
        for message in [
            "imported as 1.0.0; composer.json names a/b here, served as a/c",
            "the package is called a/c now",
        ] {
            assert!(!is_routine(&line(RunLevel::Info, message)), "{message}");
        }
        assert!(!is_routine(&line(RunLevel::Skipped, "skipped, its name is not a version")));
    }

    #[test]
    fn links_are_read_from_what_is_served() {
        let manifest =
            serde_json::from_str(r#"{"require": {"php": ">=8", "psr/log": "^3"}, "require-dev": []}"#)
                .unwrap();
        assert_eq!(links(&manifest, "require").len(), 2);
        assert!(links(&manifest, "require-dev").is_empty());
    }
}
