//! OAuth 2 (RFC 6749) as both platforms of Bitbucket speak it: what is read, and what it means. Nothing is sent from here.

mod knock;
mod pkce;
mod token;

pub(crate) use knock::door_read;
pub(crate) use pkce::challenge;
pub(crate) use token::{Asked, grant_in};

use crate::SignInProblem;
use std::collections::{BTreeMap, BTreeSet};

/// At most so many characters of what a platform says are shown.
const LONGEST_SAYING: usize = 300;

/// The code that the browser brought back, or why there is none (RFC 6749, section 4.1.2.1).
pub(crate) fn code_in(query: &BTreeMap<String, String>) -> Result<&str, SignInProblem> {
    let text = |key: &str| query.get(key).map(String::as_str).filter(|text| !text.is_empty());
    match (text("error"), text("code")) {
        (Some("access_denied"), _) => Err(SignInProblem::Denied),
        (Some(error), _) => Err(SignInProblem::Refused { said: saying(error, text("error_description")) }),
        (None, Some(code)) => Ok(code),
        (None, None) => Err(SignInProblem::NoCode),
    }
}

/// The scopes in a text, separated by spaces or commas.
pub(crate) fn scopes_in(text: &str) -> BTreeSet<String> {
    text.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

/// The platform's words, cut and cleaned, as a sentence.
pub(crate) fn saying(error: &str, description: Option<&str>) -> String {
    let text = description.map(str::trim).filter(|text| !text.is_empty()).unwrap_or(error);
    let text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_SAYING).collect();
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn scopes_are_separated_by_spaces_or_commas() {
        let expected: BTreeSet<_> = ["account", "email", "webhook"].map(str::to_owned).into();
        for text in ["account email webhook", "webhook,email, account", " account  email,webhook "] {
            assert_eq!(scopes_in(text), expected);
        }
    }

    #[test]
    fn sayings_are_cut_and_cleaned() {
        let cases = [
            ("invalid_request", Some("Broken.\u{1b}[31m"), "Broken.[31m."),
            ("invalid_request", Some("  "), "invalid_request."),
            ("invalid_request", None, "invalid_request."),
            ("x", Some("Why?"), "Why?"),
        ];
        for (error, description, sentence) in cases {
            assert_eq!(saying(error, description), sentence);
        }
        assert_eq!(saying("x", Some(&"y".repeat(5000))).len(), LONGEST_SAYING + 1);
    }
}
