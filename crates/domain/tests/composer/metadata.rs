//! Minified metadata.

use crate::vector::{Failures, cases, text};
use stave_domain::composer::metadata::{Keys, expand, minify};

#[test]
fn metadata_is_minified_and_expanded() {
    let mut failures = Failures::default();
    for case in cases("metadata-minify") {
        let name = text(&case, "name");
        let list = |key: &str| -> Vec<Keys> { serde_json::from_value(case[key].clone()).unwrap() };
        failures.compare(name, expand(&list("minified")), list("expanded"));
        if case.get("versions").is_some() {
            failures.compare(name, minify(&list("versions")), list("minified"));
            let is_lossless = expand(&minify(&list("versions"))) == list("versions");
            failures.compare(name, is_lossless, case["lossless"].as_bool().unwrap());
        }
    }
    failures.report();
}
