//! Configuration of nginx, Caddy and Traefik that protects a site, with everything filled in.
//!
//! One family of identity headers goes to what is behind the proxy. Every other header that Stave answers with, or that some
//! program takes for the same, is deleted from what the visitor sends: whatever is behind may read any of them.

use askama::Template;
use stave_domain::{Invalid, website::Origin};
use std::str::FromStr;
use url::Url;

/// What stands where the proxy key would, once it was shown.
pub(super) const KEY: &str = "<proxy-key>";

/// Every header that the check answers with, and then two that others of its kind answer with.
const IDENTITY: [&str; 13] = [
    "Remote-User",
    "Remote-Name",
    "Remote-Email",
    "Remote-Groups",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
    "X-Auth-Request-Preferred-Username",
    "X-Auth-Request-Groups",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Stave-Jwt",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
];

/// What may stand in the name of a header besides letters, digits and dashes (RFC 9110, section 5.6.2). CGI and its successors
/// make an underscore of each of them, as of the dash.
const SIGNS: &str = "_.!#$%&'*+^`|~";

/// The headers by which what is behind the proxy knows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Remote,
    AuthRequest,
    Forwarded,
    Jwt,
}

impl Family {
    /// All of them, in the order of the form.
    const ALL: [Self; 4] = [Self::Remote, Self::AuthRequest, Self::Forwarded, Self::Jwt];

    /// The name in forms.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Remote => "remote",
            Self::AuthRequest => "auth-request",
            Self::Forwarded => "forwarded",
            Self::Jwt => "jwt",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Remote => "Remote-User, Remote-Name, Remote-Email, Remote-Groups",
            Self::AuthRequest => "X-Auth-Request-User, -Email, -Preferred-Username, -Groups",
            Self::Forwarded => "X-Forwarded-User, X-Forwarded-Email",
            Self::Jwt => "X-Stave-Jwt: a signed token, for an application that does not trust the network",
        }
    }

    fn headers(self) -> &'static [&'static str] {
        match self {
            Self::Remote => &IDENTITY[..4],
            Self::AuthRequest => &IDENTITY[4..8],
            Self::Forwarded => &IDENTITY[8..10],
            Self::Jwt => &IDENTITY[10..11],
        }
    }

    /// What a form offers.
    pub(super) fn choices() -> Vec<(String, String)> {
        Self::ALL.map(|family| (family.key().to_owned(), family.label().to_owned())).into()
    }
}

impl FromStr for Family {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|family| family.key() == text);
        known.ok_or_else(|| Invalid::because("Choose from the list which headers the application reads."))
    }
}

/// What is behind the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A folder with files.
    Folder(String),
    /// An application at this address.
    Application(String),
}

impl Default for Target {
    fn default() -> Self {
        Self::Application("http://127.0.0.1:3000".into())
    }
}

impl FromStr for Target {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let typed = text.trim();
        if typed.starts_with('/') {
            let is_plain = typed.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
            return if is_plain {
                Ok(Self::Folder(typed.to_owned()))
            } else {
                Err(Invalid::because(
                    "The text can name folders with letters, digits, dots, dashes and underscores. Copy it with another folder, and change that in your file.",
                ))
            };
        }
        match Url::parse(typed) {
            Ok(url)
                if matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none() =>
            {
                Ok(Self::Application(Origin::of(&url).to_string()))
            }
            _ => Err(Invalid::because(
                "What is protected is a folder such as /var/www/html, or the address of an application such as http://127.0.0.1:3000.",
            )),
        }
    }
}

/// What the texts are made of.
pub(super) struct ProxyText {
    /// Where Stave is.
    pub(super) stave: Origin,
    pub(super) issuer: String,
    /// The address of the website that the proxy serves.
    pub(super) origin: Origin,
    pub(super) family: Family,
    pub(super) target: Target,
    pub(super) key: String,
}

