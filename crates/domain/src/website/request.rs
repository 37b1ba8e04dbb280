//! An authorization request (OpenID Connect Core, section 3.1.2.1), checked in the order in which it is safe to answer.

use super::{Client, ClientKind, RedirectUri, Scope, Scopes};

/// A request that can be answered with a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where the answer goes.
    pub redirect_uri: RedirectUri,
    /// Whether the answer is a form that sends itself (`response_mode=form_post`) and not a query.
    pub is_form_post: bool,
    /// What the client asks for, and may have.
    pub scopes: Scopes,
    /// Sent back as it came.
    pub state: Option<String>,
    /// Goes into the ID token as it came.
    pub nonce: Option<String>,
    /// The `S256` challenge.
    pub challenge: Option<String>,
    /// What the visitor has to see.
    pub prompt: Vec<Prompt>,
    /// Seconds since the sign-in after which it is too old.
    pub max_age: Option<i64>,
    /// An ID token of whom the client expects; not verified yet.
    pub id_token_hint: Option<String>,
    /// Which button the client would press.
    pub provider_hint: Option<String>,
}

/// What the visitor has to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// Nothing.
    None,
    /// The login form, also if they are signed in.
    Login,
    /// The question whether the client may know them.
    Consent,
    /// Whom they go on as.
    SelectAccount,
}

/// How a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// On a page of ours: it is not known that whoever sent it may be answered.
    Here(&'static str),
    /// At the client.
    There(Refusal),
}

/// An answer to the client that says why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where it goes.
    pub redirect_uri: RedirectUri,
    /// Whether as a form.
    pub is_form_post: bool,
    /// Sent back as it came.
    pub state: Option<String>,
    /// What is wrong.
    pub error: RequestError,
}

/// What is wrong with a request: the code of the standards, and a sentence in ASCII without quotes (RFC 6749, section 4.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestError {
    /// Such as `invalid_request`.
    pub code: &'static str,
    /// For whoever looks into the client's log.
    pub description: &'static str,
}

impl RequestError {
    /// A code of the standards and its sentence.
    #[must_use]
    pub const fn new(code: &'static str, description: &'static str) -> Self {
        Self { code, description }
    }

    /// `prompt=none`, and nobody is signed in.
    pub const LOGIN_REQUIRED: Self = Self::new("login_required", "The visitor has to log in.");
    /// `prompt=none`, and the visitor was not asked yet.
    pub const CONSENT_REQUIRED: Self =
        Self::new("consent_required", "The visitor has to be asked for consent.");
    /// The visitor did not want to, or may not.
    pub const ACCESS_DENIED: Self = Self::new("access_denied", "The visitor cancelled or may not log in.");
    /// The hint is not one of our ID tokens.
    pub const BAD_HINT: Self =
        Self::new("invalid_request", "id_token_hint is not an ID token of this website.");
    /// Something failed here.
    pub const SERVER_ERROR: Self = Self::new("server_error", "The login server failed. Try again later.");
    /// The website offers no way to sign in at this time.
    pub const UNAVAILABLE: Self =
        Self::new("temporarily_unavailable", "Nobody can log in to this website at this time.");
}

/// The parameters as they came: a query or a form, decoded, in order.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a>(pub &'a [(String, String)]);

impl<'a> Asked<'a> {
    /// The value of a parameter. An empty one counts as absent (RFC 6749, section 3.1).
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Whether one that may stand once stands twice.
    #[must_use]
    pub fn repeats(self, name: &str) -> bool {
        self.0.iter().filter(|(key, _)| key == name).count() > 1
    }

    fn repeats_any(self) -> bool {
        self.0.iter().any(|(name, _)| self.repeats(name))
    }
}

impl Request {
    /// Checks a request. `client` is the one that `client_id` names at this website.
    pub fn check(asked: Asked<'_>, client: Option<&Client>) -> Result<Self, Stop> {
        if asked.repeats("client_id") || asked.repeats("redirect_uri") {
            return Err(Stop::Here("The address of this log-in names its application twice."));
        }
        let client =
            client.ok_or(Stop::Here("This website knows no application of that name (client_id)."))?;
        let Some(typed) = asked.get("redirect_uri") else {
            return Err(Stop::Here("The application did not say where to go back to (redirect_uri)."));
        };
        let redirect_uri = client.redirect_uri(typed).ok_or(Stop::Here(
            "The application asked to go back to an address that is not registered for it (redirect_uri). They are compared letter by letter.",
        ))?;
        let state = asked.get("state").filter(|_| !asked.repeats("state")).map(str::to_owned);
        let is_form_post = asked.get("response_mode") == Some("form_post");
        let there = |error| {
            Stop::There(Refusal {
                redirect_uri: redirect_uri.clone(),
                is_form_post,
                state: state.clone(),
                error,
            })
        };
        let (scopes, challenge) = wanted(asked, client).map_err(there)?;
        let prompt = prompts(asked.get("prompt")).map_err(there)?;
        let max_age = age(asked.get("max_age")).map_err(there)?;
        let text = |name| asked.get(name).map(str::to_owned);
        let (nonce, id_token_hint, provider_hint) =
            (text("nonce"), text("id_token_hint"), text("provider_hint"));
        Ok(Self {
            redirect_uri,
            is_form_post,
            scopes,
            state,
            nonce,
            challenge,
            prompt,
            max_age,
            id_token_hint,
            provider_hint,
        })
    }

