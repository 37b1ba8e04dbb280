//! What went wrong at a server, told to whoever can do something about it: the owner of a website, or its visitor.

use stave_domain::{
    integration::Platform,
    website::{Place, Provider, Source, Website},
};
use stave_upstream::{SignInProblem, UpstreamError};

/// For the owner: what to mend, and where.
pub(crate) fn for_owner(error: &UpstreamError, provider: &Provider) -> String {
    if let UpstreamError::SignIn { host, problem: SignInProblem::Denied, .. } = error {
        return format!("Cancelled at {host}.");
    }
    let Source::Own { platform, .. } = &provider.source else { return error.to_string() };
    let tab = match platform {
        Platform::BitbucketCloud => "Bitbucket",
        Platform::BitbucketDataCenter => "Bitbucket Data Center",
    };
    match error {
        UpstreamError::SignIn {
            host,
            problem: SignInProblem::ClientRefused | SignInProblem::ClientUnknown,
            ..
        } => format!(
            "{host} does not accept App ID and App Secret. Open the login form, tab {tab}, and enter both again as the {} at {host} shows them.",
            platform.application()
        ),
        UpstreamError::Forbidden { host } if !provider.only.is_empty() => format!(
            "{host} refused to tell to which workspaces or groups they belong, so nobody comes in through this button. Give the {} at {host} the permission to read that.",
            platform.application()
        ),
        other => other.to_string(),
    }
}

/// For a visitor: what they can do. Which machine did not answer what is none of their business.
pub(crate) fn for_visitor(error: &UpstreamError, website: &Website, place: &Place) -> String {
    let (name, server) = (&website.name, place.label());
    match error {
        UpstreamError::SignIn { .. } if !error.needs_admin() => error.to_string(),
        _ if error.is_transient() => format!(
            "{server} does not answer as it should at this moment. Try again in a minute; if it stays like this, tell the owner of {name}."
        ),
        _ => format!(
            "Nobody can log in to {name} with {server} at this time, because the two are not connected as they should be. Tell the owner of {name}: the reason stands in the website's log."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stave_domain::website::{EmailTrust, ProviderKey};

    fn provider() -> Provider {
        let (platform, base_url) = (Platform::BitbucketCloud, "http://10.0.0.7:7990".parse().unwrap());
        let client = stave_domain::integration::Client::OAuth2 {
            id: "key".into(),
            secret: stave_domain::secret::Sealed(vec![]),
        };
        Provider {
            key: ProviderKey::own(platform),
            is_on: true,
            label: "Log in with Bitbucket".into(),
            source: Source::Own {
                platform,
                base_url,
                client,
                secret_ending: String::new(),
                secret_set_at: stave_domain::Timestamp::UNIX_EPOCH,
            },
            email: EmailTrust::Confirmed,
            only: vec![],
        }
    }

    #[test]
    fn the_owner_is_told_of_the_fields_that_they_filled_in() {
        let host = || "10.0.0.7:7990".to_owned();
        let platform = Platform::BitbucketCloud;
        let denied = UpstreamError::SignIn { host: host(), platform, problem: SignInProblem::Denied };
        assert_eq!(for_owner(&denied, &provider()), "Cancelled at 10.0.0.7:7990.");
        let refused = UpstreamError::SignIn { host: host(), platform, problem: SignInProblem::ClientRefused };
        let sentence = for_owner(&refused, &provider());
        assert!(sentence.contains("App Secret") && !sentence.contains("integration"), "{sentence}");
    }
}
