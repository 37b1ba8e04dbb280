//! How a request is signed: RFC 5849, sections 3.1 and 3.4 to 3.6, with RSA-SHA1.

use crate::{BoxError, answer::authority};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pkcs8::DecodePrivateKey, rand_core::OsRng, traits::PublicKeyParts};
use sha1::{Digest, Sha1};
use stave_domain::{Secret, Timestamp};
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// All but the unreserved characters of RFC 3986 (RFC 5849, section 3.6).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What stands before a SHA-1 hash where it is signed (RFC 8017, section 9.2, note 1).
const SHA1_PREFIX: [u8; 15] =
    [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
/// Bitbucket takes no smaller public key.
const SMALLEST_KEY_BITS: usize = 1024;

/// Signs requests in the name of one consumer.
#[derive(Clone)]
pub struct Signer {
    consumer_key: String,
    private_key: RsaPrivateKey,
}

/// Why a request could not be signed; `Display` is a sentence for the admin.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The text is not a private key.
    #[error(
        "The private key of this integration cannot be read: it is not an RSA key in PKCS#8 form. Make a new key pair for this \
         integration, and enter its public key in the application link at Bitbucket."
    )]
    Unreadable(#[source] BoxError),
    /// The key is one that Bitbucket does not take.
    #[error(
        "The private key of this integration has {bits} bits; Bitbucket wants at least {SMALLEST_KEY_BITS}. Make a new key pair \
         for this integration, and enter its public key in the application link at Bitbucket."
    )]
    TooSmall {
        /// The size of its modulus.
        bits: usize,
    },
    /// Its numbers do not belong together.
    #[error(
        "The private key of this integration is damaged. Make a new key pair for this integration, and enter its public key in \
         the application link at Bitbucket."
    )]
    Damaged(#[source] BoxError),
}

/// What makes a signed request unlike every other (RFC 5849, section 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// When the request is sent; the whole second counts. Bitbucket takes what is within five minutes of its own clock.
    pub sent_at: Timestamp,
    /// A random text that was never used in the same second.
    pub nonce: String,
}

/// What is signed: all of a request but its headers.
#[derive(Clone)]
pub struct Request<'a> {
    method: &'a str,
    url: &'a Url,
    form: &'a [(&'a str, &'a str)],
    protocol: Vec<(&'a str, &'a str)>,
}

impl<'a> Request<'a> {
    /// A request with this method, whose body, if it has one, is no form. Its address is signed with its query, and has to
    /// be sent exactly as it is.
    #[must_use]
    pub fn new(method: &'a str, url: &'a Url) -> Self {
        Self { method, url, form: &[], protocol: Vec::new() }
    }

    /// Its body is a form (`application/x-www-form-urlencoded`) of these fields, not yet encoded.
    #[must_use]
    pub fn form(self, form: &'a [(&'a str, &'a str)]) -> Self {
        Self { form, ..self }
    }

    /// It is made as the person who gave this access token.
    #[must_use]
    pub fn token(self, token: &'a Secret) -> Self {
        self.protocol("oauth_token", token.expose())
    }

    /// One more protocol parameter (RFC 5849, section 3.1) in its header.
    #[must_use]
    pub(super) fn protocol(mut self, name: &'a str, value: &'a str) -> Self {
        self.protocol.push((name, value));
        self
    }

    /// The method, as it was given.
    #[must_use]
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The address, as it was given.
    #[must_use]
    pub fn url(&self) -> &'a Url {
        self.url
    }
}

impl Signer {
    /// A signer for the consumer with this key. `private_key` is an RSA key in PKCS#8 form (RFC 5208): PEM, or only its
    /// base64.
    pub fn new(consumer_key: impl Into<String>, private_key: &Secret) -> Result<Self, SigningError> {
        let private_key = private_key_read(private_key.expose()).map_err(SigningError::Unreadable)?;
        let bits = private_key.n().bits();
        if bits < SMALLEST_KEY_BITS {
            return Err(SigningError::TooSmall { bits });
        }
        Ok(Self { consumer_key: consumer_key.into(), private_key })
    }

