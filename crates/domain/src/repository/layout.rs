//! Where in a repository the packages are: at its root, or in the folders that patterns name.

use crate::Invalid;
use globset::{Glob, GlobBuilder, GlobSet};
use std::{fmt, str::FromStr};

/// Where in a repository a composer.json makes a package. As text: one pattern per line, with a `!` before one that takes
/// folders out again; the root alone is the empty text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Layout {
    /// At the root: the repository is one package.
    #[default]
    Root,
    /// In the folders that these name; at least one.
    Paths(Vec<PathPattern>),
}

/// Patterns of one repository.
const MOST_PATTERNS: usize = 100;

impl Layout {
    /// The folders that this layout names, ready to be asked about many.
    #[must_use]
    pub fn folders(&self) -> Folders {
        match self {
            Self::Root => Folders::of(&[PathPattern::root()]),
            Self::Paths(patterns) => Folders::of(patterns),
        }
    }

    /// The same without one folder.
    #[must_use]
    pub fn without(&self, folder: &str) -> Self {
        let mut patterns = match self {
            Self::Root => vec![PathPattern::root()],
            Self::Paths(patterns) => patterns.clone(),
        };
        let glob = if folder.is_empty() { ROOT.to_owned() } else { globset::escape(folder) };
        patterns.push(PathPattern { glob, excludes: true });
        Self::Paths(patterns)
    }
}

impl FromStr for Layout {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut patterns = lines.map(str::parse).collect::<Result<Vec<PathPattern>, _>>()?;
        if patterns.len() > MOST_PATTERNS {
            return Err(Invalid::because(format!(
                "There are at most {MOST_PATTERNS} paths. A * stands for any folder: packages/*."
            )));
        }
        patterns.dedup();
        if patterns.iter().all(|pattern| *pattern == PathPattern::root()) {
            return Ok(Self::Root);
        }
        if patterns.iter().all(|pattern| pattern.excludes) {
            return Err(Invalid::because(
                "A path with ! takes folders out again. Name some before: packages/*.",
            ));
        }
        // That each is good does not say that all of them together are not too much.
        GlobSet::new(patterns.iter().filter_map(|it| glob(&it.glob).ok()))
            .map_err(|_| Invalid::because("These patterns are too complicated together. Write fewer."))?;
        Ok(Self::Paths(patterns))
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Paths(patterns) = self else { return Ok(()) };
        let lines: Vec<_> = patterns.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// A folder or a pattern of folders, such as `packages/*`: `*` and `?` match no slash, `**` between slashes any number of
/// folders, `[a-c]` and `[^a]` one character, `{x,y}` a choice. The root is `.`. One that begins with `!` takes folders out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    glob: String,
    excludes: bool,
}

const LONGEST_BYTES: usize = 500;
const ROOT: &str = ".";

impl PathPattern {
    fn root() -> Self {
        Self { glob: ROOT.to_owned(), excludes: false }
    }
}

impl FromStr for PathPattern {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (excludes, typed) = match text.trim().strip_prefix('!') {
            Some(excluded) => (true, excluded.trim()),
            None => (false, text.trim()),
        };
        if typed.len() > LONGEST_BYTES || typed.contains(char::is_control) {
            return Err(Invalid::because(format!(
                "A path has at most {LONGEST_BYTES} characters and no control characters."
            )));
        }
        // People name the file as often as its folder.
        let folder = typed.strip_suffix("composer.json").filter(|it| it.is_empty() || it.ends_with('/'));
        let folder = folder.unwrap_or(typed);
        let folder = folder.strip_prefix("./").unwrap_or(folder).trim_matches('/');
        if folder.is_empty() || folder == ROOT {
            return Ok(Self { excludes, ..Self::root() });
        }
        if folder.split('/').any(|name| matches!(name, "" | "." | "..")) {
            return Err(Invalid::because(format!(
                "“{typed}” is not a path inside the repository. Leave out dots and double slashes: packages/mailer."
            )));
        }
        glob(folder).map_err(|error| {
            Invalid::because(format!(
                "“{typed}” is not a pattern: {}. One looks like packages/*.",
                error.kind()
            ))
        })?;
        Ok(Self { glob: folder.to_owned(), excludes })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.excludes { "!" } else { "" }, self.glob)
    }
}

/// The folders that a layout names.
#[derive(Debug, Clone)]
pub struct Folders {
    has_root: bool,
    named: GlobSet,
    taken_out: GlobSet,
}

