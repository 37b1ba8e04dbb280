//! How a synchronization fares, in words.

use stave_app::{FollowedLine, RepositoryState, SynchronizationLine};
use stave_domain::{organization::Role, synchronization::Manifest};

/// In a word or two, and the tone of its badge.
pub(super) fn badge(line: &SynchronizationLine) -> (&'static str, &'static str) {
    let condition = &line.condition;
    match () {
        () if line.running().is_some() => ("running", "busy"),
        () if line.is_busy => ("waiting", "busy"),
        () if condition.failing_since.is_some() => ("failing", "bad"),
        () if line.is_draft() => ("not started", "warn"),
        () if !condition.notes.is_empty() => ("with remarks", "warn"),
        () if condition.succeeded_at.is_some() => ("in order", "good"),
        () => ("waiting", ""),
    }
}

/// Where its webhooks are.
pub(super) fn webhooks(line: &SynchronizationLine) -> String {
    let in_repositories = line.webhooks.iter().filter(|webhook| webhook.number.is_some()).count();
    match () {
        () if line.is_draft() => "none yet".into(),
        () if !line.synchronization.has_webhooks && line.webhooks.is_empty() => "switched off".into(),
        () if line.webhooks.len() > in_repositories => "one for everything".into(),
        () if in_repositories != 0 => counted(&in_repositories, "repository", "repositories"),
        () => "none yet".into(),
    }
}

/// `1 person`, `2 people`.
pub(super) fn counted(count: &impl ToString, one: &str, many: &str) -> String {
    let count = count.to_string();
    format!("{count} {}", if count == "1" { one } else { many })
}

/// What somebody is; `None` is no member.
pub(super) fn role(role: Option<&Role>) -> &'static str {
    role.map_or("no member", |role| role.key())
}

/// What a repository is here, in a few words, and the tone of its badge.
pub(super) fn state(line: &FollowedLine) -> (&'static str, &'static str) {
    match line.state {
        RepositoryState::Package => ("package", "good"),
        RepositoryState::TakenOut => ("taken out", "warn"),
        RepositoryState::NotChosen => ("not chosen", ""),
        RepositoryState::NoManifest => ("no composer.json", ""),
        RepositoryState::Unknown => ("not looked at yet", "busy"),
    }
}

/// Why it is that, in a sentence; empty where the state says it all.
pub(super) fn why(line: &FollowedLine) -> &'static str {
    if line.known.missing_since.is_some() {
        return "Bitbucket does not show it to these rights any more, which do not see everything there. After a day it counts as deleted.";
    }
    match (line.state, line.known.manifest) {
        (RepositoryState::Package, Manifest::Absent) => {
            "Its composer.json is not at the root of the default branch now. What is published stays."
        }
        (RepositoryState::Package | RepositoryState::Unknown, _) => "",
        (RepositoryState::TakenOut, _) => {
            "Somebody took it out or deleted its package. It does not come back by itself."
        }
        (RepositoryState::NotChosen, Manifest::Present) => {
            "It has a composer.json, but is not among the repositories that are chosen."
        }
        (RepositoryState::NotChosen, _) => "It is not among the repositories that are chosen.",
        (RepositoryState::NoManifest, _) => {
            "There is none at the root of its default branch. If its packages are in folders: add it, then name their paths."
        }
    }
}

/// How a filter of repositories is called.
pub(super) fn filter(key: &str) -> &'static str {
    match key {
        "packages" => "Packages",
        "no-composer-json" => "Without composer.json",
        "not-chosen" => "Not chosen",
        "taken-out" => "Taken out",
        "not-looked-at" => "Not looked at yet",
        "problem" => "With a problem",
        _ => "All repositories",
    }
}
