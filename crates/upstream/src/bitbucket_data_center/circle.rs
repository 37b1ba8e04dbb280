//! Groups, and who is in them.

use super::{
    BitbucketDataCenter,
    api::Api,
    profile::profile_read,
    wire::{Page, UserAnswer},
};
use crate::{
    Key, Saw, UpstreamError,
    connector::{Circles, in_time},
};
use async_trait::async_trait;
use stave_domain::{
    identity::{Grant, RemoteProfile},
    website::Circle,
};

/// So many pages of people whose names are similar are looked through.
const PAGES: usize = 50;

#[async_trait]
impl Circles for BitbucketDataCenter {
    /// Those of the wanted groups in which the person is. Nobody may list all groups of a person but admins.
    async fn circles(&self, grant: &Grant, wanted: &[Circle]) -> Result<Vec<Circle>, UpstreamError> {
        in_time(&self.registration, groups_among(&self.api(&Key::of(grant)), wanted)).await
    }

    /// A group is its name; the server is not asked, since it tells a link nothing without a person.
    async fn circle_find(&self, typed: &str) -> Result<Option<Circle>, UpstreamError> {
        let name = typed.trim();
        Ok((!name.is_empty()).then(|| Circle::Group { name: name.to_owned() }))
    }
}

async fn groups_among(api: &Api<'_>, wanted: &[Circle]) -> Result<Vec<Circle>, UpstreamError> {
    let person = profile_read(api).await?;
    let mut found = Vec::new();
    for circle in wanted {
        if let Circle::Group { name } = circle
            && is_in(api, name, &person).await?
        {
            found.push(circle.clone());
        }
    }
    Ok(found)
}

/// Looks for the person among the members of a group whose names are similar. Whom the id names counts, since names can be given
/// to somebody else. Of a group that does not exist, nobody is a member.
async fn is_in(api: &Api<'_>, group: &str, person: &RemoteProfile) -> Result<bool, UpstreamError> {
    let mut start = 0;
    for _ in 0..PAGES {
        let mut url = api.at("/users");
        url.query_pairs_mut()
            .append_pair("group", group)
            .append_pair("filter", &person.handle)
            .append_pair("start", &start.to_string())
            .append_pair("limit", "100");
        let page: Page<UserAnswer> = api.get(&url).await?.json()?;
        let is_person = |user: &UserAnswer| user.id.is_some_and(|id| id.to_string() == person.external_id);
        if page.values.iter().any(is_person) {
            return Ok(true);
        }
        let Some(next) = page.next else { return Ok(false) };
        start = next;
    }
    let saw = Saw::Without("an end of the list of members");
    Err(UpstreamError::Unreadable { host: api.server.host(), saw, source: None })
}
