//! Reading a mirror: every branch and tag with the composer.json of each folder, and the versions that they make.

use crate::{App, Failure, update::Progress};
use stave_domain::{
    composer::{
        Manifest, ManifestProblem,
        scan::{Commit, Labels, Reference, ReferenceKind, Scan, ScanFailure, scan},
    },
    id::RunId,
    package::{Package, PackageName},
    repository::{Layout, Repository},
};
use stave_git::{GitError, Manifest as Kept, Mirror, Target, Tree};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};
use tokio::sync::watch;

/// A composer.json as it was read; commits with the same file share it.
type Shared = Arc<Result<Manifest, ManifestProblem>>;

/// What a folder of a repository holds.
pub(crate) struct FolderScan {
    /// Which; empty is the root.
    pub(crate) path: String,
    /// The versions; a folder that is no package is not a failure of Stave.
    pub(crate) scan: Result<Scan, ScanFailure>,
    /// Its README on the default branch.
    pub(crate) readme: Option<String>,
}

/// Which folders are looked at.
struct Wanted {
    layout: Layout,
    /// Those that were packages before, with their names: they still may be, on older tags.
    known: BTreeMap<String, Option<PackageName>>,
}

impl App {
    /// What the mirror of a repository holds in the folders that its layout names: those of the default branch, and those of
    /// the packages that are known.
    pub(crate) async fn mirror_scan(
        &self,
        repository: &Repository,
        packages: &[Package],
        run: RunId,
    ) -> Result<Vec<FolderScan>, Failure> {
        let turn = self.mirrors.turn(repository.id).await;
        let _slot = self.cpu_slots.acquire().await.map_err(Failure::internal)?;
        let path = self.mirror_path(repository.id);
        let known =
            packages.iter().map(|package| (package.path().to_owned(), package.name.clone())).collect();
        let wanted = Wanted { layout: repository.layout.clone(), known };
        let (tell, progress) = watch::channel(Progress::default());
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let step = |done, total| {
                tell.send_replace(Progress { phase: "Reading branches and tags".into(), done, total });
            };
            mirror_read(&path, wanted, &step)
        });
        Ok(self.progress_follow(Some(run), task, progress).await??)
    }
}

fn mirror_read(path: &Path, wanted: Wanted, step: &dyn Fn(u32, u32)) -> Result<Vec<FolderScan>, GitError> {
    let mut reading = Reading { mirror: Mirror::open_or_create(path)?, manifests: HashMap::new() };
    let (default_branch, found) = reading.references()?;
    let default = found
        .iter()
        .find(|it| it.kind == ReferenceKind::Branch && default_branch.as_deref() == Some(it.name.as_str()));
    let default = default.and_then(|branch| branch.commit.as_ref()).map(|(id, _)| id.clone());
    let folders = reading.folders(wanted, default.as_deref())?;
    let mut readmes = Vec::new();
    for folder in folders.keys() {
        readmes.push(match &default {
            Some(commit) => reading.mirror.readme_in(Tree { commit, folder })?,
            None => None,
        });
    }
    let mut references: Vec<Vec<Reference>> = folders.keys().map(|_| Vec::new()).collect();
    let total = u32::try_from(found.len()).unwrap_or(u32::MAX);
    for (done, reference) in (0..).zip(&found) {
        step(done, total);
        for (folder, of_folder) in folders.keys().zip(&mut references) {
            of_folder.push(reading.reference(reference, folder)?);
        }
    }
    let labels: Vec<Labels> = folders.iter().map(|(path, name)| Labels::of(path, name.as_ref())).collect();
    let folders = folders.into_keys().zip(readmes).zip(references);
    let scans = folders.enumerate().map(|(at, ((path, readme), references))| {
        let references =
            if labels.len() == 1 && path.is_empty() { references } else { labelled(references, &labels, at) };
        FolderScan { path, scan: scan(default_branch.as_deref(), &references), readme }
    });
    Ok(scans.collect())
}

