//! Values that take so many bytes at most. When there is no room, those go that were not asked for lately.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// Parts with a lock of their own, so that those who ask hardly ever wait for each other.
const PARTS: usize = 16;
/// What an entry takes besides its value and the bytes of its key, roughly.
const ENTRY_BYTES: usize = 160;

/// Values by key. Whoever asks takes a shared lock only; "lately" is a mark that a value gets when it is asked for and loses
/// when room is needed (the clock algorithm).
pub(crate) struct Shelf<K, V> {
    parts: Vec<RwLock<Part<K, V>>>,
    hasher: RandomState,
    /// What one part may hold.
    part_bytes: usize,
}

struct Part<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// Who goes next; it may name some that are gone.
    queue: VecDeque<K>,
    bytes: usize,
    /// How often something was taken away.
    removals: u64,
}

struct Entry<V> {
    value: V,
    bytes: usize,
    was_asked_for: AtomicBool,
}

/// What a shelf looked like before a value was read: if something is taken away meanwhile, the value may be older than that.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(u64);

impl<K, V> Shelf<K, V> {
    /// With room for so many bytes.
    pub(crate) fn of_bytes(most: usize) -> Self {
        let part = || Part { entries: HashMap::new(), queue: VecDeque::new(), bytes: 0, removals: 0 };
        let parts = (0..PARTS).map(|_| RwLock::new(part())).collect();
        Self { parts, hasher: RandomState::new(), part_bytes: most / PARTS }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Shelf<K, V> {
    pub(crate) fn find(&self, key: &K) -> Option<V> {
        let part = self.part(key).read().unwrap_or_else(PoisonError::into_inner);
        let entry = part.entries.get(key)?;
        // Most are marked already, and a write would take the line from the other cores.
        if !entry.was_asked_for.load(Ordering::Relaxed) {
            entry.was_asked_for.store(true, Ordering::Relaxed);
        }
        Some(entry.value.clone())
    }

    /// To be had before the value of a key is read.
    pub(crate) fn ticket(&self, key: &K) -> Ticket {
        Ticket(self.part(key).read().unwrap_or_else(PoisonError::into_inner).removals)
    }

    /// Keeps a value that takes so many bytes with its key, unless it alone is too large or may be out of date.
    pub(crate) fn put(&self, ticket: Ticket, key: K, value: V, bytes: usize) {
        let bytes = bytes + ENTRY_BYTES;
        let mut part = self.part(&key).write().unwrap_or_else(PoisonError::into_inner);
        if part.removals != ticket.0 || bytes > self.part_bytes {
            return;
        }
        part.bytes += bytes;
        let entry = Entry { value, bytes, was_asked_for: AtomicBool::new(false) };
        match part.entries.insert(key.clone(), entry) {
            Some(before) => part.bytes -= before.bytes,
            None => part.queue.push_back(key),
        }
        part.make_room(self.part_bytes);
    }

    /// Takes a value away, also one that is being read now.
    pub(crate) fn take_away(&self, key: &K) {
        let mut part = self.part(key).write().unwrap_or_else(PoisonError::into_inner);
        part.removals += 1;
        if let Some(gone) = part.entries.remove(key) {
            part.bytes -= gone.bytes;
        }
    }

    /// Takes everything away.
    pub(crate) fn clear(&self) {
        for part in &self.parts {
            let mut part = part.write().unwrap_or_else(PoisonError::into_inner);
            *part = Part {
                entries: HashMap::new(),
                queue: VecDeque::new(),
                bytes: 0,
                removals: part.removals + 1,
            };
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash do")]
    fn part(&self, key: &K) -> &RwLock<Part<K, V>> {
        &self.parts[self.hasher.hash_one(key) as usize % PARTS]
    }
}

impl<K: Clone + Eq + Hash, V> Part<K, V> {
    fn make_room(&mut self, most: usize) {
        while self.bytes > most
            && let Some(key) = self.queue.pop_front()
        {
            match self.entries.get(&key) {
                None => {}
                Some(entry) if entry.was_asked_for.swap(false, Ordering::Relaxed) => {
                    self.queue.push_back(key);
                }
                Some(_) => self.bytes -= self.entries.remove(&key).map_or(0, |gone| gone.bytes),
            }
        }
        // One that is taken away and put again stands in the queue twice.
        if self.queue.len() > 2 * self.entries.len() + PARTS {
            self.queue = self.entries.keys().cloned().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(shelf: &Shelf<u32, u32>, key: u32, bytes: usize) {
        shelf.put(shelf.ticket(&key), key, key, bytes);
    }

    /// How many of so many keys are there, and what they take.
    fn held(shelf: &Shelf<u32, u32>) -> (usize, usize) {
        let parts = shelf.parts.iter().map(|part| part.read().unwrap());
        parts.fold((0, 0), |(count, bytes), part| {
            assert_eq!(part.entries.values().map(|entry| entry.bytes).sum::<usize>(), part.bytes);
            assert!(part.queue.len() <= 2 * part.entries.len() + PARTS);
            (count + part.entries.len(), bytes + part.bytes)
        })
    }

    #[test]
    fn it_never_takes_more_than_its_room() {
        let most = 1024 * 1024;
        let shelf = Shelf::of_bytes(most);
        for key in 0..10_000 {
            put(&shelf, key, 1000);
            if key % 7 == 0 {
                shelf.take_away(&(key / 2));
                put(&shelf, key / 2, 500);
            }
        }
        let (count, bytes) = held(&shelf);
        assert!(bytes <= most && bytes > most / 2 && count > 400, "{count} {bytes}");
        put(&shelf, 0, most);
        assert!(held(&shelf).1 <= most, "what alone is too large is not kept");
        shelf.clear();
        assert_eq!(held(&shelf), (0, 0));
    }

    #[test]
    fn what_is_asked_for_stays() {
        let shelf = Shelf::of_bytes(1024 * 1024);
        put(&shelf, 0, 1000);
        for key in 1..50_000 {
            put(&shelf, key, 1000);
            assert_eq!(shelf.find(&0), Some(0), "{key}");
        }
        assert_eq!(shelf.find(&1), None);
    }

    #[test]
    fn what_was_taken_away_meanwhile_is_not_put_back() {
        let shelf = Shelf::of_bytes(1024 * 1024);
        let ticket = shelf.ticket(&1);
        shelf.take_away(&1);
        shelf.put(ticket, 1, 1, 10);
        assert_eq!(shelf.find(&1), None);
        let ticket = shelf.ticket(&1);
        shelf.clear();
        shelf.put(ticket, 1, 1, 10);
        assert_eq!(shelf.find(&1), None);
        put(&shelf, 1, 10);
        assert_eq!(shelf.find(&1), Some(1));
    }
}