    /// The value of the header `Authorization` with which the request is sent (RFC 5849, section 3.5.1). Without the private
    /// key nobody can make another; but until the nonce is spent, whoever has it can send the request.
    pub fn sign(&self, request: &Request<'_>, stamp: &Stamp) -> Result<Secret, SigningError> {
        let signature = STANDARD.encode(self.signature(&self.base_string(request, stamp))?);
        let timestamp = timestamp(stamp);
        let mut protocol = self.protocol(request, stamp, &timestamp);
        protocol.push(("oauth_signature", &signature));
        let parameters: Vec<_> =
            protocol.into_iter().map(|(name, value)| format!("{name}=\"{}\"", encoded(value))).collect();
        Ok(Secret::new(format!("OAuth {}", parameters.join(", "))))
    }

    /// The text that is signed (RFC 5849, section 3.4.1); to be compared with the one that Bitbucket says it expected.
    #[must_use]
    pub fn base_string(&self, request: &Request<'_>, stamp: &Stamp) -> String {
        let timestamp = timestamp(stamp);
        let protocol = self.protocol(request, stamp, &timestamp);
        base_string(request.method, request.url, request.form.iter().copied().chain(protocol))
    }

    /// RFC 5849, section 3.4.3: RSASSA-PKCS1-v1_5 with SHA-1.
    fn signature(&self, base_string: &str) -> Result<Vec<u8>, SigningError> {
        let scheme = Pkcs1v15Sign { hash_len: Some(Sha1::output_size()), prefix: SHA1_PREFIX.into() };
        let hash = Sha1::digest(base_string);
        // Chance only hides how long the private key works (RUSTSEC-2023-0071): the signature is the same with any.
        let signed = self.private_key.sign_with_rng(&mut OsRng, scheme, &hash);
        signed.map_err(|error| SigningError::Damaged(error.into()))
    }

    /// The protocol parameters but the signature itself (RFC 5849, section 3.1).
    fn protocol<'a>(
        &'a self,
        request: &Request<'a>,
        stamp: &'a Stamp,
        timestamp: &'a str,
    ) -> Vec<(&'a str, &'a str)> {
        let mut protocol = vec![
            ("oauth_consumer_key", self.consumer_key.as_str()),
            ("oauth_nonce", &stamp.nonce),
            ("oauth_signature_method", "RSA-SHA1"),
            ("oauth_timestamp", timestamp),
            ("oauth_version", "1.0"),
        ];
        protocol.extend(&request.protocol);
        protocol
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("consumer_key", &self.consumer_key).finish_non_exhaustive()
    }
}

/// Reads PEM or its base64, however the lines are broken.
fn private_key_read(text: &str) -> Result<RsaPrivateKey, BoxError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let base64 = Zeroizing::new(lines.collect::<String>());
    let der = Zeroizing::new(STANDARD.decode(base64.as_bytes())?);
    Ok(RsaPrivateKey::from_pkcs8_der(&der)?)
}

/// Whole seconds since 1970 (RFC 5849, section 3.3).
fn timestamp(stamp: &Stamp) -> String {
    stamp.sent_at.as_second().to_string()
}

/// RFC 5849, section 3.4.1: the method, the address without query, and all parameters but the signature. `parameters` are
/// those that are not in the query; neither names nor values are encoded yet.
fn base_string<'a>(
    method: &str,
    url: &Url,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let address = format!("{}://{}{}", url.scheme(), authority(url), url.path());
    let query = url.query_pairs().map(|(name, value)| (encoded(&name), encoded(&value)));
    let others = parameters.into_iter().map(|(name, value)| (encoded(name), encoded(value)));
    let mut pairs: Vec<_> = query.chain(others).filter(|(name, _)| name != "oauth_signature").collect();
    // What is compared are the encoded bytes (section 3.4.1.3.2).
    pairs.sort_unstable();
    let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    [&method.to_ascii_uppercase(), &address, &pairs.join("&")].map(|part| encoded(part)).join("&")
}

