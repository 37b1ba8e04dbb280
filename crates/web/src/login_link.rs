//! The log-in link of an organization: a page to share, with its own way in first.

use crate::{
    error::PageError,
    frame::{Frame, home},
    nowhere_page,
    page::Page,
    return_to::ReturnTo,
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use stave_app::{App, Failure, LoginLink};
use stave_domain::{integration::Integration, organization::Organization};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/login/{organization}/{integration}", get(show))
}

/// The path of the page.
pub(crate) fn address(organization: &Organization, integration: &Integration) -> String {
    format!("/login/{}/{}", organization.short_name, integration.slug)
}

#[derive(Template)]
#[template(path = "login_link.html")]
struct LoginLinkPage {
    frame: Frame,
    link: LoginLink,
    standing: Standing,
    /// Where to go once everything is in order.
    destination: ReturnTo,
    /// This page, which then leads on to the destination.
    again: ReturnTo,
}

/// How somebody stands who opens the link: what is left to do for them.
enum Standing {
    /// Nobody is logged in.
    Stranger,
    /// They are not in the organization.
    Outside,
    /// They have no account at the integration yet.
    Unconnected,
    /// They have one, and are asked to log in with it.
    Unproven,
    /// Nothing is left to do.
    Inside,
}

impl Standing {
    fn of(frame: &Frame, link: &LoginLink) -> Self {
        let LoginLink { organization, integration, account, .. } = link;
        let is_this_asked = organization.enforced == Some(integration.id);
        match account {
            _ if frame.actor.user.is_none() => Self::Stranger,
            _ if !link.is_member => Self::Outside,
            None => Self::Unconnected,
            Some(account) if account.broken_because.is_some() => Self::Unproven,
            Some(_) if is_this_asked && !frame.actor.has_proven(integration.id) => Self::Unproven,
            Some(_) if !frame.actor.reaches(organization.id) => Self::Unproven,
            Some(_) => Self::Inside,
        }
    }
}

impl LoginLinkPage {
    /// What an owner has to know to add them.
    fn username(&self) -> &str {
        self.frame.actor.user.as_ref().map_or("", |user| user.username.as_str())
    }

    /// Whether the organization asks its members for the integration of the link.
    fn is_asked(&self) -> bool {
        self.link.organization.enforced == Some(self.link.integration.id)
    }

    /// Where the button sends that connects an account.
    fn connect(&self) -> String {
        self.destination.after(&format!("/profile/accounts/{}/connect", self.link.integration.slug))
    }

    fn may_enter(&self) -> bool {
        may_enter(&self.frame, &self.link)
    }
}

/// The query of the page.
#[derive(serde::Deserialize)]
struct Onward {
    return_to: Option<ReturnTo>,
}

/// `GET /login/{organization}/{integration}`: told where to go on, it leads there whoever may enter the organization.
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((organization, integration)): Path<(String, String)>,
    Query(Onward { return_to }): Query<Onward>,
) -> Result<Response, PageError> {
    let link = match app.login_link_show(&frame.actor, &organization, &integration).await {
        Err(Failure::NotFound(_)) => return Err(nowhere_page()),
        link => link?,
    };
    if let Some(page) = &return_to
        && may_enter(&frame, &link)
    {
        return Ok(Redirect::to(page.as_str()).into_response());
    }
    let destination = return_to.unwrap_or_else(|| home(&link.organization).into());
    let again = ReturnTo::from(destination.after(&address(&link.organization, &link.integration)));
    let standing = Standing::of(&frame, &link);
    Ok(Page(LoginLinkPage { frame, link, standing, destination, again }).into_response())
}

