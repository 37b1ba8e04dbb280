//! Tags and branches of a repository, and what Composer's own reader makes of them.

use crate::vector::{Failures, cases, text};
use serde_json::Value;
use stave_domain::{
    Timestamp,
    composer::{
        Manifest, ManifestProblem, Scan,
        alias::BranchAlias,
        check::{Severity, check},
        scan::{Commit, Outcome, Reference, ReferenceKind, Skip, scan},
        time,
    },
    version::VersionFound,
};
use std::sync::Arc;

const AUTHOR_DATE: &str = "2024-03-01T10:00:00+02:00";

fn reference(kind: ReferenceKind, name: &str, composer_json: &Value) -> Reference {
    let manifest = match composer_json {
        Value::Null => Err(ManifestProblem::Absent),
        Value::String(raw) => raw.parse(),
        keys => keys.to_string().parse(),
    };
    let commit =
        Commit { id: "0".repeat(40), made_at: AUTHOR_DATE.parse().unwrap(), manifest: Arc::new(manifest) };
    Reference { kind, name: name.to_owned(), labelled: None, commit: Some(commit) }
}

fn main_branch() -> Reference {
    reference(ReferenceKind::Branch, "main", &serde_json::json!({"name": "acme/lib"}))
}

fn outcome<'a>(scan: &'a Scan, kind: ReferenceKind, name: &str) -> &'a Outcome {
    let is_it = |outcome: &&Outcome| match outcome {
        Outcome::Imported { found, .. } => {
            found.reference_name == name && found.is_dev == (kind == ReferenceKind::Branch)
        }
        Outcome::Skipped { reference, kind: skipped, .. } => reference == name && *skipped == kind,
    };
    scan.outcomes.iter().find(is_it).unwrap()
}

/// The vectors' word for a reason.
fn reason(skip: &Skip) -> String {
    match skip {
        Skip::NotAVersion => "not-a-version".to_owned(),
        Skip::DevelopmentTag => "dev-suffix-on-tag".to_owned(),
        Skip::SameVersion { first } => format!("duplicate-of:{first}"),
        Skip::OtherVersion(_) => "composer-json-version-mismatch".to_owned(),
        Skip::BadVersion(_) => "composer-json-version-unparseable".to_owned(),
        Skip::NoManifest(ManifestProblem::Absent | ManifestProblem::Empty) => {
            "no-usable-composer-json".to_owned()
        }
        Skip::NoManifest(ManifestProblem::NotJson { .. }) => "invalid-json".to_owned(),
        Skip::UnusableName => "branch-name-not-usable-in-a-constraint".to_owned(),
        Skip::Unpublishable(problem) if problem.field.starts_with("require.") => {
            "unparseable-requirement".to_owned()
        }
        other => other.to_string(),
    }
}

fn compare_outcome(failures: &mut Failures, case: &Value, name: &str, outcome: &Outcome) {
    match outcome {
        Outcome::Imported { found, .. } => {
            failures.compare(name, "imported", text(case, "result"));
            failures.compare(name, Some(found.version.as_str()), case["version"].as_str());
            failures.compare(name, Some(found.normalized.as_str()), case["version_normalized"].as_str());
            failures.compare(
                name,
                found.is_default_branch,
                case["default_branch"].as_bool().unwrap_or_default(),
            );
            let released_at = case["time"].as_str().unwrap_or("2024-03-01T08:00:00+00:00");
            failures.compare(name, time::written(found.released_at).as_str(), released_at);
            compare_strictness(failures, case, name, found);
            compare_served(failures, case, name, found);
        }
        Outcome::Skipped { reason: skip, .. } => {
            failures.compare(name, "skipped", text(case, "result"));
            failures.compare(name, Some(reason(skip).as_str()), case["reason"].as_str());
        }
    }
}

/// Stave publishes what Composer's plain reader takes, so strictness only tells; of branches, warnings count too.
fn compare_strictness(failures: &mut Failures, case: &Value, name: &str, found: &VersionFound) {
    let manifest: Manifest = case["composer_json"].to_string().parse().unwrap();
    let as_read = manifest.with("name", "acme/lib").with("version", found.version.as_str());
    let limit = if found.is_dev { Severity::Warning } else { Severity::Error };
    let now: Timestamp = "2026-10-29T00:00:00Z".parse().unwrap();
    let is_accepted = check(&as_read, now).iter().all(|problem| problem.severity < limit);
    failures.compare(name, is_accepted, case["accepted_by_strict_validation"].as_bool().unwrap());
    let alias = BranchAlias::of(&as_read, &found.version).map(|alias| (alias.version, alias.normalized));
    let texts =
        |alias: &Value| (text(alias, "version").to_owned(), text(alias, "version_normalized").to_owned());
    failures.compare(name, alias, case.get("alias").map(texts));
}

/// Source, dist and the rest are Stave's to say; whether it is abandoned is the package's.
fn compare_served(failures: &mut Failures, case: &Value, name: &str, found: &VersionFound) {
    let served: Value = serde_json::from_str(&found.manifest).unwrap();
    for key in [
        "name",
        "version",
        "version_normalized",
        "source",
        "dist",
        "time",
        "uid",
        "notification-url",
        "default-branch",
    ] {
        failures.compare(name, served.get(key), None);
    }
    failures.compare(name, served.get("abandoned"), case.get("abandoned"));
}

#[test]
fn tags_become_versions() {
    let cases = cases("vcs-tags");
    let tag = |case: &Value| reference(ReferenceKind::Tag, text(case, "tag"), &case["composer_json"]);
    // The order in which they come must not count.
    let references: Vec<_> = cases.iter().rev().map(tag).chain([main_branch()]).collect();
    let scan = scan(Some("main"), &references).unwrap();
    assert_eq!(scan.name.as_str(), "acme/lib");
    assert_eq!(scan.outcomes.len(), cases.len() + 1);
    let mut failures = Failures::default();
    for case in &cases {
        let name = text(case, "tag");
        compare_outcome(&mut failures, case, name, outcome(&scan, ReferenceKind::Tag, name));
    }
    failures.report();
}

#[test]
fn branches_become_development_versions() {
    let cases = cases("vcs-branches");
    let branch =
        |case: &Value| reference(ReferenceKind::Branch, text(case, "branch"), &case["composer_json"]);
    let mut failures = Failures::default();
    for case in &cases {
        // One at a time: several of them give the same version, and a registry keeps one.
        let name = text(case, "branch");
        let others = (name != "main").then(main_branch);
        let scan = scan(Some("main"), &[branch(case)].into_iter().chain(others).collect::<Vec<_>>()).unwrap();
        compare_outcome(&mut failures, case, name, outcome(&scan, ReferenceKind::Branch, name));
    }
    failures.report();

    let references: Vec<_> = cases.iter().map(branch).collect();
    let scan = scan(Some("main"), &references).unwrap();
    let mut expected: Vec<_> = cases.iter().filter_map(|case| case["version_normalized"].as_str()).collect();
    let mut found: Vec<_> = scan.found().map(|found| found.normalized.as_str()).collect();
    assert_eq!(found[0], "dev-main");
    expected.sort_unstable();
    expected.dedup();
    found.sort_unstable();
    assert_eq!(found, expected);
    let first = Outcome::Skipped {
        kind: ReferenceKind::Branch,
        reference: "1.x".to_owned(),
        reason: Skip::SameVersion { first: "1".to_owned() },
    };
    assert_eq!(outcome(&scan, ReferenceKind::Branch, "1.x"), &first);
}
