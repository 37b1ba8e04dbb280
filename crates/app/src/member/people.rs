//! Looking for people in long lists.

/// People on one page of a list.
const PAGE: usize = 50;

/// Which people of an organization are looked for.
#[derive(Debug, Clone, Default)]
pub struct PeopleSearch {
    /// A part of a name; empty finds everybody.
    pub text: String,
    /// Counts from 0.
    pub page: usize,
}

/// A page of a list of people.
#[derive(Debug)]
pub struct PeoplePage<T> {
    /// Who is on it.
    pub lines: Vec<T>,
    /// How many were found in all.
    pub count: usize,
    /// Whether more follow.
    pub more: bool,
}

impl PeopleSearch {
    pub(super) fn finds<'a>(
        &self,
        names: impl IntoIterator<Item = &'a (impl AsRef<str> + ?Sized + 'a)>,
    ) -> bool {
        let text = self.text.trim().to_lowercase();
        text.is_empty() || names.into_iter().any(|name| name.as_ref().to_lowercase().contains(&text))
    }

    pub(crate) fn page_of<T>(&self, found: Vec<T>) -> PeoplePage<T> {
        let count = found.len();
        let start = self.page.saturating_mul(PAGE);
        let lines = found.into_iter().skip(start).take(PAGE).collect();
        PeoplePage { lines, count, more: start.saturating_add(PAGE) < count }
    }
}

impl<T> PeoplePage<T> {
    pub(super) fn map<U>(self, line: impl FnMut(T) -> U) -> PeoplePage<U> {
        PeoplePage { lines: self.lines.into_iter().map(line).collect(), count: self.count, more: self.more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_found_by_any_part_of_a_name_and_shown_in_pages() {
        let search = |text: &str, page| PeopleSearch { text: text.into(), page };
        assert!(search(" ADA ", 0).finds(["x", "Ada Lovelace"]));
        assert!(search("", 0).finds(["x"]));
        assert!(!search("grace", 0).finds(["ada", ""]));
        let many: Vec<usize> = (0..=PAGE).collect();
        let first = search("", 0).page_of(many.clone());
        assert_eq!((first.lines.len(), first.count, first.more), (PAGE, PAGE + 1, true));
        let second = search("", 1).page_of(many.clone());
        assert_eq!((second.lines, second.more), (vec![PAGE], false));
        assert_eq!(search("", usize::MAX).page_of(many).lines, Vec::<usize>::new());
    }
}
