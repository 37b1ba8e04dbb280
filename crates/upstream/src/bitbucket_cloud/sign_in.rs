//! Logging in with Bitbucket: RFC 6749, section 4.1, without PKCE, which Bitbucket Cloud does not offer.

use super::{BitbucketCloud, profile::profile_read};
use crate::{
    Key, UpstreamError,
    answer::authority,
    connector::{Departure, SignIn, in_time},
    http::Authorization,
    oauth2::{Asked, code_in, grant_in},
};
use async_trait::async_trait;
use stave_domain::{
    Secret,
    identity::{Grant, RemoteProfile},
    integration::{Permission, Platform},
};
use std::collections::{BTreeMap, BTreeSet};

#[async_trait]
impl SignIn for BitbucketCloud {
    /// No `scope` is sent: what the consumer may do is what the person grants.
    async fn begin(&self, state: &Secret) -> Result<Departure, UpstreamError> {
        let (id, _) = self.client()?;
        let mut url = self.addresses.authorize.clone();
        url.query_pairs_mut()
            .append_pair("client_id", id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", self.registration.callback.as_str())
            .append_pair("state", state.expose());
        Ok(Departure { url, state: state.clone(), kept: Secret::default() })
    }

    async fn finish(
        &self,
        _kept: &Secret,
        query: &BTreeMap<String, String>,
    ) -> Result<(RemoteProfile, Grant), UpstreamError> {
        in_time(&self.registration, self.arrive(query)).await
    }

    async fn refresh(&self, old: &Grant) -> Result<Grant, UpstreamError> {
        let Some(refresh_token) = &old.refresh_token else {
            return Err(UpstreamError::Unauthorized { host: authority(&self.addresses.access_token) });
        };
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        self.grant_request(&form, &Asked::Refresh { old }).await
    }

    async fn who_am_i(&self, grant: &Grant) -> Result<RemoteProfile, UpstreamError> {
        Ok(self.profile(grant).await?.0)
    }
}

impl BitbucketCloud {
    async fn arrive(
        &self,
        query: &BTreeMap<String, String>,
    ) -> Result<(RemoteProfile, Grant), UpstreamError> {
        let callback = &self.registration.callback;
        let code = code_in(query).map_err(|problem| self.refused(problem))?;
        // redirect_uri is the same, byte for byte, as in begin (RFC 6749, section 4.1.3).
        let form =
            [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", callback.as_str())];
        let mut grant = self.grant_request(&form, &Asked::Code { callback }).await?;
        let (profile, scopes) = self.profile(&grant).await?;
        if grant.scopes.is_empty() {
            grant.scopes = scopes;
        }
        Ok((profile, grant))
    }

    /// Asks the token endpoint as this integration's client (RFC 6749, section 2.3.1).
    async fn grant_request(&self, form: &[(&str, &str)], asked: &Asked<'_>) -> Result<Grant, UpstreamError> {
        let (id, secret) = self.client()?;
        let (url, client) = (&self.addresses.access_token, Authorization::Basic(id, secret));
        let answer = self.http.post_form(url, client, form, self.registration.timeout).await?;
        grant_in(&answer, Platform::BitbucketCloud, asked, (self.environment.now)())
    }

    /// Whose grant it is, and its scopes if Bitbucket tells them.
    async fn profile(&self, grant: &Grant) -> Result<(RemoteProfile, BTreeSet<String>), UpstreamError> {
        let read = profile_read(&self.api(&Key::of(grant))).await;
        read.map_err(|error| explained(error, &grant.scopes))
    }
}

/// A refusal that does not say which scope is missing, explained by the scopes that the token has.
pub(super) fn explained(error: UpstreamError, scopes: &BTreeSet<String>) -> UpstreamError {
    let platform = Platform::BitbucketCloud;
    let missing = Permission::missing_from(platform, scopes);
    match error {
        UpstreamError::Forbidden { host } if missing.contains(&Permission::AccountRead) => {
            let needed = vec![Permission::AccountRead];
            UpstreamError::MissingPermissions { host, platform, needed, missing }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_refusal_is_explained_by_the_scopes_of_the_token() {
        let forbidden = || UpstreamError::Forbidden { host: "bitbucket.org".to_owned() };
        let scopes = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        let explained_by = |list: &[&str]| explained(forbidden(), &scopes(list));
        assert!(
            matches!(explained_by(&[]), UpstreamError::Forbidden { .. }),
            "scopes that are not told explain nothing"
        );
        assert!(matches!(explained_by(&["account"]), UpstreamError::Forbidden { .. }));
        let UpstreamError::MissingPermissions { needed, missing, .. } = explained_by(&["email", "team"])
        else {
            panic!()
        };
        assert_eq!((needed.len(), missing.len()), (1, 4), "{missing:?}");
    }
}
