//! Trouble on command.

use axum::{
    body::Body,
    http::{Response, StatusCode, header},
};
use std::time::Duration;

/// What the Bitbucket Cloud API says of what it removed.
pub(crate) const GONE: &str = r#"{"type":"error","error":{"message":"CHANGE-2770 - Functionality has been deprecated","detail":"Please read the changelog entry for more details.","data":{"announcement_url":"https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-2770"}}}"#;

/// How a request goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status with this body; the content type is guessed from the body's first character.
    Status {
        /// 400 to 599, or any other.
        status: u16,
        /// The body.
        body: String,
    },
    /// No answer at all, and the connection stays open.
    Hang,
    /// 302 to this URL.
    Redirect(String),
    /// The right answer, this much later.
    Slow(Duration),
    /// 429 with an empty body, and no `Retry-After`: as Bitbucket does it.
    RateLimit,
}

impl Fault {
    /// 410, with the words of the Bitbucket Cloud API for what it removed on 14 April 2026.
    pub fn gone() -> Self {
        Self::status(410, GONE)
    }

    /// This status with this body.
    pub fn status(status: u16, body: &str) -> Self {
        Self::Status { status, body: body.to_owned() }
    }
}

/// The faults that wait for their requests, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Plans(Vec<Plan>);

#[derive(Debug, Clone)]
struct Plan {
    /// A path in which `*` stands for any text, also an empty one.
    pattern: String,
    fault: Fault,
    /// Whether it is over after the first request.
    once: bool,
}

impl Plans {
    /// For the next request with such a path.
    pub(crate) fn once(&mut self, pattern: &str, fault: Fault) {
        self.0.push(Plan { pattern: pattern.to_owned(), fault, once: true });
    }

    /// For every request with such a path.
    pub(crate) fn always(&mut self, pattern: &str, fault: Fault) {
        self.0.push(Plan { pattern: pattern.to_owned(), fault, once: false });
    }

    /// The fault for this path, if one is due: the oldest plan wins.
    pub(crate) fn take(&mut self, path: &str) -> Option<Fault> {
        let at = self.0.iter().position(|plan| matches(&plan.pattern, path))?;
        let plan = if self.0[at].once { self.0.remove(at) } else { self.0[at].clone() };
        Some(plan.fault)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The answer of a fault; `None` if the request goes on.
pub(crate) async fn happen(fault: Fault) -> Option<Response<Body>> {
    match fault {
        Fault::Slow(delay) => {
            tokio::time::sleep(delay).await;
            None
        }
        Fault::Hang => std::future::pending().await,
        Fault::RateLimit => Some(answer(StatusCode::TOO_MANY_REQUESTS, String::new())),
        Fault::Status { status, body } => Some(answer(
            StatusCode::from_u16(status).expect("a fault has a status between 100 and 999"),
            body,
        )),
        Fault::Redirect(url) => {
            let mut response = answer(StatusCode::FOUND, String::new());
            response.headers_mut().insert(header::LOCATION, url.parse().expect("a fault redirects to a URL"));
            Some(response)
        }
    }
}

fn answer(status: StatusCode, body: String) -> Response<Body> {
    let kind = match body.trim_start().chars().next() {
        Some('{' | '[') => "application/json",
        Some('<') => "text/html; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((start, rest)) => path.strip_prefix(start).is_some_and(|path| {
            path.char_indices().map(|(at, _)| at).chain([path.len()]).any(|at| matches(rest, &path[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let rows = [
            ("/2.0/user", "/2.0/user", true),
            ("/2.0/user", "/2.0/user/emails", false),
            ("/2.0/user*", "/2.0/user", true),
            ("*.git/*", "/acme/mailer.git/info/refs", true),
            ("*.git/*", "/acme/mailer", false),
            ("/2.0/*/hooks", "/2.0/repositories/acme/mailer/hooks", true),
            ("/2.0/*/hooks", "/2.0/repositories/acme/mailer/hooks/1", false),
        ];
        for (pattern, path, expected) in rows {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_single_fault_is_used_up_and_a_lasting_one_is_not() {
        let mut plans = Plans::default();
        plans.once("/a", Fault::status(501, ""));
        plans.always("/a", Fault::status(500, ""));
        assert_eq!(plans.take("/b"), None);
        let statuses = [501, 500, 500].map(|status| Some(Fault::status(status, "")));
        assert_eq!([(); 3].map(|()| plans.take("/a")), statuses);
    }
}
