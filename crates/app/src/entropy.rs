//! The only place that asks for chance: ids and secrets.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{TryRng as _, rngs::SysRng};
use stave_domain::Secret;
use uuid::Uuid;

/// A fresh id that sorts after those made before.
#[expect(clippy::disallowed_methods, reason = "the one place that asks")]
pub(crate) fn id<T: From<Uuid>>() -> T {
    Uuid::now_v7().into()
}

/// Random bytes from the operating system. If it has no randomness to give, nothing that Stave does would be safe.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A random secret of 256 bits, in the characters that are safe in addresses and cookies.
pub(crate) fn secret() -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(bytes::<32>()))
}
