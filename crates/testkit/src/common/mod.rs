//! What both pretended Bitbuckets share: trouble on command, the record of what was asked, pages, a browser, a clock,
//! chance.

pub(crate) mod browser;
pub(crate) mod clock;
pub(crate) mod courier;
pub(crate) mod fault;
pub(crate) mod page;
pub(crate) mod pattern;
pub(crate) mod record;
pub(crate) mod size;

use axum::http::{HeaderMap, header};

/// `bytes` bytes of chance in hex.
pub(crate) fn chance(bytes: usize) -> String {
    hex::encode((0..bytes).map(|_| rand::random::<u8>()).collect::<Vec<_>>())
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
