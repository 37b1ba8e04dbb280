//! Why a server refuses a signed request: OAuth Problem Reporting 1.0, as Atlassian's servers speak it.

use crate::answer::Answer;
use percent_encoding::percent_decode_str;
use reqwest::header::WWW_AUTHENTICATE;
use stave_domain::Timestamp;
use std::collections::BTreeMap;
use url::{Url, form_urlencoded};

/// At most so many characters of what a server says are shown.
const LONGEST_SAYING: usize = 300;

/// What a server says about a request that it refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The server's word for it; not empty.
    code: String,
    /// Everything that begins with `oauth_`, decoded.
    parameters: BTreeMap<String, String>,
}

/// In which request a [`Problem`] came up; some words mean another thing in another step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Asking for a request token.
    RequestToken,
    /// Exchanging the request token for an access token.
    AccessToken,
    /// Renewing the access token.
    Renewal,
    /// Anything that is done with an access token.
    Use,
}

/// What a [`Problem`] means for Stave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The clocks of the two servers differ too much.
    Clock {
        /// What Bitbucket would have taken; `None` if it does not say.
        acceptable: Option<Acceptable>,
    },
    /// The public key in the application link is not the one of this integration, or Bitbucket believes that it is reached
    /// at another address than the one that was signed.
    Signature {
        /// The address that Bitbucket believes was asked, without query; `None` if it does not say. If it is the one that
        /// was asked, the public key is wrong.
        believed: Option<Url>,
    },
    /// Bitbucket does not know the consumer key, or does not take it (any longer).
    Consumer,
    /// The token has expired, was revoked or used already, or is of another server: the person has to log in again.
    Token,
    /// The person did not allow it.
    Denied,
    /// The account may not do this, or may not log in.
    Permission,
    /// Something else: see [`Problem::code`].
    Other,
}

/// The instants that a server takes, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acceptable {
    /// The first one.
    pub from: Timestamp,
    /// The last one.
    pub until: Timestamp,
}

impl Problem {
    /// Reads an answer: its status, its headers `WWW-Authenticate`, its body. Bitbucket names the problem in both or in one
    /// of them. `None` if the answer is a success, or a failure for which it gives no reason.
    pub fn read<'a>(status: u16, challenges: impl IntoIterator<Item = &'a str>, body: &[u8]) -> Option<Self> {
        if (200..400).contains(&status) {
            return None;
        }
        let body = form_urlencoded::parse(body.trim_ascii()).into_owned();
        let headers = challenges.into_iter().flat_map(challenge_parameters);
        let parameters: BTreeMap<_, _> = headers
            .chain(body)
            .filter(|(name, value)| name.starts_with("oauth_") && !value.is_empty())
            .collect();
        let code = said(&parameters, "oauth_problem")?;
        Some(Self { code, parameters })
    }

    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let challenges =
            answer.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        Self::read(answer.status.as_u16(), challenges, &answer.body)
    }

    /// The server's word for it, for example `timestamp_refused`; at most 300 characters.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What the server advises, for a person to read; at most 300 characters.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        said(&self.parameters, "oauth_problem_advice")
    }

    /// What it means for Stave.
    #[must_use]
    pub fn cause(&self, step: Step) -> Cause {
        match self.code() {
            "timestamp_refused" => Cause::Clock { acceptable: self.acceptable() },
            "signature_invalid" => Cause::Signature { believed: self.believed() },
            "consumer_key_unknown" | "consumer_key_rejected" | "consumer_key_refused" => Cause::Consumer,
            "token_expired" | "token_revoked" | "token_rejected" | "token_used" => Cause::Token,
            // Servers spell it both ways.
            "permission_denied" | "permissions_denied" => match step {
                Step::AccessToken => Cause::Denied,
                // The time in which it could be renewed is over.
                Step::Renewal => Cause::Token,
                Step::RequestToken | Step::Use => Cause::Permission,
            },
            // The person has not answered yet.
            "permission_unknown" | "token_not_authorized" if step == Step::AccessToken => Cause::Denied,
            "permission_unknown"
            | "token_not_authorized"
            | "additional_authorization_required"
            | "user_refused" => Cause::Permission,
            _ => Cause::Other,
        }
    }

    /// `oauth_acceptable_timestamps`: two numbers of seconds with a hyphen between them.
    fn acceptable(&self) -> Option<Acceptable> {
        let (from, until) = self.parameters.get("oauth_acceptable_timestamps")?.split_once('-')?;
        let instant = |text: &str| Timestamp::from_second(text.trim().parse().ok()?).ok();
        Some(Acceptable { from: instant(from)?, until: instant(until)? })
    }

    /// The address in `oauth_signature_base_string`: its second part.
    fn believed(&self) -> Option<Url> {
        let address = self.parameters.get("oauth_signature_base_string")?.split('&').nth(1)?;
        Url::parse(&percent_decode_str(address).decode_utf8().ok()?).ok()
    }
}

