//! How an integration does, as the last log-in with it showed.

use stave_domain::integration::{Integration, Permission};

/// How an integration does, as the last log-in with it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nobody has logged in with it yet.
    Unused,
    /// The last log-in went through with every permission.
    Good,
    /// The last log-in went through, but these boxes were not ticked.
    Lacking(Vec<Permission>),
    /// Nobody can log in until an admin mends this; with the boxes that were not ticked.
    Broken(String, Vec<Permission>),
}

impl Condition {
    pub(crate) fn of(integration: &Integration) -> Self {
        let missing = integration.missing_permissions.clone();
        match (&integration.last_error, missing) {
            (Some(error), missing) => Self::Broken(error.clone(), missing.unwrap_or_default()),
            (None, None) => Self::Unused,
            (None, Some(missing)) if missing.is_empty() => Self::Good,
            (None, Some(missing)) => Self::Lacking(missing),
        }
    }

    /// In a word or two.
    pub(crate) fn text(&self) -> &'static str {
        match self {
            Self::Unused => "not used yet",
            Self::Good => "OK",
            Self::Lacking(_) => "permissions missing",
            Self::Broken(..) => "log-in fails",
        }
    }

    /// The tone of its badge.
    pub(crate) fn tone(&self) -> &'static str {
        match self {
            Self::Unused => "",
            Self::Good => "good",
            Self::Lacking(_) => "warn",
            Self::Broken(..) => "bad",
        }
    }

    /// The boxes that were not ticked.
    pub(super) fn missing(&self) -> &[Permission] {
        match self {
            Self::Lacking(missing) | Self::Broken(_, missing) => missing,
            Self::Unused | Self::Good => &[],
        }
    }
}

/// Boxes below their headings, in the order of Bitbucket's form.
pub(super) fn by_heading(permissions: &[Permission]) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut headings: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
    for permission in permissions {
        let (heading, label) = permission.label();
        match headings.last_mut() {
            Some((last, labels)) if *last == heading => labels.push(label),
            _ => headings.push((heading, vec![label])),
        }
    }
    headings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_named_by_heading() {
        assert_eq!(
            by_heading(&Permission::ALL),
            [
                ("Account", vec!["Email", "Read"]),
                ("Workspace membership", vec!["Read"]),
                ("Repositories", vec!["Read"]),
                ("Pull requests", vec!["Read"]),
                ("Webhooks", vec!["Read and write"]),
            ]
        );
    }
}
