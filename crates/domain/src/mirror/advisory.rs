//! What a mirror warns of.

use crate::{Timestamp, composer::time, shortened, version::Constraint};
use serde_json::Value;

/// Longer texts are cut.
const LONGEST: usize = 1_000;
/// What is longer was not written by people, and is not read.
pub(super) const LONGEST_CONSTRAINT: usize = 10_000;

/// A warning about versions of a package, as another registry gives it: in its metadata only what it is called and which
/// versions are meant, else everything.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MirrorAdvisory {
    /// What the registry calls it.
    pub id: String,
    /// Which versions are affected: a constraint that clients understand.
    pub affected: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where it is explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Its number in the CVE list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cve: Option<String>,
    /// `low`, `medium`, `high` or `critical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// When it was made known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// Who knows of it, and under which id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<(String, String)>,
}

impl MirrorAdvisory {
    /// One of a list; `None` if it lacks what all have, or means versions in a way that makes clients give up.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        let text = |key| text(value, key);
        let affected =
            value.get("affectedVersions")?.as_str().filter(|text| text.len() <= LONGEST_CONSTRAINT)?;
        Constraint::parse(affected).ok()?;
        let sources = value.get("sources").and_then(Value::as_array).into_iter().flatten();
        let source = |source: &Value| Some((self::text(source, "name")?, self::text(source, "remoteId")?));
        Some(Self {
            id: text("advisoryId")?,
            affected: affected.to_owned(),
            title: text("title"),
            link: text("link").filter(|link| link.starts_with("https://") || link.starts_with("http://")),
            cve: text("cve"),
            severity: text("severity"),
            reported_at: text("reportedAt").as_deref().and_then(time::parse),
            sources: sources.filter_map(source).take(20).collect(),
        })
    }

    /// Those of a list that can be understood: at most a thousand. Anything else has none.
    #[must_use]
    pub fn read_all(list: &Value) -> Vec<Self> {
        // PHP writes a list that lost its first entry as an object.
        let (items, entries) = (list.as_array(), list.as_object());
        let all = items.into_iter().flatten().chain(entries.into_iter().flat_map(|entries| entries.values()));
        all.filter_map(Self::read).take(1_000).collect()
    }

    /// Whether it has what clients want to show of it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.title.is_some() && self.reported_at.is_some() && !self.sources.is_empty()
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().filter(|text| !text.is_empty()).map(|text| shortened(text, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_cannot_be_understood_is_passed_over() {
        let full = json!({
            "advisoryId": "PKSA-1", "packageName": "acme/lib", "remoteId": "GHSA-1", "title": "A hole", "link": "javascript:1",
            "cve": null, "affectedVersions": ">=1.0,<1.2.5|>=2.0,<2.0.3", "source": "x", "severity": "high",
            "sources": [{"name": "GitHub", "remoteId": "GHSA-1"}, {"name": 1}], "reportedAt": "2026-01-02 03:04:05"
        });
        let list = json!([
            full,
            {"advisoryId": "PKSA-2", "affectedVersions": "<2"},
            {"advisoryId": "PKSA-3", "affectedVersions": "what?"},
            {"affectedVersions": "<2"},
            7
        ]);
        let [full, partial] = MirrorAdvisory::read_all(&list).try_into().unwrap();
        assert_eq!((full.id.as_str(), full.link.as_deref(), full.cve.as_deref()), ("PKSA-1", None, None));
        assert_eq!(full.sources, [("GitHub".to_owned(), "GHSA-1".to_owned())]);
        assert_eq!(full.reported_at, Some("2026-01-02T03:04:05Z".parse().unwrap()));
        assert_eq!([full.is_full(), partial.is_full()], [true, false]);
        assert_eq!(
            MirrorAdvisory::read_all(&json!({"3": {"advisoryId": "a", "affectedVersions": "*"}})).len(),
            1
        );
        assert_eq!(MirrorAdvisory::read_all(&json!("none")), []);
    }
}
