//! Packages, as members see them and owners manage them.

use crate::{Actor, App, Failure, Problems, entropy};
use stave_domain::{
    Secret,
    id::{OrganizationId, PackageId},
    job::{Job, PendingJob},
    organization::{Organization, Role},
    package::{CHECK_EVERY, Package, PackageName, SourceAccess, SourceUrl},
    run::Run,
    version::{Version, compare},
};
use subtle::ConstantTimeEq;

/// Packages on one page of the list.
const PAGE: u64 = 50;

/// What is typed into the form "By URL".
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct PackageForm {
    /// A [`SourceUrl`].
    pub url: String,
    /// An [`AccessChoice`]'s value.
    pub credential: String,
}

impl PackageForm {
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

/// One line of the select "Credential".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessChoice {
    /// What the form sends.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// A package's page.
#[derive(Debug)]
pub struct PackageView {
    /// Whose.
    pub organization: Organization,
    /// What the actor may do there.
    pub role: Role,
    /// Which.
    pub package: Package,
    /// With whose rights it is read, in words.
    pub access: String,
    /// What is published, newest first.
    pub versions: Vec<Version>,
    /// The last pass over its repository.
    pub run: Option<Run>,
    /// Passes that wait or go on.
    pub jobs: Vec<PendingJob>,
    /// Whether one goes on or is about to, so that the page should look again soon.
    pub is_busy: bool,
    /// The bell for whoever changes the code; for owners only.
    pub hook_url: Option<String>,
}

impl App {
    /// Packages whose name contains a text; pages count from 0. The last value says whether more follow.
    pub async fn package_list(
        &self,
        actor: &Actor,
        short_name: &str,
        search: &str,
        page: u64,
    ) -> Result<(Organization, Role, Vec<Package>, bool), Failure> {
        let (organization, role) = self.organization_seen(actor, short_name).await?;
        let mut list = self
            .storage
            .package_list(organization.id, search.trim(), page.saturating_mul(PAGE), PAGE + 1)
            .await?;
        let more = list.len() as u64 > PAGE;
        list.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        Ok((organization, role, list, more))
    }

    /// The ways in which the actor can have a repository read.
    pub async fn package_access_choices(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<Vec<AccessChoice>, Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let choice = |value: String, label: String| AccessChoice { value, label };
        let mut choices = vec![choice(
            "auto".into(),
            "Automatic: my connected account if the URL is on its host, else none".into(),
        )];
        for (identity, integration) in self.account_list_reading(actor).await? {
            let label = format!("My account {} at {}", identity.handle, integration.name);
            choices.push(choice(format!("account:{}", identity.id), label));
        }
        for credential in self.storage.credential_list(organization.id).await? {
            let label =
                format!("{} ({} at {})", credential.description, credential.username, credential.host);
            choices.push(choice(format!("credential:{}", credential.id), label));
        }
        choices.push(choice("ssh".into(), format!("SSH key of {}", organization.short_name)));
        choices.push(choice("none".into(), "None: the repository is public".into()));
        Ok(choices)
    }

    /// Adds a package by the URL of its repository; its import begins at once.
    pub async fn package_add(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &PackageForm,
    ) -> Result<PackageId, Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let (source, access) = self.package_typed(actor, &organization, form).await?;
        if let Some(known) = self.storage.package_find_by_source(organization.id, &source).await? {
            let name = known.name.map_or_else(|| source.to_string(), |name| name.to_string());
            return Err(Failure::invalid("url", format!("This repository is here already, as {name}.")));
        }
        let package = Package {
            id: entropy::id(),
            organization_id: organization.id,
            name: None,
            source,
            access,
            description: String::new(),
            abandoned: None,
            created_at: self.clock.now(),
            checked_at: None,
            last_error: None,
        };
        let txn = self.storage.begin().await?;
        txn.package_insert(&package).await?;
        self.job_enqueue_in(&txn, Job::UpdatePackage { package: package.id }).await?;
        txn.commit().await?;
        self.job_bell.notify_one();
        self.log_by(actor, Some(organization.id), format!("added the package at {}", package.source)).await?;
        Ok(package.id)
    }

