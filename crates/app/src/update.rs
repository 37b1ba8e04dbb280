//! Updating a package: fetch what changed, read what is there, publish it. One pass is a run.

use crate::{App, Failure, entropy};
use stave_domain::{
    composer::scan::{Outcome, Scan},
    id::{PackageId, RunId},
    job::Job,
    package::Package,
    run::{Run, RunLevel, RunLine, RunState},
    version::{
        Publication, Version, VersionFound,
        plan::{Known, plan},
    },
};
use stave_storage::Storage;
use std::time::Duration;
use tokio::{sync::watch, task::JoinHandle};

/// Runs that are remembered per package.
const RUNS_KEPT: u64 = 20;
/// How often progress is stored while a run goes on.
const PROGRESS_EVERY: Duration = Duration::from_millis(400);

/// What a run is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) phase: String,
    pub(crate) done: u32,
    pub(crate) total: u32,
}

impl App {
    /// One run over a package's repository. What comes of it is on the package's page, a failure too.
    pub(crate) async fn package_update_run(&self, id: PackageId) -> Result<(), Failure> {
        let Some(package) = self.storage.package_find(id).await? else { return Ok(()) };
        let started_at = self.clock.now();
        self.storage
            .run_fail_running(
                id,
                started_at,
                "Stave stopped in the middle of this run; the next one began anew.",
            )
            .await?;
        let state = RunState::Running { phase: "Starting".into(), done: 0, total: 0 };
        let mut run = Run { id: entropy::id(), package_id: id, started_at, state, lines: Vec::new() };
        self.storage.run_insert(&run).await?;
        let outcome = self.package_read(&package, &mut run).await;
        let at = self.clock.now();
        run.state = match &outcome {
            Ok(changes) => RunState::Done { at, changes: *changes },
            Err(failure) => RunState::Failed { at, because: failure.to_string() },
        };
        self.storage
            .package_checked(id, at, outcome.as_ref().err().map(ToString::to_string).as_deref())
            .await?;
        self.storage.run_finish(&run).await?;
        self.storage.run_prune(id, RUNS_KEPT).await?;
        outcome.map(|_| ())
    }

    /// Fetches, reads and publishes; returns how many versions changed.
    async fn package_read(&self, package: &Package, run: &mut Run) -> Result<u32, Failure> {
        let fetched = self.source_read(package, Some(run.id)).await?;
        if !fetched.changed
            && let Some(before) = self.run_done_before(run).await?
        {
            // What was said about each reference then is still true.
            run.lines = before.lines;
            return Ok(0);
        }
        let scanned = self.mirror_scan(package.id, run.id).await?;
        let outcomes = match &scanned {
            Ok(scan) => &scan.outcomes,
            Err(failure) => &failure.outcomes,
        };
        run.lines.extend(outcomes.iter().map(Outcome::line));
        match scanned {
            Ok(scan) => self.scan_publish(package.id, &scan, run).await,
            Err(failure) => Err(Failure::Conflict(failure.to_string())),
        }
    }

    /// The run before this one if it came to its end, so that what the mirror holds is published already.
    async fn run_done_before(&self, run: &Run) -> Result<Option<Run>, Failure> {
        let runs = self.storage.run_list(run.package_id, 2).await?;
        let before = runs.into_iter().find(|earlier| earlier.id != run.id);
        Ok(before.filter(|before| matches!(before.state, RunState::Done { .. })))
    }

    /// Stores what a scan found, and the documents that follow from it, in one transaction.
    async fn scan_publish(&self, id: PackageId, scan: &Scan, run: &mut Run) -> Result<u32, Failure> {
        let txn = self.storage.begin().await?;
        // Somebody may have deleted or changed it while its repository was read.
        let Some(package) = txn.package_lock(id).await? else { return Ok(0) };
        if let Some(other) = txn.package_find_by_name(package.organization_id, &scan.name).await?
            && other.id != id
        {
            return Err(Failure::Conflict(format!(
                "composer.json names {}, and this organization reads that package from {} already. Change the name in \
                 composer.json, or delete one of the two packages.",
                scan.name, other.source
            )));
        }
        if let Some(before) = package.name.as_ref().filter(|before| **before != scan.name) {
            let message = format!("the package is called {} now; it was {before}", scan.name);
            run.lines.insert(0, RunLine { level: RunLevel::Info, subject: String::new(), message });
            txn.document_delete_of(id).await?;
        }
        let package = Package {
            name: Some(scan.name.clone()),
            description: scan.description.clone(),
            abandoned: scan.abandoned.clone(),
            ..package
        };
        txn.package_update(&package).await?;
        let changes = self.versions_store(&txn, id, scan).await?;
        self.documents_publish(&txn, id).await?;
        self.job_enqueue_in(&txn, Job::BuildDists { package: id }).await?;
        txn.commit().await?;
        self.job_bell.notify_one();
        Ok(changes)
    }

    async fn versions_store(&self, storage: &Storage, id: PackageId, scan: &Scan) -> Result<u32, Failure> {
        let versions = storage.version_list(id).await?;
        let publications = storage.publication_list(id).await?;
        let publications =
            publications.into_iter().map(|it| ((it.normalized, it.commit), it.published_at)).collect();
        let known = Known { package_id: id, versions: &versions, publications: &publications };
        let found: Vec<VersionFound> = scan.found().cloned().collect();
        let changes = plan(known, &found, self.clock.now(), entropy::id);
        storage.version_upsert_many(&changes.upserts).await?;
        let published: Vec<Publication> = changes.upserts.iter().map(Version::publication).collect();
        storage.publication_insert_many(id, &published).await?;
        Ok(changes.count())
    }

    /// Stores what a thread tells of its progress until it is done.
    pub(crate) async fn progress_follow<T>(
        &self,
        run: Option<RunId>,
        mut task: JoinHandle<T>,
        mut progress: watch::Receiver<Progress>,
    ) -> Result<T, Failure> {
        let mut tick = tokio::time::interval(PROGRESS_EVERY);
        loop {
            tokio::select! {
                done = &mut task => return done.map_err(Failure::internal),
                _ = tick.tick() => {
                    if progress.has_changed().unwrap_or(false) {
                        let Progress { phase, done, total } = progress.borrow_and_update().clone();
                        if let Some(run) = run {
                            self.storage.run_progress(run, &phase, done, total).await?;
                        }
                    }
                }
            }
        }
    }
}
