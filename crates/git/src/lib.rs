//! Git repositories: mirror, references, one file at a commit, an archive of a tree.
//!
//! Everything here blocks, so callers run it on threads that may block. No git binary is needed and none of the
//! machine's git configuration is read; for `ssh://` addresses the `ssh` program is started.
//!
//! What enters: a [`Remote`] (address and credential), a [`Network`] (what may be reached, and how long to wait).
//! What leaves: [`References`], [`Manifest`]s, zip archives, and [`GitError`]s whose `Display` is a sentence for the user.

mod address;
mod archive;
mod damage;
mod error;
mod fetch;
mod http;
mod manifest;
mod meter;
mod mirror;
mod network;
mod reference;
mod ssh;
pub mod ssh_key;

pub use error::GitError;
pub use manifest::{MANIFEST_MAX_BYTES, Manifest, READMES, Tree};
pub use mirror::{Fetched, Mirror};
pub use network::{Access, Network, Remote};
pub use reference::{Reference, References, Target};
