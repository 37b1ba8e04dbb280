//! What a credential may be used for.

/// Every scope with its box on the consumer form: group, label, scope.
pub(crate) const BOXES: [(&str, &str, &str); 19] = [
    ("Account", "Email", "email"),
    ("Account", "Read", "account"),
    ("Account", "Write", "account:write"),
    ("Workspace membership", "Read", "team"),
    ("Workspace membership", "Write", "team:write"),
    ("Projects", "Read", "project"),
    ("Projects", "Write", "project:write"),
    ("Projects", "Admin", "project:admin"),
    ("Repositories", "Read", "repository"),
    ("Repositories", "Write", "repository:write"),
    ("Repositories", "Admin", "repository:admin"),
    ("Repositories", "Delete", "repository:delete"),
    ("Pull requests", "Read", "pullrequest"),
    ("Pull requests", "Write", "pullrequest:write"),
    ("Webhooks", "Read and write", "webhook"),
    ("Snippets", "Read", "snippet"),
    ("Snippets", "Write", "snippet:write"),
    ("Pipelines", "Read", "pipeline"),
    ("Pipelines", "Write", "pipeline:write"),
];

/// What a call needs: the scope of OAuth and of access tokens, and the other name that API tokens have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) oauth: &'static str,
    pub(crate) api: &'static str,
}

impl Needed {
    const fn new(oauth: &'static str, api: &'static str) -> Self {
        Self { oauth, api }
    }
}

pub(crate) const USER: Needed = Needed::new("account", "read:user:bitbucket");
pub(crate) const EMAIL: Needed = Needed::new("email", "read:user:bitbucket");
pub(crate) const WORKSPACE: Needed = Needed::new("account", "read:workspace:bitbucket");
/// Permissions on repositories.
pub(crate) const RIGHTS: Needed = Needed::new("account", "read:repository:bitbucket");
pub(crate) const PROJECT: Needed = Needed::new("project", "read:project:bitbucket");
pub(crate) const REPOSITORY: Needed = Needed::new("repository", "read:repository:bitbucket");
pub(crate) const REPOSITORY_WRITE: Needed = Needed::new("repository:write", "write:repository:bitbucket");
pub(crate) const REPOSITORY_ADMIN: Needed = Needed::new("repository:admin", "read:repository:bitbucket");
pub(crate) const WEBHOOK: Needed = Needed::new("webhook", "read:webhook:bitbucket");
pub(crate) const WEBHOOK_WRITE: Needed = Needed::new("webhook", "write:webhook:bitbucket");
pub(crate) const WEBHOOK_DELETE: Needed = Needed::new("webhook", "delete:webhook:bitbucket");

/// Whether API tokens know this scope: `read:repository:bitbucket`, ...
pub(crate) fn is_of_api_tokens(scope: &str) -> bool {
    let mut parts = scope.split(':');
    let verb =
        parts.next().is_some_and(|verb| ["read", "write", "admin", "delete", "manage"].contains(&verb));
    verb && parts.next().is_some_and(|noun| !noun.is_empty()) && parts.eq(["bitbucket"])
}

/// Whether a grant of these scopes covers `wanted`. The admin scopes imply nothing, not even reading.
pub(crate) fn covers(granted: &[String], wanted: &str) -> bool {
    granted.iter().any(|scope| scope == wanted || implied_by(scope).contains(&wanted))
}

/// What a scope brings along, all the way down.
fn implied_by(scope: &str) -> &'static [&'static str] {
    match scope {
        "account:write" => &["account"],
        "team:write" => &["team"],
        "project" | "project:write" | "repository:write" | "pullrequest" => &["repository"],
        "pullrequest:write" => &["pullrequest", "repository:write", "repository"],
        "snippet:write" => &["snippet"],
        "pipeline:write" => &["pipeline"],
        _ => &[],
    }
}

/// The boxes that the consumer form ticks besides the ones that were ticked by hand.
pub(crate) fn with_forced_boxes(mut scopes: Vec<String>) -> Vec<String> {
    for (ticked, forced) in
        [("account", "email"), ("pullrequest:write", "pullrequest"), ("pullrequest", "repository")]
    {
        if scopes.iter().any(|scope| scope == ticked) && !scopes.iter().any(|scope| scope == forced) {
            scopes.push(forced.to_owned());
        }
    }
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_imply_what_the_documentation_says() {
        let rows = [
            ("email", "account", false),
            ("account", "email", false),
            ("project", "repository", true),
            ("project:admin", "project", false),
            ("repository:admin", "repository", false),
            ("repository:write", "repository", true),
            ("pullrequest", "repository", true),
            ("pullrequest:write", "repository:write", true),
            ("webhook", "repository", false),
        ];
        for (granted, wanted, expected) in rows {
            assert_eq!(covers(&[granted.to_owned()], wanted), expected, "{granted} {wanted}");
        }
    }

    #[test]
    fn api_tokens_have_scopes_of_their_own() {
        let rows = [
            ("read:user:bitbucket", true),
            ("account", false),
            ("read::bitbucket", false),
            ("read:user:jira", false),
        ];
        for (scope, expected) in rows {
            assert_eq!(is_of_api_tokens(scope), expected, "{scope}");
        }
    }
}
