//! Updating a repository: fetch what changed, read what is there, publish its packages. One pass is a run.

use crate::{App, Failure, entropy, scan::FolderScan};
use stave_domain::{
    composer::scan::{NoPackage, Scan, ScanFailure},
    id::{PackageId, RepositoryId, RunId},
    job::Job,
    package::{Origin, Package},
    repository::{Followed, Repository},
    run::{Run, RunLevel, RunLine, RunState},
    version::{
        Publication, Version, VersionFound,
        plan::{Known, plan},
    },
};
use stave_storage::{Storage, Transaction};
use std::time::Duration;
use tokio::{sync::watch, task::JoinHandle};

/// Runs that are remembered per repository.
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

/// What came of one folder.
enum Published {
    /// So many of its versions changed.
    Changes(u32),
    /// It is not served as it is now: why, and how many versions went because of that.
    Problem(String, u32),
    /// Somebody deleted it meanwhile, or it never was a package.
    Nothing,
}

impl App {
    /// One run over a repository. What comes of it is on the pages of its packages, a failure too.
    pub(crate) async fn repository_update_run(&self, id: RepositoryId) -> Result<(), Failure> {
        let Some(repository) = self.storage.repository_find(id).await? else { return Ok(()) };
        let started_at = self.clock.now();
        self.storage
            .run_fail_running(
                id,
                started_at,
                "Stave stopped in the middle of this run; the next one began anew.",
            )
            .await?;
        let state = RunState::Running { phase: "Starting".into(), done: 0, total: 0 };
        let mut run = Run { id: entropy::id(), repository_id: id, started_at, state, lines: Vec::new() };
        self.storage.run_insert(&run).await?;
        let outcome = self.repository_read(&repository, &mut run).await;
        let at = self.clock.now();
        run.state = match &outcome {
            Ok(changes) => RunState::Done { at, changes: *changes },
            Err(failure) => RunState::Failed { at, because: failure.to_string() },
        };
        self.storage
            .repository_checked(id, at, outcome.as_ref().err().map(ToString::to_string).as_deref())
            .await?;
        self.storage.run_finish(&run).await?;
        self.storage.run_prune(id, RUNS_KEPT).await?;
        outcome.map(|_| ())
    }

    /// Fetches, reads and publishes; returns how many versions changed. It fails if no package could be published.
    async fn repository_read(&self, repository: &Repository, run: &mut Run) -> Result<u32, Failure> {
        let has_changed = self.source_read(repository, Some(run.id)).await?;
        let packages = self.storage.package_list_of_repository(repository.id).await?;
        let is_settled =
            repository.checked_at.is_some() && packages.iter().all(|package| package.problem.is_none());
        if !has_changed
            && is_settled
            && let Some(before) = self.run_done_before(run).await?
        {
            // What was said about each reference then is still true.
            run.lines = before.lines;
            return Ok(0);
        }
        let scans = self.mirror_scan(repository, &packages, run.id).await?;
        let (mut changes, mut problems, mut is_any_good) = (0, Vec::new(), false);
        changes += self.packages_drop_unnamed(&packages, &scans).await?;
        for scan in scans {
            match self.folder_publish(repository, scan, run).await? {
                Published::Changes(count) => {
                    changes += count;
                    is_any_good = true;
                }
                Published::Problem(problem, count) => {
                    changes += count;
                    problems.push(problem);
                }
                Published::Nothing => {}
            }
        }
        self.job_bell.notify_one();
        match problems.into_iter().next() {
            Some(problem) if !is_any_good => Err(Failure::Conflict(problem)),
            None if !is_any_good && packages.is_empty() => Err(Failure::Conflict(NO_PACKAGE.into())),
            _ => Ok(changes),
        }
    }

    /// The run before this one if it came to its end, so that what the mirror holds is published already.
    async fn run_done_before(&self, run: &Run) -> Result<Option<Run>, Failure> {
        let runs = self.storage.run_list(run.repository_id, 2).await?;
        let before = runs.into_iter().find(|earlier| earlier.id != run.id);
        Ok(before.filter(|before| matches!(before.state, RunState::Done { .. })))
    }

    /// Packages in folders that the layout names no longer publish nothing. They stay, for lock files and for whoever names
    /// their folders again.
    async fn packages_drop_unnamed(
        &self,
        packages: &[Package],
        scans: &[FolderScan],
    ) -> Result<u32, Failure> {
        let mut changes = 0;
        for package in packages.iter().filter(|package| scans.iter().all(|scan| scan.path != package.path()))
        {
            let txn = self.storage.begin().await?;
            changes += self.package_fail(&txn, package.id, UNNAMED, true).await?;
            txn.commit().await?;
        }
        Ok(changes)
    }

    /// Publishes what a folder holds, in one transaction.
    async fn folder_publish(
        &self,
        repository: &Repository,
        folder: FolderScan,
        run: &mut Run,
    ) -> Result<Published, Failure> {
        let outcomes = match &folder.scan {
            Ok(scan) => &scan.outcomes,
            Err(failure) => &failure.outcomes,
        };
        run.lines.extend(outcomes.iter().map(|outcome| in_folder(&folder.path, outcome.line())));
        let txn = self.storage.begin().await?;
        // Somebody may have deleted or changed it while it was read.
        let Some(repository) = txn.repository_lock(repository.id).await? else {
            return Ok(Published::Nothing);
        };
        if !repository.layout.folders().contains(&folder.path) {
            return Ok(Published::Nothing);
        }
        let known = txn.package_list_of_repository(repository.id).await?;
        let known = known.into_iter().find(|package| package.path() == folder.path);
        let published = match (folder.scan, known) {
            (Ok(mut scan), known) => {
                if is_archived(&txn, &repository).await? {
                    scan.abandoned.get_or_insert_default();
                }
                let package = known.unwrap_or_else(|| {
                    let origin = Origin::Folder { repository_id: repository.id, path: folder.path.clone() };
                    Package::new(entropy::id(), repository.organization_id, origin, self.clock.now())
                });
                let id = package.id;
                let published = self.scan_publish(&txn, package, &scan, run).await?;
                txn.readme_put(id, folder.readme.as_deref()).await?;
                published
            }
            (Err(ScanFailure { because, .. }), Some(package)) => {
                let count =
                    self.package_fail(&txn, package.id, &because.to_string(), because.is_gone()).await?;
                Published::Problem(because.to_string(), count)
            }
            (Err(ScanFailure { because, .. }), None) => folder_pass_over(&folder.path, &because, run),
        };
        txn.commit().await?;
        Ok(published)
    }

