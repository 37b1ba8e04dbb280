//! What stands around every page: the top bar, the banner of Setup Mode, what was just done.

use crate::{actor::By, done::Done, error::PageError};
use axum::{extract::FromRequestParts, http::request::Parts};
use stave_app::{Actor, App, Checklist};
use stave_domain::organization::Organization;

/// What `layout.html` needs; the field `frame` of every page.
#[derive(Default)]
pub(crate) struct Frame {
    /// Who asks.
    pub(crate) actor: Actor,
    /// Their organizations, for the switcher.
    pub(crate) organizations: Vec<Organization>,
    /// What is left to do while Setup Mode is on.
    pub(crate) checklist: Option<Checklist>,
    /// What was just done.
    pub(crate) done: Option<Done>,
    /// The path of this page.
    pub(crate) path: String,
}

impl Frame {
    /// Whether the page is at this address or below it.
    pub(crate) fn is_in(&self, address: &str) -> bool {
        self.path.strip_prefix(address).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether the account that this browser makes next becomes the first admin.
    pub(crate) fn makes_first_admin(&self) -> bool {
        self.actor.is_setup && self.checklist.is_some_and(|checklist| !checklist.has_admin)
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
        let organizations = own.into_iter().map(|(organization, _)| organization).collect();
        let checklist = app.setup_checklist().await?;
        Ok(Self {
            actor,
            organizations,
            checklist,
            done: done(parts.uri.query()),
            path: parts.uri.path().to_owned(),
        })
    }
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
