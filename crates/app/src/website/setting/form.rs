//! The form "Login setting": what is typed, and where.

use crate::{Actor, App, ApplicationLink, Failure};
use stave_domain::{
    Secret, Timestamp,
    id::IntegrationId,
    integration::{Client, Integration, OAuthVersion, Platform},
    website::{EmailTrust, Look, Place, Provider, ProviderKey, Setting, Source, Website},
};

/// What is typed into the form "Login setting". A field that is not sent stays as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SettingForm {
    /// Which setting the form was made from: what somebody else changes meanwhile is not overwritten.
    pub version: String,
    /// The buttons, in the order of the tabs.
    pub providers: Vec<ProviderForm>,
    /// The heading.
    pub title: String,
    /// A sentence below it.
    pub message: String,
    /// A line at the foot.
    pub footer: String,
    /// The colour of the buttons.
    pub accent: String,
    /// The colour behind the form.
    pub background: String,
    /// The hash of the picture, or nothing.
    pub logo: String,
    /// A `SignUp`'s key.
    pub sign_up: String,
    /// With commas between them.
    pub default_roles: String,
    /// Addresses and domains, one in each line.
    pub allowed: String,
    /// Whether nobody comes in without a verified address.
    pub email_required: bool,
    /// 1 to [`MOST_IDLE_HOURS`](stave_domain::website::MOST_IDLE_HOURS).
    pub idle_hours: String,
    /// 1 to [`MOST_HOURS`](stave_domain::website::MOST_HOURS).
    pub longest_hours: String,
    /// Whether visitors who came in through a button that is taken away are signed out.
    pub ends_logins: bool,
}

/// The part of one button.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderForm {
    /// With what the names of its fields begin: `bitbucket`, `data_center`, `integration_<slug>`.
    pub prefix: String,
    /// Which button.
    pub key: ProviderKey,
    /// The name of what stands behind it.
    pub name: String,
    /// What kind of server.
    pub platform: Platform,
    /// The integration behind it; `None` is a consumer or link of the website's own.
    pub integration: Option<IntegrationId>,
    /// The one address to which the server sends visitors back.
    pub callback: String,
    /// What is stored of its secret; `None` if there is none yet.
    pub held: Option<Held>,
    /// Whether visitors see it.
    pub is_on: bool,
    /// The words on it; empty are the usual ones.
    pub label: String,
    /// Which place it has among the buttons: 1 is the first.
    pub position: String,
    /// Where the server is.
    pub base_url: String,
    /// An `OAuthVersion`'s key; only Data Center has the choice.
    pub oauth: String,
    /// "App ID".
    pub client_id: String,
    /// "App Secret"; empty keeps the one that is stored.
    pub client_secret: Secret,
    /// A secret that was typed when the form was refused, sealed: it goes to the browser and comes back unread.
    pub kept_secret: String,
    /// Workspaces or groups, one in each line.
    pub only: String,
    /// An `EmailTrust`'s key.
    pub email: String,
}

/// What is shown of a secret that is stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// It was typed.
    Secret {
        /// Its last four characters; empty if it is too short to show any.
        ending: String,
        /// When.
        set_at: Timestamp,
    },
    /// It is a key pair: what to enter at the server.
    KeyPair(Box<ApplicationLink>),
}

impl ProviderForm {
    /// The name of one of its fields.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        format!("{}_{name}", self.prefix)
    }

    /// The name of the field that says who may come in with it.
    #[must_use]
    pub fn only_field(&self) -> String {
        self.field(only_name(self.platform))
    }

    /// What stands behind it, told from what else has the same name.
    #[must_use]
    pub fn title(&self) -> String {
        if self.is_own() { self.name.clone() } else { format!("the integration {}", self.name) }
    }

    /// One of its fields, as it is named where the tab cannot be seen.
    #[must_use]
    pub fn names(&self, field: &str) -> String {
        format!("{}, {field}", self.name)
    }

    /// The words on the button, if none are typed.
    #[must_use]
    pub fn usual_label(&self) -> String {
        match self.base_url.parse() {
            Ok(base_url) if self.is_own() && self.platform == Platform::BitbucketDataCenter => {
                format!("Log in with {}", Place::of(self.platform, &base_url).label())
            }
            _ => format!("Log in with {}", self.name),
        }
    }

    /// The words on the button.
    #[must_use]
    pub fn words(&self) -> String {
        let typed = self.label.trim();
        if typed.is_empty() { self.usual_label() } else { typed.to_owned() }
    }

    /// Whether a consumer or link of the website's own is behind it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.integration.is_none()
    }

    fn put(&mut self, name: &str, text: &str) {
        let place = match name {
            "on" => return self.is_on = true,
            "client_secret" => return self.client_secret = Secret::new(text.trim()),
            "kept_secret" => &mut self.kept_secret,
            "label" => &mut self.label,
            "position" => &mut self.position,
            "base_url" => &mut self.base_url,
            "oauth" => &mut self.oauth,
            "client_id" => &mut self.client_id,
            "email" => &mut self.email,
            _ if name == only_name(self.platform) => &mut self.only,
            _ => return,
        };
        *place = text.replace("\r\n", "\n");
    }
}

