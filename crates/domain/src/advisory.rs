//! Security advisories: which versions of a package have a known fault, as `composer audit` tells.

use crate::{
    Invalid, Timestamp,
    id::{MirrorId, OrganizationId},
    mirror::MirrorAdvisory,
    package::PackageName,
    version::Constraint,
};
use regex::Regex;
use serde_json::{Value, json};
use std::{fmt, str::FromStr, sync::LazyLock};
use uuid::Uuid;

/// A known fault of some versions of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// By what clients tell it from others, and projects ignore it: `STAVE-1a2b-3c4d-5e6f`, or as its repository calls it.
    pub id: String,
    /// Of which package.
    pub package: PackageName,
    /// Which versions have it.
    pub affected: Affected,
    /// What is known of it. A repository may say no more than that there is one.
    pub report: Option<Report>,
}

/// What is known of a fault.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// What it is, in a few words.
    pub title: String,
    /// Its number in the list of everybody's faults, such as `CVE-2026-12345`.
    pub cve: Option<String>,
    /// Where there is more about it.
    pub link: Option<String>,
    /// How bad it is; `None` if nobody judged.
    pub severity: Option<Severity>,
    /// Who says so; never empty.
    pub sources: Vec<Source>,
    /// When it was told.
    pub reported_at: Timestamp,
}

/// Somebody who collects advisories.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Source {
    /// Who.
    pub name: String,
    /// What they call it.
    pub remote_id: String,
}

/// How bad a fault is (the four words that Composer knows).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// All, the worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// As Composer writes it.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// As people read it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
            Self::Critical => "Critical",
        }
    }

    /// What a key stands for.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.key() == key)
    }
}

/// The versions that have a fault: a constraint such as `>=1.0,<1.2.5|>=2.0,<2.0.3`, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    text: String,
    constraint: Constraint,
}

impl Affected {
    /// The constraint as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a version, in its normalized form, has the fault. No range contains a named branch.
    #[must_use]
    pub fn contains(&self, normalized: &str) -> bool {
        self.constraint.matches(normalized)
    }

    /// As [`FromStr`]; of what cannot be read, the beginning counts, which is what Composer does
    /// (`PartialSecurityAdvisory::create`): one constraint that it cannot parse ended the whole audit before 2.8.11.
    pub fn lenient(text: &str) -> Result<Self, Invalid> {
        #[expect(clippy::expect_used, reason = "the pattern is a constant and is built by the tests")]
        static HEAD: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"^[>=<^~]*[0-9.]+").expect("the pattern is valid"));
        text.parse().or_else(|refused| HEAD.find(text).ok_or(refused)?.as_str().parse())
    }
}

impl FromStr for Affected {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        Ok(Self { text: text.to_owned(), constraint: Constraint::parse(text)? })
    }
}

impl fmt::Display for Affected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What an organization's own advisory is called: a part of `id` that is chance.
#[must_use]
pub fn own_id(id: Uuid) -> String {
    let digits = id.simple().to_string();
    let [a, b, c] = [20, 24, 28].map(|at| &digits[at..at + 4]);
    format!("STAVE-{a}-{b}-{c}")
}

impl Advisory {
    /// What a mirror says of a package. One that names no title or no time has no report.
    pub fn of_mirror(package: &PackageName, told: MirrorAdvisory) -> Result<Self, Invalid> {
        let affected = Affected::lenient(&told.affected)?;
        let report = match (told.title, told.reported_at) {
            (Some(title), Some(reported_at)) => Some(Report {
                title,
                cve: told.cve,
                link: told.link.filter(|link| is_web_address(link)),
                severity: told.severity.and_then(|key| Severity::of_key(&key.to_lowercase())),
                sources: Source::or_unknown(told.sources, &told.id),
                reported_at,
            }),
            _ => None,
        };
        Ok(Self { id: told.id, package: package.clone(), affected, report })
    }

    /// As clients read it in metadata: enough to refuse a version.
    #[must_use]
    pub fn partial(&self) -> Value {
        json!({ "advisoryId": self.id, "affectedVersions": self.affected.as_str() })
    }

    /// As clients read it in an audit. What nobody reported has the id as its title: a client that gets less than a whole one
    /// gives up.
    #[must_use]
    pub fn full(&self, seen_at: Timestamp) -> Value {
        let unknown;
        let report = if let Some(report) = &self.report {
            report
        } else {
            unknown = Report::unknown(&self.id, seen_at);
            &unknown
        };
        let first = report.sources.first();
        json!({
            "advisoryId": self.id,
            "packageName": self.package.as_str(),
            "remoteId": first.map(|source| &source.remote_id),
            "title": report.title,
            "link": report.link,
            "cve": report.cve,
            "affectedVersions": self.affected.as_str(),
            "source": first.map(|source| &source.name),
            "sources": report.sources.iter().map(Source::written).collect::<Vec<_>>(),
            "reportedAt": report.reported_at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            "severity": report.severity.map(Severity::key),
        })
    }
}

