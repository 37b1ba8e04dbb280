//! Taking over the `repositories` of a satis.json or a composer.json: what each of them becomes here.

use crate::{
    Invalid, Timestamp, mirror,
    package::{PackageName, definition::Definition},
    repository::SourceUrl,
    shortened,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use url::Url;

/// More repositories than this are not taken over at once.
const MOST_LINES: usize = 1_000;
/// What Composer reads with git; `vcs` may be another system, which its URL does not tell.
const GIT: [&str; 9] =
    ["vcs", "git", "github", "gitlab", "bitbucket", "git-bitbucket", "forgejo", "no-api", "bitbucket-git"];

/// A repository of the file, and what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLine {
    /// Where in the file it stands: `repositories.0`.
    pub place: String,
    /// What it is called there: its URL or the name of its package.
    pub title: String,
    /// What it becomes.
    pub what: Importable,
}

/// What a repository of the file becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Importable {
    /// A repository by URL.
    Repository(SourceUrl),
    /// A mirror.
    Mirror(Url),
    /// A custom package.
    Custom {
        /// What it is called.
        name: PackageName,
        /// Its JSON.
        text: String,
    },
    /// Nothing, and nothing is lost: why, in a sentence.
    Nothing(String),
    /// It cannot be taken over: why, and what to do, in a sentence.
    Refused(String),
}

impl Importable {
    /// The kind, for the report.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Repository(_) => "Repository by URL",
            Self::Mirror(_) => "Mirrored repository",
            Self::Custom { .. } => "Custom package",
            Self::Nothing(_) => "Nothing to do",
            Self::Refused(_) => "Not taken over",
        }
    }
}

/// Reads a satis.json or composer.json: a line for each of its repositories.
pub fn parse(text: &str, now: Timestamp) -> Result<Vec<ImportLine>, Invalid> {
    let wrong = |sentence: &str| Err(Invalid::because(sentence));
    if text.trim().is_empty() {
        return wrong("Paste a satis.json or composer.json, or choose the file.");
    }
    let file: Value = serde_json::from_str(text).map_err(|error| {
        Invalid::because(format!("This is not valid JSON: {}.", shortened(&error.to_string(), 200)))
    })?;
    let repositories = match file.get("repositories") {
        Some(Value::Array(list)) => list
            .iter()
            .enumerate()
            .map(|(at, entry)| (format!("repositories.{at}"), entry))
            .collect::<Vec<_>>(),
        Some(Value::Object(named)) => named
            .iter()
            .map(|(name, entry)| (format!("repositories.{}", shortened(name, 60)), entry))
            .collect(),
        Some(_) => return wrong("“repositories” is neither a list nor an object."),
        None if file.is_object() => {
            return wrong("There are no “repositories” in this file, so there is nothing to take over.");
        }
        None => return wrong("This is neither a satis.json nor a composer.json: those are JSON objects."),
    };
    if repositories.len() > MOST_LINES {
        return wrong("There are more than 1,000 repositories in this file. Split it into several.");
    }
    if repositories.is_empty() {
        return wrong("The list “repositories” is empty, so there is nothing to take over.");
    }
    Ok(repositories.into_iter().flat_map(|(place, entry)| lines(&place, entry, now)).collect())
}

fn lines(place: &str, entry: &Value, now: Timestamp) -> Vec<ImportLine> {
    let line =
        |title: &str, what| vec![ImportLine { place: place.to_owned(), title: shortened(title, 200), what }];
    let Value::Object(keys) = entry else {
        return match entry {
            Value::Bool(false) => line(place, switched_off()),
            _ => line(place, Importable::Refused("A repository is an object with “type” and “url”.".into())),
        };
    };
    if keys.len() == 1 && keys.values().all(|value| *value == Value::Bool(false)) {
        return line(keys.keys().next().map_or(place, String::as_str), switched_off());
    }
    let url = keys.get("url").and_then(Value::as_str).unwrap_or_default();
    match keys.get("type").and_then(Value::as_str).unwrap_or_default() {
        "package" => packages(place, keys, now),
        "composer" => line(url, mirror_of(url)),
        kind if GIT.contains(&kind) => line(url, repository_of(url)),
        kind => line(if url.is_empty() { place } else { url }, Importable::Refused(refusal(kind))),
    }
}

fn switched_off() -> Importable {
    Importable::Nothing("It is switched off in the file. What this organization may use is said under Settings > Mirrored repositories.".into())
}

fn repository_of(url: &str) -> Importable {
    match url.parse::<SourceUrl>() {
        Ok(source) => Importable::Repository(source),
        Err(Invalid(sentence)) => Importable::Refused(sentence),
    }
}

fn mirror_of(url: &str) -> Importable {
    match mirror::url_parse(url) {
        Ok(url) => Importable::Mirror(url),
        Err(Invalid(sentence)) => Importable::Refused(sentence),
    }
}

