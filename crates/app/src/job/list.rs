//! Jobs as pages show them: what each does, for whom, and how far it is.

use crate::{Actor, App, Failure};
use stave_domain::{
    id::{
        CredentialId, IntegrationId, JobId, MirrorId, OrganizationId, PackageId, RepositoryId,
        SynchronizationId,
    },
    job::{Job, JobCount, JobState, ListedJob, News, PendingJob, Progress},
    organization::{Organization, Role},
    run::RunState,
};

/// Jobs on the page of all jobs. What comes later is counted.
const SHOWN: u64 = 200;

/// A job that waits or runs, as a page shows it.
#[derive(Debug)]
pub struct JobLine {
    /// The job.
    pub job: ListedJob,
    /// Whether it can be done now.
    pub state: JobState,
    /// For whom; `None` is the installation.
    pub organization: Option<Organization>,
    /// What it is about; `None` if it is about everything, if that is gone, or if whoever asks may not know.
    pub subject: Option<JobSubject>,
}

/// What a job is about.
#[derive(Debug)]
pub struct JobSubject {
    /// Its name.
    pub name: String,
    /// The page that shows it.
    pub page: JobPage,
    owner: Option<OrganizationId>,
}

/// The page that shows what a job is about; those below an organization are in that of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobPage {
    /// There is none.
    None,
    /// A package.
    Package(PackageId),
    /// A repository of several packages, or of none yet.
    Repository(RepositoryId),
    /// A synchronization.
    Synchronization(SynchronizationId),
    /// An integration.
    Integration(IntegrationId),
    /// A credential.
    Credential(CredentialId),
    /// A mirror.
    Mirror(MirrorId),
}

impl JobLine {
    /// What it is doing, in a few words: its own if it said some.
    #[must_use]
    pub fn phase(&self) -> &str {
        let phase = &self.job.pending.progress.phase;
        if phase.is_empty() { self.job.job.title() } else { phase }
    }

    /// Whether "Run now" changes something.
    #[must_use]
    pub fn can_be_hastened(&self) -> bool {
        self.state == JobState::Later
    }
}

impl App {
    /// The jobs that run and those that come next; for admins.
    pub async fn job_list(&self, actor: &Actor) -> Result<Vec<JobLine>, Failure> {
        actor.admin()?;
        let mut lines = Vec::new();
        for job in self.storage.job_list(None, SHOWN).await? {
            lines.push(self.job_line(job).await?);
        }
        Ok(lines)
    }

    /// How many jobs of each kind there are. Numbers only: everybody may know them.
    pub async fn job_count_list(&self) -> Result<Vec<JobCount>, Failure> {
        Ok(self.storage.job_count_list(self.clock.now()).await?)
    }

    /// The job of an organization that runs, or waits for a free runner, for one of its members. What it is about is for those who
    /// manage the organization: not everybody may know each package.
    pub async fn job_busy(
        &self,
        organization: &Organization,
        role: Role,
    ) -> Result<Option<JobLine>, Failure> {
        let Some(job) = self.storage.job_busy(organization.id, self.clock.now()).await? else {
            return Ok(None);
        };
        if role == Role::Member {
            let job = ListedJob { pending: PendingJob { progress: numbers_of(&job), ..job.pending }, ..job };
            let (state, organization) = (job.pending.state(self.clock.now()), Some(organization.clone()));
            return Ok(Some(JobLine { job, state, organization, subject: None }));
        }
        self.job_line(job).await.map(Some)
    }

    /// The same for a page that asks again and again.
    pub async fn job_busy_in(&self, actor: &Actor, short_name: &str) -> Result<Option<JobLine>, Failure> {
        let (organization, role) = self.organization_seen(actor, short_name).await?;
        self.job_busy(&organization, role).await
    }

    /// "Run now": a job does not wait for its time.
    pub async fn job_hasten(&self, actor: &Actor, id: JobId) -> Result<(), Failure> {
        actor.admin()?;
        let job = self.storage.job_find(id).await?;
        if !self.storage.job_hasten(id, self.clock.now()).await? {
            return Err(Failure::Conflict("The job runs already, or is done. Nothing was changed.".into()));
        }
        self.job_bell.notify_one();
        let line = match job {
            Some(job) => self.job_line(job).await?,
            None => return Ok(()),
        };
        let about = line.subject.map(|subject| format!(": {}", subject.name)).unwrap_or_default();
        let action = format!("had a job run now ({}{about})", line.job.job.title());
        self.log_by(actor, line.job.organization_id, action).await
    }

