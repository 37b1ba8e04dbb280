//! Strict validation, and what breaks clients.

use crate::vector::{Failures, cases, text};
use stave_domain::composer::{
    check::{Severity, check},
    manifest::Manifest,
};

#[test]
fn problems_are_those_that_composer_finds() {
    let now = "2026-10-29T00:00:00Z".parse().unwrap();
    let mut failures = Failures::default();
    for case in cases("composer-json-validation") {
        let name = text(&case, "case");
        let manifest: Manifest = case["composer_json"].to_string().parse().unwrap();
        let problems = check(&manifest, now);
        let fields = |wanted: fn(Severity) -> bool| -> Vec<String> {
            let mut fields: Vec<_> =
                problems.iter().filter(|p| wanted(p.severity)).map(|p| p.field.clone()).collect();
            fields.sort();
            fields
        };
        let expected = |key: &str| -> Vec<String> {
            let mut fields: Vec<String> = serde_json::from_value(case[key].clone()).unwrap();
            fields.sort();
            fields
        };
        let errors = fields(|severity| severity >= Severity::Error);
        failures.compare(name, errors.is_empty(), case["valid"].as_bool().unwrap());
        failures.compare(name, errors, expected("error_fields"));
        failures.compare(name, fields(|severity| severity == Severity::Warning), expected("warning_fields"));
        let can_load = problems.iter().all(|problem| problem.severity < Severity::Fatal);
        failures.compare(name, can_load, case["client_can_load"].as_bool().unwrap());
        for problem in &problems {
            assert!(problem.sentence.ends_with('.'), "{name}: {}", problem.sentence);
        }
    }
    failures.report();
}
