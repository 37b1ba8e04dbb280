//! The guide of synchronizations: a workspace is chosen, looked at and followed, and what came of it is found.

use crate::support::{TestStave, person::Person};
use stave_testkit::Workspace;

/// A workspace that Ada owns: four packages, one of which is for Grace and Ken only, and a repository that is none.
fn fill(acme: &Workspace) {
    for name in ["grace", "ken", "barbara"] {
        acme.member(name);
    }
    for slug in ["mailer", "clock", "router", "payments"] {
        acme.sketch(slug, Some(&format!("{{\"name\": \"acme/{slug}\"}}")));
    }
    acme.repository("payments").only_for(&["grace", "ken"]);
    acme.sketch("handbook", None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_follows_a_workspace() {
    let Some(mut ada) = Person::sit_down().await else { return };
    let (stave, _) = TestStave::with_acme().await;
    fill(&stave.bitbucket.workspace("acme"));
    ada.calls(&stave.url, "https://stave.example.com");
    ada.calls(&stave.bitbucket.base_url(), "https://bitbucket.org");
    ada.open(&format!("{}/login?return_to=/orgs/acme/packages", stave.url)).await;
    ada.press("Log in with Bitbucket").await;
    ada.press("Log in as ada").await;
    ada.press("Grant access").await;
    ada.press("Settings").await;
    ada.press("Synchronizations").await;
    ada.look("synchronization-none").await;
    ada.press("Add Synchronization").await;
    ada.sees("You are connected to").await;
    ada.look("synchronization-choice").await;
    ada.press("Choose").await;

    ada.sees("4 repositories have a composer.json, of 5").await;
    ada.sees("One webhook is installed for everything in it.").await;
    ada.look("synchronization-draft").await;
    ada.picture("synchronization-draft", "#state section:last-of-type").await;
    ada.press("Start synchronization").await;
    ada.sees("in order").await;
    ada.sees("4 packages from 5 repositories").await;
    ada.look("synchronization").await;
    ada.picture("synchronization-status", "#state section:last-of-type").await;

    ada.press("Show repositories").await;
    ada.sees("There is none at the root of its default branch").await;
    ada.press("Packages").await;
    ada.press("acme/payments").await;
    ada.press("Who can read it, and why").await;
    ada.look("synchronization-access").await;
    ada.leave().await;
}
