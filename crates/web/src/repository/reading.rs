//! How the reading of a repository stands, and the log of the last pass: on its own page and those of its packages.

use stave_app::RepositoryView;
use stave_domain::{
    Timestamp,
    run::{RunLevel, RunLine, RunState},
};

/// More problems than this are folded.
const PROBLEMS_SHOWN: usize = 12;

/// How the reading of the repository stands.
pub(crate) enum Reading {
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

/// What happened when a repository was last read.
pub(crate) struct Log {
    pub(crate) began_at: Timestamp,
    /// What is worth a look, errors first.
    pub(crate) problems: Vec<RunLine>,
    /// References that were imported as they should be, in order.
    pub(crate) lines: Vec<RunLine>,
    /// Whether it tells of several folders.
    pub(crate) has_folders: bool,
}

impl Reading {
    pub(crate) fn of(view: &RepositoryView) -> Self {
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

    /// Whether the page should look again soon.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self, Self::Waiting | Self::Running { .. })
    }

    pub(crate) fn has_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    /// Whether it failed for this very reason.
    pub(crate) fn has_failed_because(&self, problem: &str) -> bool {
        matches!(self, Self::Failed { because, .. } if because == problem)
    }
}

impl Log {
    /// Of the last pass, as far as it tells of one folder; of all without one. `None` if there is nothing to tell.
    pub(crate) fn of(view: &RepositoryView, folder: Option<&str>) -> Option<Self> {
        let run = view.run.as_ref()?;
        let told = run.lines.iter().filter(|line| folder.is_none_or(|folder| line.path == folder));
        let (mut problems, lines): (Vec<_>, Vec<_>) = told.cloned().partition(|line| !is_routine(line));
        problems.sort_by_key(|line| match line.level {
            RunLevel::Error => 0,
            RunLevel::Skipped => 1,
            RunLevel::Info => 2,
        });
        let has_folders = folder.is_none() && run.lines.iter().any(|line| !line.path.is_empty());
        let is_empty = problems.is_empty() && lines.is_empty();
        (!is_empty).then_some(Self { began_at: run.started_at, problems, lines, has_folders })
    }

    pub(crate) fn are_problems_folded(&self) -> bool {
        self.problems.len() > PROBLEMS_SHOWN
    }
}

/// Whether a reference was imported and there is nothing more to say. What names another package has more to say, after a
/// semicolon ([`Outcome::line`](stave_domain::composer::scan::Outcome::line)).
fn is_routine(line: &RunLine) -> bool {
    line.level == RunLevel::Info && line.message.starts_with("imported as ") && !line.message.contains(';')
}

#[cfg(test)]
mod tests {
    use super::*;
    use stave_domain::{
        job::{PendingJob, Progress},
        organization::{Organization, Role},
        repository::{Layout, Repository, SourceAccess},
        run::Run,
    };
    use uuid::Uuid;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn view(state: Option<RunState>, jobs: Vec<PendingJob>) -> RepositoryView {
        let id = Uuid::nil();
        let run = state.map(|state| Run {
            id: id.into(),
            repository_id: id.into(),
            started_at: at(0),
            state,
            lines: Vec::new(),
        });
        RepositoryView {
            organization: Organization {
                id: id.into(),
                short_name: "acme".parse().unwrap(),
                name: "Acme".into(),
                enforced: None,
                deactivates_found: false,
                created_at: at(0),
            },
            role: Role::Owner,
            repository: Repository {
                id: id.into(),
                organization_id: id.into(),
                source: "https://bitbucket.org/acme/mailer".parse().unwrap(),
                access: SourceAccess::Public,
                layout: Layout::Root,
                followed: None,
                created_at: at(0),
                checked_at: None,
                last_error: None,
            },
            access: String::new(),
            synchronization: None,
            packages: Vec::new(),
            run,
            is_busy: jobs.iter().any(|job| job.is_running || job.attempt == 0),
            jobs,
            hook_url: None,
        }
    }

    fn job(is_running: bool, attempt: u32, last_error: Option<&str>) -> PendingJob {
        PendingJob {
            is_running,
            run_at: at(90),
            attempt,
            last_error: last_error.map(str::to_owned),
            progress: Progress::default(),
        }
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
        let line = |level, message: &str| RunLine {
            level,
            path: String::new(),
            subject: "v1".into(),
            message: message.into(),
        };
        assert!(is_routine(&line(RunLevel::Info, "imported as 1.0.0")));
        for message in [
            "imported as 1.0.0; composer.json names a/b here, served as a/c",
            "the package is called a/c now",
        ] {
            assert!(!is_routine(&line(RunLevel::Info, message)), "{message}");
        }
        assert!(!is_routine(&line(RunLevel::Skipped, "skipped, its name is not a version")));
    }
}
