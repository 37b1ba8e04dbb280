//! The versions that are played, and what each can do.

/// A version of Bitbucket Data Center. Greater is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 5.16.11: OAuth 1 only.
    V5_16,
    /// 7.20.3: OAuth 1 only, the last such.
    V7_20,
    /// 7.21.23: the first with incoming OAuth 2 links.
    V7_21,
    /// 8.19.3
    V8_19,
    /// 9.4.2
    V9_4,
    /// 10.0.1
    V10_0,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 6] = [Self::V5_16, Self::V7_20, Self::V7_21, Self::V8_19, Self::V9_4, Self::V10_0];

    /// As the server says it: `8.19.3`.
    pub fn number(self) -> &'static str {
        match self {
            Self::V5_16 => "5.16.11",
            Self::V7_20 => "7.20.3",
            Self::V7_21 => "7.21.23",
            Self::V8_19 => "8.19.3",
            Self::V9_4 => "9.4.2",
            Self::V10_0 => "10.0.1",
        }
    }

    /// The number without dots: `8019003`.
    pub(crate) fn build_number(self) -> String {
        let mut parts = self.number().split('.');
        let major = parts.next().unwrap_or_default();
        parts.fold(major.to_owned(), |text, part| format!("{text}{part:0>3}"))
    }

    /// Whether the server is an OAuth 2 provider.
    pub fn has_oauth2(self) -> bool {
        self >= Self::V7_21
    }

    /// Whether projects have webhooks, as repositories have in every version here.
    pub(crate) fn has_project_webhooks(self) -> bool {
        self >= Self::V7_20
    }

    /// Whether repositories can be archived.
    pub(crate) fn has_archive(self) -> bool {
        self >= Self::V8_19
    }

    /// Whether `/default-branch` is there, and not only `/branches/default`.
    pub(crate) fn has_default_branch(self) -> bool {
        self >= Self::V7_20
    }

    /// Whether every licensed user may list the members of a group, and not only an admin.
    pub(crate) fn shows_groups_to_everybody(self) -> bool {
        self >= Self::V9_4
    }

    /// Whether lists of repositories can be asked for those of one project, or for archived ones.
    pub(crate) fn filters_by_project(self) -> bool {
        self >= Self::V8_19
    }

    /// Whether a push is told with the commit that it leads to.
    pub(crate) fn tells_commits_of_pushes(self) -> bool {
        self >= Self::V8_19
    }

    /// Whether instants of commits are texts (ISO 8601), and not milliseconds.
    pub(crate) fn writes_instants_as_text(self) -> bool {
        self >= Self::V10_0
    }

    /// Whether links for cloning name the caller.
    pub(crate) fn names_the_caller_in_clone_links(self) -> bool {
        self < Self::V7_20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_order_and_know_their_build_number() {
        assert!(Version::ALL.is_sorted());
        assert_eq!(Version::V8_19.build_number(), "8019003");
        assert_eq!(Version::V10_0.build_number(), "10000001");
        assert_eq!(Version::ALL.map(Version::has_oauth2), [false, false, true, true, true, true]);
    }
}
