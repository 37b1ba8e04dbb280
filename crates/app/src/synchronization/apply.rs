//! Applying what a run read: people, repositories, packages, teams and members, in one transaction.

use crate::{App, Failure, entropy};
use stave_domain::{
    id::{RepositoryId, SynchronizationId},
    job::{Job, Urgency},
    package::{Origin, Package},
    repository::{Followed, Layout, Repository, SourceAccess},
    synchronization::{
        Known, KnownRepository, Numbers, Plan, RemoteRepository, Seen, Stage, Synchronization, plan,
    },
    team::{FollowedGroup, Team},
};
use stave_storage::Storage;
use std::collections::{BTreeMap, BTreeSet};

/// What has to be done once a transaction is through.
#[derive(Default)]
pub(super) struct Afterwards {
    /// Repositories whose mirrors are no longer needed.
    pub(super) gone: Vec<RepositoryId>,
    /// Whether jobs were put in the queue.
    pub(super) has_jobs: bool,
}

impl App {
    /// Makes what is remembered equal to what was seen; gives the synchronization as it is then, or `None` if it was deleted
    /// meanwhile. If nothing has changed, nothing is written.
    pub(super) async fn workspace_apply(
        &self,
        id: SynchronizationId,
        seen: &Seen,
        numbers: &Numbers,
    ) -> Result<Option<Synchronization>, Failure> {
        let txn = self.people_change().await?;
        let Some(before) = txn.synchronization_lock(id).await? else { return Ok(None) };
        if before.stage == Stage::Draft {
            return Ok(None);
        }
        let known = Known {
            repositories: txn.remote_repository_list(id).await?,
            people: txn.remote_person_list(id).await?,
            groups: txn.remote_group_list(id).await?,
        };
        let changes = plan(&before, &known, seen, numbers);
        let inside = changed_inside(&known, &changes);
        let synchronization =
            Synchronization { workspace: seen.workspace.clone(), numbers_used: numbers.used, ..before };
        plan_store(&txn, &synchronization, &changes).await?;
        let mut afterwards = self.repositories_follow(&txn, &synchronization).await?;
        afterwards.has_jobs |= self.repositories_reread(&txn, id, inside).await?;
        self.teams_follow(&txn, &synchronization).await?;
        self.members_settle(&txn, synchronization.organization_id).await?;
        self.changes_log(&txn, &synchronization, &changes).await?;
        txn.commit().await?;
        self.afterwards_do(afterwards);
        Ok(Some(synchronization))
    }

    pub(super) fn afterwards_do(&self, afterwards: Afterwards) {
        for id in afterwards.gone {
            self.mirror_remove(id);
        }
        if afterwards.has_jobs {
            self.job_bell.notify_one();
        }
    }

    /// Brings the repositories that are mirrored here in line with those that the workspace has.
    pub(super) async fn repositories_follow(
        &self,
        txn: &Storage,
        synchronization: &Synchronization,
    ) -> Result<Afterwards, Failure> {
        let mut here: BTreeMap<u32, Repository> = BTreeMap::new();
        for repository in txn.repository_list_followed(synchronization.id).await? {
            if let Some(followed) = repository.followed {
                here.insert(followed.number, repository);
            }
        }
        let mut afterwards = Afterwards::default();
        for known in txn.remote_repository_list(synchronization.id).await? {
            match here.remove(&known.number) {
                // One whose composer.json is gone stays: its tags are still versions. Only a person takes it out.
                Some(mirrored) if !synchronization.selection.wants(&known) => {
                    txn.repository_delete(mirrored.id).await?;
                    afterwards.gone.push(mirrored.id);
                }
                Some(mirrored) if mirrored.source != known.remote.source => {
                    let repository = Repository { source: known.remote.source.clone(), ..mirrored };
                    txn.repository_update(&repository).await?;
                    self.update_enqueue(txn, &repository).await?;
                    afterwards.has_jobs = true;
                }
                None if synchronization.selection.follows(&known) => {
                    self.repository_begin(txn, synchronization, &known, &mut afterwards).await?;
                }
                Some(_) | None => {}
            }
        }
        for repository in here.into_values() {
            txn.repository_delete(repository.id).await?;
            afterwards.gone.push(repository.id);
        }
        Ok(afterwards)
    }

    /// Has repositories read in which something has changed; says whether there were any.
    async fn repositories_reread(
        &self,
        txn: &Storage,
        synchronization_id: SynchronizationId,
        changed: Vec<(u32, Change)>,
    ) -> Result<bool, Failure> {
        let mut has_jobs = false;
        for (number, change) in changed {
            let followed = Followed { synchronization_id, number };
            let Some(mut repository) = txn.repository_find_followed(followed).await? else { continue };
            if change == Change::Archived {
                // As if it had never been read: a run that fetches nothing new passes over what is published already.
                repository.checked_at = None;
                txn.repository_update(&repository).await?;
            }
            self.update_enqueue(txn, &repository).await?;
            has_jobs = true;
        }
        Ok(has_jobs)
    }

