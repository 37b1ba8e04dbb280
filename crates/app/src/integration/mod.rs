//! Integrations: registered OAuth applications, as admins and owners of organizations manage them.

mod changeover;
mod client;
mod form;
mod look;
mod watch;

pub use changeover::Changeover;
pub use client::ApplicationLink;
pub use form::IntegrationForm;
pub use look::{Found, Look};

use crate::{Actor, App, Failure, Level, Problems, entropy};
use client::secret_missing;
use form::TypedClient;
use stave_domain::{
    id::IntegrationId,
    integration::{ApiTimeout, Integration, IntegrationSlug, OAuthVersion, Platform},
    organization::Organization,
    package::Package,
    repository::Repository,
    synchronization::Synchronization,
    website::Website,
};

/// What came of a form that was sent.
#[derive(Debug)]
pub enum IntegrationSaved {
    /// It is stored.
    Saved(Box<Integration>),
    /// Nothing is stored, because of a doubt. "Save anyway" is possible.
    Doubtful(Doubt),
}

/// A field of the form that does not fit what was seen at the base URL.
#[derive(Debug)]
pub struct Doubt {
    /// Which field.
    pub field: &'static str,
    /// What is strange about it.
    pub sentence: String,
}

/// What goes with an integration when it is deleted.
#[derive(Debug)]
pub struct IntegrationEffect {
    /// Which.
    pub integration: Integration,
    /// People who are connected by it.
    pub accounts: u64,
    /// Packages that are read with the rights of one of those accounts.
    pub packages: Vec<(Package, Option<Repository>)>,
    /// Organizations whose members have to log in with it.
    pub enforced_by: Vec<Organization>,
    /// Websites whose visitors log in with it, or will, as a draft says: each with its organization.
    pub websites: Vec<(Organization, Website)>,
    /// Synchronizations that follow a workspace there: each with its organization.
    pub synchronizations: Vec<(Organization, Synchronization)>,
}

impl App {
    /// The integrations of the whole installation, oldest first. Everybody may know them: they are the buttons of the log-in
    /// page.
    pub async fn integration_list(&self) -> Result<Vec<Integration>, Failure> {
        Ok(self.storage.integration_list_of(None).await?)
    }

    /// The integrations that are managed at a level, oldest first.
    pub async fn integration_list_at(
        &self,
        actor: &Actor,
        level: &Level,
    ) -> Result<Vec<Integration>, Failure> {
        let owner = self.level_owner(actor, level).await?;
        Ok(self.storage.integration_list_of(owner.map(|owner| owner.id)).await?)
    }

    /// One integration, for its page.
    pub async fn integration_show(
        &self,
        actor: &Actor,
        level: &Level,
        id: IntegrationId,
    ) -> Result<Integration, Failure> {
        let owner = self.level_owner(actor, level).await?.map(|owner| owner.id);
        let found = self.storage.integration_find(id).await?;
        found
            .filter(|integration| integration.organization_id == owner)
            .ok_or(Failure::NotFound("integration"))
    }

    /// A form with a slug that is free, so that the callback can be copied before anything is saved. `slug` is the one that the
    /// form showed before; it is shown again as long as it is free.
    pub async fn integration_form_new(
        &self,
        actor: &Actor,
        level: &Level,
        slug: &str,
    ) -> Result<IntegrationForm, Failure> {
        let owner = self.level_owner(actor, level).await?;
        let platform = if owner.is_none() { Platform::BitbucketCloud } else { Platform::BitbucketDataCenter };
        let (name, base_url) = match platform {
            Platform::BitbucketCloud => ("Bitbucket", "https://bitbucket.org"),
            Platform::BitbucketDataCenter => ("Bitbucket Data Center", ""),
        };
        Ok(IntegrationForm {
            name: name.into(),
            platform: platform.key().into(),
            base_url: base_url.into(),
            oauth: OAuthVersion::Two.key().into(),
            slug: self.slug_free(owner.as_ref(), slug).await?,
            ..IntegrationForm::default()
        })
    }

    /// The one address to which the platform sends people back.
    #[must_use]
    pub fn integration_callback(&self, slug: &str) -> String {
        self.address(&format!("/oauth/callback/{slug}"))
    }

