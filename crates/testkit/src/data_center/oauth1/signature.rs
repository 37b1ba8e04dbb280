//! The base string of a request, and whether its signature is one.

use super::super::front::Received;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::fmt;
use url::{Url, form_urlencoded};

/// What is not encoded (RFC 5849, section 3.6).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as it stands in a base string, and in the answers of this protocol.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// A public key as an admin pasted it.
#[derive(Clone)]
pub(crate) struct PublicKey {
    pem: String,
    key: ParsedPublicKey,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pem)
    }
}

impl PublicKey {
    /// PEM of a `SubjectPublicKeyInfo`, RSA of 2048 bits or more; nothing else, and not `BEGIN RSA PUBLIC KEY` either.
    pub(crate) fn parse(pem: &str) -> Option<Self> {
        let body = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?;
        let body = body.strip_suffix("-----END PUBLIC KEY-----")?;
        let body: String = body.split_ascii_whitespace().collect();
        let der = BASE64_STANDARD.decode(body).ok()?;
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, der).ok()?;
        Some(Self { pem: pem.trim().to_owned(), key })
    }

    /// As `parse`, for the helpers of tests.
    pub(crate) fn expect(pem: &str) -> Self {
        Self::parse(pem).unwrap_or_else(|| panic!("this is no public key as Bitbucket takes it: {pem}"))
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// RSASSA-PKCS1-v1_5 over SHA-1 of the message, in base64.
    fn has_signed(&self, message: &str, signature: &str) -> bool {
        let signature = BASE64_STANDARD.decode(signature).ok();
        signature.is_some_and(|signature| self.key.verify_sig(message.as_bytes(), &signature).is_ok())
    }
}

/// The parameters of a signed request, from wherever they came, and what was signed besides them.
pub(crate) struct Signed {
    method: String,
    /// As the server believes it was called.
    url: String,
    /// Names and values of header, query and form.
    parameters: Vec<(String, String)>,
}

impl Signed {
    pub(crate) fn read(received: &Received) -> Self {
        let request = &received.request;
        let decoded = |text: &str| form_urlencoded::parse(text.as_bytes()).into_owned().collect::<Vec<_>>();
        let mut parameters = header_parameters(request.header("authorization").unwrap_or_default());
        parameters.extend(decoded(&request.query));
        parameters.extend(decoded(&request.form));
        Self { method: request.method.to_uppercase(), url: received.url.clone(), parameters }
    }

    /// Absent and empty are the same.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    /// A parameter of the protocol that was sent twice.
    pub(crate) fn doubled(&self) -> Option<&str> {
        let names = || self.parameters.iter().map(|(name, _)| name.as_str());
        names().find(|name| name.starts_with("oauth_") && names().filter(|other| other == name).count() > 1)
    }

    /// RFC 5849, section 3.4.1.
    pub(crate) fn base_string(&self) -> String {
        let own = self.parameters.iter().filter(|(name, _)| name != "oauth_signature");
        let mut pairs: Vec<_> = own.map(|(name, value)| (encode(name), encode(value))).collect();
        pairs.sort();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}&{}&{}", self.method, encode(&base_url(&self.url)), encode(&pairs.join("&")))
    }

    pub(crate) fn is_signed_with(&self, key: &PublicKey) -> bool {
        self.get("oauth_signature").is_some_and(|signature| key.has_signed(&self.base_string(), signature))
    }
}

/// Scheme and host in lower case, without a default port and without a query (RFC 5849, section 3.4.1.2).
fn base_url(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => format!("{}{}", url.origin().ascii_serialization(), url.path()),
        Err(_) => url.to_owned(),
    }
}

/// Without `realm`, which is not signed (RFC 5849, section 3.5.1).
fn header_parameters(header: &str) -> Vec<(String, String)> {
    let Some(("OAuth", text)) = header.split_once(' ') else { return Vec::new() };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = text.split(',').filter_map(|pair| pair.trim().split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value.trim_matches('"'))))
        .filter(|(name, _)| name != "realm")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordedRequest;
    use std::collections::BTreeMap;

    fn signed(request: (&str, &str, &str), header: &str, form: &str) -> Signed {
        let (method, url, query) = request;
        let headers = BTreeMap::from([("authorization".to_owned(), header.to_owned())]);
        let request = RecordedRequest {
            method: method.to_owned(),
            path: String::new(),
            query: query.to_owned(),
            headers,
            form: form.to_owned(),
        };
        Signed::read(&Received { request, path: String::new(), url: url.to_owned(), realm: String::new() })
    }

    /// The example of RFC 5849, section 3.4.1.1.
    #[test]
    fn the_base_string_is_that_of_the_standard() {
        let header = r#"OAuth realm="Example", oauth_consumer_key="9djdj82h48djs9d2", oauth_token="kkk9d7dh3k39sjv7", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201", oauth_nonce="7d8f3e4a", oauth_signature="bYT5CMsGcbgUdFHObYMEfcx6bsw%3D""#;
        let request = ("POST", "http://EXAMPLE.COM:80/request", "b5=%3D%253D&a3=a&c%40=&a2=r%20b");
        let expected = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D\
                        %26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a\
                        %26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7";
        assert_eq!(signed(request, header, "c2&a3=2+q").base_string(), expected);
    }

    #[test]
    fn a_parameter_that_comes_twice_is_noticed() {
        let twice = |query| {
            let header = r#"OAuth oauth_nonce="1""#;
            signed(("GET", "http://a/", query), header, "").doubled().map(str::to_owned)
        };
        assert_eq!(twice("oauth_nonce=2"), Some("oauth_nonce".to_owned()));
        assert_eq!(twice("limit=1&limit=2"), None);
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        for wrong in [
            "",
            "MIIB",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----",
        ] {
            assert!(PublicKey::parse(wrong).is_none(), "{wrong}");
        }
    }
}
