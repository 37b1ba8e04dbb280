//! HTML of the fake's site.

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use std::fmt::Write as _;
use url::form_urlencoded;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#172b4d}\
                     header{border-bottom:3px solid #0052cc;margin-bottom:1.5rem;color:#0052cc}\
                     button,.button{font:inherit;background:#0052cc;color:#fff;border:0;border-radius:3px;\
                     padding:.4rem 1rem;text-decoration:none;cursor:pointer}button.plain{background:#dfe1e6;color:#172b4d}\
                     input{font:inherit}fieldset{border:1px solid #dfe1e6;margin:.5rem 0}label{margin-right:1rem}";

/// A page with a heading.
pub(crate) struct Page {
    title: String,
    /// HTML.
    body: String,
    status: StatusCode,
}

impl Page {
    /// `title` is text, `body` is HTML.
    pub(crate) fn new(title: &str, body: String) -> Self {
        Self { title: escape(title), body, status: StatusCode::OK }
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let Self { title, body, status } = self;
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} - Bitbucket (fake)</title>\
             <style>{STYLE}</style></head><body><header>Bitbucket (fake)</header><main><h1>{title}</h1>{body}</main>\
             </body></html>"
        );
        (status, Html(html)).into_response()
    }
}

/// A page for what is not there.
pub(crate) fn not_found(sentence: &str) -> Response {
    Page::new("Not found", format!("<p>{}</p>", escape(sentence)))
        .with_status(StatusCode::NOT_FOUND)
        .into_response()
}

/// Text as it may stand in HTML, also in an attribute.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// Text as it may stand behind `name=` in a query, and in HTML.
pub(crate) fn query_value(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Boxes to tick, as HTML: group, label and scope of each. The boxes of a group stand together.
pub(crate) fn boxes(all: &[(&str, &str, &str)], ticked: &[String]) -> String {
    let mut text = String::new();
    let mut group = "";
    for &(of, label, scope) in all {
        if of != group {
            let end = if group.is_empty() { "" } else { "</fieldset>" };
            let _ = write!(text, "{end}<fieldset><legend>{of}</legend>");
            group = of;
        }
        let checked = if ticked.iter().any(|ticked| ticked == scope) { " checked" } else { "" };
        let _ = write!(
            text,
            "<label><input type=\"checkbox\" name=\"scope\" value=\"{scope}\" aria-label=\"{of}: {label}\"{checked}> \
             {label}</label> "
        );
    }
    text + "</fieldset>"
}
