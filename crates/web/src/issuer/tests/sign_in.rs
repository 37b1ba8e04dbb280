//! The way in, and who is not let in.

use super::{Shop, is_in, through};
use axum::http::StatusCode;
use stave_domain::website::MemberStatus;
use stave_testkit::{Email, FakeBitbucket, Fault};

#[tokio::test]
async fn a_visitor_becomes_a_member_without_registration() {
    let shop = Shop::open().await;
    shop.bitbucket
        .user("mia")
        .display_name("Mia Wong")
        .emails(&[Email::unconfirmed("old@example.com"), Email::primary("mia@example.com")]);
    let mut mia = shop.site.browser();
    let form = mia.get("/w/shop/login").await;
    assert!(
        form.body.contains("Log in to The Shop")
            && form.body.contains("formaction=\"/w/shop/login/bitbucket\"")
    );
    assert_eq!(shop.log_in(&mut mia, "mia").await.location, "/w/shop/account");
    let page = mia.get("/w/shop/account").await.body;
    for kept in
        ["Mia Wong", "mia@example.com", "old@example.com", ">verified<", ">not verified<", "this browser"]
    {
        assert!(page.contains(kept), "{kept}: {page}");
    }
    assert_eq!(mia.get("/w/shop/login").await.location, "/w/shop/account", "already inside");

    shop.visitor("mia").await;
    let members = shop.members().await;
    assert_eq!(members.len(), 1, "the same person, in another browser");
    assert!(members[0].email.as_ref().is_some_and(|email| email.is_verified));
}

#[tokio::test]
async fn nobody_is_in_without_a_cookie_and_the_account_asks() {
    let shop = Shop::open().await;
    let mut nobody = shop.site.browser();
    assert_eq!(nobody.get("/w/shop/account").await.location, "/w/shop/login");
    nobody.cookies.insert("stave_op_shop".into(), "made-up".into());
    assert_eq!(nobody.post("/w/shop/account/delete", &[]).await.location, "/w/shop/login");
    let nowhere = nobody.get("/w/no-such-shop/login").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    assert!(nowhere.body.contains("There is nothing here"));
}

/// S-1
#[tokio::test]
async fn a_trip_ends_once_and_in_the_browser_that_left() {
    let shop = Shop::open().await;
    let (mut mia, mut thief) = (shop.site.browser(), shop.site.browser());
    let back = shop.almost(&mut mia, "mia").await;
    // The thief is on a trip of their own, so that they have a cookie too.
    shop.almost(&mut thief, "mallory").await;
    let stolen = thief.get(&back).await;
    assert_eq!(stolen.status, StatusCode::BAD_REQUEST);
    assert!(
        stolen.body.contains("This log-in is over") && stolen.body.contains("Try again"),
        "{}",
        stolen.body
    );
    assert!(!thief.cookies.contains_key("stave_op_shop"));
    assert!(shop.members().await.is_empty());

    let back = shop.almost(&mut mia, "mia").await;
    assert_eq!(mia.get(&back).await.location, "/w/shop/account");
    let again = mia.get(&back).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "a replay");
    assert!(again.body.contains("You are still logged in as before"), "{}", again.body);
    assert!(is_in(&mut mia).await, "who was in stays in");
}

/// S-1, S-24
#[tokio::test]
async fn a_state_is_for_one_website_and_one_button() {
    let shop =
        Shop::open_with(&[("integration_bitbucket_on", "on"), ("integration_bitbucket_label", "With ours")])
            .await;
    shop.found("other", "The Other").await;
    let mut mia = shop.site.browser();
    for (from, to) in [("/w/shop/", "/w/other/"), ("callback/bitbucket", "callback/integration-bitbucket")] {
        let back = shop.almost(&mut mia, "mia").await;
        let elsewhere = mia.get(&back.replace(from, to)).await;
        assert_eq!(elsewhere.status, StatusCode::BAD_REQUEST, "{to}: {}", elsewhere.body);
        assert_eq!(mia.get(&back).await.status, StatusCode::BAD_REQUEST, "it was taken");
    }
    assert!(!mia.cookies.keys().any(|name| name.starts_with("stave_op_")));
    assert!(shop.members().await.is_empty());
}

