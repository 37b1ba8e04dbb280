//! Codes work once, refresh tokens one after the other, and everything ends with the grant.

use super::Redeemed;
use crate::{
    Storage, StorageError,
    testing::{
        at, id, test_storage,
        website::{access, client, consent, grant, hash, login, member, shop},
    },
};
use stave_domain::website::{AccessToken, Client, Consent, Grant, Scopes, Website};
use tokio::task::JoinSet;

/// The shop with a member who is signed in and let a client do something: the code is the secret 10.
async fn granted(storage: &Storage) -> (Website, Client, Grant) {
    let shop = shop(storage).await;
    let (grace, till) = (member(10), client(10));
    let login = login(10, &grace);
    let grant = grant(10, &login, &till);
    storage.website_member_insert(&grace).await.unwrap();
    storage.website_client_insert(&till).await.unwrap();
    storage.website_login_insert(&login).await.unwrap();
    storage.website_grant_insert(&grant).await.unwrap();
    (shop, till, grant)
}

#[tokio::test]
async fn a_code_works_once_for_its_client() {
    let storage = test_storage().await;
    let (shop, till, grant) = granted(&storage).await;
    storage.website_client_insert(&client(11)).await.unwrap();
    let redeem = async |website, client, code, seconds| {
        storage.website_grant_redeem(website, client, &hash(code), at(seconds)).await.unwrap()
    };
    for (website, client, code) in [(shop.id, id(11), 10), (id(2), till.id, 10), (shop.id, till.id, 11)] {
        assert_eq!(redeem(website, client, code, 20).await, Redeemed::Unknown);
    }
    let redeemed = Grant { redeemed_at: Some(at(21)), ..grant };
    assert_eq!(redeem(shop.id, till.id, 10, 21).await, Redeemed::Now(redeemed.clone()));
    assert_eq!(redeem(shop.id, till.id, 10, 22).await, Redeemed::Before(redeemed.clone()));
    let twin = storage.website_grant_insert(&Grant { id: id(11), ..redeemed.clone() }).await;
    assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
    assert!(storage.website_grant_delete(shop.id, redeemed.id).await.unwrap());
    assert!(!storage.website_grant_delete(shop.id, redeemed.id).await.unwrap());
    assert_eq!(redeem(shop.id, till.id, 10, 23).await, Redeemed::Unknown);
}

/// Rule S-22 of the specification.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_at_once_one_redeems_the_code() {
    let storage = test_storage().await;
    let (shop, till, _) = granted(&storage).await;
    let mut tasks = JoinSet::new();
    for seconds in 0..50 {
        let storage = Storage::clone(&storage);
        let (website, client) = (shop.id, till.id);
        tasks.spawn(async move {
            storage.website_grant_redeem(website, client, &hash(10), at(seconds)).await.unwrap()
        });
    }
    let ended = tasks.join_all().await;
    let count = |is: fn(&Redeemed) -> bool| ended.iter().filter(|redeemed| is(redeemed)).count();
    assert_eq!(count(|redeemed| matches!(redeemed, Redeemed::Now(_))), 1);
    assert_eq!(count(|redeemed| matches!(redeemed, Redeemed::Before(_))), 49);
}

