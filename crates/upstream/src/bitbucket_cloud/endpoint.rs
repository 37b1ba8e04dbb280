//! Which parts of Bitbucket Cloud's interface Stave uses.

use super::BitbucketCloud;
use crate::{Asker, Endpoints, UpstreamError, asker::Found, endpoint::fill};
use async_trait::async_trait;
use stave_domain::{
    endpoint::Endpoint,
    synchronization::{RemoteRepository, Workspace},
};

const ALL: &[Endpoint] = &[
    Endpoint { path: "/2.0/user", purpose: "logging in" },
    Endpoint { path: "/2.0/user/emails", purpose: "e-mail addresses at log-in" },
    Endpoint { path: "/2.0/user/workspaces", purpose: "in which workspaces a person is" },
    Endpoint {
        path: "/2.0/user/workspaces/{workspace}/permission",
        purpose: "the role that a person has in a workspace",
    },
    Endpoint {
        path: "/2.0/user/workspaces/{workspace}/permissions/repositories",
        purpose: "what a person may read, asked with their own account",
    },
    Endpoint { path: "/2.0/workspaces/{workspace}", purpose: "what a workspace is called" },
    Endpoint { path: "/2.0/workspaces/{workspace}/permissions", purpose: "who is in a workspace" },
    Endpoint {
        path: "/2.0/workspaces/{workspace}/permissions/repositories",
        purpose: "what everybody may read",
    },
    Endpoint { path: "/2.0/workspaces/{workspace}/hooks", purpose: "the webhook of a workspace" },
    Endpoint { path: "/2.0/repositories/{workspace}", purpose: "which repositories a workspace has" },
    Endpoint {
        path: "/2.0/repositories/{workspace}/{repository}",
        purpose: "whether a repository is still there",
    },
    Endpoint {
        path: "/2.0/repositories/{workspace}/{repository}/hooks",
        purpose: "webhooks of repositories",
    },
    Endpoint {
        path: "/2.0/repositories/{workspace}/{repository}/src/{commit}/{path}",
        purpose: "which repositories have a composer.json",
    },
];
/// These answer with one thing, and do not know pages.
const SINGLE: [&str; 5] = ["/user", "/permission", "/workspaces/{workspace}", "/{repository}", "/{path}"];

#[async_trait]
impl Endpoints for BitbucketCloud {
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
        let path = endpoint.path.trim_start_matches("/2.0/");
        let names = [
            ("{workspace}", workspace.map(|workspace| workspace.key.as_str())),
            ("{repository}", repository.map(|repository| repository.external_id.as_str())),
            ("{commit}", Some("HEAD")),
            ("{path}", Some("composer.json")),
        ];
        let Some(segments) = fill(path, &names) else { return Ok(false) };
        let api = self.api(asker);
        let mut url = api.at_segments(&segments);
        let is_file = endpoint.path.ends_with("/{path}");
        url.set_query(match endpoint.path {
            _ if is_file => Some("format=meta"),
            path if SINGLE.iter().any(|end| path.ends_with(end)) => None,
            _ => Some("pagelen=10"),
        });
        match api.find(&url).await? {
            Found::There(_) => Ok(true),
            // The file may well be missing.
            Found::Absent(_) if is_file => Ok(true),
            Found::Absent(_) => Err(UpstreamError::NotFound { host: api.host() }),
        }
    }
}
