//! Integrations: registered OAuth applications, as admins manage them.

use crate::{Actor, App, Failure, Problems, entropy};
use stave_domain::{
    Secret,
    id::IntegrationId,
    integration::{ApiTimeout, BaseUrl, Integration, IntegrationSlug, Platform},
    package::Package,
};
use stave_upstream::{Connector, Registration, connector, probe};

/// What is typed into the form "Add Integration" or "Edit Integration".
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct IntegrationForm {
    /// Shown on log-in buttons.
    pub name: String,
    /// A [`Platform`]'s key.
    pub platform: String,
    /// Where the code host is.
    pub base_url: String,
    /// Present if the box is ticked.
    pub trust_email: Option<String>,
    /// Seconds, or empty.
    pub api_timeout: String,
    /// Bitbucket's "Key".
    pub client_id: String,
    /// Bitbucket's "Secret"; empty while editing keeps the one that is stored.
    pub client_secret: Secret,
    /// Names the callback; decided when the form is first shown.
    pub slug: String,
    /// Present if the admin wants to save although the base URL does not look right.
    pub save_anyway: Option<String>,
}

/// What came of a form that was sent.
#[derive(Debug)]
pub enum IntegrationSaved {
    /// It is stored.
    Saved(Box<Integration>),
    /// Nothing is stored: the base URL does not look right. The sentence says how; "save anyway" is possible.
    Doubtful(String),
}

/// What goes with an integration when it is deleted.
#[derive(Debug)]
pub struct IntegrationEffect {
    /// Which.
    pub integration: Integration,
    /// People who are connected by it.
    pub accounts: u64,
    /// Packages that are read with the rights of one of those accounts.
    pub packages: Vec<Package>,
}

/// What a form says once it has been read.
struct Typed {
    name: String,
    platform: Platform,
    base_url: BaseUrl,
    api_timeout: ApiTimeout,
    client_id: String,
}

impl App {
    /// Every integration, oldest first. Everybody may know them: they are the buttons of the log-in page.
    pub async fn integration_list(&self) -> Result<Vec<Integration>, Failure> {
        Ok(self.storage.integration_list().await?)
    }

    /// One integration, for its page in the Admin section.
    pub async fn integration_show(&self, actor: &Actor, id: IntegrationId) -> Result<Integration, Failure> {
        actor.admin()?;
        self.storage.integration_find(id).await?.ok_or(Failure::NotFound("integration"))
    }

    /// A form with a slug that is free, so that the callback can be copied before anything is saved.
    pub async fn integration_form_new(&self, actor: &Actor) -> Result<IntegrationForm, Failure> {
        actor.admin()?;
        Ok(IntegrationForm {
            name: "Bitbucket".into(),
            platform: Platform::BitbucketCloud.key().into(),
            base_url: "https://bitbucket.org".into(),
            slug: self.slug_free(Platform::BitbucketCloud).await?,
            ..IntegrationForm::default()
        })
    }

    /// The form of an integration that exists. Its secret is not in it.
    #[must_use]
    pub fn integration_form(&self, integration: &Integration) -> IntegrationForm {
        IntegrationForm {
            name: integration.name.clone(),
            platform: integration.platform.key().into(),
            base_url: integration.base_url.to_string(),
            trust_email: integration.trust_email.then(|| "on".into()),
            api_timeout: integration.api_timeout.0.map(|seconds| seconds.to_string()).unwrap_or_default(),
            client_id: integration.client_id.clone(),
            slug: integration.slug.to_string(),
            ..IntegrationForm::default()
        }
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
        form: &IntegrationForm,
    ) -> Result<IntegrationSaved, Failure> {
        actor.admin()?;
        let mut problems = Problems::default();
        let slug = problems.parse::<IntegrationSlug>("slug", &form.slug);
        if form.client_secret.is_empty() {
            problems.add(
                "client_secret",
                "Paste the “Secret” that Bitbucket shows when you click the name of the consumer.",
            );
        }
        let typed = read(form, problems)?;
        let Some(slug) = slug else { return Err(Failure::NotFound("integration")) };
        if self.storage.integration_find_by_slug(&slug).await?.is_some() {
            return Err(Failure::invalid(
                "slug",
                "Another integration took this callback URL in the meantime. Open the form again: it shows a new one, which goes into the consumer.",
            ));
        }
        if let Some(doubt) = self.base_url_doubt(form, &typed).await {
            return Ok(IntegrationSaved::Doubtful(doubt));
        }
        let id = entropy::id();
        let integration = Integration {
            id,
            slug,
            name: typed.name,
            platform: typed.platform,
            base_url: typed.base_url,
            client_id: typed.client_id,
            client_secret: self.keys.seal("client secret", id, &form.client_secret),
            trust_email: form.trust_email.is_some(),
            api_timeout: typed.api_timeout,
            missing_permissions: None,
            last_error: None,
            created_at: self.clock.now(),
        };
        self.storage.integration_insert(&integration).await?;
        self.log_by(
            actor,
            None,
            format!("created the integration {} ({})", integration.name, integration.base_url),
        )
        .await?;
        Ok(IntegrationSaved::Saved(Box::new(integration)))
    }

