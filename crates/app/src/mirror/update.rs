//! Following mirrors: what they changed is here soon, what they lost stays here, and a fault changes nothing.

use super::read::{Line, Look, Stored};
use crate::{App, Failure};
use futures::{FutureExt, StreamExt, stream};
use jiff::SignedDuration;
use stave_domain::{
    id::{JobId, MirrorId, PackageId},
    job::{Job, Progress, Urgency},
    mirror::{Adds, Mirror, MirrorRoot, MirroredPackage},
    package::{Origin, Package},
};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

/// How often a mirror is read that tells what has changed.
const POLL_EVERY: SignedDuration = SignedDuration::from_mins(2);
/// How often others are: only packages.json, which may name other packages now.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// How often a mirror is that tells what has changed while nothing of it is here.
const IDLE_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How often each package is compared.
const COMPARE_EVERY: SignedDuration = SignedDuration::from_hours(12);
/// The same where the mirror tells what has changed: it may have forgotten something.
const COMPARE_ANYWAY_EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Of what a mirror told before, so much is heard again, in ten-thousandths of a second: the files behind a feed may be some minutes
/// older than it.
const OVERLAP: i64 = 5 * 60 * 10_000;
/// Packages that are compared at the same time.
const AT_ONCE: usize = 8;
/// After so many of them it is told how far the job is.
const TELL_EVERY: u32 = 8;
/// After so many that could not be read for now, the others wait for the next time.
const MOST_FAILURES: u32 = 10;
/// More than any mirror has here.
const ALL: u64 = 1_000_000;
/// Mirrors that are looked at in one minute.
const DUE_AT_ONCE: u64 = 1_000;

impl App {
    /// Has every mirror read whose time has come.
    pub(crate) async fn mirrors_check(&self) -> Result<(), Failure> {
        let now = self.clock.now();
        for mirror in self.storage.mirror_list_due(now - POLL_EVERY, DUE_AT_ONCE).await? {
            let job = Job::UpdateMirror { mirror: mirror.id };
            let is_due = match mirror.checked_at {
                Some(at) => now.duration_since(at) >= self.mirror_pause(&mirror).await?,
                None => true,
            };
            if is_due
                && mirror.adds != Adds::Disabled
                && self.storage.job_pending(&job.key()).await?.is_empty()
            {
                let organization = Some(mirror.organization_id);
                self.job_enqueue_as(&self.storage, Urgency::InTurn, job, organization).await?;
                self.job_bell.notify_one();
            }
        }
        Ok(())
    }

    async fn mirror_pause(&self, mirror: &Mirror) -> Result<SignedDuration, Failure> {
        if mirror.root.as_ref().is_none_or(|root| root.changes_url.is_none()) {
            return Ok(LOOK_EVERY);
        }
        let is_used = self.storage.mirror_package_count(mirror.id).await? > 0;
        Ok(if is_used { POLL_EVERY } else { IDLE_EVERY })
    }

    /// Reads a mirror again. What is wrong is on its page; what is here stays as it was then.
    pub(crate) async fn mirror_update_run(&self, id: MirrorId, job: JobId) -> Result<(), Failure> {
        let found = self.storage.mirror_find(id).await?;
        let Some(mirror) = found.filter(|mirror| mirror.adds != Adds::Disabled) else { return Ok(()) };
        let outcome = self.mirror_follow(&mirror, job).await;
        let because = outcome.as_ref().err().map(ToString::to_string);
        self.storage.mirror_checked(id, self.clock.now(), because.as_deref()).await?;
        if let (Some(credential), true) = (mirror.credential_id, outcome.is_ok()) {
            self.credential_worked(credential).await?;
        }
        outcome
    }

    async fn mirror_follow(&self, mirror: &Mirror, job: JobId) -> Result<(), Failure> {
        let client = self.mirror_client(mirror).await?;
        let root = client.root().await?;
        self.root_keep(mirror, &root).await?;
        let line = Line { mirror, root: &root, client };
        self.changes_hear(&line).await?;
        self.due_compare(&line, job).await?;
        self.warnings_update(&line).await
    }

    /// Remembers what a mirror says of itself; with another list of packages it may have what it had not.
    async fn root_keep(&self, mirror: &Mirror, root: &MirrorRoot) -> Result<(), Failure> {
        if mirror.root.as_ref() == Some(root) {
            return Ok(());
        }
        let txn = self.storage.begin().await?;
        // Somebody may have changed or deleted it meanwhile.
        let Some(now) = txn.mirror_find(mirror.id).await?.filter(|now| now.url == mirror.url) else {
            return Ok(());
        };
        txn.mirror_update(&Mirror { root: Some(root.clone()), ..now }).await?;
        txn.commit().await?;
        self.seeking.forget(mirror.organization_id);
        Ok(())
    }

