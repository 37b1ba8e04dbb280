//! People, roles, rights, teams and packages follow, and what tokens read with them.

use super::acme::Acme;
use super::platform::{Followed, Platform};
use super::truth::{agrees, is_fresh};
use jiff::SignedDuration;
use stave_testkit::{Composer, Level, Version};

const ALL: [&str; 3] = ["acme/mailer", "acme/secret", "acme/lib"];

#[tokio::test]
async fn people_and_what_they_read_follow_the_workspace() {
    let acme = Acme::open().await;
    let workspace = acme.stave.bitbucket.workspace("acme");
    workspace.member("grace");
    acme.package("acme", "mailer");
    let secret = acme.package("acme", "secret");
    secret.only_for(&["grace"]);
    let lib = acme.package("acme", "lib");
    lib.only_for(&["linus"]);
    workspace.sketch("docs", None);

    let followed = Followed::look(&acme.ada, &acme.rows, ("bitbucket", "acme"), None).await;
    let page = followed.rest().await;
    page.shows("3 repositories have a composer.json, of 4").shows("One webhook is installed");
    acme.ada.open("/orgs/acme/packages").await.shows("No packages yet");
    let page = acme.ada.press(&page, "Start synchronization").await;
    page.shows("primary");
    followed.rest().await.shows("3 packages from 4 repositories");
    let truth = workspace.truth();
    agrees(&followed, &truth, true).await;

    let grace = acme.newcomer("grace").await;
    grace.open("/orgs/acme/packages").await.shows("acme/mailer").shows("acme/secret").hides("acme/lib");
    let linus = acme.newcomer("linus").await;
    let stranger = acme.newcomer("dan").await;
    assert_eq!(stranger.open("/orgs/acme").await.status, 404);
    acme.ada.open("/orgs/acme/members").await.shows("grace").shows("linus").hides(">dan<");
    let (hers, his, adas) = (acme.token(&grace).await, acme.token(&linus).await, acme.token(&acme.ada).await);
    assert_eq!(adas.read_of(&ALL).await, ALL);
    assert_eq!(hers.read_of(&ALL).await, ["acme/mailer", "acme/secret"]);
    assert_eq!(his.read_of(&ALL).await, ["acme/lib"]);
    is_fresh(&adas, &truth).await;
    let composer: Composer = acme.stave.composer(&grace).await;
    let hers = acme.token(&grace).await;
    composer.config_auth(&acme.stave.url, "token", hers.text());
    let run = composer.require("acme/secret").await;
    assert!(run.success(), "{run}");

    secret.revoke("grace");
    followed.succeeds().await;
    assert_eq!(hers.read_of(&ALL).await, ["acme/mailer"], "gone in the next run");
    composer.forget_cache();
    assert!(!composer.update().await.success());
    grace.open("/orgs/acme/packages").await.hides("acme/secret");
    secret.grant("linus", Level::Write);
    workspace.remove("grace");
    followed.succeeds().await;
    assert_eq!(hers.read_of(&ALL).await, [""; 0]);
    assert_eq!(grace.open("/orgs/acme").await.status, 404);
    assert_eq!(his.read_of(&ALL).await, ["acme/secret", "acme/lib"]);
    acme.ada.open("/orgs/acme/members").await.hides("grace");
    acme.ada.open("/orgs/acme/settings/log").await.shows("grace is no member any more");
    agrees(&followed, &workspace.truth(), true).await;
}

#[tokio::test]
async fn whoever_is_found_can_be_deactivated_first() {
    let acme = Acme::open().await;
    acme.stave.bitbucket.workspace("acme").member("grace");
    acme.package("acme", "mailer");
    acme.ada.send("/orgs/acme/members/settings", &[("deactivates_found", "on")]).await;
    let followed = acme.follow("acme").await;
    let grace = acme.newcomer("grace").await;
    grace.open("/orgs/acme/packages").await.hides("acme/mailer");
    let page = acme.ada.open("/orgs/acme/members").await;
    page.shows("deactivated");
    acme.ada.press(&page, "Activate").await;
    let token = acme.token(&grace).await;
    assert!(token.reads("acme/mailer").await);
    let page = acme.ada.open("/orgs/acme/members").await;
    acme.ada.press(&page, "Deactivate member").await;
    assert!(!token.reads("acme/mailer").await, "at once");
    followed.succeeds().await;
    assert!(!token.reads("acme/mailer").await, "no run activates anybody");
}

