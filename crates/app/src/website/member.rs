//! The members of a website, as its owners manage them. What an owner changes counts at once: a member who is blocked or deleted
//! is out of every browser and every application.

use crate::{Actor, App, Failure, Problems, issuer::IssuerNote};
use stave_domain::{
    id::{WebsiteId, WebsiteLoginId, WebsiteMemberId},
    organization::Organization,
    website::{Login, Member, MemberIdentity, MemberStatus, Roles, Website},
};
use std::collections::HashMap;

/// Members on one page of the list.
const PAGE: u64 = 50;
/// Members that are read at once for an export.
const BATCH: u64 = 500;

/// Which members are looked for.
#[derive(Debug, Clone, Default)]
pub struct MemberSearch {
    /// A part of the name, the handle, the address or the id; empty finds everybody.
    pub text: String,
    /// Only these.
    pub status: Option<MemberStatus>,
    /// Counts from 0.
    pub page: u64,
}

/// A page of the list of members.
#[derive(Debug)]
pub struct MemberPage {
    /// Each with the servers at which they say who they are.
    pub members: Vec<(Member, Vec<MemberIdentity>)>,
    /// How many were found in all.
    pub count: u64,
    /// Whether more follow.
    pub more: bool,
}

/// A member with everything that is known of them.
#[derive(Debug)]
pub struct MemberView {
    /// Who.
    pub member: Member,
    /// At which servers.
    pub identities: Vec<MemberIdentity>,
    /// In which browsers they are signed in.
    pub logins: Vec<Login>,
    /// Which applications they let know who they are.
    pub applications: Vec<String>,
}

/// Which member of which website of which organization, as it stands in an address.
#[derive(Debug, Clone, Copy)]
pub struct MemberAddress<'a> {
    /// The organization's short name.
    pub organization: &'a str,
    /// The website's slug.
    pub website: &'a str,
    /// The member.
    pub id: WebsiteMemberId,
}

impl App {
    /// Members, those who signed in last first.
    pub async fn website_member_list(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
        search: &MemberSearch,
    ) -> Result<MemberPage, Failure> {
        let (_, website) = self.website_owned(actor, organization, slug).await?;
        let (text, status) = (search.text.trim(), search.status);
        let offset = search.page.saturating_mul(PAGE);
        let mut found =
            self.storage.website_member_list(website.id, text, status, (offset, PAGE + 1)).await?;
        let more = found.len() as u64 > PAGE;
        found.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        let count = self.storage.website_member_count(website.id, text, status).await?;
        let members = self.with_identities(website.id, found).await?;
        Ok(MemberPage { members, count, more })
    }