    /// Whether the visitor has to see something, or must see nothing.
    #[must_use]
    pub fn wants(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }
}

/// What the client asks for, and the challenge by which it shows later that it was the one who asked.
fn wanted(asked: Asked<'_>, client: &Client) -> Result<(Scopes, Option<String>), RequestError> {
    let invalid = |description| RequestError::new("invalid_request", description);
    if asked.repeats_any() {
        return Err(invalid("A parameter stands twice in the request."));
    }
    match asked.get("response_type") {
        None => return Err(invalid("response_type is missing. It has to be code.")),
        Some("code") => {}
        Some(_) => {
            return Err(RequestError::new(
                "unsupported_response_type",
                "Only response_type=code is supported.",
            ));
        }
    }
    if !matches!(asked.get("response_mode"), None | Some("query" | "form_post")) {
        return Err(invalid("response_mode has to be query or form_post."));
    }
    for (name, code) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if asked.get(name).is_some() {
            return Err(RequestError::new(code, "Send the parameters themselves."));
        }
    }
    let mut scopes = Scopes::known_in(asked.get("scope").unwrap_or_default());
    if !scopes.has(Scope::OpenId) {
        return Err(RequestError::new("invalid_scope", "scope has to contain openid."));
    }
    if !client.may_refresh {
        scopes.0.remove(&Scope::OfflineAccess);
    }
    let must_prove = client.pkce_required || client.kind == ClientKind::Browser;
    match (asked.get("code_challenge"), asked.get("code_challenge_method")) {
        (None, Some(_)) => Err(invalid("code_challenge_method was sent without code_challenge.")),
        (None, None) if must_prove => Err(invalid("code_challenge is missing: this client has to use PKCE.")),
        (None, None) => Ok((scopes, None)),
        (Some(challenge), Some("S256")) if is_challenge(challenge) => {
            Ok((scopes, Some(challenge.to_owned())))
        }
        (Some(_), Some("S256")) => Err(invalid("code_challenge has to be 43 characters of base64url.")),
        (Some(_), _) => Err(invalid("code_challenge_method has to be S256.")),
    }
}

/// SHA-256 in base64url without padding (RFC 7636, section 4.2).
fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn prompts(text: Option<&str>) -> Result<Vec<Prompt>, RequestError> {
    let invalid = |description| RequestError::new("invalid_request", description);
    let known = |name: &str| match name {
        "none" => Ok(Prompt::None),
        "login" => Ok(Prompt::Login),
        "consent" => Ok(Prompt::Consent),
        "select_account" => Ok(Prompt::SelectAccount),
        _ => Err(invalid("prompt has a value that is not known.")),
    };
    let prompts: Vec<Prompt> =
        text.unwrap_or_default().split_ascii_whitespace().map(known).collect::<Result<_, _>>()?;
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return Err(invalid("prompt=none cannot stand with other values."));
    }
    Ok(prompts)
}

