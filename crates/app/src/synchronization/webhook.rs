//! Webhooks: installed, repaired when missing, removed with the synchronization.

use super::asker::Caller;
use crate::{App, Failure};
use jiff::SignedDuration;
use stave_domain::{
    Secret,
    id::{JobId, SynchronizationId},
    synchronization::{KnownRepository, Synchronization},
};
use stave_upstream::{Place, UpstreamError, Webhooks};
use std::collections::BTreeMap;

/// How often the webhook of a single repository is looked at; that of the workspace is with every run.
const LOOK_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The webhooks of one synchronization.
struct Bells<'a> {
    app: &'a App,
    synchronization: &'a Synchronization,
    webhooks: &'a dyn Webhooks,
    caller: Caller,
    url: String,
    secret: Secret,
}

impl App {
    /// Where the platform delivers to.
    #[must_use]
    pub(crate) fn webhook_url(&self, id: SynchronizationId) -> String {
        self.address(&format!("/hooks/synchronizations/{id}"))
    }

    /// With what the platform signs its deliveries. It follows from the key, so it is not in the database.
    pub(super) fn webhook_secret(&self, id: SynchronizationId) -> Secret {
        self.keys.derive_long("webhook", id)
    }

    /// Has one webhook installed for the whole workspace, or else one in each repository that is a package; gives what could not
    /// be done, in sentences.
    pub(super) async fn webhooks_ensure(
        &self,
        synchronization: &Synchronization,
        job: JobId,
    ) -> Result<Vec<String>, Failure> {
        if !synchronization.has_webhooks {
            return self.webhooks_remove(synchronization).await;
        }
        let integration = self.integration_of(synchronization.integration_id).await?;
        let connector = self.follow_connector(&integration)?;
        let Some(webhooks) = connector.webhooks() else { return Ok(Vec::new()) };
        let caller = self.caller(synchronization).patient(job);
        self.bells(synchronization, webhooks, caller).ensure().await
    }

    /// Where webhooks would be installed, or why not, in a sentence. Nothing is installed.
    pub(super) async fn webhooks_foreseen(
        &self,
        synchronization: &Synchronization,
    ) -> Result<String, Failure> {
        let integration = self.integration_of(synchronization.integration_id).await?;
        let connector = self.follow_connector(&integration)?;
        let Some(webhooks) = connector.webhooks() else {
            return Ok("This platform has no webhooks: changes are found by the periodic run.".into());
        };
        let place = Place::Workspace(&synchronization.workspace);
        let url = self.webhook_url(synchronization.id);
        Ok(match webhooks.webhook_find(&self.caller(synchronization), &place, &url).await {
            Ok(_) => "One webhook is installed for everything in it.".into(),
            Err(error) if error.is_refusal() => {
                "The credential may not install one webhook for everything in it, so one is installed in each repository that is a package, as far as the credential administers it.".into()
            }
            Err(error) => format!("Whether webhooks can be installed could not be found out: {error}"),
        })
    }

    /// Takes the webhooks of a synchronization away; gives what stayed, in sentences.
    pub(crate) async fn webhooks_remove(
        &self,
        synchronization: &Synchronization,
    ) -> Result<Vec<String>, Failure> {
        let installed = self.storage.webhook_list(synchronization.id).await?;
        if installed.is_empty() {
            return Ok(Vec::new());
        }
        let integration = self.integration_of(synchronization.integration_id).await?;
        let connector = self.follow_connector(&integration)?;
        let Some(webhooks) = connector.webhooks() else { return Ok(Vec::new()) };
        let bells = self.bells(synchronization, webhooks, self.caller(synchronization));
        let mut notes = Vec::new();
        for webhook in installed {
            if let Err(sentence) = bells.remove(webhook.number, &webhook.external_id).await? {
                notes.push(sentence);
            }
        }
        Ok(notes)
    }

    fn bells<'a>(
        &'a self,
        synchronization: &'a Synchronization,
        webhooks: &'a dyn Webhooks,
        caller: Caller,
    ) -> Bells<'a> {
        let url = self.webhook_url(synchronization.id);
        let secret = self.webhook_secret(synchronization.id);
        Bells { app: self, synchronization, webhooks, caller, url, secret }
    }
}

