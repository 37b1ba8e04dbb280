//! A run: reads a workspace, computes the difference to what is remembered, and applies it in one transaction.

use super::asker::Caller;
use crate::{App, Failure};
use jiff::SignedDuration;
use stave_domain::{
    Timestamp,
    id::{IntegrationId, JobId, SynchronizationId},
    integration::Platform,
    job::{Job, Progress},
    organization::Role,
    synchronization::{
        AccessSet, KnownRepository, Level, MINUTES_BETWEEN_RUNS, Numbers, RemoteGroup, RemotePerson,
        RemoteRepository, RightsFrom, Seen, Stage, Synchronization, SynchronizationAccess, Workspace,
    },
};
use stave_upstream::{Follow, Right, UpstreamError};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Mutex,
    time::{Duration, Instant},
};

/// A run that is over sooner than this leaves no trace of its progress, so that one that changes nothing writes nothing.
const SILENT: Duration = Duration::from_secs(1);
/// How often progress is stored.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// What a run read, and what it could not read.
pub(super) struct Read {
    pub(super) seen: Seen,
    pub(super) numbers: Numbers,
    /// Each in a sentence.
    pub(super) notes: Vec<String>,
    /// Who has to be asked what people may read.
    pub(super) rights_from: RightsFrom,
}

impl App {
    /// One run of a synchronization. A failure changes nothing but what its page says of it.
    pub(crate) async fn synchronize_run(&self, id: SynchronizationId, job: JobId) -> Result<(), Failure> {
        let Some(synchronization) = self.storage.synchronization_find(id).await? else { return Ok(()) };
        let outcome = self.workspace_follow(&synchronization, job).await;
        let now = self.clock.now();
        let next_at = now + self.time_between_runs().await?;
        match &outcome {
            Ok(notes) => self.storage.synchronization_succeeded(id, now, next_at, notes).await?,
            Err(failure) => {
                self.storage.synchronization_failed(id, now, next_at, &failure.to_string()).await?;
            }
        }
        outcome.map(|_| ())
    }

    pub(super) async fn time_between_runs(&self) -> Result<SignedDuration, Failure> {
        let minutes = self.configuration().await?.minutes_between_runs.unwrap_or(MINUTES_BETWEEN_RUNS);
        Ok(SignedDuration::from_mins(minutes.into()))
    }

    /// Has every synchronization run that is due.
    pub(crate) async fn synchronizations_check(&self) -> Result<(), Failure> {
        for due in self.storage.synchronization_list_due(self.clock.now(), 100).await? {
            let job = Job::Synchronize { synchronization: due.id };
            if self.storage.job_pending(&job.key()).await?.is_empty() {
                self.job_enqueue(job, Some(due.organization_id)).await?;
            }
        }
        Ok(())
    }

    /// What could not be read or done comes back in sentences.
    async fn workspace_follow(
        &self,
        synchronization: &Synchronization,
        job: JobId,
    ) -> Result<Vec<String>, Failure> {
        let read = self.workspace_read(synchronization, job).await?;
        if synchronization.stage == Stage::Draft {
            self.preview_store(synchronization, &read).await?;
            return Ok(read.notes);
        }
        let mut notes = read.notes;
        let applied = self.workspace_apply(synchronization.id, &read.seen, &read.numbers).await?;
        let Some(synchronization) = applied else { return Ok(notes) };
        if synchronization.rights_from == RightsFrom::EachPerson {
            notes.extend(self.people_ask(&synchronization).await?);
        }
        notes.extend(self.webhooks_ensure(&synchronization, job).await?);
        self.sources_look(&synchronization).await?;
        if self.has_unlooked(synchronization.id).await? {
            let find = Job::FindPackages { synchronization: synchronization.id };
            self.job_enqueue(find, Some(synchronization.organization_id)).await?;
        }
        Ok(notes)
    }

    /// Reads everything that a run compares. Whatever the run cannot do without ends it with an error.
    pub(super) async fn workspace_read(
        &self,
        synchronization: &Synchronization,
        job: JobId,
    ) -> Result<Read, Failure> {
        let integration = self.integration_of(synchronization.integration_id).await?;
        let connector = self.follow_connector(&integration)?;
        let follow = connector.follow().ok_or(Failure::NotFound("way to follow a workspace"))?;
        let teller = Teller::new(self, job);
        let reader = WorkspaceReader {
            follow,
            caller: self.caller(synchronization).patient(job),
            teller: &teller,
            rights_from: synchronization.rights_from,
            is_draft: synchronization.stage == Stage::Draft,
            platform: integration.platform,
        };
        let known = self.storage.remote_repository_list(synchronization.id).await?;
        match reader.read(synchronization, &known).await {
            Ok(read) => {
                self.access_worked(synchronization).await?;
                Ok(read)
            }
            Err(error) => {
                self.gone_note(integration.id, &error).await?;
                Err(error.into())
            }
        }
    }
}

