//! What a synchronization would do: a run that stores nothing but what it saw.

use super::run::Read;
use crate::{App, Failure};
use stave_domain::{
    job::Job,
    organization::Role,
    synchronization::{Known, Preview, RightsFrom, Seen, Synchronization, plan},
};

impl App {
    /// Remembers the repositories of a draft, so that they can be looked at, and what else would happen.
    pub(super) async fn preview_store(
        &self,
        synchronization: &Synchronization,
        read: &Read,
    ) -> Result<(), Failure> {
        let Read { seen, numbers, notes, rights_from } = read;
        let people_here = self.people_here(synchronization, seen).await?;
        let webhooks = self.webhooks_foreseen(synchronization).await?;
        let people = seen.people.as_deref();
        let owners = people.unwrap_or_default().iter().filter(|person| person.role == Role::Owner);
        let mut lacks = notes.clone();
        if *rights_from == RightsFrom::EachPerson {
            lacks.push(
                "It cannot see what everybody may read. So everybody's own account is asked, when they log in and on a schedule; that answer counts for 24 hours."
                    .into(),
            );
        }
        let preview = Preview {
            repositories: u32::try_from(seen.repositories.len()).unwrap_or(u32::MAX),
            people: people.map(|people| u32::try_from(people.len()).unwrap_or(u32::MAX)),
            people_here,
            owners: owners.map(|owner| owner.title().to_owned()).collect(),
            teams: seen.groups.iter().flatten().map(|group| group.name.clone()).collect(),
            webhooks,
            lacks,
        };
        let txn = self.storage.begin().await?;
        let Some(locked) = txn.synchronization_lock(synchronization.id).await? else { return Ok(()) };
        let known = Known { repositories: txn.remote_repository_list(locked.id).await?, ..Known::default() };
        let changes = plan(&locked, &known, seen, numbers);
        txn.remote_repository_put_many(locked.id, &changes.repositories).await?;
        txn.remote_repository_delete_many(locked.id, &changes.repositories_gone).await?;
        txn.synchronization_update(&Synchronization {
            workspace: seen.workspace.clone(),
            rights_from: *rights_from,
            numbers_used: numbers.used,
            ..locked.clone()
        })
        .await?;
        txn.synchronization_preview_put(locked.id, &preview).await?;
        txn.commit().await?;
        let find = Job::FindPackages { synchronization: locked.id };
        self.job_enqueue(find, Some(locked.organization_id)).await
    }

    /// How many of those people have connected their account here.
    async fn people_here(&self, synchronization: &Synchronization, seen: &Seen) -> Result<u32, Failure> {
        let mut count = 0;
        for person in seen.people.iter().flatten() {
            let account = self
                .storage
                .identity_find_by_external(synchronization.integration_id, &person.external_id)
                .await?;
            count += u32::from(account.is_some());
        }
        Ok(count)
    }
}
