//! Large JSON of somebody else, of which only pieces are looked at: nothing here costs more than its bytes.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use std::{fmt, marker::PhantomData};

/// More names than any file has. What has more is no list of packages.
const MOST_NAMES: usize = 500_000;
/// More versions than any package has; what comes behind them is passed over.
pub(super) const MOST_VERSIONS: usize = 50_000;

/// An object by its keys, in its order, each value as the text that it is. PHP writes an empty object as `[]`.
#[derive(Debug, Clone)]
pub(super) struct Entries<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Entries<T> {
    pub(super) fn get(&self, name: &str) -> Option<&T> {
        // What comes twice counts as it stands the second time, as in PHP.
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    if entries.len() == MOST_NAMES {
                        return Err(A::Error::custom("more names than there are packages"));
                    }
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                match seq.next_element::<IgnoredAny>()? {
                    None => Ok(Entries::default()),
                    Some(_) => Err(A::Error::custom("a list, not an object")),
                }
            }
        }

        from.deserialize_any(Reader(PhantomData))
    }
}

/// The versions of a package: a list, or an object whose keys say nothing (`ComposerRepository::loadPackages`).
#[derive(Debug, Default)]
pub(super) struct Versions<'a> {
    pub(super) all: Vec<&'a RawValue>,
    /// How many there were besides.
    pub(super) more: usize,
}

impl<'a> Versions<'a> {
    fn add(&mut self, version: &'a RawValue) {
        if self.all.len() < MOST_VERSIONS {
            self.all.push(version);
        } else {
            self.more += 1;
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Versions<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Versions<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of versions")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut versions = Versions::default();
                while let Some((_, version)) = map.next_entry::<IgnoredAny, &'de RawValue>()? {
                    versions.add(version);
                }
                Ok(versions)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut versions = Versions::default();
                while let Some(version) = seq.next_element::<&'de RawValue>()? {
                    versions.add(version);
                }
                Ok(versions)
            }
        }

        from.deserialize_any(Reader)
    }
}

/// A piece as a type of ours; `None` if it is of another form.
pub(super) fn read<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// A text that is not empty.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}
