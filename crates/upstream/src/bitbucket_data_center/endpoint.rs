//! Which parts of Bitbucket Data Center's interface Stave uses.

use super::BitbucketDataCenter;
use crate::{Asker, Endpoints, UpstreamError, answer::below_segments, asker::Found, endpoint::fill};
use async_trait::async_trait;
use stave_domain::{
    endpoint::Endpoint,
    synchronization::{RemoteRepository, Workspace},
};

const ALL: &[Endpoint] = &[
    Endpoint { path: "/plugins/servlet/applinks/whoami", purpose: "logging in" },
    Endpoint { path: "/rest/api/1.0/application-properties", purpose: "logging in" },
    Endpoint { path: "/rest/api/1.0/users", purpose: "who may read what, and who is in a group" },
    Endpoint { path: "/rest/api/1.0/projects", purpose: "which projects a person sees" },
    Endpoint { path: "/rest/api/1.0/projects/{project}", purpose: "what a project is called" },
    Endpoint {
        path: "/rest/api/1.0/projects/{project}/permissions/groups",
        purpose: "which groups have rights in a project",
    },
    Endpoint { path: "/rest/api/1.0/projects/{project}/webhooks", purpose: "the webhook of a project" },
    Endpoint { path: "/rest/api/1.0/projects/{project}/repos", purpose: "which repositories a project has" },
    Endpoint {
        path: "/rest/api/1.0/projects/{project}/repos/{repository}",
        purpose: "whether a repository is still there",
    },
    Endpoint {
        path: "/rest/api/1.0/projects/{project}/repos/{repository}/webhooks",
        purpose: "webhooks of repositories",
    },
    Endpoint {
        path: "/rest/api/1.0/projects/{project}/repos/{repository}/raw/{path}",
        purpose: "which repositories have a composer.json",
    },
    Endpoint { path: "/rest/api/1.0/repos", purpose: "what a person may read, asked with their own account" },
];

#[async_trait]
impl Endpoints for BitbucketDataCenter {
    fn endpoint_list(&self) -> &'static [Endpoint] {
        ALL
    }

    async fn endpoint_try(
        &self,
        asker: &dyn Asker,
        workspace: Option<&Workspace>,
        repository: Option<&RemoteRepository>,
        endpoint: &Endpoint,
    ) -> Result<bool, UpstreamError> {
        let names = [
            ("{project}", workspace.map(|workspace| workspace.key.as_str())),
            ("{repository}", repository.map(|repository| repository.slug.as_str())),
            ("{path}", Some("composer.json")),
        ];
        let Some(segments) = fill(endpoint.path.trim_start_matches('/'), &names) else { return Ok(false) };
        let api = self.api_known(asker);
        let mut url = below_segments(self.registration.base_url.url(), &segments);
        let is_file = endpoint.path.ends_with("/{path}");
        url.set_query((!is_file).then_some("limit=1"));
        match api.find(&url).await? {
            Found::There(_) => Ok(true),
            // The file may well be missing.
            Found::Absent(_) if is_file => Ok(true),
            Found::Absent(_) => Err(UpstreamError::NotFound { host: api.host() }),
        }
    }
}