/// Versions may stand there of several packages: a line for each of them.
fn packages(place: &str, keys: &Map<String, Value>, now: Timestamp) -> Vec<ImportLine> {
    let versions = match keys.get("package") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let mut by_name: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for version in versions {
        let name = version.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        by_name.entry(name).or_default().push(version);
    }
    if by_name.is_empty() {
        by_name.insert(String::new(), Vec::new());
    }
    let lines = by_name.into_iter().map(|(name, versions)| {
        let text = format!("{:#}", json!(versions));
        let what = match Definition::parse(&text, now) {
            Ok(definition) => Importable::Custom { name: definition.name, text },
            Err(Invalid(sentence)) => Importable::Refused(sentence),
        };
        let title = if name.is_empty() { place.to_owned() } else { shortened(&name, 200) };
        ImportLine { place: place.to_owned(), title, what }
    });
    lines.collect()
}

fn refusal(kind: &str) -> String {
    match kind {
        "path" => "A path is a folder on the machine where Composer runs, which Stave cannot see. Put the package into a git repository.".into(),
        "artifact" => {
            "The archives are in a folder that Stave cannot see. Upload each of them: Add Package > Artifact, or by the API.".into()
        }
        "hg" | "svn" | "fossil" | "perforce" => {
            format!("Stave reads git, not {kind}. Convert the repository, or upload its releases as artifacts.")
        }
        "pear" => "Composer 2 knows no PEAR repositories any more.".into(),
        "" => "“type” is missing.".into(),
        other => format!("Stave knows no repositories of the type {}.", shortened(other, 40)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> Vec<String> {
        let lines = parse(text, Timestamp::UNIX_EPOCH).unwrap();
        let shown = lines.iter().map(|line| {
            let rest = match &line.what {
                Importable::Repository(source) => source.to_string(),
                Importable::Mirror(url) => url.to_string(),
                Importable::Custom { name, .. } => name.to_string(),
                Importable::Nothing(sentence) | Importable::Refused(sentence) => sentence.clone(),
            };
            format!("{} | {} | {} | {rest}", line.place, line.title, line.what.label())
        });
        shown.collect()
    }

    #[test]
    fn every_repository_has_a_line() {
        let satis = r#"{"name": "acme/satis", "require-all": true, "repositories": [
            {"type": "vcs", "url": "https://bitbucket.org/acme/mailer.git"},
            {"type": "git", "url": "git@bitbucket.org:acme/clock.git"},
            {"type": "composer", "url": "https://repo.example.com/"},
            {"type": "package", "package": [
                {"name": "acme/a", "version": "1.0", "dist": {"type": "zip", "url": "https://x.example/a.zip"}},
                {"name": "acme/b", "version": "1.0", "dist": {"type": "zip", "url": "https://x.example/b.zip"}}
            ]},
            {"type": "package", "package": {"name": "acme/c", "version": "1.0"}},
            {"type": "path", "url": "../lib"},
            {"type": "artifact", "url": "zips/"},
            {"type": "svn", "url": "https://svn.example.com/x"},
            {"packagist.org": false},
            {"url": "x"},
            7
        ]}"#;
        let report = report(satis);
        let expected = [
            "repositories.0 | https://bitbucket.org/acme/mailer.git | Repository by URL | https://bitbucket.org/acme/mailer.git",
            "repositories.1 | git@bitbucket.org:acme/clock.git | Repository by URL | ",
            "repositories.2 | https://repo.example.com/ | Mirrored repository | https://repo.example.com/",
            "repositories.3 | acme/a | Custom package | acme/a",
            "repositories.3 | acme/b | Custom package | acme/b",
            "repositories.4 | acme/c | Not taken over | dist: Say where its archive is",
            "repositories.5 | ../lib | Not taken over | A path is a folder",
            "repositories.6 | zips/ | Not taken over | The archives are in a folder",
            "repositories.7 | https://svn.example.com/x | Not taken over | Stave reads git, not svn.",
            "repositories.8 | packagist.org | Nothing to do | It is switched off",
            "repositories.9 | x | Not taken over | “type” is missing.",
            "repositories.10 | repositories.10 | Not taken over | A repository is an object",
        ];
        assert_eq!(report.len(), expected.len(), "{report:#?}");
        for (line, expected) in report.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line}\n{expected}");
        }
    }

    #[test]
    fn names_stand_for_numbers_in_a_composer_json() {
        let report = report(
            r#"{"repositories": {"mailer": {"type": "vcs", "url": "../mailer"}, "packagist.org": false}}"#,
        );
        assert!(report[0].starts_with("repositories.mailer | ../mailer | Not taken over | "), "{report:?}");
        assert!(
            report[1].starts_with("repositories.packagist.org | repositories.packagist.org | Nothing to do"),
            "{report:?}"
        );
    }

    #[test]
    fn what_is_no_such_file_is_refused_as_a_whole() {
        for (text, sentence) in [
            ("", "Paste a satis.json"),
            ("{", "This is not valid JSON"),
            ("[]", "This is neither a satis.json nor a composer.json"),
            ("{}", "There are no “repositories”"),
            (r#"{"repositories": []}"#, "is empty"),
            (r#"{"repositories": 7}"#, "neither a list nor an object"),
        ] {
            let problem = parse(text, Timestamp::UNIX_EPOCH).unwrap_err().to_string();
            assert!(problem.contains(sentence), "{text}: {problem}");
        }
    }
}
