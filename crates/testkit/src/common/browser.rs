//! A browser in which somebody is logged in, and who presses a button of a page.

use reqwest::{Client, RequestBuilder, Response, header, redirect::Policy};

/// A browser that goes nowhere by itself: every step is one request.
pub(crate) struct Browser {
    client: Client,
    /// `name=value`
    cookie: String,
}

impl Browser {
    /// With the cookie of a session.
    pub(crate) fn new(cookie: &str, session: &str) -> Self {
        let client = Client::builder().no_proxy().redirect(Policy::none()).build();
        let client = client.expect("a client needs nothing that can be missing");
        Self { client, cookie: format!("{cookie}={session}") }
    }

    /// Where the page at `url` sends the browser; `None` if it is one to read.
    pub(crate) async fn open(&self, url: &str) -> Option<String> {
        location(&self.send(self.client.get(url)).await)
    }

    /// Presses the button `decision` of the consent page at `url`. Gives where the browser is sent then.
    ///
    /// # Panics
    /// If there is no consent page; the message has the page that there is.
    pub(crate) async fn decide(&self, url: &str, decision: &str) -> String {
        let answer = self.send(self.client.post(url).form(&[("decision", decision)])).await;
        match location(&answer) {
            Some(back) => back,
            None => panic!("there is no consent page at {url}: {}", answer.text().await.unwrap_or_default()),
        }
    }

    async fn send(&self, request: RequestBuilder) -> Response {
        request.header(header::COOKIE, &self.cookie).send().await.expect("the fake answers")
    }
}

fn location(answer: &Response) -> Option<String> {
    Some(answer.headers().get(header::LOCATION)?.to_str().ok()?.to_owned())
}