#[tokio::test]
async fn refresh_tokens_follow_one_another() {
    let storage = test_storage().await;
    let (shop, till, mut grant) = granted(&storage).await;
    let find = async |client, token| {
        storage.website_grant_find_by_refresh(shop.id, client, &hash(token)).await.unwrap()
    };
    for (from, to) in [(None, 51), (Some(51), 52), (Some(52), 53)] {
        let wrong = [None, Some(99), Some(51)].into_iter().filter(|token| *token != from);
        for wrong in wrong {
            let wrong = wrong.map(hash);
            let swapped = storage.website_grant_refresh(grant.id, wrong.as_ref(), &hash(60), at(1)).await;
            assert!(!swapped.unwrap(), "{wrong:?} does not work");
        }
        let now = at(to.into());
        let from = from.map(hash);
        assert!(storage.website_grant_refresh(grant.id, from.as_ref(), &hash(to), now).await.unwrap());
        grant = Grant {
            refresh_hash: Some(hash(to)),
            refresh_before_hash: from,
            refresh_count: grant.refresh_count + 1,
            refreshed_at: Some(now),
            ..grant
        };
        assert_eq!(find(till.id, to).await, Some((grant.clone(), true)));
    }
    assert_eq!(find(till.id, 52).await, Some((grant, false)));
    assert_eq!(find(till.id, 51).await, None);
    assert_eq!(find(id(11), 53).await, None);
    let elsewhere = storage.website_grant_find_by_refresh(id(2), till.id, &hash(53)).await.unwrap();
    assert_eq!(elsewhere, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_at_once_one_refreshes() {
    let storage = test_storage().await;
    let (_, _, grant) = granted(&storage).await;
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let storage = Storage::clone(&storage);
        let id = grant.id;
        let refresh =
            async move { storage.website_grant_refresh(id, None, &hash(100 + number), at(1)).await.unwrap() };
        tasks.spawn(refresh);
    }
    let swapped = tasks.join_all().await.into_iter().filter(|swapped| *swapped).count();
    assert_eq!(swapped, 1);
}

#[tokio::test]
async fn an_access_token_ends_with_its_grant_or_before() {
    let storage = test_storage().await;
    let (shop, _, grant) = granted(&storage).await;
    let expiring = |number, seconds| AccessToken { expires_at: at(seconds), ..access(number, &grant) };
    let tokens = [expiring(10, 100), expiring(11, 101), expiring(12, 102), expiring(13, 102)];
    for token in &tokens {
        storage.website_access_insert(token).await.unwrap();
    }
    let find = async |number| storage.website_access_find(shop.id, &hash(number)).await.unwrap();
    assert_eq!(find(10).await, Some((tokens[0].clone(), grant.clone(), member(10))));
    assert_eq!(storage.website_access_delete_before(at(101)).await.unwrap(), 2);
    assert_eq!((find(10).await, find(11).await), (None, None));
    let deleted = storage.website_access_delete(shop.id, &hash(12)).await.unwrap();
    assert_eq!(deleted, Some(grant.id));
    assert_eq!(storage.website_access_delete(shop.id, &hash(12)).await.unwrap(), None);
    assert!(find(13).await.is_some());
    assert!(storage.website_grant_delete(shop.id, grant.id).await.unwrap());
    assert_eq!(find(13).await, None);
    let late = storage.website_access_insert(&access(14, &grant)).await;
    assert!(matches!(late, Err(StorageError::Detached)), "{late:?}");
}

#[tokio::test]
async fn what_one_member_let_one_client_do_ends() {
    let storage = test_storage().await;
    let (shop, till, first) = granted(&storage).await;
    let (ada, stock) = (member(11), client(11));
    let of_ada = login(11, &ada);
    storage.website_member_insert(&ada).await.unwrap();
    storage.website_client_insert(&stock).await.unwrap();
    storage.website_login_insert(&of_ada).await.unwrap();
    storage.website_grant_insert(&grant(11, &of_ada, &till)).await.unwrap();
    storage.website_grant_insert(&grant(12, &login(10, &member(10)), &stock)).await.unwrap();
    let end = async |website, member, client| {
        storage.website_grant_delete_of_member(website, member, client).await.unwrap()
    };
    assert_eq!(end(id(2), first.member_id, till.id).await, 0);
    assert_eq!(end(shop.id, first.member_id, till.id).await, 1);
    assert_eq!(end(shop.id, first.member_id, till.id).await, 0);
    assert_eq!(end(shop.id, ada.id, till.id).await, 1);
    assert_eq!(end(shop.id, first.member_id, stock.id).await, 1);
}

#[tokio::test]
async fn old_grants_are_forgotten() {
    let storage = test_storage().await;
    let (shop, till, first) = granted(&storage).await;
    for number in 11..=15 {
        let redeemed_at = (number != 12).then_some(at(50));
        let grant = Grant { redeemed_at, ..grant(number, &login(10, &member(10)), &till) };
        storage.website_grant_insert(&grant).await.unwrap();
    }
    let unredeemed = storage.website_grant_delete_ended(at(12), at(0)).await.unwrap();
    assert_eq!(unredeemed, 1, "the one of 10; that of 12 is not old enough");
    assert_eq!(storage.website_grant_delete_ended(at(13), at(14)).await.unwrap(), 3);
    let redeem =
        async |code| storage.website_grant_redeem(shop.id, till.id, &hash(code), at(60)).await.unwrap();
    for (code, is_there) in [(10, false), (11, false), (12, false), (13, false), (14, true), (15, true)] {
        assert_eq!(redeem(code).await != Redeemed::Unknown, is_there, "{code}");
    }
    assert_eq!(first.redeemed_at, None);
}

#[tokio::test]
async fn a_consent_is_given_and_taken_back() {
    let storage = test_storage().await;
    let (_, till, grant) = granted(&storage).await;
    let stock = Client { name: "Stock".into(), ..client(11) };
    storage.website_client_insert(&stock).await.unwrap();
    let grace = member(10);
    let first = consent(&grace, &till);
    let wider =
        Consent { scopes: Scopes::known_in("openid email groups"), given_at: at(20), ..first.clone() };
    for consent in [&first, &wider] {
        storage.website_consent_put(consent).await.unwrap();
        assert_eq!(storage.website_consent_find(grace.id, till.id).await.unwrap().as_ref(), Some(consent));
    }
    assert_eq!(storage.website_consent_find(grace.id, stock.id).await.unwrap(), None);
    let second = consent(&grace, &stock);
    storage.website_consent_put(&second).await.unwrap();
    let listed = storage.website_consent_list(grace.id).await.unwrap();
    assert_eq!(listed, [(wider, "Till".to_owned()), (second, "Stock".to_owned())]);
    assert!(storage.website_consent_delete(grace.id, till.id).await.unwrap());
    assert!(!storage.website_consent_delete(grace.id, till.id).await.unwrap());
    storage.website_client_delete(till.website_id, stock.id).await.unwrap();
    assert_eq!(storage.website_consent_list(grace.id).await.unwrap(), []);
    assert!(storage.website_grant_delete(till.website_id, grant.id).await.unwrap(), "the grant stayed");
}
