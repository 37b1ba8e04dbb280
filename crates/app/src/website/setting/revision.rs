//! The history of a login setting: what visitors saw, and the way back to it.

use super::{Publication, publishable, stored};
use crate::{Actor, App, Failure};
use stave_domain::{
    organization::Organization,
    website::{Revision, Setting, Website},
};

/// One revision, or all of them, of a website's login setting.
#[derive(Debug)]
pub struct RevisionView<T> {
    /// Whose website.
    pub organization: Organization,
    /// Which.
    pub website: Website,
    /// What was asked for.
    pub content: T,
}

impl App {
    /// Every revision, the newest first, for owners.
    pub async fn website_revision_list(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
    ) -> Result<RevisionView<Vec<Revision>>, Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let content = self.storage.website_revision_list(website.id).await?;
        Ok(RevisionView { organization, website, content })
    }

    /// One revision.
    pub async fn website_revision_show(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        number: u32,
    ) -> Result<RevisionView<Revision>, Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let found = self.storage.website_revision_find(website.id, number).await?;
        let content = found.ok_or(Failure::NotFound("revision"))?;
        Ok(RevisionView { organization, website, content })
    }

    /// Lets visitors see an old setting again, as a new revision. The number of that; the draft, if there is one, stays.
    pub async fn website_revision_restore(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        number: u32,
    ) -> Result<u32, Failure> {
        let RevisionView { organization, website, content: old } =
            self.website_revision_show(actor, (organization, slug), number).await?;
        let before = stored(&self.storage, &website).await?;
        if before.published.as_ref().is_some_and(|now| now.setting == old.setting) {
            return Err(Failure::Conflict("Visitors see this setting already.".into()));
        }
        self.still_works(&website, &old.setting).await?;
        let note = format!("as revision {number}");
        let publication = Publication { setting: old.setting, note, ends_logins: false, keeps_draft: true };
        let made = self.website_publish(actor, (&website, &before), publication).await?;
        let (made, action) = made.ok_or_else(|| Failure::internal("a setting that differs is new"))?;
        let action = format!("{action}, as revision {number}");
        self.log_by(actor, Some(organization.id), action).await?;
        Ok(made)
    }

    /// Whether every button of an old setting still leads anywhere: its integration is there, its secret opens.
    async fn still_works(&self, website: &Website, setting: &Setting) -> Result<(), Failure> {
        let integrations = self.website_integrations(website).await?;
        publishable(setting, &self.website_setting_form(website, setting, &integrations))?;
        for provider in setting.offered() {
            let because = match self.website_server(website, provider, None).await {
                Ok(_) => continue,
                Err(Failure::Denied(_)) => "the integration behind it was deleted",
                Err(Failure::Internal(_)) => "its secret can no longer be opened with the key of this server",
                Err(other) => return Err(other),
            };
            return Err(Failure::Conflict(format!(
                "Visitors could no longer log in with “{}” of this revision: {because}. Open the login setting and enter there what should be different.",
                provider.label
            )));
        }
        Ok(())
    }
}
