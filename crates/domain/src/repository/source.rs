//! Where the code is: a git URL that is safe to hand to a git client.

use crate::Invalid;
use std::{fmt, str::FromStr};
use url::Url;

/// The address of a git repository: `https://`, `http://`, `ssh://`, or `user@host:path`.
///
/// It holds no password, cannot be mistaken for an option of a program, and leads to another machine:
/// local paths and git's transport helpers (`ext::`) are refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceUrl {
    text: String,
    scheme: Scheme,
    user: Option<String>,
    host: String,
    port: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Scheme {
    Https,
    Http,
    Ssh,
}

impl SourceUrl {
    /// The address as text; what [`FromStr`] reads back.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host in lower case; an IPv6 address stands in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if the address names another than the usual one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Host and, if it is not the usual one, port: what a stored credential is compared with.
    #[must_use]
    pub fn authority(&self) -> String {
        self.port.map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }

    /// The user on the other machine, for ssh only.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Whether the repository is read over ssh.
    #[must_use]
    pub fn is_ssh(&self) -> bool {
        self.scheme == Scheme::Ssh
    }

    /// Whether the repository is read over plain http.
    #[must_use]
    pub fn is_http(&self) -> bool {
        self.scheme == Scheme::Http
    }
}

impl FromStr for SourceUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        refuse_what_no_url_has(text)?;
        match text.split_once("://") {
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "http" | "https" => from_http(text),
                "ssh" | "git+ssh" | "ssh+git" => from_ssh(rest),
                "file" => Err(Invalid::because(LOCAL)),
                "git" => Err(Invalid::because(
                    "git:// is neither encrypted nor authenticated. Use the https:// address of the repository.",
                )),
                _ => Err(Invalid::because(format!(
                    "Repositories are read over https, http or ssh, not over {scheme}. {EXAMPLES}"
                ))),
            },
            None => from_scp(text),
        }
    }
}

impl fmt::Display for SourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

const EXAMPLES: &str =
    "Examples: https://bitbucket.org/acme/mailer.git and git@bitbucket.org:acme/mailer.git.";
const LOCAL: &str = "This is a path on a machine. Stave reads repositories from other hosts only: use an https:// or ssh address.";
const LONGEST_BYTES: usize = 2_000;

fn refuse_what_no_url_has(text: &str) -> Result<(), Invalid> {
    if text.is_empty() {
        return Err(Invalid::because(format!("Enter the address of the git repository. {EXAMPLES}")));
    }
    if text.len() > LONGEST_BYTES {
        return Err(Invalid::because(format!("An address is at most {LONGEST_BYTES} characters long.")));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Invalid::because("An address has no spaces, line breaks or control characters."));
    }
    if text.starts_with('-') {
        return Err(Invalid::because(format!("An address does not start with a dash. {EXAMPLES}")));
    }
    let helper = text.split_once("::").map(|(name, _)| name);
    if helper.is_some_and(|name| !name.contains(['/', '@', '[', ':'])) {
        return Err(Invalid::because(
            "Transport helpers of git (name::address) are not used here. Use an https:// or ssh address.",
        ));
    }
    Ok(())
}

fn from_http(text: &str) -> Result<SourceUrl, Invalid> {
    let mut url = Url::parse(text).map_err(|_| Invalid::because(format!("This is not a URL. {EXAMPLES}")))?;
    if url.password().is_some() {
        return Err(Invalid::because(
            "There is a password in this address. Leave it out, store it as a credential, and choose that credential for the package.",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Invalid::because(
            "The address of a repository has no ? or # in it. Leave out everything from there.",
        ));
    }
    if url.path().trim_matches('/').is_empty() {
        return Err(Invalid::because(format!("This address names a host but no repository. {EXAMPLES}")));
    }
    // Bitbucket shows https://ada@bitbucket.org/..: who reads is the credential's affair, not the address's.
    let stripped = url.set_username("");
    let host = url.host_str().filter(|host| stripped.is_ok() && !host.is_empty()).map(str::to_owned);
    Ok(SourceUrl {
        text: url.as_str().trim_end_matches('/').to_owned(),
        scheme: if url.scheme() == "https" { Scheme::Https } else { Scheme::Http },
        user: None,
        host: host.ok_or_else(|| Invalid::because(format!("This address names no host. {EXAMPLES}")))?,
        port: url.port(),
    })
}

/// `[user@]host[:port]/path`, after `ssh://`.
fn from_ssh(rest: &str) -> Result<SourceUrl, Invalid> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, place) = user_and_rest(authority)?;
    let (host, port) = match place.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        Some((host, port)) => (host, Some(ssh_port(port)?)),
        None => (place, None),
    };
    let host = ssh_host(host)?;
    if path.trim_matches('/').is_empty() {
        return Err(Invalid::because(format!("This address names a host but no repository. {EXAMPLES}")));
    }
    let port = port.filter(|port| *port != 22);
    let user_at = user.as_deref().map(|user| format!("{user}@")).unwrap_or_default();
    let colon_port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let text = format!("ssh://{user_at}{host}{colon_port}/{path}");
    Ok(SourceUrl { text, scheme: Scheme::Ssh, user, host, port })
}

