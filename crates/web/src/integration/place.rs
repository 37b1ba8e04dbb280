//! Where the pages of integrations are: in the Admin section, or in the settings of an organization.

use crate::{error::PageError, frame::Frame};
use axum::{
    RequestPartsExt as _,
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use stave_app::{App, Failure, Level};
use stave_domain::{id::IntegrationId, integration::Integration, organization::Organization};

/// Who asks for a page of integrations, and where. Whoever may not manage them there is turned away here.
pub(super) struct Visit {
    pub(super) frame: Frame,
    pub(super) place: Place,
}

/// Where integrations are managed, and which of them the address names.
pub(super) struct Place {
    pub(super) level: Level,
    /// Whose they are; `None` is the installation.
    pub(super) owner: Option<Organization>,
    /// As it stands in the address; empty where none does.
    integration: String,
}

/// What the address may name.
#[derive(serde::Deserialize)]
struct Named {
    organization: Option<String>,
    integration: Option<String>,
}

impl Place {
    /// The integration that the address names.
    pub(super) fn id(&self) -> Result<IntegrationId, Failure> {
        self.integration.parse().map_err(|_| Failure::NotFound("integration"))
    }

    /// Below which address all pages are.
    pub(super) fn base(&self) -> String {
        match &self.owner {
            None => "/admin/integrations".into(),
            Some(owner) => format!("{}/settings/integrations", crate::frame::home(owner)),
        }
    }

    /// The page with the list.
    pub(super) fn list(&self) -> String {
        if self.is_admin() { "/admin".into() } else { self.base() }
    }

    /// The page of an integration.
    pub(super) fn page(&self, integration: &Integration) -> String {
        format!("{}/{}", self.base(), integration.id)
    }

    /// Whether this is the Admin section.
    pub(super) fn is_admin(&self) -> bool {
        self.owner.is_none()
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let frame = Frame::from_request_parts(parts, app).await?;
        let named = parts.extract::<Path<Named>>().await;
        let Path(Named { organization, integration }) =
            named.map_err(|_| Failure::NotFound("integration"))?;
        let level = organization.map_or(Level::Installation, Level::Organization);
        let owner = app.level_owner(&frame.actor, &level).await?;
        Ok(Self { frame, place: Place { level, owner, integration: integration.unwrap_or_default() } })
    }
}
