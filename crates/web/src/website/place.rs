//! Which website a page is about.

use crate::{error::PageError, frame::Frame};
use axum::{
    RequestPartsExt as _,
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use stave_app::{App, Failure};
use stave_domain::{organization::Organization, website::Website};

/// Who asks for a page of a website, and which. Whoever does not own it is turned away here.
pub(super) struct Visit {
    pub(super) frame: Frame,
    pub(super) place: Place,
}

/// Which website of which organization.
pub(super) struct Place {
    pub(super) organization: Organization,
    pub(super) website: Website,
    /// The address that its applications know it by.
    pub(super) issuer: String,
    /// How many wait for an owner to let them in.
    pub(super) waiting: u64,
}

/// What every address here names.
#[derive(serde::Deserialize)]
struct Named {
    organization: String,
    website: String,
}

impl Place {
    /// The address of the organization.
    pub(super) fn home(&self) -> String {
        crate::frame::home(&self.organization)
    }

    /// Below which address all pages of the website are.
    pub(super) fn base(&self) -> String {
        format!("{}/websites/{}", self.home(), self.website.slug)
    }

    /// The organization's short name and the website's slug, for use cases.
    pub(super) fn names(&self) -> (&str, &str) {
        (self.organization.short_name.as_str(), self.website.slug.as_str())
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let frame = Frame::from_request_parts(parts, app).await?;
        let named = parts.extract::<Path<Named>>().await;
        let Path(named) = named.map_err(|_| Failure::NotFound("website"))?;
        let (organization, website) =
            app.website_owned(&frame.actor, &named.organization, &named.website).await?;
        let issuer = app.issuer_address(&website);
        let waiting = app.website_member_waiting(&website).await?;
        Ok(Self { frame, place: Place { organization, website, issuer, waiting } })
    }
}