/// `user@host:path`. The user is asked for: `host:path` looks too much like a path on a machine.
fn from_scp(text: &str) -> Result<SourceUrl, Invalid> {
    let not_one = || {
        let looks_local = text.starts_with(['/', '.', '~', '\\']) || text.as_bytes().get(1) == Some(&b':');
        Invalid::because(if looks_local {
            LOCAL.to_owned()
        } else {
            format!("This is not an address of a git repository. {EXAMPLES}")
        })
    };
    if text.starts_with(['/', '.', '~', '\\']) {
        return Err(not_one());
    }
    let (user, place) = text.split_once('@').ok_or_else(not_one)?;
    let (host, path) = match place.strip_prefix('[').and_then(|place| place.split_once("]:")) {
        Some((address, path)) => (format!("[{address}]"), path),
        None => place.split_once(':').map(|(host, path)| (host.to_owned(), path)).ok_or_else(not_one)?,
    };
    let user = Some(ssh_user(user)?);
    let host = ssh_host(&host)?;
    if path.starts_with('-') {
        return Err(Invalid::because("The path of the repository does not start with a dash."));
    }
    if path.trim_matches('/').is_empty() {
        return Err(Invalid::because(format!("This address names a host but no repository. {EXAMPLES}")));
    }
    let text = format!("{}@{host}:{path}", user.as_deref().unwrap_or_default());
    Ok(SourceUrl { text, scheme: Scheme::Ssh, user, host, port: None })
}

fn user_and_rest(authority: &str) -> Result<(Option<String>, &str), Invalid> {
    match authority.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => Err(Invalid::because(
            "There is a password in this address. Over ssh Stave uses the organization's key: leave the password out.",
        )),
        Some((user, rest)) => Ok((Some(ssh_user(user)?), rest)),
        None => Ok((None, authority)),
    }
}

fn ssh_user(user: &str) -> Result<String, Invalid> {
    let fits = !user.is_empty()
        && !user.starts_with('-')
        && user.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+'));
    if fits {
        Ok(user.to_owned())
    } else {
        Err(Invalid::because(
            "The user before the @ has letters, digits, dots, dashes and underscores only; it is usually git.",
        ))
    }
}

fn ssh_host(host: &str) -> Result<String, Invalid> {
    let is_name = !host.starts_with(['-', '.'])
        && !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if is_name || address.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok()) {
        Ok(host.to_ascii_lowercase())
    } else {
        Err(Invalid::because(format!("The host is a name such as bitbucket.org. {EXAMPLES}")))
    }
}

