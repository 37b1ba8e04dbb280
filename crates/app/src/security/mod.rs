//! Settings > Security: what an organization lets Composer see and download.
//!
//! The rules are in [`stave_domain::security`]. They are asked when a package is published, not when it is read: what is left out is
//! not in the documents, and which dists are refused is stored beside them (`grounds.rs`).

mod grounds;
#[cfg(test)]
mod tests;

pub(crate) use grounds::{Grounds, shown};

use crate::{Actor, App, Failure, Problems};
use stave_domain::{
    id::{JobId, OrganizationId},
    job::{Job, Progress},
    organization::Organization,
    package::Patterns,
    security::{CooldownDays, PluginPolicy, SecuritySettings},
};
use stave_storage::Storage;

/// Packages whose ids are read at once.
const PAGE: u64 = 200;

/// What is typed under Settings > Security.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct SecurityForm {
    /// "on", or nothing.
    pub blocks_malware: Option<String>,
    /// "on", or nothing.
    pub blocks_advisories: Option<String>,
    /// The key of a [`HideSource`](stave_domain::security::HideSource).
    pub hides_source: String,
    /// The key of a [`ClientPolicy`](stave_domain::security::ClientPolicy).
    pub clients: String,
    /// "all" or "limited".
    pub plugins: String,
    /// [`Patterns`].
    pub allowed_plugins: String,
    /// "on", or nothing.
    pub blocks_plugin_downloads: Option<String>,
    /// [`CooldownDays`].
    pub cooldown_days: String,
    /// [`Patterns`].
    pub cooldown_exceptions: String,
    /// [`Patterns`].
    pub private_names: String,
}

impl From<&SecuritySettings> for SecurityForm {
    fn from(settings: &SecuritySettings) -> Self {
        let on = |ticked: bool| ticked.then(|| "on".to_owned());
        Self {
            blocks_malware: on(settings.blocks_malware),
            blocks_advisories: on(settings.blocks_advisories),
            hides_source: settings.hides_source.key().into(),
            clients: settings.clients.key().into(),
            plugins: if settings.plugins.is_limited { "limited" } else { "all" }.into(),
            allowed_plugins: settings.plugins.allowed.to_string(),
            blocks_plugin_downloads: on(settings.plugins.blocks_downloads),
            cooldown_days: settings.cooldown_days.0.to_string(),
            cooldown_exceptions: settings.cooldown_exceptions.to_string(),
            private_names: settings.private_names.to_string(),
        }
    }
}

impl SecurityForm {
    fn read(&self) -> Result<SecuritySettings, Failure> {
        let mut problems = Problems::default();
        let hides_source = problems.parse("hides_source", &self.hides_source);
        let clients = problems.parse("clients", &self.clients);
        let cooldown_days = problems.parse::<CooldownDays>("cooldown_days", &self.cooldown_days);
        let plugins = self.read_plugins(&mut problems);
        let cooldown_exceptions = problems.parse("cooldown_exceptions", &self.cooldown_exceptions);
        let private_names = problems.parse("private_names", &self.private_names);
        let settings = (|| {
            Some(SecuritySettings {
                hides_source: hides_source?,
                plugins: plugins?,
                clients: clients?,
                blocks_malware: self.blocks_malware.is_some(),
                blocks_advisories: self.blocks_advisories.is_some(),
                cooldown_days: cooldown_days?,
                cooldown_exceptions: cooldown_exceptions?,
                private_names: private_names?,
            })
        })();
        settings.ok_or_else(|| problems.into_failure())
    }

    fn read_plugins(&self, problems: &mut Problems) -> Option<PluginPolicy> {
        let is_limited = match self.plugins.as_str() {
            "all" => Some(false),
            "limited" => Some(true),
            _ => {
                problems.add("plugins", "Choose from the list which Composer plugins there are.");
                None
            }
        };
        let allowed = problems.parse::<Patterns>("allowed_plugins", &self.allowed_plugins);
        let blocks_downloads = self.blocks_plugin_downloads.is_some();
        Some(PluginPolicy { is_limited: is_limited?, allowed: allowed?, blocks_downloads })
    }
}

impl App {
    /// What an organization lets Composer see, for its owners and admins.
    pub async fn security_show(
        &self,
        actor: &Actor,
        short_name: &str,
    ) -> Result<(Organization, SecuritySettings), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let settings = self.security_of(organization.id).await?;
        Ok((organization, settings))
    }

    /// Changes it. Who may ask counts at once; what is published follows in a job.
    pub async fn security_update(
        &self,
        actor: &Actor,
        short_name: &str,
        form: &SecurityForm,
    ) -> Result<(), Failure> {
        let organization = self.organization_managed(actor, short_name).await?;
        let settings = form.read()?;
        let txn = self.storage.begin().await?;
        let before = security_in(&txn, organization.id).await?;
        let changes = settings.changes_since(&before);
        if changes.is_empty() {
            return Ok(());
        }
        txn.security_put(organization.id, &settings).await?;
        // Of who may ask there is nothing in the documents.
        if settings != (SecuritySettings { clients: settings.clients, ..before }) {
            let job = Job::PublishOrganization { organization: organization.id };
            self.job_enqueue_in(&txn, job, Some(organization.id)).await?;
        }
        txn.commit().await?;
        self.job_bell.notify_one();
        let action = format!("changed the security settings: {}", changes.join("; "));
        self.log_by(actor, Some(organization.id), action).await
    }

    /// What an organization lets Composer see.
    pub(crate) async fn security_of(
        &self,
        organization: OrganizationId,
    ) -> Result<SecuritySettings, Failure> {
        security_in(&self.storage, organization).await
    }

    /// Writes the documents of an organization's packages anew, each package in its own transaction.
    pub(crate) async fn documents_publish_of(
        &self,
        organization: OrganizationId,
        job: JobId,
    ) -> Result<(), Failure> {
        let total = u32::try_from(self.storage.package_count(organization).await?).unwrap_or(u32::MAX);
        let (mut done, mut after) = (0, None);
        loop {
            let phase = "Publishing packages anew".to_owned();
            self.job_progress(job, &Progress { phase, done, total }).await;
            let page = self.storage.package_id_list_of(organization, after, PAGE).await?;
            let Some(last) = page.last().copied() else { return Ok(()) };
            for package in page {
                self.package_publish(package).await?;
                done += 1;
            }
            after = Some(last);
        }
    }
}

/// What an organization lets Composer see; within a transaction, as that sees it.
pub(crate) async fn security_in(
    storage: &Storage,
    organization: OrganizationId,
) -> Result<SecuritySettings, Failure> {
    let chosen = storage.security_find(organization).await?;
    Ok(chosen.unwrap_or_else(SecuritySettings::until_now))
}
