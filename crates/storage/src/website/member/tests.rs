use crate::{
    Storage, StorageError,
    testing::{
        at, id, test_storage,
        website::{addresses, identity, member, place, shop, website},
    },
};
use stave_domain::website::{Member, MemberIdentity, MemberStatus};

#[tokio::test]
async fn a_member_keeps_what_their_applications_know_them_by() {
    let storage = test_storage().await;
    let shop = shop(&storage).await;
    let mut grace = member(10);
    storage.website_member_insert(&grace).await.unwrap();
    let twin = storage.website_member_insert(&Member { id: id(11), ..grace.clone() }).await;
    assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
    for email in [addresses(&["grace@navy.example"]).pop(), addresses(&["+grace@navy.example"]).pop(), None] {
        grace = Member {
            name: "Rear Admiral Hopper".into(),
            handle: "amazing".into(),
            picture: Some("https://avatar.example/1".into()),
            email,
            status: MemberStatus::Pending,
            signed_in_at: at(50),
            ..grace
        };
        let changed = Member { sub: "other".into(), created_at: at(99), ..grace.clone() };
        storage.website_member_update(&changed).await.unwrap();
        assert_eq!(storage.website_member_find(shop.id, grace.id).await.unwrap().as_ref(), Some(&grace));
    }
    grace.roles = "admin".parse().unwrap();
    storage.website_member_role_update(shop.id, grace.id, &grace.roles).await.unwrap();
    grace.status = MemberStatus::Blocked;
    storage.website_member_status_update(shop.id, grace.id, grace.status).await.unwrap();
    assert_eq!(storage.website_member_find(shop.id, grace.id).await.unwrap().as_ref(), Some(&grace));
    assert!(storage.website_member_delete(shop.id, grace.id).await.unwrap());
    assert!(!storage.website_member_delete(shop.id, grace.id).await.unwrap());
    let gone = storage.website_member_update(&grace).await;
    assert!(matches!(gone, Err(StorageError::Detached)), "{gone:?}");
}

#[tokio::test]
async fn members_are_searched_and_paged() {
    let storage = test_storage().await;
    let shop = shop(&storage).await;
    let people = [
        Member { name: "Ångström".into(), signed_in_at: at(99), ..member(10) },
        Member { email: addresses(&["50%_off@shop.example"]).pop(), ..member(11) },
        Member { status: MemberStatus::Blocked, ..member(12) },
        member(13),
    ];
    for member in &people {
        storage.website_member_insert(member).await.unwrap();
    }
    let elsewhere =
        MemberIdentity { external_id: "{9A-Uuid}".into(), handle: "ÄDA-9".into(), ..identity(&people[3]) };
    storage.website_identity_insert(&elsewhere).await.unwrap();
    let (blocked, all) = (Some(MemberStatus::Blocked), "10 13 12 11");
    for (search, status, expected) in [
        ("", None, all),
        ("  SUB-1 ", None, all),
        ("åNG", None, "10"),
        ("grace12", None, "12"),
        ("%_OFF@", None, "11"),
        ("_", None, "11"),
        ("grace", blocked, "12"),
        ("grace13", blocked, ""),
        ("{9a-uuid}", None, "13"),
        ("äda", None, "13"),
        ("äda", blocked, ""),
    ] {
        let found = storage.website_member_list(shop.id, search, status, (0, 9)).await.unwrap();
        let subs: Vec<_> = found.iter().map(|member| &member.sub[4..]).collect();
        assert_eq!(subs.join(" "), expected, "{search:?}");
        let count = storage.website_member_count(shop.id, search, status).await.unwrap();
        assert_eq!(count, found.len() as u64, "{search:?}");
    }
    let page = storage.website_member_list(shop.id, "", None, (1, 2)).await.unwrap();
    assert_eq!(page, [people[3].clone(), people[2].clone()]);
}

async fn known_by(storage: &Storage, member: &Member, host: &str, told: &[&str]) -> MemberIdentity {
    let identity = MemberIdentity { place: place(host), addresses: addresses(told), ..identity(member) };
    storage.website_identity_insert(&identity).await.unwrap();
    identity
}

