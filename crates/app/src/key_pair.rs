//! Key pairs. Of an OAuth 1 integration: Stave signs with one half, the other goes into Bitbucket's application link. Of a website:
//! its tokens are signed with one half, the other is published.

use crate::Failure;
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    io::Positive,
    rsa::{self, KeySize},
    signature::KeyPair as _,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use stave_domain::Secret;
use zeroize::Zeroizing;

/// Characters in a line of PEM (RFC 7468, section 2).
const LINE_WIDTH: usize = 64;

/// Two halves of a fresh RSA key of 2048 bits, which both old and new Bitbuckets take.
#[derive(Debug)]
pub(crate) struct KeyPair {
    /// To be sealed: PKCS#8, as PEM.
    pub(crate) private_pem: Secret,
    /// To be shown: `BEGIN PUBLIC KEY`, in lines of 64 characters.
    pub(crate) public_pem: String,
}

/// A fresh key pair. Takes a tenth of a second or more of a core, so it belongs on a thread that may block.
pub(crate) fn key_pair() -> Result<KeyPair, Failure> {
    let pair = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(Failure::internal)?;
    let private: Pkcs8V1Der<'_> = pair.as_der().map_err(Failure::internal)?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(Failure::internal)?;
    Ok(KeyPair {
        private_pem: Secret::new(pem("PRIVATE KEY", private.as_ref())),
        public_pem: pem("PUBLIC KEY", public.as_ref()),
    })
}

/// A fresh RSA key of 2048 bits for tokens; its public half as numbers (RFC 7518, section 6.3.1).
#[derive(Debug)]
pub(crate) struct TokenKey {
    /// To be sealed: PKCS#8, as PEM.
    pub(crate) private_pem: Secret,
    /// `n` in base64url without padding.
    pub(crate) modulus: String,
    /// `e` in base64url without padding.
    pub(crate) exponent: String,
}

/// A fresh key for tokens. As slow as [`key_pair`].
pub(crate) fn token_key() -> Result<TokenKey, Failure> {
    let pair = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(Failure::internal)?;
    let private: Pkcs8V1Der<'_> = pair.as_der().map_err(Failure::internal)?;
    let number = |number: Positive<'_>| URL_SAFE_NO_PAD.encode(number.big_endian_without_leading_zero());
    Ok(TokenKey {
        private_pem: Secret::new(pem("PRIVATE KEY", private.as_ref())),
        modulus: number(pair.public_key().modulus()),
        exponent: number(pair.public_key().exponent()),
    })
}

/// RFC 7468, with a line break at the end.
fn pem(label: &str, der: &[u8]) -> String {
    let base64 = Zeroizing::new(STANDARD.encode(der));
    // One piece of memory, large enough from the start: a private key leaves no copy behind.
    let mut pem = String::with_capacity(base64.len() + base64.len() / LINE_WIDTH + 2 * label.len() + 40);
    pem.extend(["-----BEGIN ", label, "-----\n"]);
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE_WIDTH));
        pem.extend([line, "\n"]);
        rest = after;
    }
    pem.extend(["-----END ", label, "-----\n"]);
    pem
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
    use stave_domain::Timestamp;
    use stave_upstream::oauth1::{Request, Signer, Stamp};

    /// What is in a PEM with this label.
    fn der(label: &str, pem: &str) -> Vec<u8> {
        let inside = pem.strip_prefix(&format!("-----BEGIN {label}-----\n")).unwrap();
        let inside = inside.strip_suffix(&format!("\n-----END {label}-----\n")).unwrap();
        let lines: Vec<_> = inside.split('\n').collect();
        let (last, full) = lines.split_last().unwrap();
        assert!(
            full.iter().all(|line| line.len() == LINE_WIDTH) && (1..=LINE_WIDTH).contains(&last.len()),
            "{label}"
        );
        STANDARD.decode(lines.concat()).unwrap()
    }

    /// What a signer with this private key signs, and its signature.
    fn signed(private_pem: &Secret) -> (String, Vec<u8>) {
        let signer = Signer::new("stave", private_pem).unwrap();
        let url = "https://git.example.com/rest/api/1.0/projects".parse().unwrap();
        let request = Request::new("GET", &url);
        let stamp = Stamp { sent_at: Timestamp::UNIX_EPOCH, nonce: "n1".to_owned() };
        let header = signer.sign(&request, &stamp).unwrap();
        let signature = header.expose().split("oauth_signature=\"").nth(1).unwrap().trim_end_matches('"');
        let signature = signature.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        (signer.base_string(&request, &stamp), STANDARD.decode(signature).unwrap())
    }

    #[test]
    fn what_one_half_signs_the_other_verifies() {
        let made = key_pair().unwrap();
        let private = rsa::KeyPair::from_pkcs8(&der("PRIVATE KEY", made.private_pem.expose())).unwrap();
        assert_eq!(private.public_modulus_len() * 8, 2048);

        let (text, signature) = signed(&made.private_pem);
        let accepts = |public_pem: &str, text: &str| {
            let public = der("PUBLIC KEY", public_pem);
            let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, public);
            key.verify(text.as_bytes(), &signature).is_ok()
        };
        assert!(accepts(&made.public_pem, &text));
        assert!(!accepts(&made.public_pem, "another text"));
        assert!(!accepts(&key_pair().unwrap().public_pem, &text));
    }

    #[test]
    fn a_key_pair_does_not_print_its_secret_half() {
        let made = KeyPair { private_pem: Secret::new("half"), public_pem: "other".to_owned() };
        assert!(!format!("{made:?}").contains("half"));
    }
}
