//! What applications learn about a member.

use serde_json::{Map, Value, json};
use stave_domain::website::{Member, Scope, Scopes};

/// The claims that scopes give (OpenID Connect Core, section 5.4), `sub` first. Nothing is null and nothing empty.
pub(crate) fn claims(member: &Member, scopes: &Scopes) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut tell = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    tell("sub", json!(member.sub));
    if scopes.has(Scope::Profile) {
        tell("name", json!(member.display_name()));
        if !member.handle.is_empty() {
            tell("nickname", json!(member.handle));
            tell("preferred_username", json!(member.handle));
        }
        if let Some(picture) = &member.picture {
            tell("picture", json!(picture));
        }
        tell("updated_at", json!(member.signed_in_at.as_second()));
    }
    if scopes.has(Scope::Email)
        && let Some(email) = &member.email
    {
        tell("email", json!(email.address.as_str()));
        tell("email_verified", json!(email.is_verified));
    }
    if scopes.has(Scope::Groups) && !member.roles.0.is_empty() {
        tell("groups", json!(member.roles.names().collect::<Vec<_>>()));
    }
    claims
}
