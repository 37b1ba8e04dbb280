//! Registration: the account that is made when somebody comes back from a platform for the first time.

use crate::{
    Actor, App, Failure, Problems, Visitor, entropy,
    identity::{Arrived, grant_read, grant_text},
};
use stave_domain::{
    Secret,
    identity::{RemoteEmail, RemoteProfile},
    integration::Integration,
    login::Registration,
    secret::SecretHash,
    user::{EmailAddress, User, Username},
};
use stave_storage::Transaction;

/// The registration step as it is first shown.
#[derive(Debug)]
pub struct RegistrationView {
    /// Through which integration they came.
    pub integration: Integration,
    /// What the platform said.
    pub profile: RemoteProfile,
    /// Whether its word for the e-mail address counts.
    pub is_trusted: bool,
    /// The form, filled with it.
    pub form: RegistrationForm,
}

/// What is typed into the registration step.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct RegistrationForm {
    /// A [`Username`].
    pub username: String,
    /// As they write it; may be empty.
    pub name: String,
    /// An [`EmailAddress`], or empty.
    pub email: String,
    /// Present if the address shall be taken from an account that never verified it.
    pub take_email: Option<String>,
}

/// What waits, sealed, until the registration step is sent.
#[derive(serde::Serialize, serde::Deserialize)]
struct Waiting {
    external_id: String,
    handle: String,
    display_name: String,
    email: Option<EmailAddress>,
    email_confirmed: bool,
    /// Whether the platform's word for the address counted when they came back.
    is_trusted: bool,
    client_id: String,
    grant: String,
}

impl App {
    /// Begins the registration step: the secret of the cookie `stave_registration`. What the platform said waits, sealed.
    pub(crate) async fn registration_begin(
        &self,
        arrived: &Arrived<'_>,
        return_to: &str,
    ) -> Result<Secret, Failure> {
        let browser = entropy::secret();
        let browser_hash = SecretHash::of(&browser);
        let waiting = Waiting::new(arrived)?;
        let text = Secret::new(serde_json::to_string(&waiting).map_err(Failure::internal)?);
        let registration = Registration {
            browser_hash,
            integration_id: arrived.integration.id,
            sealed: self.keys.seal("registration", hex::encode(browser_hash.0), &text),
            return_to: return_to.to_owned(),
            created_at: self.clock.now(),
        };
        self.storage.registration_insert(&registration).await?;
        Ok(browser)
    }

    /// The registration step that waits in this browser; `None` if there is none or it is over.
    pub async fn registration_show(
        &self,
        browser: Option<&Secret>,
    ) -> Result<Option<RegistrationView>, Failure> {
        let Some((registration, waiting)) = self.registration_waiting(browser).await? else {
            return Ok(None);
        };
        let Some(integration) = self.storage.integration_find(registration.integration_id).await? else {
            return Ok(None);
        };
        let form = RegistrationForm {
            username: self.username_free(&waiting.handle).await?,
            name: waiting.display_name.clone(),
            email: waiting.email.as_ref().map(ToString::to_string).unwrap_or_default(),
            take_email: None,
        };
        Ok(Some(RegistrationView {
            integration,
            profile: waiting.profile(),
            is_trusted: waiting.is_trusted,
            form,
        }))
    }

    /// Makes the account and logs it in: the secret of the cookie `stave_login`, and the page to go to.
    pub async fn registration_finish(
        &self,
        browser: Option<&Secret>,
        form: &RegistrationForm,
        (actor, visitor): (&Actor, &Visitor),
    ) -> Result<(Secret, String), Failure> {
        let Some((registration, waiting)) = self.registration_waiting(browser).await? else {
            return Err(Failure::Denied("This registration is over: it took more than an hour, or it was sent already. Log in once more.".into()));
        };
        let integration = self
            .storage
            .integration_find(registration.integration_id)
            .await?
            .ok_or(Failure::NotFound("integration"))?;
        let trusted = waiting.email.as_ref().filter(|_| waiting.is_trusted);
        let client = integration.client_with(&waiting.client_id).ok_or_else(|| {
            Failure::Denied("The integration was changed while the form was open. Log in once more.".into())
        })?;
        let (profile, grant) = (waiting.profile(), grant_read(&waiting.grant)?);
        let arrived = Arrived { integration: &integration, client, profile, grant };
        let user = self.user_typed(form, trusted, actor.is_setup).await?;
        let txn = self.people_change().await?;
        let is_first = integration.is_believed() && actor.is_setup && txn.admin_list().await?.is_empty();
        let user = User { is_admin: is_first, ..user };
        let loser = if form.take_email.is_some() { address_take(&txn, &user).await? } else { None };
        txn.user_insert(&user, None).await?;
        txn.identity_insert(&self.identity_new(user.id, &arrived)?).await?;
        txn.registration_delete(&registration.browser_hash).await?;
        txn.commit().await?;
        let who = (user.username.as_str(), Some(user.id));
        let action = format!("registered through {}", integration.name);
        self.log(who, None, &visitor.address, action).await?;
        if let Some(loser) = loser {
            let action =
                format!("took a verified e-mail address from {}, who never verified it", loser.username);
            self.log(who, None, &visitor.address, action).await?;
        }
        let login = self.login_prove(user.id, &integration, (actor, visitor)).await?;
        Ok((login, registration.return_to))
    }

