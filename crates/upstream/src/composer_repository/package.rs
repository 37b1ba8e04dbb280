//! The metadata of one package.

use super::{
    Asked, ComposerRepository, MirrorProblem, hex, problem,
    request::{File, Request},
};
use crate::UpstreamError;
use reqwest::{StatusCode, header};
use sha2::{Digest as _, Sha256};
use stave_domain::{
    mirror::{MirrorRoot, package::is_in, root::Files},
    package::PackageName,
};
use url::Url;

/// What a Composer repository has of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The same as the last time.
    NotModified,
    /// Nothing: it says so itself.
    Missing,
    /// A file.
    Found {
        /// Whole JSON that has the package in it.
        body: Vec<u8>,
        /// By what it can be recognised the next time: its Last-Modified or, if it has none, what begins with `sha256:`.
        last_modified: String,
    },
}

/// How a text begins that no server said.
const BY_DIGEST: &str = "sha256:";

impl ComposerRepository {
    /// The file of a package's releases, or of its branches (`is_dev`), unless it is as it was `seen` the last time. One that speaks
    /// Composer 1 has both in one file, and nothing more of the branches.
    pub async fn package(
        &self,
        root: &MirrorRoot,
        name: &PackageName,
        is_dev: bool,
        seen: Option<&str>,
    ) -> Result<Fetched, UpstreamError> {
        if root.is_inline(name) {
            return if is_dev { Ok(Fetched::Missing) } else { self.package_inline(name, seen).await };
        }
        match &root.files {
            Files::Metadata(files) => {
                let file = if is_dev { format!("{name}~dev") } else { name.to_string() };
                self.package_file(name, files.of_package(&file), seen).await
            }
            Files::Lazy(files) if !is_dev => {
                self.package_file(name, files.of_package(name.as_str()), seen).await
            }
            Files::Hashed(files) if !is_dev => {
                let Some(file) = self.lists().await?.file_of(name, files) else {
                    return Ok(Fetched::Missing);
                };
                let digest = file.digest();
                if digest.is_some() && digest.as_deref() == seen {
                    return Ok(Fetched::NotModified);
                }
                let asked = Asked::Package(name.to_string());
                let answer = self.get(&file.url, &asked).await?.success(&asked)?;
                file.check(&answer.body, &asked)?;
                found(name, answer, &asked)
            }
            Files::Lazy(_) | Files::Hashed(_) | Files::Here { .. } => Ok(Fetched::Missing),
        }
    }

    async fn package_file(
        &self,
        name: &PackageName,
        url: Option<Url>,
        seen: Option<&str>,
    ) -> Result<Fetched, UpstreamError> {
        let asked = Asked::Package(name.to_string());
        let url = url.ok_or_else(|| {
            let sentence = format!("The packages.json of the mirror leads to no address for {name}.");
            problem::of(&self.site.url, MirrorProblem::Odd(sentence))
        })?;
        let request = Request::get(&url);
        let request = match seen.filter(|seen| !seen.starts_with(BY_DIGEST)) {
            Some(seen) => request.with(header::IF_MODIFIED_SINCE, seen),
            None => request,
        };
        let answer = request.send(self, &asked).await?;
        match answer.status {
            StatusCode::NOT_MODIFIED if seen.is_some() => Ok(Fetched::NotModified),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Fetched::Missing),
            _ => Ok(unless_seen(found(name, answer.success(&asked)?, &asked)?, seen)),
        }
    }

    async fn package_inline(&self, name: &PackageName, seen: Option<&str>) -> Result<Fetched, UpstreamError> {
        let Some(body) = self.lists().await?.package(name) else { return Ok(Fetched::Missing) };
        let last_modified = digest(&body);
        Ok(unless_seen(Fetched::Found { body, last_modified }, seen))
    }
}

fn unless_seen(fetched: Fetched, seen: Option<&str>) -> Fetched {
    match &fetched {
        Fetched::Found { last_modified, .. }
            if last_modified.starts_with(BY_DIGEST) && Some(last_modified.as_str()) == seen =>
        {
            Fetched::NotModified
        }
        _ => fetched,
    }
}

/// A file, if the package is in it; without it, the repository says that there is none.
fn found(name: &PackageName, answer: File, asked: &Asked) -> Result<Fetched, UpstreamError> {
    answer.json_read(asked)?;
    match is_in(name, &answer.body) {
        Ok(true) => {}
        Ok(false) => return Ok(Fetched::Missing),
        Err(_) => {
            let saw = crate::Saw::OtherJson;
            return Err(problem::of(&answer.url, MirrorProblem::Unreadable { saw, asked: asked.clone() }));
        }
    }
    let said = answer.header(header::LAST_MODIFIED.as_str()).map(str::to_owned);
    let body = answer.into_body();
    let last_modified = said.filter(|said| !said.is_empty()).unwrap_or_else(|| digest(&body));
    Ok(Fetched::Found { body, last_modified })
}

/// What is said of a file of which its server does not say when it was changed.
fn digest(body: &[u8]) -> String {
    by_digest(&hex(&Sha256::digest(body)))
}

pub(super) fn by_digest(hex: &str) -> String {
    format!("{BY_DIGEST}{hex}")
}
