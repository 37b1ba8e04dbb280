//! The form of a credential: what is typed, and what it means.

use crate::{App, Failure, Problems};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use stave_domain::{
    Invalid, Secret, Timestamp,
    credential::{CredentialKind, StoredCredential, TOKEN_USERNAME, expiry_parse, header_parse, host_parse},
    expiry,
    organization::Organization,
    secret::Sealed,
    user::EmailAddress,
};

/// What is typed into the form of a credential.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct CredentialForm {
    /// What it is for.
    pub description: String,
    /// A [`CredentialKind`]'s key; empty is what the secret and the user name show.
    pub kind: String,
    /// The only host it is sent to.
    pub host: String,
    /// The user name; only for [`CredentialKind::Password`].
    pub username: String,
    /// The e-mail address of the Atlassian account; only for [`CredentialKind::ApiToken`].
    pub email: String,
    /// The name of the header; only for [`CredentialKind::Header`].
    pub header: String,
    /// Password or token; empty while editing keeps the one that is stored.
    pub secret: Secret,
    /// The last day of its life, such as `2027-01-31`, or empty.
    pub expires_on: String,
    /// A secret that was typed when the form was refused, sealed: it goes to the browser and comes back unread.
    pub kept_secret: String,
    /// Present if it shall be stored although something does not look right.
    pub all_the_same: Option<String>,
}

/// What a form says once it has been read.
pub(super) struct Typed {
    pub(super) description: String,
    pub(super) kind: CredentialKind,
    pub(super) host: String,
    pub(super) username: String,
    /// A new one, if one was typed.
    pub(super) secret: Option<Secret>,
    pub(super) expires_at: Option<Timestamp>,
}

impl CredentialForm {
    /// The form of a credential that is stored. Its secret is not in it.
    #[must_use]
    pub fn of(credential: &StoredCredential) -> Self {
        let typed = |kind| if credential.kind == kind { credential.username.clone() } else { String::new() };
        Self {
            description: credential.description.clone(),
            kind: credential.kind.key().to_owned(),
            host: credential.host.clone(),
            username: typed(CredentialKind::Password),
            email: typed(CredentialKind::ApiToken),
            header: typed(CredentialKind::Header),
            expires_on: credential.expires_at.map(expiry::day).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Whether it shall be stored although something does not look right.
    pub(super) fn is_insisted(&self) -> bool {
        self.all_the_same.is_some()
    }
}

impl App {
    /// The form as it goes back to the browser after a refusal: what was typed as secret is in it, sealed.
    #[must_use]
    pub fn credential_form_kept(
        &self,
        organization: &Organization,
        mut form: CredentialForm,
    ) -> CredentialForm {
        if let Some(secret) = self.typed_credential(organization, &form) {
            let sealed = self.keys.seal(TYPED, organization.id, &secret);
            form.kept_secret = URL_SAFE_NO_PAD.encode(sealed.0);
        }
        form.secret = Secret::default();
        form
    }

    /// What a form says, or what is wrong with it; `before` is the credential that is changed.
    pub(super) fn credential_typed(
        &self,
        organization: &Organization,
        before: Option<&StoredCredential>,
        form: &CredentialForm,
    ) -> Result<Typed, Failure> {
        let mut problems = Problems::default();
        let secret = self.typed_credential(organization, form);
        let description = problems.text("description", "Description", &form.description, 100);
        let kind = match (form.kind.as_str(), &secret) {
            ("", Some(secret)) => Some(kind_shown(secret, &form.username)),
            (typed, _) => problems.parse::<CredentialKind>("kind", typed),
        };
        let host = problems.check("host", host_parse(&form.host));
        let username = kind.and_then(|kind| username(kind, form, &mut problems));
        let expires_at = kind.and_then(|kind| {
            let is_same_day = before
                .and_then(|before| before.expires_at)
                .is_some_and(|at| expiry::day(at) == form.expires_on.trim());
            let is_new = secret.is_some() || !is_same_day;
            problems.check("expires_on", expiry_parse(kind, &form.expires_on, self.clock.now(), is_new))
        });
        let is_sent_as_it_is = matches!(kind, Some(CredentialKind::Bearer | CredentialKind::Header));
        if is_sent_as_it_is && secret.as_ref().is_some_and(|secret| !fits_into_a_header(secret)) {
            problems.add(
                "secret",
                "A secret that is sent in a header has only letters, digits and signs of ASCII, in one line.",
            );
        }
        match (before, &secret) {
            (None, None) => problems.add("secret", "Paste the password or token."),
            (Some(before), None) if host.as_ref().is_some_and(|host| *host != before.host) => {
                problems.add("secret", "The host is another one now, so the secret has to be typed again.");
            }
            _ => {}
        }
        match (description, kind, host, username, expires_at) {
            (Some(description), Some(kind), Some(host), Some(username), Some(expires_at))
                if problems.is_empty() =>
            {
                Ok(Typed { description, kind, host, username, secret, expires_at })
            }
            _ => Err(problems.into_failure()),
        }
    }

    /// The secret of a form: as it was typed now, or with an earlier try.
    fn typed_credential(&self, organization: &Organization, form: &CredentialForm) -> Option<Secret> {
        // Whoever copies a token out of a page or a mail copies a blank or a line end with it.
        let typed = form.secret.expose().trim();
        if !typed.is_empty() {
            return Some(Secret::new(typed));
        }
        let sealed = URL_SAFE_NO_PAD.decode(&form.kept_secret).ok().filter(|bytes| !bytes.is_empty())?;
        self.keys.open(TYPED, organization.id, &Sealed(sealed)).ok()
    }
}

fn fits_into_a_header(secret: &Secret) -> bool {
    secret.expose().bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// For what a typed secret is sealed on its way through the browser.
const TYPED: &str = "typed credential";

/// The kind for which nobody was asked: in Bitbucket's words, a token without a user name is an access token.
fn kind_shown(secret: &Secret, username: &str) -> CredentialKind {
    CredentialKind::of_secret(secret).unwrap_or(match username.trim() {
        "" | TOKEN_USERNAME => CredentialKind::AccessToken,
        _ => CredentialKind::Password,
    })
}

fn username(kind: CredentialKind, form: &CredentialForm, problems: &mut Problems) -> Option<String> {
    match kind {
        CredentialKind::ApiToken => {
            let address = form.email.parse::<EmailAddress>().map_err(|_| {
                Invalid::because(
                    "Enter the e-mail address of the Atlassian account whose token this is, such as ada@example.com.",
                )
            });
            // As it was typed: whether its letters are large or small may matter there.
            problems.check("email", address).map(|_| form.email.trim().to_owned())
        }
        CredentialKind::AccessToken | CredentialKind::HttpAccessToken => Some(TOKEN_USERNAME.to_owned()),
        CredentialKind::Bearer => Some(String::new()),
        CredentialKind::Header => problems.check("header", header_parse(&form.header)),
        CredentialKind::Password => {
            let username = problems.text("username", "Username", &form.username, 200)?;
            if username.contains(':') {
                problems.add("username", "A user name has no colon in it.");
                return None;
            }
            Some(username)
        }
    }
}
