//! Trying every kind of request that Stave makes, once and as cheaply as it goes: platforms remove parts of their interfaces.

use crate::{Asker, UpstreamError};
use async_trait::async_trait;
use stave_domain::{
    endpoint::Endpoint,
    synchronization::{RemoteRepository, Workspace},
};

/// Trying every kind of request.
#[async_trait]
pub trait Endpoints: Send + Sync {
    /// Every kind that Stave makes, except those that change something.
    fn endpoint_list(&self) -> &'static [Endpoint];

    /// Makes the request with the smallest answer. False if it was not made, since its path names a workspace or a repository
    /// and there is none. [`UpstreamError::Gone`] is what this is for; that whoever asks lacks a right says nothing about the
    /// endpoint.
    async fn endpoint_try(
        &self,
        asker: &dyn Asker,
        workspace: Option<&Workspace>,
        repository: Option<&RemoteRepository>,
        endpoint: &Endpoint,
    ) -> Result<bool, UpstreamError>;
}

/// The segments of a path, its names filled in; `None` if one is not known.
pub(crate) fn fill<'a>(path: &'a str, names: &[(&str, Option<&'a str>)]) -> Option<Vec<&'a str>> {
    let filled = path.split('/').map(|segment| {
        let name = names.iter().find(|(name, _)| *name == segment);
        name.map_or(Some(segment), |(_, value)| *value)
    });
    filled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_filled_in_or_not_asked_for() {
        let names = [("{workspace}", Some("acme")), ("{repository}", None)];
        assert_eq!(fill("workspaces/{workspace}/hooks", &names), Some(vec!["workspaces", "acme", "hooks"]));
        assert_eq!(fill("repositories/{workspace}/{repository}", &names), None);
        assert_eq!(fill("user", &names), Some(vec!["user"]));
    }
}
