//! Whether a visitor may come in, and their membership: it begins with the first sign-in, without a form.

use super::{Issuer, IssuerBrowser, login::Entry, too_often};
use crate::{App, Failure, entropy, website::Server};
use stave_domain::{
    Timestamp,
    id::WebsiteMemberId,
    identity::{RemoteEmail, RemoteProfile},
    website::{Address, Circle, EmailTrust, Member, MemberIdentity, MemberStatus, Place, Provider, SignUp},
};
use stave_storage::{Storage, StorageError};

/// Somebody at a server, as it says.
pub(crate) struct Arrived {
    pub(crate) profile: RemoteProfile,
    /// Every address, the primary one first.
    pub(crate) addresses: Vec<Address>,
    /// Those of the wanted circles that they are in.
    pub(crate) circles: Vec<Circle>,
}

/// Why somebody is not let in.
pub(crate) struct Barred {
    /// A sentence for them.
    pub(crate) told: String,
    /// The reason for the website's log, in the third person: what follows "was not let in: ".
    pub(crate) because: &'static str,
    /// The member that they are all the same.
    pub(crate) member: Option<WebsiteMemberId>,
    /// Whether all that is missing is an owner's word.
    pub(crate) is_waiting: bool,
}

impl Barred {
    /// Why somebody who may be anybody is not let in.
    pub(super) fn new(told: impl Into<String>, because: &'static str) -> Self {
        Self { told: told.into(), because, member: None, is_waiting: false }
    }
}

/// Somebody who came back, and everything that was said about them.
pub(super) struct Came<'a> {
    pub(super) issuer: &'a Issuer,
    pub(super) provider: &'a Provider,
    pub(super) server: &'a Server,
    pub(super) arrived: &'a Arrived,
    pub(super) browser: IssuerBrowser<'a>,
}

impl Came<'_> {
    /// How a member comes in with it.
    pub(super) fn entry(&self, member: WebsiteMemberId) -> Entry<'_> {
        Entry {
            member,
            provider: self.provider,
            place: &self.server.place,
            before: self.browser.login,
            visitor: self.browser.visitor,
        }
    }

    /// What their server said about a member just now.
    pub(super) fn identity(
        &self,
        member_id: WebsiteMemberId,
        connected_at: Timestamp,
        now: Timestamp,
    ) -> MemberIdentity {
        let profile = &self.arrived.profile;
        MemberIdentity {
            website_id: self.issuer.website.id,
            member_id,
            place: self.server.place.clone(),
            external_id: profile.external_id.clone(),
            second_id: profile.second_id.clone(),
            handle: profile.handle.clone(),
            display_name: profile.display_name.clone(),
            addresses: self.arrived.addresses.clone(),
            connected_at,
            signed_in_at: now,
        }
    }
}

impl App {
    /// A member who was here before: what the server says about them may have changed.
    pub(super) async fn member_renew(
        &self,
        txn: &Storage,
        came: &Came<'_>,
        identity: MemberIdentity,
    ) -> Result<Member, Failure> {
        let (website, now) = (came.issuer.website.id, self.clock.now());
        let member = txn.website_member_find(website, identity.member_id).await?;
        let member = member.ok_or_else(|| Failure::internal("an identity without its member"))?;
        let identity = came.identity(identity.member_id, identity.connected_at, now);
        txn.website_identity_update(&identity).await?;
        let identities = txn.website_identity_list(member.id).await?;
        let addresses = identities.iter().flat_map(|identity| &identity.addresses);
        let member = told(member, &came.arrived.profile, addresses, now);
        txn.website_member_update(&member).await?;
        Ok(member)
    }

    /// Somebody new. An address that belongs to a member already is no proof that they are the same, so they are not let in as
    /// that one; and as another one only the other way in would be lost to them.
    pub(super) async fn member_make(
        &self,
        txn: &Storage,
        came: &Came<'_>,
    ) -> Result<Result<Member, Barred>, Failure> {
        let (issuer, now) = (came.issuer, self.clock.now());
        let name = &issuer.website.name;
        if issuer.setting.sign_up == SignUp::Closed {
            return Ok(Err(Barred::new(
                format!(
                    "{name} takes no new members at this time. If you have been here before, log in the way you did then."
                ),
                "they are new, and the website takes no new members.",
            )));
        }
        for address in came.arrived.addresses.iter().filter(|address| address.is_verified) {
            let place = &came.server.place;
            let other =
                txn.website_member_find_by_verified(issuer.website.id, &address.address, place).await?;
            if other.is_some() {
                // The sentence goes into the logs too: it does not say which address.
                return Ok(Err(Barred::new(
                    format!(
                        "Your e-mail address already belongs to a member of {name}. Log in the way you did before, then connect this account on your account page."
                    ),
                    "their e-mail address belongs to a member who logs in with another account.",
                )));
            }
        }
        self.issuer_limits.members.count(issuer.website.id, now).map_err(too_often)?;
        let member = newcomer(issuer, now);
        let identity = came.identity(member.id, now, now);
        let member = told(member, &came.arrived.profile, &identity.addresses, now);
        txn.website_member_insert(&member).await?;
        txn.website_identity_insert(&identity).await.map_err(|error| match error {
            StorageError::Conflict => {
                Failure::Conflict("You logged in twice at the same moment. Log in once more.".into())
            }
            other => other.into(),
        })?;
        Ok(Ok(member))
    }
}

