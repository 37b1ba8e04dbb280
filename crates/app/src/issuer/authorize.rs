//! An application asks who a visitor is (OpenID Connect Core, section 3.1.2): what they have to see, and the answer. This is the
//! one place that decides.

use super::{Issuer, SignedIn, key::Hint};
use crate::{App, Failure, entropy};
use stave_domain::{
    Secret,
    secret::SecretHash,
    website::{
        Asked, Client, Grant, Member, Prompt, ProviderKey, RedirectUri, Refusal, Request, RequestError,
        Scopes, Stop,
    },
};
use std::error::Error;
use subtle::ConstantTimeEq;
use url::{Url, form_urlencoded};

/// What happens to an authorization request.
#[derive(Debug)]
pub enum Authorized {
    /// The visitor has to log in first.
    Login {
        /// The request, to go on with afterwards: its query string.
        request: String,
        /// To which application they log in.
        client: Box<Client>,
        /// Why the form is shown.
        why: Why,
        /// The button that the application would press.
        hint: Option<ProviderKey>,
    },
    /// The visitor chooses whom they go on as: the one who is signed in, or by the login form somebody else.
    Choose {
        /// The request, to go on with afterwards.
        request: String,
        /// To which application they log in.
        client: Box<Client>,
        /// Who is signed in.
        member: Box<Member>,
    },
    /// The visitor is asked whether the application may know them.
    Consent {
        /// The request, to go on with afterwards.
        request: String,
        /// That everything else was asked already: it goes with the request.
        proof: Secret,
        /// The application.
        client: Box<Client>,
        /// What it would know.
        scopes: Scopes,
    },
    /// The application gets its code.
    Answer(Answer),
    /// The application hears why it gets none.
    Refused(Answer),
    /// A page of ours says what is wrong: it is not known who may be answered.
    Page(&'static str),
}

/// Why the login form is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nobody is signed in.
    SignedOut,
    /// The application wants to see a fresh sign-in (`prompt=login`).
    Asked,
    /// The sign-in is older than the application wants (`max_age`).
    TooOld,
    /// The application expects somebody else (`id_token_hint`).
    SomebodyElse,
}

/// An answer to the application, which the visitor's browser carries.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Where to. It has everything in its query, unless `form` has.
    pub url: Url,
    /// The fields of a form that is sent there (OAuth 2.0 Form Post Response Mode).
    pub form: Option<Vec<(String, String)>>,
}

/// What the visitor has just done for the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// Nothing yet.
    Nothing,
    /// They chose to go on as who they are.
    Chosen,
    /// They signed in.
    SignedIn,
    /// They signed in or were signed in well enough, and gave their consent.
    Consented,
}

/// A request that can be answered, and whose it is.
pub(super) struct Sought<'a> {
    issuer: &'a Issuer,
    pub(super) client: Client,
    pub(super) request: Request,
    /// As it came.
    query: String,
    hint: Option<Hint>,
}

impl App {
    /// Decides about a request as it comes from an application.
    pub async fn issuer_authorize(
        &self,
        issuer: &Issuer,
        parameters: &[(String, String)],
        signed_in: Option<&SignedIn>,
    ) -> Result<Authorized, Failure> {
        self.issuer_decide(issuer, parameters, signed_in, Met::Nothing).await
    }

    /// Goes on with a request when the visitor has just signed in for it.
    pub async fn issuer_authorize_after(
        &self,
        issuer: &Issuer,
        signed_in: &SignedIn,
        request: &str,
    ) -> Result<Authorized, Failure> {
        self.issuer_decide(issuer, &parameters(request), Some(signed_in), Met::SignedIn).await
    }

    /// Goes on with a request when the visitor has just chosen to go on as who they are.
    pub async fn issuer_authorize_chosen(
        &self,
        issuer: &Issuer,
        signed_in: Option<&SignedIn>,
        request: &str,
    ) -> Result<Authorized, Failure> {
        self.issuer_decide(issuer, &parameters(request), signed_in, Met::Chosen).await
    }

    /// Goes on with a request when the visitor was asked for consent. `proof` is that of the question: without it the sign-in
    /// that the application wanted to see could be left out.
    pub async fn issuer_consent(
        &self,
        issuer: &Issuer,
        signed_in: Option<&SignedIn>,
        (request, proof): (&str, &Secret),
        is_given: bool,
    ) -> Result<Authorized, Failure> {
        let parameters = parameters(request);
        let is_asked = signed_in.is_some_and(|signed_in| {
            let expected = self.issuer_consent_proof(signed_in, request);
            bool::from(expected.expose().as_bytes().ct_eq(proof.expose().as_bytes()))
        });
        if !is_asked {
            return self.issuer_decide(issuer, &parameters, signed_in, Met::Nothing).await;
        }
        if !is_given {
            let refused = self.issuer_refuse(issuer, request).await?;
            return Ok(refused.map_or(Authorized::Page(NOT_TO_ANSWER), Authorized::Refused));
        }
        self.issuer_decide(issuer, &parameters, signed_in, Met::Consented).await
    }

