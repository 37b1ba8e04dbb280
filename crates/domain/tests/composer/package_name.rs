//! Names of packages and of the platform.

use crate::vector::{Failures, cases, list, text};
use stave_domain::package::{PackageName, name::is_platform};

#[test]
fn names_are_valid_by_the_strict_rule() {
    let mut failures = Failures::default();
    for case in cases("package-names") {
        let name = text(&case, "name");
        let (platform, valid) = (case["platform"].as_bool().unwrap(), case["valid"].as_bool().unwrap());
        failures.compare(name, is_platform(name), platform);
        // Names of the platform are valid requirements, but nobody can publish a package of that name.
        failures.compare(name, name.parse::<PackageName>().is_ok(), valid && !platform);
    }
    for case in list("package-names", "platform_names") {
        let name = text(&case, "name");
        failures.compare(name, is_platform(name), case["platform"].as_bool().unwrap());
    }
    failures.report();
}
