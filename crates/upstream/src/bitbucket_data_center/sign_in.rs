//! Logging in with Bitbucket Data Center, by whichever OAuth the integration is registered for.

use super::{BitbucketDataCenter, Way, profile::profile_read};
use crate::{
    Key, SignInProblem, UpstreamError,
    connector::{Departure, SignIn, in_time},
};
use async_trait::async_trait;
use stave_domain::{
    Secret,
    identity::{Grant, RemoteProfile},
};
use std::collections::BTreeMap;

#[async_trait]
impl SignIn for BitbucketDataCenter {
    async fn begin(&self, state: &Secret) -> Result<Departure, UpstreamError> {
        match self.way() {
            Way::One(flow) => flow.begin().await,
            Way::Two(flow) => Ok(flow.begin(state)),
        }
    }

    async fn finish(
        &self,
        kept: &Secret,
        query: &BTreeMap<String, String>,
    ) -> Result<(RemoteProfile, Grant), UpstreamError> {
        in_time(&self.registration, self.arrive(kept, query)).await
    }

    async fn refresh(&self, old: &Grant) -> Result<Grant, UpstreamError> {
        match self.way() {
            Way::One(flow) => flow.refresh(old).await,
            Way::Two(flow) => flow.refresh(old).await,
        }
    }

    async fn who_am_i(&self, grant: &Grant) -> Result<RemoteProfile, UpstreamError> {
        profile_read(&self.api(&Key::of(grant))).await
    }
}

impl BitbucketDataCenter {
    async fn arrive(
        &self,
        kept: &Secret,
        query: &BTreeMap<String, String>,
    ) -> Result<(RemoteProfile, Grant), UpstreamError> {
        let grant = match self.way() {
            Way::One(flow) => flow.redeem(query).await?,
            Way::Two(flow) => flow.redeem(kept, query).await?,
        };
        match profile_read(&self.api(&Key::of(&grant))).await {
            Ok(profile) => Ok((profile, grant)),
            // It was given a moment ago, so something on the way loses it.
            Err(UpstreamError::Unauthorized { .. }) => Err(self.refused(SignInProblem::TokenIgnored)),
            Err(error) => Err(error),
        }
    }
}
