//! Mirrors of real repositories, made with the git binary and served over loopback.
#![expect(clippy::unwrap_used, reason = "these are tests; clippy sees that only inside of #[test] functions")]

mod access;
mod archive;
mod crash;
mod mirror;
mod reference;
mod server;
mod source;
mod ssh;
