//! Deliveries of webhooks: none is lost, none that is forged counts, and what was pushed is seen soon.

use super::acme::Acme;
use super::platform::{Followed, Platform};
use super::truth::is_fresh;
use stave_testkit::{Fault, Forgery, Repository, Version};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

const REPOSITORIES: usize = 20;

/// How many deliveries are made; `STAVE_TEST_DELIVERIES` makes it more.
fn deliveries() -> usize {
    std::env::var("STAVE_TEST_DELIVERIES").ok().and_then(|text| text.parse().ok()).unwrap_or(200)
}

/// So many packages, all of which `ada` follows and reads.
async fn open(packages: usize) -> (Acme, Vec<Repository>) {
    let acme = Acme::open().await;
    let repositories = (0..packages).map(|number| acme.package("acme", &format!("r{number}"))).collect();
    (acme, repositories)
}

fn manifest(number: usize) -> String {
    format!("{{\"name\": \"acme/r{number}\"}}")
}

#[tokio::test]
async fn a_storm_of_deliveries() {
    let (acme, repositories) = open(REPOSITORIES).await;
    let followed = acme.follow("acme").await;
    let token = acme.token(&acme.ada).await;
    let bitbucket = &acme.stave.bitbucket;
    bitbucket.double_deliveries(10);
    let (count, began) = (deliveries(), Instant::now());
    let pace = Duration::from_millis(10);
    let mut forged = 0;
    for number in 0..count {
        let repository = &repositories[number % REPOSITORIES];
        if number % 20 == 7 {
            let kind = [Forgery::Unsigned, Forgery::WrongSecret, Forgery::OtherBody][number / 20 % 3];
            let statuses = repository.forge(kind).await;
            assert!(statuses == [403] || statuses == [401], "{kind:?}: {statuses:?}");
            forged += 1;
        } else if number % 7 == 0 {
            repository
                .push(|git| git.release(&format!("2.{number}.0"), Some(&manifest(number % REPOSITORIES))));
        } else {
            repository.ring();
        }
        let due = pace * u32::try_from(number).unwrap();
        tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
    }
    let sent = began.elapsed();
    let delivered = bitbucket.deliveries().await;
    followed.rest().await;
    println!(
        "{} deliveries ({} in vain) and {forged} forged ones in {sent:?}; everything was seen after {:?}",
        delivered.len(),
        delivered.iter().filter(|it| it.status.is_none()).count(),
        began.elapsed()
    );
    // Whoever gets no answer in ten seconds delivers again; each is taken in the end, and none is refused.
    let arrived: BTreeSet<&str> =
        delivered.iter().filter(|it| it.status == Some(202)).map(|it| it.id.as_str()).collect();
    for delivery in &delivered {
        let is_fair = matches!(delivery.status, Some(202) | None) && arrived.contains(delivery.id.as_str());
        assert!(is_fair, "{delivery:?}");
    }
    let truth = bitbucket.workspace("acme").truth();
    is_fresh(&token, &truth).await;
    for (number, repository) in repositories.iter().enumerate() {
        for (tag, commit) in &truth.repositories[repository.uuid()].references {
            let Some(tag) = tag.strip_prefix("refs/tags/") else { continue };
            let seen = token.commit(&format!("acme/r{number}"), tag).await;
            assert_eq!(seen.as_ref(), Some(commit), "{tag} of r{number}");
        }
    }
}

