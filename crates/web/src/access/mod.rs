//! Access: how the members of an organization have to log in; who of them reads which package, and why.

mod package;
mod person;
mod rule;
mod words;

use axum::Router;
use stave_app::App;

pub(crate) fn router() -> Router<App> {
    rule::router().merge(package::router()).merge(person::router())
}

/// `?q=&only=&page=`: what is looked for in a long list; what cannot be read counts as not said.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
struct ListQuery {
    q: String,
    /// `yes` or `no`: only lines with this answer.
    only: String,
    page: String,
}

/// Lines on one page of a list.
const PAGE: usize = 100;

/// A part of a long list.
struct Part<T> {
    lines: Vec<T>,
    /// How many were found in all.
    count: usize,
    back: Option<String>,
    on: Option<String>,
}

impl ListQuery {
    fn is_everything(&self) -> bool {
        self.q.trim().is_empty() && self.only.is_empty()
    }

    /// Whether a line with these names and this answer is looked for.
    fn finds(&self, names: &[&str], is_yes: bool) -> bool {
        let text = self.q.trim().to_lowercase();
        let fits = text.is_empty() || names.iter().any(|name| name.to_lowercase().contains(&text));
        fits && match self.only.as_str() {
            "yes" => is_yes,
            "no" => !is_yes,
            _ => true,
        }
    }

    /// The page of a list that is at an address.
    fn part<T>(&self, found: Vec<T>, address: &str) -> Part<T> {
        let (page, count) = (self.page.parse::<usize>().unwrap_or(0), found.len());
        let start = page.saturating_mul(PAGE);
        let at = |page: usize| {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("q", &self.q)
                .append_pair("only", &self.only)
                .append_pair("page", &page.to_string())
                .finish();
            format!("{address}?{query}")
        };
        Part {
            lines: found.into_iter().skip(start).take(PAGE).collect(),
            count,
            back: page.checked_sub(1).map(at),
            on: (start.saturating_add(PAGE) < count).then(|| at(page.saturating_add(1))),
        }
    }
}

#[cfg(test)]
mod tests;
