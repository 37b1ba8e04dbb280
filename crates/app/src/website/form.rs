//! The form of a website: what is typed, and what it means.

use crate::{Failure, Problems};
use stave_domain::{
    Invalid,
    website::{Origin, Slug, Website},
};
use std::str::FromStr;

/// So many addresses a website has at most.
const MOST_ORIGINS: usize = 20;

/// What is typed into the form of a website.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct WebsiteForm {
    /// As visitors know it.
    pub name: String,
    /// A [`Slug`]; only a new website has one to choose.
    pub slug: String,
    /// Where it is: an [`Origin`].
    pub origin: String,
    /// Where it is besides: one per line.
    pub origins: String,
}

/// What a form says once it has been read.
pub(super) struct Typed {
    pub(super) name: String,
    /// Never empty.
    pub(super) origins: Vec<Origin>,
}

impl WebsiteForm {
    /// The form of a website that exists.
    #[must_use]
    pub fn of(website: &Website) -> Self {
        let further: Vec<_> = website.origins.iter().skip(1).map(Origin::as_str).collect();
        Self {
            name: website.name.clone(),
            slug: website.slug.to_string(),
            origin: website.origin().to_string(),
            origins: further.join("\n"),
        }
    }

    /// What it says about a website that exists.
    pub(super) fn read(&self) -> Result<Typed, Failure> {
        let mut problems = Problems::default();
        self.typed(&mut problems).ok_or_else(|| problems.into_failure())
    }

    /// What it says about a new one.
    pub(super) fn read_new(&self) -> Result<(Slug, Typed), Failure> {
        let mut problems = Problems::default();
        let slug = problems.parse::<Slug>("slug", &self.slug);
        let typed = self.typed(&mut problems);
        slug.zip(typed).ok_or_else(|| problems.into_failure())
    }

    fn typed(&self, problems: &mut Problems) -> Option<Typed> {
        let name = problems.text("name", "Name", &self.name, 100);
        let origin = problems.parse::<Origin>("origin", &self.origin);
        let further = lines::<Origin>(problems, "origins", &self.origins);
        let (name, origin, further) = (name?, origin?, further?);
        let mut origins = vec![origin];
        for origin in further {
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        if origins.len() > MOST_ORIGINS {
            problems.add("origins", format!("These are too many addresses: {MOST_ORIGINS} at most."));
            return None;
        }
        Some(Typed { name, origins })
    }
}

/// What stands in the lines of a field, or notes which of them are wrong and why. Empty lines do not count.
pub(super) fn lines<T: FromStr<Err = Invalid>>(
    problems: &mut Problems,
    field: &'static str,
    typed: &str,
) -> Option<Vec<T>> {
    let mut wrong = Vec::new();
    let numbered = typed.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
    let good: Vec<T> = numbered
        .filter_map(|(place, line)| match line.parse() {
            Ok(value) => Some(value),
            Err(Invalid(problem)) => {
                wrong.push(format!("Line {}: {problem}", place + 1));
                None
            }
        })
        .collect();
    if wrong.is_empty() {
        return Some(good);
    }
    problems.add(field, wrong.join(" "));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(origin: &str, origins: &str) -> WebsiteForm {
        WebsiteForm {
            name: "Shop".into(),
            slug: "shop".into(),
            origin: origin.into(),
            origins: origins.into(),
        }
    }

    fn problem(form: &WebsiteForm, field: &str) -> String {
        match form.read_new() {
            Err(Failure::Invalid(problems)) => problems.of(field).unwrap_or_default().to_owned(),
            _ => String::new(),
        }
    }

    #[test]
    fn addresses_are_read_once_each() {
        let typed =
            form("https://a.example/", " https://b.example\r\n\r\nhttps://a.example\n").read().unwrap();
        let origins: Vec<_> = typed.origins.iter().map(Origin::as_str).collect();
        assert_eq!(origins, ["https://a.example", "https://b.example"]);
    }

    #[test]
    fn each_wrong_line_is_named() {
        let wrong =
            problem(&form("https://a.example", "https://b.example\nb.example\nhttp://c.example"), "origins");
        assert!(
            wrong.contains("Line 2: The address of a site starts with https://. Is https://b.example meant?")
                && wrong.contains("Line 3: A site that"),
            "{wrong}"
        );
        assert!(!wrong.contains("Line 1"), "{wrong}");
        let many = (0..20).map(|n| format!("https://{n}.example")).collect::<Vec<_>>().join("\n");
        assert!(problem(&form("https://a.example", &many), "origins").contains("20 at most"));
        assert_eq!(
            problem(&form("https://a.example", &many.replacen("https://0.example\n", "", 1)), "origins"),
            ""
        );
    }
}
