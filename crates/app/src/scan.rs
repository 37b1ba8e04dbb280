//! Reading a mirror: every branch and tag with its composer.json, and the versions that they make.

use crate::{App, Failure, update::Progress};
use stave_domain::{
    composer::{
        Manifest, ManifestProblem,
        scan::{Commit, Reference, ReferenceKind, Scan, ScanFailure, scan},
    },
    id::{PackageId, RunId},
};
use stave_git::{GitError, Manifest as Kept, Mirror, Target};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::watch;

/// A composer.json as it was read; commits with the same file share it.
type Shared = Arc<Result<Manifest, ManifestProblem>>;

impl App {
    /// What the mirror of a package holds. A repository that is no package is not a failure of Stave.
    pub(crate) async fn mirror_scan(
        &self,
        id: PackageId,
        run: RunId,
    ) -> Result<Result<Scan, ScanFailure>, Failure> {
        let turn = self.mirrors.turn(id).await;
        let _slot = self.cpu_slots.acquire().await.map_err(Failure::internal)?;
        let path = self.mirror_path(id);
        let (tell, progress) = watch::channel(Progress::default());
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let reading = Reading { mirror: Mirror::open_or_create(&path)?, manifests: HashMap::new() };
            let step = |done, total| {
                tell.send_replace(Progress { phase: "Reading branches and tags".into(), done, total });
            };
            let (default_branch, references) = reading.references(&step)?;
            Ok::<_, GitError>(scan(default_branch.as_deref(), &references))
        });
        Ok(self.progress_follow(Some(run), task, progress).await??)
    }
}

/// One pass over a mirror.
struct Reading {
    mirror: Mirror,
    /// By the id of the file's contents.
    manifests: HashMap<String, Shared>,
}

impl Reading {
    fn references(mut self, step: &dyn Fn(u32, u32)) -> Result<(Option<String>, Vec<Reference>), GitError> {
        let kept = self.mirror.references()?;
        let total = u32::try_from(kept.tags.len() + kept.branches.len()).unwrap_or(u32::MAX);
        let tags = kept.tags.into_iter().map(|tag| (ReferenceKind::Tag, tag));
        let branches = kept.branches.into_iter().map(|branch| (ReferenceKind::Branch, branch));
        let mut references = Vec::new();
        for (done, (kind, reference)) in (0..).zip(tags.chain(branches)) {
            step(done, total);
            let commit = match reference.target {
                Target::Commit { id, author_at } => {
                    self.manifest(&id)?.map(|manifest| Commit { manifest, id, made_at: author_at })
                }
                Target::NotACommit(_) | Target::Unreadable => None,
            };
            references.push(Reference { kind, name: reference.name, commit });
        }
        Ok((kept.default_branch, references))
    }

    /// `None` if the commit is malformed.
    fn manifest(&mut self, commit: &str) -> Result<Option<Shared>, GitError> {
        let blob = match self.mirror.manifest(commit)? {
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