    async fn job_line(&self, mut job: ListedJob) -> Result<JobLine, Failure> {
        let subject = self.job_subject(job.job).await?;
        let owner = job.organization_id.or_else(|| subject.as_ref().and_then(|subject| subject.owner));
        let organization = match owner {
            Some(id) => self.storage.organization_find(id).await?,
            None => None,
        };
        if let Job::UpdateRepository { repository } = job.job
            && job.pending.is_running
        {
            job.pending.progress = self.reading_progress(repository).await?;
        }
        let state = job.pending.state(self.clock.now());
        Ok(JobLine { job, state, organization, subject })
    }

    async fn job_subject(&self, job: Job) -> Result<Option<JobSubject>, Failure> {
        match job {
            Job::UpdateRepository { repository } => self.repository_subject(repository).await,
            Job::BuildDists { package }
            | Job::PublishPackage { package }
            | Job::UpdateMirrored { package } => {
                let package = self.storage.package_find(package).await?;
                Ok(package.map(|package| JobSubject {
                    name: package.name.as_ref().map_or_else(|| "a package".to_owned(), ToString::to_string),
                    page: JobPage::Package(package.id),
                    owner: Some(package.organization_id),
                }))
            }
            Job::CollectGarbage | Job::PublishAll | Job::PublishOrganization { .. } => Ok(None),
            Job::UpdateMirror { mirror } => {
                let found = self.storage.mirror_find(mirror).await?;
                Ok(found.map(|found| JobSubject {
                    name: found.name,
                    page: JobPage::Mirror(found.id),
                    owner: Some(found.organization_id),
                }))
            }
            Job::Synchronize { synchronization }
            | Job::FindPackages { synchronization }
            | Job::Tell { news: News::SynchronizationFails { synchronization }, .. } => {
                let found = self.storage.synchronization_find(synchronization).await?;
                Ok(found.map(|found| JobSubject {
                    name: found.workspace.title().to_owned(),
                    page: JobPage::Synchronization(found.id),
                    owner: Some(found.organization_id),
                }))
            }
            Job::AskPerson { identity } => {
                let found = self.storage.identity_find(identity).await?;
                let named = |name| JobSubject { name, page: JobPage::None, owner: None };
                Ok(found.map(|identity| named(identity.handle)))
            }
            Job::TryEndpoints { integration } => {
                let found = self.storage.integration_find(integration).await?;
                Ok(found.map(|found| JobSubject {
                    name: found.name,
                    page: JobPage::Integration(found.id),
                    owner: found.organization_id,
                }))
            }
            Job::Tell { news: News::CredentialExpires { credential }, .. } => {
                let found = self.storage.credential_find(credential).await?;
                Ok(found.map(|found| JobSubject {
                    name: found.description,
                    page: JobPage::Credential(found.id),
                    owner: Some(found.organization_id),
                }))
            }
        }
    }

    /// A repository is known by its package; by its address while it has none, or many.
    async fn repository_subject(&self, id: RepositoryId) -> Result<Option<JobSubject>, Failure> {
        let Some(repository) = self.storage.repository_find(id).await? else { return Ok(None) };
        let packages = self.storage.package_list_of_repository(id).await?;
        let (name, page) = match packages.as_slice() {
            [package] => (package.name.as_ref().map(ToString::to_string), JobPage::Package(package.id)),
            _ => (None, JobPage::Repository(id)),
        };
        Ok(Some(JobSubject {
            name: name.unwrap_or_else(|| repository.source.to_string()),
            page,
            owner: Some(repository.organization_id),
        }))
    }

    /// How far the reading of a repository is: its run knows.
    async fn reading_progress(&self, repository: RepositoryId) -> Result<Progress, Failure> {
        match self.storage.run_latest(repository).await?.map(|run| run.state) {
            Some(RunState::Running { phase, done, total }) => Ok(Progress { phase, done, total }),
            _ => Ok(Progress::default()),
        }
    }
}