/// Somebody who is here for the first time; their server has not said anything yet.
pub(crate) fn newcomer(issuer: &Issuer, now: Timestamp) -> Member {
    Member {
        id: entropy::id(),
        website_id: issuer.website.id,
        sub: entropy::secret().expose().to_owned(),
        name: String::new(),
        handle: String::new(),
        picture: None,
        email: None,
        roles: issuer.setting.default_roles.clone(),
        status: match issuer.setting.sign_up {
            SignUp::Approval => MemberStatus::Pending,
            _ => MemberStatus::Active,
        },
        created_at: now,
        signed_in_at: now,
    }
}

/// The member, with what the server said just now; their address is the best of all that their servers told.
pub(crate) fn told<'a>(
    member: Member,
    profile: &RemoteProfile,
    addresses: impl IntoIterator<Item = &'a Address> + Clone,
    now: Timestamp,
) -> Member {
    Member {
        name: profile.display_name.clone(),
        handle: profile.handle.clone(),
        picture: profile.picture.clone(),
        email: Address::best_of(addresses).cloned(),
        signed_in_at: now,
        ..member
    }
}

/// Every address that a server told, and whether it counts. The primary one comes first.
pub(crate) fn addresses_of(profile: &RemoteProfile, trust: EmailTrust) -> Vec<Address> {
    let address = |email: &RemoteEmail| Address {
        address: email.address.clone(),
        is_verified: trust.accepts(email.confirmed),
    };
    profile.emails.iter().map(address).collect()
}

/// Whether the setting lets in somebody like this.
pub(crate) fn admitted(
    issuer: &Issuer,
    (provider, place): (&Provider, &Place),
    arrived: &Arrived,
) -> Result<(), Barred> {
    let (name, server) = (&issuer.website.name, place.label());
    let in_circle = |wanted: &Circle| arrived.circles.iter().any(|circle| circle.is(wanted));
    if !provider.only.is_empty() && !provider.only.iter().any(in_circle) {
        let who = match provider.only.first() {
            Some(Circle::Group { .. }) => "the group",
            _ => "the workspace",
        };
        return Err(Barred::new(
            format!(
                "{name} is for members of {who} that its owner chose, and {server} says that {} is not one. If you have another account, log in there with it first.",
                arrived.profile.handle
            ),
            "they are in none of the workspaces or groups that the login form names.",
        ));
    }
    let mut verified = arrived.addresses.iter().filter(|address| address.is_verified);
    if issuer.setting.email_required && verified.clone().next().is_none() {
        return Err(Barred::new(
            format!(
                "{name} needs a verified e-mail address, and {server} told none. Confirm your address there, then log in once more."
            ),
            "they have no verified e-mail address.",
        ));
    }
    let allowed = &issuer.setting.allowed;
    if !allowed.is_empty() && !verified.any(|address| allowed.iter().any(|allowed| allowed.allows(address))) {
        return Err(Barred::new(
            format!(
                "{name} is for people with certain e-mail addresses, and none of yours that {server} has verified is one of them."
            ),
            "none of their verified e-mail addresses is one that the login form allows.",
        ));
    }
    Ok(())
}

/// Why a member is kept out, if they are.
pub(super) fn kept_out(member: &Member, issuer: &Issuer) -> Option<Barred> {
    let name = &issuer.website.name;
    let (told, because) = match member.status {
        MemberStatus::Active => return None,
        MemberStatus::Pending => (
            format!(
                "The owner of {name} has to approve you before you can come in. There is nothing more for you to do: come back later and log in once more."
            ),
            "waits for approval.",
        ),
        MemberStatus::Blocked => (
            format!("You may not log in to {name}. If you think that this is a mistake, ask its owner."),
            "is blocked.",
        ),
    };
    let is_waiting = member.status == MemberStatus::Pending;
    Some(Barred { told, because, member: Some(member.id), is_waiting })
}