#[tokio::test]
async fn what_is_late_replayed_or_unknown_does_no_harm() {
    let (acme, repositories) = open(1).await;
    let followed = acme.follow("acme").await;
    let token = acme.token(&acme.ada).await;
    let (bitbucket, repository) = (&acme.stave.bitbucket, &repositories[0]);
    assert_eq!(repository.forge(Forgery::UnknownRepository).await, [202]);
    followed.rest().await.shows("1 package from 1 repository");
    bitbucket.double_deliveries(100);
    repository.push(|git| git.release("1.0.1", Some(&manifest(0))));
    bitbucket.deliveries().await;
    followed.rest().await;
    assert!(token.commit("acme/r0", "1.0.1").await.is_some());
    bitbucket.heal().delay_deliveries(Duration::from_millis(500));
    repository.push(|git| git.release("1.1.0", Some(&manifest(0))));
    let uuid = repository.uuid().to_owned();
    bitbucket.repository(&uuid).delete();
    bitbucket.deliveries().await;
    followed.succeeds().await;
    assert!(!token.reads("acme/r0").await);

    // One that was lost is caught by the next run.
    let other = bitbucket.heal().workspace("acme").repository("other");
    other.commit("main", &[("composer.json", r#"{"name": "acme/other"}"#)]);
    followed.succeeds().await;
    bitbucket.lose_deliveries(100);
    other.push(|git| git.release("2.0.0", Some(r#"{"name": "acme/other"}"#)));
    bitbucket.deliveries().await;
    assert!(token.commit("acme/other", "2.0.0").await.is_none());
    followed.succeeds().await;
    assert!(token.commit("acme/other", "2.0.0").await.is_some());

    // Somebody takes the webhook away; after the synchronization, nothing rings.
    let id = followed.id();
    let page = acme.ada.open(&format!("{}/delete", followed.page)).await;
    let form = page.form("Delete synchronization").fill(&[("name", "acme")]);
    acme.ada.submit(&page, form).await;
    assert_eq!(bitbucket.calls("DELETE /2.0/workspaces/*/hooks/*"), 1);
    let late = reqwest::Client::new().post(format!("{}/hooks/synchronizations/{id}", acme.stave.url));
    let late = late.header("x-event-key", "repo:push").body("{}").send().await.unwrap();
    assert_eq!(late.status(), 404);
}

#[tokio::test]
async fn a_run_finds_what_data_center_did_not_deliver() {
    let (acme, server) = (Acme::open().await, Platform::data_center(Version::V9_4).await);
    let Platform::DataCenter(bitbucket) = &server else { unreachable!() };
    server.found();
    let repository = bitbucket.project("ACME").repository("r0");
    repository.tag("1.0.0", &manifest(0));
    let slug = server.integrate(&acme.ada, &acme.stave.url).await;
    let away = acme.ada.send(&format!("/profile/accounts/{slug}/connect"), &[]).await;
    server.allow(&acme.ada, &away, "ada").await;
    let (kind, secret) = server.secret().unwrap();
    let rights = acme.credential(kind, &server.host(), &secret).await;
    let followed = Followed::start(&acme.ada, &acme.rows, (&slug, "ACME"), Some(&rights)).await;
    let token = acme.token(&acme.ada).await;
    let package = acme.ada.open("/orgs/acme/packages/acme/r0").await.url.path().to_owned();
    bitbucket.lose_deliveries(100);
    repository.push(|git| git.release("1.1.0", Some(&manifest(0))));
    bitbucket.deliveries().await;
    assert_eq!(token.commit("acme/r0", "1.1.0").await, None);
    followed.succeeds().await;
    assert!(token.commit("acme/r0", "1.1.0").await.is_some());

    // Somebody has the package updated while the run is asking git.
    repository.push(|git| git.release("1.2.0", Some(&manifest(0))));
    bitbucket.fail("/scm/*", Fault::Slow(Duration::from_millis(300))).forget_requests();
    let update = async {
        while bitbucket.calls("*/scm/*") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        acme.ada.send(&format!("{package}/update"), &[]).await
    };
    tokio::join!(followed.succeeds(), update);
    followed.rest().await;
    assert!(token.commit("acme/r0", "1.2.0").await.is_some());
}

#[tokio::test]
async fn from_the_push_to_the_document() {
    let (acme, repositories) = open(5).await;
    let followed = acme.follow("acme").await;
    let token = acme.token(&acme.ada).await;
    let mut took = Vec::new();
    for number in 0..(deliveries() / 10) {
        let at = number % 5;
        let (tag, began) = (format!("3.{number}.0"), Instant::now());
        repositories[at].push(|git| git.release(&tag, Some(&manifest(at))));
        let pushed = began.elapsed();
        while token.commit(&format!("acme/r{at}"), &tag).await.is_none() {
            assert!(began.elapsed() < Duration::from_mins(1), "{tag} is never seen");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        took.push(began.elapsed().saturating_sub(pushed));
    }
    followed.rest().await;
    took.sort_unstable();
    println!("push to visible: p50 {:?}, p95 {:?}", took[took.len() / 2], took[took.len() * 95 / 100]);
}