    /// A repository becomes a package. One that somebody added by its URL follows the workspace from now on.
    async fn repository_begin(
        &self,
        txn: &Storage,
        synchronization: &Synchronization,
        known: &KnownRepository,
        afterwards: &mut Afterwards,
    ) -> Result<(), Failure> {
        let organization_id = synchronization.organization_id;
        let followed = Some(Followed { synchronization_id: synchronization.id, number: known.number });
        let access = SourceAccess::Synchronization;
        let by_url = txn.repository_find_by_source(organization_id, &known.remote.source).await?;
        let repository = if let Some(by_url) = by_url.filter(|it| it.followed.is_none()) {
            let repository = Repository { followed, access, ..by_url };
            txn.repository_update(&repository).await?;
            repository
        } else {
            let repository = Repository {
                id: entropy::id(),
                organization_id,
                source: known.remote.source.clone(),
                access,
                layout: Layout::Root,
                followed,
                created_at: self.clock.now(),
                checked_at: None,
                last_error: None,
            };
            txn.repository_insert(&repository).await?;
            let package = Package::new(
                entropy::id(),
                repository.organization_id,
                Origin::root_of(repository.id),
                self.clock.now(),
            );
            txn.package_insert(&package).await?;
            repository
        };
        afterwards.has_jobs = true;
        // A new workspace brings thousands, and nobody waits for each of them.
        let job = Job::UpdateRepository { repository: repository.id };
        self.job_enqueue_as(txn, Urgency::InTurn, job, Some(organization_id)).await
    }

    /// Each group is a team.
    async fn teams_follow(&self, txn: &Storage, synchronization: &Synchronization) -> Result<(), Failure> {
        let groups = txn.remote_group_list(synchronization.id).await?;
        let mut new: BTreeSet<String> = groups.into_iter().map(|group| group.name).collect();
        for team in txn.team_list_of_synchronization(synchronization.id).await? {
            if !team.group.is_some_and(|group| new.remove(&group.name)) {
                txn.team_delete(team.id).await?;
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let teams = txn.team_list(synchronization.organization_id).await?;
        let mut taken: BTreeSet<String> = teams.into_iter().map(|line| line.team.name).collect();
        for group in new {
            let name = free_name(&group, synchronization, &taken);
            taken.insert(name.clone());
            txn.team_insert(&self.team_of_group(synchronization, group, name)).await?;
        }
        Ok(())
    }

    fn team_of_group(&self, synchronization: &Synchronization, group: String, name: String) -> Team {
        Team {
            id: entropy::id(),
            organization_id: synchronization.organization_id,
            name,
            group: Some(FollowedGroup { synchronization_id: synchronization.id, name: group }),
            reads_all: false,
            adds_packages: false,
            created_at: self.clock.now(),
        }
    }

    /// Who came and went is in the Log; what changed in a repository is on its page.
    async fn changes_log(
        &self,
        txn: &Storage,
        synchronization: &Synchronization,
        changes: &Plan,
    ) -> Result<(), Failure> {
        let counts = [
            (changes.repositories.len(), "new or changed repositories"),
            (changes.repositories_gone.len(), "repositories gone"),
            (changes.people.len(), "people with other rights"),
            (changes.people_gone.len(), "people gone"),
            (changes.groups.len() + changes.groups_gone.len(), "other groups"),
        ];
        let parts: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if parts.is_empty() {
            return Ok(());
        }
        let action = format!("synchronized {}: {}", synchronization.workspace.title(), parts.join(", "));
        self.log_in(txn, Some(synchronization.organization_id), action).await
    }
}

/// The name of a group, or with that of its workspace if another team is called so already.
fn free_name(group: &str, synchronization: &Synchronization, taken: &BTreeSet<String>) -> String {
    let with_workspace = format!("{group} ({})", synchronization.workspace.title());
    let numbered = (2..).map(|number| format!("{with_workspace} {number}"));
    let mut names = [group.to_owned(), with_workspace.clone()].into_iter().chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or(with_workspace)
}

/// What changed in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It was closed for changes, or opened again: its packages are abandoned, or not.
    Archived,
    /// Perhaps somebody pushed; a delivery may have told of it, or was lost.
    Pushed,
}

/// Repositories that were known before and have changed inside.
fn changed_inside(known: &Known, changes: &Plan) -> Vec<(u32, Change)> {
    let before: BTreeMap<u32, &RemoteRepository> =
        known.repositories.iter().map(|known| (known.number, &known.remote)).collect();
    let change = |now: &KnownRepository| {
        let before = before.get(&now.number)?;
        match () {
            () if before.is_archived != now.remote.is_archived => Some((now.number, Change::Archived)),
            () if before.changed_at != now.remote.changed_at => Some((now.number, Change::Pushed)),
            () => None,
        }
    };
    changes.repositories.iter().filter_map(change).collect()
}

async fn plan_store(txn: &Storage, synchronization: &Synchronization, changes: &Plan) -> Result<(), Failure> {
    let id = synchronization.id;
    txn.remote_repository_delete_many(id, &changes.repositories_gone).await?;
    txn.remote_repository_put_many(id, &changes.repositories).await?;
    txn.remote_person_delete_many(id, &changes.people_gone).await?;
    txn.remote_person_put_many(id, &changes.people).await?;
    txn.remote_group_delete_many(id, &changes.groups_gone).await?;
    txn.remote_group_put_many(id, &changes.groups).await?;
    if changes.workspace.is_some() || changes.numbers_used.is_some() {
        txn.synchronization_update(synchronization).await?;
    }
    Ok(())
}