/// The references that count for the package number `at`: a tag that begins with a label of another one does not.
fn labelled(references: Vec<Reference>, labels: &[Labels], at: usize) -> Vec<Reference> {
    let own = |reference: Reference| {
        if reference.kind == ReferenceKind::Branch {
            return Some(reference);
        }
        let labelled = labels[at].version(&reference.name).map(str::to_owned);
        let is_of_another = || labels.iter().any(|others| others.version(&reference.name).is_some());
        (labelled.is_some() || !is_of_another()).then_some(Reference { labelled, ..reference })
    };
    references.into_iter().filter_map(own).collect()
}

/// A branch or tag, and the commit that it leads to with its author date.
struct Found {
    kind: ReferenceKind,
    name: String,
    commit: Option<(String, stave_domain::Timestamp)>,
}

/// One pass over a mirror.
struct Reading {
    mirror: Mirror,
    /// By the id of the file's contents.
    manifests: HashMap<String, Shared>,
}

impl Reading {
    /// The default branch, and all branches and tags.
    fn references(&self) -> Result<(Option<String>, Vec<Found>), GitError> {
        let kept = self.mirror.references()?;
        let tags = kept.tags.into_iter().map(|tag| (ReferenceKind::Tag, tag));
        let branches = kept.branches.into_iter().map(|branch| (ReferenceKind::Branch, branch));
        let found = tags.chain(branches).map(|(kind, reference)| {
            let commit = match reference.target {
                Target::Commit { id, author_at } => Some((id, author_at)),
                Target::NotACommit(_) | Target::Unreadable => None,
            };
            Found { kind, name: reference.name, commit }
        });
        Ok((kept.default_branch, found.collect()))
    }

    /// The folders to look at, with the names of their packages: as the default branch says, else as they were known.
    fn folders(
        &mut self,
        wanted: Wanted,
        default: Option<&str>,
    ) -> Result<BTreeMap<String, Option<PackageName>>, GitError> {
        let named = wanted.layout.folders();
        let mut folders = wanted.known;
        folders.retain(|path, _| named.contains(path));
        let Some(commit) = default else { return Ok(folders) };
        let found = match wanted.layout {
            // No need to look through the whole tree.
            Layout::Root => match self.mirror.manifest(commit)? {
                Kept::Missing => Vec::new(),
                _ => vec![String::new()],
            },
            Layout::Paths(_) => self.mirror.manifest_folders(commit, &|path| named.contains(path))?,
        };
        for path in found {
            let manifest = self.manifest(Tree { commit, folder: &path })?;
            let name = manifest.and_then(|manifest| {
                manifest.as_ref().as_ref().ok().and_then(Manifest::name)?.parse::<PackageName>().ok()
            });
            let known = folders.entry(path).or_default();
            *known = name.or_else(|| known.take());
        }
        Ok(folders)
    }

    fn reference(&mut self, found: &Found, folder: &str) -> Result<Reference, GitError> {
        let commit = match &found.commit {
            Some((id, made_at)) => self.manifest(Tree { commit: id, folder })?.map(|manifest| Commit {
                manifest,
                id: id.clone(),
                made_at: *made_at,
            }),
            None => None,
        };
        Ok(Reference { kind: found.kind, name: found.name.clone(), labelled: None, commit })
    }

    /// `None` if the commit is malformed.
    fn manifest(&mut self, tree: Tree<'_>) -> Result<Option<Shared>, GitError> {
        let blob = match self.mirror.manifest_in(tree)? {
            Kept::Found { blob } => blob,
            Kept::Unreadable => return Ok(None),
            Kept::Missing => return Ok(Some(Arc::new(Err(ManifestProblem::Absent)))),
            Kept::NotAFile => return Ok(Some(Arc::new(Err(ManifestProblem::NotAFile)))),
            Kept::TooLarge { .. } => return Ok(Some(Arc::new(Err(ManifestProblem::TooLarge)))),
        };
        if let Some(known) = self.manifests.get(&blob) {
            return Ok(Some(Arc::clone(known)));
        }
        let read: Shared = Arc::new(Manifest::parse(&self.mirror.blob(&blob)?));
        self.manifests.insert(blob, Arc::clone(&read));
        Ok(Some(read))
    }
}
