//! Where values come from: flags before the environment, the environment before the TOML file.

use super::{ConfigError, Key};
use stave_domain::Secret;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};
use toml::de::{DeTable, DeValue};

/// The place that gave a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// A line of the TOML file, counted from 1.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "file {} line {line}", path.display()),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::Flag(flag) => write!(f, "flag --{flag}"),
        }
    }
}

/// A value as it was given, not yet understood. The items of a list are joined by commas.
#[derive(Debug, Clone)]
pub struct Given {
    /// Any of them may be a secret, so none can be printed.
    pub(super) text: Secret,
    pub(super) origin: Origin,
}

impl Given {
    fn new(text: String, origin: Origin) -> Self {
        Self { text: Secret::new(text), origin }
    }
}

/// What the three places gave, the strongest first for each key.
pub(super) struct Sources {
    pub(super) given: BTreeMap<Key, Given>,
}

impl Sources {
    /// Gathers all values; complains of everything that is no key.
    pub(super) fn gather(
        flags: BTreeMap<Key, String>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut given = BTreeMap::new();
        for (key, text) in flags {
            let origin = Origin::Flag(key.name().to_owned());
            given.insert(key, Given::new(text, origin));
        }
        for (key, found) in environment(variables, &mut problems) {
            given.entry(key).or_insert(found);
        }
        for (key, found) in file(given.get(&Key::Config), &mut problems) {
            given.entry(key).or_insert(found);
        }
        ConfigError::unless_empty(problems)?;
        Ok(Self { given })
    }
}

/// Variables that are set but empty count as not given: compose files write them so.
fn environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    problems: &mut Vec<String>,
) -> BTreeMap<Key, Given> {
    let mut given = BTreeMap::new();
    for (variable, value) in variables {
        let variable = variable.to_string_lossy().into_owned();
        if !variable.starts_with("STAVE_") || variable.starts_with("STAVE_TEST_") || value.is_empty() {
            continue;
        }
        let Some(key) = Key::ALL.into_iter().find(|key| key.variable() == variable) else {
            problems.push(format!(
                "Stave knows no environment variable {variable}. It knows {}. Correct the name, or unset the variable.",
                names(Key::ALL.into_iter().map(Key::variable))
            ));
            continue;
        };
        match value.into_string() {
            Ok(text) => {
                given.insert(key, Given::new(text, Origin::Environment(variable)));
            }
            Err(_) => {
                problems
                    .push(format!("The environment variable {variable} is not UTF-8 text. Set it again."));
            }
        }
    }
    given
}

fn file(named: Option<&Given>, problems: &mut Vec<String>) -> BTreeMap<Key, Given> {
    let path = named.map_or_else(|| PathBuf::from("stave.toml"), |given| PathBuf::from(given.text.expose()));
    match std::fs::read_to_string(&path) {
        Ok(text) => table(&path, &text, problems),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
        Err(error) => {
            problems.push(format!("The configuration file {} cannot be read: {error}.", path.display()));
            BTreeMap::new()
        }
    }
}

fn table(path: &Path, text: &str, problems: &mut Vec<String>) -> BTreeMap<Key, Given> {
    let line_of =
        |offset: usize| text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1;
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let origin = Origin::File {
                path: path.to_owned(),
                line: line_of(error.span().map_or(0, |span| span.start)),
            };
            problems.push(format!("{origin}: this is not TOML: {}.", error.message()));
            return BTreeMap::new();
        }
    };
    let mut given = BTreeMap::new();
    for (name, value) in table {
        let origin = Origin::File { path: path.to_owned(), line: line_of(name.span().start) };
        let found = key_in_file(name.get_ref()).and_then(|key| Ok((key, text_of(key, value.get_ref())?)));
        match found {
            Ok((key, text)) => {
                given.insert(key, Given::new(text, origin));
            }
            Err(sentence) => problems.push(format!("{origin}: {sentence}")),
        }
    }
    given
}

fn key_in_file(name: &str) -> Result<Key, String> {
    let keys = Key::ALL.into_iter().filter(|key| key.is_in_file());
    keys.clone().find(|key| key.name() == name).ok_or_else(|| {
        let known = names(keys.map(|key| key.name().to_owned()));
        format!("Stave knows no key `{name}`. It knows {known}. Correct the name, or remove the line.")
    })
}

fn text_of(key: Key, value: &DeValue<'_>) -> Result<String, String> {
    let items = match value {
        DeValue::Array(items) if key.is_list() => items.iter().map(|item| item.get_ref().as_str()).collect(),
        value => value.as_str().map(|text| vec![text]),
    };
    let kind = if key.is_list() { "a list of texts" } else { "a text" };
    items
        .map(|items: Vec<&str>| items.join(","))
        .ok_or_else(|| format!("`{}` is {kind} in quotes, such as: {}", key.name(), key.words().example))
}

fn names(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
