//! The log-in link of an organization: a page to share, with its own way in first.

use crate::{Actor, App, Failure};
use stave_domain::{
    identity::Identity,
    integration::{Integration, IntegrationSlug},
    organization::{Organization, ShortName},
};

/// What the page of a log-in link shows.
#[derive(Debug)]
pub struct LoginLink {
    /// Whose.
    pub organization: Organization,
    /// The way in that the link names.
    pub integration: Integration,
    /// The other ways in: the organization's own, then the installation's.
    pub others: Vec<Integration>,
    /// Whether e-mail and password are a way in too.
    pub has_password: bool,
    /// Whether whoever looks is a member.
    pub is_member: bool,
    /// Their account at the integration that the link names.
    pub account: Option<Identity>,
}

impl App {
    /// The address to share.
    #[must_use]
    pub fn login_link(&self, organization: &Organization, integration: &Integration) -> String {
        self.address(&format!("/login/{}/{}", organization.short_name, integration.slug))
    }

    /// The page of a log-in link. An organization or integration that is not there looks the same as any other wrong address.
    pub async fn login_link_show(
        &self,
        actor: &Actor,
        organization: &str,
        integration: &str,
    ) -> Result<LoginLink, Failure> {
        let missing = || Failure::NotFound("log-in link");
        let short_name: ShortName = organization.parse().map_err(|_| missing())?;
        let slug: IntegrationSlug = integration.parse().map_err(|_| missing())?;
        let organization = self.storage.organization_find_by_short_name(&short_name).await?;
        let integration = self.storage.integration_find_by_slug(&slug).await?;
        let (organization, integration) = organization.zip(integration).ok_or_else(missing)?;
        let is_its_own = integration.organization_id == Some(organization.id);
        if !is_its_own && organization.enforced != Some(integration.id) {
            return Err(missing());
        }
        let mut others = self.storage.integration_list_of(Some(organization.id)).await?;
        others.extend(self.integration_list().await?);
        others.retain(|other| other.id != integration.id);
        let (is_member, account) = match &actor.user {
            Some(user) => (
                self.storage.member_role(organization.id, user.id).await?.is_some(),
                self.storage.identity_find_of_user(user.id, integration.id).await?,
            ),
            None => (false, None),
        };
        let has_password = self.configuration().await?.password_login;
        Ok(LoginLink { organization, integration, others, has_password, is_member, account })
    }
}
