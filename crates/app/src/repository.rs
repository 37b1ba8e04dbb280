//! Repositories, as owners add, change and delete them; their bells.

use crate::{Actor, App, Failure, Problems, entropy};
use stave_domain::{
    Secret,
    id::{OrganizationId, PackageId, RepositoryId},
    job::{Job, PendingJob, Urgency},
    organization::{Organization, Role},
    package::{Origin, Package},
    repository::{CHECK_EVERY, Followed, Layout, Repository, SourceAccess, SourceUrl},
    run::Run,
    synchronization::{Choice, Synchronization},
};
use stave_storage::Storage;
use subtle::ConstantTimeEq;

/// What is typed into the form "By URL".
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct RepositoryForm {
    /// A [`SourceUrl`].
    pub url: String,
    /// An [`AccessChoice`]'s value.
    pub credential: String,
    /// `on` if it has several packages, or one in a folder.
    pub has_paths: String,
    /// A [`Layout`]; counts only then.
    pub paths: String,
}

impl RepositoryForm {
    /// The form to be shown again: a password that was typed into the URL is not sent back to the screen.
    #[must_use]
    pub fn without_password(self) -> Self {
        let Ok(mut url) = url::Url::parse(self.url.trim()) else { return self };
        if url.password().is_none() || url.set_password(None).is_err() {
            return self;
        }
        Self { url: url.into(), ..self }
    }
}

/// A repository, as its owners see it; what the page of each of its packages shows of it.
#[derive(Debug)]
pub struct RepositoryView {
    /// Whose.
    pub organization: Organization,
    /// What the actor may do there.
    pub role: Role,
    /// Which.
    pub repository: Repository,
    /// With whose rights it is read, in words.
    pub access: String,
    /// The synchronization that brought it, if one did.
    pub synchronization: Option<Synchronization>,
    /// What is in it, by folder.
    pub packages: Vec<Package>,
    /// The last pass over it.
    pub run: Option<Run>,
    /// Passes that wait or go on.
    pub jobs: Vec<PendingJob>,
    /// Whether one goes on or is about to, so that the page should look again soon.
    pub is_busy: bool,
    /// The bell for whoever changes the code; for owners only, and not if a synchronization rings it.
    pub hook_url: Option<String>,
}

impl App {
    /// Adds a repository by its URL; its import begins at once. Returns its package too, which has no name yet; where its
    /// packages are in folders, it has none before it is read.
    pub async fn repository_add(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &RepositoryForm,
    ) -> Result<(RepositoryId, Option<PackageId>), Failure> {
        let organization = self.organization_extended(actor, short_name).await?;
        let (source, access, layout) = self.repository_typed(actor, &organization, form).await?;
        if let Some(known) = self.storage.repository_find_by_source(organization.id, &source).await? {
            if !self.is_manager(actor, &organization).await? {
                // What is in it is perhaps not for everybody.
                return Err(Failure::invalid(
                    "url",
                    "This repository is here already. Ask an owner or admin who may read it.",
                ));
            }
            return Err(self.repository_is_here(&known).await?);
        }
        let repository = Repository {
            id: entropy::id(),
            organization_id: organization.id,
            source,
            access,
            layout,
            followed: None,
            created_at: self.clock.now(),
            checked_at: None,
            last_error: None,
        };
        let package = (repository.layout == Layout::Root).then(|| {
            Package::new(entropy::id(), organization.id, Origin::root_of(repository.id), self.clock.now())
        });
        let txn = self.storage.begin().await?;
        txn.repository_insert(&repository).await?;
        if let Some(package) = &package {
            txn.package_insert(package).await?;
        }
        self.update_enqueue(&txn, &repository).await?;
        txn.commit().await?;
        self.job_bell.notify_one();
        self.log_by(actor, Some(organization.id), format!("added the repository {}", repository.source))
            .await?;
        Ok((repository.id, package.map(|package| package.id)))
    }

