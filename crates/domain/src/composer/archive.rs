//! `archive.exclude` of composer.json: what is left out of a dist, on top of git's `export-ignore`.

use regex::bytes::{Regex, RegexBuilder};
use std::{iter::Peekable, str::Chars};

/// The patterns of `archive.exclude`, in their order (Composer: `BaseExcludeFilter`, Symfony's `Glob`).
#[derive(Debug, Clone, Default)]
pub struct Excludes {
    rules: Vec<(Regex, bool)>,
}

impl Excludes {
    /// Reads the patterns. One that makes no sense is passed over, as Composer does.
    pub fn parse<P: AsRef<str>>(patterns: &[P]) -> Self {
        Self { rules: patterns.iter().filter_map(|pattern| rule(pattern.as_ref())).collect() }
    }

    /// Whether a file (`src/A.php`) is left out; `None` if no pattern speaks of it. The last one that does decides, and
    /// one with `!` takes the file in again, even if git's attributes leave it out. Paths are bytes to git and to Composer.
    #[must_use]
    pub fn decide(&self, path: impl AsRef<[u8]>) -> Option<bool> {
        let path = [b"/", path.as_ref()].concat();
        self.rules
            .iter()
            .rev()
            .find(|(pattern, _)| pattern.is_match(&path))
            .map(|(_, is_excluded)| *is_excluded)
    }

    /// Whether there is nothing to decide.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// A pattern, and whether it excludes.
fn rule(pattern: &str) -> Option<(Regex, bool)> {
    let glob = pattern.trim_start_matches('!');
    let is_excluded = glob.len() == pattern.len();
    let start = match glob.find('/') {
        Some(0) => "^/",
        Some(at) if at + 1 < glob.len() => "",
        _ => "/",
    };
    let pattern = format!("{start}{}(?:$|/)", regex_of(glob.trim_matches('/')));
    RegexBuilder::new(&pattern).unicode(false).build().ok().map(|pattern| (pattern, is_excluded))
}

/// The glob as a regular expression: `*` and `?` match no slash, and no dot at the beginning of a name; `**` between
/// slashes is any number of folders; `{a,b}` is a choice; `[ab]` is passed on.
fn regex_of(glob: &str) -> String {
    let (mut regex, mut choices, mut begins_name) = (String::new(), 0_usize, true);
    let mut rest = glob.chars().peekable();
    while let Some(c) = rest.next() {
        let is_first = std::mem::replace(&mut begins_name, c == '/');
        match c {
            '/' if is_any_folders(rest.clone()) => {
                rest.nth(1);
                regex.push_str(if rest.next().is_some() {
                    "/(?:[^/.][^/]*/)*"
                } else {
                    "/(?:[^/.][^/]*/?)*"
                });
            }
            '*' | '?' => regex.push_str(&wildcards(c, &mut rest, is_first)),
            '{' => {
                choices += 1;
                regex.push_str("(?:");
            }
            '}' if choices > 0 => {
                choices -= 1;
                regex.push(')');
            }
            ',' if choices > 0 => regex.push('|'),
            '[' | ']' | '-' => regex.push(c),
            '\\' => regex.push_str(
                &rest.next().map(|c| regex::escape(c.encode_utf8(&mut [0; 4]))).unwrap_or_default(),
            ),
            _ => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex
}

/// A run of `*` and `?`, the first of which is read already.
fn wildcards(first: char, rest: &mut Peekable<Chars<'_>>, begins_name: bool) -> String {
    let more = std::iter::from_fn(|| rest.next_if(|c| matches!(c, '*' | '?')));
    let run: String = std::iter::once(first).chain(more).collect();
    let (singles, open_end) = (run.matches('?').count(), if run.contains('*') { "[^/]*" } else { "" });
    // What comes next could begin with the dot that a star must not match.
    let may_be_empty = rest.peek().is_some_and(|next| !".\\".contains(*next));
    match (begins_name, singles) {
        (false, _) => format!("{}{open_end}", "[^/]".repeat(singles)),
        (true, 0) if may_be_empty => "(?:[^/.][^/]*)?".to_owned(),
        (true, _) => format!("[^/.]{}{open_end}", "[^/]".repeat(singles.saturating_sub(1))),
    }
}

/// After a slash: two stars, then another slash or the end.
fn is_any_folders(mut rest: impl Iterator<Item = char>) -> bool {
    rest.next() == Some('*') && rest.next() == Some('*') && matches!(rest.next(), None | Some('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_as_composer_reads_them() {
        for (pattern, path, excluded) in [
            ("/tests", "tests/A.php", true),
            ("/tests", "src/tests/A.php", false),
            ("/tests", "testsuite/A.php", false),
            ("tests", "src/tests/A.php", true),
            ("docs/", "a/docs/b", true),
            ("docs/api", "mydocs/api/x", true),
            ("*.dist", "foo/a.dist", true),
            ("*.dist", ".dist", false),
            ("/*", ".github/ci.yml", false),
            ("/.*", ".github/ci.yml", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("?x", ".x", false),
            ("/a/**/z", "a/z", true),
            ("/a/**/z", "a/b/c/z/f", true),
            ("/a/**", "a/b/c", true),
            ("*.{md,txt}", "b/c.txt", true),
            ("[Tt]ests", "tests/x", true),
            ("a+b", "a+b", true),
            ("a.b", "axb", false),
            ("\\*", "*", true),
            ("README.MD", "README.md", false),
            ("[", "[", false),
        ] {
            assert_eq!(
                Excludes::parse(&[pattern]).decide(path).unwrap_or(false),
                excluded,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn the_last_pattern_decides() {
        let excludes = Excludes::parse(&["/docs", "!/docs/keep.md"]);
        assert_eq!(excludes.decide("docs/a.md"), Some(true));
        assert_eq!(excludes.decide("docs/keep.md"), Some(false));
        assert_eq!(excludes.decide("src/A.php"), None);
    }
}