impl App {
    /// A stored credential that was refused before works again.
    async fn access_worked(&self, synchronization: &Synchronization) -> Result<(), Failure> {
        match synchronization.access {
            SynchronizationAccess::Stored(id) => self.credential_worked(id).await,
            SynchronizationAccess::Account(_) | SynchronizationAccess::AccountGone => Ok(()),
        }
    }

    /// An admin is told at once that the platform removed something that Stave uses.
    pub(super) async fn gone_note(
        &self,
        integration: IntegrationId,
        error: &UpstreamError,
    ) -> Result<(), Failure> {
        match error {
            UpstreamError::Gone { path, .. } => {
                self.endpoint_gone(integration, path, &error.to_string()).await
            }
            _ => Ok(()),
        }
    }
}

/// Tells how far a job is, not too often.
pub(super) struct Teller<'a> {
    app: &'a App,
    job: JobId,
    began: Instant,
    told: Mutex<Option<Instant>>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(app: &'a App, job: JobId) -> Self {
        Self { app, job, began: Instant::now(), told: Mutex::new(None) }
    }

    /// From within a callback that cannot wait: the telling is left to a task.
    fn tell(&self, phase: &str, done: u32, total: u32) {
        if !self.is_time() {
            return;
        }
        let (app, job) = (self.app.clone(), self.job);
        let progress = Progress { phase: phase.to_owned(), done, total };
        tokio::spawn(async move { app.job_progress(job, &progress).await });
    }

    /// Tells at once, if it is time.
    pub(super) async fn note(&self, phase: &str, done: u32, total: u32) {
        if self.is_time() {
            let progress = Progress { phase: phase.to_owned(), done, total };
            self.app.job_progress(self.job, &progress).await;
        }
    }

    fn is_time(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_time =
            self.began.elapsed() >= SILENT && told.is_none_or(|told| told.elapsed() >= PROGRESS_EVERY);
        if is_time {
            *told = Some(Instant::now());
        }
        is_time
    }
}

/// Reads one workspace with one key.
struct WorkspaceReader<'a> {
    follow: &'a dyn Follow,
    caller: Caller,
    teller: &'a Teller<'a>,
    rights_from: RightsFrom,
    /// Whether it is still open who is asked what people may read.
    is_draft: bool,
    platform: Platform,
}