#[derive(Template)]
#[template(path = "website/text/nginx.txt", escape = "none")]
struct Nginx<'a>(&'a ProxyText);

#[derive(Template)]
#[template(path = "website/text/nginx_role.txt", escape = "none")]
struct NginxRole<'a>(&'a ProxyText);

#[derive(Template)]
#[template(path = "website/text/caddy.txt", escape = "none")]
struct Caddy<'a>(&'a ProxyText);

#[derive(Template)]
#[template(path = "website/text/traefik.txt", escape = "none")]
struct Traefik<'a>(&'a ProxyText);

impl ProxyText {
    /// For the `server` of nginx.
    pub(super) fn nginx(&self) -> Result<String, askama::Error> {
        Nginx(self).render()
    }

    /// For the same `server`: a part for members with a role.
    pub(super) fn nginx_role(&self) -> Result<String, askama::Error> {
        NginxRole(self).render()
    }

    /// A site of a Caddyfile.
    pub(super) fn caddy(&self) -> Result<String, askama::Error> {
        Caddy(self).render()
    }

    /// A file of Traefik's dynamic configuration.
    pub(super) fn traefik(&self) -> Result<String, askama::Error> {
        Traefik(self).render()
    }

    /// The path of the issuer at Stave's address.
    fn path(&self) -> &str {
        self.issuer.strip_prefix(self.stave.as_str()).unwrap_or_default()
    }

    /// The website's host without a port.
    fn host(&self) -> &str {
        let authority = self.origin.authority();
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        }
    }

    /// The headers of the other families.
    fn deleted(&self) -> impl Iterator<Item = &'static str> {
        let kept = self.family.headers();
        IDENTITY.into_iter().filter(move |name| !kept.contains(name))
    }
}

/// Every header with dashes, underscores and dots in every mix: what is behind could take any of them for the header.
fn spellings() -> impl Iterator<Item = String> {
    IDENTITY.into_iter().flat_map(|name| {
        let parts = name.split('-').map(|part| vec![part.to_owned()]);
        parts.reduce(|begun, part| mixed(&begun, &part.concat())).unwrap_or_default()
    })
}

/// Each of these beginnings with the next part of the name, in the three spellings.
fn mixed(begun: &[String], part: &str) -> Vec<String> {
    begun.iter().flat_map(|start| ["-", "_", "."].map(|sign| format!("{start}{sign}{part}"))).collect()
}

