//! Addresses with gaps: `https://repo.example.com/p2/%package%.json`.

use crate::version::RemoteArchive;
use md5::{Digest as _, Md5};
use url::Url;

/// An absolute address with gaps in it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Template(String);

/// What the gaps of the address of a dist are filled with.
#[derive(Debug, Clone, Copy)]
pub struct DistOf<'a> {
    /// `%package%`: the name in lower case.
    pub name: &'a str,
    /// `%prettyVersion%`.
    pub version: &'a str,
    /// `%version%`.
    pub normalized: &'a str,
    /// `%reference%` and `%type%`.
    pub archive: &'a RemoteArchive,
}

impl Template {
    /// A text of a packages.json, made absolute; `None` if it is no address that can be asked.
    pub(super) fn parse(base: &Url, text: &str) -> Option<Self> {
        absolute(base, text).map(Self)
    }

    /// With the name of a package in its gap.
    #[must_use]
    pub fn of_package(&self, name: &str) -> Option<Url> {
        address(&self.0.replace("%package%", name))
    }

    /// With the name of a package and the hash of its file in their gaps.
    #[must_use]
    pub fn of_hashed(&self, name: &str, hash: &str) -> Option<Url> {
        address(&self.0.replace("%package%", name).replace("%hash%", hash))
    }

    /// With everything about a dist in its gaps.
    #[must_use]
    pub fn of_dist(&self, dist: &DistOf<'_>) -> Option<Url> {
        address(&dist_filled(&self.0, dist))
    }

    /// Whether it has this gap.
    pub(super) fn has(&self, gap: &str) -> bool {
        self.0.contains(gap)
    }
}

/// A text with everything about a dist in its gaps (`ComposerMirror::processUrl`).
pub(super) fn dist_filled(text: &str, dist: &DistOf<'_>) -> String {
    let reference = dist.archive.reference.as_deref().unwrap_or_default();
    let is_plain =
        reference == "%reference%" || reference.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let reference = if is_plain { reference.to_owned() } else { md5(reference) };
    let version =
        if dist.normalized.contains('/') { md5(dist.normalized) } else { dist.normalized.to_owned() };
    text.replace("%package%", dist.name)
        .replace("%version%", &version)
        .replace("%reference%", &reference)
        .replace("%type%", &dist.archive.kind)
        .replace("%prettyVersion%", dist.version)
}

/// Composer shortens with it what does not fit into a path; nothing is proven by it.
fn md5(text: &str) -> String {
    hex::encode(Md5::digest(text))
}

/// What a packages.json at `base` means by an address (`ComposerRepository::canonicalizeUrl`): a slash at its beginning is the
/// root of the host. Others are below the folder of the file, where clients would find nothing.
pub(super) fn absolute(base: &Url, text: &str) -> Option<String> {
    let text = text.trim();
    let whole = match text {
        "" => return None,
        _ if text.starts_with('/') => format!("{}{text}", base.origin().ascii_serialization()),
        _ if text.contains("://") => text.to_owned(),
        _ => below(base, text),
    };
    address(&whole).map(|_| whole)
}

/// Behind the folder of a packages.json, as the files are named that it includes.
pub(super) fn below(base: &Url, path: &str) -> String {
    let folder = match base.path().rsplit_once('/') {
        Some((folder, file)) if file.strip_suffix(".json").is_some() => folder,
        _ => base.path(),
    };
    format!(
        "{}{}/{}",
        base.origin().ascii_serialization(),
        folder.trim_end_matches('/'),
        path.trim_start_matches('/')
    )
}

/// An address that can be asked.
pub(super) fn address(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_resolved_as_clients_do() {
        for (base, text, expected) in [
            ("https://r.example/acme", "/p2/%package%.json", Some("https://r.example/p2/%package%.json")),
            ("https://r.example:8443/acme/x.json", "/p2/a", Some("https://r.example:8443/p2/a")),
            (
                "https://r.example/acme",
                "https://cdn.example/%package%",
                Some("https://cdn.example/%package%"),
            ),
            ("https://r.example/acme", "p2/%package%.json", Some("https://r.example/acme/p2/%package%.json")),
            ("https://r.example/acme/x.json", "p/a.json", Some("https://r.example/acme/p/a.json")),
            ("https://r.example/acme", "file:///etc/passwd", None),
            ("https://r.example/acme", "ftp://r.example/x", None),
            ("https://r.example/acme", " ", None),
            ("https://r.example/acme", "https://", None),
        ] {
            let base = Url::parse(base).unwrap();
            assert_eq!(absolute(&base, text).as_deref(), expected, "{base} {text}");
        }
    }

    #[test]
    fn a_name_fills_its_gap_as_it_is() {
        let base = Url::parse("https://r.example").unwrap();
        let template = Template::parse(&base, "/p2/%package%.json").unwrap();
        assert_eq!(
            template.of_package("acme/lib~dev").unwrap().as_str(),
            "https://r.example/p2/acme/lib~dev.json"
        );
        let hashed = Template::parse(&base, "/p/%package%$%hash%.json").unwrap();
        assert_eq!(
            hashed.of_hashed("acme/lib", "ab12").unwrap().as_str(),
            "https://r.example/p/acme/lib$ab12.json"
        );
    }
}
