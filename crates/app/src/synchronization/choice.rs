//! Which workspaces can be followed, and with whose rights.

use super::asker::Caller;
use crate::{AccessChoice, Account, Actor, App, Failure};
use futures::FutureExt;
use stave_domain::{
    credential::CredentialKind,
    id::SynchronizationId,
    identity::Identity,
    integration::{Integration, OAuthVersion},
    organization::Organization,
    synchronization::{Synchronization, SynchronizationAccess, Workspace},
};
use stave_upstream::Follow;

/// What somebody chose to follow.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct WorkspaceChoice {
    /// The id of an integration.
    pub integration: String,
    /// An [`AccessChoice`]'s value.
    pub access: String,
    /// The workspace's name in addresses, or the project's key.
    pub workspace: String,
}

/// One integration, and what can be followed there.
#[derive(Debug)]
pub struct WorkspaceOffer {
    /// Where.
    pub integration: Integration,
    /// The actor's account there.
    pub account: Option<Identity>,
    /// The rights with which could be asked.
    pub choices: Vec<AccessChoice>,
    /// Those with which was asked: the value of one of the choices; empty if there is none.
    pub access: String,
    /// What can be seen with them; or why nothing, in a sentence.
    pub workspaces: Result<Vec<OfferedWorkspace>, String>,
}

impl WorkspaceOffer {
    /// Whether the actor's account does not serve, because it is connected by OAuth 1, with which git cannot read.
    #[must_use]
    pub fn has_old_account(&self) -> bool {
        self.account.as_ref().is_some_and(|identity| !serves(identity, &self.integration))
    }
}

/// A workspace that can be followed.
#[derive(Debug)]
pub struct OfferedWorkspace {
    /// It.
    pub workspace: Workspace,
    /// The synchronization that follows it already.
    pub followed: Option<SynchronizationId>,
}

/// A choice that was looked up.
#[derive(Debug)]
pub struct ChosenWorkspace {
    pub(super) integration: Integration,
    pub(super) access: SynchronizationAccess,
    /// It.
    pub workspace: Workspace,
}

/// Somebody's rights, and what they are called.
pub(super) struct Rights {
    pub(super) choice: AccessChoice,
    pub(super) access: SynchronizationAccess,
}

