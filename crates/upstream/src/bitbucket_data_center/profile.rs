//! Who a token belongs to. There is no resource for it: the name comes in a header or from a servlet, the rest from the list of
//! users.

use super::{
    api::Api,
    failure::user_of,
    wire::{Page, UserAnswer},
};
use crate::{Interception, Saw, SignInProblem, UpstreamError, answer::https_only};
use stave_domain::identity::{RemoteEmail, RemoteProfile};
use url::Url;

/// So many pages of people whose names are similar are looked through.
const USER_PAGES: usize = 10;
/// Without it, nothing is told of a picture. Pixels.
const AVATAR: &str = "avatarSize=128";

/// The person; [`UpstreamError::Unauthorized`] if Bitbucket does not know who asks. It may well answer those with status 200.
pub(super) async fn profile_read(api: &Api<'_>) -> Result<RemoteProfile, UpstreamError> {
    let Some(name) = user_name(api).await? else { return Err(api.server.unauthorized()) };
    match user_find(api, &name).await? {
        Some(user) => person(api, user),
        None => Err(UpstreamError::NotFound { host: api.server.host() }),
    }
}

pub(super) async fn user_name(api: &Api<'_>) -> Result<Option<String>, UpstreamError> {
    let answer = match api.get(&api.at("/application-properties")).await {
        Err(UpstreamError::Forbidden { host }) => {
            return Err(UpstreamError::Intercepted { host, by: Interception::Refusal });
        }
        answer => answer?,
    };
    if let Some(name) = user_of(&answer) {
        return Ok(Some(name));
    }
    let answer = api.get(&api.server.addresses.whoami).await?;
    let name = String::from_utf8_lossy(answer.body.trim_ascii()).into_owned();
    Ok(Some(name).filter(|name| !name.is_empty()))
}

/// The address takes the slug, which is the name for most people but not for all, and may be the slug of somebody else: what
/// counts is the name in the answer.
pub(super) async fn user_find(api: &Api<'_>, name: &str) -> Result<Option<UserAnswer>, UpstreamError> {
    let is_same = |user: &UserAnswer| user.name.to_lowercase() == name.to_lowercase();
    let mut url = api.at_segments(&["users", name]);
    url.set_query(Some(AVATAR));
    match api.get(&url).await {
        Ok(answer) => {
            let user: UserAnswer = answer.json()?;
            if is_same(&user) {
                return Ok(Some(user));
            }
        }
        Err(UpstreamError::NotFound { .. }) => {}
        Err(error) => return Err(error),
    }
    let mut start = 0;
    for _ in 0..USER_PAGES {
        let mut url = api.at("/users");
        url.set_query(Some(AVATAR));
        url.query_pairs_mut()
            .append_pair("filter", name)
            .append_pair("start", &start.to_string())
            .append_pair("limit", "100");
        let page: Page<UserAnswer> = api.get(&url).await?.json()?;
        if let Some(user) = page.values.into_iter().find(is_same) {
            return Ok(Some(user));
        }
        let Some(next) = page.next else { break };
        start = next;
    }
    Ok(None)
}

/// Bitbucket does not say whether anybody ever confirmed the address.
fn person(api: &Api<'_>, user: UserAnswer) -> Result<RemoteProfile, UpstreamError> {
    let kind = user.kind.unwrap_or_else(|| "NORMAL".to_owned());
    if kind != "NORMAL" {
        let kind = kind.chars().take(40).collect();
        return Err(api.server.refused(SignInProblem::NotAPerson { kind }));
    }
    if user.active == Some(false) {
        return Err(api.server.refused(SignInProblem::Inactive));
    }
    let id = user.id.ok_or_else(|| UpstreamError::Unreadable {
        host: api.server.host(),
        saw: Saw::Without("the id of the user"),
        source: None,
    })?;
    let address = user.email.and_then(|email| email.parse().ok());
    let email = address.map(|address| RemoteEmail { address, confirmed: false });
    let picture = user.avatar.and_then(|avatar| picture_at(api.server.registration.base_url.url(), &avatar));
    Ok(RemoteProfile {
        external_id: id.to_string(),
        handle: user.name,
        display_name: user.display_name.unwrap_or_default(),
        second_id: None,
        picture,
        emails: email.iter().cloned().collect(),
        email,
    })
}

/// The server tells its own pictures from the root of its host, and those of others whole.
fn picture_at(base_url: &Url, avatar: &str) -> Option<String> {
    https_only(base_url.join(avatar).ok()?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_loaded_over_https_only() {
        let base_url: Url = "https://git.example.com/bitbucket".parse().unwrap();
        for (avatar, picture) in [
            (
                "/bitbucket/users/ada/avatar.png?s=128",
                Some("https://git.example.com/bitbucket/users/ada/avatar.png?s=128"),
            ),
            ("https://avatars.example/ada?s=128", Some("https://avatars.example/ada?s=128")),
            ("//avatars.example/ada", Some("https://avatars.example/ada")),
            ("http://avatars.example/ada", None),
            ("javascript:alert(1)", None),
        ] {
            assert_eq!(picture_at(&base_url, avatar).as_deref(), picture, "{avatar}");
        }
        assert_eq!(picture_at(&"http://git.example.com".parse().unwrap(), "/users/ada/avatar.png"), None);
    }
}
