//! Typed ids: a package's id cannot be passed where a user's is wanted. All are version 7 UUIDs (RFC 9562,
//! section 5.7), so they sort by the time at which they were made.

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A person here.
    UserId,
    /// A person at one integration.
    IdentityId,
    /// One registered OAuth application on one host.
    IntegrationId,
    /// One browser that is signed in.
    LoginId,
    /// A team with its own Composer repository.
    OrganizationId,
    /// A secret with which a client acts on Stave.
    TokenId,
    /// A stored secret with which Stave acts elsewhere.
    CredentialId,
    /// A git repository that is mirrored here.
    RepositoryId,
    /// A Composer repository of somebody else that is followed here.
    MirrorId,
    /// A workspace or project that an organization follows.
    SynchronizationId,
    /// A `vendor/name` of an organization.
    PackageId,
    /// One reference of a package.
    VersionId,
    /// People of an organization to whom packages are given.
    TeamId,
    /// A value of [`Job`](crate::job::Job) to be done.
    JobId,
    /// One pass over a repository.
    RunId,
    /// One line of the Log.
    LogEntryId,
    /// A website whose visitors log in here.
    WebsiteId,
    /// A visitor of one website who signed in there.
    WebsiteMemberId,
    /// One browser in which a member is signed in to a website; OpenID Connect's `sid`.
    WebsiteLoginId,
    /// An OpenID Connect client of a website.
    WebsiteClientId,
    /// What a member let a client do, from the code to the last refresh token.
    WebsiteGrantId,
    /// One line of a website's own log.
    WebsiteEventId,
}
