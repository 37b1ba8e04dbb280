//! Websites to fill a database with. Everything of the website with the number 1 has numbers from 10 to 19, and so on.

use super::{at, id, organization};
use crate::Storage;
use stave_domain::{
    Secret,
    id::WebsiteId,
    secret::{Sealed, SecretHash},
    website::{
        AccessToken, Address, Client, ClientKind, Consent, Draft, Event, Grant, HeldSecret, Login, Member,
        MemberIdentity, MemberStatus, Pass, Place, ProviderKey, Revision, Scopes, Setting, SigningKey,
        TestReport, Trip, TripPurpose, Visit, Website,
    },
};

/// A website of the organization 1.
pub(crate) fn website(number: u8, slug: &str) -> Website {
    Website {
        id: id(number.into()),
        organization_id: id(1),
        slug: slug.parse().unwrap(),
        name: slug.to_uppercase(),
        origins: vec![format!("https://{slug}.example").parse().unwrap()],
        proxy_keys: vec![],
        revision: None,
        created_at: at(number.into()),
    }
}

/// The organization `acme` with the website `shop`, which has the number 1.
pub(crate) async fn shop(storage: &Storage) -> Website {
    storage.organization_insert(&organization(1, "acme")).await.unwrap();
    let shop = website(1, "shop");
    storage.website_insert(&shop).await.unwrap();
    shop
}

/// `shop` as before and `zoo`, which has the number 2: each with one member, who is signed in, with one client, and with one
/// row in every other table.
pub(crate) async fn shop_and_zoo(storage: &Storage) -> [Website; 2] {
    let shop = shop(storage).await;
    let zoo = website(2, "zoo");
    storage.website_insert(&zoo).await.unwrap();
    storage.user_insert(&super::user(1, "ada"), None).await.unwrap();
    fill(storage, 1).await;
    fill(storage, 2).await;
    [shop, zoo]
}

/// The hash of the secret with this number.
pub(crate) fn hash(number: u8) -> SecretHash {
    SecretHash([number; 32])
}

pub(crate) fn provider() -> ProviderKey {
    "bitbucket".parse().unwrap()
}

pub(crate) fn place(host: &str) -> Place {
    Place::stored(format!("bitbucket https://{host}"))
}

/// Addresses; those with a `+` in front are verified.
pub(crate) fn addresses(texts: &[&str]) -> Vec<Address> {
    let address = |text: &&str| Address {
        address: text.trim_start_matches('+').parse().unwrap(),
        is_verified: text.starts_with('+'),
    };
    texts.iter().map(address).collect()
}

fn of(number: u8) -> WebsiteId {
    id((number / 10).into())
}

pub(crate) fn member(number: u8) -> Member {
    Member {
        id: id(number.into()),
        website_id: of(number),
        sub: format!("sub-{number}"),
        name: "Grace Hopper".into(),
        handle: format!("grace{number}"),
        picture: None,
        email: None,
        roles: "editor,staff".parse().unwrap(),
        status: MemberStatus::Active,
        created_at: at(number.into()),
        signed_in_at: at(number.into()),
    }
}

/// A member at bitbucket.org.
pub(crate) fn identity(member: &Member) -> MemberIdentity {
    MemberIdentity {
        website_id: member.website_id,
        member_id: member.id,
        place: place("bitbucket.org"),
        external_id: format!("{{{}}}", member.sub),
        second_id: Some("557058:1".into()),
        handle: member.handle.clone(),
        display_name: member.name.clone(),
        addresses: addresses(&["grace@navy.example", "+grace@example.com"]),
        connected_at: at(1),
        signed_in_at: at(2),
    }
}

/// A browser that signed in `number` seconds after the beginning, for an hour at most and a minute without a sign of life.
pub(crate) fn login(number: u8, member: &Member) -> Login {
    Login {
        id: id(number.into()),
        website_id: member.website_id,
        member_id: member.id,
        secret_hash: hash(number),
        provider: provider(),
        place: place("bitbucket.org"),
        authenticated_at: at(number.into()),
        seen_at: at(number.into()),
        idle_seconds: 60,
        ends_at: at(3_600 + i64::from(number)),
        user_agent: "Firefox".into(),
        address: "127.0.0.1".into(),
    }
}

pub(crate) fn pass(number: u8, login: &Login) -> Pass {
    Pass {
        secret_hash: hash(number),
        login_id: login.id,
        website_id: login.website_id,
        origin: "https://shop.example".parse().unwrap(),
        created_at: at(3),
    }
}

pub(crate) fn client(number: u8) -> Client {
    Client {
        id: id(number.into()),
        website_id: of(number),
        public_id: format!("client-{number}"),
        name: "Till".into(),
        kind: ClientKind::Confidential,
        secrets: vec![HeldSecret::of(&Secret::new("correct horse"), at(4))],
        redirect_uris: vec!["https://till.example/cb?a=%20".parse().unwrap()],
        post_logout_uris: vec![],
        pkce_required: true,
        is_own: false,
        may_refresh: true,
        created_at: at(number.into()),
    }
}

pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey {
        id: format!("key-{number}"),
        website_id: of(number),
        private_key: Sealed(vec![7, number]),
        modulus: "n".into(),
        exponent: "AQAB".into(),
        created_at: at(number.into()),
    }
}

/// A code for `client` that is not redeemed.
pub(crate) fn grant(number: u8, login: &Login, client: &Client) -> Grant {
    Grant {
        id: id(number.into()),
        website_id: login.website_id,
        client_id: client.id,
        member_id: login.member_id,
        login_id: login.id,
        scopes: Scopes::known_in("openid email offline_access"),
        nonce: Some("n-0S6_WzA2Mj".into()),
        redirect_uri: client.redirect_uris[0].clone(),
        challenge: None,
        authenticated_at: login.authenticated_at,
        code_hash: hash(number),
        created_at: at(number.into()),
        redeemed_at: None,
        refresh_hash: None,
        refresh_before_hash: None,
        refresh_count: 0,
        refreshed_at: None,
    }
}

pub(crate) fn access(number: u8, grant: &Grant) -> AccessToken {
    AccessToken {
        hash: hash(number),
        grant_id: grant.id,
        website_id: grant.website_id,
        scopes: Scopes::known_in("openid"),
        expires_at: at(600),
    }
}

pub(crate) fn trip(number: u8) -> Trip {
    Trip {
        state_hash: hash(number),
        browser_hash: hash(9),
        website_id: of(number),
        provider: provider(),
        client_id: "key".into(),
        revision: Some(3),
        kept: Sealed(vec![0, number]),
        purpose: TripPurpose::SignIn { request: Some("scope=openid".into()) },
        created_at: at(number.into()),
    }
}

pub(crate) fn visit(number: u8) -> Visit {
    Visit {
        state_hash: hash(number),
        secret_hash: hash(9),
        website_id: of(number),
        origin: "https://shop.example".parse().unwrap(),
        return_to: "/cellar?x=1".into(),
        created_at: at(number.into()),
    }
}

pub(crate) fn event(number: u8) -> Event {
    Event {
        id: id(number.into()),
        website_id: of(number),
        member_id: Some(id(99)),
        sentence: "Grace signed in.".into(),
        is_failure: false,
        address: "127.0.0.*".into(),
        created_at: at(number.into()),
    }
}

pub(crate) fn draft() -> Draft {
    Draft { setting: Setting::default(), began_with: None, author: "ada".into(), changed_at: at(5) }
}

pub(crate) fn revision(number: u32) -> Revision {
    Revision {
        number,
        setting: Setting::default(),
        author: "ada".into(),
        note: String::new(),
        created_at: at(number.into()),
    }
}

/// What the user 1 saw.
pub(crate) fn report(number: u8) -> TestReport {
    TestReport {
        website_id: of(number),
        user_id: id(1),
        provider: provider(),
        label: "Log in with Bitbucket".into(),
        is_draft: true,
        steps: vec![],
        addresses: addresses(&["+grace@example.com"]),
        circles: vec![],
        claims: None,
        tested_at: at(6),
    }
}

/// One row in every table that is a website's own; the numbers begin with that of the website.
async fn fill(storage: &Storage, website: u8) {
    let (website_id, number) = (id(website.into()), 10 * website);
    let (member, client) = (member(number), client(number));
    let login = login(number, &member);
    let grant = grant(number, &login, &client);
    storage.website_draft_put(website_id, &draft()).await.unwrap();
    storage.website_revision_insert(website_id, &revision(1)).await.unwrap();
    storage.website_logo_put(website_id, "00", b"png", at(0)).await.unwrap();
    storage.website_key_insert(&key(number)).await.unwrap();
    storage.website_client_insert(&client).await.unwrap();
    storage.website_member_insert(&member).await.unwrap();
    storage.website_identity_insert(&identity(&member)).await.unwrap();
    storage.website_login_insert(&login).await.unwrap();
    storage.website_pass_insert(&pass(number, &login)).await.unwrap();
    storage.website_grant_insert(&grant).await.unwrap();
    storage.website_access_insert(&access(number, &grant)).await.unwrap();
    storage.website_consent_put(&consent(&member, &client)).await.unwrap();
    storage.website_trip_insert(&trip(number)).await.unwrap();
    storage.website_visit_insert(&visit(number)).await.unwrap();
    storage.website_event_insert(&event(number)).await.unwrap();
    storage.website_test_put(&report(number)).await.unwrap();
}

pub(crate) fn consent(member: &Member, client: &Client) -> Consent {
    Consent {
        member_id: member.id,
        client_id: client.id,
        scopes: Scopes::known_in("openid email"),
        given_at: at(8),
    }
}
