//! Secrets that were typed into the form "Login setting" and are not stored yet.

use super::{ProviderForm, SettingForm};
use crate::App;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use stave_domain::{Secret, secret::Sealed, website::Website};

impl App {
    /// The form as it goes back to the browser after a refusal: what was typed as secret is in it, sealed.
    #[must_use]
    pub fn website_setting_form_kept(&self, website: &Website, mut form: SettingForm) -> SettingForm {
        for part in &mut form.providers {
            if let Some(secret) = self.website_typed_secret(website, part) {
                let sealed = self.keys.seal(TYPED, whose(website, part), &secret);
                part.kept_secret = URL_SAFE_NO_PAD.encode(sealed.0);
            }
            part.client_secret = Secret::default();
        }
        form
    }

    /// The secret of a part: as it was typed now, or with an earlier try.
    pub(super) fn website_typed_secret(&self, website: &Website, part: &ProviderForm) -> Option<Secret> {
        if !part.client_secret.is_empty() {
            return Some(part.client_secret.clone());
        }
        let sealed = URL_SAFE_NO_PAD.decode(&part.kept_secret).ok().filter(|bytes| !bytes.is_empty())?;
        self.keys.open(TYPED, whose(website, part), &Sealed(sealed)).ok()
    }
}

const TYPED: &str = "typed website secret";

/// A secret that waits in a form is for the server and the id that stand beside it: with others it is typed again.
fn whose(website: &Website, part: &ProviderForm) -> String {
    format!("{} {} {} {}", website.id, part.key, part.base_url.trim(), part.client_id.trim())
}
