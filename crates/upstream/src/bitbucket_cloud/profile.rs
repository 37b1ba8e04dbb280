//! Who a token belongs to.

use super::{
    api::{Api, granted_scopes},
    wire::{EmailEntry, EmailPage, UserAnswer},
};
use crate::{Saw, SignInProblem, UpstreamError, answer::https_only};
use serde_json::Value;
use stave_domain::{
    identity::{RemoteEmail, RemoteProfile},
    integration::Platform,
};
use std::collections::BTreeSet;

/// Nobody has more addresses than fit on so many pages.
const EMAIL_PAGES: usize = 10;

/// The person, and the scopes that Bitbucket says the token has (empty if it does not say).
pub(super) async fn profile_read(api: &Api<'_>) -> Result<(RemoteProfile, BTreeSet<String>), UpstreamError> {
    let answer = api.get(&api.at("/user")).await?;
    let mut profile = person(answer.json()?, &answer.host())?;
    (profile.email, profile.emails) = addresses(email_entries(api).await?);
    Ok((profile, granted_scopes(&answer)))
}

/// Only the type `user` is a person; `app_user` is what `client_credentials` give, `team` an old name of workspaces.
fn person(user: UserAnswer, host: &str) -> Result<RemoteProfile, UpstreamError> {
    let kind = user.kind.unwrap_or_else(|| "user".to_owned());
    if kind != "user" {
        let problem = SignInProblem::NotAPerson { kind: kind.chars().take(40).collect() };
        let platform = Platform::BitbucketCloud;
        return Err(UpstreamError::SignIn { host: host.to_owned(), platform, problem });
    }
    let external_id = user.uuid.filter(|uuid| !uuid.is_empty()).ok_or_else(|| UpstreamError::Unreadable {
        host: host.to_owned(),
        saw: Saw::Without("the uuid of the user"),
        source: None,
    })?;
    Ok(RemoteProfile {
        external_id,
        handle: [user.nickname, user.username]
            .into_iter()
            .flatten()
            .find(|name| !name.is_empty())
            .unwrap_or_default(),
        display_name: user.display_name.unwrap_or_default(),
        email: None,
        second_id: user.account_id.as_str().filter(|id| !id.is_empty()).map(str::to_owned),
        picture: user.links.pointer("/avatar/href").and_then(Value::as_str).and_then(https_only),
        emails: Vec::new(),
    })
}

/// What is told of the person's addresses, over all pages. Without the permission to read them the sign-in goes on: the person
/// types one.
async fn email_entries(api: &Api<'_>) -> Result<Vec<EmailEntry>, UpstreamError> {
    let mut entries = Vec::new();
    let mut next = Some(api.at("/user/emails"));
    for _ in 0..EMAIL_PAGES {
        let Some(url) = next else { break };
        let answer = match api.get(&url).await {
            Ok(answer) => answer,
            Err(
                UpstreamError::MissingPermissions { .. }
                | UpstreamError::Forbidden { .. }
                | UpstreamError::NotFound { .. },
            ) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let page: EmailPage = answer.json()?;
        entries.extend(page.values);
        next = page.next.map(|link| api.next(&link)).transpose()?;
    }
    Ok(entries)
}

/// The primary address, if there is one, and all of them, the primary one first.
fn addresses(mut entries: Vec<EmailEntry>) -> (Option<RemoteEmail>, Vec<RemoteEmail>) {
    let is_primary = |entry: &EmailEntry| entry.is_primary == Some(true);
    entries.sort_by_key(|entry| !is_primary(entry));
    let primary = entries.first().filter(|entry| is_primary(entry)).and_then(email);
    (primary, entries.iter().filter_map(email).collect())
}

fn email(entry: &EmailEntry) -> Option<RemoteEmail> {
    let address = entry.email.as_ref()?.parse().ok()?;
    Some(RemoteEmail { address, confirmed: entry.is_confirmed == Some(true) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<RemoteProfile, UpstreamError> {
        person(serde_json::from_str(json).unwrap(), "bitbucket.org")
    }

    #[test]
    fn people() {
        let cases = [
            (
                r#"{"type":"user","uuid":"{1}","nickname":"ada","username":"old","display_name":"Ada"}"#,
                ("{1}", "ada", "Ada"),
            ),
            (r#"{"type":"user","uuid":"{1}","username":"old","display_name":null}"#, ("{1}", "old", "")),
            (
                r#"{"uuid":"{1}","nickname":"","username":"ada","account_id":7,"links":{}}"#,
                ("{1}", "ada", ""),
            ),
            (r#"{"uuid":"{1}"}"#, ("{1}", "", "")),
        ];
        for (json, expected) in cases {
            let profile = read(json).unwrap();
            let seen = (profile.external_id.as_str(), profile.handle.as_str(), profile.display_name.as_str());
            assert_eq!(seen, expected, "{json}");
        }
    }

    #[test]
    fn the_second_id_and_the_picture_are_told_if_they_can_be_used() {
        let picture = |href: &str| {
            format!(r#"{{"uuid":"{{1}}","account_id":"557058:1","links":{{"avatar":{{"href":{href}}}}}}}"#)
        };
        for (href, expected) in [
            (r#""https://avatars.example/a?s=1""#, Some("https://avatars.example/a?s=1")),
            (r#""http://avatars.example/a""#, None),
            (r#""https://ada:x@avatars.example/a""#, None),
            (r#""javascript:alert(1)""#, None),
            (r#""data:image/png;base64,AA""#, None),
            (r#""/a.png""#, None),
            ("7", None),
            ("null", None),
        ] {
            let profile = read(&picture(href)).unwrap();
            assert_eq!(profile.picture.as_deref(), expected, "{href}");
            assert_eq!(profile.second_id.as_deref(), Some("557058:1"));
        }
        for json in [
            r#"{"uuid":"{1}"}"#,
            r#"{"uuid":"{1}","account_id":"","links":null}"#,
            r#"{"uuid":"{1}","account_id":7}"#,
        ] {
            let profile = read(json).unwrap();
            assert_eq!((profile.second_id, profile.picture), (None, None), "{json}");
        }
    }

    #[test]
    fn not_people() {
        for (json, word) in [
            (r#"{"type":"app_user","uuid":"{1}"}"#, "(app_user)"),
            (r#"{"type":"team","uuid":"{1}"}"#, "(team)"),
            (r#"{"type":"user","uuid":""}"#, "lacks the uuid"),
            (r#"{"type":"user","nickname":"ada"}"#, "lacks the uuid"),
        ] {
            let sentence = read(json).unwrap_err().to_string();
            assert!(sentence.contains(word), "{sentence}");
        }
    }

    #[test]
    fn an_address_counts_as_confirmed_only_if_bitbucket_says_so() {
        let cases = [
            (
                r#"{"email":"Ada@example.com","is_primary":true,"is_confirmed":true}"#,
                Some(("ada@example.com", true)),
            ),
            (
                r#"{"email":"ada@example.com","is_primary":true,"is_confirmed":false}"#,
                Some(("ada@example.com", false)),
            ),
            (
                r#"{"email":"ada@example.com","is_primary":true,"is_confirmed":null}"#,
                Some(("ada@example.com", false)),
            ),
            (r#"{"email":"ada","is_primary":true,"is_confirmed":true}"#, None),
            (r#"{"is_primary":true}"#, None),
        ];
        for (json, expected) in cases {
            let found = email(&serde_json::from_str(json).unwrap());
            let seen = found.as_ref().map(|email| (email.address.as_str(), email.confirmed));
            assert_eq!(seen, expected, "{json}");
        }
    }
}
