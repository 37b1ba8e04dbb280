//! Lists that are worked out once, for all of their pages: a workspace may have a million and a half permissions.

use std::{
    collections::HashMap,
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// A value that counts how often somebody may have changed it.
#[derive(Default)]
pub(crate) struct Counted<T> {
    value: T,
    changes: u64,
}

impl<T> Counted<T> {
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }
}

impl<T> Deref for Counted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Counted<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.changes += 1;
        &mut self.value
    }
}

/// Rows of lists, by what was asked for, as they were at one revision.
pub(crate) struct Lists<T> {
    revision: u64,
    rows: HashMap<String, Arc<Vec<T>>>,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { revision: 0, rows: HashMap::new() }
    }
}

impl<T> Lists<T> {
    /// The rows that were kept at this revision.
    pub(crate) fn find(&self, revision: u64, key: &str) -> Option<Arc<Vec<T>>> {
        self.rows.get(key).filter(|_| self.revision == revision).cloned()
    }

    /// Keeps rows, and forgets those of another revision.
    pub(crate) fn keep(&mut self, revision: u64, key: String, rows: Vec<T>) -> Arc<Vec<T>> {
        if self.revision != revision {
            self.rows.clear();
            self.revision = revision;
        }
        let rows = Arc::new(rows);
        self.rows.insert(key, Arc::clone(&rows));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_until_something_changes() {
        let mut names = Counted::<Vec<&str>>::default();
        names.push("ada");
        let mut lists = Lists::default();
        lists.keep(names.changes(), "all".to_owned(), names.clone());
        assert_eq!(lists.find(names.changes(), "all").as_deref(), Some(&vec!["ada"]));
        assert_eq!(lists.find(names.changes(), "other"), None);
        names.push("grace");
        assert_eq!(lists.find(names.changes(), "all"), None);
    }
}
