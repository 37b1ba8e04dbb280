//! Registered OAuth applications.

use super::{Row, json_text};
use crate::StorageError;
use sea_orm::entity::prelude::*;
use stave_domain::{
    integration::{ApiTimeout, Client, Integration, OAuthVersion, Permission},
    secret::Sealed,
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "integration")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub platform: String,
    pub base_url: String,
    /// The consumer key in OAuth 1.
    pub client_id: String,
    /// Sealed; the private key in OAuth 1.
    pub client_secret: Vec<u8>,
    pub trust_email: bool,
    /// Seconds.
    pub api_timeout: Option<i64>,
    /// Scopes with spaces between them.
    pub missing_permissions: Option<String>,
    pub last_error: Option<String>,
    pub created_at: i64,
    pub organization_id: Option<Uuid>,
    /// What [`OAuthVersion::key`] says.
    pub oauth: String,
    /// OAuth 1 only.
    pub public_key: Option<String>,
    /// As `oauth`; null if there was no client before this one, and then so are the other three.
    pub previous_oauth: Option<String>,
    pub previous_client_id: Option<String>,
    pub previous_client_secret: Option<Vec<u8>>,
    pub previous_public_key: Option<String>,
    /// JSON.
    pub seen: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The text of `missing_permissions`.
pub(crate) fn scopes(permissions: &[Permission]) -> String {
    permissions.iter().map(|permission| permission.scope()).collect::<Vec<_>>().join(" ")
}

/// The secret half of a client, sealed.
pub(crate) fn secret_of(client: &Client) -> Vec<u8> {
    match client {
        Client::OAuth2 { secret, .. } => secret.0.clone(),
        Client::OAuth1 { private_key, .. } => private_key.0.clone(),
    }
}

/// The public half of its key pair, if it has one.
pub(crate) fn public_key_of(client: &Client) -> Option<String> {
    match client {
        Client::OAuth2 { .. } => None,
        Client::OAuth1 { public_key, .. } => Some(public_key.clone()),
    }
}

/// The client that is in these columns; `None` if they contradict each other.
fn client_in(oauth: &str, id: String, secret: Vec<u8>, public_key: Option<String>) -> Option<Client> {
    match (oauth.parse().ok()?, public_key) {
        (OAuthVersion::Two, None) => Some(Client::OAuth2 { id, secret: Sealed(secret) }),
        (OAuthVersion::One, Some(public_key)) => {
            Some(Client::OAuth1 { consumer_key: id, private_key: Sealed(secret), public_key })
        }
        _ => None,
    }
}

impl From<&Integration> for Model {
    fn from(integration: &Integration) -> Self {
        let previous = integration.previous.as_ref();
        Self {
            id: integration.id.into(),
            slug: integration.slug.to_string(),
            name: integration.name.clone(),
            platform: integration.platform.key().to_owned(),
            base_url: integration.base_url.to_string(),
            client_id: integration.client.id().to_owned(),
            client_secret: secret_of(&integration.client),
            trust_email: integration.trust_email,
            api_timeout: integration.api_timeout.0.map(Into::into),
            missing_permissions: integration.missing_permissions.as_deref().map(scopes),
            last_error: integration.last_error.clone(),
            created_at: integration.created_at.as_millisecond(),
            organization_id: integration.organization_id.map(Into::into),
            oauth: integration.client.oauth().key().to_owned(),
            public_key: public_key_of(&integration.client),
            previous_oauth: previous.map(|client| client.oauth().key().to_owned()),
            previous_client_id: previous.map(|client| client.id().to_owned()),
            previous_client_secret: previous.map(secret_of),
            previous_public_key: previous.and_then(public_key_of),
            seen: integration.seen.as_ref().map(json_text),
        }
    }
}

impl TryFrom<Model> for Integration {
    type Error = StorageError;

    fn try_from(model: Model) -> Result<Self, StorageError> {
        let row = Row::of("integration", model.id);
        let permissions = |scopes: String| {
            scopes.split_whitespace().map(|scope| row.parse("missing_permissions", scope)).collect()
        };
        let client = client_in(&model.oauth, model.client_id, model.client_secret, model.public_key);
        let previous_secret = (model.previous_client_secret, model.previous_public_key);
        let previous = match (model.previous_oauth, model.previous_client_id, previous_secret) {
            (None, None, (None, None)) => None,
            (Some(oauth), Some(id), (Some(secret), public_key)) => {
                let previous = client_in(&oauth, id, secret, public_key);
                Some(previous.ok_or_else(|| row.corrupt("previous_oauth"))?)
            }
            _ => return Err(row.corrupt("previous_oauth")),
        };
        Ok(Self {
            id: model.id.into(),
            slug: row.parse("slug", &model.slug)?,
            organization_id: model.organization_id.map(Into::into),
            name: model.name,
            platform: row.parse("platform", &model.platform)?,
            base_url: row.parse("base_url", &model.base_url)?,
            client: client.ok_or_else(|| row.corrupt("oauth"))?,
            previous,
            trust_email: model.trust_email,
            api_timeout: ApiTimeout(
                model.api_timeout.map(|seconds| row.number("api_timeout", seconds)).transpose()?,
            ),
            missing_permissions: model.missing_permissions.map(permissions).transpose()?,
            last_error: model.last_error,
            seen: model.seen.map(|seen| row.json("seen", &seen)).transpose()?,
            created_at: row.instant("created_at", model.created_at)?,
        })
    }
}
