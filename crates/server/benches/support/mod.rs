//! What the bench needs of the tests: a website, its visitors and the web server in front of it.

#[path = "../../tests/it/support/browser.rs"]
pub(crate) mod browser;
#[path = "../../tests/it/support/database.rs"]
pub(crate) mod database;
#[path = "../../tests/it/support/echo.rs"]
pub(crate) mod echo;
#[path = "../../tests/it/support/form.rs"]
pub(crate) mod form;
#[path = "../../tests/it/support/stave.rs"]
pub(crate) mod stave;
#[path = "../../tests/it/support/web_server.rs"]
pub(crate) mod web_server;
#[path = "../../tests/it/support/website.rs"]
pub(crate) mod website;

pub(crate) use browser::{Answer, Browser};
pub(crate) use stave::TestStave;
pub(crate) use website::{TestWebsite, Visitor};