/// Whether the organization is open to whoever looks.
fn may_enter(frame: &Frame, link: &LoginLink) -> bool {
    let LoginLink { organization, is_member, .. } = link;
    *is_member
        && frame.actor.reaches(organization.id)
        && organization.enforced.is_none_or(|enforced| frame.actor.has_proven(enforced))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Seen, TestSite};
    use axum::http::StatusCode;
    use stave_testkit::FakeBitbucket;

    /// The page without the request number, which differs each time.
    fn without_number(seen: &Seen) -> String {
        let (before, rest) = seen.body.split_once("Request <code>").expect("an error page");
        format!("{before}{}", rest.split_once("</code>").unwrap().1)
    }

    #[tokio::test]
    async fn what_is_not_there_looks_like_any_wrong_address() {
        let (site, _, [_, mut grace]) = TestSite::with_acme().await;
        let own = site.add_own(&grace, "acme", &FakeBitbucket::start().await).await;
        grace.post("/orgs/new", &[("name", "Other"), ("short_name", "other")]).await;
        let others = site.add_own(&grace, "other", &FakeBitbucket::start().await).await;
        for mut browser in [site.browser(), grace] {
            assert_eq!(browser.get(&format!("/login/acme/{}", own.slug)).await.status, StatusCode::OK);
            let nowhere = browser.get("/there/is/nothing").await;
            assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
            for address in [
                "/login/nobody/bitbucket".to_owned(),
                "/login/acme/nothing".to_owned(),
                "/login/acme/bitbucket".to_owned(),
                format!("/login/acme/{}", others.slug),
                format!("/login/nobody/{}", own.slug),
                "/login/-/-".to_owned(),
                "/login/acme/bitbucket/more".to_owned(),
            ] {
                let seen = browser.get(&address).await;
                assert_eq!(seen.status, StatusCode::NOT_FOUND, "{address}");
                assert_eq!(without_number(&seen), without_number(&nowhere), "{address}");
            }
        }
    }

    #[tokio::test]
    async fn the_link_leads_everybody_on_from_where_they_are() {
        let (site, bitbucket, [mut ada, mut grace]) = TestSite::with_acme().await;
        let server = FakeBitbucket::start().await;
        let own = site.add_own(&grace, "acme", &server).await;
        ada.post("/admin/configuration", &[("password_login", "on")]).await;
        let link = format!("/login/acme/{}", own.slug);

        let mut linus = site.browser();
        let page = linus.get(&link).await.body;
        let own_first = page.find("Log in with Bitbucket of acme").unwrap();
        let alternatives = page.find("Alternative login options").unwrap();
        let general = page.find("Log in with Bitbucket<").unwrap();
        let password = page.find("Log in with e-mail and password").unwrap();
        assert!(own_first < alternatives && alternatives < general && general < password, "{page}");
        assert!(page.contains("Log into Acme</h1>") && page.contains(" · 127.0.0.1:"), "{page}");
        let again = format!("{link}?return_to=/orgs/acme");
        assert!(page.contains(&format!("name=\"return_to\" value=\"{again}\"")), "{page}");

        let door = format!("/login/{}?return_to={link}%3Freturn_to=/orgs/acme", own.slug);
        linus.travel(&door, &server, "linus").await;
        let form = [("username", "linus"), ("email", ""), ("name", "")];
        let back = linus.post("/login/register", &form).await.location;
        assert_eq!(back, again);
        let page = linus.get(&back).await.body;
        assert!(page.contains("does not have you as a member yet"), "{page}");
        assert!(page.contains(">linus</textarea>"), "the username to send them: {page}");
        assert_eq!(linus.get("/orgs/acme").await.status, StatusCode::NOT_FOUND);
        grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
        assert_eq!(linus.get(&back).await.location, "/orgs/acme");
        assert!(linus.get(&link).await.body.contains("Go to Acme"));

        let page = grace.get(&link).await.body;
        assert!(page.contains("Connect your account at Bitbucket of acme"), "{page}");
        let connect = format!("/profile/accounts/{}/connect?return_to=/orgs/acme", own.slug);
        assert!(page.contains(&connect), "{page}");
        let back = grace.connect(&connect, &server, "grace").await;
        assert_eq!(back.location, "/orgs/acme?done=account-connected");
        assert!(grace.get(&link).await.body.contains("connected to Bitbucket of acme as grace"));

        let everybodys = site.app.integration_list().await.unwrap().remove(0);
        let general = "/login/acme/bitbucket";
        assert_eq!(grace.get(general).await.status, StatusCode::NOT_FOUND, "it tells of no organization");
        let rule = [("integration", everybodys.id.to_string())];
        let rule = rule.each_ref().map(|(name, id)| (*name, id.as_str()));
        grace.post("/orgs/acme/settings/access", &rule).await;
        let asked = grace.get(general).await.body;
        assert!(asked.contains("asks its members to log in with Bitbucket."), "{asked}");
        let door = format!("/login/bitbucket?return_to={general}");
        assert_eq!(grace.travel(&door, &bitbucket, "grace").await.location, general);
        assert!(grace.get(general).await.body.contains("Go to Acme"));
    }
}