    /// Asks what has changed, if the mirror tells. Which packages are to be compared then is kept with them, so that no change is
    /// lost if this run ends before it has come to them.
    async fn changes_hear(&self, line: &Line<'_>) -> Result<(), Failure> {
        if line.root.changes_url.is_none() {
            return Ok(());
        }
        let id = line.mirror.id;
        let since = line.mirror.changes_since.map(|since| since.saturating_sub(OVERLAP).max(0));
        let told = line.client.changes(line.root, since).await?;
        if told.is_resync {
            self.storage.mirrored_package_recheck(id).await?;
            self.seeking.forget(line.mirror.organization_id);
        } else {
            let names = told.updated.union(&told.deleted).cloned().collect();
            self.storage.mirrored_package_recheck_named(id, &names).await?;
            self.seeking.forget_names(line.mirror.organization_id, &names);
        }
        Ok(self.storage.mirror_heard(id, told.next).await?)
    }

    /// Compares every package whose time has come.
    async fn due_compare(&self, line: &Line<'_>, job: JobId) -> Result<(), Failure> {
        let every = if line.root.changes_url.is_some() { COMPARE_ANYWAY_EVERY } else { COMPARE_EVERY };
        let due =
            self.storage.mirrored_package_list_due(line.mirror.id, self.clock.now() - every, ALL).await?;
        let total = u32::try_from(due.len()).unwrap_or(u32::MAX);
        let (done, failed, first) = (AtomicU32::new(0), AtomicU32::new(0), Mutex::new(None));
        let compare = |(package, seen): (Package, Option<MirroredPackage>)| {
            let (done, failed, first) = (&done, &failed, &first);
            async move {
                if failed.load(Ordering::Relaxed) >= MOST_FAILURES {
                    return;
                }
                if let Err(failure) = self.mirrored_compare(line, &package, seen).await {
                    failed.fetch_add(1, Ordering::Relaxed);
                    first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                }
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                if done.is_multiple_of(TELL_EVERY) {
                    let progress = Progress { phase: "Comparing packages".into(), done, total };
                    self.job_progress(job, &progress).await;
                }
            }
            .boxed()
        };
        let all: Vec<_> = due.into_iter().map(compare).collect();
        stream::iter(all).buffer_unordered(AT_ONCE).collect::<()>().await;
        first.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    /// Compares a package with what its mirror has now. It fails if trying again soon may help.
    async fn mirrored_compare(
        &self,
        line: &Line<'_>,
        package: &Package,
        seen: Option<MirroredPackage>,
    ) -> Result<(), Failure> {
        let seen = seen.unwrap_or_else(|| MirroredPackage::new(package.id));
        // One without a name made room for one of the organization's own.
        let Some(name) = &package.name else { return self.mirrored_checked(&seen, None).await };
        let failure = match line.look(name, Some(&seen)).await {
            Ok(Look::Same) => return self.mirrored_checked(&seen, None).await,
            Ok(Look::Missing) => return self.mirrored_gone(&seen).await,
            Ok(Look::Found(found)) => match self.mirrored_store(line, name, *found).await? {
                Stored::Here | Stored::Taken | Stored::Nowhere => return Ok(()),
            },
            Err(failure) => failure,
        };
        if failure.is_transient() {
            self.mirrored_failed(&seen, &failure).await?;
            return Err(failure);
        }
        self.mirrored_checked(&seen, Some(&failure)).await
    }

    /// Compares one package: somebody wants to see it as it is now.
    pub(crate) async fn mirrored_update_run(&self, id: PackageId) -> Result<(), Failure> {
        let Some(package) = self.storage.package_find(id).await? else { return Ok(()) };
        let Origin::Mirror(mirror) = package.origin else { return Ok(()) };
        let Some(mirror) = self.storage.mirror_find(mirror).await? else { return Ok(()) };
        let client = self.mirror_client(&mirror).await?;
        let root = client.root().await?;
        let line = Line { mirror: &mirror, root: &root, client };
        let seen = self.storage.mirrored_package_find(id).await?;
        self.mirrored_compare(&line, &package, seen).await
    }
}
