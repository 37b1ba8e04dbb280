//! Whether the parts of a platform's interface still answer that Stave asks for: tried once a day, before their end hurts.

use crate::{Actor, App, Failure, Level};
use stave_domain::{
    Timestamp,
    endpoint::{ASK_EVERY, Asked, Endpoint, EndpointState},
    id::{IntegrationId, OrganizationId},
    integration::Integration,
    job::{Job, JobState},
    organization::Organization,
    synchronization::{Stage, Synchronization},
};
use stave_upstream::{Endpoints, UpstreamError};
use std::collections::BTreeSet;

/// How the endpoints of an integration fare.
#[derive(Debug)]
pub struct EndpointsView {
    /// By path; empty while they were never tried.
    pub states: Vec<EndpointState>,
    /// Whether somebody's rights are there to try them with: those of a synchronization.
    pub can_be_tried: bool,
    /// Whether they are being tried, or soon will be.
    pub is_busy: bool,
}

/// An endpoint that does not answer as it should, and where.
#[derive(Debug)]
pub struct FailingEndpoint {
    /// Where.
    pub integration: Integration,
    /// Whose integration it is; `None` is the installation's.
    pub owner: Option<Organization>,
    /// Which, since when, and why.
    pub state: EndpointState,
}

impl App {
    /// How the endpoints of an integration fare, for its page.
    pub async fn endpoint_list(&self, integration: &Integration) -> Result<EndpointsView, Failure> {
        let job = Job::TryEndpoints { integration: integration.id };
        let pending = self.storage.job_pending(&job.key()).await?;
        let now = self.clock.now();
        Ok(EndpointsView {
            states: self.storage.endpoint_list(integration.id).await?,
            can_be_tried: !self.following_with(integration.id).await?.is_empty(),
            is_busy: pending.iter().any(|job| job.state(now) != JobState::Later),
        })
    }

    /// Every endpoint that does not answer as it should, the longest first; for admins.
    pub async fn endpoint_list_failing(&self, actor: &Actor) -> Result<Vec<FailingEndpoint>, Failure> {
        actor.admin()?;
        let failing = self.storage.endpoint_list_failing().await?;
        self.endpoints_place(failing).await
    }