fn only_name(platform: Platform) -> &'static str {
    match platform {
        Platform::BitbucketCloud => "workspaces",
        Platform::BitbucketDataCenter => "groups",
    }
}

impl SettingForm {
    /// Takes what a browser sent, by the names of the fields. Boxes that are not ticked are not sent, so `whole` says that all
    /// of the form is there.
    pub fn take(&mut self, sent: &[(String, String)]) {
        if sent.iter().any(|(name, _)| name == "whole") {
            self.providers.iter_mut().for_each(|provider| provider.is_on = false);
            self.email_required = false;
        }
        for (name, text) in sent {
            self.put(name, text);
        }
    }

    fn put(&mut self, name: &str, text: &str) {
        let place = match name {
            "email_required" => return self.email_required = true,
            "ends_logins" => return self.ends_logins = true,
            "version" => &mut self.version,
            "title" => &mut self.title,
            "message" => &mut self.message,
            "footer" => &mut self.footer,
            "accent" => &mut self.accent,
            "background" => &mut self.background,
            "logo" => &mut self.logo,
            "sign_up" => &mut self.sign_up,
            "default_roles" => &mut self.default_roles,
            "allowed" => &mut self.allowed,
            "idle_hours" => &mut self.idle_hours,
            "longest_hours" => &mut self.longest_hours,
            _ => return self.provider_put(name, text),
        };
        *place = text.replace("\r\n", "\n");
    }

    fn provider_put(&mut self, name: &str, text: &str) {
        for provider in &mut self.providers {
            let field = name.strip_prefix(provider.prefix.as_str()).and_then(|rest| rest.strip_prefix('_'));
            if let Some(field) = field {
                return provider.put(field, text);
            }
        }
    }

    /// Whether both say the same, whatever they were made from.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let said = |form: &Self| Self { version: String::new(), ..form.clone() };
        said(self) == said(other)
    }

    /// The part of the website's own consumer or link on a platform.
    #[must_use]
    pub fn own(&self, platform: Platform) -> Option<&ProviderForm> {
        self.providers.iter().find(|provider| provider.is_own() && provider.platform == platform)
    }

    /// The buttons in the order that visitors shall see; those without a place come last, as they are.
    #[must_use]
    pub fn ordered(&self) -> Vec<&ProviderForm> {
        let mut parts: Vec<&ProviderForm> = self.providers.iter().collect();
        parts.sort_by_key(|part| part.position.trim().parse::<u32>().unwrap_or(u32::MAX));
        parts
    }

    /// The parts of integrations.
    pub fn integrations(&self) -> impl Iterator<Item = &ProviderForm> {
        self.providers.iter().filter(|provider| !provider.is_own())
    }
}

impl App {
    /// The form of a setting, as it stands.
    pub(super) fn website_setting_form(
        &self,
        website: &Website,
        setting: &Setting,
        integrations: &[Integration],
    ) -> SettingForm {
        let Look { title, message, footer, accent, background, logo } = setting.look.clone();
        let own = Platform::ALL.map(|platform| self.own_form(website, setting, platform));
        let others = integrations.iter().map(|integration| {
            let part = self.integration_part(setting, integration);
            ProviderForm { name: told_apart(integration, integrations), ..part }
        });
        SettingForm {
            version: String::new(),
            providers: own.into_iter().chain(others).collect(),
            title,
            message,
            footer,
            accent: accent.to_string(),
            background: background.to_string(),
            logo: logo.unwrap_or_default(),
            sign_up: setting.sign_up.key().into(),
            default_roles: setting.default_roles.to_string(),
            allowed: lines(&setting.allowed),
            email_required: setting.email_required,
            idle_hours: setting.idle_hours.to_string(),
            longest_hours: setting.longest_hours.to_string(),
            ends_logins: false,
        }
    }

