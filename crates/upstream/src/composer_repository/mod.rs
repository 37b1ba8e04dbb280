//! Composer repositories of others: reading what they have, for mirrors.
//!
//! What enters: where one is, with what to ask it, and what its packages.json said. What leaves: files as they are, of which it is
//! known that they are whole, or a [`MirrorProblem`] whose sentence is for whoever manages the mirror. That something is not there
//! is said by its server alone; a failure never says so.

mod advisory;
mod change;
mod dist;
mod filter;
mod lists;
mod package;
mod problem;
mod request;

pub use change::ChangesFetched;
pub use dist::{DistError, DistFetched};
pub use package::Fetched;
pub use problem::{Asked, MirrorProblem};
pub use request::{ComposerKey, ComposerSecret};

use crate::{HttpClient, UpstreamError};
use lists::Lists;
use request::Request;
use stave_domain::mirror::{MirrorRoot, MirrorTimeout, root_url};
use std::fmt::Write as _;
use tokio::sync::OnceCell;
use url::Url;

/// Where a Composer repository is, and how it is asked.
#[derive(Debug, Clone)]
pub struct ComposerSite {
    /// The folder of its packages.json, or that file.
    pub url: Url,
    /// With what it is asked; `None` if everybody may.
    pub key: Option<ComposerKey>,
    /// How long its answers may take.
    pub timeout: MirrorTimeout,
}

/// A Composer repository of somebody else.
///
/// Of one that speaks Composer 1 it remembers the lists that it read, so that they are read once for many packages: make another one
/// to see what has changed since.
pub struct ComposerRepository {
    http: HttpClient,
    site: ComposerSite,
    lists: OnceCell<Lists>,
}

impl ComposerRepository {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(http: HttpClient, site: ComposerSite) -> Self {
        Self { http, site, lists: OnceCell::new() }
    }

    /// What its packages.json says.
    pub async fn root(&self) -> Result<MirrorRoot, UpstreamError> {
        let asked = Asked::Root;
        let answer = self.get(&root_url(&self.site.url), &asked).await?.success(&asked)?;
        answer.json_read(&asked)?;
        MirrorRoot::parse(&self.site.url, &answer.body).map_err(|invalid| answer.odd(invalid))
    }

    /// A file of it, or what is in its place.
    async fn get(&self, url: &Url, asked: &Asked) -> Result<request::File, UpstreamError> {
        Request::get(url).send(self, asked).await
    }
}

/// Lower-case hex digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}
