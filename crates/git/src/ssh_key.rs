//! Key pairs with which Stave reads repositories over ssh.

use ssh_key::{LineEnding, PrivateKey, private::Ed25519Keypair};
use stave_domain::Secret;

/// An Ed25519 key pair (RFC 8709).
#[derive(Debug, Clone)]
pub struct SshKeyPair {
    /// The private key in OpenSSH's text form, without passphrase.
    pub private: Secret,
    /// The line to register at the code host: `ssh-ed25519 AAAA.. comment`.
    pub public: String,
}

/// The key pair that 32 random bytes stand for; the same bytes give the same pair.
///
/// The comment is shown by code hosts; line breaks in it become spaces.
///
/// # Panics
///
/// Never: the key has no passphrase, so its text needs neither chance nor a cipher.
#[must_use]
pub fn from_seed(seed: &[u8; 32], comment: &str) -> SshKeyPair {
    let comment: String = comment.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let key = PrivateKey::new(Ed25519Keypair::from_seed(seed).into(), comment).and_then(|key| {
        let private = key.to_openssh(LineEnding::LF)?;
        Ok(SshKeyPair { private: Secret::new(private.as_str()), public: key.public_key().to_openssh()? })
    });
    key.expect("an unencrypted Ed25519 key can always be written as text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_a_key_pair_that_can_be_read_back() {
        let pair = from_seed(&[7; 32], "stave\nacme");
        assert!(
            pair.public.starts_with("ssh-ed25519 AAAA") && pair.public.ends_with(" stave acme"),
            "{}",
            pair.public
        );
        let read = PrivateKey::from_openssh(pair.private.expose()).unwrap();
        assert_eq!(read.public_key().to_openssh().unwrap(), pair.public);
        assert_eq!(from_seed(&[7; 32], "stave\nacme").private, pair.private);
        assert_ne!(from_seed(&[8; 32], "stave\nacme").public, pair.public);
    }
}