    /// The answer to an application whose visitor cancelled or may not come in. `None` if it may not be answered.
    pub async fn issuer_refuse(&self, issuer: &Issuer, request: &str) -> Result<Option<Answer>, Failure> {
        let parameters = parameters(request);
        let asked = Asked(&parameters);
        let client = self.issuer_client(issuer, asked.get("client_id")).await?;
        Ok(match Request::check(asked, client.as_ref()) {
            Ok(request) => Some(self.refused(issuer, &request, RequestError::ACCESS_DENIED)),
            Err(Stop::There(refusal)) => Some(self.refusal(issuer, refusal)),
            Err(Stop::Here(_)) => None,
        })
    }

    /// The client that a request names, if it is one of this website.
    pub(super) async fn issuer_client(
        &self,
        issuer: &Issuer,
        public_id: Option<&str>,
    ) -> Result<Option<Client>, Failure> {
        match public_id {
            Some(id) => Ok(self.storage.website_client_find_by_public_id(issuer.website.id, id).await?),
            None => Ok(None),
        }
    }

    async fn issuer_decide(
        &self,
        issuer: &Issuer,
        parameters: &[(String, String)],
        signed_in: Option<&SignedIn>,
        met: Met,
    ) -> Result<Authorized, Failure> {
        let asked = Asked(parameters);
        let client = self.issuer_client(issuer, asked.get("client_id")).await?;
        let request = match Request::check(asked, client.as_ref()) {
            Ok(request) => request,
            Err(Stop::Here(sentence)) => return Ok(Authorized::Page(sentence)),
            Err(Stop::There(refusal)) => return Ok(Authorized::Refused(self.refusal(issuer, refusal))),
        };
        let Some(client) = client else { return Ok(Authorized::Page(NOT_TO_ANSWER)) };
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let mut sought = Sought { issuer, client, request, query, hint: None };
        // From here on the application is answered, whatever happens (RFC 6749, section 4.1.2.1).
        match self.issuer_look(&mut sought, signed_in, met).await {
            Ok(authorized) => Ok(authorized),
            Err(failure) => {
                tracing::error!(
                    error = &failure as &dyn Error,
                    "an authorization request could not be answered"
                );
                Ok(Authorized::Refused(self.refused(issuer, &sought.request, RequestError::SERVER_ERROR)))
            }
        }
    }

    /// The rows of the table in OpenID Connect Core, section 3.1.2.1: who is signed in, against what the application wants to see.
    async fn issuer_look(
        &self,
        sought: &mut Sought<'_>,
        signed_in: Option<&SignedIn>,
        met: Met,
    ) -> Result<Authorized, Failure> {
        let issuer = sought.issuer;
        if let Some(token) = &sought.request.id_token_hint {
            sought.hint = self.issuer_hint(&issuer.website, token).await?;
            if sought.hint.is_none() {
                return Ok(Authorized::Refused(self.refused(
                    issuer,
                    &sought.request,
                    RequestError::BAD_HINT,
                )));
            }
        }
        let is_silent = sought.request.wants(Prompt::None);
        let signed_in = match self.well_enough(sought, signed_in, met) {
            Ok(signed_in) => signed_in,
            // Whoever signs in for the request and is not the one who is expected, is not asked for ever.
            Err(why) if is_silent || (why == Why::SomebodyElse && met != Met::Nothing) => {
                let error = RequestError::LOGIN_REQUIRED;
                return Ok(Authorized::Refused(self.refused(issuer, &sought.request, error)));
            }
            Err(why) => return Ok(sought.login(why)),
        };
        if sought.request.wants(Prompt::SelectAccount) && met == Met::Nothing {
            return Ok(Authorized::Choose {
                request: sought.query.clone(),
                client: Box::new(sought.client.clone()),
                member: Box::new(signed_in.member.clone()),
            });
        }
        if self.issuer_consent_is_needed(sought, signed_in, met).await? {
            if is_silent {
                let error = RequestError::CONSENT_REQUIRED;
                return Ok(Authorized::Refused(self.refused(issuer, &sought.request, error)));
            }
            return Ok(Authorized::Consent {
                request: sought.query.clone(),
                proof: self.issuer_consent_proof(signed_in, &sought.query),
                client: Box::new(sought.client.clone()),
                scopes: sought.request.scopes.clone(),
            });
        }
        self.issuer_code(sought, signed_in, met).await
    }

