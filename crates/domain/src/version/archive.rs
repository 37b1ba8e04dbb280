//! Where the bytes of a version's dist come from.

/// Where the bytes of a version's dist come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Archive {
    /// They are made of the commit.
    Commit,
    /// They are fetched from elsewhere when somebody first asks for them.
    Remote(RemoteArchive),
    /// Somebody uploaded them: they have been there from the beginning.
    Upload,
    /// There is none: a metapackage, or a version that only has a source.
    Nothing,
}

/// An archive at somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RemoteArchive {
    /// Where it is.
    pub url: String,
    /// What it is called there: `zip`, `tar` and so on, as Composer's `dist.type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// SHA-1 of its bytes, 40 lower-case hex digits; `None` if they do not say.
    pub shasum: Option<String>,
    /// What they call its state: a commit, mostly.
    pub reference: Option<String>,
}

impl Archive {
    /// Whether the version has a dist.
    #[must_use]
    pub fn is_there(&self) -> bool {
        *self != Self::Nothing
    }
}
