//! A trip to a platform that did not lead where it should: what happened, and the next step.

use crate::{
    error::{Next, PageError},
    frame::{Frame, home},
    return_to::ReturnTo,
};
use axum::http::StatusCode;
use stave_app::{App, Failure, Level};
use stave_domain::integration::Integration;
use std::borrow::Cow;

/// The page for a failure on the way to an integration and back; `return_to` is where the trip should have led. What the
/// platform refused is not an outage of this server, so a proxy before it does not put its own page over the sentence.
pub(crate) async fn stranded(
    app: &App,
    frame: &Frame,
    failure: Failure,
    (slug, return_to): (&str, &ReturnTo),
) -> Result<PageError, Failure> {
    let is_refusal = matches!(failure, Failure::Elsewhere { is_transient: false, .. });
    let integration = match app.integration_by_slug(slug).await {
        Err(Failure::NotFound(_)) => None,
        found => Some(found?),
    };
    // The failure is an admin's matter if it is what the integration itself tells of now.
    let sentence = failure.to_string();
    let faulty = integration.as_ref().filter(|it| it.last_error.as_ref() == Some(&sentence));
    let mend = match faulty {
        Some(faulty) => mend(app, frame, faulty).await,
        None => None,
    };
    let next = mend.unwrap_or_else(|| match &integration {
        _ if frame.actor.user.is_some() => STILL_INSIDE,
        Some(own) if own.organization_id.is_some() => not_logged_in_at(own),
        _ => NOT_LOGGED_IN,
    });
    let mut error = PageError::from(failure).leading(next);
    if faulty.is_some_and(|faulty| faulty.previous.is_some()) {
        error = error.or(("Log in the way it was before", before(slug, return_to).into()));
    }
    Ok(if is_refusal { error.answered(StatusCode::FORBIDDEN) } else { error })
}

/// The log-in with the client that a changeover has not let go yet: a mistake in the new one locks nobody out.
fn before(slug: &str, return_to: &ReturnTo) -> String {
    let back =
        if return_to.is_home() { String::new() } else { format!("&return_to={}", return_to.encoded()) };
    format!("/login/{slug}?as=before{back}")
}

/// The way on for whoever manages the integration: they can mend it.
async fn mend(app: &App, frame: &Frame, integration: &Integration) -> Option<Next> {
    let (level, list) = match integration.organization_id {
        None => (Level::Installation, "/admin/integrations".to_owned()),
        Some(owner) => {
            let owner = frame.organizations.iter().find(|organization| organization.id == owner)?;
            let list = format!("{}/settings/integrations", home(owner));
            (Level::Organization(owner.short_name.to_string()), list)
        }
    };
    app.integration_show(&frame.actor, &level, integration.id).await.ok()?;
    Some(Next {
        title: "The log-in does not work",
        advice: "You manage this integration: mend it, then log in again.",
        link: ("Edit the integration", Cow::Owned(format!("{list}/{}/edit", integration.id))),
    })
}

pub(crate) const NOT_LOGGED_IN: Next = Next {
    title: "You are not logged in",
    advice: "If it happens again, show this page to an admin.",
    link: ("Log in again", Cow::Borrowed("/login")),
};
const STILL_INSIDE: Next = Next {
    title: "Nothing has changed",
    advice: "You are still logged in here as before. Begin again where you came from; accounts are connected on the Profile.",
    link: ("Back to the Profile", Cow::Borrowed("/profile")),
};

/// An organization's own integration has no button on the page with every way in.
fn not_logged_in_at(own: &Integration) -> Next {
    Next { link: ("Log in again", Cow::Owned(format!("/login/{}", own.slug))), ..NOT_LOGGED_IN }
}

#[cfg(test)]
mod tests {
    use crate::testing::{ALL_SCOPES, Browser, TestSite};
    use axum::http::StatusCode;
    use stave_app::{IntegrationForm, IntegrationSaved, Level};
    use stave_domain::{Secret, integration::Integration};
    use stave_testkit::FakeBitbucket;