    /// Changes an integration. Its platform and callback stay; an empty secret keeps the stored one, which is never sent to
    /// another server than the one it was typed for.
    pub async fn integration_update(
        &self,
        actor: &Actor,
        id: IntegrationId,
        form: &IntegrationForm,
    ) -> Result<IntegrationSaved, Failure> {
        let mut integration = self.integration_show(actor, id).await?;
        let typed = read(form, Problems::default())?;
        let is_elsewhere = typed.base_url.url().origin() != integration.base_url.url().origin();
        if is_elsewhere && form.client_secret.is_empty() {
            return Err(Failure::invalid(
                "client_secret",
                "The base URL leads to another server now, so the secret has to be typed again.",
            ));
        }
        if let Some(doubt) = self.base_url_doubt(form, &typed).await {
            return Ok(IntegrationSaved::Doubtful(doubt));
        }
        integration.name = typed.name;
        integration.base_url = typed.base_url;
        integration.api_timeout = typed.api_timeout;
        integration.client_id = typed.client_id;
        integration.trust_email = form.trust_email.is_some();
        integration.last_error = None;
        if !form.client_secret.is_empty() {
            integration.client_secret = self.keys.seal("client secret", id, &form.client_secret);
        }
        self.storage.integration_update(&integration).await?;
        self.log_by(actor, None, format!("changed the integration {}", integration.name)).await?;
        Ok(IntegrationSaved::Saved(Box::new(integration)))
    }

    /// What would go with an integration.
    pub async fn integration_effect(
        &self,
        actor: &Actor,
        id: IntegrationId,
    ) -> Result<IntegrationEffect, Failure> {
        let integration = self.integration_show(actor, id).await?;
        let accounts = self.storage.identity_count(id).await?;
        let packages = self.storage.package_list_of_integration(id).await?;
        Ok(IntegrationEffect { integration, accounts, packages })
    }

    /// Deletes an integration and the connected accounts that hang on it.
    pub async fn integration_delete(&self, actor: &Actor, id: IntegrationId) -> Result<(), Failure> {
        let integration = self.integration_show(actor, id).await?;
        self.storage.integration_delete(id).await?;
        self.log_by(actor, None, format!("deleted the integration {}", integration.name)).await
    }

    /// The code that speaks to an integration's platform.
    pub(crate) fn connector(&self, integration: &Integration) -> Result<Box<dyn Connector>, Failure> {
        let secret = self
            .keys
            .open("client secret", integration.id, &integration.client_secret)
            .map_err(Failure::internal)?;
        let registration = Registration {
            platform: integration.platform,
            base_url: integration.base_url.clone(),
            client_id: integration.client_id.clone(),
            client_secret: secret,
            timeout: integration.api_timeout,
        };
        Ok(connector(self.http.clone(), registration))
    }

    /// What is strange about a base URL, unless the admin wants to save anyway.
    async fn base_url_doubt(&self, form: &IntegrationForm, typed: &Typed) -> Option<String> {
        if form.save_anyway.is_some() {
            return None;
        }
        let seen = probe(&self.http, typed.platform, &typed.base_url).await;
        seen.err().map(|problem| problem.to_string())
    }

    async fn slug_free(&self, platform: Platform) -> Result<String, Failure> {
        let taken: Vec<String> = self
            .storage
            .integration_list()
            .await?
            .into_iter()
            .map(|integration| integration.slug.to_string())
            .collect();
        let plain = platform.key().to_owned();
        if !taken.contains(&plain) {
            return Ok(plain);
        }
        Ok(format!("{plain}-{}", hex::encode(entropy::bytes::<3>())))
    }
}

fn read(form: &IntegrationForm, mut problems: Problems) -> Result<Typed, Failure> {
    let name = problems.text("name", "Name", &form.name, 60);
    let platform = problems.parse("platform", &form.platform);
    let base_url = problems.parse("base_url", &form.base_url);
    let api_timeout = problems.parse("api_timeout", &form.api_timeout);
    let client_id = problems.text("client_id", "Client ID / Key", &form.client_id, 300);
    match (name, platform, base_url, api_timeout, client_id) {
        (Some(name), Some(platform), Some(base_url), Some(api_timeout), Some(client_id))
            if problems.is_empty() =>
        {
            Ok(Typed { name, platform, base_url, api_timeout, client_id })
        }
        _ => Err(problems.into_failure()),
    }
}
