//! Applications at the endpoints that they call themselves: which one asks, and what they are told when something is wrong.

use super::Issuer;
use crate::{App, Failure, Visitor, limit::network};
use jiff::SignedDuration;
use stave_domain::{
    Secret,
    secret::SecretHash,
    website::{Asked, Client, ClientKind, RequestError},
};
use stave_storage::StorageError;
use subtle::ConstantTimeEq;

/// An application asks something.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The form that it sent, decoded.
    pub form: &'a [(String, String)],
    /// Id and secret of the `Authorization` header, decoded; `None` if there is no such header.
    pub basic: Option<&'a Credentials>,
    /// From where.
    pub visitor: &'a Visitor,
}

/// Id and secret of an application, as it sent them.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub secret: Secret,
}

/// Why an application is not given what it asks for.
#[derive(Debug)]
pub enum CallRefused {
    /// What it sent is wrong: a code of the standards, and a sentence.
    Wrong(RequestError),
    /// It was wrong too often; it may try again after this time.
    TooOften(SignedDuration),
    /// Something failed here.
    Failed(Failure),
}

impl From<RequestError> for CallRefused {
    fn from(error: RequestError) -> Self {
        Self::Wrong(error)
    }
}

impl From<Failure> for CallRefused {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<StorageError> for CallRefused {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.into())
    }
}

/// The application is not who it says. Which part is wrong is not told.
pub(super) const INVALID_CLIENT: RequestError =
    RequestError::new("invalid_client", "The client is not known here, or its secret is wrong.");
const MISSING: RequestError = RequestError::new("invalid_request", "client_id is missing.");
const TWICE: RequestError = RequestError::new("invalid_request", "A parameter stands twice in the request.");
const TWO_WAYS: RequestError =
    RequestError::new("invalid_request", "The client has to say who it is in one way, not in two.");

impl App {
    /// The application that calls, when it has shown who it is (RFC 6749, section 2.3).
    ///
    /// Who fails too often at one address has to wait there, right or wrong. An id that fails too often from everywhere waits only
    /// while it is wrong: it is no secret, and nobody can shut out an application by failing in its name.
    pub(super) async fn issuer_client_of(
        &self,
        issuer: &Issuer,
        call: Call<'_>,
    ) -> Result<Client, CallRefused> {
        let now = self.clock.now();
        let limits = &self.issuer_limits;
        let address = network(&call.visitor.address);
        limits.failures_by_address.ask(&address, now).map_err(CallRefused::TooOften)?;
        let shown = shown(call)?;
        let client = self.issuer_client(issuer, Some(&shown.client_id)).await?;
        if let Some(client) = client.filter(|client| shows(client, &shown.secret)) {
            return Ok(client);
        }
        let name = (issuer.website.id, shown.client_id.chars().take(100).collect());
        let of_client = limits.failures_by_client.count(name, now);
        let of_address = limits.failures_by_address.count(address, now);
        of_client.and(of_address).map_err(CallRefused::TooOften)?;
        Err(INVALID_CLIENT.into())
    }

    /// An application without a secret sent something that does not exist: this may be a guess, so it counts like a wrong secret.
    /// One with a secret has shown who it is; what its visitors send it must not shut it out.
    pub(super) fn issuer_guess(&self, client: &Client, call: Call<'_>) {
        if client.kind != ClientKind::Confidential {
            // How long to wait is said to whoever comes next.
            _ = self
                .issuer_limits
                .failures_by_address
                .count(network(&call.visitor.address), self.clock.now());
        }
    }

    /// Whether a script of a page at this origin may ask: one that is a redirect address of an application in a browser.
    pub async fn issuer_origin_is_known(&self, issuer: &Issuer, origin: &str) -> Result<bool, Failure> {
        let clients = self.storage.website_client_list(issuer.website.id).await?;
        Ok(clients.iter().any(|client| client.is_at(origin)))
    }
}

/// Who the application says it is: in the header or in the form, not in both. Without a secret there is an empty one.
fn shown(Call { form, basic, .. }: Call<'_>) -> Result<Credentials, CallRefused> {
    let asked = Asked(form);
    if form.iter().any(|(name, _)| asked.repeats(name)) {
        return Err(TWICE.into());
    }
    let (id, secret) = (asked.get("client_id"), asked.get("client_secret"));
    match basic {
        Some(_) if secret.is_some() => Err(TWO_WAYS.into()),
        Some(basic) if id.is_some_and(|id| id != basic.client_id) => Err(TWO_WAYS.into()),
        Some(basic) => Ok(basic.clone()),
        None => Ok(Credentials {
            client_id: id.ok_or(MISSING)?.to_owned(),
            secret: Secret::new(secret.unwrap_or_default()),
        }),
    }
}

/// Whether this is the client's secret. The client of the website's own pages is Stave itself and calls nothing.
fn shows(client: &Client, secret: &Secret) -> bool {
    match client.kind {
        ClientKind::Site => false,
        ClientKind::Browser => secret.is_empty(),
        ClientKind::Confidential => {
            let hash = SecretHash::of(secret);
            client.secrets.iter().any(|held| bool::from(held.hash.0.ct_eq(&hash.0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(
        form: &'a [(String, String)],
        basic: Option<&'a Credentials>,
        visitor: &'a Visitor,
    ) -> Call<'a> {
        Call { form, basic, visitor }
    }

    #[test]
    fn who_asks_is_said_in_one_way() {
        let visitor = Visitor::default();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let basic = Credentials { client_id: "shop".into(), secret: Secret::new("s") };
        let (id, other, secret) =
            (pair("client_id", "shop"), pair("client_id", "other"), pair("client_secret", "s"));
        for (form, basic, is_good) in [
            (vec![id.clone()], None, true),
            (vec![id.clone(), secret.clone()], None, true),
            (vec![], Some(&basic), true),
            (vec![id.clone()], Some(&basic), true),
            (vec![pair("client_secret", "")], Some(&basic), true),
            (vec![other.clone()], Some(&basic), false),
            (vec![secret.clone()], Some(&basic), false),
            (vec![secret.clone()], None, false),
            (vec![id.clone(), id.clone()], None, false),
            (vec![], None, false),
        ] {
            let result = shown(of(&form, basic, &visitor));
            assert_eq!(result.is_ok(), is_good, "{form:?}");
        }
    }
}