    /// Every member, for an export.
    pub async fn website_member_export(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
    ) -> Result<Vec<(Member, Vec<MemberIdentity>)>, Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let mut all = Vec::new();
        loop {
            let offset = all.len() as u64;
            let batch = self.storage.website_member_list(website.id, "", None, (offset, BATCH)).await?;
            let is_last = (batch.len() as u64) < BATCH;
            all.extend(self.with_identities(website.id, batch).await?);
            if is_last {
                break;
            }
        }
        let action = format!("exported the members of the website {}", website.slug);
        self.log_by(actor, Some(organization.id), action).await?;
        Ok(all)
    }

    /// A member with everything that is known of them.
    pub async fn website_member_show(
        &self,
        actor: &Actor,
        address: MemberAddress<'_>,
    ) -> Result<MemberView, Failure> {
        let (_, _, member) = self.website_member(actor, address).await?;
        let identities = self.storage.website_identity_list(member.id).await?;
        let now = self.clock.now();
        let mut logins = self.storage.website_login_list(member.id).await?;
        logins.retain(|login| login.is_valid_at(now));
        let consents = self.storage.website_consent_list(member.id).await?;
        let applications = consents.into_iter().map(|(_, application)| application).collect();
        Ok(MemberView { member, identities, logins, applications })
    }

    /// Gives a member these roles, with commas or blanks between them, instead of those they have.
    pub async fn website_member_roles(
        &self,
        actor: &Actor,
        address: MemberAddress<'_>,
        typed: &str,
    ) -> Result<(), Failure> {
        let (organization, website, member) = self.website_member(actor, address).await?;
        let mut problems = Problems::default();
        let roles = problems.parse::<Roles>("roles", typed).ok_or_else(|| problems.into_failure())?;
        self.storage.website_member_role_update(website.id, member.id, &roles).await?;
        let names = match roles.names().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "no roles".to_owned(),
            names => format!("the roles {names}"),
        };
        let whom = told(&member, &website);
        self.log_by(actor, Some(organization.id), format!("gave {whom} {names}")).await?;
        self.member_note(actor, (&website, &member), &format!("was given {names}")).await
    }

    /// Blocks a member, or lets them in: whoever is pending is approved by it. A blocked one is logged out everywhere.
    pub async fn website_member_status(
        &self,
        actor: &Actor,
        address: MemberAddress<'_>,
        status: MemberStatus,
    ) -> Result<(), Failure> {
        let (organization, website, member) = self.website_member(actor, address).await?;
        let txn = self.storage.begin().await?;
        txn.website_member_status_update(website.id, member.id, status).await?;
        if status != MemberStatus::Active {
            txn.website_login_delete_of_member(website.id, member.id).await?;
        }
        txn.commit().await?;
        let (did, was) = match (status, member.status) {
            (MemberStatus::Blocked, _) => ("blocked", "was blocked"),
            (MemberStatus::Active, MemberStatus::Pending) => ("approved", "was approved"),
            (MemberStatus::Active, _) => ("unblocked", "was unblocked"),
            (MemberStatus::Pending, _) => ("took back the approval of", "lost the approval"),
        };
        self.log_by(actor, Some(organization.id), format!("{did} {}", told(&member, &website))).await?;
        self.member_note(actor, (&website, &member), was).await
    }

    /// Logs a member out of every browser and every application.
    pub async fn website_member_log_out(
        &self,
        actor: &Actor,
        address: MemberAddress<'_>,
    ) -> Result<(), Failure> {
        let (organization, website, member) = self.website_member(actor, address).await?;
        self.storage.website_login_delete_of_member(website.id, member.id).await?;
        self.log_by(actor, Some(organization.id), format!("logged out {}", told(&member, &website))).await?;
        self.member_note(actor, (&website, &member), "was logged out everywhere").await
    }

    /// Logs a member out of one browser.
    pub async fn website_member_login_end(
        &self,
        actor: &Actor,
        address: MemberAddress<'_>,
        login: WebsiteLoginId,
    ) -> Result<(), Failure> {
        let (organization, website, member) = self.website_member(actor, address).await?;
        let login = self.storage.website_login_find_by_id(website.id, login).await?;
        let login = login.filter(|login| login.member_id == member.id).ok_or(Failure::NotFound("browser"))?;
        self.storage.website_login_delete(website.id, login.id).await?;
        let action = format!("logged out {} in one browser", told(&member, &website));
        self.log_by(actor, Some(organization.id), action).await?;
        self.member_note(actor, (&website, &member), "was logged out in one browser").await
    }

    /// Deletes a member with everything that is known of them. Whoever logs in again is somebody new.
    pub async fn website_member_delete(
        &self,
        actor: &Actor,
        address: MemberAddress<'_>,
    ) -> Result<(), Failure> {
        let (organization, website, member) = self.website_member(actor, address).await?;
        self.storage.website_member_delete(website.id, member.id).await?;
        self.log_by(actor, Some(organization.id), format!("deleted {}", told(&member, &website))).await?;
        self.member_note(actor, (&website, &member), "was deleted").await
    }

    /// How many wait for an owner's approval at a website that the actor owns.
    pub async fn website_member_waiting(&self, website: &Website) -> Result<u64, Failure> {
        Ok(self.storage.website_member_count(website.id, "", Some(MemberStatus::Pending)).await?)
    }

    /// What an owner did, in the website's own log; `was` follows the name of the member.
    async fn member_note(
        &self,
        actor: &Actor,
        (website, member): (&Website, &Member),
        was: &str,
    ) -> Result<(), Failure> {
        let sentence = format!("{was} by {}.", actor.name());
        let member = Some(member.id);
        self.issuer_note(IssuerNote { website, member, sentence, is_failure: false, address: "" }).await
    }

    async fn website_member(
        &self,
        actor: &Actor,
        MemberAddress { organization, website, id }: MemberAddress<'_>,
    ) -> Result<(Organization, Website, Member), Failure> {
        let (organization, website) = self.website_owned(actor, organization, website).await?;
        let member = self.storage.website_member_find(website.id, id).await?;
        Ok((organization, website, member.ok_or(Failure::NotFound("member"))?))
    }

    async fn with_identities(
        &self,
        website: WebsiteId,
        members: Vec<Member>,
    ) -> Result<Vec<(Member, Vec<MemberIdentity>)>, Failure> {
        let ids: Vec<_> = members.iter().map(|member| member.id).collect();
        let mut of: HashMap<WebsiteMemberId, Vec<MemberIdentity>> = HashMap::new();
        for identity in self.storage.website_identity_list_of(website, &ids).await? {
            of.entry(identity.member_id).or_default().push(identity);
        }
        Ok(members
            .into_iter()
            .map(|member| {
                let identities = of.remove(&member.id).unwrap_or_default();
                (member, identities)
            })
            .collect())
    }
}

/// A member in the organization's Log, which outlives them: so by the beginning of their id, and not by their name.
fn told(member: &Member, website: &Website) -> String {
    let id: String = member.sub.chars().take(8).collect();
    format!("the member {id} of the website {}", website.slug)
}