    /// Forgets what waits in this browser.
    pub async fn registration_cancel(&self, browser: Option<&Secret>) -> Result<(), Failure> {
        match browser {
            Some(browser) => Ok(self.storage.registration_delete(&SecretHash::of(browser)).await?),
            None => Ok(()),
        }
    }

    /// The user that a registration asks for, or what is wrong with it. Not an admin yet.
    pub(crate) async fn user_typed(
        &self,
        form: &RegistrationForm,
        trusted: Option<&EmailAddress>,
        is_setup: bool,
    ) -> Result<User, Failure> {
        let mut problems = Problems::default();
        let username = problems.parse::<Username>("username", &form.username);
        let email = match form.email.trim() {
            "" => Some(None),
            typed => problems.parse::<EmailAddress>("email", typed).map(Some),
        };
        if form.name.chars().count() > 100 || form.name.chars().any(char::is_control) {
            problems.add("name", "A name has at most 100 characters.");
        }
        if let Some(username) = &username
            && self.storage.user_find_by_username(username).await?.is_some()
        {
            problems.add("username", "Somebody here has this username already. Choose another.");
        }
        if let Some(Some(email)) = &email
            && let Some(holder) = self.storage.user_find_by_email(email).await?
        {
            let can_be_taken = trusted == Some(email) && can_lose_address(&holder);
            match (can_be_taken, &form.take_email) {
                (true, Some(_)) => {}
                (true, None) => problems.add("take_email", UNVERIFIED_HOLDER),
                (false, _) if is_setup => problems.add("email", HELD),
                (false, _) => problems.add(
                    "email",
                    format!(
                        "{HELD} If it is yours, log in to that account, then connect this one on its Profile."
                    ),
                ),
            }
        }
        match (username, email) {
            (Some(username), Some(email)) if problems.is_empty() => Ok(User {
                id: entropy::id(),
                username,
                name: form.name.trim().to_owned(),
                email_verified: email.is_some() && email.as_ref() == trusted,
                email,
                is_admin: false,
                created_at: self.clock.now(),
            }),
            _ => Err(problems.into_failure()),
        }
    }

    async fn registration_waiting(
        &self,
        browser: Option<&Secret>,
    ) -> Result<Option<(Registration, Waiting)>, Failure> {
        let Some(browser) = browser else { return Ok(None) };
        let hash = SecretHash::of(browser);
        let Some(registration) = self.storage.registration_find(&hash).await? else { return Ok(None) };
        if !registration.is_valid_at(self.clock.now()) {
            return Ok(None);
        }
        let text = self
            .keys
            .open("registration", hex::encode(hash.0), &registration.sealed)
            .map_err(Failure::internal)?;
        let waiting = serde_json::from_str(text.expose()).map_err(Failure::internal)?;
        Ok(Some((registration, waiting)))
    }

    /// A username made of the platform's handle that nobody has yet; empty if nothing usable is left of it.
    async fn username_free(&self, handle: &str) -> Result<String, Failure> {
        let Some(first) = Username::suggest(handle) else { return Ok(String::new()) };
        if self.storage.user_find_by_username(&first).await?.is_none() {
            return Ok(first.to_string());
        }
        for number in 2..100 {
            let Ok(next) = format!("{first}-{number}").parse::<Username>() else { break };
            if self.storage.user_find_by_username(&next).await?.is_none() {
                return Ok(next.to_string());
            }
        }
        Ok(String::new())
    }
}

const HELD: &str = "There is an account with this address already.";
const UNVERIFIED_HOLDER: &str = "There is an account with this address, which never verified it. If it is yours, cancel, log in to that account and connect this one on its Profile. If not, tick this box: the other account loses the address.";

/// Somebody who typed an address that was never confirmed to be theirs. Admins keep it: it may be their only way in.
fn can_lose_address(holder: &User) -> bool {
    !holder.email_verified && !holder.is_admin
}

/// Takes the verified address of a new user from whoever has it unverified; says from whom.
async fn address_take(txn: &Transaction, user: &User) -> Result<Option<User>, Failure> {
    let Some(email) = user.email.as_ref().filter(|_| user.email_verified) else { return Ok(None) };
    let Some(holder) = txn.user_find_by_email(email).await?.filter(can_lose_address) else { return Ok(None) };
    txn.user_update(&User { email: None, ..holder.clone() }).await?;
    Ok(Some(holder))
}

impl Waiting {
    fn new(arrived: &Arrived<'_>) -> Result<Self, Failure> {
        let Arrived { integration, client, profile, grant } = arrived;
        let email_confirmed = profile.email.as_ref().is_some_and(|email| email.confirmed);
        Ok(Self {
            is_trusted: integration.trust_email || (email_confirmed && integration.is_believed()),
            external_id: profile.external_id.clone(),
            handle: profile.handle.clone(),
            display_name: profile.display_name.clone(),
            email: profile.email.as_ref().map(|email| email.address.clone()),
            email_confirmed,
            client_id: client.id().to_owned(),
            grant: grant_text(grant)?,
        })
    }

    fn profile(&self) -> RemoteProfile {
        let email =
            self.email.clone().map(|address| RemoteEmail { address, confirmed: self.email_confirmed });
        RemoteProfile {
            external_id: self.external_id.clone(),
            handle: self.handle.clone(),
            display_name: self.display_name.clone(),
            second_id: None,
            picture: None,
            emails: email.iter().cloned().collect(),
            email,
        }
    }
}