impl Bells<'_> {
    async fn ensure(&self) -> Result<Vec<String>, Failure> {
        let place = Place::Workspace(&self.synchronization.workspace);
        match self.hang(&place, None).await? {
            Ok(()) => Ok(Vec::new()),
            Err(error) if error.is_refusal() => self.ensure_in_repositories().await,
            Err(error) => Ok(vec![format!("The webhook could not be installed: {error}")]),
        }
    }

    /// In each repository that is a package and has none yet, or whose one nobody looked at for a day.
    async fn ensure_in_repositories(&self) -> Result<Vec<String>, Failure> {
        let storage = &self.app.storage;
        let id = self.synchronization.id;
        let installed: BTreeMap<_, _> = storage
            .webhook_list(id)
            .await?
            .into_iter()
            .filter_map(|webhook| Some((webhook.number?, webhook.installed_at)))
            .collect();
        let due = self.app.clock.now() - LOOK_EVERY;
        let mut refused = 0;
        let mut last = None;
        for repository in storage.repository_list_followed(id).await? {
            let Some(number) = repository.followed.map(|followed| followed.number) else { continue };
            if installed.get(&number).is_some_and(|at| *at > due) {
                continue;
            }
            let Some(known) = storage.remote_repository_find(id, number).await? else { continue };
            let place = Place::Repository(&self.synchronization.workspace, &known.remote);
            if let Err(error) = self.hang(&place, Some(&known)).await? {
                refused += 1;
                last = Some(error.to_string());
            }
        }
        Ok(last.map(|error| format!("{refused} repositories have no webhook, so their changes are found by the periodic run: {error}")).into_iter().collect())
    }

    /// Looks for our webhook at a place, and installs it if it is missing or not as it should be.
    async fn hang(
        &self,
        place: &Place<'_>,
        repository: Option<&KnownRepository>,
    ) -> Result<Result<(), UpstreamError>, Failure> {
        let number = repository.map(|known| known.number);
        let id = self.synchronization.id;
        match self.hang_there(place).await {
            Ok(external_id) => {
                let known = self.app.storage.webhook_list(id).await?;
                let is_known = known.iter().any(|it| it.number == number && it.external_id == external_id);
                if !is_known || number.is_some() {
                    self.app.storage.webhook_put(id, number, &external_id, self.app.clock.now()).await?;
                }
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    async fn hang_there(&self, place: &Place<'_>) -> Result<String, UpstreamError> {
        match self.webhooks.webhook_find(&self.caller, place, &self.url).await? {
            Some(found) if found.is_right => return Ok(found.id),
            Some(found) => self.webhooks.webhook_remove(&self.caller, place, &found.id).await?,
            None => {}
        }
        self.webhooks.webhook_install(&self.caller, place, &self.url, &self.secret).await
    }

    async fn remove(&self, number: Option<u32>, external_id: &str) -> Result<Result<(), String>, Failure> {
        let id = self.synchronization.id;
        let workspace = &self.synchronization.workspace;
        let known = match number {
            Some(number) => self.app.storage.remote_repository_find(id, number).await?,
            None => None,
        };
        let place = match (&known, number) {
            (Some(known), _) => Place::Repository(workspace, &known.remote),
            (None, None) => Place::Workspace(workspace),
            // The repository is gone, and its webhook with it.
            (None, Some(_)) => return Ok(self.app.storage.webhook_delete(id, number).await.map(Ok)?),
        };
        match self.webhooks.webhook_remove(&self.caller, &place, external_id).await {
            Ok(()) => Ok(self.app.storage.webhook_delete(id, number).await.map(Ok)?),
            Err(error) => Ok(Err(format!(
                "The webhook {} in {} could not be removed ({error}). Remove it there by hand; its deliveries are answered with 404.",
                self.url,
                known.as_ref().map_or(workspace.title(), |known| &known.remote.name),
            ))),
        }
    }
}
