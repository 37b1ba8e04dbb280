//! Mirrors: the copies of repositories on this machine. Each has one user at a time.

use crate::{App, Failure, update::Progress};
use stave_domain::{
    Secret,
    credential::{CredentialKind, TOKEN_USERNAME},
    id::{RepositoryId, RunId},
    repository::{Repository, SourceAccess},
    synchronization::SynchronizationAccess,
};
use stave_git::{Access, GitError, Mirror, Network, Remote};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::watch;

/// Tells the thread that works for a run to stop when the run is dropped.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Why a source is asked.
#[derive(Clone, Copy)]
enum Errand {
    /// To bring the mirror up to date; a run shows the progress.
    Fetch(Option<RunId>),
    /// To know whether it is.
    Look,
}

impl App {
    /// Brings the mirror up to date, and says whether that changed something; a run shows the progress.
    pub(crate) async fn source_read(
        &self,
        repository: &Repository,
        run: Option<RunId>,
    ) -> Result<bool, Failure> {
        self.source_visit(repository, Errand::Fetch(run)).await
    }

    /// Whether the mirror is not up to date. It stays as it is, since only a run knows whether what came was published.
    pub(crate) async fn source_has_changed(&self, repository: &Repository) -> Result<bool, Failure> {
        self.source_visit(repository, Errand::Look).await
    }

    /// Says whether something is other than in the mirror. A token that the host refuses before its time is refreshed once.
    async fn source_visit(&self, repository: &Repository, errand: Errand) -> Result<bool, Failure> {
        let access = self.source_access(repository, None).await?;
        let refused = match &access {
            Access::Basic { password, .. } | Access::Bearer(password) => Some(password.clone()),
            Access::Anonymous | Access::SshKey(_) => None,
        };
        let answer = self.source_ask(repository, access, errand).await;
        let is_refused = answer.as_ref().is_err_and(is_unauthorized);
        match self.source_rights(repository).await? {
            SourceAccess::Account(_) if is_refused => {
                let access = self.source_access(repository, refused).await?;
                return self.source_ask(repository, access, errand).await;
            }
            SourceAccess::Stored(id) if is_refused => self.credential_doubted(id, &repository.source).await?,
            SourceAccess::Stored(id) if answer.is_ok() => self.credential_worked(id).await?,
            _ => {}
        }
        answer
    }

    async fn source_ask(
        &self,
        repository: &Repository,
        access: Access,
        errand: Errand,
    ) -> Result<bool, Failure> {
        let turn = self.mirrors.turn(repository.id).await;
        let _slot = self.fetch_slots.acquire().await.map_err(Failure::internal)?;
        let network = Network::new(self.outbound.clone(), self.data.join("known_hosts"));
        let (url, path) = (repository.source.clone(), self.mirror_path(repository.id));
        let stop = StopOnDrop(Arc::default());
        let stopped = Arc::clone(&stop.0);
        let (tell, progress) = watch::channel(Progress { phase: "Fetching".into(), done: 0, total: 0 });
        let task = tokio::task::spawn_blocking(move || {
            // The turn goes with the thread, so that nobody else touches the mirror if this run is dropped.
            let _turn = turn;
            let received = |bytes: u64| {
                let phase = format!("Fetching: {} KiB received", bytes.div_ceil(1024));
                tell.send_replace(Progress { phase, done: 0, total: 0 });
            };
            let remote = Remote { url: &url, access };
            let mut mirror = Mirror::open_or_create(&path)?;
            match errand {
                Errand::Fetch(_) => Ok(mirror.fetch(&remote, &network, &received, &stopped)?.changed),
                Errand::Look => mirror.is_outdated(&remote, &network, &stopped),
            }
        });
        let run = match errand {
            Errand::Fetch(run) => run,
            Errand::Look => None,
        };
        Ok(self.progress_follow(run, task, progress).await??)
    }

