//! A repository with several packages: added by ticking the box that says so, looked at, and changed.

use crate::support::{TestStave, person::Person};

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_with_several_packages_is_added_and_changed() {
    let Some(ada) = Person::sit_down().await else { return };
    let (stave, _) = TestStave::with_acme().await;
    let repository = stave.bitbucket.workspace("acme").repository("tools");
    repository.push(|git| {
        let commit = git.commit(
            "main",
            &[
                ("packages/mail/composer.json", r#"{"name": "acme/mail", "description": "Sends mail"}"#),
                ("packages/log/composer.json", r#"{"name": "acme/log"}"#),
                ("packages/odd/composer.json", r#"{"name": "Acme/Odd"}"#),
            ],
        );
        git.tag("v1.0.0", &commit);
        git.tag("mail/v1.1.0", &commit);
    });
    ada.open(&format!("{}/login?return_to=/orgs/acme/packages", stave.url)).await;
    ada.press("Log in with Bitbucket").await;
    ada.press("Log in as ada").await;
    ada.press("Grant access").await;
    ada.press("Add your first package").await;
    ada.misses("Where the composer.json files are").await;
    ada.fill("URL", &repository.clone_url()).await;
    ada.tick("Repository contains multiple packages or composer.json is located in a subdirectory").await;
    ada.fill("Paths", "packages/*").await;
    ada.look("monorepo-form").await;
    ada.press("Add Package").await;
    ada.sees("acme/log").await;
    ada.sees("has no usable name").await;
    ada.look("monorepo").await;
    ada.press("acme/mail").await;
    ada.sees("v1.1.0").await;
    ada.sees("Sends mail").await;
    ada.look("monorepo-package").await;

    ada.press("Edit").await;
    assert_eq!(ada.read("Paths").await, "packages/*");
    ada.fill("Paths", "packages/mail").await;
    ada.press("Save").await;
    ada.sees("no longer name this folder").await;
    ada.look("monorepo-changed").await;
    ada.press("acme/log").await;
    ada.sees("nothing of this package is served").await;
    ada.look("monorepo-unnamed").await;
    ada.leave().await;
}
