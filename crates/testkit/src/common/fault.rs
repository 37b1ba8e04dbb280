//! Trouble on command.

use super::pattern::Pattern;
use axum::{
    body::{Body, Bytes, to_bytes},
    http::{Response, StatusCode, header},
};
use futures::stream;
use std::{io, time::Duration};

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
    /// The first half of the right answer, and then the end of the connection.
    Truncated,
    /// The right answer but for one byte, in the middle of its body.
    Altered,
    /// The end of the connection in place of an answer.
    Reset,
}

impl Fault {
    /// 410, with the words of the Bitbucket Cloud API for what it removed on 14 April 2026.
    pub fn gone() -> Self {
        Self::status(410, GONE)
    }

    /// 410, with the words of the Bitbucket Cloud API for what this entry of its changelog (`CHANGE-4711`) removed.
    pub fn removed(change: &str) -> Self {
        Self::status(410, &GONE.replace("CHANGE-2770", change))
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
    pattern: Pattern,
    fault: Fault,
    when: When,
}

/// Which of the requests that a plan means go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// The next one, and then no more.
    Once,
    /// All but this many that still come through.
    After(u32),
    /// So many of a hundred, by chance.
    Percent(u8),
}

impl Plans {
    /// For requests with such a path, and perhaps method.
    pub(crate) fn add(&mut self, pattern: &str, when: When, fault: Fault) {
        self.0.push(Plan { pattern: Pattern::new(pattern), fault, when });
    }

    /// The fault for this request, if one is due: the oldest plan wins.
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Option<Fault> {
        let at = self.0.iter_mut().position(|plan| plan.pattern.means(method, path) && plan.when.is_now())?;
        let plan = if self.0[at].when == When::Once { self.0.remove(at) } else { self.0[at].clone() };
        Some(plan.fault)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl When {
    fn is_now(&mut self) -> bool {
        match self {
            Self::Once | Self::After(0) => true,
            Self::After(passing) => {
                *passing -= 1;
                false
            }
            Self::Percent(percent) => rand::random_range(0..100) < *percent,
        }
    }
}

/// The answer of a fault; `None` if the request goes on. What comes of it then has to be [spoilt](spoil).
pub(crate) async fn happen(fault: &Fault) -> Option<Response<Body>> {
    match fault {
        Fault::Slow(delay) => {
            tokio::time::sleep(*delay).await;
            None
        }
        Fault::Truncated | Fault::Altered => None,
        Fault::Reset => Some(Response::new(cut(Bytes::new()))),
        Fault::Hang => std::future::pending().await,
        Fault::RateLimit => Some(answer(StatusCode::TOO_MANY_REQUESTS, String::new())),
        Fault::Status { status, body } => Some(answer(
            StatusCode::from_u16(*status).expect("a fault has a status between 100 and 999"),
            body.clone(),
        )),
        Fault::Redirect(url) => {
            let mut response = answer(StatusCode::FOUND, String::new());
            response.headers_mut().insert(header::LOCATION, url.parse().expect("a fault redirects to a URL"));
            Some(response)
        }
    }
}

/// The right answer, made wrong by a fault that lets the request go on.
pub(crate) async fn spoil(fault: &Fault, response: Response<Body>) -> Response<Body> {
    if !matches!(fault, Fault::Truncated | Fault::Altered) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.expect("the fake has its answers in memory");
    let middle = whole.len() / 2;
    parts.headers.insert(header::CONTENT_LENGTH, whole.len().into());
    if *fault == Fault::Truncated {
        return Response::from_parts(parts, cut(whole.slice(..middle)));
    }
    let mut altered = whole.to_vec();
    if let Some(byte) = altered.get_mut(middle) {
        *byte ^= 1;
    }
    Response::from_parts(parts, Body::from(altered))
}

/// A body of which no more comes than this.
fn cut(start: Bytes) -> Body {
    let end = Err(io::Error::from(io::ErrorKind::ConnectionReset));
    Body::from_stream(stream::iter([Ok(start), end]))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_fault_is_used_up_and_a_lasting_one_is_not() {
        let mut plans = Plans::default();
        plans.add("/a", When::Once, Fault::status(501, ""));
        plans.add("POST /a", When::After(0), Fault::status(502, ""));
        plans.add("/a", When::After(1), Fault::status(500, ""));
        assert_eq!(plans.take("GET", "/b"), None);
        let statuses = [Some(501), None, Some(500), Some(500)];
        assert_eq!(
            [(); 4].map(|()| plans.take("GET", "/a")),
            statuses.map(|it| it.map(|it| Fault::status(it, "")))
        );
        assert_eq!(plans.take("POST", "/a"), Some(Fault::status(502, "")));
    }

    #[test]
    fn chance_strikes_as_often_as_it_was_told() {
        let struck = |percent| {
            let mut plans = Plans::default();
            plans.add("*", When::Percent(percent), Fault::RateLimit);
            (0..1000).filter(|_| plans.take("GET", "/a").is_some()).count()
        };
        assert_eq!((struck(0), struck(100)), (0, 1000));
        assert!((300..700).contains(&struck(50)));
    }
}
