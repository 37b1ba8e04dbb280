//! Colours and pictures of websites. Owners choose colours and upload pictures; they write no styles.

use super::{here::Here, problem::Problem};
use axum::{
    Router,
    extract::{Path, State},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use stave_app::{App, Failure};
use stave_domain::website::Colour;

pub(crate) fn router() -> Router<App> {
    Router::new().route("/look/{colours}", get(colours)).route("/w/{slug}/logo/{hash}", get(logo))
}

/// What never changes at its address.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// `GET /look/{accent}-{background}.css`: the colours of a login form, with an ink that can be read on each. Styles cannot stand
/// in the page itself (the content policy), and these are the same for everybody who chose the same colours.
async fn colours(Path(name): Path<String>) -> Response {
    match stylesheet(&name) {
        Some(sheet) => {
            ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, FOR_EVER)], sheet).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn stylesheet(name: &str) -> Option<String> {
    let (accent, background) = name.strip_suffix(".css")?.split_once('-')?;
    let (accent, background): (Colour, Colour) = (accent.parse().ok()?, background.parse().ok()?);
    let ink = |colour: Colour| colour.ink().unwrap_or(Colour::BLACK);
    Some(format!(
        ":root{{--site-accent:{accent};--site-on-accent:{};--site-ground:{background};--site-on-ground:{}}}",
        ink(accent),
        ink(background)
    ))
}

/// `GET /w/{slug}/logo/{hash}`
async fn logo(
    State(app): State<App>,
    here: Here,
    Path((_, hash)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let png = app.issuer_logo(&here.issuer, &hash).await?.ok_or(Failure::NotFound("picture"))?;
    Ok(([(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, FOR_EVER)], png).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stylesheet_holds_colours_and_nothing_else() {
        assert_eq!(
            stylesheet("0b5747-ffd500.css").unwrap(),
            ":root{--site-accent:#0b5747;--site-on-accent:#ffffff;--site-ground:#ffd500;--site-on-ground:#161a19}"
        );
        for bad in
            ["", "0b5747.css", "0b5747-ffd500", "0b5747-red.css", "0b5747-ffd500;}.css", "url(x)-ffd500.css"]
        {
            assert_eq!(stylesheet(bad), None, "{bad}");
        }
    }
}
