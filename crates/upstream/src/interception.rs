//! What answers in place of Bitbucket: a two-factor plugin, a log-in page, a single sign-on proxy.

use crate::{answer::Answer, page};
use percent_encoding::percent_decode_str;
use url::Url;

/// Something in front of Bitbucket that answers in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interception {
    /// A two-factor plugin sends requests to its page.
    TwoFactorRedirect {
        /// Where, without query.
        to: String,
    },
    /// A two-factor plugin answers with its page.
    TwoFactorPage,
    /// Requests are sent to a page where people log in.
    LogInRedirect {
        /// Where, without query.
        to: String,
    },
    /// A page where people log in, or a question for their password.
    LogInPage,
    /// Some page for people.
    OtherPage,
    /// A refusal of what Bitbucket itself refuses to nobody.
    Refusal,
}

/// Words, and pairs of them, in addresses and on pages by which two-factor plugins are recognised. Alpha Serve's "2FA for
/// Bitbucket: U2F & TOTP" is not documented; others have the same symptoms.
const TWO_FACTOR: [&str; 9] = [
    "2fa",
    "tfa",
    "totp",
    "u2f",
    "twofactor",
    "two factor",
    "second factor",
    "authenticator",
    "verification code",
];
/// Words in addresses to which single sign-on sends people.
const LOG_IN: [&str; 14] = [
    "login", "log in", "signin", "sign in", "sso", "samlsso", "saml", "saml2", "oidc", "openid", "adfs",
    "oauth2", "auth", "idp",
];
/// Where an admin lets requests by OAuth past the plugin.
pub(crate) const WHITELIST: &str =
    "Administration > 2FA Configuration > Plugin settings > \"Enable OAuth whitelist\"";

impl Interception {
    /// What answered a request for something below `base_url` that is no page.
    pub(crate) fn of(answer: &Answer, base_url: &Url) -> Option<Self> {
        match (answer.location(), answer.redirect_target()) {
            // The same resource at another address: the server has moved.
            (Some(location), _) if location.path().ends_with(answer.url.path()) => None,
            (Some(location), Some(to)) => Self::of_redirect(&location, to, base_url),
            _ if asks_for_a_domain_login(answer) => Some(Self::LogInPage),
            _ if answer.is_web_page() => Some(Self::of_page(&answer.body)),
            _ => None,
        }
    }

    fn of_redirect(location: &Url, to: String, base_url: &Url) -> Option<Self> {
        let root = base_url.path().trim_end_matches('/');
        let is_here = location.host() == base_url.host();
        let is_below = |path: &str| {
            is_here && location.path().strip_prefix(root).is_some_and(|rest| rest.starts_with(path))
        };
        // The name of Bitbucket's own host says nothing.
        let host = location.host_str().filter(|_| !is_here).unwrap_or_default();
        let query = location.query().unwrap_or_default();
        if has_words(&[host, location.path(), query], &TWO_FACTOR) {
            return Some(Self::TwoFactorRedirect { to });
        }
        if has_words(&[host, location.path()], &LOG_IN) {
            return Some(Self::LogInRedirect { to });
        }
        is_below("/plugins/servlet/").then_some(Self::TwoFactorRedirect { to })
    }

    fn of_page(html: &[u8]) -> Self {
        let (text, title) = (page::text(html), page::title(html).unwrap_or_default().to_lowercase());
        if has_words(&[&text], &TWO_FACTOR) {
            Self::TwoFactorPage
        } else if page::asks_for_password(html) || page::is_about_log_in(&title) {
            Self::LogInPage
        } else {
            Self::OtherPage
        }
    }

    /// The sentence about a host that does not get to answer, and what to do next.
    pub(crate) fn sentence(&self, host: &str) -> String {
        match self {
            Self::TwoFactorRedirect { to } => format!(
                "A two-factor plugin on {host} answers Stave's requests and sends them to {to}. In Bitbucket an admin opens \
                 {WHITELIST}, enables it, and tries again."
            ),
            Self::TwoFactorPage => format!(
                "A two-factor plugin on {host} answers Stave's requests with its own page. In Bitbucket an admin opens {WHITELIST}, \
                 enables it, and tries again."
            ),
            Self::LogInRedirect { to } => format!(
                "{host} sends Stave's requests to a log-in page, {to}: single sign-on stands in front of Bitbucket. Whoever runs it \
                 lets /rest/* and /plugins/servlet/oauth* through without a log-in, because Bitbucket checks who asks by itself; \
                 if it is a two-factor plugin, an admin enables {WHITELIST}."
            ),
            Self::LogInPage => format!(
                "{host} wants a log-in before it lets Stave ask Bitbucket. Whoever runs what stands in front of it (a proxy, single \
                 sign-on) lets /rest/* and /plugins/servlet/oauth* through without one, because Bitbucket checks who asks by \
                 itself."
            ),
            Self::OtherPage => format!(
                "{host} answered with a web page where Bitbucket's interface should be. Check that the base URL of the integration \
                 is that of Bitbucket, with its context path, and that no proxy or firewall answers in its place; if a two-factor \
                 plugin is installed, an admin enables {WHITELIST}."
            ),
            Self::Refusal => format!(
                "{host} refuses what Bitbucket itself allows everybody, as soon as Stave says who asks: a two-factor plugin or a proxy \
                 stands in front of it. In Bitbucket an admin enables {WHITELIST}; whoever runs the proxy lets the header \
                 \"Authorization\" through."
            ),
        }
    }
}

