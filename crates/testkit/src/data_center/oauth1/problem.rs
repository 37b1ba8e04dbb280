//! Refusals of OAuth 1: `oauth_problem` in a form and in `WWW-Authenticate`.

use super::signature::encode;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

/// What is wrong with a request, in the words of the protocol's problem reporting extension.
#[derive(Debug)]
pub(crate) struct Problem {
    name: &'static str,
    /// Parameters that say more.
    more: Vec<(&'static str, String)>,
}

impl Problem {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, more: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.more.push((name, value.into()));
        self
    }

    /// These parameters are missing.
    pub(crate) fn absent(names: &[&str]) -> Self {
        Self::new("parameter_absent").with("oauth_parameters_absent", names.join("&"))
    }

    /// This parameter cannot be.
    pub(crate) fn rejected(name: &str, advice: &str) -> Self {
        let problem = Self::new("parameter_rejected").with("oauth_parameters_rejected", name);
        problem.with("oauth_problem_advice", advice)
    }

    fn status(&self) -> StatusCode {
        match self.name {
            "version_rejected"
            | "parameter_absent"
            | "parameter_rejected"
            | "timestamp_refused"
            | "signature_method_rejected" => StatusCode::BAD_REQUEST,
            "user_refused" | "consumer_key_refused" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    pub(crate) fn into_response(self, realm: &str) -> Response {
        let status = self.status();
        let own = std::iter::once(("oauth_problem", self.name.to_owned())).chain(self.more);
        let pairs: Vec<(&str, String)> = own.map(|(name, value)| (name, encode(&value))).collect();
        let form: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let quoted: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let challenge = format!("OAuth realm=\"{}\",{}", encode(realm), quoted.join(","));
        let mut response = (status, form.join("&")).into_response();
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
