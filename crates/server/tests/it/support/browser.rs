//! A browser without a screen: it keeps cookies, follows redirects and sends forms as people do, by their labels.

use reqwest::{
    Client, Method, StatusCode,
    header::{COOKIE, LOCATION, SET_COOKIE},
    redirect::Policy,
};
use std::{collections::BTreeMap, sync::Mutex};
use url::Url;

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
        let mut text = String::new();
        let mut in_tag = false;
        for c in self.body.chars() {
            match c {
                '<' => in_tag = true,
                '>' => {
                    in_tag = false;
                    text.push(' ');
                }
                c if !in_tag => text.push(c),
                _ => {}
            }
        }
        let text = [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&#34;", "\""),
            ("&#39;", "'"),
            ("&#60;", "<"),
            ("&#62;", ">"),
            ("&#38;", "&"),
            ("&amp;", "&"),
        ]
        .iter()
        .fold(text, |text, (entity, c)| text.replace(entity, c));
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
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client");
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

    /// A cookie of Stave, to be stolen by a test.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(&self.home.origin().ascii_serialization())?.get(name).cloned()
    }

    async fn go(&self, method: Method, url: Url, body: Option<String>) -> Answer {
        let (mut method, mut url, mut body) = (method, url, body);
        for _ in 0..15 {
            let origin = url.origin().ascii_serialization();
            let cookies = self.cookies.lock().unwrap().get(&origin).map(|jar| {
                jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
            });
            let mut request = self.client.request(method.clone(), url.clone());
            if let Some(cookies) = cookies {
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
