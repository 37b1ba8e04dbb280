//! How a mirror fares and what it offers, in words.

use stave_app::MirrorLine;
use stave_domain::mirror::{
    Adds, MirrorRoot,
    root::{Available, Files},
};

/// Whether it is being read for the first time: then the page looks again soon.
pub(super) fn is_first_read(line: &MirrorLine) -> bool {
    line.is_busy && line.mirror.root.is_none() && line.mirror.last_error.is_none()
}

/// A few words and their tone.
pub(super) fn badge(line: &MirrorLine) -> (&'static str, &'static str) {
    let mirror = &line.mirror;
    match (mirror.adds, &mirror.root, &mirror.last_error) {
        (Adds::Disabled, _, _) => ("Disabled", ""),
        (_, None, Some(_)) => ("Cannot be read", "bad"),
        (_, Some(_), Some(_)) => ("Cannot be read now", "warn"),
        (_, None, None) => ("Not read yet", if line.is_busy { "busy" } else { "" }),
        (_, Some(_), None) => ("Works", "good"),
    }
}

/// `1 package`, `2 packages`.
pub(super) fn packages(count: u64) -> String {
    if count == 1 { "1 package".to_owned() } else { format!("{count} packages") }
}

/// What a Composer repository says of itself: labels and sentences.
pub(super) fn offers(root: &MirrorRoot) -> Vec<(&'static str, String)> {
    let speaks = match root.files {
        Files::Metadata(_) => "Composer 2",
        Files::Lazy(_) | Files::Hashed(_) => "Composer 1 only: what it has is converted",
        Files::Here { .. } => "all packages in packages.json",
    };
    let names = match &root.available {
        Some(Available { names, patterns }) if patterns.is_empty() => {
            format!("{} are listed, and no others are asked for", packages(names.len() as u64))
        }
        Some(Available { names, patterns }) if names.is_empty() => {
            format!("those that fit {}", shown(patterns))
        }
        Some(Available { names, patterns }) => {
            format!("{} and those that fit {}", packages(names.len() as u64), shown(patterns))
        }
        None if matches!(root.files, Files::Here { has_includes: false }) => {
            packages(root.inline.len() as u64)
        }
        None => "it does not list them: it is asked for each name".to_owned(),
    };
    let changes = if root.changes_url.is_some() {
        "it tells what has changed: asked every two minutes"
    } else {
        "each package is compared every 12 hours"
    };
    let advisories = if root.advisories.is_some() { "yes" } else { "no" };
    let lists = root.filter.as_ref().map_or_else(|| "none".to_owned(), |filter| filter.lists.join(", "));
    vec![
        ("Speaks", speaks.to_owned()),
        ("Packages there", names),
        ("Changes", changes.to_owned()),
        ("Security advisories", advisories.to_owned()),
        ("Lists of bad versions", lists),
    ]
}

/// The first patterns: some have hundreds.
fn shown(patterns: &[String]) -> String {
    let first = patterns.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    match patterns.len().saturating_sub(5) {
        0 => first,
        more => format!("{first} and {more} more patterns"),
    }
}
