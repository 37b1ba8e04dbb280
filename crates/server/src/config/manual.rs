//! docs/configuration.md, made from the list of keys.

use super::Key;
use std::fmt::Write;

const OPENING: &str = "\
# Configuration

<!-- Made from crates/server/src/config/key.rs: change it there. A test says how to write this page again. -->

Stave runs without any configuration. What you want otherwise, you say in one of three places; the first one that says
something holds:

1. a flag: `stave serve --listen 0.0.0.0:8080`
2. an environment variable: `STAVE_LISTEN=0.0.0.0:8080`
3. a line in `stave.toml`: `listen = \"0.0.0.0:8080\"`

A key that Stave does not know is an error, in the file and in the environment, so a misspelt key cannot go unnoticed.
An environment variable that is set but empty counts as not given.

`stave config check` says what is wrong with a configuration. `stave config show` prints each value and the place that
gave it, and hides the secrets. Both take the same flags as `stave serve`.

| key | environment | default |
| --- | --- | --- |
";

/// The text of docs/configuration.md.
#[must_use]
pub fn manual() -> String {
    let mut page = OPENING.to_owned();
    for key in Key::ALL {
        let (name, variable, default) = (key.name(), key.variable(), key.words().default);
        _ = writeln!(page, "| [`{name}`](#{name}) | `{variable}` | {default} |");
    }
    for key in Key::ALL {
        section(&mut page, key);
    }
    page
}

fn section(page: &mut String, key: Key) {
    let words = key.words();
    let (first, rest) = words.about.split_once('\n').unwrap_or((words.about, ""));
    _ = write!(page, "\n## {}\n\n{first}\n\n{}\n\n", key.name(), rest.trim());
    if key.is_flag() {
        _ = writeln!(page, "- flag: `--{} <{}>`", key.name(), words.placeholder);
    }
    _ = writeln!(page, "- environment: `{}`", key.variable());
    if key.is_in_file() && !words.example.is_empty() {
        _ = writeln!(page, "- in the file: `{}`", words.example);
    }
    _ = writeln!(page, "- default: {}", words.default);
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn the_page_in_docs_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
        if std::env::var_os("STAVE_TEST_UPDATE").is_some() {
            fs::write(&path, super::manual()).unwrap();
        }
        let page = fs::read_to_string(&path).unwrap();
        assert!(
            page == super::manual(),
            "docs/configuration.md is old: run STAVE_TEST_UPDATE=1 scripts/test the_page_in_docs"
        );
    }
}
