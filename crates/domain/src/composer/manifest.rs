//! composer.json at one commit.

use super::time;
use crate::{Timestamp, package::PackageName};
use serde_json::{Map, Value};
use std::str::FromStr;

/// The largest composer.json that is read, in bytes. Real ones have a few thousand.
pub const LARGEST_BYTES: usize = 1024 * 1024;
/// How deep objects and lists may be nested. PHP stops at 512; no real composer.json passes 20, and every level costs
/// whoever reads it a piece of its stack.
pub const DEEPEST: usize = 120;

/// composer.json at one commit: a JSON object with at least one key, in its own order.
#[derive(Debug, Clone)]
pub struct Manifest {
    keys: Map<String, Value>,
}

/// Why there is no usable composer.json. Its `Display` continues the words "composer.json".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestProblem {
    /// No such file in the top folder of the commit.
    #[error("is not there")]
    Absent,
    /// A folder, a symbolic link or a submodule.
    #[error("is not a file")]
    NotAFile,
    /// White space, `{}`, `[]` or a bare value: Composer passes over these in silence.
    #[error("has nothing in it")]
    Empty,
    /// Not an object.
    #[error("holds a list, not an object. Put the keys between “{{” and “}}”.")]
    NotAnObject,
    /// More than [`LARGEST_BYTES`].
    #[error("is larger than 1 MiB, which is the most that Stave reads. Make it smaller.")]
    TooLarge,
    /// More than [`DEEPEST`].
    #[error("is nested deeper than {DEEPEST} levels. Make it flatter.")]
    TooDeep,
    /// Not JSON.
    #[error("is not valid JSON: {problem} at line {line}, column {column}")]
    NotJson {
        /// What the parser missed.
        problem: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
}

impl Manifest {
    /// Reads the bytes of a composer.json. What comes twice counts as it stands the second time, as in PHP.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestProblem> {
        if bytes.len() > LARGEST_BYTES {
            return Err(ManifestProblem::TooLarge);
        }
        if bytes.trim_ascii().is_empty() {
            return Err(ManifestProblem::Empty);
        }
        if nesting(bytes) > DEEPEST {
            return Err(ManifestProblem::TooDeep);
        }
        match serde_json::from_slice(bytes).map_err(|error| not_json(&error))? {
            Value::Object(keys) if !keys.is_empty() => Ok(Self { keys }),
            Value::Array(items) if !items.is_empty() => Err(ManifestProblem::NotAnObject),
            _ => Err(ManifestProblem::Empty),
        }
    }

    /// The value of a key. `null` counts as absent, as it does for PHP's `isset`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.keys.get(key).filter(|value| !value.is_null())
    }

    /// A text that is not empty.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// All keys, in their order.
    #[must_use]
    pub fn keys(&self) -> &Map<String, Value> {
        &self.keys
    }

    /// The same, given back.
    #[must_use]
    pub(crate) fn into_keys(self) -> Map<String, Value> {
        self.keys
    }

    /// The name as it is written; it may be no valid one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.text("name")
    }

    /// One line about the package; may be empty. Control characters, which no page and no database wants, are gone.
    #[must_use]
    pub fn description(&self) -> String {
        self.text("description").unwrap_or_default().replace(char::is_control, " ").trim().to_owned()
    }

    /// Whether the package is abandoned; `Some("")` is abandoned without replacement.
    #[must_use]
    pub fn abandoned(&self) -> Option<String> {
        match self.get("abandoned")? {
            Value::Bool(true) => Some(String::new()),
            Value::String(replacement) if !replacement.is_empty() => {
                Some(replacement.replace(char::is_control, " "))
            }
            _ => None,
        }
    }

    /// When the version says it was released, to the second, if it says so in a way that can be understood and believed:
    /// nothing was released before 1970.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        let second = match self.get("time")? {
            Value::Number(second) => second.as_i64()?,
            Value::String(text) => time::parse(text)?.as_second(),
            _ => return None,
        };
        Timestamp::from_second(second).ok().filter(|_| second > 0)
    }

    /// The patterns of `archive.exclude`: what is left out of the dist.
    #[must_use]
    pub fn archive_excludes(&self) -> Vec<String> {
        let patterns =
            self.get("archive").and_then(|archive| archive.get("exclude")).and_then(Value::as_array);
        patterns.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The version that composer.json itself names. PHP turns numbers into text, so does this.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        Some(match self.get("version")? {
            Value::String(version) => version.clone(),
            Value::Bool(true) => "1".to_owned(),
            Value::Bool(false) => String::new(),
            other => other.to_string(),
        })
    }

    /// The same file with other keys, to be checked as a client would see it.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.keys.insert(key.to_owned(), value.into());
        self
    }

    /// What is served of it under a name, as JSON text. See [`super::served`].
    #[must_use]
    pub fn served(&self, name: &PackageName) -> String {
        Value::Object(super::served::keys(self, name)).to_string()
    }
}