    /// Another client takes over, with this secret instead of its own.
    async fn renew(
        site: &TestSite,
        (owner, level): (&Browser, &Level),
        integration: &Integration,
        (server, secret): (&FakeBitbucket, Option<&str>),
    ) {
        let callback = site.app.integration_callback(integration.slug.as_str());
        let consumer = server.consumer("acme", &callback, &ALL_SCOPES);
        let form = IntegrationForm {
            client_id: consumer.key().into(),
            client_secret: secret.map_or_else(|| Secret::new(consumer.secret()), Secret::new),
            save_anyway: Some("true".into()),
            ..site.app.integration_form(integration)
        };
        let actor = site.actor(owner).await;
        let saved = site.app.integration_update(&actor, level, integration.id, &form).await.unwrap();
        assert!(matches!(saved, IntegrationSaved::Saved(_)), "{saved:?}");
    }

    #[tokio::test]
    async fn a_mistyped_secret_of_a_new_client_locks_nobody_out() {
        let (site, bitbucket, [mut ada, _grace]) = TestSite::with_acme().await;
        let integration = site.app.integration_list().await.unwrap().remove(0);
        let (mut phone, mut linus) = (site.browser(), site.browser());
        renew(&site, (&ada, &Level::Installation), &integration, (&bitbucket, Some("mistyped"))).await;

        let failed = phone.travel("/login/bitbucket", &bitbucket, "grace").await;
        assert_eq!(failed.status, StatusCode::FORBIDDEN);
        assert!(failed.body.contains("href=\"/login/bitbucket?as=before\""), "{}", failed.body);
        assert!(!failed.body.contains("Edit the integration"), "{}", failed.body);
        let before = "/login/bitbucket?as=before&return_to=/profile";
        assert_eq!(phone.travel(before, &bitbucket, "grace").await.location, "/profile");
        assert!(phone.get("/orgs/acme").await.body.contains("Log in once more with Bitbucket"));
        let failed = linus.travel("/login/bitbucket", &bitbucket, "linus").await;
        assert!(failed.body.contains("as=before"), "it is offered to everybody: {}", failed.body);
        let failed = ada.travel("/login/bitbucket", &bitbucket, "ada").await;
        let edit = format!("href=\"/admin/integrations/{}/edit\"", integration.id);
        assert!(failed.body.contains(&edit) && failed.body.contains("as=before"), "{}", failed.body);
    }

    #[tokio::test]
    async fn whoever_is_connected_is_asked_once_more_until_they_did() {
        let (site, bitbucket, [ada, mut grace]) = TestSite::with_acme().await;
        let integration = site.app.integration_list().await.unwrap().remove(0);
        assert!(!grace.get("/").await.body.contains("Log in once more"));
        renew(&site, (&ada, &Level::Installation), &integration, (&bitbucket, None)).await;
        let page = grace.get("/orgs/acme").await.body;
        assert!(page.contains("Log in once more with Bitbucket: its connection was renewed."), "{page}");
        assert!(page.contains("href=\"/login/bitbucket?return_to=/orgs/acme\""), "{page}");
        let profile = grace.get("/profile").await.body;
        assert!(profile.contains(">log in once more<"), "{profile}");
        let again = grace.travel("/login/bitbucket?return_to=/orgs/acme", &bitbucket, "grace").await;
        assert_eq!(again.location, "/orgs/acme");
        assert!(!grace.get("/orgs/acme").await.body.contains("Log in once more"));
    }

    #[tokio::test]
    async fn an_owner_is_led_to_their_own_integration_and_others_back_to_its_door() {
        let (site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
        let server = FakeBitbucket::start().await;
        let own = site.add_own(&grace, "acme", &server).await;
        let level = Level::Organization("acme".into());
        renew(&site, (&grace, &level), &own, (&server, Some("mistyped"))).await;
        let door = format!("/login/{}", own.slug);
        let failed = grace.travel(&door, &server, "grace").await;
        let edit = format!("href=\"/orgs/acme/settings/integrations/{}/edit\"", own.id);
        assert!(failed.body.contains(&edit), "{}", failed.body);
        let failed = site.browser().travel(&door, &server, "linus").await;
        assert!(failed.body.contains(&format!("href=\"{door}\"")), "{}", failed.body);
        assert!(!failed.body.contains("as=before"), "nobody was connected by the client before");
    }
}
