//! Mirrors: the copies of repositories on this machine. Each has one user at a time.

use crate::{App, Failure, update::Progress};
use stave_domain::{
    Secret,
    id::{PackageId, RunId},
    package::{Package, SourceAccess},
};
use stave_git::{Access, Fetched, GitError, Mirror, Network, Remote};
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

impl App {
    /// Brings the mirror up to date; a run shows the progress. A token that the host refuses before its time is refreshed once.
    pub(crate) async fn source_read(
        &self,
        package: &Package,
        run: Option<RunId>,
    ) -> Result<Fetched, Failure> {
        let access = self.source_access(package, None).await?;
        let refused = match &access {
            Access::Basic { password, .. } => Some(password.clone()),
            Access::Anonymous | Access::SshKey(_) => None,
        };
        match self.source_fetch(package, access, run).await {
            Err(failure)
                if is_unauthorized(&failure) && matches!(package.access, SourceAccess::Account(_)) =>
            {
                let access = self.source_access(package, refused).await?;
                self.source_fetch(package, access, run).await
            }
            fetched => fetched,
        }
    }

    async fn source_fetch(
        &self,
        package: &Package,
        access: Access,
        run: Option<RunId>,
    ) -> Result<Fetched, Failure> {
        let turn = self.mirrors.turn(package.id).await;
        let _slot = self.fetch_slots.acquire().await.map_err(Failure::internal)?;
        let network = Network::new(self.outbound.clone(), self.data.join("known_hosts"));
        let (url, path) = (package.source.clone(), self.mirror_path(package.id));
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
            Mirror::open_or_create(&path)?.fetch(&Remote { url: &url, access }, &network, &received, &stopped)
        });
        let fetched = self.progress_follow(run, task, progress).await??;
        Ok(fetched)
    }

    /// With whose rights a repository is read now.
    async fn source_access(&self, package: &Package, refused: Option<Secret>) -> Result<Access, Failure> {
        match package.access {
            SourceAccess::Public => Ok(Access::Anonymous),
            SourceAccess::AccountGone => Err(Failure::Denied(
                "The account with whose rights this repository was read is no longer connected. Edit the package and choose another credential.".into(),
            )),
            SourceAccess::Account(id) => {
                let (token, integration) = self.access_token(id, refused).await?;
                if integration.base_url.authority() != package.source.authority() {
                    return Err(Failure::Denied(format!(
                        "The integration {} is at {} now, so its accounts are not used for {}. Edit the package and choose another credential.",
                        integration.name, integration.base_url.authority(), package.source.authority()
                    )));
                }
                Ok(Access::Basic { username: "x-token-auth".into(), password: token })
            }
            SourceAccess::Stored(id) => {
                let credential = self.storage.credential_find(id).await?.ok_or(Failure::NotFound("credential"))?;
                if credential.host != package.source.authority() {
                    return Err(Failure::Denied(format!(
                        "The credential “{}” is for {} now. Edit the package and choose another one.",
                        credential.description, credential.host
                    )));
                }
                let password = self.keys.open("credential", id, &credential.secret).map_err(Failure::internal)?;
                Ok(Access::Basic { username: credential.username, password })
            }
            SourceAccess::OrganizationKey => Ok(Access::SshKey(self.organization_key(package.organization_id).await?)),
        }
    }

    /// Where the mirror of a package is.
    pub(crate) fn mirror_path(&self, id: PackageId) -> PathBuf {
        self.data.join("mirrors").join(format!("{id}.git"))
    }

    /// Has the mirror of a package removed as soon as nobody uses it. One that stays is removed at the next start.
    pub(crate) fn mirror_remove(&self, id: PackageId) {
        let app = self.clone();
        tokio::spawn(async move { app.mirror_remove_now(id).await });
    }

    async fn mirror_remove_now(&self, id: PackageId) {
        let _turn = self.mirrors.turn(id).await;
        match tokio::fs::remove_dir_all(self.mirror_path(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(package = %id, %error, "a mirror could not be removed");
            }
            _ => {}
        }
    }

    /// Removes what a crash or a deletion left behind: unfinished zips, and mirrors of packages that are gone.
    pub(crate) async fn data_sweep(&self) {
        if let Err(failure) = self.leftovers_remove().await {
            tracing::warn!(%failure, "what was left behind could not be removed");
        }
    }

    async fn leftovers_remove(&self) -> Result<(), Failure> {
        let packages = self.storage.package_id_list().await?;
        for path in entries(&self.data.join("mirrors")).map_err(Failure::internal)? {
            let id =
                path.file_name().and_then(|name| name.to_str()?.split('.').next()?.parse::<PackageId>().ok());
            if id.is_some_and(|id| !packages.contains(&id)) {
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
