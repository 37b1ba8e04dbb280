//! A member's own page at a website: what is kept of them, and how they end it.

use super::{Button, Issuer, IssuerNote, SignedIn, arrival::is_fresh, trip::offered};
use crate::{App, Departure, Failure, Visitor};
use stave_domain::{
    Secret,
    id::{WebsiteClientId, WebsiteLoginId},
    website::{Address, Consent, Login, Member, MemberIdentity, Place, TripPurpose},
};

/// What a website keeps of a member.
#[derive(Debug)]
pub struct IssuerAccount {
    /// The servers that know them, oldest first.
    pub identities: Vec<MemberIdentity>,
    /// The buttons of servers that could be connected.
    pub others: Vec<Button>,
    /// Whether they proved a moment ago who they are, so that a server can be connected.
    pub is_fresh: bool,
    /// The browsers in which they are signed in, newest first.
    pub logins: Vec<Login>,
    /// What applications may know, with the names of the applications.
    pub consents: Vec<(Consent, String)>,
}

impl App {
    /// What a website keeps of a member.
    pub async fn issuer_account(
        &self,
        issuer: &Issuer,
        signed_in: &SignedIn,
    ) -> Result<IssuerAccount, Failure> {
        let (member, now) = (signed_in.member.id, self.clock.now());
        let identities = self.storage.website_identity_list(member).await?;
        let mut known: Vec<Place> = identities.iter().map(|identity| identity.place.clone()).collect();
        let mut others = Vec::new();
        for provider in issuer.setting.offered() {
            // A button whose integration was deleted leads nowhere, and two may lead to the same server.
            let Ok(server) = self.website_server(&issuer.website, provider, None).await else { continue };
            if !known.contains(&server.place) {
                others.push(Button { key: provider.key.to_string(), label: server.place.label() });
                known.push(server.place);
            }
        }
        let mut logins = self.storage.website_login_list(member).await?;
        logins.retain(|login| login.is_valid_at(now));
        Ok(IssuerAccount {
            identities,
            others,
            is_fresh: is_fresh(signed_in.login.authenticated_at, now),
            logins,
            consents: self.storage.website_consent_list(member).await?,
        })
    }

    /// Sends a member to another server to be connected with it. `LogInNeeded` if they proved too long ago who they are.
    pub async fn issuer_connect_begin(
        &self,
        issuer: &Issuer,
        signed_in: &SignedIn,
        provider: &str,
        (browser, visitor): (Option<Secret>, &Visitor),
    ) -> Result<Departure, Failure> {
        if !is_fresh(signed_in.login.authenticated_at, self.clock.now()) {
            return Err(Failure::LogInNeeded);
        }
        let server = self.website_server(&issuer.website, offered(&issuer.setting, provider)?, None).await?;
        let mine = self.storage.website_identity_list(signed_in.member.id).await?;
        if mine.iter().any(|identity| identity.place == server.place) {
            return Err(Failure::Denied(format!("You are connected with {} already.", server.place.label())));
        }
        let purpose = TripPurpose::Connect { login: signed_in.login.id };
        self.issuer_depart(issuer, provider, purpose, (browser, visitor)).await
    }

    /// Disconnects a server, by the text of its place. Browsers in which somebody signed in through it are signed out, except this
    /// one. The last server stays: without it nobody could come in as this member.
    pub async fn issuer_disconnect(
        &self,
        issuer: &Issuer,
        signed_in: &SignedIn,
        place: &str,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let (website, member) = (issuer.website.id, &signed_in.member);
        let txn = self.storage.begin().await?;
        let (gone, left): (Vec<_>, Vec<_>) = txn
            .website_identity_list(member.id)
            .await?
            .into_iter()
            .partition(|identity| identity.place.as_str() == place);
        let gone = gone.first().ok_or(Failure::NotFound("connected account"))?;
        let Some(first) = left.first() else {
            return Err(Failure::Denied(
                "This is the only account with which you can log in here, so it stays connected. Connect another one first, or delete yourself.".into(),
            ));
        };
        txn.website_identity_delete(website, member.id, &gone.place).await?;
        let now_kept = txn.website_member_find(website, member.id).await?.ok_or(Failure::LogInNeeded)?;
        txn.website_member_update(&without(now_kept, gone, first, &left)).await?;
        for login in txn.website_login_list(member.id).await? {
            if login.place == gone.place && login.id != signed_in.login.id {
                txn.website_login_delete(website, login.id).await?;
            }
        }
        txn.commit().await?;
        let sentence = format!("disconnected {}.", gone.place.label());
        self.issuer_account_note(issuer, signed_in, (sentence, visitor)).await
    }