    fn own_form(&self, website: &Website, setting: &Setting, platform: Platform) -> ProviderForm {
        let (prefix, name, base_url) = match platform {
            Platform::BitbucketCloud => ("bitbucket", "Bitbucket", "https://bitbucket.org"),
            Platform::BitbucketDataCenter => ("data_center", "Bitbucket Data Center", ""),
        };
        let key = ProviderKey::own(platform);
        let callback = self.website_callback(website, &key);
        let part = ProviderForm { base_url: base_url.into(), ..blank(prefix.into(), key, name, platform) };
        let mut part = ProviderForm { callback, ..part };
        if let Some((at, provider)) = find(setting, &part.key) {
            common(&mut part, at, provider);
            if let Source::Own { base_url, client, secret_ending, secret_set_at, .. } = &provider.source {
                part.base_url = base_url.to_string();
                part.oauth = client.oauth().key().into();
                part.held = Some(self.held(client, (secret_ending, *secret_set_at)));
                if let Client::OAuth2 { id, .. } = client {
                    part.client_id.clone_from(id);
                }
            }
        }
        part
    }

    fn held(&self, client: &Client, (ending, set_at): (&str, Timestamp)) -> Held {
        match client {
            Client::OAuth2 { .. } => Held::Secret { ending: ending.to_owned(), set_at },
            Client::OAuth1 { consumer_key, public_key, .. } => {
                Held::KeyPair(Box::new(self.application_link(consumer_key, public_key)))
            }
        }
    }

    fn integration_part(&self, setting: &Setting, integration: &Integration) -> ProviderForm {
        let key = ProviderKey::integration(&integration.slug);
        let prefix = format!("integration_{}", integration.slug);
        let mut part = ProviderForm {
            integration: Some(integration.id),
            callback: self.integration_callback(integration.slug.as_str()),
            base_url: integration.base_url.to_string(),
            ..blank(prefix, key, &integration.name, integration.platform)
        };
        if let Some((at, provider)) = find(setting, &part.key) {
            common(&mut part, at, provider);
        }
        part
    }

    /// The integrations that a website may use: the installation's and its organization's own.
    pub(super) async fn website_integrations(&self, website: &Website) -> Result<Vec<Integration>, Failure> {
        let mut all = self.storage.integration_list_of(None).await?;
        all.extend(self.storage.integration_list_of(Some(website.organization_id)).await?);
        Ok(all)
    }
}

/// Which of the values may be chosen for whose address counts as verified. "All" is for admins; where it is chosen it stays.
#[must_use]
pub fn email_choices(actor: &Actor, part: &ProviderForm) -> Vec<EmailTrust> {
    let may = |trust: &EmailTrust| {
        *trust != EmailTrust::All || actor.is_admin() || part.email == EmailTrust::All.key()
    };
    EmailTrust::ALL.into_iter().filter(may).collect()
}

fn blank(prefix: String, key: ProviderKey, name: &str, platform: Platform) -> ProviderForm {
    ProviderForm {
        prefix,
        key,
        name: name.to_owned(),
        platform,
        integration: None,
        callback: String::new(),
        held: None,
        is_on: false,
        label: String::new(),
        position: String::new(),
        base_url: String::new(),
        oauth: OAuthVersion::Two.key().into(),
        client_id: String::new(),
        client_secret: Secret::default(),
        kept_secret: String::new(),
        only: String::new(),
        email: EmailTrust::default_of(platform).key().into(),
    }
}

/// The name of an integration; with its slug, if another one has the same name.
fn told_apart(integration: &Integration, all: &[Integration]) -> String {
    let is_namesake = |other: &&Integration| other.name.eq_ignore_ascii_case(&integration.name);
    match all.iter().filter(is_namesake).count() {
        0 | 1 => integration.name.clone(),
        _ => format!("{} ({})", integration.name, integration.slug),
    }
}

fn find<'a>(setting: &'a Setting, key: &ProviderKey) -> Option<(usize, &'a Provider)> {
    setting.providers.iter().enumerate().find(|(_, provider)| provider.key == *key)
}

fn common(part: &mut ProviderForm, at: usize, provider: &Provider) {
    part.is_on = provider.is_on;
    part.label.clone_from(&provider.label);
    part.position = (at + 1).to_string();
    part.email = provider.email.key().into();
    part.only = lines(&provider.only);
}

fn lines(all: &[impl ToString]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
