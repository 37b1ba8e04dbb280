//! Patterns of names.

use crate::vector::{Failures, cases, text};
use stave_domain::composer::root::pattern_matches;

#[test]
fn patterns_match_names() {
    let mut failures = Failures::default();
    for case in cases("available-package-patterns") {
        let (pattern, name) = (text(&case, "pattern"), text(&case, "name"));
        failures.compare(
            &format!("{name} in {pattern}"),
            pattern_matches(pattern, name),
            case["matches"].as_bool().unwrap(),
        );
    }
    failures.report();
}
