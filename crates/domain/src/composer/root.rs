//! `packages.json`: how a client finds its way in a repository.

use serde_json::json;
use std::collections::BTreeSet;

/// Above this many vendors the list would cost more than the requests that it saves.
const MOST_VENDORS: usize = 100;

/// The root of one organization's repository.
#[derive(Debug, Clone, Copy)]
pub struct Root<'a> {
    /// The path below which it is mounted, without a slash at its end: `/repo/acme`. A client resolves what begins with
    /// a slash against the host alone, so the path must be in every address.
    pub path: &'a str,
    /// The vendors of its packages. Composer asks for no other names; with none at all, it asks for every name.
    pub vendors: &'a BTreeSet<String>,
}

impl Root<'_> {
    /// The bytes of packages.json. They do not grow with the number of packages.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        let path = self.path;
        let mut root = json!({
            "packages": [],
            "metadata-url": format!("{path}/p2/%package%.json"),
            "list": format!("{path}/list.json"),
            "search": format!("{path}/search.json?q=%query%&type=%type%"),
            "warning": "This repository needs Composer 2; Composer 1 finds no packages in it. Run composer self-update --2.",
            "warning-versions": "<1.999",
        });
        if (1..=MOST_VENDORS).contains(&self.vendors.len()) {
            let patterns: Vec<_> = self.vendors.iter().map(|vendor| format!("{vendor}/*")).collect();
            root["available-package-patterns"] = json!(patterns);
        }
        root.to_string().into_bytes()
    }
}

/// Whether a name fits a pattern as a whole: `*` stands for any text, slashes too; case does not count.
#[must_use]
pub fn pattern_matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
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

    #[test]
    fn every_address_has_the_path() {
        let vendors = BTreeSet::from(["acme".to_owned(), "other".to_owned()]);
        let root = Root { path: "/repo/acme", vendors: &vendors };
        let document: serde_json::Value = serde_json::from_slice(&root.document()).unwrap();
        insta::assert_json_snapshot!(document, @r#"
        {
          "packages": [],
          "metadata-url": "/repo/acme/p2/%package%.json",
          "list": "/repo/acme/list.json",
          "search": "/repo/acme/search.json?q=%query%&type=%type%",
          "warning": "This repository needs Composer 2; Composer 1 finds no packages in it. Run composer self-update --2.",
          "warning-versions": "<1.999",
          "available-package-patterns": [
            "acme/*",
            "other/*"
          ]
        }
        "#);
    }

    #[test]
    fn too_many_vendors_are_not_listed() {
        let has_patterns = |count: usize| {
            let vendors = (0..count).map(|number| format!("v{number}")).collect();
            let root = Root { path: "/repo/acme", vendors: &vendors };
            String::from_utf8(root.document()).unwrap().contains("available-package-patterns")
        };
        assert_eq!([0, 1, 100, 101].map(has_patterns), [false, true, true, false]);
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
