//! The token in an `Authorization` header.

use super::is_well_formed;
use crate::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};

/// The token in the value of an `Authorization` header: the password of Basic (RFC 7617) whatever the user name, or its user
/// name, or Bearer (RFC 6750). What has the shape of a token is preferred, so that it may stand in either place.
#[must_use]
pub fn in_authorization(header: &str) -> Option<Secret> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Secret::new(rest.trim())).filter(|token| !token.is_empty());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = Secret::new(String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?);
    let (username, password) = pair.expose().split_once(':').unwrap_or((pair.expose(), ""));
    let found = [password, username].into_iter().find(|text| is_well_formed(text));
    let found = found.or([password, username].into_iter().find(|text| !text.is_empty()));
    found.map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{RANDOM_BYTES, TokenAccess, TokenOwner};

    fn read(authorization: &str) -> Option<String> {
        in_authorization(authorization).map(|token| token.expose().to_owned())
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn a_token_is_found_wherever_it_was_put() {
        let token =
            TokenOwner::Organization(uuid::Uuid::nil().into()).token(TokenAccess::Read, [7; RANDOM_BYTES]);
        let token = token.expose();
        for header in [
            basic(&format!("token:{token}")),
            basic(&format!("{token}:")),
            basic(&format!("{token}:x-oauth-basic")),
            basic(token),
            format!("Bearer {token}"),
            format!("bearer  {token}"),
        ] {
            assert_eq!(read(&header).as_deref(), Some(token), "{header}");
        }
    }

    #[test]
    fn what_is_no_token_is_judged_by_who_keeps_them() {
        assert_eq!(read(&basic("ada:hunter2")).as_deref(), Some("hunter2"));
        assert_eq!(read(&basic("ada:")).as_deref(), Some("ada"));
        for nothing in ["Basic !!!", "Basic", "Basic Og==", "Bearer  ", "Digest x", ""] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }
}