#[tokio::test]
async fn a_member_is_known_by_place_and_immutable_id() {
    let storage = test_storage().await;
    let shop = shop(&storage).await;
    let (grace, ada) = (member(10), member(11));
    storage.website_member_insert(&grace).await.unwrap();
    storage.website_member_insert(&ada).await.unwrap();
    let mut known = identity(&grace);
    storage.website_identity_insert(&known).await.unwrap();
    let stolen = MemberIdentity { member_id: ada.id, ..known.clone() };
    let twin = storage.website_identity_insert(&stolen).await;
    assert!(matches!(twin, Err(StorageError::Conflict)), "{twin:?}");
    let moved = storage.website_identity_update(&stolen).await;
    assert!(matches!(moved, Err(StorageError::Detached)), "{moved:?}");
    known = MemberIdentity {
        second_id: None,
        handle: "amazing".into(),
        display_name: String::new(),
        addresses: vec![],
        signed_in_at: at(50),
        ..known
    };
    let changed = MemberIdentity { connected_at: at(99), ..known.clone() };
    storage.website_identity_update(&changed).await.unwrap();
    let second = MemberIdentity { connected_at: at(2), ..identity(&grace) };
    let second = MemberIdentity { place: place("git.example"), ..second };
    storage.website_identity_insert(&second).await.unwrap();
    let find = async |place: &_, external_id| {
        storage.website_identity_find(shop.id, place, external_id).await.unwrap()
    };
    assert_eq!(find(&known.place, "{sub-10}").await.as_ref(), Some(&known));
    assert_eq!(find(&place("other.example"), "{sub-10}").await, None);
    assert_eq!(find(&known.place, "{sub-11}").await, None);
    assert_eq!(storage.website_identity_list(grace.id).await.unwrap(), [known.clone(), second.clone()]);
    let delete = async |member| storage.website_identity_delete(shop.id, member, &known.place).await.unwrap();
    assert!(!delete(ada.id).await);
    assert!(delete(grace.id).await);
    assert_eq!(storage.website_identity_list(grace.id).await.unwrap(), [second]);
}

#[tokio::test]
async fn an_address_is_looked_for_whole_and_verified_elsewhere() {
    let storage = test_storage().await;
    let shop = shop(&storage).await;
    storage.website_insert(&website(2, "zoo")).await.unwrap();
    let people = [member(10), member(11), member(20)];
    for member in &people {
        storage.website_member_insert(member).await.unwrap();
    }
    let [grace, ada, of_zoo] = &people;
    known_by(&storage, grace, "a.example", &["+g@x.example", "+g_g@x.example", "stated@x.example"]).await;
    let mut here = known_by(&storage, ada, "b.example", &["+ada@x.example"]).await;
    known_by(&storage, of_zoo, "a.example", &["+zoo@x.example"]).await;
    let find = async |address: &str| {
        let (address, except) = (address.parse().unwrap(), place("b.example"));
        let found = storage.website_member_find_by_verified(shop.id, &address, &except).await.unwrap();
        found.map(|member| member.sub)
    };
    for (address, expected) in [
        ("g@x.example", Some("sub-10")),
        ("g_g@x.example", Some("sub-10")),
        ("G@X.example", Some("sub-10")),
        ("gxg@x.example", None),
        ("%@x.example", None),
        ("xg@x.example", None),
        ("g@x.exampl", None),
        ("stated@x.example", None),
        ("ada@x.example", None),
        ("zoo@x.example", None),
    ] {
        assert_eq!(find(address).await.as_deref(), expected, "{address}");
    }
    // What a server does not say any more does not count any more.
    here.place = place("a.example");
    here.member_id = grace.id;
    here.external_id = identity(grace).external_id;
    storage.website_identity_update(&here).await.unwrap();
    assert_eq!(find("g@x.example").await, None);
    assert_eq!(find("ada@x.example").await.as_deref(), Some("sub-10"));
}
