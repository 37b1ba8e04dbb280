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
static ISSUER_STYLESHEET: Asset = Asset {
    name: "issuer.css",
    content_type: "text/css; charset=utf-8",
    content: include_str!("../static/issuer.css"),
};
static SCRIPT: Asset = Asset {
    name: "stave.js",
    content_type: "text/javascript; charset=utf-8",
    content: include_str!("../static/stave.js"),
};
static SEND_SCRIPT: Asset = Asset {
    name: "send.js",
    content_type: "text/javascript; charset=utf-8",
    content: include_str!("../static/send.js"),
};
static SETTING_SCRIPT: Asset = Asset {
    name: "setting.js",
    content_type: "text/javascript; charset=utf-8",
    content: include_str!("../static/setting.js"),
};
static ICON: Asset = Asset {
    name: "favicon.svg",
    content_type: "image/svg+xml",
    content: include_str!("../static/favicon.svg"),
};

/// All of them.
static ASSETS: [&Asset; 6] = [&STYLESHEET, &ISSUER_STYLESHEET, &SCRIPT, &SEND_SCRIPT, &ICON, &SETTING_SCRIPT];

/// Changes whenever one of the files does.
static FINGERPRINT: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    for asset in ASSETS {
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

/// The address of the stylesheet of the pages that a website's visitors see.
pub(crate) fn issuer_stylesheet() -> String {
    ISSUER_STYLESHEET.address()
}

/// The address of the script.
pub(crate) fn script() -> String {
    SCRIPT.address()
}

/// The address of the script that sends the form of a page at once.
pub(crate) fn send_script() -> String {
    SEND_SCRIPT.address()
}

/// The address of the script of the page "Login setting".
pub(crate) fn setting_script() -> String {
    SETTING_SCRIPT.address()
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
    let Some(asset) = ASSETS.into_iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let cache = if fingerprint == *FINGERPRINT { "public, max-age=31536000, immutable" } else { "no-cache" };
    ([(CONTENT_TYPE, asset.content_type), (CACHE_CONTROL, cache)], asset.content).into_response()
}