impl WorkspaceReader<'_> {
    async fn read(
        &self,
        synchronization: &Synchronization,
        known: &[KnownRepository],
    ) -> Result<Read, UpstreamError> {
        let mut notes = Vec::new();
        let workspace = self.follow.workspace_look(&self.caller, &synchronization.workspace).await?;
        let told = |count| self.teller.tell("Reading repositories", count, 0);
        let mut repositories = self.follow.repository_list(&self.caller, &workspace, &told).await?;
        repositories.extend(self.overlooked(&workspace, known, &repositories).await?);
        for repository in &mut repositories {
            // As exact as it is remembered, or it would be another one each time.
            repository.changed_at = repository.changed_at.and_then(to_the_millisecond);
        }
        let numbers = Numbers::of(synchronization.numbers_used, known, &repositories);
        let mut people = self.people(&workspace, &mut notes).await?;
        let rights = match (self.rights_from, &mut people) {
            (RightsFrom::Everybody, Some(people)) => {
                self.rights_if_shown(&workspace, (&repositories, &numbers), people).await?
            }
            _ => None,
        };
        let groups = self.groups(&workspace, &mut notes).await?;
        let rights_from = if rights.is_some() { RightsFrom::Everybody } else { RightsFrom::EachPerson };
        let is_complete = self.sees_everything(rights.is_some(), groups.is_some());
        let missing = missing(known, &repositories).len();
        if missing > 0 && !is_complete {
            notes.push(format!(
                "Repositories of {} that are no longer shown to these rights, which do not see everything there: {missing}. Their packages stay for a day; after that they count as deleted.",
                workspace.title()
            ));
        }
        let read_at = self.teller.app.clock.now();
        let seen = Seen { workspace, repositories, is_complete, read_at, people, rights, groups };
        Ok(Read { seen, numbers, notes, rights_from })
    }

    /// Whether what is not shown is not there. Cloud tells everybody's rights to those who administer the workspace only, and Data
    /// Center the groups to those who administer the project; to others a repository may just be hidden.
    fn sees_everything(&self, tells_rights: bool, tells_groups: bool) -> bool {
        match self.platform {
            Platform::BitbucketCloud => tells_rights,
            Platform::BitbucketDataCenter => tells_groups,
        }
    }

    /// Those that are there all the same: a list that changes while it is read may miss some. Nothing is taken for gone before the
    /// platform has said so of this one.
    async fn overlooked(
        &self,
        workspace: &Workspace,
        known: &[KnownRepository],
        listed: &[RemoteRepository],
    ) -> Result<Vec<RemoteRepository>, UpstreamError> {
        let mut there = Vec::new();
        for missing in missing(known, listed) {
            there.extend(self.follow.repository_look(&self.caller, workspace, &missing.remote).await?);
        }
        Ok(there)
    }

    /// A draft finds out here whether its credential sees what everybody may read; later on, a refusal is a failure.
    async fn rights_if_shown(
        &self,
        workspace: &Workspace,
        (repositories, numbers): (&[RemoteRepository], &Numbers),
        people: &mut Vec<RemotePerson>,
    ) -> Result<Option<BTreeMap<String, AccessSet>>, UpstreamError> {
        match self.rights(workspace, repositories, numbers, people).await {
            Err(error) if self.is_draft && error.is_refusal() => Ok(None),
            read => read.map(Some),
        }
    }

    /// Without the right to read people, a credential serves only if people tell of themselves.
    async fn people(
        &self,
        workspace: &Workspace,
        notes: &mut Vec<String>,
    ) -> Result<Option<Vec<RemotePerson>>, UpstreamError> {
        let told = |count| self.teller.tell("Reading people", count, 0);
        match self.follow.person_list(&self.caller, workspace, &told).await {
            Ok(people) => Ok(Some(people)),
            Err(error)
                if (self.is_draft || self.rights_from == RightsFrom::EachPerson) && error.is_refusal() =>
            {
                notes.push(format!("The people of {} could not be read: {error}", workspace.title()));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What everybody may read. People who are not of the workspace and may read something are added.
    async fn rights(
        &self,
        workspace: &Workspace,
        repositories: &[RemoteRepository],
        numbers: &Numbers,
        people: &mut Vec<RemotePerson>,
    ) -> Result<BTreeMap<String, AccessSet>, UpstreamError> {
        let mut rights: HashMap<String, Vec<(u32, Level)>> = HashMap::new();
        let mut members: BTreeSet<String> = people.iter().map(|it| it.external_id.clone()).collect();
        let mut count = 0_u32;
        let mut tell = |right: Right<'_>| {
            count += 1;
            self.teller.tell("Reading rights", count, 0);
            let id = &right.person.external_id;
            if members.insert(id.clone()) {
                people.push(right.person.clone());
            }
            let Some(number) = numbers.find(right.repository) else { return };
            match rights.get_mut(id) {
                Some(theirs) => theirs.push((number, right.level)),
                None => _ = rights.insert(id.clone(), vec![(number, right.level)]),
            }
        };
        self.follow.right_each(&self.caller, workspace, repositories, &mut tell).await?;
        // Owners administer every repository, whether or not a list says so (Bitbucket Cloud: permissions-config leaves them out).
        let all = AccessSet::of(
            repositories.iter().filter_map(|it| Some((numbers.find(&it.external_id)?, Level::Admin))),
        );
        let mut sets: BTreeMap<_, _> =
            rights.into_iter().map(|(id, rights)| (id, AccessSet::of(rights))).collect();
        for owner in people.iter().filter(|person| person.role == Role::Owner) {
            sets.insert(owner.external_id.clone(), all.clone());
        }
        Ok(sets)
    }

    /// Teams are welcome, but nobody loses anything without them.
    async fn groups(
        &self,
        workspace: &Workspace,
        notes: &mut Vec<String>,
    ) -> Result<Option<Vec<RemoteGroup>>, UpstreamError> {
        match self.follow.group_list(&self.caller, workspace).await {
            Err(error) if error.is_refusal() => {
                notes.push(format!("The groups of {} could not be read: {error}", workspace.title()));
                Ok(None)
            }
            read => read,
        }
    }
}

/// Those that are known and were not listed.
fn missing<'a>(known: &'a [KnownRepository], listed: &[RemoteRepository]) -> Vec<&'a KnownRepository> {
    let listed: HashSet<&str> = listed.iter().map(|repository| repository.external_id.as_str()).collect();
    known.iter().filter(|known| !listed.contains(known.remote.external_id.as_str())).collect()
}

fn to_the_millisecond(instant: Timestamp) -> Option<Timestamp> {
    Timestamp::from_millisecond(instant.as_millisecond()).ok()
}
