//! Mirrored repositories: added, put into an order with buttons and with the mouse, looked at when one fails, and used by hand.

use crate::support::{TestStave, person::Person};
use serde_json::json;
use stave_testkit::{FakeComposerRepository, Fault};

/// Drags the last mirror that can be moved before the first one, as a mouse does. A browser lets no script say where something was
/// dropped, so the events are not quite its own.
const DRAG: &str =
    "const rows = [...document.querySelectorAll('[data-item]')], [first, last] = [rows[0], rows.at(-1)];
    const dataTransfer = { dropEffect: 'move', setData() {} };
    const tell = (row, type, clientY = 0) => {
      const event = new Event(type, { bubbles: true, cancelable: true });
      row.dispatchEvent(Object.assign(event, { dataTransfer, clientY }));
    };
    tell(last, 'dragstart');
    tell(first, 'dragover', first.getBoundingClientRect().top + 1);
    tell(first, 'drop');
    tell(last, 'dragend');";

#[tokio::test(flavor = "multi_thread")]
async fn mirrors_are_added_put_into_an_order_and_used() {
    let Some(ada) = Person::sit_down().await else { return };
    let (stave, _) = TestStave::with_acme().await;
    let (shop, tools) = (FakeComposerRepository::start().await, FakeComposerRepository::start().await);
    shop.package("shop/cart").version("1.0.0", &json!({"description": "A cart"}));
    ada.open(&format!("{}/login?return_to=/orgs/acme/settings/mirroring", stave.url)).await;
    ada.press("Log in with Bitbucket").await;
    ada.press("Log in as ada").await;
    ada.press("Grant access").await;
    ada.sees("No mirrored repositories").await;
    ada.look("mirror-none").await;
    for (name, upstream) in [("Shop", &shop), ("Tools of a vendor with a long name", &tools)] {
        ada.press("Add Mirrored Repository").await;
        ada.fill("Name", name).await;
        ada.fill("URL", &upstream.url()).await;
        ada.choose("Permissions", "Packages are added manually by any member").await;
        ada.look("mirror-new").await;
        ada.press("Create").await;
        ada.sees("Composer 2").await;
        ada.press("Mirrored repositories").await;
    }
    let order = async || {
        let rows = ada.driver.execute("return [...document.querySelectorAll('[data-item] td:first-child > a')].map((link) => link.textContent)", vec![]);
        rows.await.unwrap().json().clone()
    };
    ada.sees("Tools of a vendor").await;
    assert_eq!(order().await, json!(["Shop", "Tools of a vendor with a long name"]));
    ada.look("mirror-list").await;
    ada.press("↓").await;
    ada.sees("Saved").await;
    assert_eq!(order().await, json!(["Tools of a vendor with a long name", "Shop"]));
    ada.open(&format!("{}/orgs/acme/settings/mirroring", stave.url)).await;
    ada.driver.execute(DRAG, vec![]).await.unwrap();
    ada.sees("Saved").await;
    assert_eq!(order().await, json!(["Shop", "Tools of a vendor with a long name"]));

    ada.open(&format!("{}/orgs/acme/packages/new/mirror", stave.url)).await;
    ada.choose("Mirrored repository", "Shop").await;
    ada.fill("Packages", "shop/cart shop/none").await;
    ada.press("Add Packages").await;
    ada.sees("Shop has no package shop/none.").await;
    ada.look("mirror-add").await;

    shop.fail("*", Fault::status(503, ""));
    ada.open(&format!("{}/orgs/acme/settings/mirroring", stave.url)).await;
    ada.press("Shop").await;
    ada.press("Update now").await;
    ada.sees("It could not be read").await;
    ada.look("mirror-failing").await;
    ada.leave().await;
}