impl Report {
    fn unknown(id: &str, seen_at: Timestamp) -> Self {
        Self {
            title: format!("Security advisory {id}"),
            cve: None,
            link: None,
            severity: None,
            sources: Source::or_unknown(Vec::new(), id),
            reported_at: seen_at,
        }
    }
}

impl Source {
    /// Clients take an advisory without any source for no whole one.
    fn or_unknown(told: Vec<(String, String)>, id: &str) -> Vec<Self> {
        if told.is_empty() {
            return vec![Self { name: "unknown".to_owned(), remote_id: id.to_owned() }];
        }
        told.into_iter().map(|(name, remote_id)| Self { name, remote_id }).collect()
    }

    fn written(&self) -> Value {
        json!({ "name": self.name, "remoteId": self.remote_id })
    }
}

/// Whether a text can be made a link: other schemes could run something.
#[must_use]
pub fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// An advisory, and how it came here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAdvisory {
    /// For whose packages.
    pub organization_id: OrganizationId,
    /// Who told it; `None` is the organization itself.
    pub mirror_id: Option<MirrorId>,
    /// What it says.
    pub advisory: Advisory,
    /// When it came or last changed here.
    pub updated_at: Timestamp,
}

impl StoredAdvisory {
    /// As [`Advisory::full`].
    #[must_use]
    pub fn full(&self) -> Value {
        self.advisory.full(self.updated_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(written: &Value) -> Result<Advisory, Invalid> {
        let told = MirrorAdvisory::read(written).ok_or_else(|| Invalid::because("no advisory"))?;
        Advisory::of_mirror(&"acme/mailer".parse().unwrap(), told)
    }

    #[test]
    fn a_whole_advisory_stays_whole() {
        let written = json!({
            "advisoryId": "PKSA-1", "packageName": "acme/mailer", "remoteId": "acme/mailer/2026.yaml",
            "title": "Sends too much", "link": "https://example.com/1", "cve": "CVE-2026-1",
            "affectedVersions": ">=1.0,<1.2.5|>=2.0,<2.0.3", "source": "FriendsOfPHP",
            "sources": [{"name": "FriendsOfPHP", "remoteId": "acme/mailer/2026.yaml"}],
            "reportedAt": "2026-03-01 08:00:00", "severity": "high"
        });
        let advisory = told(&written).unwrap();
        assert_eq!(advisory.full(Timestamp::UNIX_EPOCH), written);
        let partial = json!({"advisoryId": "PKSA-1", "affectedVersions": ">=1.0,<1.2.5|>=2.0,<2.0.3"});
        assert_eq!(advisory.partial(), partial);
        for (version, is_affected) in
            [("1.2.4.0", true), ("1.2.5.0", false), ("2.0.0.0-beta1", true), ("dev-main", false)]
        {
            assert_eq!(advisory.affected.contains(version), is_affected, "{version}");
        }
    }

    #[test]
    fn what_is_known_in_part_can_still_be_audited() {
        let advisory =
            told(&json!({"advisoryId": "X-1", "affectedVersions": "*", "title": "No time"})).unwrap();
        assert_eq!(advisory.report, None);
        let full = advisory.full("2026-03-01T08:00:00Z".parse().unwrap());
        assert_eq!(full["title"], "Security advisory X-1");
        assert_eq!(full["sources"], json!([{"name": "unknown", "remoteId": "X-1"}]));
        assert_eq!(full["reportedAt"], "2026-03-01 08:00:00");
        let odd = json!({
            "advisoryId": "X-2", "affectedVersions": "*", "title": "t", "reportedAt": "2026-03-01", "severity": "Moderate"
        });
        let report = told(&odd).unwrap().report.unwrap();
        assert_eq!((report.severity, report.sources.len()), (None, 1));
    }

    #[test]
    fn odd_constraints_are_read_as_composer_reads_them() {
        for (text, readable) in [
            (" >=1.0 ", Some(">=1.0")),
            ("<1.2.3 something", Some("<1.2.3")),
            ("^2.0@@", Some("^2.0")),
            ("", None),
            ("all of them", None),
        ] {
            assert_eq!(Affected::lenient(text).as_ref().ok().map(Affected::as_str), readable, "{text}");
        }
    }

    #[test]
    fn own_ids_are_made_of_chance() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        assert_eq!(own_id(id), "STAVE-b302-099a-8057");
    }
}
