//! What went wrong with somebody else's server. `Display` is a sentence for the user that says what to do next;
//! `source()` is for the log.

use crate::{
    BoxError,
    answer::authority,
    composer_repository::MirrorProblem,
    interception::Interception,
    obstacle::{Obstacle, Tried},
    sign_in_problem::{SignInProblem, place},
    site,
};
use stave_domain::integration::{Permission, Platform};
use std::{collections::BTreeSet, fmt, time::Duration};
use url::Url;

/// Why a request to somebody else's server did not bring what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The grant is no longer accepted: the person has to log in there again.
    #[error("{host} no longer accepts the access that was granted to Stave. Log in with it again.")]
    Unauthorized {
        /// Who said so.
        host: String,
    },
    /// The person may not do this.
    #[error("{host} does not allow this. Ask whoever administers it for the right to do it, then try again.")]
    Forbidden {
        /// Who said so.
        host: String,
    },
    /// The OAuth consumer or application link lacks permissions without which this cannot be done.
    #[error(
        "The {} at {host} lacks the permission {}. An admin opens it there ({}), ticks {}, and saves; then log in \
         again.",
        .platform.application(), Boxes(.needed), place(*.platform), Boxes(.missing)
    )]
    MissingPermissions {
        /// Who said so.
        host: String,
        /// What kind of host.
        platform: Platform,
        /// Those that this request needs; not empty.
        needed: Vec<Permission>,
        /// Every one that Stave asks for and the consumer lacks; contains `needed`.
        missing: Vec<Permission>,
    },
    /// A token that somebody made lacks scopes without which this cannot be done.
    #[error(
        "The token that Stave uses at {host} lacks the scope {}. Make another one there that has it, and enter it in \
         Settings > Credentials.",
        .needed.join(", ")
    )]
    MissingScopes {
        /// Who said so.
        host: String,
        /// Those that this request needs, in the platform's words; not empty.
        needed: Vec<String>,
        /// Those that the token has, if the platform says so.
        granted: BTreeSet<String>,
    },
    /// The platform does not take what was to be made or changed.
    #[error("{host} did not accept what Stave sent: {said}")]
    Declined {
        /// Who said so.
        host: String,
        /// Why, in the platform's words, cut and cleaned.
        said: String,
    },
    /// Not there, or not visible to the person.
    #[error(
        "{host} does not have this, or does not show it to the account that Stave uses. Check the address and the rights."
    )]
    NotFound {
        /// Who said so.
        host: String,
    },
    /// There is no key to ask with; the sentence says why, and what to do.
    #[error("{0}")]
    NoKey(String),
    /// The platform has removed this part of its interface.
    #[error(
        "{host} no longer offers {path}, which this version of Stave asks for{}. Update Stave.",
        .announcement.as_ref().map(|url| format!(" (announced at {url})")).unwrap_or_default()
    )]
    Gone {
        /// Who said so.
        host: String,
        /// Which part, by its path.
        path: String,
        /// Where the platform explains it.
        announcement: Option<String>,
    },
    /// Too many requests.
    #[error("{host} takes no more requests from Stave for now. Try again in {}.", Wait(.retry_after))]
    RateLimited {
        /// Who said so.
        host: String,
        /// How long it asks to wait; `None` if it does not say.
        retry_after: Option<Duration>,
    },
    /// No answer came.
    #[error("{}", .obstacle.sentence(.host, .tried))]
    Unreachable {
        /// Who was asked.
        host: String,
        /// Why.
        obstacle: Obstacle,
        /// How.
        tried: Box<Tried>,
        /// For the log.
        source: Option<BoxError>,
    },
    /// No answer came from a site that somebody protects with Stave.
    #[error("{}", site::sentence(.host, .obstacle))]
    SiteUnreachable {
        /// Who was asked.
        host: String,
        /// Why.
        obstacle: Obstacle,
        /// For the log.
        source: Option<BoxError>,
    },
    /// A Composer repository that is mirrored did not give what was asked for.
    #[error("{}", .problem.sentence(.host))]
    Mirror {
        /// Who was asked.
        host: String,
        /// Why.
        problem: MirrorProblem,
        /// For the log.
        source: Option<BoxError>,
    },
    /// The server points somewhere else. Stave does not follow, so that no secret reaches another server.
    #[error(
        "{host} points to {to}, and Stave does not follow, so that no secret reaches a server that nobody named. If that is \
         where Bitbucket is, an admin changes the base URL of the integration."
    )]
    Redirected {
        /// Who was asked.
        host: String,
        /// Where it points, without query.
        to: String,
    },
    /// A status that does not belong here; above all 500 and more.
    #[error("{host} answered with error {status}. Try again in a few minutes.")]
    Unexpected {
        /// Who was asked.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// A list that lost entries each time that it was read: some that are there may have been missed.
    #[error(
        "{host} changed a list each time that Stave read it, so Stave did not rely on it. Nothing was changed here; try again \
         in a few minutes."
    )]
    Restless {
        /// Who was asked.
        host: String,
    },
    /// An answer of another kind than the one that was asked for.
    #[error(
        "{host} answered with {saw} instead of what Stave asked for. Check that the base URL of the integration is that of \
         Bitbucket, and that no proxy or log-in page is in front of it."
    )]
    Unreadable {
        /// Who was asked.
        host: String,
        /// What came.
        saw: Saw,
        /// For the log.
        source: Option<BoxError>,
    },
    /// Something in front of Bitbucket answers in its place.
    #[error("{}", .by.sentence(.host))]
    Intercepted {
        /// Who was asked.
        host: String,
        /// What answers.
        by: Interception,
    },
    /// The platform refused to let the person in.
    #[error("{}", .problem.sentence(*.platform, .host))]
    SignIn {
        /// Who said so.
        host: String,
        /// What kind of host.
        platform: Platform,
        /// Why.
        problem: SignInProblem,
    },
}

