//! Global Configuration.

use crate::{Actor, App, Failure, Problems};
use stave_domain::{
    setting::{Settings, minutes_parse, number_parse},
    synchronization::MINUTES_BETWEEN_RUNS,
    version::Keeping,
};
use stave_storage::Transaction;

const CONFIGURATION: &str = "configuration";

/// Global Configuration as it is typed.
#[derive(Debug, Clone, Default)]
pub struct ConfigurationForm {
    /// "Limit Organization creation to admin users."
    pub limit_organization_creation: bool,
    /// "Enable login and account creation with password."
    pub password_login: bool,
    /// "Time in minutes between two synchronizations for an organization."
    pub minutes_between_runs: String,
    /// "Days to keep zips of branches after their last download."
    pub keep_days: String,
    /// "Newest commits of each branch whose zips are kept whatever their age."
    pub keep_newest: String,
}

impl From<Settings> for ConfigurationForm {
    fn from(settings: Settings) -> Self {
        Self {
            limit_organization_creation: settings.limit_organization_creation,
            password_login: settings.password_login,
            minutes_between_runs: settings.minutes_between_runs.map_or_else(String::new, |it| it.to_string()),
            keep_days: settings.keeping.days.to_string(),
            keep_newest: settings.keeping.newest.to_string(),
        }
    }
}

impl App {
    /// What an admin chose for the whole installation.
    pub async fn configuration(&self) -> Result<Settings, Failure> {
        match self.storage.setting_find(CONFIGURATION).await? {
            Some(text) => serde_json::from_str(&text).map_err(Failure::internal),
            None => Ok(Settings::default()),
        }
    }

    /// Changes Global Configuration.
    pub async fn configuration_update(&self, actor: &Actor, form: &ConfigurationForm) -> Result<(), Failure> {
        actor.admin()?;
        let settings = read(form)?;
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
            "changed Global Configuration: only admins create organizations {}, log-in with password {}, {} minutes between two synchronizations, zips of branches kept for {} days and of their last {} commits",
            yes_no(settings.limit_organization_creation),
            yes_no(settings.password_login),
            settings.minutes_between_runs.unwrap_or(MINUTES_BETWEEN_RUNS),
            settings.keeping.days,
            settings.keeping.newest,
        );
        self.log_by(actor, None, action).await
    }
}

fn read(form: &ConfigurationForm) -> Result<Settings, Failure> {
    let mut problems = Problems::default();
    let minutes = problems.check("minutes_between_runs", minutes_parse(&form.minutes_between_runs));
    let preset = Keeping::default();
    let days = problems.check("keep_days", number_parse(&form.keep_days, preset.days));
    let newest = problems.check("keep_newest", number_parse(&form.keep_newest, preset.newest));
    let (Some(minutes_between_runs), Some(days), Some(newest)) = (minutes, days, newest) else {
        return Err(problems.into_failure());
    };
    Ok(Settings {
        limit_organization_creation: form.limit_organization_creation,
        password_login: form.password_login,
        minutes_between_runs,
        keeping: Keeping { days, newest },
    })
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