/// The parameters of a header `WWW-Authenticate` (RFC 9110, section 11.6.1), decoded (RFC 5849, section 3.5.1). Several
/// challenges may stand in one header; only OAuth's have names that begin with `oauth_`.
fn challenge_parameters(header: &str) -> Vec<(String, String)> {
    let mut in_quotes = false;
    let parts = header.split(|c| {
        in_quotes ^= c == '"';
        c == ',' && !in_quotes
    });
    let parameter = |part: &str| {
        let (name, value) = part.split_once('=')?;
        // Before the first name stands the scheme.
        let name = name.split_whitespace().last()?.to_ascii_lowercase();
        let value = percent_decode_str(value.trim().trim_matches('"')).decode_utf8_lossy();
        Some((name, value.into_owned()))
    };
    parts.filter_map(parameter).collect()
}

/// A server's words, fit to be shown; not empty.
fn said(parameters: &BTreeMap<String, String>, name: &str) -> Option<String> {
    let text = parameters.get(name)?.trim();
    let text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_SAYING).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(code: &str) -> Problem {
        Problem::read(401, [], format!("oauth_problem={code}").as_bytes()).unwrap()
    }

    #[test]
    fn a_problem_is_in_the_body_or_in_a_header() {
        let read = |status, challenges: &[&str], body: &str| {
            Problem::read(status, challenges.iter().copied(), body.as_bytes())
                .map(|problem| problem.code().to_owned())
        };
        let told = |code: &str| Some(code.to_owned());
        let header = "OAuth realm=\"https%3A%2F%2Fgit.example.com\",oauth_problem=\"token_rejected\"";
        let cases = [
            (401, vec![], "oauth_problem=token_expired&oauth_problem_advice=x\n", told("token_expired")),
            (401, vec![header], "", told("token_rejected")),
            (401, vec!["Basic realm=\"a, b=c\"", header], "<html>", told("token_rejected")),
            (401, vec!["Bearer realm=\"x\", OAuth oauth_problem = nonce_used"], "{}", told("nonce_used")),
            (401, vec!["oauth OAUTH_PROBLEM=\"a%5Fb\""], "", told("a_b")),
            (400, vec![], "oauth_problem=parameter_absent", told("parameter_absent")),
            (503, vec![], "oauth_problem=user_refused", told("user_refused")),
            (401, vec![], "", None),
            (401, vec!["Basic realm=\"Bitbucket\""], "{\"errors\":[]}", None),
            (401, vec!["OAuth realm=\"x\", oauth_problem=\"\""], "", None),
            (401, vec![], "oauth_problem=%0A", None),
            (403, vec![], "oauth_other=1", None),
            (503, vec![], "<html>", None),
            (302, vec![], "oauth_problem=token_expired", None),
            (200, vec![header], "oauth_problem=token_expired", None),
        ];
        for (status, challenges, body, code) in cases {
            assert_eq!(read(status, &challenges, body), code, "{status} {challenges:?} {body}");
        }
    }

    #[test]
    fn what_codes_mean() {
        use Step::{AccessToken, Renewal, RequestToken, Use};
        let clock = Cause::Clock { acceptable: None };
        let signature = Cause::Signature { believed: None };
        let cases = [
            ("timestamp_refused", RequestToken, clock.clone()),
            ("timestamp_refused", Use, clock),
            ("signature_invalid", RequestToken, signature),
            ("consumer_key_unknown", RequestToken, Cause::Consumer),
            ("consumer_key_rejected", RequestToken, Cause::Consumer),
            ("consumer_key_refused", Use, Cause::Consumer),
            ("token_expired", Use, Cause::Token),
            ("token_revoked", Use, Cause::Token),
            ("token_rejected", Renewal, Cause::Token),
            ("token_used", AccessToken, Cause::Token),
            ("permission_denied", AccessToken, Cause::Denied),
            ("permissions_denied", AccessToken, Cause::Denied),
            ("permission_denied", Renewal, Cause::Token),
            ("permission_denied", Use, Cause::Permission),
            ("permission_unknown", AccessToken, Cause::Denied),
            ("permission_unknown", Use, Cause::Permission),
            ("additional_authorization_required", Use, Cause::Permission),
            ("token_not_authorized", AccessToken, Cause::Denied),
            ("user_refused", Use, Cause::Permission),
            ("nonce_used", Use, Cause::Other),
            ("version_rejected", Use, Cause::Other),
            ("something_new", AccessToken, Cause::Other),
        ];
        for (code, step, cause) in cases {
            assert_eq!(named(code).cause(step), cause, "{code} {step:?}");
        }
    }

    #[test]
    fn a_refused_clock_names_what_is_acceptable() {
        let acceptable = |text: &str| {
            let problem = named(&format!("timestamp_refused&oauth_acceptable_timestamps={text}"));
            match problem.cause(Step::RequestToken) {
                Cause::Clock { acceptable } => {
                    acceptable.map(|range| (range.from.as_second(), range.until.as_second()))
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(acceptable("1759999700-1760000300"), Some((1_759_999_700, 1_760_000_300)));
        assert_eq!(acceptable("1759999700%2D1760000300"), Some((1_759_999_700, 1_760_000_300)));
        for text in ["", "1759999700", "a-b", "-5-7", "1-99999999999999999999"] {
            assert_eq!(acceptable(text), None, "{text}");
        }
    }

    #[test]
    fn a_refused_signature_names_the_address_that_was_believed() {
        let believed = |base_string: &str| {
            let problem = named(&format!("signature_invalid&oauth_signature_base_string={base_string}"));
            match problem.cause(Step::RequestToken) {
                Cause::Signature { believed } => believed.map(String::from),
                other => panic!("{other:?}"),
            }
        };
        let address = "http://10.0.0.7:7990/plugins/servlet/oauth/request-token";
        assert_eq!(
            believed(
                "POST%26http%253A%252F%252F10.0.0.7%253A7990%252Fplugins%252Fservlet%252Foauth%252Frequest-token%26oauth_nonce"
            ),
            Some(address.to_owned())
        );
        for base_string in ["", "POST", "POST%26%26", "POST%26git.example.com%26x"] {
            assert_eq!(believed(base_string), None, "{base_string}");
        }
    }

    #[test]
    fn what_the_server_says_besides() {
        let body = "oauth_problem=parameter_rejected&oauth_problem_advice=+Use+a%0Acallback. ";
        let problem = Problem::read(400, [], body.as_bytes()).unwrap();
        assert_eq!(problem.advice().as_deref(), Some("Use acallback."));
        assert_eq!(named("x").advice(), None);
        assert_eq!(named(&"x".repeat(5000)).code().len(), LONGEST_SAYING);
    }
}
