//! Repositories of a workspace, as the platform lists them.

use crate::{Timestamp, repository::SourceUrl};

/// Longer names are cut.
const LONGEST_NAME_CHARS: usize = 200;

/// What a platform calls somebody or something, fit to be stored, shown and mailed: one line of bounded length, and nothing in
/// it that turns the reading direction of what stands behind it.
#[must_use]
pub fn name_read(name: &str) -> String {
    let turns = |c: &char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let shown = name.chars().filter(|c| !turns(c)).map(|c| if is_break(c) { ' ' } else { c });
    shown.take(LONGEST_NAME_CHARS).collect::<String>().trim().to_owned()
}

/// A repository as the platform knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteRepository {
    /// The platform's immutable id, as delivered.
    pub external_id: String,
    /// Its name in addresses.
    pub slug: String,
    /// As people write it.
    pub name: String,
    /// Cloud: the key of the project that it is in. Data Center: `None`, since the workspace is the project.
    pub project: Option<String>,
    /// Where git reads it, without a user.
    pub source: SourceUrl,
    /// The branch whose composer.json says what it is; `None` if it is empty, or (Data Center) if the list does not say.
    pub default_branch: Option<String>,
    /// Whether it is closed for changes.
    pub is_archived: bool,
    /// When it last changed, if the platform says so.
    pub changed_at: Option<Timestamp>,
}

/// Whether there is a composer.json in the root of the default branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manifest {
    /// Nobody looked yet, or it has changed since.
    Unknown,
    /// There is.
    Present,
    /// There is none.
    Absent,
}

/// What a person decided about one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Nothing: the [`Selection`](super::Selection) says whether it becomes a package.
    Selection,
    /// It is to be a package.
    Wanted,
    /// It is not: somebody deleted the package, or took it out.
    Unwanted,
}

/// What a synchronization remembers of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRepository {
    /// Small, unique in the synchronization, never used again: what [`AccessSet`](super::AccessSet) names it by.
    pub number: u32,
    /// What the platform said last.
    pub remote: RemoteRepository,
    /// Whether there is a composer.json.
    pub manifest: Manifest,
    /// When somebody looked.
    pub looked_at: Option<Timestamp>,
    /// Why nobody could, in a sentence.
    pub problem: Option<String>,
    /// What a person decided.
    pub choice: Choice,
    /// Since when the platform does not show it to a credential that may not see everything: deleted, or only hidden from it.
    pub missing_since: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line() {
        for (said, read) in [
            ("Ada Lovelace", "Ada Lovelace"),
            (" \u{645}\u{6cc}\u{200c}\u{62e} ", "\u{645}\u{6cc}\u{200c}\u{62e}"),
            ("Ada\r\nBcc: eve@example.com\u{0}", "Ada  Bcc: eve@example.com"),
            ("\u{202e}nimda\u{2066}\u{2028}x", "nimda x"),
            ("\n", ""),
        ] {
            assert_eq!(name_read(said), read, "{said:?}");
        }
        assert_eq!(name_read(&"é".repeat(10_000)).chars().count(), LONGEST_NAME_CHARS);
    }
}
