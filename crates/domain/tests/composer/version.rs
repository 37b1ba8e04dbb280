//! Versions, stabilities, constraints and their order.

use crate::vector::{Failures, cases, list, text};
use stave_domain::version::{
    Constraint, Stability,
    compare::{compare, compare_in_list},
    normalize::{normalize, normalize_branch, numeric_alias_prefix},
};
use std::cmp::Ordering;

#[test]
fn versions_are_normalized() {
    let mut failures = Failures::default();
    for case in cases("semver-normalize") {
        let input = text(&case, "input");
        failures.compare(input, normalize(input).ok().as_deref(), case["normalized"].as_str());
    }
    failures.report();
}

#[test]
fn branches_are_normalized() {
    let mut failures = Failures::default();
    for case in cases("semver-branches") {
        let input = text(&case, "input");
        failures.compare(input, normalize_branch(input).as_str(), text(&case, "normalized"));
    }
    for case in list("semver-branches", "numeric_alias_prefix") {
        let input = text(&case, "input");
        failures.compare(input, numeric_alias_prefix(input).as_deref(), case["prefix"].as_str());
    }
    failures.report();
}

#[test]
fn a_version_has_a_stability() {
    let mut failures = Failures::default();
    for case in cases("semver-stability") {
        let input = text(&case, "input");
        failures.compare(input, Stability::of(input).as_str(), text(&case, "stability"));
    }
    failures.report();
}

#[test]
fn constraints_are_parsed() {
    let mut failures = Failures::default();
    for case in cases("semver-parse") {
        let input = text(&case, "constraint");
        let parsed = Constraint::parse(input).ok().map(|constraint| constraint.to_string());
        failures.compare(input, parsed.as_deref(), case["parsed"].as_str());
    }
    failures.report();
}

#[test]
fn constraints_match_versions() {
    let mut failures = Failures::default();
    for case in cases("semver-constraints") {
        let (constraint, version) = (text(&case, "constraint"), text(&case, "version"));
        let matches = Constraint::parse(constraint).unwrap().matches(&normalize(version).unwrap());
        failures.compare(&format!("{version} in {constraint}"), matches, case["matches"].as_bool().unwrap());
    }
    failures.report();
}

#[test]
fn versions_are_ordered() {
    let mut failures = Failures::default();
    for case in cases("sort").into_iter().chain(list("sort", "raw_pairs")) {
        let (a, b) = (text(&case, "a"), text(&case, "b"));
        let expected = case["cmp"].as_i64().unwrap().cmp(&0);
        failures.compare(&format!("{a} and {b}"), compare(a, b), expected);
        failures.compare(&format!("{b} and {a}"), compare(b, a), expected.reverse());
    }
    failures.report();
}

#[test]
fn lists_of_versions_are_sorted() {
    for case in list("sort", "sorted_lists") {
        let strings = |key: &str| -> Vec<String> { serde_json::from_value(case[key].clone()).unwrap() };
        let mut versions = strings("input");
        versions.sort_by(|a, b| compare_in_list(&normalize(a).unwrap(), &normalize(b).unwrap()));
        assert_eq!(versions, strings("sorted"));
    }
    assert_eq!(compare("dev-a", "dev-b"), Ordering::Equal);
}