/// What came instead of the JSON that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saw {
    /// HTML.
    WebPage,
    /// Nothing at all.
    Nothing,
    /// The beginning of JSON.
    CutOff,
    /// JSON of another form.
    OtherJson,
    /// Something else that is not JSON.
    NoJson,
    /// JSON that lacks what it must have.
    Without(&'static str),
}

impl UpstreamError {
    pub(crate) fn unreachable(url: &Url, obstacle: Obstacle, source: Option<BoxError>) -> Self {
        Self::Unreachable { host: authority(url), obstacle, tried: Box::new(Tried::of(url)), source }
    }

    /// Whether the same request may well succeed later without anybody doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Restless { .. } => true,
            Self::Unexpected { status, .. } => *status >= 500,
            Self::Mirror { problem, .. } => problem.is_transient(),
            Self::Unreachable { obstacle, .. } | Self::SiteUnreachable { obstacle, .. } => {
                obstacle.is_transient()
            }
            _ => false,
        }
    }

    /// Whether whoever asks may not do this, for want of a right or of a scope.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Forbidden { .. } | Self::MissingPermissions { .. } | Self::MissingScopes { .. })
    }

    /// Whether an admin has to mend the integration, or the OAuth consumer, before anybody can log in with it.
    #[must_use]
    pub fn needs_admin(&self) -> bool {
        match self {
            Self::MissingPermissions { .. }
            | Self::Gone { .. }
            | Self::Redirected { .. }
            | Self::Unreadable { .. }
            | Self::Intercepted { .. } => true,
            Self::Unreachable { obstacle, .. } => !obstacle.is_transient(),
            Self::SignIn { problem, .. } => problem.needs_admin(),
            _ => false,
        }
    }
}

impl fmt::Display for Saw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WebPage => f.write_str("a web page"),
            Self::Nothing => f.write_str("an empty answer"),
            Self::CutOff => f.write_str("JSON that breaks off in the middle"),
            Self::OtherJson => f.write_str("JSON that is not Bitbucket's"),
            Self::NoJson => f.write_str("something that is not JSON"),
            Self::Without(what) => write!(f, "JSON that lacks {what}"),
        }
    }
}

