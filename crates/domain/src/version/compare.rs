//! Which of two versions is newer: PHP's `version_compare`, and Composer's rules for branches on top.

use std::cmp::Ordering;

/// The order of two normalized versions. Two branches (`dev-...`) have none among themselves and count as equal.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    if a.starts_with("dev-") && b.starts_with("dev-") { Ordering::Equal } else { compare_texts(a, b) }
}

/// The order of two normalized versions in a list: as [`compare`], but the branches that were once every repository's
/// default (`dev-master`, `dev-trunk`, `dev-default`) come after all numbers up to `9999999`.
#[must_use]
pub fn compare_in_list(a: &str, b: &str) -> Ordering {
    compare(former_default_branch(a), former_default_branch(b))
}

fn former_default_branch(version: &str) -> &str {
    if matches!(version, "dev-master" | "dev-trunk" | "dev-default") { "9999999-dev" } else { version }
}

/// `version_compare`: part by part, the missing parts of the shorter one counting as "end".
pub(super) fn compare_texts(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    let shared = a.iter().zip(&b).map(|(a, b)| compare_parts(a, b)).find(|order| order.is_ne());
    shared.unwrap_or_else(|| match (a.get(b.len()), b.get(a.len())) {
        (Some(more), _) => compare_with_end(more),
        (_, Some(more)) => compare_with_end(more).reverse(),
        (None, None) => Ordering::Equal,
    })
}

/// The runs of digits and the runs of letters; whatever else there is separates them.
fn parts(version: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for run in version.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| !run.is_empty()) {
        let mut start = 0;
        for at in 1..run.len() {
            if run.as_bytes()[at].is_ascii_digit() != run.as_bytes()[at - 1].is_ascii_digit() {
                parts.push(&run[start..at]);
                start = at;
            }
        }
        parts.push(&run[start..]);
    }
    parts
}

fn compare_parts(a: &str, b: &str) -> Ordering {
    match (is_number(a), is_number(b)) {
        (true, true) => number(a).cmp(&number(b)),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// One more part makes a version newer if it is a number; a word is weighed against "end".
fn compare_with_end(more: &str) -> Ordering {
    if is_number(more) { Ordering::Greater } else { rank(more).cmp(&NUMBER_OR_END) }
}

fn is_number(part: &str) -> bool {
    part.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

/// Saturates as C's `strtol` does.
fn number(part: &str) -> i64 {
    part.parse().unwrap_or(i64::MAX)
}

const NUMBER_OR_END: i8 = 4;

/// PHP's table of words, by their beginnings: `patch` ranks as `p`. Upper and lower case differ.
fn rank(part: &str) -> i8 {
    const WORDS: [(&str, i8); 9] = [
        ("dev", 0),
        ("alpha", 1),
        ("a", 1),
        ("beta", 2),
        ("b", 2),
        ("RC", 3),
        ("rc", 3),
        ("pl", 5),
        ("p", 5),
    ];
    if is_number(part) {
        return NUMBER_OR_END;
    }
    WORDS.iter().find(|(word, _)| part.starts_with(word)).map_or(-1, |(_, rank)| *rank)
}