/// How far a job is, without the words, which may name something.
fn numbers_of(job: &ListedJob) -> Progress {
    let Progress { done, total, .. } = job.pending.progress;
    Progress { phase: String::new(), done, total }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeySource, Settings, entropy};
    use jiff::SignedDuration;
    use stave_domain::{job::NewJob, outbound::Outbound};

    async fn app(data: &tempfile::TempDir) -> App {
        let settings = Settings {
            data: data.path().to_owned(),
            url: "https://stave.example".parse().unwrap(),
            database_url: None,
            storage_url: None,
            outbound: Outbound::default(),
            key: KeySource::DataFolder,
            mail: None,
            docs_edit_url: None,
            mirror_url: None,
            trusted_proxies: Vec::new(),
        };
        App::start(settings).await.unwrap()
    }

    async fn organization(app: &App) -> Organization {
        let organization = Organization {
            id: entropy::id(),
            short_name: "acme".parse().unwrap(),
            name: "Acme".into(),
            enforced: None,
            deactivates_found: false,
            created_at: app.clock.now(),
        };
        app.storage.organization_insert(&organization).await.unwrap();
        organization
    }

    #[tokio::test]
    async fn a_job_that_waits_for_its_time_can_be_run_now() {
        let data = tempfile::tempdir().unwrap();
        let app = app(&data).await;
        let admin = Actor { is_setup: true, ..Actor::default() };
        let organization = organization(&app).await;
        let now = app.clock.now();
        let (id, gone) = (entropy::id(), entropy::id());
        let job = Job::UpdateRepository { repository: gone };
        let run_at = now + SignedDuration::from_hours(1);
        let organization_id = Some(organization.id);
        app.storage
            .job_enqueue(&NewJob {
                id,
                job,
                organization_id,
                urgency: job.urgency(),
                run_at,
                created_at: now,
            })
            .await
            .unwrap();

        let lines = app.job_list(&admin).await.unwrap();
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(line.can_be_hastened() && line.subject.is_none(), "its repository is gone: {line:?}");
        assert_eq!(line.organization.as_ref().unwrap().name, "Acme");
        let busy = async || app.job_busy(&organization, Role::Member).await.unwrap();
        assert!(busy().await.is_none(), "what waits for its time keeps nobody waiting");

        app.job_hasten(&admin, id).await.unwrap();
        assert_eq!(app.job_list(&admin).await.unwrap()[0].state, JobState::Due);
        assert_eq!(busy().await.unwrap().phase(), "Reading a repository");
        let refused = app.job_hasten(&admin, entropy::id()).await.unwrap_err();
        assert!(matches!(refused, Failure::Conflict(_)), "{refused:?}");
        let nobody = app.job_hasten(&Actor::default(), id).await.unwrap_err();
        assert!(matches!(nobody, Failure::LogInNeeded), "{nobody:?}");
        let log = app
            .storage
            .log_list(organization_id, &stave_domain::log::LogFilter::default(), None, 9)
            .await
            .unwrap();
        assert_eq!(log[0].action, "had a job run now (Reading a repository)");
    }

    #[tokio::test]
    async fn members_are_not_told_what_a_job_is_about() {
        let data = tempfile::tempdir().unwrap();
        let app = app(&data).await;
        let organization = organization(&app).await;
        app.job_enqueue(Job::PublishAll, Some(organization.id)).await.unwrap();
        let now = app.clock.now();
        let claimed =
            app.storage.job_claim("a", now, now + SignedDuration::from_mins(1)).await.unwrap().unwrap();
        let progress = Progress { phase: "Fetching acme/secret".into(), done: 3, total: 7 };
        app.job_progress(claimed.id, &progress).await;
        let manager = app.job_busy(&organization, Role::Admin).await.unwrap().unwrap();
        assert_eq!(manager.phase(), "Fetching acme/secret");
        let member = app.job_busy(&organization, Role::Member).await.unwrap().unwrap();
        assert_eq!(member.phase(), "Publishing all packages anew");
        assert_eq!((member.job.pending.progress.done, member.job.pending.progress.total), (3, 7));
    }
}
