//! Which repositories of a workspace become packages.

use super::{Choice, KnownRepository, Manifest, RemoteRepository};
use crate::Invalid;
use serde::{Deserialize, Serialize};

/// Which repositories with a composer.json become packages, if nobody decided about one by hand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// All.
    #[default]
    All,
    /// Those that fit.
    Matching {
        /// Keys of projects (Cloud); empty is every project.
        projects: Vec<String>,
        /// Names in addresses, in which `*` stands for any text; empty is every name.
        names: Vec<String>,
    },
    /// None: each is chosen by hand.
    ByHand,
}

impl Selection {
    /// The selection that somebody typed: separated by commas, blanks or lines.
    pub fn matching(projects: &str, names: &str) -> Result<Self, Invalid> {
        let words = |text: &str| -> Vec<String> {
            text.split(|c: char| c == ',' || c.is_whitespace())
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let (projects, names) = (words(projects), words(names));
        if projects.is_empty() && names.is_empty() {
            return Err(Invalid::because("Enter a project or a name, or choose all repositories."));
        }
        if projects.iter().chain(&names).any(|word| word.len() > 200) || projects.len() + names.len() > 200 {
            return Err(Invalid::because(
                "These are too many or too long: at most 200, each of 200 characters.",
            ));
        }
        Ok(Self::Matching { projects, names })
    }

    /// Whether it takes a repository about which nobody decided.
    #[must_use]
    pub fn takes(&self, repository: &RemoteRepository) -> bool {
        match self {
            Self::All => true,
            Self::ByHand => false,
            Self::Matching { projects, names } => {
                let project = repository.project.as_deref().unwrap_or_default();
                let in_project =
                    projects.is_empty() || projects.iter().any(|key| key.eq_ignore_ascii_case(project));
                let slug = repository.slug.to_lowercase();
                in_project && (names.is_empty() || names.iter().any(|name| fits(&name.to_lowercase(), &slug)))
            }
        }
    }

    /// Whether a repository is looked at for a composer.json.
    #[must_use]
    pub fn wants(&self, repository: &KnownRepository) -> bool {
        match repository.choice {
            Choice::Selection => self.takes(&repository.remote),
            Choice::Wanted => true,
            Choice::Unwanted => false,
        }
    }

    /// Whether a repository is to be packages here.
    #[must_use]
    pub fn follows(&self, repository: &KnownRepository) -> bool {
        match repository.choice {
            Choice::Selection => repository.manifest == Manifest::Present && self.takes(&repository.remote),
            Choice::Wanted => true,
            Choice::Unwanted => false,
        }
    }
}

/// Whether a name fits a pattern in which `*` stands for any text.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| fits(rest, &name[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(project: &str, slug: &str) -> RemoteRepository {
        RemoteRepository {
            external_id: slug.into(),
            slug: slug.into(),
            name: slug.into(),
            project: Some(project.into()),
            source: format!("https://bitbucket.org/acme/{slug}.git").parse().unwrap(),
            default_branch: None,
            is_archived: false,
            changed_at: None,
        }
    }

    #[test]
    fn what_is_taken() {
        for (projects, names, project, slug, taken) in [
            ("PHP", "", "PHP", "mailer", true),
            ("php, OPS", "", "PHP", "mailer", true),
            ("OPS", "", "PHP", "mailer", false),
            ("", "mail*", "PHP", "mailer", true),
            ("", "*-bundle", "PHP", "Mail-Bundle", true),
            ("", "mail", "PHP", "mailer", false),
            ("OPS", "mailer", "PHP", "mailer", false),
        ] {
            let selection = Selection::matching(projects, names).unwrap();
            assert_eq!(selection.takes(&repository(project, slug)), taken, "{projects} {names} {slug}");
        }
        assert!(Selection::matching(" ,\n", "").is_err());
        assert!(!Selection::ByHand.takes(&repository("PHP", "mailer")));
    }
}
