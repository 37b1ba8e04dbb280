//! What an OAuth 2 link may be used for.

use crate::Level;

/// Every permission with its box on the form of a link: group, label, scope.
pub(crate) const BOXES: [(&str, &str, &str); 7] = [
    ("Account", "Write", "ACCOUNT_WRITE"),
    ("Projects", "Admin", "PROJECT_ADMIN"),
    ("Repositories", "Read", "REPO_READ"),
    ("Repositories", "Write", "REPO_WRITE"),
    ("Repositories", "Admin", "REPO_ADMIN"),
    ("Admin", "Write", "ADMIN_WRITE"),
    ("System admin", "Write", "SYSTEM_ADMIN"),
];

/// Each scope includes the ones before it.
const LADDER: [&str; 7] =
    ["PUBLIC_REPOS", "REPO_READ", "REPO_WRITE", "REPO_ADMIN", "PROJECT_ADMIN", "ADMIN_WRITE", "SYSTEM_ADMIN"];

/// Whether Bitbucket knows this scope.
pub(crate) fn is_known(scope: &str) -> bool {
    scope == "ACCOUNT_WRITE" || LADDER.contains(&scope)
}

/// The scope that is a permission of HTTP access tokens, where reading a project is reading its repositories.
///
/// # Panics
/// If HTTP access tokens know no such permission.
pub(crate) fn of_http_token(permission: &str) -> &str {
    match permission {
        "PROJECT_READ" => "REPO_READ",
        "PROJECT_WRITE" => "REPO_WRITE",
        "PROJECT_ADMIN" | "REPO_READ" | "REPO_WRITE" | "REPO_ADMIN" => permission,
        _ => panic!("HTTP access tokens have no permission {permission}"),
    }
}

/// Whether these scopes, or having none at all, cover `wanted`.
pub(crate) fn covers(granted: &[String], wanted: &str) -> bool {
    wanted == "PUBLIC_REPOS"
        || granted.iter().any(|scope| scope == wanted)
        || rank(wanted).is_some_and(|wanted| granted.iter().any(|scope| rank(scope) >= Some(wanted)))
}

/// The most that these scopes let one do with a repository that is not public.
pub(crate) fn level(granted: &[String]) -> Option<Level> {
    [("REPO_ADMIN", Level::Admin), ("REPO_WRITE", Level::Write), ("REPO_READ", Level::Read)]
        .into_iter()
        .find_map(|(scope, level)| covers(granted, scope).then_some(level))
}

fn rank(scope: &str) -> Option<usize> {
    LADDER.iter().position(|step| *step == scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_includes_the_lower_ones() {
        let rows = [
            ("REPO_READ", "PUBLIC_REPOS", true),
            ("REPO_READ", "REPO_WRITE", false),
            ("REPO_ADMIN", "REPO_READ", true),
            ("PROJECT_ADMIN", "REPO_ADMIN", true),
            ("ACCOUNT_WRITE", "PUBLIC_REPOS", true),
            ("ACCOUNT_WRITE", "REPO_READ", false),
            ("SYSTEM_ADMIN", "ACCOUNT_WRITE", false),
        ];
        for (granted, wanted, expected) in rows {
            assert_eq!(covers(&[granted.to_owned()], wanted), expected, "{granted} {wanted}");
        }
        assert!(covers(&[], "PUBLIC_REPOS"));
        let level = |scope: &str| level(&[scope.to_owned()]);
        assert_eq!(level("PUBLIC_REPOS"), None);
        assert_eq!((level("REPO_READ"), level("PROJECT_ADMIN")), (Some(Level::Read), Some(Level::Admin)));
    }
}
