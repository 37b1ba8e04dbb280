//! The page of a website to go back to after the login form.

use std::fmt::Write as _;

/// The longest, in bytes: some proxies read 4 KiB of an answer's head, and this is in it.
const LONGEST: usize = 2000;

/// A path of a website with its query, as ASCII, behind one slash. Put behind an [`Origin`](super::Origin) it stays there, and
/// nothing that takes it for an address of its own is led elsewhere (`//host`, `/\host`, `/%09/host`): such a text becomes `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// The path of a raw request line; what cannot be one becomes `/`.
    #[must_use]
    pub fn of(raw: &str) -> Self {
        if is_safe(raw) { Self(ascii(raw)) } else { Self::default() }
    }

    /// What follows the first `rd=` of a raw query, up to its end: proxies cannot encode a request line, so it is always the last
    /// parameter, and its own `&` belong to it.
    #[must_use]
    pub fn in_query(raw: &str) -> Self {
        let found = match raw.strip_prefix("rd=") {
            Some(rest) => Some(rest),
            None => raw.split_once("&rd=").map(|(_, rest)| rest),
        };
        found.map(Self::of).unwrap_or_default()
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ReturnPath {
    fn default() -> Self {
        Self("/".into())
    }
}

fn is_safe(raw: &str) -> bool {
    let Some(rest) = raw.strip_prefix('/') else { return false };
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    raw.len() <= LONGEST
        && !raw.chars().any(|c| c.is_control() || is_unseen(c))
        && !path.contains('\\')
        && leads_in(&decoded(path))
}

/// Whether a decoded path, without its first slash, stays in front of a server: what is left when browsers have taken out `.` and
/// `..` does not begin with a slash of any kind, and it is none of our own pages there, which would lead back and forth.
fn leads_in(path: &[u8]) -> bool {
    let mut rest = path;
    while let Some(after) = rest.strip_prefix(b"../").or_else(|| rest.strip_prefix(b"./")) {
        rest = after;
    }
    let starts_elsewhere = rest.first().is_some_and(|b| matches!(b, b'/' | b'\\' | 0..=b' ' | 0x7f));
    !starts_elsewhere && !rest.contains(&b'\\') && !rest.iter().any(u8::is_ascii_control) && !is_ours(rest)
}

fn is_ours(path: &[u8]) -> bool {
    path.strip_prefix(b".stave").is_some_and(|rest| rest.first().is_none_or(|b| *b == b'/'))
}

/// Signs that turn the reading direction or have no width: no address needs them.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `%41` is `A`; what is not two hex digits stays.
fn decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = digits
            .filter(|pair| *first == b'%' && pair.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    bytes
}

/// With everything that a header cannot hold encoded.
fn ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            0x21..=0x7e => ascii.push(char::from(byte)),
            // Nothing can go wrong when a text grows.
            _ => _ = write!(ascii, "%{byte:02X}"),
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::website::Origin;
    use serde_json::Value;
    use url::Url;

    #[test]
    fn a_page_is_found_again() {
        for page in [
            "/",
            "/a",
            "/a/b.html?x=1&y=2",
            "/a//b",
            "/a/../b",
            "/a?next=https://other.example/",
            "/a%20b",
            "/.well-known/x",
            "/.staves",
            "/a?b\\c",
            "/a:b@c",
            "/%7Ehome/",
            "/x%2Fy",
        ] {
            assert_eq!(ReturnPath::of(page).as_str(), page);
            assert_eq!(ReturnPath::in_query(&format!("rd={page}")).as_str(), page);
        }
        assert_eq!(ReturnPath::of("/ä b").as_str(), "/%C3%A4%20b");
        assert_eq!(ReturnPath::in_query("a=b&rd=/p?x=1&rd=/q").as_str(), "/p?x=1&rd=/q");
        assert_eq!(ReturnPath::in_query("card=/x").as_str(), "/");
        assert_eq!(ReturnPath::of(&format!("/{}", "a".repeat(LONGEST))).as_str(), "/");
        for ours in ["/.stave/start?rd=/", "/.stave", "/%2estave/logout", "/./.stave/start"] {
            assert_eq!(ReturnPath::of(ours).as_str(), "/", "{ours}");
        }
    }

    /// Every beginning with every host.
    fn attacks() -> Vec<String> {
        let corpus: Value =
            serde_json::from_str(include_str!("../../tests/website/return_path.json")).unwrap();
        let list = |name: &str| -> Vec<String> { serde_json::from_value(corpus[name].clone()).unwrap() };
        let (beginnings, hosts) = (list("beginnings"), list("hosts"));
        beginnings.iter().flat_map(|start| hosts.iter().map(move |host| format!("{start}{host}"))).collect()
    }

    #[test]
    fn nobody_is_led_elsewhere() {
        let attacks = attacks();
        assert!(attacks.len() >= 300, "{}", attacks.len());
        for site in ["https://shop.example", "http://shop.localhost:8080", "https://[2001:db8::1]:8443"] {
            let origin: Origin = site.parse().unwrap();
            let home = Url::parse(&origin.at("/")).unwrap();
            for attack in &attacks {
                for path in [ReturnPath::of(attack), ReturnPath::in_query(&format!("rd={attack}"))] {
                    let there = Url::parse(&origin.at(path.as_str())).unwrap();
                    assert_eq!(Origin::of(&there), origin, "{attack:?}");
                    assert!(there.username().is_empty() && there.password().is_none(), "{attack:?}");
                    // Also when somebody takes it for an address of its own, decoded or not.
                    let alone = home.join(path.as_str()).unwrap();
                    assert_eq!(Origin::of(&alone), origin, "{attack:?}");
                    let read = String::from_utf8_lossy(&decoded(path.as_str())).into_owned();
                    assert_eq!(Origin::of(&home.join(&read).unwrap()), origin, "{attack:?}");
                    // And where it is left when dots are taken out.
                    assert_eq!(Origin::of(&home.join(alone.path()).unwrap()), origin, "{attack:?}");
                    assert!(path.as_str().bytes().all(|b| (0x21..0x7f).contains(&b)), "{attack:?}");
                }
            }
        }
    }
}
