//! The page to go back to after a log-in: only ever one of this server's own.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

const QUERY_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// A path on this server, with its query. Whatever could lead a browser elsewhere (`//host`, `/\host`, `https://..`) becomes `/`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(crate) struct ReturnTo(String);

impl ReturnTo {
    /// The path and query, starting with one slash.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it leads anywhere but to the start page.
    pub(crate) fn is_home(&self) -> bool {
        self.0 == "/"
    }

    /// The log-in page that leads back here.
    pub(crate) fn login(&self) -> String {
        self.after("/login")
    }

    /// A page on the way in that leads back here.
    pub(crate) fn after(&self, page: &str) -> String {
        if self.is_home() { page.into() } else { format!("{page}?return_to={}", self.encoded()) }
    }

    /// The path as the value of a query.
    pub(crate) fn encoded(&self) -> String {
        utf8_percent_encode(&self.0, QUERY_VALUE).to_string()
    }
}

/// The query `?return_to=` of the pages on the way in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Back {
    pub(crate) return_to: ReturnTo,
}

impl Default for ReturnTo {
    fn default() -> Self {
        Self("/".into())
    }
}

impl From<String> for ReturnTo {
    fn from(path: String) -> Self {
        // Browsers read a backslash as a slash, and drop tabs and line breaks before they look.
        let is_local = path.starts_with('/')
            && !path.starts_with("//")
            && !path.chars().any(|c| c == '\\' || c.is_control())
            && path.len() <= 2000;
        // A header can hold ASCII only.
        if is_local { Self(utf8_percent_encode(&path, CONTROLS).to_string()) } else { Self::default() }
    }
}

impl From<&str> for ReturnTo {
    fn from(path: &str) -> Self {
        path.to_owned().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_server() {
        for good in ["/", "/orgs/acme", "/orgs/acme/packages?q=a//b", "/x#y"] {
            assert_eq!(ReturnTo::from(good).as_str(), good);
        }
        assert_eq!(ReturnTo::from("/é x").as_str(), "/%C3%A9 x");
        let bad = [
            "",
            "orgs",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "javascript:x",
            "\\\\x",
        ];
        for path in bad {
            assert!(ReturnTo::from(path).is_home(), "{path}");
        }
    }

    #[test]
    fn the_login_page_leads_back() {
        assert_eq!(ReturnTo::from("/orgs/acme?a=b&c").login(), "/login?return_to=/orgs/acme%3Fa%3Db%26c");
        assert_eq!(ReturnTo::default().login(), "/login");
    }
}
