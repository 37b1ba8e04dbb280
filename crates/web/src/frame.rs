//! What stands around every page: the top bar, the banner of Setup Mode, what was just done.

use crate::{actor::By, credential::Life, done::Done, error::PageError, job::Busy, return_to::ReturnTo};
use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::request::Parts,
};
use stave_app::{Actor, App, Checklist, Failure};
use stave_domain::{
    Timestamp,
    credential::StoredCredential,
    endpoint::EndpointState,
    integration::Integration,
    organization::{Organization, Role},
};

/// What `layout.html` needs; the field `frame` of every page.
#[derive(Default)]
pub(crate) struct Frame {
    /// Who asks.
    pub(crate) actor: Actor,
    /// Their organizations, for the switcher.
    pub(crate) organizations: Vec<Organization>,
    /// What is left to do while Setup Mode is on.
    pub(crate) checklist: Option<Checklist>,
    /// Where they should log in once more: the client that serves them there will be gone.
    pub(crate) changeovers: Vec<Integration>,
    /// What no longer works because a platform removed what it needs; admins are told.
    pub(crate) gone: Vec<EndpointState>,
    /// The job of this page's organization that runs.
    pub(crate) busy: Option<Busy>,
    /// The credentials of this page's organization that die soon; its owners and admins are told.
    pub(crate) dying: Vec<StoredCredential>,
    /// Now.
    pub(crate) now: Timestamp,
    /// What was just done.
    pub(crate) done: Option<Done>,
    /// The path of this page.
    pub(crate) path: String,
}

impl Frame {
    /// Whether the page is at this address or below it.
    pub(crate) fn is_in(&self, address: &str) -> bool {
        is_in(&self.path, address)
    }

    /// Whether the account that this browser makes next becomes the first admin.
    pub(crate) fn makes_first_admin(&self) -> bool {
        self.actor.is_setup && self.checklist.is_some_and(|checklist| !checklist.has_admin)
    }

    /// The address that logs in at an integration once more and leads back to this page.
    pub(crate) fn login_again(&self, integration: &Integration) -> String {
        ReturnTo::from(self.path.as_str()).after(&format!("/login/{}", integration.slug))
    }

    /// How long a credential lives, as a sentence goes on.
    pub(crate) fn life(&self, credential: &StoredCredential) -> String {
        Life::of(credential, &self.now).map(|life| life.sentence()).unwrap_or_default()
    }

    /// The address of the credentials of this page's organization.
    pub(crate) fn credentials(&self) -> String {
        self.organization().map(|it| format!("{}/settings/credentials", home(it))).unwrap_or_default()
    }

    /// What a log-in opens that is limited to one organization: its name.
    pub(crate) fn limit(&self) -> Option<&str> {
        let within = self.actor.within.as_ref()?;
        let opened = self.organizations.iter().find(|organization| organization.id == within.organization_id);
        Some(opened.map_or("one organization", |organization| organization.name.as_str()))
    }

    /// The organization whose page this is, for the switcher.
    pub(crate) fn organization(&self) -> Option<&Organization> {
        self.organizations.iter().find(|organization| self.is_in(&home(organization)))
    }
}

/// The address of an organization's Overview.
pub(crate) fn home(organization: &Organization) -> String {
    format!("/orgs/{}", organization.short_name)
}

impl FromRequestParts<App> for Frame {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let By(actor) = By::from_request_parts(parts, app).await?;
        let own = if actor.user.is_some() { app.organization_list_own(&actor).await? } else { Vec::new() };
        // Below a nested router the address in the request has lost its beginning.
        let address = parts.extensions.get().map_or(&parts.uri, |OriginalUri(whole)| whole);
        let checklist = app.setup_checklist().await?;
        let changeovers = app.changeover_list_of(&actor).await?;
        let gone = app.endpoint_list_gone(&actor).await?;
        let here = here((&actor, &own), address.path());
        let busy = busy(app, here).await?;
        let dying = match here {
            Some((organization, role)) => app.credential_warnings(organization, *role).await?,
            None => Vec::new(),
        };
        let now = app.clock().now();
        Ok(Self {
            actor,
            changeovers,
            dying,
            now,
            organizations: own.into_iter().map(|(organization, _)| organization).collect(),
            checklist,
            gone,
            busy,
            done: done(address.query()),
            path: address.path().to_owned(),
        })
    }
}

/// The organization whose page this is, if the person has come in there as it asks.
fn here<'a>(
    (actor, own): (&Actor, &'a [(Organization, Role)]),
    path: &str,
) -> Option<&'a (Organization, Role)> {
    let found = own.iter().find(|(organization, _)| is_in(path, &home(organization)));
    found.filter(|(organization, _)| organization.enforced.is_none_or(|it| actor.has_proven(it)))
}

/// The job of an organization that runs.
async fn busy(app: &App, here: Option<&(Organization, Role)>) -> Result<Option<Busy>, Failure> {
    let Some((organization, role)) = here else { return Ok(None) };
    let job = app.job_busy(organization, *role).await?;
    Ok(job.map(|job| Busy::of(organization.short_name.as_str(), job)))
}

fn is_in(path: &str, address: &str) -> bool {
    path.strip_prefix(address).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn done(query: Option<&str>) -> Option<Done> {
    query?.split('&').find_map(|pair| pair.strip_prefix("done=")).and_then(Done::of_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_where_it_is() {
        let frame = Frame { path: "/orgs/acme/packages".into(), ..Frame::default() };
        assert!(frame.is_in("/orgs/acme"));
        assert!(!frame.is_in("/orgs/ac"));
        assert!(!frame.is_in("/admin"));
    }

    #[test]
    fn what_was_done_is_in_the_query() {
        assert_eq!(done(Some("page=2&done=saved")), Some(Done::Saved));
        assert_eq!(done(Some("undone=saved")), None);
        assert_eq!(done(None), None);
    }
}