    /// Stores what a scan found, and the documents that follow from it.
    async fn scan_publish(
        &self,
        txn: &Transaction,
        package: Package,
        scan: &Scan,
        run: &mut Run,
    ) -> Result<Published, Failure> {
        let is_known = txn.package_find(package.id).await?.is_some();
        if let Some(other) = self.name_claim(txn, package.organization_id, &scan.name).await?
            && other.id != package.id
        {
            let problem = self.name_is_taken(txn, &other, scan).await?;
            let path = package.path().to_owned();
            if is_known {
                self.package_fail(txn, package.id, &problem, false).await?;
            } else {
                txn.package_insert(&Package { problem: Some(problem.clone()), ..package }).await?;
            }
            let line =
                RunLine { level: RunLevel::Error, path, subject: String::new(), message: problem.clone() };
            run.lines.insert(0, line);
            return Ok(Published::Problem(problem, 0));
        }
        if let Some(before) = package.name.as_ref().filter(|before| **before != scan.name) {
            let message = format!("the package is called {} now; it was {before}", scan.name);
            let path = package.path().to_owned();
            run.lines.insert(0, RunLine { level: RunLevel::Info, path, subject: String::new(), message });
            txn.document_delete_of(package.id).await?;
        }
        let package = Package {
            name: Some(scan.name.clone()),
            description: scan.description.clone(),
            abandoned: scan.abandoned.clone(),
            problem: None,
            ..package
        };
        if is_known {
            txn.package_update(&package).await?;
        } else {
            txn.package_insert(&package).await?;
        }
        let found: Vec<VersionFound> = scan.found().cloned().collect();
        let changes = self.versions_store(txn, package.id, &found).await?;
        self.documents_publish(txn, package.id).await?;
        self.job_enqueue_in(txn, Job::BuildDists { package: package.id }, Some(package.organization_id))
            .await?;
        Ok(Published::Changes(changes))
    }

    async fn name_is_taken(
        &self,
        txn: &Transaction,
        other: &Package,
        scan: &Scan,
    ) -> Result<String, Failure> {
        let repository = match other.repository_id() {
            Some(id) => txn.repository_find(id).await?,
            None => None,
        };
        let place = other.place(repository.as_ref());
        Ok(format!(
            "composer.json names {}, and this organization reads that package from {place} already. Change the name in \
             composer.json, or delete one of the two packages.",
            scan.name
        ))
    }

    /// Notes why a package is not served as it is now; with `is_gone` its versions leave the metadata. Returns how many.
    async fn package_fail(
        &self,
        txn: &Transaction,
        id: PackageId,
        problem: &str,
        is_gone: bool,
    ) -> Result<u32, Failure> {
        let Some(package) = txn.package_lock(id).await? else { return Ok(0) };
        txn.package_update(&Package { problem: Some(problem.to_owned()), ..package }).await?;
        if !is_gone {
            return Ok(0);
        }
        let changes = self.versions_store(txn, id, &[]).await?;
        self.documents_publish(txn, id).await?;
        Ok(changes)
    }

    pub(crate) async fn versions_store(
        &self,
        storage: &Storage,
        id: PackageId,
        found: &[VersionFound],
    ) -> Result<u32, Failure> {
        let versions = storage.version_list(id).await?;
        let publications = storage.publication_list(id).await?;
        let publications =
            publications.into_iter().map(|it| ((it.normalized, it.commit), it.published_at)).collect();
        let known = Known { package_id: id, versions: &versions, publications: &publications };
        let changes = plan(known, found, self.clock.now(), entropy::id);
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

/// What is said of a package whose folder the layout names no longer.
const UNNAMED: &str = "The paths of the repository no longer name this folder, so nothing of it is served. Edit the repository to \
                       name it again, or delete the package.";
/// What is said of a repository without any.
const NO_PACKAGE: &str = "None of the folders that are named has a composer.json on the default branch. Push one, or edit the \
                          repository and name other paths.";

/// A folder that never was a package is in the log only.
fn folder_pass_over(path: &str, because: &NoPackage, run: &mut Run) -> Published {
    let message = format!("no package: {because}");
    let line = RunLine { level: RunLevel::Skipped, path: path.to_owned(), subject: String::new(), message };
    run.lines.insert(0, line);
    Published::Nothing
}

fn in_folder(path: &str, line: RunLine) -> RunLine {
    RunLine { path: path.to_owned(), ..line }
}

/// Whether the platform closed a followed repository for changes: its packages are abandoned.
async fn is_archived(txn: &Transaction, repository: &Repository) -> Result<bool, Failure> {
    let Some(Followed { synchronization_id, number }) = repository.followed else { return Ok(false) };
    let known = txn.remote_repository_find(synchronization_id, number).await?;
    Ok(known.is_some_and(|known| known.remote.is_archived))
}
