//! The site around the log-in pages: where browsers begin, and what only admins see.

use super::{
    session,
    state::{Fake, Switches},
};
use crate::common::page::{self, Page, escape};
use axum::{
    extract::{FromRequestParts, OriginalUri, State as Extract},
    http::{HeaderMap, StatusCode, request::Parts},
    response::{IntoResponse as _, Redirect, Response},
};
use std::{fmt::Write as _, sync::Arc};

/// `GET /`: who one is, the projects, and the way to the administration
pub(crate) async fn home(Extract(fake): Extract<Arc<Fake>>, headers: HeaderMap) -> Response {
    let Some(user) = session::user(&fake, &headers) else { return session::log_in(&fake, &fake.path("/")) };
    let state = fake.state();
    let name = state.user(user).map(|user| user.name.as_str()).unwrap_or_default();
    let mut text =
        format!("<p>You are {}. This is version {}.</p><ul>", escape(name), state.version.number());
    for project in &state.projects {
        let _ = write!(text, "<li>{}</li>", escape(&project.key));
    }
    let _ = write!(
        text,
        "</ul><p><a href=\"{}\">Administration: Application links</a></p>{}",
        fake.path("/plugins/servlet/applinks/listApplicationLinks"),
        session::somebody_else(&fake, &fake.path("/"))
    );
    Page::new("Projects", text).into_response()
}

/// An admin is in this browser; everybody else gets a page.
pub(crate) struct Admin;

impl FromRequestParts<Arc<Fake>> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, fake: &Arc<Fake>) -> Result<Self, Response> {
        let Ok(OriginalUri(here)) = OriginalUri::from_request_parts(parts, fake).await;
        let here = here.path_and_query().map(ToString::to_string).unwrap_or_default();
        let Some(user) = session::user(fake, &parts.headers) else {
            return Err(session::log_in(fake, &here));
        };
        let is_admin = fake.state().user(user).is_some_and(|user| user.global.is_some());
        if is_admin {
            return Ok(Self);
        }
        let text = format!("<p>Only an admin may see this page.</p>{}", session::somebody_else(fake, &here));
        Err(Page::new("Not allowed", text).with_status(StatusCode::FORBIDDEN).into_response())
    }
}

/// `GET /plugins/servlet/tfa/verify`: what the two-factor plugin shows to somebody without the second factor
pub(crate) async fn second_factor() -> Response {
    second_factor_page()
}

pub(crate) fn second_factor_page() -> Response {
    let text = "<p>Type in the code of your authenticator app (2FA for Bitbucket: U2F &amp; TOTP).</p>";
    Page::new("Two-factor authentication", text.to_owned()).into_response()
}

/// `GET /plugins/servlet/tfa/configuration`: "Plugin settings" of the two-factor plugin
pub(crate) async fn plugin(Extract(fake): Extract<Arc<Fake>>, _: Admin) -> Response {
    let state = fake.state();
    let Switches { two_factor: Some(_), oauth_whitelist, .. } = state.switches else {
        return page::not_found("The plugin is not installed.");
    };
    let (verb, told) = if oauth_whitelist { ("Disable", "enabled") } else { ("Enable", "disabled") };
    let text = format!(
        "<h2>Plugin settings</h2><p>The OAuth whitelist is {told}. It lets requests run that are authenticated through \
         OAuth.</p><form method=\"post\"><button>{verb} OAuth whitelist</button></form>"
    );
    Page::new("2FA Configuration", text).into_response()
}

/// `POST /plugins/servlet/tfa/configuration`: the button was pressed
pub(crate) async fn plugin_change(
    Extract(fake): Extract<Arc<Fake>>,
    OriginalUri(uri): OriginalUri,
    _: Admin,
) -> Response {
    let mut state = fake.state();
    state.switches.oauth_whitelist = !state.switches.oauth_whitelist;
    Redirect::to(uri.path()).into_response()
}

/// Every path that no route names.
pub(crate) async fn nothing() -> Response {
    page::not_found("The page you were looking for appears to have been moved, deleted or does not exist.")
}
