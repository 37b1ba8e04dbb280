//! Composer's strict validation of a composer.json (`ValidatingArrayLoader`), and which of its errors break clients.

mod code;
mod description;
mod link;
mod origin;

use super::manifest::Manifest;
use crate::{Timestamp, package::name, version::normalize};
use serde_json::Value;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, but something in it does not mean what its author thinks.
    Warning,
    /// Public registries refuse it.
    Error,
    /// Clients that are served this version give up the whole package: it must not be published.
    Fatal,
}

/// Something that is wrong with a composer.json.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// The way to the value, joined by dots: `require.psr/log`, `authors.0.email`.
    pub field: String,
    /// What is wrong and what to do.
    pub sentence: String,
}

/// Checks a composer.json as strictly as public registries do. Licences of releases older than eight days at `now` are
/// not looked at: the list of licences has changed since.
#[must_use]
pub fn check(manifest: &Manifest, now: Timestamp) -> Vec<Problem> {
    let mut check = Check { manifest, problems: Vec::new() };
    check.name();
    check.version();
    check.platform();
    check.description(now);
    check.people();
    check.links();
    check.code();
    check.origins();
    check.branch_aliases();
    check.problems
}

/// The first problem for which a client would give up the package, apart from what Stave says itself: name, version,
/// source and dist.
#[must_use]
pub fn unpublishable(manifest: &Manifest) -> Option<Problem> {
    let mut check = Check { manifest, problems: Vec::new() };
    check.links();
    check.code();
    check.problems.into_iter().find(|problem| problem.severity == Severity::Fatal)
}

struct Check<'a> {
    manifest: &'a Manifest,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    fn add(&mut self, severity: Severity, field: impl Into<String>, sentence: impl Into<String>) {
        self.problems.push(Problem { severity, field: field.into(), sentence: sentence.into() });
    }

    fn warning(&mut self, field: impl Into<String>, sentence: impl Into<String>) {
        self.add(Severity::Warning, field, sentence);
    }

    fn error(&mut self, field: impl Into<String>, sentence: impl Into<String>) {
        self.add(Severity::Error, field, sentence);
    }

    fn fatal(&mut self, field: impl Into<String>, sentence: impl Into<String>) {
        self.add(Severity::Fatal, field, sentence);
    }

    /// A text with something in it; another type is a problem of that severity.
    fn text(&mut self, field: &str, severity: Severity) -> Option<&'a str> {
        let value = self.manifest.get(field)?;
        if !value.is_string() {
            self.add(severity, field, format!("“{field}” is a text, not {}.", kind(value)));
        }
        value.as_str().filter(|text| !text.trim().is_empty())
    }

    /// The items of a list or an object with their names; another type is a problem of that severity.
    fn items(&mut self, field: &str, severity: Severity) -> Vec<(String, &'a Value)> {
        let Some(value) = self.manifest.get(field) else { return Vec::new() };
        if !is_php_array(value) {
            self.add(severity, field, format!("“{field}” is an object or a list, not {}.", kind(value)));
        }
        items_of(value)
    }

    fn name(&mut self) {
        match self.manifest.get("name") {
            Some(Value::String(name)) if !name.trim().is_empty() => {
                if let Err(problem) = name::check(name) {
                    self.error("name", problem.0);
                }
            }
            Some(value) if !value.is_string() => {
                self.fatal("name", format!("“name” is a text, not {}.", kind(value)));
            }
            _ => self.fatal("name", "“name” is missing. A package is called vendor/name."),
        }
    }

    fn version(&mut self) {
        match self.manifest.get("version") {
            None => self.fatal("version", "“version” is missing."),
            Some(value) if is_php_array(value) => {
                self.fatal("version", format!("“version” is a text, not {}.", kind(value)));
            }
            Some(_) => {
                if let Err(problem) = normalize(&self.manifest.version().unwrap_or_default()) {
                    self.fatal("version", problem.0);
                }
            }
        }
    }

    fn platform(&mut self) {
        let Some(platform) = self.manifest.get("config").and_then(|config| config.get("platform")) else {
            return;
        };
        for (name, version) in items_of(platform) {
            let field = format!("config.platform.{name}");
            match version {
                Value::Bool(false) => {}
                Value::String(version) => {
                    if let Err(problem) = normalize(version) {
                        self.error(field, problem.0);
                    }
                }
                other => {
                    self.error(field, format!("A platform version is a text or false, not {}.", kind(other)));
                }
            }
        }
    }
}

/// Lists and objects are one and the same to PHP.
fn is_php_array(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

fn items_of(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        Value::Object(items) => items.iter().map(|(key, item)| (key.clone(), item)).collect(),
        _ => Vec::new(),
    }
}

/// What a value is, in a sentence.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
