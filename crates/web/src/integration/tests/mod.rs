//! Stories of integrations through the front door.

mod check;
mod form;
mod relocation;
mod rights;
mod upgrade;

use crate::testing::{Browser, Seen, TestSite, path_of};
use stave_testkit::FakeDataCenter;

const ADMIN: &str = "/admin/integrations";
const ACME: &str = "/orgs/acme/settings/integrations";
const CALLBACK: &str = "http://127.0.0.1:8080/oauth/callback/bitbucket";

/// A form of an integration, as a browser sends it.
struct Form(Vec<(&'static str, String)>);

impl Form {
    fn data_center(base_url: &str, oauth: &str, slug: &str) -> Self {
        Self(vec![
            ("name", "Git".into()),
            ("platform", "bitbucket-data-center".into()),
            ("base_url", base_url.into()),
            ("oauth", oauth.into()),
            ("client_id", String::new()),
            ("client_secret", String::new()),
            ("slug", slug.into()),
        ])
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value.into()));
        self
    }

    async fn send(&self, browser: &mut Browser, address: &str) -> Seen {
        let fields: Vec<_> = self.0.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post(address, &fields).await
    }
}

/// What is in the field with this id, of a page whose field holds no markup.
fn field(page: &str, id: &str) -> String {
    let start = page.find(&format!(" id=\"{id}\"")).unwrap_or_else(|| panic!("no field {id}: {page}"));
    let (head, rest) = page[start..].split_once('>').unwrap();
    let value = match head.split_once(" value=\"") {
        Some((_, value)) => value.split('"').next(),
        None => rest.split('<').next(),
    };
    value.unwrap_or_default().to_owned()
}

/// The address of the one integration that a list shows.
fn page_of(list: &str, base: &str) -> String {
    let start = list.find(&format!("{base}/0")).unwrap_or_else(|| panic!("nothing is listed: {list}"));
    list[start..].split('"').next().unwrap().to_owned()
}

/// Ada is an admin; grace owns acme, of which linus is a member; mallory owns another organization. All of them have passwords.
async fn people(site: &TestSite) -> [Browser; 4] {
    let mut ada = site.setup_browser().await;
    ada.post("/admin/configuration", &[("password_login", "on")]).await;
    register(&mut ada, "ada").await;
    let [mut grace, mut linus, mut mallory] = [site.browser(), site.browser(), site.browser()];
    for (browser, name) in [(&mut grace, "grace"), (&mut linus, "linus"), (&mut mallory, "mallory")] {
        register(browser, name).await;
    }
    grace.post("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await;
    grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
    mallory.post("/orgs/new", &[("name", "Other"), ("short_name", "other")]).await;
    [ada, grace, linus, mallory]
}

async fn register(browser: &mut Browser, name: &str) {
    let email = format!("{name}@example.com");
    let form = [("username", name), ("email", &email), ("password", "a horse, a battery, a staple")];
    let seen = browser.post("/register", &form).await;
    assert!(browser.cookies.contains_key("stave_login"), "{}", seen.body);
}

/// Leaves for the server, allows access as this person and comes back.
async fn allow(browser: &mut Browser, away: &Seen, server: &FakeDataCenter, person: &str) -> Seen {
    assert!(away.location.starts_with(&server.base_url()), "{} {}", away.location, away.body);
    let back = server.grant_access(&away.location, person).await;
    browser.get(&path_of(&back)).await
}

/// The value of the hidden input of this name.
fn field_named(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the input is there");
    rest.split('"').next().unwrap().to_owned()
}