    /// Changes where a package's code is or with whose rights it is read, and reads it again.
    pub async fn package_change(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
        form: &PackageForm,
    ) -> Result<(), Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        self.package_of(organization.id, id).await?;
        let (source, access) = self.package_typed(actor, &organization, form).await?;
        let same = self.storage.package_find_by_source(organization.id, &source).await?;
        if same.is_some_and(|same| same.id != id) {
            return Err(Failure::invalid("url", "Another package of this organization has this repository."));
        }
        let txn = self.storage.begin().await?;
        let package = txn.package_lock(id).await?.ok_or(Failure::NotFound("package"))?;
        txn.package_update(&Package { source, access, ..package.clone() }).await?;
        self.documents_publish(&txn, id).await?;
        self.job_enqueue_in(&txn, Job::UpdatePackage { package: id }).await?;
        txn.commit().await?;
        self.job_bell.notify_one();
        self.log_by(actor, Some(organization.id), format!("changed the source of {}", title(&package))).await
    }

    /// A package's page, for the members of its organization.
    pub async fn package_show(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
    ) -> Result<PackageView, Failure> {
        let (organization, role) = self.organization_seen(actor, short_name).await?;
        let package = self.package_of(organization.id, id).await?;
        let mut versions = self.storage.version_list(id).await?;
        versions.retain(|version| version.removed_at.is_none());
        versions.sort_by(|a, b| {
            b.is_default_branch.cmp(&a.is_default_branch).then_with(|| compare(&b.normalized, &a.normalized))
        });
        let access = self.access_in_words(&package).await?;
        let run = self.storage.run_latest(id).await?;
        let jobs = self.storage.job_pending(&Job::UpdatePackage { package: id }.key()).await?;
        let now = self.clock.now();
        let is_busy = jobs.iter().any(|job| job.is_running || job.run_at <= now);
        let hook_url = (role == Role::Owner).then(|| self.hook_url(id));
        Ok(PackageView { organization, role, package, access, versions, run, jobs, is_busy, hook_url })
    }

    /// The package that has a name, for links that people type.
    pub async fn package_named(
        &self,
        actor: &Actor,
        short_name: &str,
        name: &str,
    ) -> Result<PackageId, Failure> {
        let (organization, _) = self.organization_seen(actor, short_name).await?;
        let name: PackageName = name.parse().map_err(|_| Failure::NotFound("package"))?;
        let package = self.storage.package_find_by_name(organization.id, &name).await?;
        Ok(package.ok_or(Failure::NotFound("package"))?.id)
    }

    /// The form of a package that exists.
    #[must_use]
    pub fn package_form(&self, package: &Package) -> PackageForm {
        let credential = match package.access {
            SourceAccess::Public => "none".into(),
            SourceAccess::Account(id) => format!("account:{id}"),
            SourceAccess::AccountGone => "auto".into(),
            SourceAccess::Stored(id) => format!("credential:{id}"),
            SourceAccess::OrganizationKey => "ssh".into(),
        };
        PackageForm { url: package.source.to_string(), credential }
    }

    /// Has a package's repository read as soon as possible.
    pub async fn package_update(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
    ) -> Result<(), Failure> {
        let (organization, _) = self.organization_seen(actor, short_name).await?;
        self.package_of(organization.id, id).await?;
        self.job_enqueue(Job::UpdatePackage { package: id }).await
    }

    /// Deletes a package with its versions, mirror and published documents.
    pub async fn package_delete(
        &self,
        actor: &Actor,
        short_name: &str,
        id: PackageId,
    ) -> Result<(), Failure> {
        let organization = self.organization_owned(actor, short_name).await?;
        let package = self.package_of(organization.id, id).await?;
        self.storage.package_delete(id).await?;
        self.mirror_remove(id);
        self.log_by(actor, Some(organization.id), format!("deleted the package {}", title(&package))).await
    }

    /// The bell of a package rang.
    pub async fn hook_ring(&self, id: PackageId, secret: &Secret) -> Result<(), Failure> {
        let expected = self.keys.derive("hook", id);
        let fits = bool::from(expected.expose().as_bytes().ct_eq(secret.expose().as_bytes()));
        if !fits || self.storage.package_find(id).await?.is_none() {
            return Err(Failure::NotFound("hook"));
        }
        self.job_enqueue(Job::UpdatePackage { package: id }).await
    }

    /// Has every package read that was not read for [`CHECK_EVERY`].
    pub(crate) async fn packages_check(&self) -> Result<(), Failure> {
        let due = self.storage.package_list_due(self.clock.now() - CHECK_EVERY, 100).await?;
        for package in due {
            let job = Job::UpdatePackage { package: package.id };
            if self.storage.job_pending(&job.key()).await?.is_empty() {
                self.job_enqueue(job).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn package_of(
        &self,
        organization: OrganizationId,
        id: PackageId,
    ) -> Result<Package, Failure> {
        let package =
            self.storage.package_find(id).await?.filter(|package| package.organization_id == organization);
        package.ok_or(Failure::NotFound("package"))
    }

    /// Its secret follows from the key, so it can be shown again and is not in the database.
    fn hook_url(&self, id: PackageId) -> String {
        self.address(&format!("/hooks/packages/{id}/{}", self.keys.derive("hook", id).expose()))
    }

    async fn package_typed(
        &self,
        actor: &Actor,
        organization: &Organization,
        form: &PackageForm,
    ) -> Result<(SourceUrl, SourceAccess), Failure> {
        let mut problems = Problems::default();
        let Some(source) = problems.parse::<SourceUrl>("url", &form.url) else {
            return Err(problems.into_failure());
        };
        let access = self.access_typed(actor, organization, &source, &form.credential).await?;
        match (source.is_ssh(), access) {
            (true, SourceAccess::OrganizationKey)
            | (false, SourceAccess::Public | SourceAccess::Account(_) | SourceAccess::Stored(_)) => {
                Ok((source, access))
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

    async fn access_typed(
        &self,
        actor: &Actor,
        organization: &Organization,
        source: &SourceUrl,
        typed: &str,
    ) -> Result<SourceAccess, Failure> {
        let choose = || Failure::invalid("credential", "Choose a credential from the list.");
        match typed.split_once(':').unwrap_or((typed, "")) {
            ("none", _) => Ok(SourceAccess::Public),
            ("ssh", _) => Ok(SourceAccess::OrganizationKey),
            ("auto" | "", _) if source.is_ssh() => Ok(SourceAccess::OrganizationKey),
            ("auto" | "", _) => {
                let accounts = self.account_list_reading(actor).await?;
                let fitting = accounts
                    .iter()
                    .find(|(_, integration)| integration.base_url.authority() == source.authority());
                Ok(fitting.map_or(SourceAccess::Public, |(identity, _)| SourceAccess::Account(identity.id)))
            }
            ("account", id) => {
                let accounts = self.account_list_reading(actor).await?;
                let chosen =
                    accounts.iter().find(|(identity, _)| identity.id.to_string() == id).ok_or_else(choose)?;
                host_fits(source, &chosen.1.base_url.authority())?;
                Ok(SourceAccess::Account(chosen.0.id))
            }
            ("credential", id) => {
                let id = id.parse().map_err(|_| choose())?;
                let credential = self.storage.credential_find(id).await?;
                let credential =
                    credential.filter(|it| it.organization_id == organization.id).ok_or_else(choose)?;
                host_fits(source, &credential.host)?;
                Ok(SourceAccess::Stored(id))
            }
            _ => Err(choose()),
        }
    }

    async fn access_in_words(&self, package: &Package) -> Result<String, Failure> {
        Ok(match package.access {
            SourceAccess::Public => "nobody's: the repository is public".into(),
            SourceAccess::AccountGone => "an account that is no longer connected".into(),
            SourceAccess::OrganizationKey => "the organization's SSH key".into(),
            SourceAccess::Account(id) => match self.storage.identity_find(id).await? {
                Some(identity) => format!("the connected account {}", identity.handle),
                None => "an account that is no longer connected".into(),
            },
            SourceAccess::Stored(id) => match self.storage.credential_find(id).await? {
                Some(credential) => format!("the credential “{}”", credential.description),
                None => "a credential that is gone".into(),
            },
        })
    }
}

/// A secret goes to its own host only.
fn host_fits(source: &SourceUrl, host: &str) -> Result<(), Failure> {
    if source.authority() == host {
        return Ok(());
    }
    Err(Failure::invalid(
        "credential",
        format!("This credential is for {host}, but the URL is at {}.", source.authority()),
    ))
}

/// The name of a package, or where it is while it has none.
pub(crate) fn title(package: &Package) -> String {
    package.name.as_ref().map_or_else(|| package.source.to_string(), ToString::to_string)
}
