//! Settings > Access of an organization: the integration through which its members have to log in.

use super::ListQuery;
use crate::{
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    organization::address,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use stave_app::{AccessForm, AccessFound, AccessRule, AccessView, App, Failure, Problems};

pub(super) fn router() -> Router<App> {
    Router::new().route("/orgs/{organization}/settings/access", get(show).post(change))
}

#[derive(Template)]
#[template(path = "access/rule.html")]
struct AccessPage {
    frame: Frame,
    home: String,
    view: AccessView,
    /// The id of the integration that is chosen in the form; empty leaves it to the members.
    chosen: String,
    /// What is asked about: the text, and the packages and people whose names have it.
    asked: String,
    found: Option<AccessFound>,
    /// The log-in link to share, and what it leads through; `None` if there is none.
    link: Option<(String, String)>,
    problems: Problems,
}

impl AccessPage {
    async fn of(app: &App, frame: Frame, short_name: &str) -> Result<Self, Failure> {
        let view = app.access_show(&frame.actor, short_name).await?;
        let enforced =
            view.choices.iter().find(|rule| view.organization.enforced == Some(rule.integration.id));
        // Before one is enforced, only an organization's own integrations have a link.
        let own = || view.choices.iter().find(|rule| rule.integration.organization_id.is_some());
        let link = enforced.or_else(own).map(|rule| {
            let integration = &rule.integration;
            (app.login_link(&view.organization, integration), integration.name.clone())
        });
        let chosen = view.organization.enforced.map(|id| id.to_string()).unwrap_or_default();
        let home = home(&view.organization);
        let (asked, found, problems) = (String::new(), None, Problems::default());
        Ok(Self { frame, home, view, chosen, asked, found, link, problems })
    }

    fn is_chosen(&self, rule: &AccessRule) -> bool {
        self.chosen == rule.integration.id.to_string()
    }

    /// The name of the integration that counts now.
    fn enforced(&self) -> Option<&str> {
        let rule = self
            .view
            .choices
            .iter()
            .find(|rule| Some(rule.integration.id) == self.view.organization.enforced);
        rule.map(|rule| rule.integration.name.as_str())
    }

    /// Whoever has no account there would lock themselves out. What is chosen already stays, or it would not be sent along.
    fn is_closed(&self, rule: &AccessRule) -> bool {
        !rule.is_connected && !self.is_chosen(rule)
    }

    /// Where the actor connects the account that is missing; `None` if they cannot, since they are no member.
    fn connect(&self, rule: &AccessRule) -> Option<String> {
        let can = rule
            .integration
            .organization_id
            .is_none_or(|owner| self.frame.organizations.iter().any(|organization| organization.id == owner));
        let can = can && self.frame.actor.whole().is_ok();
        can.then(|| {
            format!(
                "/profile/accounts/{}/connect?return_to={}/settings/access",
                rule.integration.slug, self.home
            )
        })
    }
}

/// `GET /orgs/{organization}/settings/access`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Page<AccessPage>, PageError> {
    let page = AccessPage::of(&app, frame, &short_name).await?;
    if query.q.trim().is_empty() {
        return Ok(Page(page));
    }
    let found = app.access_search(&page.frame.actor, &short_name, &query.q).await?;
    Ok(Page(AccessPage { asked: query.q, found: Some(found), ..page }))
}

