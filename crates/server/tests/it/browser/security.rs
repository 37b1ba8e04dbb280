//! Settings > Security, as an owner fills it in.

use crate::support::{TestStave, person::Person};

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_chooses_what_composer_sees() {
    let Some(ada) = Person::sit_down().await else { return };
    let (stave, _) = TestStave::with_acme().await;
    ada.open(&format!("{}/login?return_to=/orgs/acme", stave.url)).await;
    ada.press("Log in with Bitbucket").await;
    ada.press("Log in as ada").await;
    ada.press("Grant access").await;
    ada.press("Settings").await;
    ada.press("Security").await;
    ada.sees("Hide source code checkout URLs").await;
    assert!(ada.is_ticked("Block downloads of package versions flagged as malware").await);
    assert!(ada.is_ticked("Of all mirrored packages").await);
    ada.look("security").await;

    ada.tick("Never").await;
    ada.tick("Limit to list below").await;
    ada.fill("Allowed plugins", "acme/*").await;
    ada.fill("Minimum age of a release", "400").await;
    ada.press("Save").await;
    ada.sees("Nothing was saved yet.").await;
    ada.sees("Type a number of days from 0 to 365").await;
    assert!(ada.is_ticked("Never").await, "what was typed is still there");
    ada.look("security-refused").await;

    ada.fill("Minimum age of a release", "7").await;
    ada.press("Save").await;
    ada.sees("Saved.").await;
    ada.sees("A refused download can be passed by.").await;
    assert_eq!(ada.read("Allowed plugins").await.trim(), "acme/*");
    ada.look("security-saved").await;
    ada.leave().await;
}
