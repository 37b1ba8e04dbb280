//! What the stories need and do not tell.

pub(crate) mod browser;
pub(crate) mod chance;
pub(crate) mod database;
pub(crate) mod echo;
pub(crate) mod form;
pub(crate) mod judge;
pub(crate) mod person;
pub(crate) mod process;
pub(crate) mod stave;
pub(crate) mod web_server;
pub(crate) mod website;

pub(crate) use browser::{Answer, Browser};
pub(crate) use stave::{Node, TestStave};
pub(crate) use website::{TestWebsite, Visitor};
