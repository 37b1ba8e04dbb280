//! Mirrors: Composer repositories of others, whose packages an organization installs from here.
//!
//! What is asked of them lies apart: [`find`] looks for names that nobody used here before, [`update`] follows what is here, [`dist`]
//! fetches zips. All of them read packages through [`read`].

mod add;
mod claim;
mod client;
mod dist;
mod find;
mod form;
mod read;
mod seeking;
mod update;
mod warning;

pub use add::{MirrorAddForm, MirrorAddLine, MirrorAdded, Mirrorable};
pub(crate) use client::fits_mirrors;
pub use form::MirrorForm;
pub(crate) use seeking::Seeking;

use crate::{Actor, App, Failure, entropy};
use form::Typed;
use stave_domain::{
    credential::StoredCredential,
    id::{MirrorId, OrganizationId, PackageId},
    job::{Job, PendingJob},
    mirror::{Adds, Mirror, MirrorTimeout, MirroredPackage, authority},
    organization::Organization,
    package::{Package, PackageName},
};
use stave_storage::{Storage, Transaction};

/// Packages that are deleted with one statement.
const DELETED_AT_ONCE: u64 = 500;
/// Faults of single packages on the page of a mirror. What comes later is counted nowhere: these have to be mended first.
const FAULTS_SHOWN: u64 = 20;

/// The mirrors of an organization.
#[derive(Debug)]
pub struct MirrorListView {
    /// Whose.
    pub organization: Organization,
    /// The first one is asked first.
    pub lines: Vec<MirrorLine>,
}

/// A mirror in the list.
#[derive(Debug)]
pub struct MirrorLine {
    /// It.
    pub mirror: Mirror,
    /// How many packages of it are here.
    pub packages: u64,
    /// Whether it stays the last one.
    pub is_fixed: bool,
    /// Whether it is being read, or is about to be.
    pub is_busy: bool,
}

/// A mirror's page.
#[derive(Debug)]
pub struct MirrorView {
    /// Whose.
    pub organization: Organization,
    /// It, as in the list.
    pub line: MirrorLine,
    /// With what it is asked.
    pub credential: Option<StoredCredential>,
    /// Reading it: what waits or goes on.
    pub jobs: Vec<PendingJob>,
    /// What is wrong with single packages of it, the first ones.
    pub faults: Vec<MirrorFault>,
}

/// What is wrong with a package of a mirror, or with one of its zips.
#[derive(Debug)]
pub struct MirrorFault {
    /// Which.
    pub package: PackageId,
    /// What it is called.
    pub name: Option<PackageName>,
    /// What, in a sentence.
    pub because: String,
}

