//! `packages.json`: how a client finds its way in a repository.

use serde_json::{Map, json};
use std::collections::BTreeSet;

/// Above this many vendors the list would cost more than the requests that it saves.
const MOST_VENDORS: usize = 100;

/// The root of one organization's repository.
#[derive(Debug, Clone, Copy)]
pub struct Root<'a> {
    /// Its public address, without a slash at its end: `https://stave.example/repo/acme`.
    pub url: &'a str,
    /// The same without scheme and host: `/repo/acme`. A client resolves what begins with a slash against the host alone, so the
    /// path must be in every address.
    pub path: &'a str,
    /// The vendors of its packages. Composer asks for no other names; with none at all, it asks for every name.
    pub vendors: &'a BTreeSet<String>,
    /// Whether names of other vendors may come, too: a mirror brings packages when somebody asks for them.
    pub is_open: bool,
    /// The lists of bad versions that its metadata passes on (Composer 2.10).
    pub filter_lists: &'a BTreeSet<String>,
}

impl Root<'_> {
    /// The bytes of packages.json. They do not grow with the number of packages.
    ///
    /// Absolute are the addresses that some client does not resolve or keeps: that of advisories before Composer 2.7, and that of
    /// installs, which otherwise takes a password in the repository's URL along into lock files.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        let Self { url, path, .. } = self;
        let mut root = json!({
            "packages": [],
            "metadata-url": format!("{path}/p2/%package%.json"),
            "notify-batch": format!("{url}/downloads/"),
            "list": format!("{path}/list.json"),
            "search": format!("{path}/search.json?q=%query%&type=%type%"),
            "providers-api": format!("{path}/providers/%package%.json"),
            "metadata-changes-url": format!("{path}/metadata/changes.json"),
            "security-advisories": { "metadata": true, "api-url": format!("{url}/api/security-advisories/") },
            "warning": "This repository needs Composer 2; Composer 1 finds no packages in it. Run composer self-update --2.",
            "warning-versions": "<1.999",
        });
        if !self.filter_lists.is_empty() {
            let lists = self.filter_lists.iter().map(|name| (name.clone(), json!({ "enabled": true })));
            root["filter"] = json!({
                "metadata": true,
                "lists": lists.collect::<Map<_, _>>(),
                "api-url": format!("{url}/api/filter/"),
            });
        }
        if !self.is_open && (1..=MOST_VENDORS).contains(&self.vendors.len()) {
            let patterns: Vec<_> = self.vendors.iter().map(|vendor| format!("{vendor}/*")).collect();
            root["available-package-patterns"] = json!(patterns);
        }
        root.to_string().into_bytes()
    }
}

/// Whether a name fits a pattern as a whole: `*` stands for any text, slashes too; case does not count.
#[must_use]
pub fn pattern_matches(pattern: &str, name: &str) -> bool {
    lower_case_matches(&pattern.to_lowercase(), &name.to_lowercase())
}

/// The same where both are in lower case already.
pub(crate) fn lower_case_matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(vendors: usize, is_open: bool, lists: &[&str]) -> serde_json::Value {
        let root = Root {
            url: "https://stave.example/repo/acme",
            path: "/repo/acme",
            vendors: &(0..vendors).map(|number| format!("v{number}")).collect(),
            is_open,
            filter_lists: &lists.iter().map(ToString::to_string).collect(),
        };
        serde_json::from_slice(&root.document()).unwrap()
    }

    #[test]
    fn every_address_has_the_path() {
        insta::assert_json_snapshot!(document(2, false, &["malware"]), @r#"
        {
          "packages": [],
          "metadata-url": "/repo/acme/p2/%package%.json",
          "notify-batch": "https://stave.example/repo/acme/downloads/",
          "list": "/repo/acme/list.json",
          "search": "/repo/acme/search.json?q=%query%&type=%type%",
          "providers-api": "/repo/acme/providers/%package%.json",
          "metadata-changes-url": "/repo/acme/metadata/changes.json",
          "security-advisories": {
            "metadata": true,
            "api-url": "https://stave.example/repo/acme/api/security-advisories/"
          },
          "warning": "This repository needs Composer 2; Composer 1 finds no packages in it. Run composer self-update --2.",
          "warning-versions": "<1.999",
          "filter": {
            "metadata": true,
            "lists": {
              "malware": {
                "enabled": true
              }
            },
            "api-url": "https://stave.example/repo/acme/api/filter/"
          },
          "available-package-patterns": [
            "v0/*",
            "v1/*"
          ]
        }
        "#);
    }

    #[test]
    fn vendors_are_listed_where_they_save_requests() {
        let has_patterns =
            |count, is_open| document(count, is_open, &[]).get("available-package-patterns").is_some();
        assert_eq!([0, 1, 100, 101].map(|count| has_patterns(count, false)), [false, true, true, false]);
        assert!(!has_patterns(1, true), "a mirror may know more names");
        assert!(document(1, false, &[]).get("filter").is_none());
    }

    #[test]
    fn stars_in_a_row_and_in_the_middle() {
        for (pattern, name, matches) in [
            ("a*c", "abbc", true),
            ("a*b*c", "acbc", true),
            ("a*b*c", "acc", false),
            ("ab*ba", "aba", false),
            ("**", "x", true),
        ] {
            assert_eq!(pattern_matches(pattern, name), matches, "{pattern} {name}");
        }
    }
}
