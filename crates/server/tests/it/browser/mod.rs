//! The stories in a real browser: Chromium, driven by labels and the texts of buttons and links, as the guides name them.
//!
//! Needs a `WebDriver` server at `STAVE_TEST_WEBDRIVER_URL`, which `scripts/test` starts. With `STAVE_TEST_SCREENSHOTS` set to a folder, the
//! pages on the newcomer's way are kept there, 1280 and 390 pixels wide; with `STAVE_TEST_PICTURES`, the pictures of the guides, which
//! `scripts/screenshots` asks for.

mod access;
mod application_link;
mod data_center;
mod mirror;
mod monorepo;
mod newcomer;
mod organization;
mod package;
mod security;
mod synchronization;
mod website;
