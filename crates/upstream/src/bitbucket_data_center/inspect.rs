//! Trying whether everything that a log-in needs is in order at Bitbucket Data Center.

use super::{
    BitbucketDataCenter, Way,
    api::Api,
    wire::{Page, Properties, RepositoryEntry},
};
use crate::{
    Key, UpstreamError,
    answer::{Answer, below},
    connector::{Ability, Inspect},
    oauth2::door_read,
};
use async_trait::async_trait;
use serde::de::IgnoredAny;
use stave_domain::{
    identity::Grant,
    integration::{Platform, ServerVersion},
};
use url::Url;

/// The scopes with which webhooks can be installed.
const ADMIN_SCOPES: [&str; 4] = ["REPO_ADMIN", "PROJECT_ADMIN", "ADMIN_WRITE", "SYSTEM_ADMIN"];
const OPTIONAL: &str = "It is optional: log-ins and packages work without. With webhooks, new versions appear as soon as they are \
                        pushed, and not only when Stave looks the next time.";

#[async_trait]
impl Inspect for BitbucketDataCenter {
    /// With OAuth 1 there is nothing to try: the server has answered the first step already.
    async fn knock(&self, departure: &Url) -> Result<(), UpstreamError> {
        let Way::Two(flow) = self.way() else { return Ok(()) };
        let mut answer = self.http.get_page(departure, self.registration.timeout).await?;
        // The question itself is on a page of its own, which looks at the client once more.
        if let Some(consent) = self.consent_page(&answer) {
            answer = self.http.get_page(&consent, self.registration.timeout).await?;
        }
        if asks_for_too_much(&answer) {
            return Err(flow.scope_missing());
        }
        match door_read(&answer, Platform::BitbucketDataCenter, &self.registration.callback) {
            Err(UpstreamError::NotFound { .. }) => Err(flow.missing()),
            outcome => outcome,
        }
    }

    async fn webhooks(&self, grant: &Grant) -> Result<Ability, UpstreamError> {
        let key = Key::of(grant);
        let api = self.api(&key);
        let properties: Properties = api.get(&api.at("/application-properties")).await?.json()?;
        let version = properties.version.and_then(|version| version.parse::<ServerVersion>().ok());
        if let Some(version) = version.filter(|version| !version.has_webhooks()) {
            return Ok(Ability::No(format!(
                "Bitbucket {version} has no webhooks of its own; they came with version 5.4. {OPTIONAL}"
            )));
        }
        let is_admin = grant.scopes.iter().any(|scope| ADMIN_SCOPES.contains(&scope.as_str()));
        if !grant.scopes.is_empty() && !is_admin {
            return Ok(Ability::No(format!(
                "Stave asks for reading and no more, so it installs no webhooks by itself: that would take \"Repositories: Admin\". \
                 Whoever administers a repository enters the Hook URL of its package in Bitbucket. {OPTIONAL}"
            )));
        }
        match hooks_listed(&api).await {
            Err(UpstreamError::Forbidden { .. }) => Ok(Ability::No(lacks_right())),
            outcome => outcome,
        }
    }
}

impl BitbucketDataCenter {
    /// Where the browser is sent to be asked, if it is a page of this Bitbucket.
    fn consent_page(&self, answer: &Answer) -> Option<Url> {
        let page = below(self.registration.base_url.url(), "/plugins/servlet/oauth2/consent");
        answer.location().filter(|to| to.origin() == page.origin() && to.path() == page.path())
    }
}

/// Bitbucket sends the browser back at once.
fn asks_for_too_much(answer: &Answer) -> bool {
    let Some(location) = answer.location() else { return false };
    location.query_pairs().any(|(name, value)| name == "error" && value == "invalid_scope")
}

/// Lists the webhooks of a repository that the person administers. None is installed.
async fn hooks_listed(api: &Api<'_>) -> Result<Ability, UpstreamError> {
    let mut url = api.at("/repos");
    url.set_query(Some("permission=REPO_ADMIN&limit=1"));
    let page: Page<RepositoryEntry> = api.get(&url).await?.json()?;
    let Some(RepositoryEntry { slug, project, .. }) = page.values.first() else {
        return Ok(Ability::No(lacks_right()));
    };
    let mut url = api.at_segments(&["projects", &project.key, "repos", slug, "webhooks"]);
    url.set_query(Some("limit=1"));
    let _: Page<IgnoredAny> = api.get(&url).await?.json()?;
    Ok(Ability::Yes(format!(
        "Stave can install webhooks with your account, for example in {}/{slug}.",
        project.key
    )))
}

fn lacks_right() -> String {
    format!(
        "Your account has no repository in which it has the right \"Admin\", so Stave could not install webhooks with it; somebody \
         who has it connects their account. {OPTIONAL}"
    )
}