impl App {
    /// The mirrors of an organization, for its owners and admins.
    pub async fn mirror_list(&self, actor: &Actor, short_name: &str) -> Result<MirrorListView, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let counts = self.storage.mirror_package_counts(organization.id).await?;
        let mut lines = Vec::new();
        for mirror in self.storage.mirror_list(organization.id).await? {
            let packages = counts.get(&mirror.id).copied().unwrap_or_default();
            lines.push(self.mirror_line(mirror, packages).await?.0);
        }
        Ok(MirrorListView { organization, lines })
    }

    async fn mirror_line(
        &self,
        mirror: Mirror,
        packages: u64,
    ) -> Result<(MirrorLine, Vec<PendingJob>), Failure> {
        let jobs = self.storage.job_pending(&Job::UpdateMirror { mirror: mirror.id }.key()).await?;
        let now = self.clock.now();
        let is_busy = jobs.iter().any(|job| job.is_running || job.run_at <= now);
        let is_fixed = self.mirror_is_fixed(&mirror);
        Ok((MirrorLine { mirror, packages, is_fixed, is_busy }, jobs))
    }

    /// One mirror and how it fares.
    pub async fn mirror_show(
        &self,
        actor: &Actor,
        short_name: &str,
        id: MirrorId,
    ) -> Result<MirrorView, Failure> {
        let (organization, mirror) = self.mirror_managed(actor, short_name, id).await?;
        let credential = match mirror.credential_id {
            Some(id) => self.storage.credential_find(id).await?,
            None => None,
        };
        let packages = self.storage.mirror_package_count(id).await?;
        let (line, jobs) = self.mirror_line(mirror, packages).await?;
        let failing = self.storage.mirrored_package_list_failing(id, FAULTS_SHOWN).await?;
        let fault = |(package, seen): (Package, MirroredPackage)| {
            Some(MirrorFault { package: package.id, name: package.name, because: seen.last_error? })
        };
        let faults = failing.into_iter().filter_map(fault).collect();
        Ok(MirrorView { organization, line, credential, jobs, faults })
    }

    /// The organization for which a mirror is added, and with which credentials it could be asked.
    pub async fn mirror_choices(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, Vec<StoredCredential>), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let credentials = self.mirror_credentials(&organization).await?;
        Ok((organization, credentials))
    }

    /// Follows another Composer repository, after those that are followed already. It is read at once.
    pub async fn mirror_create(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &MirrorForm,
    ) -> Result<MirrorId, Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let typed = self.mirror_typed(&organization, None, form).await?;
        let txn = self.storage.begin().await?;
        let others = txn.mirror_list(organization.id).await?;
        twice(&others, &typed)?;
        let mirror = self.mirror_of(organization.id, typed, others.len());
        self.mirror_insert_in(&txn, &mirror).await?;
        txn.commit().await?;
        self.mirrors_changed(organization.id);
        let action = format!("added the mirror {} ({})", mirror.name, mirror.url);
        self.log_by(actor, Some(organization.id), action).await?;
        Ok(mirror.id)
    }

    /// The mirror that every new organization has, in the transaction that makes the organization.
    pub(crate) async fn mirror_insert_first(
        &self,
        txn: &Transaction,
        organization: OrganizationId,
    ) -> Result<(), Failure> {
        let Some(url) = self.mirror_url.clone() else { return Ok(()) };
        let (name, timeout, adds) = (authority(&url), MirrorTimeout::default(), Adds::default());
        let typed = Typed { name, url, credential_id: None, timeout, adds };
        let mirror = self.mirror_of(organization, typed, 0);
        self.mirror_insert_in(txn, &mirror).await
    }

    fn mirror_of(&self, organization_id: OrganizationId, typed: Typed, place: usize) -> Mirror {
        let Typed { name, url, credential_id, timeout, adds } = typed;
        Mirror {
            id: entropy::id(),
            organization_id,
            name,
            url,
            credential_id,
            timeout,
            adds,
            position: u32::try_from(place).unwrap_or(u32::MAX),
            root: None,
            changes_since: None,
            checked_at: None,
            last_error: None,
            failing_since: None,
            created_at: self.clock.now(),
        }
    }

    async fn mirror_insert_in(&self, txn: &Transaction, mirror: &Mirror) -> Result<(), Failure> {
        txn.mirror_insert(mirror).await?;
        self.mirrors_settle(txn, mirror.organization_id, |_| ()).await?;
        let job = Job::UpdateMirror { mirror: mirror.id };
        self.job_enqueue_in(txn, job, Some(mirror.organization_id)).await
    }

    /// Puts the mirrors of an organization into another order, in which the one that everybody has stays the last.
    async fn mirrors_settle(
        &self,
        storage: &Storage,
        organization: OrganizationId,
        order: impl FnOnce(&mut Vec<Mirror>),
    ) -> Result<(), Failure> {
        let mut mirrors = storage.mirror_list(organization).await?;
        order(&mut mirrors);
        mirrors.sort_by_key(|mirror| self.mirror_is_fixed(mirror));
        let ids: Vec<MirrorId> = mirrors.iter().map(|mirror| mirror.id).collect();
        Ok(storage.mirror_reorder(organization, &ids).await?)
    }

    /// Changes a mirror. At another address it is another one: it is read anew, and its packages are compared as a whole.
    pub async fn mirror_change(
        &self,
        actor: &Actor,
        short_name: &str,
        id: MirrorId,
        form: &MirrorForm,
    ) -> Result<(), Failure> {
        let (organization, before) = self.mirror_managed(actor, short_name, id).await?;
        let typed = self.mirror_typed(&organization, Some(&before), form).await?;
        let txn = self.storage.begin().await?;
        let mut others = txn.mirror_list(organization.id).await?;
        let at = others.iter().position(|other| other.id == id).ok_or(Failure::NotFound("mirror"))?;
        let before = others.remove(at);
        twice(&others, &typed)?;
        let is_moved = before.url != typed.url;
        let is_opened_or_closed = before.credential_id.is_none() != typed.credential_id.is_none();
        let Typed { name, url, credential_id, timeout, adds } = typed;
        let mut after = Mirror { name, url, credential_id, timeout, adds, ..before };
        if is_moved {
            (after.root, after.changes_since, after.last_error, after.failing_since) =
                (None, None, None, None);
            txn.mirrored_package_forget(id).await?;
        }
        txn.mirror_update(&after).await?;
        self.mirrors_settle(&txn, organization.id, |_| ()).await?;
        if is_opened_or_closed {
            // Security settings may hide the sources of mirrors that everybody may read.
            let job = Job::PublishOrganization { organization: organization.id };
            self.job_enqueue_in(&txn, job, Some(organization.id)).await?;
        }
        self.job_enqueue_in(&txn, Job::UpdateMirror { mirror: id }, Some(organization.id)).await?;
        txn.commit().await?;
        self.mirrors_changed(organization.id);
        let action =
            format!("changed the mirror {} ({}): {}", after.name, after.url, after.adds.short_label());
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Asks a mirror before or after the others: puts it to a place, counted from 0.
    pub async fn mirror_move(
        &self,
        actor: &Actor,
        short_name: &str,
        id: MirrorId,
        place: usize,
    ) -> Result<(), Failure> {
        let (organization, mirror) = self.mirror_managed(actor, short_name, id).await?;
        if self.mirror_is_fixed(&mirror) {
            let sentence = format!("{} stays the last one: what others have comes before it.", mirror.name);
            return Err(Failure::Conflict(sentence));
        }
        let txn = self.storage.begin().await?;
        let order = |mirrors: &mut Vec<Mirror>| {
            let Some(at) = mirrors.iter().position(|other| other.id == id) else { return };
            let moved = mirrors.remove(at);
            mirrors.insert(place.min(mirrors.len()), moved);
        };
        self.mirrors_settle(&txn, organization.id, order).await?;
        txn.commit().await?;
        self.mirrors_changed(organization.id);
        let action = format!("moved the mirror {} to place {}", mirror.name, place.saturating_add(1));
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Has a mirror read as soon as possible, and every package of it compared.
    pub async fn mirror_update(&self, actor: &Actor, short_name: &str, id: MirrorId) -> Result<(), Failure> {
        let (organization, _) = self.mirror_managed(actor, short_name, id).await?;
        self.storage.mirrored_package_recheck(id).await?;
        self.job_enqueue(Job::UpdateMirror { mirror: id }, Some(organization.id)).await
    }

    /// Deletes a mirror with its packages; `packages` is how many the actor was told. If more came meanwhile, they are asked again.
    pub async fn mirror_delete(
        &self,
        actor: &Actor,
        short_name: &str,
        id: MirrorId,
        packages: u64,
    ) -> Result<(), Failure> {
        let (organization, mirror) = self.mirror_managed(actor, short_name, id).await?;
        let txn = self.storage.begin().await?;
        let now = txn.mirror_package_count(id).await?;
        if now > packages {
            return Err(Failure::Conflict(format!(
                "The mirror {} has {now} packages here now, more than you were asked about. Nothing was deleted. Look at it again.",
                mirror.name
            )));
        }
        while txn.package_delete_of_mirror(id, DELETED_AT_ONCE).await? > 0 {}
        txn.mirror_delete(id).await?;
        txn.commit().await?;
        self.mirrors_changed(organization.id);
        let action = format!("deleted the mirror {} with its {now} packages", mirror.name);
        self.log_by(actor, Some(organization.id), action).await
    }

    /// What mirrors did not have, others may.
    fn mirrors_changed(&self, organization: OrganizationId) {
        self.seeking.forget(organization);
        self.job_bell.notify_one();
    }

    async fn mirror_managed(
        &self,
        actor: &Actor,
        short_name: &str,
        id: MirrorId,
    ) -> Result<(Organization, Mirror), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let mirror = self.storage.mirror_find(id).await?.filter(|it| it.organization_id == organization.id);
        Ok((organization, mirror.ok_or(Failure::NotFound("mirror"))?))
    }
}

/// The same URL may be followed twice, with different credentials: then it offers different packages.
fn twice(others: &[Mirror], typed: &Typed) -> Result<(), Failure> {
    let same =
        others.iter().find(|other| (&other.url, other.credential_id) == (&typed.url, typed.credential_id));
    same.map_or(Ok(()), |same| {
        let sentence = format!("This Composer repository is followed already, as {}. With another credential it can be followed twice.", same.name);
        Err(Failure::invalid("url", sentence))
    })
}