/// RFC 5849, section 3.6.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsa::pkcs8::EncodePrivateKey;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    /// The third part of the base string: the parameters, once decoded.
    fn parameters(at: &str, form: &[(&str, &str)]) -> String {
        let base_string = base_string("GET", &url(at), form.iter().copied());
        percent_encoding::percent_decode_str(base_string.split('&').nth(2).unwrap())
            .decode_utf8()
            .unwrap()
            .into_owned()
    }

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 5849, section 3.4.1.1; its realm does not count.
        let at = url("http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b");
        let others = [
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
            ("oauth_signature", "bYT5CMsGcbgUdFHObYMEfcx6bsw="),
            ("c2", ""),
            ("a3", "2 q"),
        ];
        assert_eq!(
            base_string("post", &at, others),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26\
             c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26\
             oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
    }

    #[test]
    fn addresses() {
        let cases = [
            ("https://Git.Example.com", "https://git.example.com/"),
            ("https://git.example.com:443/", "https://git.example.com/"),
            ("https://git.example.com:80/", "https://git.example.com:80/"),
            ("http://git.example.com:80/a", "http://git.example.com/a"),
            ("http://git.example.com:443/a", "http://git.example.com:443/a"),
            ("http://git.example.com:7990/bitbucket/a/?x=y#z", "http://git.example.com:7990/bitbucket/a/"),
            ("https://git.example.com/r%20v/X;p=1?id=123", "https://git.example.com/r%20v/X;p=1"),
            ("https://git.example.com/~ada/%7Eada", "https://git.example.com/~ada/%7Eada"),
            ("https://user:word@git.example.com/", "https://git.example.com/"),
            ("http://[2001:DB8::1]:7990/a", "http://[2001:db8::1]:7990/a"),
            ("https://bücher.example/ö", "https://xn--bcher-kva.example/%C3%B6"),
        ];
        for (at, signed) in cases {
            let base_string = base_string("GET", &url(at), []);
            assert!(base_string.starts_with(&format!("GET&{}&", encoded(signed))), "{at}: {base_string}");
        }
    }

    #[test]
    fn parameters_of_the_query() {
        let cases = [
            ("", ""),
            ("?", ""),
            ("?b=2&a=1", "a=1&b=2"),
            ("?a=2&a=10&a=1", "a=1&a=10&a=2"),
            ("?a", "a="),
            ("?a=", "a="),
            ("?=a", "=a"),
            ("?a&&b", "a=&b="),
            ("?a=b=c", "a=b%3Dc"),
            ("?a=b+c&d=e%20f&g=h%2Bi", "a=b%20c&d=e%20f&g=h%2Bi"),
            ("?a=~-._&b=%7E", "a=~-._&b=~"),
            ("?a=!*'()", "a=%21%2A%27%28%29"),
            ("?a=%C3%A4&b=ä&c=☃", "a=%C3%A4&b=%C3%A4&c=%E2%98%83"),
            ("?a=%253D", "a=%253D"),
            ("?at=refs/heads/x%26y", "at=refs%2Fheads%2Fx%26y"),
            ("?realm=x", "realm=x"),
            ("?oauth_signature=x&a=1", "a=1"),
            // What is compared are the encoded names: "%" comes before every letter, and "a1" before "a=".
            ("?b=1&ä=1", "%C3%A4=1&b=1"),
            ("?a=2&a1=1&A=3", "A=3&a=2&a1=1"),
        ];
        for (query, signed) in cases {
            assert_eq!(parameters(&format!("https://git.example.com/{query}"), &[]), signed, "{query}");
        }
    }

    #[test]
    fn parameters_of_a_form_are_sorted_among_those_of_the_query() {
        let form = [("b", "x y"), ("a", ""), ("c", "+"), ("b", "%20"), ("b", "ä")];
        assert_eq!(
            parameters("https://git.example.com/?b=1&aa=2", &form),
            "a=&aa=2&b=%2520&b=%C3%A4&b=1&b=x%20y&c=%2B"
        );
    }

    #[test]
    fn keys_that_cannot_sign() {
        let read = |text: &str| Signer::new("stave", &Secret::new(text)).unwrap_err();
        let curve = rcgen::KeyPair::generate().unwrap();
        for text in [
            "",
            "key",
            "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
            &STANDARD.encode(curve.serialize_der()),
        ] {
            assert!(matches!(read(text), SigningError::Unreadable(_)), "{text}");
        }
        let small = RsaPrivateKey::new(&mut OsRng, 512).unwrap().to_pkcs8_der().unwrap();
        let error = read(&STANDARD.encode(small.as_bytes()));
        assert!(matches!(error, SigningError::TooSmall { bits: 512 }), "{error}");
    }

    #[test]
    fn a_signer_does_not_print_its_key() {
        let key = RsaPrivateKey::new(&mut OsRng, 1024).unwrap().to_pkcs8_der().unwrap();
        let signer = Signer::new("stave", &Secret::new(STANDARD.encode(key.as_bytes()))).unwrap();
        assert_eq!(format!("{signer:?}"), "Signer { consumer_key: \"stave\", .. }");
    }
}