    /// With whose rights a repository is read now.
    async fn source_access(
        &self,
        repository: &Repository,
        refused: Option<Secret>,
    ) -> Result<Access, Failure> {
        let mend = if repository.followed.is_some() {
            "Choose another account or credential for the synchronization."
        } else {
            "Edit the repository and choose another credential."
        };
        let elsewhere = |whose: String, host: String| {
            let source = repository.source.authority();
            Failure::Denied(format!("{whose} {host} now, so nothing at {source} is read with it. {mend}"))
        };
        match self.source_rights(repository).await? {
            SourceAccess::Public => Ok(Access::Anonymous),
            SourceAccess::AccountGone | SourceAccess::Synchronization => Err(Failure::Denied(format!(
                "The account with whose rights this repository was read is no longer connected. {mend}"
            ))),
            SourceAccess::Account(id) => {
                let (token, integration) = self.access_token(id, refused).await?;
                let host = integration.base_url.authority();
                if host != repository.source.authority() {
                    return Err(elsewhere(format!("The integration {} is at", integration.name), host));
                }
                Ok(Access::Basic { username: TOKEN_USERNAME.into(), password: token })
            }
            SourceAccess::Stored(id) => {
                let credential =
                    self.storage.credential_find(id).await?.ok_or(Failure::NotFound("credential"))?;
                if credential.host != repository.source.authority() {
                    let whose = format!("The credential “{}” is for", credential.description);
                    return Err(elsewhere(whose, credential.host));
                }
                let password = self.credential_secret(&credential)?;
                Ok(match credential.kind {
                    CredentialKind::HttpAccessToken | CredentialKind::Bearer => Access::Bearer(password),
                    CredentialKind::Header => {
                        return Err(Failure::Denied(format!(
                            "The credential “{}” is a header of its own, which git does not send. {mend}",
                            credential.description
                        )));
                    }
                    _ => Access::Basic { username: credential.git_username().to_owned(), password },
                })
            }
            SourceAccess::OrganizationKey => {
                Ok(Access::SshKey(self.organization_key(repository.organization_id).await?))
            }
        }
    }

    /// Whose rights these are in the end: a synchronization has those of an account or a credential.
    async fn source_rights(&self, repository: &Repository) -> Result<SourceAccess, Failure> {
        let (SourceAccess::Synchronization, Some(followed)) = (repository.access, repository.followed) else {
            return Ok(repository.access);
        };
        let synchronization = self.storage.synchronization_find(followed.synchronization_id).await?;
        Ok(match synchronization.map(|synchronization| synchronization.access) {
            Some(SynchronizationAccess::Account(id)) => SourceAccess::Account(id),
            Some(SynchronizationAccess::Stored(id)) => SourceAccess::Stored(id),
            Some(SynchronizationAccess::AccountGone) | None => SourceAccess::AccountGone,
        })
    }

    /// Where the mirror of a repository is.
    pub(crate) fn mirror_path(&self, id: RepositoryId) -> PathBuf {
        self.data.join("mirrors").join(format!("{id}.git"))
    }

    /// Has the mirror of a repository removed as soon as nobody uses it. One that stays is removed at the next start.
    pub(crate) fn mirror_remove(&self, id: RepositoryId) {
        let app = self.clone();
        tokio::spawn(async move { app.mirror_remove_now(id).await });
    }

    async fn mirror_remove_now(&self, id: RepositoryId) {
        let _turn = self.mirrors.turn(id).await;
        match tokio::fs::remove_dir_all(self.mirror_path(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(repository = %id, %error, "a mirror could not be removed");
            }
            _ => {}
        }
    }

    /// Removes what a crash or a deletion left behind: unfinished zips, and mirrors of repositories that are gone.
    pub(crate) async fn data_sweep(&self) {
        if let Err(failure) = self.leftovers_remove().await {
            tracing::warn!(%failure, "what was left behind could not be removed");
        }
    }

    async fn leftovers_remove(&self) -> Result<(), Failure> {
        let repositories = self.storage.repository_id_list().await?;
        for path in entries(&self.data.join("mirrors")).map_err(Failure::internal)? {
            let id = path
                .file_name()
                .and_then(|name| name.to_str()?.split('.').next()?.parse::<RepositoryId>().ok());
            if id.is_some_and(|id| !repositories.contains(&id)) {
                fs::remove_dir_all(&path).map_err(Failure::internal)?;
            }
        }
        for path in entries(&self.data.join("tmp")).map_err(Failure::internal)? {
            fs::remove_file(&path).map_err(Failure::internal)?;
        }
        Ok(())
    }
}

fn is_unauthorized(failure: &Failure) -> bool {
    let Failure::Elsewhere { source, .. } = failure else { return false };
    matches!(source.downcast_ref(), Some(GitError::Unauthorized { .. }))
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
}
