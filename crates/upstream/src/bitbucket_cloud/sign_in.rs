//! Logging in with Bitbucket: RFC 6749, section 4.1, without PKCE, which Bitbucket Cloud does not offer.

use super::{
    BitbucketCloud,
    profile::profile_read,
    token::{Asked, grant_in, saying},
};
use crate::{SignInProblem, UpstreamError, answer::authority, connector::SignIn};
use async_trait::async_trait;
use stave_domain::{
    Secret, Timestamp,
    identity::{Grant, RemoteProfile},
    integration::Permission,
};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

#[async_trait]
impl SignIn for BitbucketCloud {
    /// No `scope` is sent: what the consumer may do is what the person grants.
    fn begin(&self, callback: &Url, state: &Secret) -> Url {
        let mut url = self.addresses.authorize.clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.registration.client_id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", callback.as_str())
            .append_pair("state", state.expose());
        url
    }

    async fn finish(
        &self,
        callback: &Url,
        query: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(RemoteProfile, Grant), UpstreamError> {
        let code = code_in(query).map_err(|problem| self.refused(problem))?;
        // redirect_uri is the same, byte for byte, as in begin (RFC 6749, section 4.1.3).
        let form =
            [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", callback.as_str())];
        let answer = self.token_request(&form).await?;
        let mut grant = grant_in(&answer, &Asked::Code { callback }, now)?;
        let (profile, scopes) = profile_read(&self.api(&grant.access_token))
            .await
            .map_err(|error| explained(error, &grant.scopes))?;
        if grant.scopes.is_empty() {
            grant.scopes = scopes;
        }
        Ok((profile, grant))
    }

    async fn refresh(&self, old: &Grant, now: Timestamp) -> Result<Grant, UpstreamError> {
        let Some(refresh_token) = &old.refresh_token else {
            return Err(UpstreamError::Unauthorized { host: authority(&self.addresses.access_token) });
        };
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        let answer = self.token_request(&form).await?;
        grant_in(&answer, &Asked::Refresh { old }, now)
    }
}

impl BitbucketCloud {
    fn refused(&self, problem: SignInProblem) -> UpstreamError {
        UpstreamError::SignIn { host: authority(&self.addresses.authorize), problem }
    }
}

/// The code that the browser brought back, or why there is none (RFC 6749, section 4.1.2.1).
fn code_in(query: &BTreeMap<String, String>) -> Result<&str, SignInProblem> {
    let text = |key: &str| query.get(key).map(String::as_str).filter(|text| !text.is_empty());
    match (text("error"), text("code")) {
        (Some("access_denied"), _) => Err(SignInProblem::Denied),
        (Some(error), _) => Err(SignInProblem::Refused { said: saying(error, text("error_description")) }),
        (None, Some(code)) => Ok(code),
        (None, None) => Err(SignInProblem::NoCode),
    }
}

/// A refusal that does not say which scope is missing, explained by the scopes that the token has.
fn explained(error: UpstreamError, scopes: &BTreeSet<String>) -> UpstreamError {
    match error {
        UpstreamError::Forbidden { host }
            if Permission::missing_from(scopes).contains(&Permission::AccountRead) =>
        {
            UpstreamError::MissingPermissions {
                host,
                needed: vec![Permission::AccountRead],
                missing: Permission::missing_from(scopes),
            }
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

    #[test]
    fn what_the_browser_brings_back() {
        let refused = |said: &str| Err(SignInProblem::Refused { said: said.to_owned() });
        let cases = [
            (vec![("code", "abc"), ("state", "s")], Ok("abc")),
            (vec![("error", "access_denied"), ("error_description", "No.")], Err(SignInProblem::Denied)),
            (vec![("error", "server_error"), ("code", "abc")], refused("server_error.")),
            (
                vec![("error", "invalid_scope"), ("error_description", "Unknown\n scope")],
                refused("Unknown scope."),
            ),
            (vec![("code", "")], Err(SignInProblem::NoCode)),
            (vec![], Err(SignInProblem::NoCode)),
        ];
        for (pairs, expected) in cases {
            let query = pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            assert_eq!(code_in(&query), expected, "{query:?}");
        }
    }
}
