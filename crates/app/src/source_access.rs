//! With whose rights a repository is read: what can be chosen, what was typed, and in words.

use crate::{Actor, App, Failure};
use stave_domain::{
    organization::Organization,
    repository::{Repository, SourceAccess, SourceUrl},
};

/// One line of the select "Credential".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessChoice {
    /// What the form sends.
    pub value: String,
    /// What people read.
    pub label: String,
}

impl App {
    /// The ways in which the actor can have a repository read.
    pub async fn source_access_choices(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<Vec<AccessChoice>, Failure> {
        let organization = self.organization_extended(actor, short_name).await?;
        let choice = |value: String, label: String| AccessChoice { value, label };
        let mut choices = vec![choice(
            "auto".into(),
            "Automatic: my connected account if the URL is on its host, else none".into(),
        )];
        for (identity, integration) in self.account_list_reading(actor).await? {
            let label = format!("My account {} at {}", identity.handle, integration.name);
            choices.push(choice(format!("account:{}", identity.id), label));
        }
        if self.is_manager(actor, &organization).await? {
            for credential in self.storage.credential_list(organization.id).await? {
                let label =
                    format!("{} ({} at {})", credential.description, credential.username, credential.host);
                choices.push(choice(format!("credential:{}", credential.id), label));
            }
            choices.push(choice("ssh".into(), format!("SSH key of {}", organization.short_name)));
        }
        choices.push(choice("none".into(), "None: the repository is public".into()));
        Ok(choices)
    }

    /// What was chosen, if the actor may choose it and it is for the host of the source.
    pub(crate) async fn source_access_typed(
        &self,
        actor: &Actor,
        organization: &Organization,
        source: &SourceUrl,
        typed: &str,
    ) -> Result<SourceAccess, Failure> {
        let choose = || Failure::invalid("credential", "Choose a credential from the list.");
        match typed.split_once(':').unwrap_or((typed, "")) {
            ("none", _) => Ok(SourceAccess::Public),
            ("ssh", _) => Ok(SourceAccess::OrganizationKey),
            ("auto" | "", _) if source.is_ssh() => Ok(SourceAccess::OrganizationKey),
            ("auto" | "", _) => {
                let accounts = self.account_list_reading(actor).await?;
                let fitting = accounts
                    .iter()
                    .find(|(_, integration)| integration.base_url.authority() == source.authority());
                Ok(fitting.map_or(SourceAccess::Public, |(identity, _)| SourceAccess::Account(identity.id)))
            }
            ("account", id) => {
                let accounts = self.account_list_reading(actor).await?;
                let chosen =
                    accounts.iter().find(|(identity, _)| identity.id.to_string() == id).ok_or_else(choose)?;
                host_fits(source, &chosen.1.base_url.authority())?;
                Ok(SourceAccess::Account(chosen.0.id))
            }
            ("credential", id) => {
                let id = id.parse().map_err(|_| choose())?;
                let credential = self.storage.credential_find(id).await?;
                let credential =
                    credential.filter(|it| it.organization_id == organization.id).ok_or_else(choose)?;
                host_fits(source, &credential.host)?;
                Ok(SourceAccess::Stored(id))
            }
            _ => Err(choose()),
        }
    }

    /// The same for people to read.
    pub(crate) async fn source_access_in_words(&self, repository: &Repository) -> Result<String, Failure> {
        Ok(match repository.access {
            SourceAccess::Public => "nobody's: the repository is public".into(),
            SourceAccess::AccountGone => "an account that is no longer connected".into(),
            SourceAccess::OrganizationKey => "the organization's SSH key".into(),
            SourceAccess::Synchronization => "those of the synchronization that brought it".into(),
            SourceAccess::Account(id) => match self.storage.identity_find(id).await? {
                Some(identity) => format!("the connected account {}", identity.handle),
                None => "an account that is no longer connected".into(),
            },
            SourceAccess::Stored(id) => match self.storage.credential_find(id).await? {
                Some(credential) => format!("the credential “{}”", credential.description),
                None => "a credential that is gone".into(),
            },
        })
    }
}

/// A secret goes to its own host only.
fn host_fits(source: &SourceUrl, host: &str) -> Result<(), Failure> {
    if source.authority() == host {
        return Ok(());
    }
    Err(Failure::invalid(
        "credential",
        format!("This credential is for {host}, but the URL is at {}.", source.authority()),
    ))
}
