//! Asking what a person may read with their own account, where nobody else's may see it.

use super::asker::Caller;
use crate::{App, Failure};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use stave_domain::{
    id::{IdentityId, IntegrationId, JobId, UserId},
    identity::Identity,
    job::Job,
    synchronization::{AccessSet, KnownPerson, Numbers, RemotePerson, RightsFrom, Stage, Synchronization},
};
use stave_upstream::{OwnRights, UpstreamError};
use std::time::Duration;

/// How many people are asked at the same time.
const AT_ONCE: usize = 4;
/// So long somebody who logs in waits for the answer; a job brings it afterwards.
const AT_THE_DOOR: Duration = Duration::from_secs(5);

impl App {
    /// Somebody came in with an account, or connected one: they are a member wherever a synchronization knows them.
    pub(crate) async fn person_arrived(
        &self,
        user: UserId,
        integration: IntegrationId,
    ) -> Result<(), Failure> {
        let Some(identity) = self.storage.identity_find_of_user(user, integration).await? else {
            return Ok(());
        };
        let txn = self.people_change().await?;
        self.memberships_settle(&txn, user, Some(&identity)).await?;
        txn.commit().await?;
        if self.synchronizations_asking(integration).await?.is_empty() {
            return Ok(());
        }
        let asked = tokio::time::timeout(AT_THE_DOOR, self.person_ask_everywhere(&identity, None)).await;
        match asked {
            Ok(Ok(())) => Ok(()),
            // Their log-in does not fail because Bitbucket is slow now.
            Ok(Err(_)) | Err(_) => self.job_enqueue(Job::AskPerson { identity: identity.id }, None).await,
        }
    }

    /// The job that asks one person's account.
    pub(crate) async fn person_ask_run(&self, id: IdentityId, job: JobId) -> Result<(), Failure> {
        let Some(identity) = self.storage.identity_find(id).await? else { return Ok(()) };
        self.person_ask_everywhere(&identity, Some(job)).await
    }

    /// Asks everybody of a synchronization who has connected their account; gives what could not be found out, in sentences.
    pub(super) async fn people_ask(&self, synchronization: &Synchronization) -> Result<Vec<String>, Failure> {
        let identities = self.storage.identity_list_to_ask(synchronization).await?;
        let asks: Vec<_> =
            identities.iter().map(|it| self.person_ask_noting(synchronization, it).boxed()).collect();
        let notes: Vec<Option<String>> = stream::iter(asks).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(notes.into_iter().flatten().collect())
    }

    async fn person_ask_noting(
        &self,
        synchronization: &Synchronization,
        identity: &Identity,
    ) -> Result<Option<String>, Failure> {
        match self.person_ask(synchronization, identity, None).await {
            Ok(()) => Ok(None),
            Err(failure @ (Failure::Internal(_) | Failure::Disk(_))) => Err(failure),
            Err(failure) => Ok(Some(format!("{} could not be asked: {failure}", identity.handle))),
        }
    }

    async fn person_ask_everywhere(&self, identity: &Identity, job: Option<JobId>) -> Result<(), Failure> {
        for synchronization in self.synchronizations_asking(identity.integration_id).await? {
            self.person_ask(&synchronization, identity, job).await?;
        }
        Ok(())
    }

    /// The synchronizations that ask the accounts of an integration.
    async fn synchronizations_asking(
        &self,
        integration: IntegrationId,
    ) -> Result<Vec<Synchronization>, Failure> {
        let mut all = self.storage.synchronization_list_of_integration(integration).await?;
        all.retain(|it| it.rights_from == RightsFrom::EachPerson && it.stage == Stage::Active);
        Ok(all)
    }

    async fn person_ask(
        &self,
        synchronization: &Synchronization,
        identity: &Identity,
        job: Option<JobId>,
    ) -> Result<(), Failure> {
        let integration = self.integration_of(synchronization.integration_id).await?;
        let connector = self.follow_connector(&integration)?;
        let follow = connector.follow().ok_or(Failure::NotFound("way to follow a workspace"))?;
        let caller: Caller = self.caller_of_identity(identity);
        let caller = match job {
            Some(job) => caller.patient(job),
            None => caller,
        };
        let answer = follow.own_rights(&caller, &synchronization.workspace).await;
        self.person_answered(synchronization, identity, answer).await
    }

    /// Stores what a person's account said. What it did not say changes nothing, but it is told since when.
    async fn person_answered(
        &self,
        synchronization: &Synchronization,
        identity: &Identity,
        answer: Result<Option<OwnRights>, UpstreamError>,
    ) -> Result<(), Failure> {
        let txn = self.people_change().await?;
        // A draft, or one that was deleted meanwhile, remembers nobody.
        let Some(locked) = txn.synchronization_lock(synchronization.id).await? else { return Ok(()) };
        let known = txn.remote_person_find(locked.id, &identity.external_id).await?;
        match answer {
            Ok(Some(rights)) => {
                let repositories = txn.remote_repository_list(locked.id).await?;
                let numbers = Numbers::of(locked.numbers_used, &repositories, &[]);
                let access = AccessSet::of(
                    rights.rights.iter().filter_map(|(id, level)| Some((numbers.find(id)?, *level))),
                );
                let person = RemotePerson {
                    external_id: identity.external_id.clone(),
                    handle: identity.handle.clone(),
                    name: identity.display_name.clone(),
                    role: rights.role,
                };
                let asked_at = Some(self.clock.now());
                let person = KnownPerson { person, access: Some(access), asked_at, problem: None };
                txn.remote_person_put_many(locked.id, &[person]).await?;
            }
            Ok(None) => {
                txn.remote_person_delete_many(locked.id, &[identity.external_id.clone()].into()).await?;
            }
            Err(error) => {
                if let Some(known) = known {
                    let problem = Some(error.to_string());
                    txn.remote_person_put_many(locked.id, &[KnownPerson { problem, ..known }]).await?;
                    txn.commit().await?;
                }
                return if error.is_transient() { Err(error.into()) } else { Ok(()) };
            }
        }
        self.members_settle(&txn, locked.organization_id).await?;
        Ok(txn.commit().await?)
    }
}
