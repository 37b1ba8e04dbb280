//! `stave config show`: each key, its value, and where the value came from.

use super::{Config, Key};
use std::fmt::Write;

impl Config {
    /// One line per key: name, value, origin. Secrets are hidden.
    #[must_use]
    pub fn show(&self) -> String {
        let rows: Vec<_> =
            Key::ALL.into_iter().map(|key| (key.name(), self.shown(key), self.origin(key))).collect();
        let names = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
        let values = rows.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or_default();
        let mut table = String::new();
        for (name, value, origin) in rows {
            _ = writeln!(table, "{name:names$}  {value:values$}  {origin}");
        }
        table
    }

    fn shown(&self, key: Key) -> String {
        match self.given.get(&key) {
            Some(_) if key.is_secret() => "[hidden]".to_owned(),
            Some(given) => given.text.expose().to_owned(),
            None if key == Key::Url => self.public_url(self.listen).as_str().trim_end_matches('/').to_owned(),
            None => key.words().default.replace('`', ""),
        }
    }
}
