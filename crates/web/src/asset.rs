//! The stylesheet, the script and the icon: inside the binary, under addresses that change with their content.

use axum::{
    Router,
    extract::Path,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::LazyLock,
};

/// One file of `static/`.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static str,
}

static STYLESHEET: Asset = Asset {
    name: "stave.css",
    content_type: "text/css; charset=utf-8",
    content: include_str!("../static/stave.css"),
};
static SCRIPT: Asset = Asset {
    name: "stave.js",
    content_type: "text/javascript; charset=utf-8",
    content: include_str!("../static/stave.js"),
};
static ICON: Asset = Asset {
    name: "favicon.svg",
    content_type: "image/svg+xml",
    content: include_str!("../static/favicon.svg"),
};

/// Changes whenever one of the files does.
static FINGERPRINT: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    for asset in [&STYLESHEET, &SCRIPT, &ICON] {
        asset.content.hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
});

impl Asset {
    fn address(&self) -> String {
        format!("/static/{}/{}", *FINGERPRINT, self.name)
    }
}

/// The address of the stylesheet.
pub(crate) fn stylesheet() -> String {
    STYLESHEET.address()
}

/// The address of the script.
pub(crate) fn script() -> String {
    SCRIPT.address()
}

/// The address of the icon.
pub(crate) fn icon() -> String {
    ICON.address()
}

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/static/{fingerprint}/{name}", get(show))
}

/// `GET /static/{fingerprint}/{name}`: the right fingerprint never changes its content, so a browser asks once.
async fn show(Path((fingerprint, name)): Path<(String, String)>) -> Response {
    let Some(asset) = [&STYLESHEET, &SCRIPT, &ICON].into_iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let cache = if fingerprint == *FINGERPRINT { "public, max-age=31536000, immutable" } else { "no-cache" };
    ([(CONTENT_TYPE, asset.content_type), (CACHE_CONTROL, cache)], asset.content).into_response()
}
