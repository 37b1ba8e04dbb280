//! The form of an integration: what is typed, and what it means.

use crate::{App, Failure, Problems};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use stave_domain::{
    Secret,
    integration::{ApiTimeout, BaseUrl, Integration, OAuthVersion, Platform},
    secret::Sealed,
};

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
    /// An [`OAuthVersion`]'s key; only Data Center has the choice.
    pub oauth: String,
    /// Bitbucket's "Key" or "Client ID".
    pub client_id: String,
    /// Bitbucket's "Secret"; empty while editing keeps the one that is stored.
    pub client_secret: Secret,
    /// A secret that was typed when the form was refused, sealed: it goes to the browser and comes back unread.
    pub kept_secret: String,
    /// Names the callback; decided when the form is first shown.
    pub slug: String,
    /// Present if the admin wants to save although something does not look right.
    pub save_anyway: Option<String>,
}

/// What a form says once it has been read.
pub(super) struct Typed {
    pub(super) name: String,
    pub(super) platform: Platform,
    pub(super) base_url: BaseUrl,
    pub(super) api_timeout: ApiTimeout,
    pub(super) client: TypedClient,
}

/// What Stave shall be registered as.
pub(super) enum TypedClient {
    /// With an id, and a secret if one was typed.
    OAuth2 { id: String, secret: Option<Secret> },
    /// Stave makes what is needed.
    OAuth1,
}

impl TypedClient {
    pub(super) fn oauth(&self) -> OAuthVersion {
        match self {
            Self::OAuth2 { .. } => OAuthVersion::Two,
            Self::OAuth1 => OAuthVersion::One,
        }
    }
}

impl App {
    /// The form of an integration that exists. Its secret is not in it.
    #[must_use]
    pub fn integration_form(&self, integration: &Integration) -> IntegrationForm {
        let oauth = integration.client.oauth();
        let client_id = match oauth {
            OAuthVersion::Two => integration.client.id().to_owned(),
            // A consumer key is no client id: an upgrade gets one from the server.
            OAuthVersion::One => String::new(),
        };
        IntegrationForm {
            name: integration.name.clone(),
            platform: integration.platform.key().into(),
            base_url: integration.base_url.to_string(),
            trust_email: integration.trust_email.then(|| "on".into()),
            api_timeout: integration.api_timeout.0.map(|seconds| seconds.to_string()).unwrap_or_default(),
            oauth: oauth.key().into(),
            client_id,
            slug: integration.slug.to_string(),
            ..IntegrationForm::default()
        }
    }

    /// The form as it goes back to the browser after a refusal: what was typed as secret is in it, sealed.
    #[must_use]
    pub fn integration_form_kept(&self, mut form: IntegrationForm) -> IntegrationForm {
        if let Some(secret) = self.typed_secret(&form) {
            let sealed = self.keys.seal("typed secret", &form.slug, &secret);
            form.kept_secret = URL_SAFE_NO_PAD.encode(sealed.0);
        }
        form.client_secret = Secret::default();
        form
    }

    /// What a form says, or what is wrong with it.
    pub(super) fn integration_typed(
        &self,
        form: &IntegrationForm,
        mut problems: Problems,
    ) -> Result<Typed, Failure> {
        let name = problems.text("name", "Name", &form.name, 60);
        let platform = problems.parse("platform", &form.platform);
        let base_url = problems.parse("base_url", &form.base_url);
        let api_timeout = problems.parse("api_timeout", &form.api_timeout);
        let oauth = match platform {
            Some(Platform::BitbucketDataCenter) if !form.oauth.is_empty() => {
                problems.parse("oauth", &form.oauth)
            }
            _ => Some(OAuthVersion::Two),
        };
        let client = match oauth {
            Some(OAuthVersion::Two) => problems
                .text("client_id", "Client ID / Key", &form.client_id, 300)
                .map(|id| TypedClient::OAuth2 { id, secret: self.typed_secret(form) }),
            Some(OAuthVersion::One) => Some(TypedClient::OAuth1),
            None => None,
        };
        match (name, platform, base_url, api_timeout, client) {
            (Some(name), Some(platform), Some(base_url), Some(api_timeout), Some(client))
                if problems.is_empty() =>
            {
                Ok(Typed { name, platform, base_url, api_timeout, client })
            }
            _ => Err(problems.into_failure()),
        }
    }

    /// The secret of a form: as it was typed now, or with an earlier try.
    fn typed_secret(&self, form: &IntegrationForm) -> Option<Secret> {
        if !form.client_secret.is_empty() {
            return Some(form.client_secret.clone());
        }
        let sealed = URL_SAFE_NO_PAD.decode(&form.kept_secret).ok().filter(|bytes| !bytes.is_empty())?;
        self.keys.open("typed secret", &form.slug, &Sealed(sealed)).ok()
    }
}