    /// Stores a new integration.
    pub async fn integration_create(
        &self,
        actor: &Actor,
        level: &Level,
        form: &IntegrationForm,
    ) -> Result<IntegrationSaved, Failure> {
        let owner = self.level_owner(actor, level).await?;
        let mut problems = Problems::default();
        let slug = problems.parse::<IntegrationSlug>("slug", &form.slug);
        let typed = self.integration_typed(form, problems)?;
        if let TypedClient::OAuth2 { secret: None, .. } = &typed.client {
            return Err(secret_missing(match typed.platform {
                Platform::BitbucketCloud => "Secret",
                Platform::BitbucketDataCenter => "Client secret",
            }));
        }
        // A callback is made here, not chosen: nobody takes a name that people know as another's.
        let slug =
            slug.filter(|slug| is_slug_of(slug, owner.as_ref())).ok_or(Failure::NotFound("integration"))?;
        if self.storage.integration_find_by_slug(&slug).await?.is_some() {
            return Err(Failure::invalid(
                "slug",
                "Another integration took this callback URL in the meantime. Open the form again: it shows a new one, which goes into Bitbucket.",
            ));
        }
        let seen = match self.integration_doubt(form, &typed, true).await? {
            Ok(seen) => seen,
            Err(doubt) => return Ok(IntegrationSaved::Doubtful(doubt)),
        };
        let id = entropy::id();
        let integration = Integration {
            id,
            slug,
            organization_id: owner.as_ref().map(|owner| owner.id),
            client: self.client_new(id, &typed.client).await?,
            previous: None,
            trust_email: owner.is_none() && form.trust_email.is_some(),
            name: typed.name,
            platform: typed.platform,
            base_url: typed.base_url,
            api_timeout: if owner.is_none() { typed.api_timeout } else { ApiTimeout::default() },
            missing_permissions: None,
            last_error: None,
            seen,
            created_at: self.clock.now(),
        };
        self.storage.integration_insert(&integration).await?;
        let action = format!("created the integration {} ({})", integration.name, integration.base_url);
        self.log_by(actor, integration.organization_id, action).await?;
        Ok(IntegrationSaved::Saved(Box::new(integration)))
    }

    /// Changes an integration. Its platform and callback stay; an empty secret keeps the stored one, which is never sent to
    /// another server than the one it was typed for. Another client takes over from the one before.
    pub async fn integration_update(
        &self,
        actor: &Actor,
        level: &Level,
        id: IntegrationId,
        form: &IntegrationForm,
    ) -> Result<IntegrationSaved, Failure> {
        let before = self.integration_show(actor, level, id).await?;
        let form = IntegrationForm {
            slug: before.slug.to_string(),
            platform: before.platform.key().into(),
            ..form.clone()
        };
        let typed = self.integration_typed(&form, Problems::default())?;
        let is_elsewhere = typed.base_url.as_str() != before.base_url.as_str();
        let (client, previous) = self.client_changed(&before, &typed, is_elsewhere).await?;
        let is_upgrade = before.client.oauth() != client.oauth();
        let insists = form.save_anyway.is_some();
        if is_elsewhere
            && !insists
            && let Some(doubt) = self.move_doubt(&before).await?
        {
            return Ok(IntegrationSaved::Doubtful(doubt));
        }
        let seen = match self.integration_doubt(&form, &typed, is_upgrade).await? {
            Ok(seen) => seen,
            Err(doubt) => return Ok(IntegrationSaved::Doubtful(doubt)),
        };
        let is_everybodys = before.organization_id.is_none();
        let after = Integration {
            client,
            previous,
            trust_email: is_everybodys && form.trust_email.is_some(),
            name: typed.name,
            base_url: typed.base_url,
            api_timeout: if is_everybodys { typed.api_timeout } else { ApiTimeout::default() },
            last_error: None,
            seen: seen.or_else(|| before.seen.clone().filter(|_| !is_elsewhere)),
            ..before.clone()
        };
        if after.client.id() != before.client.id()
            && !insists
            && let Some(doubt) = self.client_doubt(&after).await?
        {
            return Ok(IntegrationSaved::Doubtful(doubt));
        }
        let after = self.integration_store(&before, after).await?;
        let action = match after.client.oauth() {
            version if is_upgrade => {
                format!("upgraded the integration {} to {}", after.name, version.label())
            }
            _ => format!("changed the integration {}", after.name),
        };
        self.log_by(actor, after.organization_id, action).await?;
        Ok(IntegrationSaved::Saved(Box::new(after)))
    }

    /// Stores an integration with what follows for those who are connected; nobody may have changed it since `before`.
    async fn integration_store(
        &self,
        before: &Integration,
        mut after: Integration,
    ) -> Result<Integration, Failure> {
        let id = before.id;
        let is_elsewhere = after.base_url.as_str() != before.base_url.as_str();
        let is_untried = is_elsewhere || after.client != before.client;
        let (txn, now) = self.integration_change(id).await?;
        changeover::unchanged(before, &now)?;
        if is_untried {
            after.missing_permissions = None;
            txn.check_delete(id).await?;
        }
        txn.integration_update(&after).await?;
        if is_elsewhere {
            let because = format!("The integration {} leads to another server now.", after.name);
            txn.identity_move(id, &because).await?;
            txn.attempt_delete_of_integration(id).await?;
            if after.organization_id.is_some() {
                txn.login_delete_of_integration(id).await?;
            }
        }
        txn.commit().await?;
        Ok(after)
    }