#[tokio::test]
async fn a_trip_lasts_ten_minutes_and_one_setting() {
    let shop = Shop::open().await;
    let mut mia = shop.site.browser();
    let back = shop.almost(&mut mia, "mia").await;
    shop.site.app.clock().advance(jiff::SignedDuration::from_mins(10));
    assert_eq!(mia.get(&back).await.status, StatusCode::BAD_REQUEST);

    let back = shop.almost(&mut mia, "mia").await;
    shop.save("shop", &[("title", "Another form")]).await;
    let changed = mia.get(&back).await;
    assert!(changed.body.contains("was changed while you were away"), "{}", changed.body);
}

/// S-7
#[tokio::test]
async fn a_log_in_takes_a_new_id_and_ends_the_one_before() {
    let shop = Shop::open().await;
    let mut mia = shop.visitor("mia").await;
    let first = mia.cookies["stave_op_shop"].clone();
    let mut mallory = shop.site.browser();
    mallory.cookies.insert("stave_op_shop".into(), first.clone());
    assert!(is_in(&mut mallory).await, "a stolen cookie works");
    shop.log_in(&mut mia, "mia").await;
    assert_ne!(mia.cookies["stave_op_shop"], first);
    assert!(!is_in(&mut mallory).await, "until the next log-in");

    let mut planted = shop.site.browser();
    planted.cookies.insert("stave_op_shop".into(), "planted-by-mallory".into());
    shop.log_in(&mut planted, "mia").await;
    assert_ne!(planted.cookies["stave_op_shop"], "planted-by-mallory");
}

#[tokio::test]
async fn who_is_not_let_in_reads_why() {
    let shop = Shop::open_with(&[("sign_up", "approval")]).await;
    let mut mia = shop.site.browser();
    let pending = shop.log_in(&mut mia, "mia").await;
    assert_eq!(pending.status, StatusCode::FORBIDDEN);
    assert!(
        pending.body.contains("Your request is with the owner") && !pending.body.contains("Try again"),
        "{}",
        pending.body
    );
    assert!(!mia.cookies.contains_key("stave_op_shop"));
    let mut owner = shop.site.browser();
    owner.cookies = shop.grace.cookies.clone();
    let list = owner.get("/orgs/acme/websites/shop/members").await.body;
    assert!(list.contains("<b>1 waits for you.</b>") && list.contains(">never<"), "{list}");
    let log = owner.get("/orgs/acme/websites/shop/log").await.body;
    assert!(log.contains("was not let in: waits for approval.") && !log.contains(">failed<"), "{log}");
    let member = shop.members().await.remove(0);
    shop.set_status(&member, MemberStatus::Active).await;
    assert_eq!(shop.log_in(&mut mia, "mia").await.location, "/w/shop/account");

    shop.set_status(&member, MemberStatus::Blocked).await;
    assert!(!is_in(&mut mia).await, "at once");
    assert!(shop.log_in(&mut mia, "mia").await.body.contains("You may not log in to The Shop"));

    shop.save("shop", &[("sign_up", "closed")]).await;
    let closed = shop.log_in(&mut shop.site.browser(), "linus").await;
    assert!(closed.body.contains("takes no new members"), "{}", closed.body);
    assert_eq!(shop.members().await.len(), 1);
}

/// S-11
#[tokio::test]
async fn a_workspace_is_asked_for_at_every_log_in() {
    let shop = Shop::open().await;
    let crew = shop.bitbucket.workspace("crew");
    crew.member("mia");
    let uuid = crew.uuid().to_owned();
    shop.save("shop", &[("bitbucket_workspaces", &uuid)]).await;
    let mut mia = shop.visitor("mia").await;
    let outside = shop.log_in(&mut shop.site.browser(), "linus").await;
    assert!(outside.body.contains("is for members of the workspace"), "{}", outside.body);

    crew.remove("mia");
    assert!(
        shop.log_in(&mut shop.site.browser(), "mia").await.body.contains("is for members of the workspace")
    );
    assert!(is_in(&mut mia).await, "a browser that is in stays in");
    shop.site.app.clock().advance(jiff::SignedDuration::from_hours(7));
    assert!(is_in(&mut mia).await);
    for _ in 0..3 {
        shop.site.app.clock().advance(jiff::SignedDuration::from_hours(6));
        mia.get("/w/shop/account").await;
    }
    assert!(!is_in(&mut mia).await, "for a day at most");
}

