//! Composer's own answers, as recorded in `../vectors/` (see the README there): every case of every file must pass.

#![expect(clippy::unwrap_used, reason = "a case that cannot be read is a failed test")]

mod archive;
mod check;
mod metadata;
mod mirror;
mod package_name;
mod root;
mod scan;
mod vector;
mod version;