/// Boxes of the consumer's form: `"Account: Read", "Webhooks: Read and write"`.
pub(crate) struct Boxes<'a>(pub(crate) &'a [Permission]);

impl fmt::Display for Boxes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, permission) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}\"{permission}\"")?;
        }
        Ok(())
    }
}

/// A time to wait, in whole minutes, rounded up.
pub(crate) struct Wait<'a>(pub(crate) &'a Option<Duration>);

impl fmt::Display for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.map(|wait| wait.as_secs().div_ceil(60)) {
            None => f.write_str("an hour"),
            Some(0 | 1) => f.write_str("a minute"),
            Some(minutes) => write!(f, "{minutes} minutes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> String {
        "bitbucket.org".to_owned()
    }

    #[test]
    fn sentences() {
        let wait = |seconds: Option<u64>| {
            UpstreamError::RateLimited { host: host(), retry_after: seconds.map(Duration::from_secs) }
                .to_string()
        };
        let wanted = "bitbucket.org takes no more requests from Stave for now. Try again in ";
        for (seconds, end) in [
            (None, "an hour."),
            (Some(0), "a minute."),
            (Some(61), "2 minutes."),
            (Some(3600), "60 minutes."),
        ] {
            assert_eq!(wait(seconds), format!("{wanted}{end}"));
        }
        let missing = UpstreamError::MissingPermissions {
            host: host(),
            needed: vec![Permission::AccountRead],
            missing: vec![Permission::AccountRead, Permission::WebhooksReadWrite],
            platform: Platform::BitbucketCloud,
        };
        assert_eq!(
            missing.to_string(),
            "The OAuth consumer at bitbucket.org lacks the permission \"Account: Read\". An admin opens it there (Workspace \
             settings > OAuth consumers), ticks \"Account: Read\", \"Webhooks: Read and write\", and saves; then log in again."
        );
    }

    #[test]
    fn what_is_gone_is_named() {
        let gone = |announcement: Option<&str>| UpstreamError::Gone {
            host: host(),
            path: "/2.0/workspaces".to_owned(),
            announcement: announcement.map(str::to_owned),
        };
        assert_eq!(
            gone(Some("https://x.example/#C-1")).to_string(),
            "bitbucket.org no longer offers /2.0/workspaces, which this version of Stave asks for (announced at \
             https://x.example/#C-1). Update Stave."
        );
        assert!(gone(None).to_string().contains("asks for. Update"));
        assert_eq!(
            UpstreamError::NoKey("Connect your account.".to_owned()).to_string(),
            "Connect your account."
        );
    }

    #[test]
    fn who_has_to_do_something() {
        let unexpected = |status| UpstreamError::Unexpected { host: host(), status };
        let url = Url::parse("https://bitbucket.org").unwrap();
        let unreachable = |obstacle| UpstreamError::unreachable(&url, obstacle, None);
        let sign_in =
            |problem| UpstreamError::SignIn { host: host(), platform: Platform::BitbucketCloud, problem };
        let (nobody, person, admin) = ((true, false), (false, false), (false, true));
        let cases = [
            (unexpected(503), nobody),
            (unexpected(418), person),
            (unreachable(Obstacle::TimedOut), nobody),
            (unreachable(Obstacle::PlainHttp), admin),
            (UpstreamError::RateLimited { host: host(), retry_after: None }, nobody),
            (UpstreamError::Restless { host: host() }, nobody),
            (UpstreamError::NoKey(String::new()), person),
            (UpstreamError::Unauthorized { host: host() }, person),
            (sign_in(SignInProblem::Denied), person),
            (sign_in(SignInProblem::CodeSpent), person),
            (sign_in(SignInProblem::ClientRefused), admin),
            (sign_in(SignInProblem::CallbackMissing { callback: "https://x/".to_owned() }), admin),
            (UpstreamError::Unreadable { host: host(), saw: Saw::WebPage, source: None }, admin),
        ];
        for (error, (is_transient, needs_admin)) in cases {
            assert_eq!((error.is_transient(), error.needs_admin()), (is_transient, needs_admin), "{error}");
        }
    }
}
