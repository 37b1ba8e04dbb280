//! Setup Mode: the Admin section is open to whoever holds the one-time link that the first start prints.

use crate::{Actor, App, Failure, entropy};
use stave_domain::{Secret, secret::SecretHash};

/// Present once Setup Mode is over.
const OVER: &str = "setup.over";
/// Hash of the token in the link; gone once it was used.
const TOKEN: &str = "setup.token";
/// Hash of the cookie of the browser that used it.
const SESSION: &str = "setup.session";

/// What is left to do in Setup Mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checklist {
    /// People can log in: there is an integration, or e-mail and password are on.
    pub has_way_in: bool,
    /// There is an admin.
    pub has_admin: bool,
}

impl Checklist {
    /// Whether Setup Mode can be left.
    #[must_use]
    pub fn is_done(self) -> bool {
        self.has_way_in && self.has_admin
    }
}

impl App {
    /// Whether Setup Mode is on.
    pub async fn setup_is_on(&self) -> Result<bool, Failure> {
        Ok(self.storage.setting_find(OVER).await?.is_none())
    }

    /// A fresh one-time link; the one before stops working. `None` when Setup Mode is over.
    pub async fn setup_link(&self) -> Result<Option<String>, Failure> {
        if !self.setup_is_on().await? {
            return Ok(None);
        }
        let token = entropy::secret();
        self.storage.setting_put(TOKEN, &hex_hash(&token)).await?;
        Ok(Some(self.address(&format!("/setup/{}", token.expose()))))
    }

    /// Turns Setup Mode on again, for when every admin is locked out. Only the command line can.
    pub async fn setup_reopen(&self) -> Result<(), Failure> {
        self.storage.setting_delete(OVER).await?;
        self.log_by_itself(None, "turned Setup Mode on again from the command line").await
    }

    /// Redeems the token of a link for the secret of a setup cookie. `None`: wrong, used, or Setup Mode is over.
    pub async fn setup_enter(&self, actor: &Actor, token: &Secret) -> Result<Option<Secret>, Failure> {
        let txn = self.storage.begin().await?;
        let fits = txn.setting_find(OVER).await?.is_none()
            && txn.setting_find(TOKEN).await? == Some(hex_hash(token));
        if !fits {
            return Ok(None);
        }
        let session = entropy::secret();
        txn.setting_delete(TOKEN).await?;
        txn.setting_put(SESSION, &hex_hash(&session)).await?;
        txn.commit().await?;
        let holder = Actor { is_setup: true, ..actor.clone() };
        self.log_by(&holder, None, "opened Setup Mode to this browser").await?;
        Ok(Some(session))
    }

    /// Whether this is the cookie of the browser that used the link, and Setup Mode is on.
    pub(crate) async fn setup_is_held(&self, session: &Secret) -> Result<bool, Failure> {
        let held = self.storage.setting_find(SESSION).await? == Some(hex_hash(session));
        Ok(held && self.setup_is_on().await?)
    }

    /// What is left to do; `None` when Setup Mode is over.
    pub async fn setup_checklist(&self) -> Result<Option<Checklist>, Failure> {
        if !self.setup_is_on().await? {
            return Ok(None);
        }
        let has_way_in =
            !self.integration_list().await?.is_empty() || self.configuration().await?.password_login;
        Ok(Some(Checklist { has_way_in, has_admin: !self.storage.admin_list().await?.is_empty() }))
    }

    /// Ends Setup Mode: the link and its cookie stop working at once.
    pub async fn setup_leave(&self, actor: &Actor) -> Result<(), Failure> {
        actor.admin()?;
        match self.setup_checklist().await? {
            None => return Ok(()),
            Some(checklist) if !checklist.has_way_in => {
                return Err(Failure::Conflict(
                    "Nobody could log in yet: add an integration, or turn on e-mail and password.".into(),
                ));
            }
            Some(checklist) if !checklist.has_admin => {
                return Err(Failure::Conflict(
                    "There is no admin yet: log in and create your account first.".into(),
                ));
            }
            Some(_) => {}
        }
        let txn = self.storage.begin().await?;
        txn.setting_put(OVER, &self.clock.now().to_string()).await?;
        txn.setting_delete(TOKEN).await?;
        txn.setting_delete(SESSION).await?;
        txn.commit().await?;
        self.log_by(actor, None, "left Setup Mode").await
    }
}

/// Tokens are random, so their hash can be compared as it is.
fn hex_hash(secret: &Secret) -> String {
    hex::encode(SecretHash::of(secret).0)
}
