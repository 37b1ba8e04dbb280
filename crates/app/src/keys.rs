//! Sealing: secrets that Stave must use again are encrypted with a key that is not in the database.
//!
//! XChaCha20-Poly1305 with a random nonce; what the secret is and whose, is authenticated with it, so that a row's
//! secret cannot be moved to another row.

use crate::entropy;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use stave_domain::{Secret, secret::Sealed};
use std::{
    fmt::Display,
    fs,
    io::{self, Write},
    path::Path,
};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;
/// First byte of everything sealed: the form of the rest.
const FORM: u8 = 1;

/// The key that seals.
#[derive(Clone)]
pub(crate) struct Keys {
    key: Zeroizing<[u8; 32]>,
}

/// Why there is no usable key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be used.
    #[error("The key file {path} cannot be read or written: {source}. Check its owner and mode.")]
    File {
        /// Which file.
        path: String,
        /// For the log.
        source: std::io::Error,
    },
    /// It is not a key.
    #[error("{0} does not hold a key: 32 bytes as 64 hex digits or as base64.")]
    Malformed(String),
}

/// What was sealed does not open: another key sealed it, or it was changed.
#[derive(Debug, thiserror::Error)]
#[error("what was sealed as {0} does not open with this key")]
pub(crate) struct CannotOpen(String);

impl Keys {
    /// Reads a key as text; `from` says where the text came from.
    pub(crate) fn parse(text: &Secret, from: &str) -> Result<Self, KeyError> {
        let text = text.expose().trim();
        let bytes = Zeroizing::new(hex::decode(text).or_else(|_| STANDARD.decode(text)).unwrap_or_default());
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| KeyError::Malformed(from.to_owned()))?;
        Ok(Self { key: Zeroizing::new(key) })
    }

    /// Reads the key from a file.
    pub(crate) fn read(path: &Path) -> Result<Self, KeyError> {
        let file_error = |source| KeyError::File { path: path.display().to_string(), source };
        let text = fs::read_to_string(path).map(Secret::new).map_err(file_error)?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads the key from a file, or makes it there with mode 0600 on the first start. A crash leaves a whole key or none.
    pub(crate) fn read_or_create(path: &Path) -> Result<Self, KeyError> {
        if !path.exists() {
            create(path).map_err(|source| KeyError::File { path: path.display().to_string(), source })?;
        }
        Self::read(path)
    }

    /// Encrypts a secret. `what` names its kind, `whose` its row: both are needed to open it.
    #[must_use]
    pub(crate) fn seal(&self, what: &str, whose: impl Display, secret: &Secret) -> Sealed {
        let nonce = entropy::bytes::<NONCE_BYTES>();
        let aad = format!("{what}:{whose}");
        let payload = Payload { msg: secret.expose().as_bytes(), aad: aad.as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).expect("a secret is short");
        Sealed([&[FORM], nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`Keys::seal`] encrypted for the same `what` and `whose`.
    pub(crate) fn open(
        &self,
        what: &str,
        whose: impl Display,
        sealed: &Sealed,
    ) -> Result<Secret, CannotOpen> {
        let cannot = || CannotOpen(what.to_owned());
        let (form, rest) = sealed.0.split_first().ok_or_else(cannot)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(cannot)?;
        if *form != FORM {
            return Err(cannot());
        }
        let aad = format!("{what}:{whose}");
        let payload = Payload { msg: text, aad: aad.as_bytes() };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| cannot())?;
        String::from_utf8(opened).map(Secret::new).map_err(|_| cannot())
    }

    /// A secret of 160 bits that follows from the key and never has to be stored, as 40 hex digits.
    #[must_use]
    pub(crate) fn derive(&self, what: &str, whose: impl Display) -> Secret {
        Secret::new(hex::encode(&self.mac(what, whose)[..20]))
    }

    /// The same of 256 bits, as 64 hex digits.
    #[must_use]
    pub(crate) fn derive_long(&self, what: &str, whose: impl Display) -> Secret {
        Secret::new(hex::encode(self.mac(what, whose)))
    }

    fn mac(&self, what: &str, whose: impl Display) -> [u8; 32] {
        let mut mac =
            <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.key.as_slice()).expect("any length will do");
        mac.update(format!("{what}:{whose}").as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.key).into())
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

fn create(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    let text = Zeroizing::new(hex::encode(Zeroizing::new(entropy::bytes::<32>())));
    writeln!(file, "{}", text.as_str())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        // Two starts at once both make a key; the first one stays.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(|_| ()).map_err(|error| error.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_in_its_own_row() {
        let keys = Keys::parse(&Secret::new("11".repeat(32)), "a test").unwrap();
        let sealed = keys.seal("client secret", 7, &Secret::new("hush"));
        assert_eq!(keys.open("client secret", 7, &sealed).unwrap().expose(), "hush");
        assert!(keys.open("client secret", 8, &sealed).is_err());
        assert!(keys.open("ssh key", 7, &sealed).is_err());
        let other = Keys::parse(&Secret::new("22".repeat(32)), "a test").unwrap();
        assert!(other.open("client secret", 7, &sealed).is_err());
        assert!(keys.open("client secret", 7, &Sealed(vec![])).is_err());
        assert!(!sealed.0.windows(4).any(|w| w == b"hush"));
    }

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let first = Keys::read_or_create(&path).unwrap();
        let again = Keys::read_or_create(&path).unwrap();
        assert_eq!(first.key, again.key);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "nonsense").unwrap();
        assert!(matches!(Keys::read(&path), Err(KeyError::Malformed(_))));
    }
}