    /// Who is signed in, if it is the one whom the application wants to see, and recently enough.
    fn well_enough<'s>(
        &self,
        Sought { request, hint, .. }: &Sought<'_>,
        signed_in: Option<&'s SignedIn>,
        met: Met,
    ) -> Result<&'s SignedIn, Why> {
        let signed_in = signed_in.ok_or(Why::SignedOut)?;
        let has_signed_in = matches!(met, Met::SignedIn | Met::Consented);
        if hint.as_ref().is_some_and(|hint| hint.sub != signed_in.member.sub) {
            return Err(Why::SomebodyElse);
        }
        if request.wants(Prompt::Login) && !has_signed_in {
            return Err(Why::Asked);
        }
        let age = self.clock.now().duration_since(signed_in.login.authenticated_at);
        if request.max_age.is_some_and(|most| age.as_secs() >= most) && !has_signed_in {
            return Err(Why::TooOld);
        }
        Ok(signed_in)
    }

    async fn issuer_code(
        &self,
        Sought { issuer, client, request, .. }: &Sought<'_>,
        SignedIn { login, member }: &SignedIn,
        met: Met,
    ) -> Result<Authorized, Failure> {
        let (code, now) = (entropy::secret(), self.clock.now());
        let grant = Grant {
            id: entropy::id(),
            website_id: issuer.website.id,
            client_id: client.id,
            member_id: member.id,
            login_id: login.id,
            scopes: request.scopes.clone(),
            nonce: request.nonce.clone(),
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            authenticated_at: login.authenticated_at,
            code_hash: SecretHash::of(&code),
            created_at: now,
            redeemed_at: None,
            refresh_hash: None,
            refresh_before_hash: None,
            refresh_count: 0,
            refreshed_at: None,
        };
        let txn = self.storage.begin().await?;
        if met == Met::Consented {
            self.issuer_consent_keep(&txn, &grant).await?;
        }
        txn.website_grant_insert(&grant).await?;
        txn.commit().await?;
        let told = [("code", code.expose())];
        Ok(Authorized::Answer(self.answer(
            issuer,
            (&request.redirect_uri, request.is_form_post),
            &told,
            request.state.as_deref(),
        )))
    }

    fn refusal(&self, issuer: &Issuer, refusal: Refusal) -> Answer {
        let Refusal { redirect_uri, is_form_post, state, error } = refusal;
        let told = [("error", error.code), ("error_description", error.description)];
        self.answer(issuer, (&redirect_uri, is_form_post), &told, state.as_deref())
    }

    fn refused(&self, issuer: &Issuer, request: &Request, error: RequestError) -> Answer {
        let Request { redirect_uri, is_form_post, state, .. } = request.clone();
        self.refusal(issuer, Refusal { redirect_uri, is_form_post, state, error })
    }

    /// Every answer says whose it is, so that a client which knows several issuers cannot mix them up (RFC 9207).
    fn answer(
        &self,
        issuer: &Issuer,
        (redirect_uri, is_form_post): (&RedirectUri, bool),
        told: &[(&str, &str)],
        state: Option<&str>,
    ) -> Answer {
        let iss = self.issuer_address(&issuer.website);
        let state = state.map(|state| ("state", state));
        let told: Vec<_> = told.iter().copied().chain(state).chain([("iss", iss.as_str())]).collect();
        if is_form_post {
            let form = told.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Answer { url: redirect_uri.url(), form: Some(form) }
        } else {
            Answer { url: redirect_uri.with(&told), form: None }
        }
    }
}

impl Sought<'_> {
    fn login(&self, why: Why) -> Authorized {
        // A button may be pressed for a visitor who would have to press it anyway, and not for one who is to see the form.
        let is_plain = why == Why::SignedOut && self.request.prompt.is_empty();
        let key = self.request.provider_hint.as_deref().and_then(|key| key.parse().ok());
        let is_offered =
            |key: &ProviderKey| self.issuer.setting.offered().any(|provider| provider.key == *key);
        Authorized::Login {
            request: self.query.clone(),
            client: Box::new(self.client.clone()),
            why,
            hint: key.filter(|key| is_plain && is_offered(key)),
        }
    }
}

/// What a query string says, decoded, in order.
pub(super) fn parameters(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

const NOT_TO_ANSWER: &str =
    "This log-in does not say which application it is for. Go back to the application and start again.";
