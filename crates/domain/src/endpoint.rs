//! Which parts of a platform's interface Stave uses, and whether they still answer.

use crate::{Timestamp, id::IntegrationId};
use jiff::SignedDuration;

/// A kind of request that Stave makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Its path as the platform's manual has it: `/2.0/workspaces/{workspace}/permissions`.
    pub path: &'static str,
    /// What stops working without it, as the end of a sentence: "who is in a workspace".
    pub purpose: &'static str,
}

impl Endpoint {
    /// Whether a request went here. What the path has in braces stands for one part of it each; a context path may stand before.
    #[must_use]
    pub fn is_at(&self, path: &str) -> bool {
        let mut asked = path.rsplit('/');
        let fits = |known: &str| asked.next().is_some_and(|asked| asked == known || known.starts_with('{'));
        self.path.rsplit('/').filter(|part| !part.is_empty()).all(fits)
    }
}

/// What came of asking an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It answered; or it refused this one account, as only an endpoint does that is there.
    Answered,
    /// The platform says that it was removed; in a sentence.
    Gone(String),
    /// No answer came that can be used, which may pass; in a sentence.
    Unclear(String),
    /// Nobody could ask: the credential is not accepted, or the platform takes no more requests. In a sentence.
    NotAsked(String),
}

/// How an endpoint fared when it was last asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointState {
    /// Where.
    pub integration_id: IntegrationId,
    /// Its [path](Endpoint::path).
    pub path: String,
    /// What stops working without it.
    pub purpose: String,
    /// When it was last asked.
    pub asked_at: Timestamp,
    /// Since when it does not answer as it should; `None` if it does.
    pub failing_since: Option<Timestamp>,
    /// Why, in a sentence.
    pub because: Option<String>,
    /// Whether the platform says that it was removed (410, or a `CHANGE-nnnn` body): no waiting helps.
    pub is_gone: bool,
}

/// How often every endpoint is asked once.
pub const ASK_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// An endpoint that twice gave no answer that can be used, and at least so long apart, counts as failing.
pub const LASTS: SignedDuration = SignedDuration::from_hours(1);

impl EndpointState {
    /// How an endpoint fares after it was asked once more. One that is gone fails at once, one that is unclear only when that
    /// lasts; what fails does so since it began, until an answer comes.
    #[must_use]
    pub fn after(
        before: Option<&Self>,
        (integration_id, endpoint): (IntegrationId, &Endpoint),
        asked: Asked,
        now: Timestamp,
    ) -> Self {
        let since = before.and_then(|before| before.failing_since);
        let was_gone = before.is_some_and(|before| before.is_gone);
        let lasting = before.filter(|before| before.because.is_some()).map(|before| before.asked_at);
        let lasting = lasting.filter(|asked_at| now.duration_since(*asked_at) >= LASTS);
        let (failing_since, because, is_gone) = match asked {
            Asked::Answered => (None, None, false),
            Asked::Gone(because) => (Some(since.unwrap_or(now)), Some(because), true),
            Asked::Unclear(because) => (since.or(lasting), Some(because), false),
            Asked::NotAsked(_) if was_gone => (since, before.and_then(|before| before.because.clone()), true),
            Asked::NotAsked(because) => (since, Some(because), false),
        };
        Self {
            integration_id,
            path: endpoint.path.to_owned(),
            purpose: endpoint.purpose.to_owned(),
            asked_at: now,
            failing_since,
            because,
            is_gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const MEMBERS: Endpoint =
        Endpoint { path: "/2.0/workspaces/{workspace}/members", purpose: "who is there" };

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    #[test]
    fn an_endpoint_is_known_by_its_path() {
        for (path, fits) in [
            ("/2.0/workspaces/acme/members", true),
            ("/stand-in/2.0/workspaces/%7B1%7D/members", true),
            ("/2.0/workspaces/acme/permissions", false),
            ("/2.0/workspaces/acme/members/ada", false),
            ("/workspaces/acme/members", false),
            ("", false),
        ] {
            assert_eq!(MEMBERS.is_at(path), fits, "{path}");
        }
    }

    /// Each line: when it is asked, what comes of it, since when it fails then, and whether it is gone.
    #[test]
    fn what_is_gone_fails_at_once_and_what_is_unclear_when_it_lasts() {
        let because = || "because".to_owned();
        let (gone, unclear, not_asked) =
            (|| Asked::Gone(because()), || Asked::Unclear(because()), || Asked::NotAsked(because()));
        let story = [
            (0, Asked::Answered, None, false),
            (1, unclear(), None, false),
            (30, unclear(), None, false),
            (90, unclear(), Some(30), false),
            (95, unclear(), Some(30), false),
            (96, not_asked(), Some(30), false),
            (97, Asked::Answered, None, false),
            (98, not_asked(), None, false),
            (500, not_asked(), None, false),
            (501, gone(), Some(501), true),
            (502, not_asked(), Some(501), true),
            (503, gone(), Some(501), true),
            (504, unclear(), Some(501), false),
            (505, Asked::Answered, None, false),
        ];
        let mut state = None;
        for (minute, asked, since, is_gone) in story {
            let after = EndpointState::after(
                state.as_ref(),
                (Uuid::nil().into(), &MEMBERS),
                asked.clone(),
                at(minute),
            );
            assert_eq!((after.failing_since, after.is_gone), (since.map(at), is_gone), "{minute}: {asked:?}");
            assert_eq!(after.because.is_none(), asked == Asked::Answered, "{minute}");
            state = Some(after);
        }
    }
}
