//! Whether a member lets an application know them. Applications of the website itself do not ask.

use super::{
    SignedIn,
    authorize::{Met, Sought},
};
use crate::{App, Failure};
use stave_domain::{
    Secret,
    website::{Consent, Grant, Prompt},
};
use stave_storage::Storage;

impl App {
    /// Whether the member has to be asked, or asked again because the application wants to know more than it did.
    pub(super) async fn issuer_consent_is_needed(
        &self,
        Sought { client, request, .. }: &Sought<'_>,
        SignedIn { member, .. }: &SignedIn,
        met: Met,
    ) -> Result<bool, Failure> {
        if met == Met::Consented {
            return Ok(false);
        }
        if request.wants(Prompt::Consent) {
            return Ok(true);
        }
        if client.is_own {
            return Ok(false);
        }
        let given = self.storage.website_consent_find(member.id, client.id).await?;
        Ok(!given.is_some_and(|given| given.scopes.0.is_superset(&request.scopes.0)))
    }

    /// Keeps what was given, so that it is not asked for again.
    pub(super) async fn issuer_consent_keep(&self, txn: &Storage, grant: &Grant) -> Result<(), Failure> {
        let before = txn.website_consent_find(grant.member_id, grant.client_id).await?;
        let mut scopes = grant.scopes.clone();
        scopes.0.extend(before.into_iter().flat_map(|before| before.scopes.0));
        let consent = Consent {
            member_id: grant.member_id,
            client_id: grant.client_id,
            scopes,
            given_at: self.clock.now(),
        };
        Ok(txn.website_consent_put(&consent).await?)
    }

    /// Shows that this browser was asked for consent to this request, when everything else was well.
    pub(super) fn issuer_consent_proof(&self, signed_in: &SignedIn, request: &str) -> Secret {
        self.keys.derive_long("website consent", format!("{} {request}", signed_in.login.id))
    }
}
