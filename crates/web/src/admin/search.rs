//! The query of a list that can be searched and has pages.

use url::form_urlencoded::Serializer;

/// `?q=&page=`; a page that is no number is the first one.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Search {
    /// What is looked for.
    pub(super) q: String,
    page: String,
}

impl Search {
    /// Counts from 0.
    pub(super) fn page(&self) -> u64 {
        self.page.parse().unwrap_or(0)
    }

    /// The address of the page before this one.
    pub(super) fn back(&self, list: &str) -> Option<String> {
        self.page().checked_sub(1).map(|page| self.address(list, page))
    }

    /// The address of the page after this one, if there is more.
    pub(super) fn on(&self, list: &str, more: bool) -> Option<String> {
        more.then(|| self.address(list, self.page().saturating_add(1)))
    }

    fn address(&self, list: &str, page: u64) -> String {
        let query = Serializer::new(String::new())
            .append_pair("q", &self.q)
            .append_pair("page", &page.to_string())
            .finish();
        format!("{list}?{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_keep_what_is_looked_for() {
        let search = Search { q: "a&b ".into(), page: "1".into() };
        assert_eq!(search.back("/admin/users").as_deref(), Some("/admin/users?q=a%26b+&page=0"));
        assert_eq!(search.on("/admin/users", true).as_deref(), Some("/admin/users?q=a%26b+&page=2"));
        assert_eq!(search.on("/admin/users", false), None);
        assert_eq!(Search { page: "x".into(), ..search }.back("/admin/users"), None);
    }
}
