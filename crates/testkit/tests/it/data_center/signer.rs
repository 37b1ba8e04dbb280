//! A client of OAuth 1.0a, as small as it can be.

use super::form;
use crate::client;
use aws_lc_rs::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, digest},
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Response;
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pkcs8::DecodePrivateKey as _};
use std::{
    collections::{BTreeMap, HashMap},
    time::SystemTime,
};
use url::Url;

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The `DigestInfo` of SHA-1 (RFC 8017, section 9.2).
const SHA1_PREFIX: [u8; 15] = [0x30, 0x21, 0x30, 9, 6, 5, 0x2b, 0xe, 3, 2, 0x1a, 5, 0, 4, 0x14];

/// A consumer with its private key.
pub(super) struct Signer {
    key: RsaPrivateKey,
    pub(super) public_key: String,
    /// What every request says besides, or instead.
    pub(super) defaults: BTreeMap<&'static str, String>,
}

/// An answer: status, headers of note, and the fields of the form.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) user: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) text: String,
}

impl Answer {
    pub(super) async fn of(response: Response) -> Self {
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let (status, user, challenge) =
            (response.status().as_u16(), header("x-ausername"), header("www-authenticate"));
        Self { status, user, challenge, text: response.text().await.unwrap() }
    }

    pub(super) fn form(&self) -> HashMap<String, String> {
        form(&self.text)
    }

    /// Status and `oauth_problem`.
    pub(super) fn problem(&self) -> (u16, String) {
        (self.status, self.form().remove("oauth_problem").unwrap_or_else(|| self.text.clone()))
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

impl Signer {
    pub(super) fn new(consumer_key: &str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let public = BASE64_STANDARD.encode(public.as_ref());
        Self {
            key: RsaPrivateKey::from_pkcs8_der(private.as_ref()).unwrap(),
            public_key: format!("-----BEGIN PUBLIC KEY-----\n{public}\n-----END PUBLIC KEY-----\n"),
            defaults: BTreeMap::from([("oauth_consumer_key", consumer_key.to_owned())]),
        }
    }

    /// The header of a request; of a parameter that is empty, nothing is sent.
    pub(super) fn header(&self, method: &str, url: &str, own: &[(&str, &str)]) -> String {
        let mut sent: BTreeMap<String, String> = BTreeMap::from([
            ("oauth_signature_method".to_owned(), "RSA-SHA1".to_owned()),
            ("oauth_timestamp".to_owned(), now().to_string()),
            ("oauth_nonce".to_owned(), format!("{:x}", rand::random::<u64>())),
            ("oauth_version".to_owned(), "1.0".to_owned()),
        ]);
        sent.extend(self.defaults.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        sent.extend(own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        sent.retain(|_, value| !value.is_empty());
        let mut url = Url::parse(url).unwrap();
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.set_query(None);
        let all = sent.clone().into_iter().chain(query);
        let mut pairs: Vec<String> =
            all.map(|(name, value)| format!("{}={}", encode(&name), encode(&value))).collect();
        pairs.sort();
        let base = format!("{method}&{}&{}", encode(url.as_str()), encode(&pairs.join("&")));
        let padding = Pkcs1v15Sign { hash_len: Some(20), prefix: SHA1_PREFIX.into() };
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, base.as_bytes());
        let signature = BASE64_STANDARD.encode(self.key.sign(padding, hash.as_ref()).unwrap());
        sent.entry("oauth_signature".to_owned()).or_insert(signature);
        let pairs: Vec<String> =
            sent.iter().map(|(name, value)| format!("{}=\"{}\"", encode(name), encode(value))).collect();
        format!("OAuth realm=\"\", {}", pairs.join(", "))
    }

    pub(super) async fn post(&self, url: &str, own: &[(&str, &str)]) -> Answer {
        let header = self.header("POST", url, own);
        Answer::of(client().post(url).header("authorization", header).send().await.unwrap()).await
    }

    pub(super) async fn get(&self, url: &str, own: &[(&str, &str)]) -> Answer {
        let header = self.header("GET", url, own);
        Answer::of(client().get(url).header("authorization", header).send().await.unwrap()).await
    }
}
