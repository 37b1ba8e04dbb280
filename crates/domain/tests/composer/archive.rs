//! What `archive.exclude` leaves out.

use crate::vector::{Failures, cases, text, whole};
use stave_domain::composer::Excludes;

#[test]
fn archive_excludes_are_those_of_composer() {
    let tree: Vec<String> = serde_json::from_value(whole("archive-exclude")["tree"].clone()).unwrap();
    let mut failures = Failures::default();
    for case in cases("archive-exclude") {
        let list = |key: &str| -> Vec<String> { serde_json::from_value(case[key].clone()).unwrap() };
        let excludes = Excludes::parse(&list("archive_exclude"));
        // Stave leaves .gitattributes to git. Composer reads it by a rule of its own, so that with attributes its answer
        // is only ours where git itself comes to the same: what git leaves out is then taken as given.
        let by_git = list("git_archive_excluded");
        let patterns_speak_alone =
            text(&case, "gitattributes").is_empty() && text(&case, "gitattributes_in_sub").is_empty();
        if !patterns_speak_alone && excludes.is_empty() {
            continue;
        }
        let left_out: Vec<String> = tree
            .iter()
            .filter(|path| excludes.decide(path).unwrap_or(by_git.contains(path)))
            .cloned()
            .collect();
        let (mut left_out, mut expected) = (left_out, list("composer_archive_excluded"));
        left_out.sort();
        expected.sort();
        failures.compare(text(&case, "name"), left_out, expected);
    }
    failures.report();
}