fn age(text: Option<&str>) -> Result<Option<i64>, RequestError> {
    let wrong = RequestError::new("invalid_request", "max_age has to be a number of seconds, 0 or more.");
    match text {
        None => Ok(None),
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse().map(Some).map_err(|_| wrong)
        }
        Some(_) => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, website::ClientKind};

    fn client(kind: ClientKind) -> Client {
        Client {
            id: uuid::Uuid::nil().into(),
            website_id: uuid::Uuid::nil().into(),
            public_id: "shop".into(),
            name: "Shop".into(),
            kind,
            secrets: vec![],
            redirect_uris: vec![
                "https://shop.example/cb".parse().unwrap(),
                "http://127.0.0.1/cb".parse().unwrap(),
            ],
            post_logout_uris: vec![],
            pkce_required: false,
            is_own: true,
            may_refresh: false,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    const GOOD: [(&str, &str); 4] = [
        ("client_id", "shop"),
        ("redirect_uri", "https://shop.example/cb"),
        ("response_type", "code"),
        ("scope", "openid email phone offline_access"),
    ];

    fn ask(client: &Client, changes: &[(&str, &str)]) -> Result<Request, Stop> {
        let kept = GOOD.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let asked: Vec<_> =
            kept.chain(changes).map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Request::check(Asked(&asked), Some(client))
    }

    #[test]
    fn a_request_is_answered() {
        let request = ask(
            &client(ClientKind::Confidential),
            &[("state", "a b"), ("max_age", "0"), ("foo", "bar"), ("nonce", "")],
        );
        let request = request.unwrap();
        assert_eq!(
            (request.scopes.to_string().as_str(), request.state.as_deref()),
            ("openid email", Some("a b"))
        );
        assert_eq!((request.max_age, request.nonce, request.prompt), (Some(0), None, vec![]));
    }

    #[test]
    fn what_is_wrong_goes_to_the_client() {
        let browser = client(ClientKind::Browser);
        let confidential = client(ClientKind::Confidential);
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        for (changes, code) in [
            (&[("response_type", "")][..], "invalid_request"),
            (&[("response_type", "token")], "unsupported_response_type"),
            (&[("response_type", "code id_token")], "unsupported_response_type"),
            (&[("request", "x")], "request_not_supported"),
            (&[("request_uri", "https://a.example")], "request_uri_not_supported"),
            (&[("registration", "{}")], "registration_not_supported"),
            (&[("scope", "email")], "invalid_scope"),
            (&[("scope", "")], "invalid_scope"),
            (&[("prompt", "none login")], "invalid_request"),
            (&[("prompt", "create")], "invalid_request"),
            (&[("max_age", "-1")], "invalid_request"),
            (&[("max_age", "1.5")], "invalid_request"),
            (&[("response_mode", "fragment")], "invalid_request"),
            (&[("code_challenge", challenge)], "invalid_request"),
            (&[("code_challenge", challenge), ("code_challenge_method", "plain")], "invalid_request"),
            (&[("code_challenge", "short"), ("code_challenge_method", "S256")], "invalid_request"),
            (&[("code_challenge_method", "S256")], "invalid_request"),
            (&[("state", "a"), ("state", "b")], "invalid_request"),
        ] {
            let Err(Stop::There(refusal)) = ask(&confidential, changes) else { panic!("{changes:?}") };
            assert_eq!(refusal.error.code, code, "{changes:?}");
            let plain = refusal
                .error
                .description
                .bytes()
                .all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\');
            assert!(plain, "{}", refusal.error.description);
        }
        assert!(matches!(ask(&browser, &[]), Err(Stop::There(_))), "a browser has to use PKCE");
        assert!(ask(&browser, &[("code_challenge", challenge), ("code_challenge_method", "S256")]).is_ok());
    }

    #[test]
    fn addresses_are_compared_letter_by_letter() {
        let confidential = client(ClientKind::Confidential);
        for near in [
            "",
            "https://shop.example/cb/",
            "https://shop.example/CB",
            "https://SHOP.example/cb",
            "https://shop.example:443/cb",
            "https://shop.example/cb?a=b",
            "https://shop.example/cb?",
            "https://shop.example/cb#",
            "https://shop.example/./cb",
            "https://shop.example/x/../cb",
            "https://shop.example/%63b",
            "https://shop.example//cb",
            "http://shop.example/cb",
            "https://shop.example/cb%20",
            "https://shop.example/cb ",
            " https://shop.example/cb",
            "https://a@shop.example/cb",
            "https://shop.example\\cb",
            "https://shop.example.evil.example/cb",
            "https://evil.example/https://shop.example/cb",
            "//shop.example/cb",
            "/cb",
            "https:shop.example/cb",
            "https:///shop.example/cb",
            "javascript:alert(1)",
            "http://127.0.0.1:8080/cb",
            "http://localhost/cb",
            "https://shop.ex\u{e4}mple/cb",
            "https://shop.example/cb\n",
        ] {
            let answer = ask(&confidential, &[("redirect_uri", near)]);
            assert!(matches!(answer, Err(Stop::Here(_))), "{near}: {answer:?}");
        }
        let twice = ask(
            &confidential,
            &[("redirect_uri", "https://shop.example/cb"), ("redirect_uri", "https://evil.example")],
        );
        assert!(matches!(twice, Err(Stop::Here(_))));
        assert!(matches!(Request::check(Asked(&[]), None), Err(Stop::Here(_))));
        let browser = client(ClientKind::Browser);
        assert!(
            browser.redirect_uri("http://127.0.0.1:8123/cb").is_some(),
            "a program on the visitor's machine has any port"
        );
        assert!(browser.redirect_uri("http://127.0.0.1:8123/other").is_none());
        assert!(browser.redirect_uri("https://shop.example:8123/cb").is_none());
    }
}