    /// Changes where the code is, with whose rights it is read, or where in it the packages are, and reads it again. Of one
    /// that a synchronization brought only the last can be changed.
    pub async fn repository_change(
        &self,
        actor: &Actor,
        short_name: &str,
        id: RepositoryId,
        form: &RepositoryForm,
    ) -> Result<(), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let known = self.repository_of(organization.id, id).await?;
        let (source, access, layout) = match known.followed {
            Some(_) => (known.source, known.access, layout_typed(form)?),
            None => self.repository_typed(actor, &organization, form).await?,
        };
        let same = self.storage.repository_find_by_source(organization.id, &source).await?;
        if let Some(same) = same.filter(|same| same.id != id && known.followed.is_none()) {
            return Err(self.repository_is_here(&same).await?);
        }
        let txn = self.storage.begin().await?;
        let before = txn.repository_lock(id).await?.ok_or(Failure::NotFound("repository"))?;
        // As if it had never been read: a run that fetches nothing new passes over what is published already.
        let after = match before.followed {
            Some(_) => Repository { layout, checked_at: None, ..before },
            None => Repository { source, access, layout, checked_at: None, ..before },
        };
        txn.repository_update(&after).await?;
        for package in txn.package_list_of_repository(id).await? {
            self.documents_publish(&txn, package.id).await?;
        }
        self.update_enqueue(&txn, &after).await?;
        txn.commit().await?;
        self.job_bell.notify_one();
        self.log_by(actor, Some(organization.id), format!("changed the repository {}", after.source)).await
    }

    /// A repository's page, for owners.
    pub async fn repository_show(
        &self,
        actor: &Actor,
        short_name: &str,
        id: RepositoryId,
    ) -> Result<RepositoryView, Failure> {
        self.organization_managed(actor, short_name).await?;
        let (organization, role) = self.organization_seen(actor, short_name).await?;
        let repository = self.repository_of(organization.id, id).await?;
        self.repository_view(organization, role, repository).await
    }

    /// Has a repository read as soon as possible.
    pub async fn repository_update(
        &self,
        actor: &Actor,
        short_name: &str,
        id: RepositoryId,
    ) -> Result<(), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let repository = self.repository_of(organization.id, id).await?;
        self.update_enqueue(&self.storage, &repository).await?;
        self.job_bell.notify_one();
        Ok(())
    }

    /// Deletes a repository with its packages, their versions and published documents, and its mirror.
    pub async fn repository_delete(
        &self,
        actor: &Actor,
        short_name: &str,
        id: RepositoryId,
    ) -> Result<(), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let repository = self.repository_of(organization.id, id).await?;
        let txn = self.storage.begin().await?;
        self.repository_leave(&txn, &repository).await?;
        txn.commit().await?;
        self.mirror_remove(id);
        let action = format!("deleted the repository {} with its packages", repository.source);
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Deletes a repository with its packages. Its synchronization, if one brought it, does not bring it again.
    pub(crate) async fn repository_leave(
        &self,
        txn: &Storage,
        repository: &Repository,
    ) -> Result<(), Failure> {
        if let Some(Followed { synchronization_id, number }) = repository.followed
            && txn.remote_repository_find(synchronization_id, number).await?.is_some()
        {
            txn.remote_repository_choose(synchronization_id, number, Choice::Unwanted).await?;
        }
        Ok(txn.repository_delete(repository.id).await?)
    }

    /// The form of a repository that exists.
    #[must_use]
    pub fn repository_form(&self, repository: &Repository) -> RepositoryForm {
        let credential = match repository.access {
            SourceAccess::Public => "none".into(),
            SourceAccess::Account(id) => format!("account:{id}"),
            SourceAccess::AccountGone | SourceAccess::Synchronization => "auto".into(),
            SourceAccess::Stored(id) => format!("credential:{id}"),
            SourceAccess::OrganizationKey => "ssh".into(),
        };
        let has_paths = if repository.layout == Layout::Root { String::new() } else { "on".to_owned() };
        let (url, paths) = (repository.source.to_string(), repository.layout.to_string());
        RepositoryForm { url, credential, has_paths, paths }
    }

    /// The bell of a repository rang.
    pub async fn hook_ring(&self, id: RepositoryId, secret: &Secret) -> Result<(), Failure> {
        let expected = self.keys.derive("hook", id);
        let fits = bool::from(expected.expose().as_bytes().ct_eq(secret.expose().as_bytes()));
        let repository = self.storage.repository_find(id).await?.filter(|_| fits);
        let repository = repository.ok_or(Failure::NotFound("hook"))?;
        self.update_enqueue(&self.storage, &repository).await?;
        self.job_bell.notify_one();
        Ok(())
    }

    /// Has every repository read that was not read for [`CHECK_EVERY`].
    pub(crate) async fn repositories_check(&self) -> Result<(), Failure> {
        let due = self.storage.repository_list_due(self.clock.now() - CHECK_EVERY, 100).await?;
        for repository in due {
            let job = Job::UpdateRepository { repository: repository.id };
            if self.storage.job_pending(&job.key()).await?.is_empty() {
                let organization = Some(repository.organization_id);
                self.job_enqueue_as(&self.storage, Urgency::InTurn, job, organization).await?;
                self.job_bell.notify_one();
            }
        }
        Ok(())
    }

    /// Has a repository read; ring `job_bell` after the commit.
    pub(crate) async fn update_enqueue(
        &self,
        storage: &Storage,
        repository: &Repository,
    ) -> Result<(), Failure> {
        let job = Job::UpdateRepository { repository: repository.id };
        self.job_enqueue_in(storage, job, Some(repository.organization_id)).await
    }

    pub(crate) async fn repository_of(
        &self,
        organization: OrganizationId,
        id: RepositoryId,
    ) -> Result<Repository, Failure> {
        let repository = self.storage.repository_find(id).await?;
        repository.filter(|it| it.organization_id == organization).ok_or(Failure::NotFound("repository"))
    }

    /// A repository with its packages and how the reading of it stands.
    pub(crate) async fn repository_view(
        &self,
        organization: Organization,
        role: Role,
        repository: Repository,
    ) -> Result<RepositoryView, Failure> {
        let access = self.source_access_in_words(&repository).await?;
        let packages = self.storage.package_list_of_repository(repository.id).await?;
        let run = self.storage.run_latest(repository.id).await?;
        let update = Job::UpdateRepository { repository: repository.id };
        let jobs = self.storage.job_pending(&update.key()).await?;
        let now = self.clock.now();
        let is_busy = jobs.iter().any(|job| job.is_running || job.run_at <= now);
        let is_bell_theirs = role >= Role::Admin && repository.followed.is_none();
        let hook_url = is_bell_theirs.then(|| self.hook_url(repository.id));
        let synchronization = match repository.followed {
            Some(followed) => self.storage.synchronization_find(followed.synchronization_id).await?,
            None => None,
        };
        Ok(RepositoryView {
            organization,
            role,
            repository,
            access,
            synchronization,
            packages,
            run,
            jobs,
            is_busy,
            hook_url,
        })
    }

    /// The refusal of a source that another repository has.
    async fn repository_is_here(&self, known: &Repository) -> Result<Failure, Failure> {
        let packages = self.storage.package_list_of_repository(known.id).await?;
        let names: Vec<_> =
            packages.iter().filter_map(|it| it.name.as_ref()).map(ToString::to_string).collect();
        let names = if names.is_empty() { known.source.to_string() } else { names.join(", ") };
        Ok(Failure::invalid("url", format!("This repository is here already, as {names}.")))
    }

    /// Its secret follows from the key, so it can be shown again and is not in the database.
    fn hook_url(&self, id: RepositoryId) -> String {
        self.address(&format!("/hooks/repositories/{id}/{}", self.keys.derive("hook", id).expose()))
    }

    async fn repository_typed(
        &self,
        actor: &Actor,
        organization: &Organization,
        form: &RepositoryForm,
    ) -> Result<(SourceUrl, SourceAccess, Layout), Failure> {
        let mut problems = Problems::default();
        let Some(source) = problems.parse::<SourceUrl>("url", &form.url) else {
            return Err(problems.into_failure());
        };
        let layout = layout_typed(form)?;
        let access = self.source_access_typed(actor, organization, &source, &form.credential).await?;
        // What the organization's own secrets can read is not everybody's who may add packages.
        if matches!(access, SourceAccess::Stored(_) | SourceAccess::OrganizationKey)
            && !self.is_manager(actor, organization).await?
        {
            return Err(Failure::invalid(
                "credential",
                "Only owners and admins use the credentials and the SSH key of the organization. Choose an account of yours.",
            ));
        }
        match (source.is_ssh(), access) {
            (true, SourceAccess::OrganizationKey)
            | (false, SourceAccess::Public | SourceAccess::Account(_) | SourceAccess::Stored(_)) => {
                Ok((source, access, layout))
            }
            (true, _) => Err(Failure::invalid(
                "credential",
                "An SSH address is read with the organization's SSH key. Choose it, or use the https:// address.",
            )),
            (false, _) => Err(Failure::invalid(
                "credential",
                "The SSH key is for SSH addresses (git@host:path). Choose another credential, or use the SSH address.",
            )),
        }
    }
}

/// Where in the repository the packages are.
fn layout_typed(form: &RepositoryForm) -> Result<Layout, Failure> {
    if form.has_paths.is_empty() {
        return Ok(Layout::Root);
    }
    if form.paths.trim().is_empty() {
        return Err(Failure::invalid(
            "paths",
            "Name the folders in which there is a composer.json, one per line. A * stands for any name: packages/*.",
        ));
    }
    form.paths
        .parse()
        .map_err(|invalid: stave_domain::Invalid| Failure::invalid("paths", invalid.to_string()))
}
