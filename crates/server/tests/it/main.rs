//! The tests of the whole Stave, through its command line and HTTP: one file per noun.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod access;
mod artifact;
mod browser;
mod config;
mod crash;
mod data_center;
mod disk;
mod guide;
mod import;
mod log_in;
mod mirror;
mod monorepo;
mod node;
mod process;
mod protocol;
mod read;
mod secrecy;
mod security;
mod story;
mod support;
mod synchronization;
mod team;
mod token;
mod website;
