//! What one person may do with the repositories of a workspace, in little space: an organization of 500 people and 3,000
//! repositories has a million and a half such rights.

/// What a person may do with a repository; each contains those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Read.
    Read = 1,
    /// Push.
    Write = 2,
    /// Administer.
    Admin = 3,
}

impl Level {
    /// The word on pages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

const LEVEL_BITS: u32 = 2;

/// Which repositories a person may read, by [number](super::KnownRepository::number), and what more they may do there.
///
/// Sorted; each entry is the number times four plus the level.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessSet(Vec<u32>);

impl AccessSet {
    /// The set of these rights; of several for one repository the highest counts.
    pub fn of(rights: impl IntoIterator<Item = (u32, Level)>) -> Self {
        let mut entries: Vec<u32> =
            rights.into_iter().map(|(number, level)| (number << LEVEL_BITS) | level as u32).collect();
        entries.sort_unstable_by(|a, b| b.cmp(a));
        entries.dedup_by_key(|entry| *entry >> LEVEL_BITS);
        entries.reverse();
        Self(entries)
    }

    /// What the person may do with a repository; `None` if they may not even read it.
    #[must_use]
    pub fn level(&self, number: u32) -> Option<Level> {
        let at = self.0.binary_search_by_key(&number, |entry| entry >> LEVEL_BITS).ok()?;
        Some(match self.0[at] & ((1 << LEVEL_BITS) - 1) {
            3.. => Level::Admin,
            2 => Level::Write,
            _ => Level::Read,
        })
    }

    /// Whether the person may read a repository.
    #[must_use]
    pub fn contains(&self, number: u32) -> bool {
        self.level(number).is_some()
    }

    /// How many repositories the person may read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same without these repositories, which are gone.
    #[must_use]
    pub fn without(&self, gone: &std::collections::BTreeSet<u32>) -> Self {
        Self(self.0.iter().copied().filter(|entry| !gone.contains(&(entry >> LEVEL_BITS))).collect())
    }

    /// As it is stored: four bytes per entry, the lowest first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|entry| entry.to_le_bytes()).collect()
    }

    /// What was stored; `None` if it cannot be.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (entries, rest) = bytes.as_chunks::<4>();
        let entries: Vec<u32> = entries.iter().map(|entry| u32::from_le_bytes(*entry)).collect();
        let is_sorted = entries.is_sorted_by(|a, b| a >> LEVEL_BITS < b >> LEVEL_BITS);
        let has_levels = entries.iter().all(|entry| entry & 3 != 0);
        (rest.is_empty() && is_sorted && has_levels).then_some(Self(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_right_counts() {
        let set = AccessSet::of([(7, Level::Read), (2, Level::Admin), (7, Level::Write), (7, Level::Read)]);
        assert_eq!(
            (set.level(2), set.level(7), set.level(3)),
            (Some(Level::Admin), Some(Level::Write), None)
        );
        assert_eq!(set.len(), 2);
        assert_eq!(set.without(&[2].into()), AccessSet::of([(7, Level::Write)]));
    }

    #[test]
    fn what_is_stored_comes_back() {
        let set = AccessSet::of((0..1000).map(|number| (number * 3, Level::Read)));
        assert_eq!(AccessSet::from_bytes(&set.to_bytes()), Some(set));
        assert_eq!(AccessSet::from_bytes(&[]), Some(AccessSet::default()));
        for broken in [vec![1, 0, 0], vec![4, 0, 0, 0], [[5, 0, 0, 0], [5, 0, 0, 0]].concat()] {
            assert_eq!(AccessSet::from_bytes(&broken), None, "{broken:?}");
        }
    }
}
