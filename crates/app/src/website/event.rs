//! A website's own log, as its owners read it.

use crate::{Actor, App, Failure};
use stave_domain::{
    id::{WebsiteEventId, WebsiteMemberId},
    website::{Event, Member},
};
use std::collections::{BTreeSet, HashMap};

/// Lines on one page.
const PAGE: u64 = 100;

/// A page of a website's own log.
#[derive(Debug)]
pub struct EventPage {
    /// The lines, newest first.
    pub events: Vec<Event>,
    /// Those of whom they tell, as far as they are still members.
    pub members: HashMap<WebsiteMemberId, Member>,
    /// Whether more lines follow.
    pub more: bool,
}

impl App {
    /// The log of a website from before a line.
    pub async fn website_event_list(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
        before: Option<WebsiteEventId>,
    ) -> Result<EventPage, Failure> {
        let (_, website) = self.website_owned(actor, organization, slug).await?;
        let mut events = self.storage.website_event_list(website.id, before, PAGE + 1).await?;
        let more = events.len() as u64 > PAGE;
        events.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        let told: BTreeSet<_> = events.iter().filter_map(|event| event.member_id).collect();
        let members = self.storage.website_member_list_by_id(website.id, told).await?;
        let members = members.into_iter().map(|member| (member.id, member)).collect();
        Ok(EventPage { events, members, more })
    }
}
