//! Global Configuration.

use crate::{Actor, App, Failure};
use stave_domain::setting::Settings;
use stave_storage::Transaction;

const CONFIGURATION: &str = "configuration";

impl App {
    /// What an admin chose for the whole installation.
    pub async fn configuration(&self) -> Result<Settings, Failure> {
        match self.storage.setting_find(CONFIGURATION).await? {
            Some(text) => serde_json::from_str(&text).map_err(Failure::internal),
            None => Ok(Settings::default()),
        }
    }

    /// Changes Global Configuration.
    pub async fn configuration_update(&self, actor: &Actor, settings: Settings) -> Result<(), Failure> {
        actor.admin()?;
        let text = serde_json::to_string(&settings).map_err(Failure::internal)?;
        let is_end = self.configuration().await?.password_login && !settings.password_login;
        let txn = self.people_change().await?;
        if is_end && !actor.is_setup {
            password_login_can_end(&txn).await?;
        }
        txn.setting_put(CONFIGURATION, &text).await?;
        txn.commit().await?;
        let yes_no = |on: bool| if on { "on" } else { "off" };
        let action = format!(
            "changed Global Configuration: only admins create organizations {}, log-in with password {}",
            yes_no(settings.limit_organization_creation),
            yes_no(settings.password_login)
        );
        self.log_by(actor, None, action).await
    }
}

/// Without passwords, somebody who is an admin must still have a way in.
async fn password_login_can_end(txn: &Transaction) -> Result<(), Failure> {
    for admin in txn.admin_list().await? {
        if !txn.identity_list_of_user(admin.id).await?.is_empty() {
            return Ok(());
        }
    }
    Err(Failure::invalid(
        "password_login",
        "No admin has a connected account, so nobody could reach the Admin section any more. Connect an account on your Profile first.",
    ))
}