    /// Signs the member out in one browser, with everything that hangs on it.
    pub async fn issuer_login_end(
        &self,
        issuer: &Issuer,
        signed_in: &SignedIn,
        login: WebsiteLoginId,
    ) -> Result<(), Failure> {
        let found = self.storage.website_login_find_by_id(issuer.website.id, login).await?;
        let theirs = found.filter(|login| login.member_id == signed_in.member.id);
        let theirs = theirs.ok_or(Failure::NotFound("browser that is logged in"))?;
        self.storage.website_login_delete(issuer.website.id, theirs.id).await?;
        Ok(())
    }

    /// Signs the member out in every browser, and ends what applications may do for them.
    pub async fn issuer_sign_out_everywhere(
        &self,
        issuer: &Issuer,
        signed_in: &SignedIn,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        self.storage.website_login_delete_of_member(issuer.website.id, signed_in.member.id).await?;
        let sentence = "logged out everywhere.".to_owned();
        self.issuer_account_note(issuer, signed_in, (sentence, visitor)).await
    }

    /// The member takes back what an application may know: its tokens end at once, and it has to ask again.
    pub async fn issuer_consent_withdraw(
        &self,
        issuer: &Issuer,
        signed_in: &SignedIn,
        client: WebsiteClientId,
    ) -> Result<(), Failure> {
        let (website, member) = (issuer.website.id, signed_in.member.id);
        let txn = self.storage.begin().await?;
        if !txn.website_consent_delete(member, client).await? {
            return Err(Failure::NotFound("application with your consent"));
        }
        txn.website_grant_delete_of_member(website, member, client).await?;
        txn.commit().await?;
        Ok(())
    }

    /// Deletes the member with everything that is kept of them here. The website's log keeps that it happened.
    pub async fn issuer_member_delete(
        &self,
        issuer: &Issuer,
        signed_in: &SignedIn,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        self.storage.website_member_delete(issuer.website.id, signed_in.member.id).await?;
        self.issuer_account_note(issuer, signed_in, ("deleted themselves here.".into(), visitor)).await
    }

    async fn issuer_account_note(
        &self,
        issuer: &Issuer,
        signed_in: &SignedIn,
        (sentence, visitor): (String, &Visitor),
    ) -> Result<(), Failure> {
        let note = IssuerNote {
            website: &issuer.website,
            member: Some(signed_in.member.id),
            sentence,
            is_failure: false,
            address: &visitor.address,
        };
        self.issuer_note(note).await
    }

    /// The picture of a website, as PNG. `None` if it has no such picture.
    pub async fn issuer_logo(&self, issuer: &Issuer, hash: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.storage.website_logo_find(issuer.website.id, hash).await?)
    }
}

/// The member without a server: what it alone told is forgotten.
fn without(member: Member, gone: &MemberIdentity, first: &MemberIdentity, left: &[MemberIdentity]) -> Member {
    let addresses: Vec<&Address> = left.iter().flat_map(|identity| &identity.addresses).collect();
    let is_from_it = member.name == gone.display_name && member.handle == gone.handle;
    let member = Member { email: Address::best_of(addresses).cloned(), ..member };
    if !is_from_it {
        return member;
    }
    Member { name: first.display_name.clone(), handle: first.handle.clone(), picture: None, ..member }
}