impl From<Map<String, Value>> for Manifest {
    /// What another registry says of a version. It may have nothing in it.
    fn from(keys: Map<String, Value>) -> Self {
        Self { keys }
    }
}

impl FromStr for Manifest {
    type Err = ManifestProblem;

    fn from_str(text: &str) -> Result<Self, ManifestProblem> {
        Self::parse(text.as_bytes())
    }
}

fn not_json(error: &serde_json::Error) -> ManifestProblem {
    let (line, column) = (error.line(), error.column());
    let whole = error.to_string();
    let problem =
        whole.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&whole).to_owned();
    ManifestProblem::NotJson { problem, line, column }
}

/// How deep the brackets outside of strings are nested.
fn nesting(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_manifest_is_told_in_a_sentence() {
        let nested = |levels: usize| format!("{{\"extra\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        for (text, sentence) in [
            ("  \n", "has nothing in it"),
            ("{}", "has nothing in it"),
            ("[]", "has nothing in it"),
            ("\"text\"", "has nothing in it"),
            ("7", "has nothing in it"),
            ("null", "has nothing in it"),
            ("[1]", "holds a list, not an object. Put the keys between “{” and “}”."),
            ("{\"a\":\n  oops}", "is not valid JSON: expected value at line 2, column 3"),
            ("{", "is not valid JSON: EOF while parsing an object at line 1, column 1"),
            (&nested(10_000), "is nested deeper than 120 levels. Make it flatter."),
            (&"[".repeat(1_000_000), "is nested deeper than 120 levels. Make it flatter."),
            (
                &" ".repeat(LARGEST_BYTES + 1),
                "is larger than 1 MiB, which is the most that Stave reads. Make it smaller.",
            ),
        ] {
            let problem = text.parse::<Manifest>().unwrap_err();
            assert_eq!(problem.to_string(), sentence, "{}", text.chars().take(40).collect::<String>());
        }
        assert!(nested(DEEPEST - 1).parse::<Manifest>().is_ok());
        assert!(nested(DEEPEST).parse::<Manifest>().is_err());
        assert!(Manifest::parse(b"{\"name\": \"\xff\"}").is_err());
    }

    #[test]
    fn brackets_in_strings_do_not_nest() {
        let text = format!("{{\"description\": \"{}\\\"{}\"}}", "[".repeat(500), "{".repeat(500));
        assert!(text.parse::<Manifest>().is_ok());
    }

    #[test]
    fn what_it_says_about_itself() {
        let text = r#"{"name": "acme/lib", "description": " a\u0000b\nc ", "abandoned": true, "version": 5, "time": "0",
            "archive": {"exclude": ["/docs", 7]}}"#;
        let manifest: Manifest = text.parse().unwrap();
        assert_eq!(manifest.name(), Some("acme/lib"));
        assert_eq!(manifest.description(), "a b c");
        assert_eq!(manifest.abandoned(), Some(String::new()));
        assert_eq!(manifest.version(), Some("5".to_owned()));
        assert_eq!(manifest.time(), None);
        for (time, second) in [
            ("\"2024-03-01T10:00:00.75Z\"", Some(1_709_287_200)),
            ("1700000000", Some(1_700_000_000)),
            ("\"1969-01-01\"", None),
        ] {
            let manifest: Manifest = format!("{{\"time\": {time}}}").parse().unwrap();
            assert_eq!(manifest.time().map(Timestamp::as_second), second, "{time}");
        }
        assert_eq!(manifest.archive_excludes(), ["/docs"]);
    }
}