/// Whether it wants to know who asks in a way that Bitbucket never does (RFC 4559; RFC 9110, section 11.6.1).
fn asks_for_a_domain_login(answer: &Answer) -> bool {
    let challenge = answer.header("www-authenticate").unwrap_or_default().to_lowercase();
    ["negotiate", "ntlm", "digest"].iter().any(|scheme| challenge.starts_with(scheme))
}

/// Whether one of the words, each one word or two, stands in parts of an address or on a page. Addresses are decoded first:
/// `%2Fapi` is not about 2fa.
fn has_words(parts: &[&str], wanted: &[&str]) -> bool {
    let decoded = parts.iter().map(|part| percent_decode_str(part).decode_utf8_lossy().to_lowercase());
    let text = decoded.collect::<Vec<_>>().join(" ");
    let words: Vec<_> =
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    wanted.iter().any(|wanted| match wanted.split_once(' ') {
        None => words.contains(wanted),
        Some((first, second)) => words.windows(2).any(|pair| pair == [first, second]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::{StatusCode, header::HeaderMap};

    fn seen(status: u16, location: Option<&str>, body: &str) -> Option<Interception> {
        let url =
            Url::parse("https://git.example.com/bitbucket/rest/api/1.0/application-properties").unwrap();
        let headers = location.map(|to| ("location".parse().unwrap(), to.parse().unwrap())).into_iter();
        let mut answer =
            Answer::new(&url, StatusCode::from_u16(status).unwrap(), headers.collect::<HeaderMap>());
        answer.body = body.as_bytes().to_vec();
        Interception::of(&answer, &Url::parse("https://git.example.com/bitbucket").unwrap())
    }

    #[test]
    fn redirects() {
        let plugin = |to: &str| Some(Interception::TwoFactorRedirect { to: to.to_owned() });
        let log_in = |to: &str| Some(Interception::LogInRedirect { to: to.to_owned() });
        let here = "https://git.example.com/bitbucket";
        for (location, expected) in [
            (
                "/bitbucket/plugins/servlet/tfa/verify?x=1",
                plugin(&format!("{here}/plugins/servlet/tfa/verify")),
            ),
            ("/bitbucket/plugins/servlet/second", plugin(&format!("{here}/plugins/servlet/second"))),
            ("/bitbucket/login?next=%2Fu2f", plugin(&format!("{here}/login"))),
            ("/bitbucket/login?next=%2F", log_in(&format!("{here}/login"))),
            ("/bitbucket/plugins/servlet/samlsso", log_in(&format!("{here}/plugins/servlet/samlsso"))),
            ("https://login.example.com/a?b=c", log_in("https://login.example.com/a")),
            ("https://git.example.com/other", None),
            ("http://git.example.com/bitbucket/rest/api/1.0/application-properties", None),
            ("https://portfaq.example.com/", None),
            (
                "/bitbucket/login?rd=https%3A%2F%2Fgit.example.com%2Frest%2Fapi%2F1.0%2Fapplication-properties",
                log_in(&format!("{here}/login")),
            ),
            ("https://git.lesson.example.com/x", None),
        ] {
            assert_eq!(seen(302, Some(location), ""), expected, "{location}");
        }
    }

    #[test]
    fn pages() {
        use Interception::{LogInPage, OtherPage, TwoFactorPage};
        for (body, expected) in [
            ("<html><h1>Two-Factor Authentication</h1></html>", Some(TwoFactorPage)),
            ("<html><p>Type in your verification\n code</p></html>", Some(TwoFactorPage)),
            ("<html><script>totp()</script><form><input type='password'></form></html>", Some(LogInPage)),
            ("<!DOCTYPE html><title>Sign in to your account</title>", Some(LogInPage)),
            ("<html><title>Welcome to the hotel</title></html>", Some(OtherPage)),
            ("{\"version\":\"8.0\"}", None),
            ("", None),
        ] {
            assert_eq!(seen(200, None, body), expected, "{body}");
        }
    }

    #[test]
    fn bitbucket_asks_for_no_domain_login() {
        let url = Url::parse("https://git.example.com/bitbucket/rest/oauth2/latest/token").unwrap();
        for (challenge, expected) in [
            ("Negotiate", Some(Interception::LogInPage)),
            ("NTLM", Some(Interception::LogInPage)),
            ("OAuth realm=\"x\",oauth_problem=\"token_rejected\"", None),
            ("Basic realm=\"Bitbucket\"", None),
        ] {
            let headers = [("www-authenticate".parse().unwrap(), challenge.parse().unwrap())];
            let answer =
                Answer::new(&url, StatusCode::UNAUTHORIZED, headers.into_iter().collect::<HeaderMap>());
            let base = Url::parse("https://git.example.com/bitbucket").unwrap();
            assert_eq!(Interception::of(&answer, &base), expected, "{challenge}");
        }
    }
}