    /// Why the base URL of an integration should stay: ids of people mean others on another server.
    async fn move_doubt(&self, integration: &Integration) -> Result<Option<Doubt>, Failure> {
        let people = self.storage.identity_count(integration.id).await?;
        Ok((people > 0).then(|| {
            let people = if people == 1 { "1 person is".into() } else { format!("{people} people are") };
            let sentence = format!(
                "{people} connected at {}. If this is another server, and not the same one under a new address, add an integration for it. If it is the same one, save anyway: they stay connected, and log in once more.",
                integration.base_url
            );
            Doubt { field: "base_url", sentence }
        }))
    }

    /// What would go with an integration.
    pub async fn integration_effect(
        &self,
        actor: &Actor,
        level: &Level,
        id: IntegrationId,
    ) -> Result<IntegrationEffect, Failure> {
        let integration = self.integration_show(actor, level, id).await?;
        let accounts = self.storage.identity_count(id).await?;
        let packages = self.storage.package_list_of_integration(id).await?;
        let enforced_by = self.storage.organization_list_enforcing(id).await?;
        let mut websites = Vec::new();
        for website in self.storage.website_list_naming(id).await? {
            let organization = self.storage.organization_find(website.organization_id).await?;
            websites.extend(organization.map(|organization| (organization, website)));
        }
        let mut synchronizations = Vec::new();
        for synchronization in self.storage.synchronization_list_of_integration(id).await? {
            let organization = self.storage.organization_find(synchronization.organization_id).await?;
            synchronizations.extend(organization.map(|organization| (organization, synchronization)));
        }
        Ok(IntegrationEffect { integration, accounts, packages, enforced_by, websites, synchronizations })
    }

    /// Deletes an integration and the connected accounts that hang on it. In an organization not while its members have to log
    /// in with it or a synchronization follows a workspace there; in the Admin section all of that goes too.
    pub async fn integration_delete(
        &self,
        actor: &Actor,
        level: &Level,
        id: IntegrationId,
    ) -> Result<(), Failure> {
        let effect = self.integration_effect(actor, level, id).await?;
        let integration = effect.integration;
        if integration.organization_id.is_some()
            && let Some(organization) = effect.enforced_by.first()
        {
            return Err(Failure::Conflict(format!(
                "The members of {} have to log in with {}. Change that under Settings > Access first.",
                organization.name, integration.name
            )));
        }
        if integration.organization_id.is_some()
            && let Some((_, synchronization)) = effect.synchronizations.first()
        {
            return Err(Failure::Conflict(format!(
                "The synchronization with {} follows a workspace there. Delete it under Settings > Synchronizations first.",
                synchronization.workspace.title()
            )));
        }
        let txn = self.people_change().await?;
        let mut gone = Vec::new();
        for (organization, synchronization) in effect.synchronizations {
            let before = txn.member_list(organization.id).await?;
            gone.extend(self.synchronization_end(&txn, synchronization.id).await?);
            self.members_settle_without(&txn, actor, &before).await?;
        }
        txn.integration_delete(id).await?;
        txn.commit().await?;
        for repository in gone {
            self.mirror_remove(repository);
        }
        let action = format!("deleted the integration {}", integration.name);
        self.log_by(actor, integration.organization_id, action).await
    }

    /// A slug that no integration has: this one if it can be.
    async fn slug_free(&self, owner: Option<&Organization>, wanted: &str) -> Result<String, Failure> {
        let plain = slug_plain(owner);
        for slug in [wanted, &plain] {
            let Ok(slug) = slug.parse::<IntegrationSlug>() else { continue };
            if is_slug_of(&slug, owner) && self.storage.integration_find_by_slug(&slug).await?.is_none() {
                return Ok(slug.to_string());
            }
        }
        Ok(format!("{plain}-{}", hex::encode(entropy::bytes::<3>())))
    }
}

/// The name of the product, after that of the organization if it is one's own.
fn slug_plain(owner: Option<&Organization>) -> String {
    match owner {
        None => "bitbucket".to_owned(),
        Some(owner) => format!("{}-bitbucket", owner.short_name.as_str().to_lowercase()),
    }
}

/// Whether a slug is one that [`App::slug_free`] gives.
fn is_slug_of(slug: &IntegrationSlug, owner: Option<&Organization>) -> bool {
    slug.as_str().strip_prefix(&slug_plain(owner)).is_some_and(|rest| {
        let is_chance = |rest: &str| rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
        rest.is_empty() || rest.strip_prefix('-').is_some_and(is_chance)
    })
}
