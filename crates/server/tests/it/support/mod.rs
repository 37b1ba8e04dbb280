//! What the stories need and do not tell.

pub(crate) mod browser;
pub(crate) mod database;
pub(crate) mod person;
pub(crate) mod process;
pub(crate) mod stave;

pub(crate) use browser::{Answer, Browser};
pub(crate) use stave::TestStave;