fn ssh_port(text: &str) -> Result<u16, Invalid> {
    text.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
        Invalid::because("After the colon of an ssh:// address stands a port, for example ssh://git@git.example.com:7999/acme/mailer.git.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (&'static str, &'static str, &'static str, Option<&'static str>, bool);
    const GOOD: [Row; 12] = [
        // as typed, as kept, authority, user, is ssh
        (
            "https://bitbucket.org/acme/mailer.git",
            "https://bitbucket.org/acme/mailer.git",
            "bitbucket.org",
            None,
            false,
        ),
        (
            " https://ada@bitbucket.org/acme/mailer.git/ ",
            "https://bitbucket.org/acme/mailer.git",
            "bitbucket.org",
            None,
            false,
        ),
        ("HTTPS://Git.Example.COM:443/a", "https://git.example.com/a", "git.example.com", None, false),
        (
            "http://127.0.0.1:7990/scm/p/r.git",
            "http://127.0.0.1:7990/scm/p/r.git",
            "127.0.0.1:7990",
            None,
            false,
        ),
        ("http://0x7f.1/a", "http://127.0.0.1/a", "127.0.0.1", None, false),
        ("https://[::1]:8443/a", "https://[::1]:8443/a", "[::1]:8443", None, false),
        (
            "git@bitbucket.org:acme/mailer.git",
            "git@bitbucket.org:acme/mailer.git",
            "bitbucket.org",
            Some("git"),
            true,
        ),
        ("git@[::1]:acme/mailer.git", "git@[::1]:acme/mailer.git", "[::1]", Some("git"), true),
        (
            "ssh://git@Bitbucket.org/acme/mailer.git",
            "ssh://git@bitbucket.org/acme/mailer.git",
            "bitbucket.org",
            Some("git"),
            true,
        ),
        (
            "ssh://git@git.example.com:7999/p/r.git",
            "ssh://git@git.example.com:7999/p/r.git",
            "git.example.com:7999",
            Some("git"),
            true,
        ),
        (
            "ssh://git.example.com:22/~ada/r.git",
            "ssh://git.example.com/~ada/r.git",
            "git.example.com",
            None,
            true,
        ),
        ("ssh://git@[fe80::1]/r.git", "ssh://git@[fe80::1]/r.git", "[fe80::1]", Some("git"), true),
    ];

    #[test]
    fn addresses_and_their_parts() {
        for (typed, kept, authority, user, is_ssh) in GOOD {
            let url: SourceUrl = typed.parse().unwrap_or_else(|invalid| panic!("{typed}: {invalid}"));
            assert_eq!(
                (url.as_str(), url.authority().as_str(), url.user(), url.is_ssh()),
                (kept, authority, user, is_ssh)
            );
            assert_eq!(kept.parse::<SourceUrl>().unwrap(), url, "reads back");
        }
    }

    #[test]
    fn what_is_refused_and_why() {
        let table = [
            ("", "Enter the address"),
            ("--upload-pack=touch /tmp/x", "no spaces"),
            ("--upload-pack=touch${IFS}x", "does not start with a dash"),
            ("-oProxyCommand=x", "does not start with a dash"),
            ("file:///etc/passwd", "path on a machine"),
            ("/srv/git/mailer.git", "path on a machine"),
            ("./mailer", "path on a machine"),
            ("~/mailer", "path on a machine"),
            ("C:\\mailer", "path on a machine"),
            ("ext::sh -c id", "no spaces"),
            ("ext::sh%20-c%20id", "Transport helpers"),
            ("fd::17", "Transport helpers"),
            ("git://example.com/a.git", "neither encrypted"),
            ("ftp://example.com/a.git", "not over ftp"),
            ("s3://bucket/a", "not over s3"),
            ("https://ada:hunter2@bitbucket.org/acme/mailer.git", "password in this address"),
            ("https://bitbucket.org", "no repository"),
            ("https://bitbucket.org/", "no repository"),
            ("https://", "not a URL"),
            ("https://bitbucket.org/acme/mailer?at=x", "no ? or #"),
            ("https://bitbucket.org/acme/mailer#x", "no ? or #"),
            ("https://bitbucket.org/acme/\u{0}mailer", "control characters"),
            ("https://bitbucket.org/acme/ma\niler", "line breaks"),
            ("bitbucket.org:acme/mailer.git", "not an address"),
            ("acme/mailer", "not an address"),
            ("git@bitbucket.org", "not an address"),
            ("git@bitbucket.org:", "no repository"),
            ("git@bitbucket.org:-x", "path of the repository"),
            ("git@-oProxyCommand=x:a", "host is a name"),
            ("-l@bitbucket.org:a", "does not start with a dash"),
            ("ssh://-oProxyCommand=x/a", "host is a name"),
            ("ssh://-l@example.com/a", "user before the @"),
            ("ssh://git@-x.example.com/a", "host is a name"),
            ("ssh://git:hunter2@example.com/a", "password in this address"),
            ("ssh://git@example.com:abc/a", "port"),
            ("ssh://git@example.com", "no repository"),
            ("ssh://exa$mple.com/a", "host is a name"),
            ("gi;t@example.com:a", "user before the @"),
        ];
        for (typed, part) in table {
            let invalid = typed.parse::<SourceUrl>().expect_err(typed);
            assert!(invalid.0.contains(part), "{typed}: {invalid}");
            assert!(!invalid.0.contains("hunter2"), "{typed}: {invalid}");
        }
    }
}
