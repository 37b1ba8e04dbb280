//! The form of a mirror: what is typed, and what it means.

use super::client::fits_mirrors;
use crate::{App, Failure, Problems};
use stave_domain::{
    credential::StoredCredential,
    id::CredentialId,
    mirror::{Adds, Mirror, MirrorTimeout, authority, url_parse},
    organization::Organization,
};
use url::Url;

/// What is typed into the form of a mirror.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct MirrorForm {
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// The id of a stored credential, or empty.
    pub credential: String,
    /// How long its answers may take, in seconds; empty is the usual time.
    pub timeout: String,
    /// An [`Adds`]'s key.
    pub adds: String,
}

/// What a form says once it has been read.
pub(super) struct Typed {
    pub(super) name: String,
    pub(super) url: Url,
    pub(super) credential_id: Option<CredentialId>,
    pub(super) timeout: MirrorTimeout,
    pub(super) adds: Adds,
}

impl MirrorForm {
    /// The form of a new mirror.
    #[must_use]
    pub fn empty() -> Self {
        Self { adds: Adds::default().key().to_owned(), ..Self::default() }
    }

    /// The form of a mirror that is there.
    #[must_use]
    pub fn of(mirror: &Mirror) -> Self {
        Self {
            name: mirror.name.clone(),
            url: mirror.url.to_string(),
            credential: mirror.credential_id.map(|id| id.to_string()).unwrap_or_default(),
            timeout: mirror.timeout.0.map(|seconds| seconds.to_string()).unwrap_or_default(),
            adds: mirror.adds.key().to_owned(),
        }
    }
}

impl App {
    /// The credentials with which mirrors of an organization can be asked.
    pub(super) async fn mirror_credentials(
        &self,
        organization: &Organization,
    ) -> Result<Vec<StoredCredential>, Failure> {
        let mut credentials = self.storage.credential_list(organization.id).await?;
        credentials.retain(|credential| fits_mirrors(credential.kind));
        Ok(credentials)
    }

    /// What a form says, or what is wrong with it; `before` is the mirror that is changed. Of the one that every organization has,
    /// only who adds packages can be changed.
    pub(super) async fn mirror_typed(
        &self,
        organization: &Organization,
        before: Option<&Mirror>,
        form: &MirrorForm,
    ) -> Result<Typed, Failure> {
        let mut problems = Problems::default();
        let adds = problems.parse::<Adds>("adds", &form.adds);
        if let Some(before) = before.filter(|before| self.mirror_is_fixed(before)) {
            let adds = adds.ok_or_else(|| problems.into_failure())?;
            let Mirror { name, url, credential_id, timeout, .. } = before.clone();
            return Ok(Typed { name, url, credential_id, timeout, adds });
        }
        let name = problems.text("name", "Name", &form.name, 100);
        let url = problems.check("url", url_parse(&form.url));
        let timeout = problems.parse::<MirrorTimeout>("timeout", &form.timeout);
        let credential = match &url {
            Some(url) => {
                self.mirror_credential_typed(organization, url, &form.credential, &mut problems).await?
            }
            None => None,
        };
        let credential_id = credential.map(|credential| credential.id);
        match (name, url, timeout, adds) {
            (Some(name), Some(url), Some(timeout), Some(adds)) if problems.is_empty() => {
                Ok(Typed { name, url, credential_id, timeout, adds })
            }
            _ => Err(problems.into_failure()),
        }
    }

    /// A secret goes to its own host only.
    async fn mirror_credential_typed(
        &self,
        organization: &Organization,
        url: &Url,
        typed: &str,
        problems: &mut Problems,
    ) -> Result<Option<StoredCredential>, Failure> {
        if typed.is_empty() {
            return Ok(None);
        }
        let known = self.mirror_credentials(organization).await?;
        let Some(chosen) = known.into_iter().find(|credential| credential.id.to_string() == typed) else {
            problems.add("credential", "Choose a credential from the list.");
            return Ok(None);
        };
        let host = authority(url);
        if chosen.host != host {
            let sentence = format!("This credential is for {}, but the URL is at {host}.", chosen.host);
            problems.add("credential", sentence);
        }
        Ok(Some(chosen))
    }

    /// Whether it is the one that every organization has: it stays the last, where it is.
    pub(super) fn mirror_is_fixed(&self, mirror: &Mirror) -> bool {
        let is_same =
            |url: &Url| url.as_str().trim_end_matches('/') == mirror.url.as_str().trim_end_matches('/');
        mirror.credential_id.is_none() && self.mirror_url.as_ref().is_some_and(is_same)
    }
}
