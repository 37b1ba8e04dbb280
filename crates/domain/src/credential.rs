//! A stored secret with which Stave reads repositories elsewhere.

use crate::{
    Invalid, Timestamp,
    id::{CredentialId, OrganizationId},
    secret::Sealed,
};
use url::Url;

/// A user name and password (or token) for git over HTTP; several packages may use one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCredential {
    /// Immutable.
    pub id: CredentialId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// What it is for, in its maker's words.
    pub description: String,
    /// The only host it is sent to: `bitbucket.org`, `git.example.com:8443`.
    pub host: String,
    /// The user name; Bitbucket's access tokens use `x-token-auth`.
    pub username: String,
    /// The password or token, sealed.
    pub secret: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A host as [`SourceUrl::authority`](crate::package::SourceUrl::authority) has it: a name (in ASCII, in lower case) or
/// address, and the port if it is not the usual one.
pub fn host_parse(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    host_of(&text).ok_or_else(|| {
        Invalid::because("A host is a name such as bitbucket.org, perhaps with a port: git.example.com:8443.")
    })
}

/// The host of an address that says nothing else.
fn host_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let host = url.host_str()?;
    let rest = (url.username(), url.password(), url.path(), url.query(), url.fragment());
    (rest == ("", None, "/", None, None))
        .then(|| url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::SourceUrl;

    #[test]
    fn a_host_is_what_the_address_of_a_repository_says() {
        for (typed, host) in [
            ("bitbucket.org", "bitbucket.org"),
            (" Bitbucket.org:443 ", "bitbucket.org"),
            ("https://bitbucket.org/", "bitbucket.org"),
            ("HTTP://git.example.com:80", "git.example.com"),
            ("git.example.com:8443", "git.example.com:8443"),
            ("[::1]:8080", "[::1]:8080"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(host_parse(typed).unwrap(), host, "{typed}");
        }
        for address in ["https://Bücher.example:443/a/b.git", "http://127.0.0.1:8080/a/b.git"] {
            let source: SourceUrl = address.parse().unwrap();
            let typed = address.trim_end_matches("/a/b.git");
            assert_eq!(host_parse(typed).unwrap(), source.authority(), "{typed}");
        }
        for bad in
            ["", "host/path", "host#x", "host?x", "ada@host", "ada:secret@host", "ssh://host", "a b", ":80"]
        {
            assert!(host_parse(bad).is_err(), "{bad}");
        }
    }
}
