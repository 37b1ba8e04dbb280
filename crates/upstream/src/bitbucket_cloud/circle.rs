//! Workspaces, and who is in them.

use super::{
    BitbucketCloud,
    api::Api,
    sign_in::explained,
    wire::{Named, Page, WorkspaceEntry},
};
use crate::{
    Key, UpstreamError,
    answer::without,
    connector::{Circles, in_time},
    http::Authorization,
    oauth2::{Asked, grant_in},
};
use async_trait::async_trait;
use reqwest::StatusCode;
use stave_domain::{identity::Grant, integration::Platform, website::Circle};
use std::collections::BTreeSet;

/// Nobody is in more workspaces than fit on so many pages of a hundred.
const PAGES: usize = 50;

#[async_trait]
impl Circles for BitbucketCloud {
    /// All workspaces of the person.
    async fn circles(&self, grant: &Grant, _wanted: &[Circle]) -> Result<Vec<Circle>, UpstreamError> {
        let read = in_time(&self.registration, workspaces(&self.api(&Key::of(grant)))).await;
        read.map_err(|error| lacking_account(error, &grant.scopes))
    }

    async fn circle_find(&self, typed: &str) -> Result<Option<Circle>, UpstreamError> {
        let Some(unknown) = as_typed(typed) else { return Ok(None) };
        in_time(&self.registration, self.workspace_find(unknown)).await
    }
}

impl BitbucketCloud {
    /// The workspace as the consumer itself sees it, or as it was typed if the consumer may not act for itself.
    async fn workspace_find(&self, unknown: Circle) -> Result<Option<Circle>, UpstreamError> {
        let Some(grant) = self.own_grant().await? else { return Ok(Some(unknown)) };
        let key = Key::of(&grant);
        let api = self.api(&key);
        let url = api.at_segments(&["workspaces", &unknown.to_string()]);
        match api.get(&url).await {
            Ok(answer) => workspace(&answer.json()?, &answer.host()).map(Some),
            Err(UpstreamError::NotFound { .. }) => Ok(None),
            Err(
                UpstreamError::Unauthorized { .. }
                | UpstreamError::Forbidden { .. }
                | UpstreamError::MissingPermissions { .. }
                | UpstreamError::Unexpected { status: 400, .. },
            ) => Ok(Some(unknown)),
            Err(error) => Err(error),
        }
    }

    /// A grant with which the consumer acts for itself (RFC 6749, section 4.4); `None` if it may not: only a "private" one may.
    async fn own_grant(&self) -> Result<Option<Grant>, UpstreamError> {
        let (id, secret) = self.client()?;
        let (url, client) = (&self.addresses.access_token, Authorization::Basic(id, secret));
        let form = [("grant_type", "client_credentials")];
        let answer = self.http.post_form(url, client, &form, self.registration.timeout).await?;
        match answer.status {
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(None),
            _ => {
                let now = (self.environment.now)();
                grant_in(&answer, Platform::BitbucketCloud, &Asked::Itself, now).map(Some)
            }
        }
    }
}

/// Every workspace of the person, over all pages.
async fn workspaces(api: &Api<'_>) -> Result<Vec<Circle>, UpstreamError> {
    let mut found = Vec::new();
    let mut url = api.at("/user/workspaces");
    url.set_query(Some("pagelen=100"));
    for _ in 0..PAGES {
        let answer = api.get(&url).await?;
        let page: Page<WorkspaceEntry> = answer.json()?;
        for entry in &page.values {
            found.push(workspace(&entry.workspace, &answer.host())?);
        }
        let Some(link) = page.next else { return Ok(found) };
        url = api.next(&link)?;
    }
    Err(without(api.host(), "an end of the list of workspaces"))
}

/// A workspace that cannot be told from another one is a failure, and not one less.
fn workspace(named: &Named, host: &str) -> Result<Circle, UpstreamError> {
    match named.uuid.as_ref().filter(|uuid| !uuid.is_empty()) {
        Some(uuid) => {
            let slug = named.slug.clone().unwrap_or_default();
            Ok(Circle::Workspace { uuid: Some(uuid.clone()), slug })
        }
        None => Err(without(host.to_owned(), "the uuid of a workspace")),
    }
}

/// A slug, or a uuid in its braces; `None` if no workspace could be called like this.
pub(super) fn as_typed(typed: &str) -> Option<Circle> {
    let typed = typed.trim();
    let uuid = typed.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let is_uuid = uuid.is_some_and(|uuid| {
        uuid.len() == 36 && uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    });
    let is_slug = (1..=100).contains(&typed.len())
        && typed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match (is_uuid, is_slug) {
        (true, _) => Some(Circle::Workspace { uuid: Some(typed.to_owned()), slug: String::new() }),
        (false, true) => Some(Circle::Workspace { uuid: None, slug: typed.to_owned() }),
        (false, false) => None,
    }
}

/// Looking at workspaces takes one permission, and what else a consumer lacks is not asked for here.
fn lacking_account(error: UpstreamError, scopes: &BTreeSet<String>) -> UpstreamError {
    match explained(error, scopes) {
        UpstreamError::MissingPermissions { host, platform, needed, .. } => {
            let missing = needed.clone();
            UpstreamError::MissingPermissions { host, platform, needed, missing }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stave_domain::integration::Permission;

    #[test]
    fn what_a_workspace_may_be_called() {
        let uuid = "{a1b2c3d4-0000-4000-8000-000000000001}";
        for (typed, name, is_known) in [
            ("acme", Some("acme"), false),
            (" Acme_2-x ", Some("Acme_2-x"), false),
            (uuid, Some(uuid), true),
            ("", None, false),
            (".", None, false),
            ("..", None, false),
            ("acme/mailer", None, false),
            ("acme?x", None, false),
            ("{}", None, false),
            ("{acme}", None, false),
            ("a b", None, false),
        ] {
            let circle = as_typed(typed);
            assert_eq!(circle.as_ref().map(ToString::to_string).as_deref(), name, "{typed}");
            assert_eq!(circle.is_some_and(|circle| circle.is_known()), is_known, "{typed}");
        }
    }

    #[test]
    fn only_the_permission_that_is_needed_is_asked_for() {
        let forbidden = UpstreamError::Forbidden { host: "bitbucket.org".to_owned() };
        let error = lacking_account(forbidden, &["email".to_owned()].into());
        let UpstreamError::MissingPermissions { needed, missing, .. } = error else { panic!("{error:?}") };
        assert_eq!((needed, missing), (vec![Permission::AccountRead], vec![Permission::AccountRead]));
    }
}