/// `POST /orgs/{organization}/settings/access`
async fn change(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<AccessForm>,
) -> Result<Response, PageError> {
    match app.access_update(&frame.actor, &short_name, &form).await {
        Ok(()) => Ok(Done::Saved.at(&format!("{}/settings/access", address(&short_name))).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = AccessPage::of(&app, frame, &short_name).await?;
            Ok(Refused(AccessPage { problems, chosen: form.integration, ..page }).into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Browser, TestSite};
    use axum::http::{Request, StatusCode, header::AUTHORIZATION};
    use stave_domain::integration::Integration;
    use stave_testkit::{FakeBitbucket, Fault};

    const PAGE: &str = "/orgs/acme/settings/access";

    /// grace owns acme and is connected to its own server; linus is a member and is not.
    async fn acme() -> (TestSite, [FakeBitbucket; 2], [Browser; 2], Integration) {
        let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
        let server = FakeBitbucket::start().await;
        let own = site.add_own(&grace, "acme", &server).await;
        let mut linus = site.browser();
        linus.register(&bitbucket, "linus").await;
        grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
        (site, [bitbucket, server], [grace, linus], own)
    }

    fn connect(own: &Integration) -> String {
        format!("/profile/accounts/{}/connect", own.slug)
    }

    #[tokio::test]
    async fn an_owner_without_an_account_cannot_lock_themselves_out() {
        let (_site, [_, server], [mut grace, mut linus], own) = acme().await;
        let page = grace.get(PAGE).await.body;
        assert!(page.contains("you would lock yourself out") && page.contains("disabled"), "{page}");
        let id = own.id.to_string();
        let refused = grace.post(PAGE, &[("integration", &id)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("so you would lock yourself out"), "{}", refused.body);
        assert_eq!(linus.get("/orgs/acme").await.status, StatusCode::OK, "nothing was changed");
        assert_eq!(linus.get(PAGE).await.status, StatusCode::FORBIDDEN, "only owners");

        let back = grace.connect(&format!("{}?return_to={PAGE}", connect(&own)), &server, "grace").await;
        assert_eq!(back.location, format!("{PAGE}?done=account-connected"));
        assert_eq!(grace.post(PAGE, &[("integration", &id)]).await.location, format!("{PAGE}?done=saved"));
        let page = grace.get(PAGE).await.body;
        assert!(page.contains("<b>One member</b> has no account at Bitbucket of acme"), "{page}");
        assert!(page.contains(&format!("http://127.0.0.1:8080/login/acme/{}", own.slug)), "{page}");

        let profile = grace.get("/profile").await.body;
        let ends = profile.split('"').filter(|text| text.ends_with("/disconnect"));
        let mut refusals = 0;
        for end in ends.map(str::to_owned).collect::<Vec<_>>().into_iter().rev() {
            let answer = grace.post(&end, &[]).await;
            refusals += usize::from(answer.body.contains("You own Acme, whose members have to log in with"));
        }
        assert_eq!(refusals, 1, "the account that the rule asks for stays");
        assert_eq!(grace.get(PAGE).await.status, StatusCode::OK);
    }

    #[tokio::test]
    async fn an_owner_mends_a_log_in_that_is_asked_for_and_fails() {
        let (site, [bitbucket, server], [mut grace, _], own) = acme().await;
        grace.connect(&connect(&own), &server, "grace").await;
        grace.post(PAGE, &[("integration", &own.id.to_string())]).await;
        let mut phone = site.browser();
        phone.travel("/login/bitbucket", &bitbucket, "grace").await;
        let integration = format!("/orgs/acme/settings/integrations/{}/edit", own.id);
        for page in [PAGE, &integration] {
            assert_eq!(phone.get(page).await.status, StatusCode::FORBIDDEN, "{page} while it works");
        }
        server.fail("/site/oauth2/access_token", Fault::status(401, "{\"error\":\"invalid_client\"}"));
        site.browser().travel(&format!("/login/{}", own.slug), &server, "grace").await;
        for page in [PAGE, &integration] {
            assert_eq!(phone.get(page).await.status, StatusCode::OK, "{page}");
        }
        assert_eq!(phone.get("/orgs/acme").await.status, StatusCode::FORBIDDEN, "only what mends it");
        assert_eq!(phone.post(PAGE, &[("integration", "")]).await.location, format!("{PAGE}?done=saved"));
        assert_eq!(phone.get("/orgs/acme").await.status, StatusCode::OK);
    }

    #[tokio::test]
    async fn the_rule_counts_at_once_and_the_right_log_in_passes() {
        let (site, [bitbucket, server], [mut grace, mut linus], own) = acme().await;
        grace.connect(&connect(&own), &server, "grace").await;
        let token = site.token_of(&mut linus).await;
        assert_eq!(composer(&site, &token).await.0, StatusCode::OK);
        grace.post(PAGE, &[("integration", &own.id.to_string())]).await;

        let asked = linus.get("/orgs/acme/packages?page=0").await;
        assert_eq!(asked.status, StatusCode::FORBIDDEN);
        assert!(
            asked.body.contains("Acme asks its members to log in with Bitbucket of acme"),
            "{}",
            asked.body
        );
        let link = format!("/login/acme/{}?return_to=/orgs/acme/packages%3Fpage%3D0", own.slug);
        assert!(asked.body.contains(&format!("href=\"{link}\"")), "{}", asked.body);
        assert!(linus.get("/").await.body.contains("/orgs/acme"), "the list still has it");
        let (status, body) = composer(&site, &token).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(body.contains("\"warning\":\"Acme asks its members to log in with"), "{body}");
        let denied = linus.post("/orgs/acme/token", &[]).await;
        assert_eq!(denied.status, StatusCode::FORBIDDEN);

        let page = linus.get(&link).await.body;
        assert!(page.contains("Connect your account at Bitbucket of acme"), "{page}");
        let action = format!("{}?return_to=/orgs/acme/packages%3Fpage%3D0", connect(&own));
        assert!(page.contains(&action), "{page}");
        let back = linus.connect(&action, &server, "linus").await;
        assert_eq!(back.location, "/orgs/acme/packages?page=0&done=account-connected");
        assert_eq!(linus.get("/orgs/acme").await.status, StatusCode::OK);
        assert_eq!(composer(&site, &token).await.0, StatusCode::OK, "the token works again");

        let mut phone = site.browser();
        phone.travel("/login/bitbucket", &bitbucket, "linus").await;
        assert_eq!(phone.get("/orgs/acme").await.status, StatusCode::FORBIDDEN, "another way in");
        let page = phone.get(&link).await.body;
        assert!(page.contains("Log in with Bitbucket of acme") && !page.contains("Connect your"), "{page}");
        let door = format!("/login/{}?return_to={}", own.slug, link.replace('?', "%3F").replace('&', "%26"));
        let back = phone.travel(&door, &server, "linus").await.location;
        assert_eq!(phone.get(&back).await.location, "/orgs/acme/packages?page=0");
        assert_eq!(phone.get("/orgs/acme").await.status, StatusCode::OK);

        assert_eq!(grace.post(PAGE, &[("integration", "")]).await.location, format!("{PAGE}?done=saved"));
        let mut tablet = site.browser();
        tablet.travel("/login/bitbucket", &bitbucket, "linus").await;
        assert_eq!(tablet.get("/orgs/acme").await.status, StatusCode::OK, "the rule is gone");
    }

    #[tokio::test]
    async fn only_what_is_in_the_list_can_be_chosen() {
        let (site, _, [mut grace, _], _) = acme().await;
        grace.post("/orgs/new", &[("name", "Other"), ("short_name", "other")]).await;
        let elsewhere = site.add_own(&grace, "other", &FakeBitbucket::start().await).await;
        for id in [elsewhere.id.to_string(), "nonsense".into()] {
            let refused = grace.post(PAGE, &[("integration", &id)]).await;
            assert!(refused.body.contains("Choose an integration from the list."), "{}", refused.body);
        }
    }

    /// What Composer gets for packages.json with a token.
    async fn composer(site: &TestSite, token: &str) -> (StatusCode, String) {
        let request =
            Request::get("/repo/acme/packages.json").header(AUTHORIZATION, format!("Bearer {token}"));
        let answer = site.browser().send(request, "").await;
        (answer.status, answer.body)
    }
}
