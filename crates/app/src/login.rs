//! Log-ins: one browser that is signed in, and the way in by e-mail address and password.

use crate::{Actor, App, Failure, Problems, RegistrationForm, Visitor, entropy};
use argon2::{
    Argon2, PasswordHasher, PasswordVerifier,
    password_hash::{self, phc::PasswordHash},
};
use stave_domain::{
    Secret,
    id::{IntegrationId, LoginId, UserId},
    integration::Integration,
    login::{ABSOLUTE_LIMIT, ATTEMPT_LIMIT, IDLE_LIMIT, Login, REGISTRATION_LIMIT},
    secret::SecretHash,
    user::{EmailAddress, User, password_check},
};
use std::sync::LazyLock;
use tokio::sync::Semaphore;

/// How many passwords are hashed at once: each takes 19 MiB and one core for a while.
static HASHING: Semaphore = Semaphore::const_new(2);

/// The hash that no password fits, for accounts that do not exist.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash_text(&entropy::secret()).expect("a random text can be hashed"));

/// How somebody came in.
struct Method {
    /// An integration's name, or "password".
    name: String,
    /// Through which integration.
    came: Option<IntegrationId>,
}

impl Method {
    fn password() -> Self {
        Self { name: "password".into(), came: None }
    }
}

/// What is typed into the log-in and registration forms with password.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct PasswordForm {
    /// A [`Username`](stave_domain::user::Username); only to register.
    pub username: String,
    /// As they write it; only to register.
    pub name: String,
    /// An [`EmailAddress`].
    pub email: String,
    /// The password.
    pub password: Secret,
}

impl App {
    /// Signs a browser in after a trip to a platform: the secret of its cookie `stave_login`. Whoever is signed in already
    /// reaches more now: they still came in the way they did before, unless this way reaches everything.
    pub(crate) async fn login_prove(
        &self,
        user_id: UserId,
        integration: &Integration,
        (actor, visitor): (&Actor, &Visitor),
    ) -> Result<Secret, Failure> {
        self.person_arrived(user_id, integration.id).await?;
        let is_same = actor.user.as_ref().is_some_and(|user| user.id == user_id) && actor.within.is_none();
        let method = match actor.login.as_ref().filter(|_| is_same && !integration.is_believed()) {
            Some(login) => Method { name: login.method.clone(), came: login.integration_id },
            None => Method { name: integration.name.clone(), came: Some(integration.id) },
        };
        self.login_start(user_id, (method, Some(integration.id)), visitor).await
    }

    /// Signs a browser in: the secret of its cookie `stave_login`. `proven` is the integration at which they just proved who
    /// they are.
    async fn login_start(
        &self,
        user_id: UserId,
        (method, proven_id): (Method, Option<IntegrationId>),
        visitor: &Visitor,
    ) -> Result<Secret, Failure> {
        let secret = entropy::secret();
        let now = self.clock.now();
        let login = Login {
            id: entropy::id(),
            user_id,
            secret_hash: SecretHash::of(&secret),
            method: method.name,
            integration_id: method.came,
            proven_id,
            user_agent: visitor.user_agent.chars().filter(|c| !c.is_control()).take(300).collect(),
            address: visitor.address.clone(),
            created_at: now,
            seen_at: now,
        };
        self.storage.login_insert(&login).await?;
        Ok(secret)
    }

    /// Ends the log-in of this browser.
    pub async fn log_out(&self, actor: &Actor) -> Result<(), Failure> {
        if let (Some(user), Some(login)) = (&actor.user, actor.login_id()) {
            self.storage.login_delete(user.id, login).await?;
        }
        Ok(())
    }

    /// Where the actor is logged in, newest first.
    pub async fn login_list(&self, actor: &Actor) -> Result<Vec<Login>, Failure> {
        let now = self.clock.now();
        let mut logins = self.storage.login_list(actor.user()?.id).await?;
        if actor.within.is_some() {
            logins.retain(|login| Some(login.id) == actor.login_id());
        }
        Ok(logins.into_iter().filter(|login| login.is_valid_at(now)).collect())
    }

    /// Ends one log-in of the actor.
    pub async fn login_end(&self, actor: &Actor, id: LoginId) -> Result<(), Failure> {
        if !self.storage.login_delete(actor.whole()?.id, id).await? {
            return Err(Failure::NotFound("log-in"));
        }
        self.log_by(actor, None, "ended a log-in of their own").await
    }