/// S-8
#[tokio::test]
async fn an_address_never_makes_somebody_another_member() {
    let shop = Shop::open().await;
    let own = FakeBitbucket::start().await;
    let theirs = shop.site.add_own(&shop.grace, "acme", &own).await;
    let door = format!("/w/shop/login/integration-{}", theirs.slug);
    let key = format!("integration_{}", theirs.slug);
    shop.save("shop", &[(&format!("{key}_on"), "on"), (&format!("{key}_email"), "confirmed")]).await;
    let addresses = [
        ("verified", vec![Email::primary("verified@example.com")]),
        ("unverified", vec![Email::unconfirmed("unverified@example.com")]),
        ("none", vec![]),
    ];
    for (nickname, emails) in &addresses {
        shop.bitbucket.user(nickname).emails(emails);
        shop.visitor(nickname).await;
    }
    let before: Vec<String> = shop.members().await.into_iter().map(|member| member.sub).collect();
    for trust in ["confirmed", "never"] {
        shop.save("shop", &[(&format!("{key}_email"), trust)]).await;
        for address in ["verified@example.com", "unverified@example.com", "none@example.com"] {
            for (kind, email) in [("c", Email::primary(address)), ("u", Email::unconfirmed(address))] {
                let name = format!("{kind}-{trust}-{}", address.split_once('@').unwrap().0);
                own.user(&name).emails(&[email]);
                let mut browser = shop.site.browser();
                let back = through(&mut browser, &door, &own, &name).await;
                let is_collision = kind == "c" && trust == "confirmed" && address.starts_with("verified");
                assert_eq!(back.status == StatusCode::FORBIDDEN, is_collision, "{name}: {}", back.body);
                if is_collision {
                    assert!(back.body.contains("already belongs to a member of The Shop"), "{}", back.body);
                    assert!(!back.body.contains(&shop.bitbucket.base_url()), "it is not said which server");
                }
                let page = browser.get("/w/shop/account").await.body;
                assert!(!before.iter().any(|sub| page.contains(sub.as_str())), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_button_can_be_an_integration_with_its_own_callback() {
    let shop =
        Shop::open_with(&[("integration_bitbucket_on", "on"), ("integration_bitbucket_label", "With ours")])
            .await;
    let mut mia = shop.site.browser();
    let back = through(&mut mia, "/w/shop/login/integration-bitbucket", &shop.bitbucket, "mia").await;
    assert_eq!(back.location, "/w/shop/account", "{}", back.body);
    shop.log_in(&mut mia, "mia").await;
    assert_eq!(shop.members().await.len(), 1, "two buttons to one server know one person");
    assert_eq!(mia.get("/profile").await.location, "/login?return_to=/profile", "it opens nothing of Stave");
}

#[tokio::test]
async fn when_the_server_fails_there_is_a_next_step() {
    let shop = Shop::open().await;
    let mut mia = shop.site.browser();
    let back = shop.almost(&mut mia, "mia").await;
    shop.bitbucket.fail_next("/2.0/user", Fault::status(503, ""));
    let failed = mia.get(&back).await;
    assert!(
        failed.body.contains("You are not logged in") && failed.body.contains("Try again"),
        "{}",
        failed.body
    );
    assert!(!mia.cookies.contains_key("stave_op_shop") && shop.members().await.is_empty());

    let away = mia.post("/w/shop/login/bitbucket", &[]).await;
    let denied = crate::testing::path_of(&shop.bitbucket.deny_access(&away.location, "mia").await);
    let cancelled = mia.get(&denied).await;
    assert!(cancelled.body.contains("You are not logged in"), "{}", cancelled.body);
    assert_eq!(shop.log_in(&mut mia, "mia").await.location, "/w/shop/account");
}

#[tokio::test]
async fn a_button_that_is_off_leads_nowhere() {
    let shop = Shop::open().await;
    let mut mia = shop.site.browser();
    let back = shop.almost(&mut mia, "mia").await;
    shop.save("shop", &[("whole", "on"), ("integration_bitbucket_on", "on")]).await;
    assert_eq!(mia.post("/w/shop/login/bitbucket", &[]).await.status, StatusCode::NOT_FOUND);
    assert!(mia.get(&back).await.status.is_client_error());
    assert!(shop.members().await.is_empty());
}

/// S-19
#[tokio::test]
async fn one_address_cannot_begin_for_ever() {
    let shop = Shop::open().await;
    let mut mia = shop.site.browser();
    for _ in 0..30 {
        assert_eq!(mia.post("/w/shop/login/bitbucket", &[]).await.status, StatusCode::SEE_OTHER);
    }
    let late = mia.post("/w/shop/login/bitbucket", &[]).await;
    assert_eq!(late.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = late.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait) && late.body.contains("Try again in a minute"), "{wait} {}", late.body);
    let nowhere = mia.post("/w/shop/login/nowhere", &[]).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND, "a button that is not there is no try");
}
