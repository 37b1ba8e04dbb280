//! A visitor comes back from a server.

use super::{
    authorized,
    cookie::Cookie,
    face,
    here::Here,
    login,
    problem::{Problem, Way},
};
use crate::{actor::By, cookie::is_https};
use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderName, StatusCode, header::REFERRER_POLICY},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use stave_app::{App, Failure, IssuerArrival, IssuerBrowser};
use std::collections::BTreeMap;

pub(crate) fn router() -> Router<App> {
    Router::new().route("/w/{slug}/callback/{provider}", get(finish))
}

/// The address that a server sent the browser to holds a code: no other page hears of it, not even one of ours.
pub(crate) const UNHEARD: [(HeaderName, &str); 1] = [(REFERRER_POLICY, "no-referrer")];

/// `GET /w/{slug}/callback/{provider}`: back from the server. The cookie of the trip stays: another tab may be on its way.
async fn finish(
    State(app): State<App>,
    here: Here,
    By(actor): By,
    Path((_, provider)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Response, Problem> {
    let browser =
        IssuerBrowser { trip: here.trip.as_ref(), login: here.login.as_ref(), visitor: &here.visitor };
    let arrival = match app.issuer_arrive(&here.issuer, (&provider, &query), browser, &actor).await {
        Ok(arrival) => arrival,
        // It is the browser that came wrong, and not somebody without a right.
        Err(failure @ Failure::Denied(_)) => {
            let problem = Problem::from(failure).answered(StatusCode::BAD_REQUEST);
            if here.signed_in.is_some() {
                return Err(still_in(&here, problem));
            }
            return Err(login::not_in(&app, &here.issuer, problem, None).await?);
        }
        Err(failure) => return Err(failure.into()),
    };
    Ok((UNHEARD, welcome(&app, here, arrival).await?).into_response())
}

async fn welcome(app: &App, mut here: Here, arrival: IssuerArrival) -> Result<Response, Problem> {
    let account = format!("{}/account", face::path(&here.issuer.website));
    let is_https = is_https(app.url());
    match arrival {
        IssuerArrival::SignedIn { cookie, signed_in, request } => {
            let cookie = Cookie::Login(&here.issuer).put(is_https, &cookie);
            let Some(request) = request else { return Ok((cookie, Redirect::to(&account)).into_response()) };
            let authorized = app.issuer_authorize_after(&here.issuer, &signed_in, &request).await?;
            here.signed_in = Some(*signed_in);
            Ok((cookie, authorized::show(app, &here, authorized).await?).into_response())
        }
        IssuerArrival::Connected { cookie } => {
            let cookie = Cookie::Login(&here.issuer).put(is_https, &cookie);
            Ok((cookie, Redirect::to(&format!("{account}?done=connected"))).into_response())
        }
        IssuerArrival::Tested { organization } => {
            let slug = &here.issuer.website.slug;
            Ok(Redirect::to(&format!("/orgs/{organization}/websites/{slug}/test")).into_response())
        }
        // They did nothing wrong, and there is nothing to try again.
        IssuerArrival::Waiting { sentence } => Err(Problem::new(StatusCode::FORBIDDEN, sentence)
            .titled("Your request is with the owner")
            .leading(Way::home(&here.issuer.website))),
        IssuerArrival::Out { sentence, request } => {
            let problem = Problem::new(StatusCode::FORBIDDEN, sentence);
            if here.signed_in.is_some() && request.is_none() {
                return Err(still_in(&here, problem));
            }
            Err(login::not_in(app, &here.issuer, problem, request.as_deref()).await?)
        }
    }
}

/// Whoever was signed in before they left still is: a reload of this address, or an account that was not connected.
fn still_in(here: &Here, problem: Problem) -> Problem {
    let website = &here.issuer.website;
    problem
        .titled("You are still logged in as before")
        .leading(Way::to("Go to your account", format!("{}/account", face::path(website))))
        .leading(Way::home(website))
}
