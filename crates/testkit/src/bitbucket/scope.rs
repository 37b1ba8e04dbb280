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
}