impl Folders {
    fn of(patterns: &[PathPattern]) -> Self {
        let root = |excludes| patterns.iter().any(|it| it.glob == ROOT && it.excludes == excludes);
        let set = |excludes| {
            let globs = patterns.iter().filter(|it| it.excludes == excludes && it.glob != ROOT);
            // A layout has been checked: they are good, also together.
            GlobSet::new(globs.filter_map(|it| glob(&it.glob).ok())).unwrap_or_else(|_| GlobSet::empty())
        };
        Self { has_root: root(false) && !root(true), named: set(false), taken_out: set(true) }
    }

    /// Whether a folder (`packages/mailer`, the root is empty) is named.
    #[must_use]
    pub fn contains(&self, folder: &str) -> bool {
        match folder {
            "" => self.has_root,
            _ => self.named.is_match(folder) && !self.taken_out.is_match(folder),
        }
    }
}

fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(true).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_a_layout_names() {
        for (layout, folder, is_named) in [
            ("", "", true),
            ("", "packages/a", false),
            (".", "", true),
            ("composer.json", "", true),
            ("packages/a", "packages/a", true),
            ("packages/a/", "packages/a", true),
            ("/packages/a", "packages/a", true),
            ("./packages/a/composer.json", "packages/a", true),
            ("packages/a", "packages/ab", false),
            ("packages/*", "packages/a", true),
            ("packages/*", "packages", false),
            ("packages/*", "packages/a/b", false),
            ("packages/*", "", false),
            ("packages/**/lib", "packages/lib", true),
            ("packages/**/lib", "packages/a/b/lib", true),
            ("packages/**", "packages/a/b", true),
            ("**/lib", "lib", true),
            ("lib-?", "lib-a", true),
            ("lib-?", "lib-/", false),
            ("lib-[a-c]", "lib-b", true),
            ("lib-[a-c]", "lib-d", false),
            ("lib-[^a]", "lib-b", true),
            ("lib-[^a]", "lib-a", false),
            ("{lib,src}/x", "src/x", true),
            ("{lib,src}/x", "app/x", false),
            ("a\r\n\r\n b \n.", "b", true),
            ("a\r\n\r\n b \n.", "", true),
            ("Lib", "lib", false),
            ("a/*\n!a/b", "a/c", true),
            ("a/*\n! a/b/composer.json", "a/b", false),
            ("a/*\n.\n!.", "", false),
        ] {
            let folders = layout.parse::<Layout>().unwrap().folders();
            assert_eq!(folders.contains(folder), is_named, "{layout:?} {folder:?}");
        }
    }

    #[test]
    fn a_layout_reads_back() {
        for (typed, kept) in
            [("", ""), (".\n./", ""), ("/a/*/ \n\n.", "a/*\n."), ("a\na\nb/composer.json\n!a", "a\nb\n!a")]
        {
            let layout: Layout = typed.parse().unwrap();
            assert_eq!(layout.to_string(), kept, "{typed:?}");
            assert_eq!(kept.parse::<Layout>().unwrap(), layout);
        }
    }

    #[test]
    fn what_is_refused_and_why() {
        let many = "a\nb\n".repeat(MOST_PATTERNS);
        for (typed, part) in [
            ("../x", "not a path inside"),
            ("a//b", "not a path inside"),
            ("a/./b", "not a path inside"),
            ("a[", "not a pattern"),
            ("{a,b", "not a pattern"),
            ("a\tb", "control characters"),
            ("!a", "Name some before"),
            (many.as_str(), "at most 100 paths"),
        ] {
            let invalid = typed.parse::<Layout>().expect_err(typed);
            assert!(invalid.0.contains(part), "{typed}: {invalid}");
        }
    }

    #[test]
    fn a_folder_can_be_taken_out() {
        for (layout, folder, kept) in [
            ("", "", ".\n!."),
            ("lib/*", "lib/a", "lib/*\n!lib/a"),
            ("lib/*", "lib/[a]", "lib/*\n!lib/[[]a[]]"),
        ] {
            let without = layout.parse::<Layout>().unwrap().without(folder);
            assert_eq!(without.to_string(), kept);
            assert_eq!(kept.parse::<Layout>().unwrap(), without);
            assert!(!without.folders().contains(folder), "{layout} {folder}");
        }
    }
}