#[tokio::test]
async fn packages_follow_their_repositories() {
    let acme = Acme::open().await;
    let workspace = acme.stave.bitbucket.workspace("acme");
    let [mailer, one, other, gone, empty, bare] =
        ["mailer", "one", "other", "gone", "empty", "bare"].map(|slug| acme.package("acme", slug));
    acme.stave.bitbucket.workspace("globex").owner("ada");
    let followed = acme.follow("acme").await;
    let token = acme.token(&acme.ada).await;
    is_fresh(&token, &workspace.truth()).await;

    // What lost its composer.json stays for its tags, and is followed too.
    bare.push(|git| git.release("2.0.0", None));
    followed.succeeds().await;
    bare.rename("bear");

    mailer.rename("postman");
    one.rename("between");
    other.rename("one");
    one.rename("other");
    gone.transfer("globex");
    empty.empty();
    followed.succeeds().await;
    let truth = workspace.truth();
    agrees(&followed, &truth, true).await;
    is_fresh(&token, &truth).await;
    assert!(!token.reads("acme/gone").await);
    assert_eq!(token.commit("acme/empty", "dev-main").await, None);
    assert!(token.commit("acme/bare", "1.0.0").await.is_some());

    // Who deletes a package does not want it again; but it can be had.
    let package = acme.ada.open("/orgs/acme/packages/acme/one").await;
    acme.ada.send(&format!("{}/delete", package.url.path()), &[]).await;
    one.push(|git| git.release("1.1.0", Some(r#"{"name": "acme/one"}"#)));
    acme.stave.bitbucket.deliveries().await;
    followed.succeeds().await;
    assert!(!token.reads("acme/one").await);
    let list = acme.ada.open(&format!("{}/repositories?only=taken-out", followed.page)).await;
    let list = acme.ada.press(list.shows("other"), "Add").await;
    assert!(list.status.is_success(), "{}", list.text());
    followed.rest().await;
    assert!(token.commit("acme/one", "1.1.0").await.is_some());

    gone.transfer("acme");
    mailer.delete();
    followed.succeeds().await;
    assert!(token.reads("acme/gone").await);
    assert!(!token.reads("acme/mailer").await);
    agrees(&followed, &workspace.truth(), true).await;
    is_fresh(&token, &workspace.truth()).await;
}

#[tokio::test]
async fn what_may_only_be_hidden_stays_for_a_day() {
    let acme = Acme::open().await;
    acme.stave.bitbucket.workspace("globex").owner("grace").member("ada");
    acme.package("globex", "mailer");
    let secret = acme.package("globex", "secret");
    // Only grace sees everything there, and ada follows it.
    let followed = acme.follow("globex").await;
    let grace = acme.newcomer("grace").await;
    let (hers, both) = (acme.token(&grace).await, ["acme/mailer", "acme/secret"]);
    assert_eq!(hers.read_of(&both).await, both);
    let hidden = "no longer shown to these rights";
    let list = format!("{}/repositories", followed.page);

    secret.only_for(&["grace"]);
    followed.succeeds().await.shows(hidden);
    acme.ada.open(&list).await.shows("After a day it counts as deleted.");
    assert_eq!(hers.read_of(&both).await, both, "ada lost a right, and grace did not");
    acme.rows.clock.advance(SignedDuration::from_hours(23));
    secret.grant("ada", Level::Read);
    followed.succeeds().await.hides(hidden);
    acme.ada.open(&list).await.hides("After a day it counts as deleted.");

    secret.only_for(&["grace"]);
    followed.succeeds().await;
    acme.rows.clock.advance(SignedDuration::from_hours(23));
    followed.succeeds().await.shows(hidden);
    assert_eq!(hers.read_of(&both).await, both, "the day counts from the last time that it was shown");
    acme.rows.clock.advance(SignedDuration::from_hours(1));
    followed.succeeds().await;
    assert_eq!(hers.read_of(&both).await, ["acme/mailer"]);
    followed.succeeds().await.hides(hidden);
}

#[tokio::test]
async fn two_workspaces_bring_the_same_name_and_one_is_promoted() {
    let acme = Acme::open().await;
    let globex = acme.stave.bitbucket.workspace("globex");
    globex.owner("grace").member("ada");
    acme.stave.bitbucket.workspace("acme").member("linus");
    acme.package("acme", "mailer");
    let twin = acme.package("globex", "mailer");
    acme.package("globex", "extra");
    let first = acme.follow("acme").await;
    let token = acme.token(&acme.ada).await;
    let before = token.commit("acme/mailer", "dev-main").await;
    twin.commit("main", &[("README", "another")]);
    let grace = acme.newcomer("grace").await;
    assert_eq!(grace.open("/orgs/acme").await.status, 404);
    // Only grace sees what everybody may read in globex, and only ada may add it; so each person is asked.
    let second = acme.follow("globex").await;
    grace.open("/orgs/acme/packages").await;
    assert_eq!(token.commit("acme/mailer", "dev-main").await, before, "the first one keeps its name");
    acme.ada
        .open(&format!("{}/repositories?only=problem", second.page))
        .await
        .shows("mailer")
        .shows("acme/mailer");
    acme.stave.sign_in(&grace, "grace").await;
    grace.open("/orgs/acme/packages").await.shows("acme/extra");
    let hers = acme.token(&grace).await;
    assert_eq!(hers.read_of(&["acme/mailer", "acme/extra"]).await, ["acme/extra"]);

    acme.ada.open("/orgs/acme/members").await.shows("grace");
    let page = acme.ada.open(&format!("{}/promote", second.page)).await;
    page.shows("grace");
    acme.ada.press(&page, "Promote synchronization").await.shows("primary");
    grace.open("/orgs/acme/settings").await.shows("Settings");
    let members = acme.ada.open("/orgs/acme/members").await;
    members.shows("ada member follows").shows("grace owner follows");

    grace.open(&format!("{}/delete", second.page)).await.shows("Promote another one first");
    let page = grace.open(&format!("{}/promote", first.page)).await;
    grace.press(&page, "Promote synchronization").await;
    let page = acme.ada.open(&format!("{}/delete", second.page)).await;
    let form = page.form("Delete synchronization").fill(&[("name", "globex")]);
    acme.ada.submit(&page, form).await;
    assert_eq!(grace.open("/orgs/acme").await.status, 404);
    first.rest().await;
    assert!(!token.reads("acme/extra").await);
    assert_eq!(
        acme.stave.bitbucket.calls("DELETE /2.0/workspaces/*/hooks/*"),
        0,
        "none was hung up in globex"
    );
}

#[tokio::test]
async fn nobody_is_known_by_an_address() {
    let acme = Acme::open().await;
    let server = Platform::data_center(Version::V8_19).await;
    let Platform::DataCenter(bitbucket) = &server else { unreachable!() };
    bitbucket.user("root").system_admin();
    let php = bitbucket.project("PHP");
    let repository = php.repository("tool");
    repository.tag("1.0.0", r#"{"name": "acme/tool"}"#);
    bitbucket.user("linus").email("grace@example.com");
    bitbucket.user("grace.hopper").email("other@example.com");
    bitbucket.group("php", &["grace.hopper"]);
    php.grant_group("php", Level::Read).grant("linus", Level::Write);
    acme.stave.bitbucket.workspace("acme").member("grace").member("linus");
    acme.package("acme", "mailer");
    let slug = server.integrate(&acme.ada, &acme.stave.url).await;
    let cloud = acme.follow("acme").await;
    let token = bitbucket.user("root").http_token(&["PROJECT_ADMIN", "REPO_ADMIN"]);
    let rights = acme.credential("http_access_token", &server.host(), &token).await;
    let followed = Followed::start(&acme.ada, &acme.rows, (&slug, "PHP"), Some(&rights)).await;
    followed.rest().await.shows("1 package from 1 repository");
    agrees(&followed, &php.truth(), false).await;
    acme.ada.open("/orgs/acme/teams").await.shows("php");

    let grace = acme.newcomer("grace").await;
    let hers = acme.token(&grace).await;
    let both = ["acme/mailer", "acme/tool"];
    assert_eq!(hers.read_of(&both).await, ["acme/mailer"], "the address of linus there is hers here");
    let away = grace.send(&format!("/profile/accounts/{slug}/connect"), &[]).await;
    server.allow(&grace, &away, "grace.hopper").await;
    assert_eq!(hers.read_of(&both).await, both, "one person with two accounts");
    acme.ada.open("/orgs/acme/teams").await.shows("php");

    acme.stave.bitbucket.workspace("acme").remove("grace");
    cloud.succeeds().await;
    assert_eq!(hers.read_of(&both).await, ["acme/tool"], "still a member because of the other");
    bitbucket.group("php", &[]);
    followed.succeeds().await;
    assert_eq!(hers.read_of(&both).await, [""; 0]);
    assert_eq!(grace.open("/orgs/acme").await.status, 404);

    repository.archive();
    followed.succeeds().await;
    php.revoke_group("php");
    followed.succeeds().await;
    acme.ada.open("/orgs/acme/teams").await.hides("php");
    agrees(&followed, &php.truth(), false).await;
}

#[tokio::test]
async fn where_nobody_sees_the_rights_of_all_each_person_is_asked() {
    let acme = Acme::open().await;
    let workspace = acme.stave.bitbucket.workspace("acme");
    workspace.member("grace");
    acme.package("acme", "mailer");
    let secret = acme.package("acme", "secret");
    secret.only_for(&["grace"]);
    let token = workspace.access_token(&["account", "repository", "webhook"]);
    let host = acme.stave.bitbucket.base_url().replace("http://", "");
    let rights = acme.credential("access_token", &host, &token).await;
    let draft = Followed::look(&acme.ada, &acme.rows, ("bitbucket", "acme"), Some(&rights)).await;
    let page = draft.rest().await;
    page.shows("It cannot see what everybody may read");
    acme.ada.press(&page, "Start synchronization").await;
    let followed = draft;
    followed.rest().await.shows("2 packages");

    let grace = acme.newcomer("grace").await;
    let hers = acme.token(&grace).await;
    let both = ["acme/mailer", "acme/secret"];
    assert_eq!(hers.read_of(&both).await, both, "asked at log-in");
    let people = acme.ada.open(&format!("{}/people", followed.page)).await;
    people.shows("grace");

    // While Bitbucket says nothing, the answer counts for 24 hours.
    acme.stave.bitbucket.fail("/2.0/user*", stave_testkit::Fault::status(403, ""));
    acme.rows.clock.advance(SignedDuration::from_hours(23));
    followed.run().await;
    assert_eq!(hers.read_of(&both).await, both);
    acme.rows.clock.advance(SignedDuration::from_hours(2));
    followed.run().await;
    assert_eq!(hers.read_of(&both).await, [""; 0], "too old");
    acme.stave.bitbucket.heal();
    followed.run().await;
    assert_eq!(hers.read_of(&both).await, both, "asked on a schedule");

    secret.revoke("grace");
    followed.run().await;
    assert_eq!(hers.read_of(&both).await, ["acme/mailer"]);
    workspace.remove("grace");
    followed.run().await;
    assert_eq!(hers.read_of(&both).await, [""; 0]);
}