/// The name of a header as part of a variable of nginx.
fn variable(header: &str) -> String {
    header.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(target: &str, family: Family) -> ProxyText {
        ProxyText {
            stave: "https://stave.example".parse().unwrap(),
            issuer: "https://stave.example/w/shop".into(),
            origin: "https://shop.example:8443".parse().unwrap(),
            family,
            target: target.parse().unwrap(),
            key: "k3y".into(),
        }
    }

    #[test]
    fn one_family_is_passed_on_and_every_other_header_is_deleted() {
        for family in Family::ALL {
            let text = text("http://127.0.0.1:3000", family);
            let (nginx, caddy, traefik) =
                (text.nginx().unwrap(), text.caddy().unwrap(), text.traefik().unwrap());
            for header in IDENTITY {
                let is_kept = family.headers().contains(&header);
                let variable = format!("$stave_{}", variable(header));
                assert_eq!(
                    nginx.contains(&format!("proxy_set_header {header} {variable};")),
                    is_kept,
                    "{header}"
                );
                assert_eq!(nginx.contains(&format!("proxy_set_header {header} \"\";")), !is_kept, "{header}");
                let (_, copied) = caddy.split_once("copy_headers").unwrap();
                let copied = copied.lines().next().unwrap();
                assert_eq!(copied.split(' ').any(|name| name == header), is_kept, "{header}: {copied}");
                let (_, answered) = traefik.split_once("authResponseHeaders:").unwrap();
                assert_eq!(answered.contains(&format!("- {header}\n")), is_kept, "{header}");
            }
        }
    }

    /// Whether Caddy deletes a header of a visitor: a star at either end stands for any text.
    fn is_deleted(caddy: &str, header: &str) -> bool {
        let header = header.to_lowercase();
        caddy.lines().filter_map(|line| line.trim().strip_prefix("request_header -")).any(|pattern| {
            let pattern = pattern.to_lowercase();
            let (rest, ends_open) =
                pattern.strip_suffix('*').map_or((pattern.as_str(), false), |rest| (rest, true));
            match (rest.strip_prefix('*'), ends_open) {
                (Some(middle), true) => header.contains(middle),
                (Some(end), false) => header.ends_with(end),
                (None, true) => header.starts_with(rest),
                (None, false) => header == rest,
            }
        })
    }

    #[test]
    fn every_spelling_of_a_header_is_deleted_and_no_other_header_is() {
        let text = text("http://127.0.0.1:3000", Family::Forwarded);
        let (caddy, traefik) = (text.caddy().unwrap(), text.traefik().unwrap());
        assert_eq!(spellings().count(), 12 + 3 * 27 + 81 + 3 * 9 + 9 + 27);
        for spelling in spellings() {
            assert!(traefik.contains(&format!("  {spelling}: \"\"\n")), "{spelling}");
            assert!(is_deleted(&caddy, &spelling), "{spelling}");
        }
        for forged in [
            "X_Forwarded-Email",
            "X-Forwarded_User",
            "X-Auth_Request-User",
            "X!Forwarded-User",
            "X-Stave~Jwt",
        ] {
            assert!(is_deleted(&caddy, forged), "{forged}");
        }
        for sign in SIGNS.chars() {
            assert!(is_deleted(&caddy, &format!("X{sign}Forwarded-User")), "{sign}");
        }
        for kept in [
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "X-Auth-Token",
            "Cookie",
            "User-Agent",
        ] {
            assert!(!is_deleted(&caddy, kept) && !traefik.contains(&format!("  {kept}: \"\"\n")), "{kept}");
        }
    }

    #[test]
    fn no_browser_keeps_a_protected_page() {
        for target in ["/srv/site", "http://127.0.0.1:3000"] {
            let text = text(target, Family::Remote);
            for said in [text.nginx().unwrap(), text.caddy().unwrap(), text.traefik().unwrap()] {
                assert!(said.contains("Cache-Control") && said.contains("\"private, no-cache\""), "{said}");
            }
        }
    }

    #[test]
    fn what_is_typed_cannot_leave_its_place_in_the_text() {
        for bad in [
            "",
            "www",
            "/var/www; include /etc/passwd",
            "/var/www {",
            "/var/$http_x",
            "/var/\u{7}",
            "/var/www\n; include /etc/passwd",
            "http://127.0.0.1:3000/path",
            "http://127.0.0.1:3000/?x",
            "ftp://127.0.0.1",
            "javascript:alert(1)",
        ] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
        assert_eq!(" /var/www\n".parse(), Ok(Target::Folder("/var/www".into())));
        assert_eq!("http://App:80/".parse(), Ok(Target::Application("http://app".into())));
        assert!(text("/srv/site", Family::Remote).nginx().unwrap().contains("root /srv/site;"));
        assert!(text("/srv/site", Family::Remote).caddy().unwrap().contains("root * /srv/site"));
    }

    #[test]
    fn the_host_goes_without_its_port_where_a_name_is_meant() {
        let text = text("/srv/site", Family::Remote);
        assert_eq!((text.host(), text.path()), ("shop.example", "/w/shop"));
        let six = ProxyText { origin: "http://[::1]:8080".parse().unwrap(), ..text };
        assert_eq!(six.host(), "[::1]");
        let bare = ProxyText { origin: "http://[::1]".parse().unwrap(), ..six };
        assert_eq!(bare.host(), "[::1]");
    }
}