    /// Logs in with e-mail address and password. Whether the address or the password is wrong is not told.
    pub async fn password_log_in(&self, form: &PasswordForm, visitor: &Visitor) -> Result<Secret, Failure> {
        self.password_login_is_on().await?;
        let wrong = || Failure::invalid("password", "The e-mail address or the password is wrong.");
        let user = match form.email.parse::<EmailAddress>() {
            Ok(email) => self.storage.user_find_by_email(&email).await?,
            Err(_) => None,
        };
        let stored = match &user {
            Some(user) => self.storage.user_password_hash(user.id).await?,
            None => None,
        };
        let fits = password_fits(form.password.clone(), stored).await?;
        let user = user.filter(|_| fits).ok_or_else(wrong)?;
        self.login_start(user.id, (Method::password(), None), visitor).await
    }

    /// Makes an account with e-mail address and password and logs it in.
    pub async fn password_register(
        &self,
        form: &PasswordForm,
        (actor, visitor): (&Actor, &Visitor),
    ) -> Result<Secret, Failure> {
        self.password_login_is_on().await?;
        let mut problems = Problems::default();
        problems.check("password", password_check(&form.password));
        if form.email.trim().is_empty() {
            problems.add("email", "You log in with this address, so it cannot be empty.");
        }
        let typed = RegistrationForm {
            username: form.username.clone(),
            name: form.name.clone(),
            email: form.email.clone(),
            take_email: None,
        };
        let user = match self.user_typed(&typed, None, actor.is_setup).await {
            Ok(user) if problems.is_empty() => user,
            Ok(_) => return Err(problems.into_failure()),
            Err(Failure::Invalid(more)) => {
                more.iter().for_each(|(field, sentence)| problems.add(field.to_owned(), sentence));
                return Err(problems.into_failure());
            }
            Err(other) => return Err(other),
        };
        let hash = password_hash(form.password.clone()).await?;
        let txn = self.people_change().await?;
        let user = User { is_admin: actor.is_setup && txn.admin_list().await?.is_empty(), ..user };
        txn.user_insert(&user, Some(&hash)).await?;
        txn.commit().await?;
        let who = (user.username.as_str(), Some(user.id));
        self.log(who, None, &visitor.address, "registered with a password").await?;
        self.login_start(user.id, (Method::password(), None), visitor).await
    }

    /// Forgets log-ins, trips and registrations that are over.
    pub(crate) async fn logins_sweep(&self) -> Result<(), Failure> {
        let now = self.clock.now();
        self.storage.login_delete_before(now - IDLE_LIMIT, now - ABSOLUTE_LIMIT).await?;
        self.storage.attempt_delete_before(now - ATTEMPT_LIMIT).await?;
        self.storage.registration_delete_before(now - REGISTRATION_LIMIT).await?;
        Ok(())
    }

    async fn password_login_is_on(&self) -> Result<(), Failure> {
        if self.configuration().await?.password_login {
            Ok(())
        } else {
            Err(Failure::NotFound("way to log in"))
        }
    }
}

/// Whether a password is the stored one. One hash is calculated in any case, so the time does not tell whether there is one.
async fn password_fits(password: Secret, stored: Option<String>) -> Result<bool, Failure> {
    hashing(move || {
        let nobody = NOBODY.as_str();
        let fits = PasswordHash::new(stored.as_deref().unwrap_or(nobody))
            .is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok());
        fits && stored.is_some()
    })
    .await
}

async fn password_hash(password: Secret) -> Result<String, Failure> {
    let hashed = hashing(move || hash_text(&password)).await?;
    hashed.map_err(|error| Failure::Internal(error.to_string().into()))
}

fn hash_text(password: &Secret) -> Result<String, password_hash::Error> {
    Argon2::default().hash_password(password.expose().as_bytes()).map(|hash| hash.to_string())
}

/// Calculates beside the tasks of the server, when it is its turn.
async fn hashing<T: Send + 'static>(calculation: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let turn = HASHING.acquire().await.map_err(Failure::internal)?;
    let calculated = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        calculation()
    });
    calculated.await.map_err(Failure::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let hash = password_hash(Secret::new("correct horse")).await.unwrap();
        for (password, stored, fits) in [
            ("correct horse", Some(hash.clone()), true),
            ("wrong horse", Some(hash.clone()), false),
            ("correct horse", None, false),
            ("", None, false),
            ("correct horse", Some("nonsense".into()), false),
        ] {
            let result = password_fits(Secret::new(password), stored.clone()).await.unwrap();
            assert_eq!(result, fits, "{password} {stored:?}");
        }
    }
}