    /// The same for the integrations that an organization follows workspaces with. Who asks was asked before.
    pub async fn endpoint_list_failing_of(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<FailingEndpoint>, Failure> {
        let followed = self.storage.synchronization_list(organization).await?;
        let integrations: BTreeSet<_> = followed.iter().map(|(it, _)| it.integration_id).collect();
        let mut failing = self.storage.endpoint_list_failing().await?;
        failing.retain(|state| integrations.contains(&state.integration_id));
        self.endpoints_place(failing).await
    }

    /// What no longer works because a platform removed what it needs, for the banner that admins see on every page.
    pub async fn endpoint_list_gone(&self, actor: &Actor) -> Result<Vec<EndpointState>, Failure> {
        if !actor.is_admin() {
            return Ok(Vec::new());
        }
        let mut gone = self.storage.endpoint_list_failing().await?;
        gone.retain(|state| state.is_gone);
        Ok(gone)
    }

    /// "Test now": has the endpoints of an integration tried.
    pub async fn endpoints_try_now(
        &self,
        actor: &Actor,
        level: &Level,
        id: IntegrationId,
    ) -> Result<(), Failure> {
        let integration = self.integration_show(actor, level, id).await?;
        if self.following_with(id).await?.is_empty() {
            return Err(Failure::Conflict(format!(
                "No synchronization follows a workspace with {}, so there is nobody with whose rights it could be asked. Add a synchronization first.",
                integration.name
            )));
        }
        let job = Job::TryEndpoints { integration: id };
        self.job_enqueue(job, integration.organization_id).await?;
        let action = format!("had the endpoints of the integration {} tried", integration.name);
        self.log_by(actor, integration.organization_id, action).await
    }

    /// Notes at once that a platform no longer offers a path which it was asked for.
    pub(crate) async fn endpoint_gone(
        &self,
        id: IntegrationId,
        path: &str,
        because: &str,
    ) -> Result<(), Failure> {
        let Some(integration) = self.storage.integration_find(id).await? else { return Ok(()) };
        let connector = self.follow_connector(&integration)?;
        let known = connector.endpoints().map_or(&[][..], Endpoints::endpoint_list);
        let (path, purpose) = known
            .iter()
            .find(|endpoint| endpoint.is_at(path))
            .map_or((path, "something that Stave asks for"), |endpoint| (endpoint.path, endpoint.purpose));
        let now = self.clock.now();
        let before = self.storage.endpoint_list(id).await?.into_iter().find(|state| state.path == path);
        let gone = EndpointState {
            integration_id: id,
            path: path.to_owned(),
            purpose: purpose.to_owned(),
            // What asks all the time is not the daily try, and does not put it off.
            asked_at: before.as_ref().map_or(now, |before| before.asked_at),
            failing_since: Some(before.and_then(|before| before.failing_since).unwrap_or(now)),
            because: Some(because.to_owned()),
            is_gone: true,
        };
        Ok(self.storage.endpoint_put(&gone).await?)
    }

    /// Has the endpoints of every platform tried that were not tried for a day, where there is somebody to try them with.
    pub(crate) async fn endpoints_check(&self) -> Result<(), Failure> {
        let active = self.storage.synchronization_list_active().await?;
        let integrations: BTreeSet<_> = active.iter().map(|it| it.integration_id).collect();
        for id in integrations {
            let states = self.storage.endpoint_list(id).await?;
            let last = states.iter().map(|state| state.asked_at).max();
            let job = Job::TryEndpoints { integration: id };
            if self.is_due(last) && self.storage.job_pending(&job.key()).await?.is_empty() {
                self.job_enqueue(job, None).await?;
            }
        }
        Ok(())
    }

    fn is_due(&self, last: Option<Timestamp>) -> bool {
        last.is_none_or(|last| self.clock.now().duration_since(last) >= ASK_EVERY)
    }

    /// Tries every endpoint of an integration once, with the rights of a synchronization: the first whose key is accepted.
    pub(crate) async fn endpoints_try(&self, id: IntegrationId) -> Result<(), Failure> {
        let Some(integration) = self.storage.integration_find(id).await? else { return Ok(()) };
        let connector = self.follow_connector(&integration)?;
        let Some(endpoints) = connector.endpoints() else { return Ok(()) };
        let mut outcomes = Vec::new();
        for synchronization in self.following_with(id).await? {
            outcomes = self.endpoints_ask(endpoints, &synchronization).await?;
            if outcomes.iter().any(|(_, asked)| !matches!(asked, Asked::NotAsked(_))) {
                break;
            }
        }
        self.endpoints_store(id, endpoints.endpoint_list(), outcomes).await
    }

    /// What came of asking every endpoint that can be asked. A key that is refused is not shown again and again.
    async fn endpoints_ask(
        &self,
        endpoints: &dyn Endpoints,
        synchronization: &Synchronization,
    ) -> Result<Vec<(Endpoint, Asked)>, Failure> {
        let caller = self.caller(synchronization);
        let known = self.storage.remote_repository_page(synchronization.id, "", 0, 1).await?;
        let repository = known.first().map(|known| &known.remote);
        let workspace = Some(&synchronization.workspace);
        let mut outcomes = Vec::new();
        let mut refused = None;
        for endpoint in endpoints.endpoint_list() {
            let asked = match &refused {
                Some(because) => Some(Asked::NotAsked(String::clone(because))),
                None => asked(endpoints.endpoint_try(&caller, workspace, repository, endpoint).await),
            };
            if let Some(Asked::NotAsked(because)) = &asked {
                refused.get_or_insert_with(|| because.clone());
            }
            outcomes.extend(asked.map(|asked| (*endpoint, asked)));
        }
        Ok(outcomes)
    }

    async fn endpoints_store(
        &self,
        id: IntegrationId,
        offered: &[Endpoint],
        outcomes: Vec<(Endpoint, Asked)>,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        let txn = self.storage.begin().await?;
        let before = txn.endpoint_list(id).await?;
        for (endpoint, asked) in outcomes {
            let before = before.iter().find(|state| state.path == endpoint.path);
            txn.endpoint_put(&EndpointState::after(before, (id, &endpoint), asked, now)).await?;
        }
        let paths: Vec<_> = offered.iter().map(|endpoint| endpoint.path).collect();
        txn.endpoint_keep(id, &paths).await?;
        Ok(txn.commit().await?)
    }

    /// The synchronizations that follow a workspace with an integration.
    async fn following_with(&self, id: IntegrationId) -> Result<Vec<Synchronization>, Failure> {
        let mut all = self.storage.synchronization_list_of_integration(id).await?;
        all.retain(|synchronization| synchronization.stage == Stage::Active);
        Ok(all)
    }

    async fn endpoints_place(&self, failing: Vec<EndpointState>) -> Result<Vec<FailingEndpoint>, Failure> {
        let mut placed = Vec::new();
        for state in failing {
            let Some(integration) = self.storage.integration_find(state.integration_id).await? else {
                continue;
            };
            let owner = match integration.organization_id {
                Some(id) => self.storage.organization_find(id).await?,
                None => None,
            };
            placed.push(FailingEndpoint { integration, owner, state });
        }
        Ok(placed)
    }
}

/// What an outcome says about the endpoint; nothing if it could not be asked for want of a workspace or repository.
fn asked(outcome: Result<bool, UpstreamError>) -> Option<Asked> {
    match outcome {
        Ok(true) => Some(Asked::Answered),
        Ok(false) => None,
        Err(error) if error.is_refusal() => Some(Asked::Answered),
        Err(error @ UpstreamError::Gone { .. }) => Some(Asked::Gone(error.to_string())),
        Err(
            error @ (UpstreamError::Unauthorized { .. }
            | UpstreamError::NoKey(_)
            | UpstreamError::RateLimited { .. }),
        ) => Some(Asked::NotAsked(error.to_string())),
        Err(error) => Some(Asked::Unclear(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
