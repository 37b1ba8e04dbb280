//! A browser without a screen: it keeps cookies, follows redirects and sends forms as people do, by their labels.

use super::form::Form;
use reqwest::{
    Client, Method, StatusCode,
    header::{ACCEPT, COOKIE, LOCATION, SET_COOKIE},
    redirect::Policy,
};
use std::{collections::BTreeMap, net::SocketAddr, sync::Mutex};
use url::Url;

/// What browsers ask for when somebody goes to an address.
const PAGES: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// One browser; it belongs to nobody until it logs in.
pub(crate) struct Browser {
    client: Client,
    home: Url,
    /// By origin, then by name.
    cookies: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
}

/// What a browser shows after it followed every redirect.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) url: Url,
    pub(crate) body: String,
}

impl Answer {
    /// Fails with the page if a text is not on it.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> &Self {
        assert!(
            self.text().contains(text),
            "“{text}” is not on {} ({}):\n{}",
            self.url,
            self.status,
            self.text()
        );
        self
    }

    /// Fails with the page if a text is on it.
    #[track_caller]
    pub(crate) fn hides(&self, text: &str) -> &Self {
        assert!(!self.body.contains(text), "“{text}” is on {} ({}):\n{}", self.url, self.status, self.text());
        self
    }

    /// The page as people read it: no tags, entities resolved, white space folded.
    pub(crate) fn text(&self) -> String {
        let text = super::form::text(&self.body.replace('<', " <"));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The value of the input or text area with this name.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let at = self.body.find(&format!("name=\"{name}\""))?;
        let start = self.body[..at].rfind('<')?;
        let tag = &self.body[start..start + self.body[start..].find('>')?];
        let value = tag.split("value=\"").nth(1)?.split('"').next()?;
        Some(value.replace("&#38;", "&").replace("&amp;", "&"))
    }

    /// What is in the element with this id, as it is copied from there.
    pub(crate) fn inside(&self, id: &str) -> Option<String> {
        let at = self.body.find(&format!(" id=\"{id}\""))?;
        let name = self.body[..at].rsplit_once('<')?.1.split_whitespace().next()?;
        let (_, inside) = self.body[at..].split_once('>')?;
        Some(super::form::text(inside.split(&format!("</{name}>")).next()?))
    }

    /// The form with this button.
    #[track_caller]
    pub(crate) fn form(&self, label: &str) -> Form {
        let form = Form::with_button(&self.body, label);
        form.unwrap_or_else(|| {
            panic!("no button “{label}” on {} ({}):\n{}", self.url, self.status, self.text())
        })
    }

    /// The address of the first link or form with this text in its tag or after it.
    pub(crate) fn link(&self, text: &str) -> Option<String> {
        let at = self.body.find(&format!(">{text}<"))?;
        let before = &self.body[..at];
        let start = before.rfind("href=\"")? + 6;
        Some(before[start..].split('"').next()?.to_owned())
    }
}

impl Browser {
    pub(crate) fn new(home: &str) -> Self {
        // As Chromium does; a port of 0 means the one of the address.
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let client = Client::builder().redirect(Policy::none()).no_proxy().resolve("shop.localhost", here);
        let client = client.build().expect("a client");
        Self { client, home: home.parse().expect("a URL"), cookies: Mutex::default() }
    }

    /// The same browser at the same Stave, which has another port after its restart.
    pub(crate) fn at(&self, home: &str) -> Self {
        let cookies = self.cookies.lock().unwrap().values().next().cloned().unwrap_or_default();
        let browser = Self::new(home);
        browser.cookies.lock().unwrap().insert(browser.home.origin().ascii_serialization(), cookies);
        browser
    }

    /// Opens a page.
    pub(crate) async fn open(&self, address: &str) -> Answer {
        self.go(Method::GET, self.home.join(address).expect("an address"), None).await
    }

    /// Sends a form.
    pub(crate) async fn send(&self, address: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.go(Method::POST, self.home.join(address).expect("an address"), Some(body)).await
    }

    /// Presses a button of a page, with what stands in the form.
    pub(crate) async fn press(&self, page: &Answer, label: &str) -> Answer {
        self.submit(page, page.form(label)).await
    }

    /// Sends a form of a page as it was filled in.
    pub(crate) async fn submit(&self, page: &Answer, form: Form) -> Answer {
        let mut url = page.url.join(&form.action).expect("an address");
        if form.method == Method::GET {
            url.query_pairs_mut().clear().extend_pairs(&form.fields);
            return self.go(Method::GET, url, None).await;
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
        self.go(Method::POST, url, Some(body)).await
    }

    /// A cookie of Stave, to be stolen by a test.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(&self.home.origin().ascii_serialization())?.get(name).cloned()
    }

    /// Every cookie for an origin, as a `Cookie` header has them.
    pub(crate) fn cookies(&self, origin: &str) -> String {
        let cookies = self.cookies.lock().unwrap();
        let jar = cookies.get(origin).into_iter().flatten();
        jar.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    async fn go(&self, method: Method, url: Url, body: Option<String>) -> Answer {
        let (mut method, mut url, mut body) = (method, url, body);
        for _ in 0..15 {
            let origin = url.origin().ascii_serialization();
            let mut request = self.client.request(method.clone(), url.clone()).header(ACCEPT, PAGES);
            let cookies = self.cookies(&origin);
            if !cookies.is_empty() {
                request = request.header(COOKIE, cookies);
            }
            if let Some(body) = &body {
                request = request
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("origin", &origin)
                    .header("sec-fetch-site", "same-origin")
                    .body(body.clone());
            }
            let response = request.send().await.unwrap_or_else(|error| panic!("{url}: {error}"));
            self.keep_cookies(&origin, &response);
            let status = response.status();
            let Some(location) = response.headers().get(LOCATION).filter(|_| status.is_redirection()) else {
                return Answer { status, url, body: response.text().await.expect("a text") };
            };
            url = url.join(location.to_str().expect("an address")).expect("an address");
            (method, body) = (Method::GET, None);
        }
        panic!("too many redirects, last to {url}");
    }

    fn keep_cookies(&self, origin: &str, response: &reqwest::Response) {
        let mut cookies = self.cookies.lock().unwrap();
        let jar = cookies.entry(origin.to_owned()).or_default();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let text = cookie.to_str().expect("a cookie");
            let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if attributes.to_lowercase().contains("max-age=0") || value.is_empty() {
                jar.remove(name.trim());
            } else {
                jar.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}