impl App {
    /// What an organization can follow. `wanted` are the rights to ask with where they are among the choices.
    pub async fn workspace_offers(
        &self,
        actor: &Actor,
        short_name: &str,
        wanted: &str,
    ) -> Result<(Organization, Vec<WorkspaceOffer>), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let offers = self.offers(actor, Some(&organization), wanted).await?;
        Ok((organization, offers))
    }

    /// What an organization that is not made yet can follow.
    pub async fn workspace_offers_new(&self, actor: &Actor) -> Result<Vec<WorkspaceOffer>, Failure> {
        self.organization_creator(actor).await?;
        self.offers(actor, None, "").await
    }

    /// The workspace that somebody chose for an organization that is not made yet.
    pub async fn workspace_choose_new(
        &self,
        actor: &Actor,
        choice: &WorkspaceChoice,
    ) -> Result<ChosenWorkspace, Failure> {
        self.organization_creator(actor).await?;
        self.workspace_chosen(actor, None, choice).await
    }

    async fn offers(
        &self,
        actor: &Actor,
        organization: Option<&Organization>,
        wanted: &str,
    ) -> Result<Vec<WorkspaceOffer>, Failure> {
        let followed = match organization {
            Some(organization) => self.storage.synchronization_list(organization.id).await?,
            None => Vec::new(),
        };
        let followed: Vec<Synchronization> = followed.into_iter().map(|(it, _)| it).collect();
        let accounts = self.accounts_of(actor).await?;
        let mut asked = Vec::new();
        for integration in self.integrations_usable(organization).await? {
            let offer = self.offer(integration, (organization, &accounts), (wanted, &followed));
            asked.push(offer.boxed());
        }
        futures::future::try_join_all(asked).await
    }

    async fn offer(
        &self,
        integration: Integration,
        (organization, accounts): (Option<&Organization>, &[Account]),
        (wanted, followed): (&str, &[Synchronization]),
    ) -> Result<WorkspaceOffer, Failure> {
        let rights = self.rights_at(&integration, organization, accounts).await?;
        let account = account_at(&integration, accounts).cloned();
        let chosen = rights.iter().find(|it| it.choice.value == wanted).or(rights.first());
        let workspaces = match chosen {
            Some(chosen) => self.workspaces_seen(&integration, chosen.access, followed).await,
            None => Ok(Vec::new()),
        };
        Ok(WorkspaceOffer {
            account,
            access: chosen.map(|it| it.choice.value.clone()).unwrap_or_default(),
            choices: rights.into_iter().map(|it| it.choice).collect(),
            workspaces: workspaces.map_err(|failure| failure.to_string()),
            integration,
        })
    }

    async fn workspaces_seen(
        &self,
        integration: &Integration,
        access: SynchronizationAccess,
        followed: &[Synchronization],
    ) -> Result<Vec<OfferedWorkspace>, Failure> {
        let connector = self.follow_connector(integration)?;
        let Some(follow) = connector.follow() else { return Ok(Vec::new()) };
        let mut seen = follow.workspace_list(&self.caller_with(access, integration.id)).await?;
        seen.sort_by_cached_key(|workspace| workspace.title().to_lowercase());
        let already = |workspace: &Workspace| {
            let is_it = |it: &&Synchronization| {
                it.integration_id == integration.id && it.workspace.external_id == workspace.external_id
            };
            followed.iter().find(is_it).map(|it| it.id)
        };
        Ok(seen
            .into_iter()
            .map(|workspace| OfferedWorkspace { followed: already(&workspace), workspace })
            .collect())
    }

    /// The workspace that somebody chose, as the platform knows it.
    pub(super) async fn workspace_chosen(
        &self,
        actor: &Actor,
        organization: Option<&Organization>,
        choice: &WorkspaceChoice,
    ) -> Result<ChosenWorkspace, Failure> {
        let usable = self.integrations_usable(organization).await?;
        let integration = usable.into_iter().find(|it| it.id.to_string() == choice.integration);
        let integration = integration
            .ok_or_else(|| Failure::invalid("integration", "Choose an integration from the list."))?;
        let access = self.rights_typed(actor, organization, &integration, &choice.access).await?;
        let key = choice.workspace.trim();
        if key.is_empty() {
            return Err(Failure::invalid("workspace", "Enter the name that stands in its address."));
        }
        let connector = self.follow_connector(&integration)?;
        let follow = connector.follow().ok_or(Failure::NotFound("way to follow a workspace"))?;
        let caller = self.caller_with(access, integration.id);
        let found = follow.workspace_find(&caller, key).await;
        let found = found.map_err(|error| Failure::invalid("workspace", error.to_string()))?;
        let workspace = found.ok_or_else(|| {
            let sentence = format!(
                "{} shows nothing called “{key}” to these rights. Look at its address there, or choose other rights.",
                integration.name
            );
            Failure::invalid("workspace", sentence)
        })?;
        if self.is_outsider(follow, &caller, (access, &workspace)).await? {
            let sentence = format!(
                "{} is on {}, but whoever these rights are from is not in it. Ask somebody who is to add the synchronization.",
                workspace.title(),
                integration.name
            );
            return Err(Failure::invalid("workspace", sentence));
        }
        Ok(ChosenWorkspace { integration, access, workspace })
    }

    /// Whether rights are those of a person who is not in a workspace: everybody may look at its name, and whoever followed it
    /// would hear who is in it. A token that is no person's reaches nothing but its own workspace.
    async fn is_outsider(
        &self,
        follow: &dyn Follow,
        caller: &Caller,
        (access, workspace): (SynchronizationAccess, &Workspace),
    ) -> Result<bool, Failure> {
        if let SynchronizationAccess::Stored(id) = access {
            let credential = self.storage.credential_find(id).await?;
            if credential.is_none_or(|it| it.kind != CredentialKind::ApiToken) {
                return Ok(false);
            }
        }
        match follow.own_rights(caller, workspace).await {
            Ok(own) => Ok(own.is_none()),
            // It may not say so of itself; then a run says what it lacks.
            Err(error) if error.is_refusal() => Ok(false),
            Err(error) => Err(Failure::invalid("workspace", error.to_string())),
        }
    }

    /// The rights that somebody chose from a list.
    pub(super) async fn rights_typed(
        &self,
        actor: &Actor,
        organization: Option<&Organization>,
        integration: &Integration,
        typed: &str,
    ) -> Result<SynchronizationAccess, Failure> {
        let accounts = self.accounts_of(actor).await?;
        let rights = self.rights_at(integration, organization, &accounts).await?;
        let chosen = rights.into_iter().find(|it| it.choice.value == typed);
        let chosen = chosen
            .ok_or_else(|| Failure::invalid("access", "Choose an account or a credential from the list."))?;
        Ok(chosen.access)
    }

    /// The rights with which workspaces of an integration can be followed: the actor's own account first.
    pub(super) async fn rights_at(
        &self,
        integration: &Integration,
        organization: Option<&Organization>,
        accounts: &[Account],
    ) -> Result<Vec<Rights>, Failure> {
        let mut rights = Vec::new();
        if let Some(identity) = account_at(integration, accounts).filter(|it| serves(it, integration)) {
            let choice = AccessChoice {
                value: format!("account:{}", identity.id),
                label: format!("My account {}", identity.handle),
            };
            rights.push(Rights { choice, access: SynchronizationAccess::Account(identity.id) });
        }
        let Some(organization) = organization else { return Ok(rights) };
        for credential in self.storage.credential_list(organization.id).await? {
            let is_here = credential.host == integration.base_url.authority();
            if is_here && credential.kind.platform() == Some(integration.platform) {
                let choice = AccessChoice {
                    value: format!("credential:{}", credential.id),
                    label: format!("{} ({})", credential.description, credential.kind.short_label()),
                };
                rights.push(Rights { choice, access: SynchronizationAccess::Stored(credential.id) });
            }
        }
        Ok(rights)
    }

    /// The actor's accounts; whoever holds the setup link has none.
    pub(super) async fn accounts_of(&self, actor: &Actor) -> Result<Vec<Account>, Failure> {
        match actor.user {
            Some(_) => self.account_list(actor).await,
            None => Ok(Vec::new()),
        }
    }

    /// The integrations at which an organization can follow something: everybody's, and its own.
    async fn integrations_usable(
        &self,
        organization: Option<&Organization>,
    ) -> Result<Vec<Integration>, Failure> {
        let mut usable = self.storage.integration_list_of(None).await?;
        if let Some(organization) = organization {
            usable.extend(self.storage.integration_list_of(Some(organization.id)).await?);
        }
        Ok(usable)
    }
}

fn account_at<'a>(integration: &Integration, accounts: &'a [Account]) -> Option<&'a Identity> {
    let account = accounts.iter().find(|account| account.integration.id == integration.id)?;
    account.identity.as_ref()
}

/// Whether git can be read with an account, too: a synchronization needs both.
fn serves(identity: &Identity, integration: &Integration) -> bool {
    let client = integration.client_with(&identity.client_id);
    client.is_some_and(|client| client.oauth() == OAuthVersion::Two)
}
