//! Synchronizations as their owners and admins see them: the list, and the page of one.

use crate::{AccessChoice, Actor, App, FailingEndpoint, Failure, PeoplePage, PeopleSearch};
use stave_domain::{
    delivery::Delivery,
    id::SynchronizationId,
    integration::Integration,
    job::{Job, PendingJob},
    organization::Organization,
    synchronization::{
        Condition, InstalledWebhook, KnownPerson, Preview, Stage, Synchronization, SynchronizationAccess,
    },
    user::User,
};
use stave_storage::RepositoryCounts;

/// Deliveries on the page of a synchronization.
const DELIVERIES_SHOWN: u64 = 20;

/// The synchronizations of an organization.
#[derive(Debug)]
pub struct SynchronizationListView {
    /// Whose.
    pub organization: Organization,
    /// The primary one first.
    pub lines: Vec<SynchronizationLine>,
    /// What no longer answers as it should at the platforms that are followed.
    pub failing: Vec<FailingEndpoint>,
}

/// A synchronization, and how it fares.
#[derive(Debug)]
pub struct SynchronizationLine {
    /// It.
    pub synchronization: Synchronization,
    /// How it fares.
    pub condition: Condition,
    /// Where its people are known.
    pub integration: Integration,
    /// With whose rights it asks, in words.
    pub rights: String,
    /// How many packages it brought.
    pub packages: u64,
    /// How many teams it brought.
    pub teams: usize,
    /// How many people it knows.
    pub people: u64,
    /// How many of them have connected their account here.
    pub people_here: u64,
    /// What it installed.
    pub webhooks: Vec<InstalledWebhook>,
    /// What it does now, or will.
    pub jobs: Vec<PendingJob>,
    /// Whether something runs or is about to, so that the page should look again soon.
    pub is_busy: bool,
}

impl SynchronizationLine {
    /// Whether it only looks.
    #[must_use]
    pub fn is_draft(&self) -> bool {
        self.synchronization.stage == Stage::Draft
    }

    /// The job that runs.
    #[must_use]
    pub fn running(&self) -> Option<&PendingJob> {
        self.jobs.iter().find(|job| job.is_running)
    }
}

/// The page of a synchronization.
#[derive(Debug)]
pub struct SynchronizationView {
    /// Whose.
    pub organization: Organization,
    /// Whether the actor owns the organization.
    pub is_owned: bool,
    /// It, and how it fares.
    pub line: SynchronizationLine,
    /// What it would do; `None` if nobody looked yet.
    pub preview: Option<Preview>,
    /// Its repositories.
    pub counts: RepositoryCounts,
    /// How many of them are chosen and have a composer.json.
    pub chosen: usize,
    /// The last deliveries of its webhooks, newest first.
    pub deliveries: Vec<Delivery>,
    /// The rights with which it could ask.
    pub choices: Vec<AccessChoice>,
    /// What is the primary one, if it is another.
    pub primary: Option<Synchronization>,
}

impl App {
    /// The synchronizations of an organization, for its owners and admins.
    pub async fn synchronization_list(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<SynchronizationListView, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let mut lines = Vec::new();
        for (synchronization, condition) in self.storage.synchronization_list(organization.id).await? {
            lines.push(self.synchronization_line(synchronization, condition).await?);
        }
        let failing = self.endpoint_list_failing_of(organization.id).await?;
        Ok(SynchronizationListView { organization, lines, failing })
    }

    /// The page of a synchronization, for owners and admins.
    pub async fn synchronization_show(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
    ) -> Result<SynchronizationView, Failure> {
        let (organization, is_owned) = self.organization_settings(actor, short_name).await?;
        let synchronization = self.synchronization_of(organization.id, id).await?;
        let condition = self.storage.synchronization_condition(id).await?.unwrap_or_default();
        let primary = self.synchronization_primary(organization.id).await?;
        let repositories = self.storage.remote_repository_list(id).await?;
        let chosen = repositories.iter().filter(|it| synchronization.selection.follows(it)).count();
        let line = self.synchronization_line(synchronization, condition).await?;
        let accounts = self.accounts_of(actor).await?;
        let rights = self.rights_at(&line.integration, Some(&organization), &accounts).await?;
        Ok(SynchronizationView {
            is_owned,
            preview: self.storage.synchronization_preview(id).await?,
            counts: self.storage.remote_repository_counts(id).await?,
            chosen,
            deliveries: self.storage.delivery_list(id, DELIVERIES_SHOWN).await?,
            choices: rights.into_iter().map(|it| it.choice).collect(),
            primary: primary.filter(|it| it.id != id),
            organization,
            line,
        })
    }

    /// The people whom a synchronization knows, each with the user whose account it is.
    pub async fn synchronization_people(
        &self,
        actor: &Actor,
        short_name: &str,
        id: SynchronizationId,
        search: &PeopleSearch,
    ) -> Result<(Organization, Synchronization, PeoplePage<(KnownPerson, Option<User>)>), Failure> {
        let (organization, synchronization) = self.synchronization_managed(actor, short_name, id).await?;
        let found = self.storage.remote_person_page(id, search.text.trim(), 0, u64::from(u32::MAX)).await?;
        Ok((organization, synchronization, search.page_of(found)))
    }

    async fn synchronization_line(
        &self,
        synchronization: Synchronization,
        condition: Condition,
    ) -> Result<SynchronizationLine, Failure> {
        let id = synchronization.id;
        let (people, people_here) = self.storage.remote_person_count(id).await?;
        let mut jobs = Vec::new();
        for job in [Job::Synchronize { synchronization: id }, Job::FindPackages { synchronization: id }] {
            jobs.extend(self.storage.job_pending(&job.key()).await?);
        }
        let now = self.clock.now();
        Ok(SynchronizationLine {
            integration: self.integration_of(synchronization.integration_id).await?,
            rights: self.rights_in_words(&synchronization).await?,
            packages: self.storage.package_count_of_synchronization(id).await?,
            teams: self.storage.team_list_of_synchronization(id).await?.len(),
            people,
            people_here,
            webhooks: self.storage.webhook_list(id).await?,
            is_busy: jobs.iter().any(|job| job.is_running || job.run_at <= now),
            jobs,
            synchronization,
            condition,
        })
    }

    async fn rights_in_words(&self, synchronization: &Synchronization) -> Result<String, Failure> {
        let gone = || "an account that is no longer connected".to_owned();
        Ok(match synchronization.access {
            SynchronizationAccess::AccountGone => gone(),
            SynchronizationAccess::Account(id) => match self.storage.identity_find(id).await? {
                Some(identity) => format!("the account {}", identity.handle),
                None => gone(),
            },
            SynchronizationAccess::Stored(id) => match self.storage.credential_find(id).await? {
                Some(credential) => format!("the credential “{}”", credential.description),
                None => "a credential that is gone".into(),
            },
        })
    }
}
