//! Browsers in which a member is signed in to a website.

use super::Issuer;
use crate::{App, Failure, Visitor, entropy};
use jiff::SignedDuration;
use stave_domain::{
    Secret, Timestamp,
    id::WebsiteMemberId,
    secret::SecretHash,
    website::{Login, Member, MemberStatus, Place, Provider},
};
use stave_storage::Storage;

/// How exactly the last sign of life of a browser is kept, wherever it shows one.
pub(super) const SEEN_PRECISION: SignedDuration = SignedDuration::from_mins(1);
/// Who comes in through a button with a restriction is asked for again after this time at most: Bitbucket's answer, not a stored
/// token, says whether they still belong to it.
const RESTRICTED_HOURS: u32 = 24;

/// A member in a browser.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The browser.
    pub login: Login,
    /// Who.
    pub member: Member,
}

impl App {
    /// Who is signed in to a website, by the secret in its cookie. A dead or unknown one, or one of another website, counts as
    /// none; so does that of a member who may not come in any more.
    pub async fn issuer_signed_in(
        &self,
        issuer: &Issuer,
        cookie: Option<&Secret>,
    ) -> Result<Option<SignedIn>, Failure> {
        let Some(secret) = cookie else { return Ok(None) };
        let website = issuer.website.id;
        let now = self.clock.now();
        let found = self.storage.website_login_find(website, &SecretHash::of(secret)).await?;
        let Some(mut login) = found.filter(|login| login.is_valid_at(now)) else { return Ok(None) };
        let member = self.storage.website_member_find(website, login.member_id).await?;
        let Some(member) = member.filter(|member| member.status == MemberStatus::Active) else {
            return Ok(None);
        };
        if now.duration_since(login.seen_at) >= SEEN_PRECISION {
            self.storage.website_login_seen(login.id, now).await?;
            login.seen_at = now;
        }
        Ok(Some(SignedIn { login, member }))
    }

    /// Signs a member in to this browser; the secret is for its cookie, and never one that the browser held before. Of the same
    /// member the login goes on, so that nothing else that hangs on it ends (OpenID Connect Core, section 3.1.2.3: signing in once
    /// more is no logging out); another member's ends.
    pub(super) async fn issuer_login_make(
        &self,
        txn: &Storage,
        issuer: &Issuer,
        entry: Entry<'_>,
    ) -> Result<(Secret, Login), Failure> {
        let now = self.clock.now();
        let mut same = None;
        if let Some(before) = entry.before
            && let Some(before) = txn.website_login_find(issuer.website.id, &SecretHash::of(before)).await?
        {
            if before.member_id == entry.member && before.is_valid_at(now) {
                same = Some(before.id);
            } else {
                txn.website_login_delete(issuer.website.id, before.id).await?;
            }
        }
        let secret = entropy::secret();
        let login = Login {
            id: same.unwrap_or_else(entropy::id),
            website_id: issuer.website.id,
            member_id: entry.member,
            secret_hash: SecretHash::of(&secret),
            provider: entry.provider.key.clone(),
            place: entry.place.clone(),
            authenticated_at: now,
            seen_at: now,
            idle_seconds: i64::from(issuer.setting.idle_hours) * 3600,
            ends_at: ends_at(issuer, entry.provider, now),
            user_agent: entry.visitor.user_agent.clone(),
            address: entry.visitor.address.clone(),
        };
        match same {
            Some(_) => txn.website_login_update(&login).await?,
            None => txn.website_login_insert(&login).await?,
        }
        Ok((secret, login))
    }

    /// Ends a login: its passes, codes and tokens end with it.
    pub(crate) async fn issuer_log_out(&self, issuer: &Issuer, login: &Login) -> Result<(), Failure> {
        self.storage.website_login_delete(issuer.website.id, login.id).await?;
        Ok(())
    }
}

/// Who comes in, and how.
pub(super) struct Entry<'a> {
    pub(super) member: WebsiteMemberId,
    pub(super) provider: &'a Provider,
    pub(super) place: &'a Place,
    /// What the browser held before.
    pub(super) before: Option<&'a Secret>,
    pub(super) visitor: &'a Visitor,
}

fn ends_at(issuer: &Issuer, provider: &Provider, now: Timestamp) -> Timestamp {
    let longest = issuer.setting.longest_hours;
    let hours = if provider.only.is_empty() { longest } else { longest.min(RESTRICTED_HOURS) };
    now + SignedDuration::from_hours(hours.into())
}
