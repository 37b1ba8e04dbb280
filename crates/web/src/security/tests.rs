use crate::testing::{Browser, Seen, TestSite};
use axum::http::{
    Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
};

const PAGE: &str = "/orgs/acme/settings/security";
/// The form as a new organization has it.
const FORM: [(&str, &str); 8] = [
    ("blocks_malware", "on"),
    ("hides_source", "all_mirrors"),
    ("plugins", "all"),
    ("allowed_plugins", ""),
    ("clients", "all"),
    ("cooldown_days", "0"),
    ("cooldown_exceptions", ""),
    ("private_names", ""),
];

/// The form with other values in some fields.
fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let untouched = FORM.into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    untouched.chain(changes.iter().copied()).collect()
}

/// What a client gets for packages.json.
async fn ask(site: &TestSite, token: &str, client: Option<&str>) -> Seen {
    let mut request =
        Request::get("/repo/acme/packages.json").header(AUTHORIZATION, format!("Bearer {token}"));
    if let Some(client) = client {
        request = request.header(USER_AGENT, client);
    }
    site.browser().send(request, "").await
}

async fn log(browser: &mut Browser) -> String {
    browser.get("/orgs/acme/settings/log").await.body
}

#[tokio::test]
async fn a_new_organization_hides_the_sources_of_mirrors_and_blocks_malware() {
    let (_site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let page = grace.get(PAGE).await.body;
    for label in [
        "Block downloads of package versions flagged as malware",
        "Hide source code checkout URLs",
        "Composer plugin policy",
        "Allow all",
        "Limit to list below",
        "Block downloading disallowed plugin versions from existing lock files",
        "Composer client version restriction",
        "Minimum age of a release",
        "Names that are never asked for at mirrors",
        "/orgs/acme/settings/security/advisories",
    ] {
        assert!(page.contains(label), "{label}: {page}");
    }
    let ticked = |id: &str| {
        let input = page.split("<input").find(|input| input.contains(&format!("id=\"{id}\"")));
        input.unwrap_or_else(|| panic!("{id}: {page}")).split('>').next().unwrap().contains(" checked")
    };
    for (id, is_ticked) in [
        ("blocks_malware", true),
        ("blocks_advisories", false),
        ("hides_source-all_mirrors", true),
        ("hides_source-never", false),
        ("plugins-all", true),
        ("clients-all", true),
        ("blocks_plugin_downloads", false),
    ] {
        assert_eq!(ticked(id), is_ticked, "{id}");
    }
    assert!(!page.contains("can be passed by"), "{page}");
    let refused = grace.get("/orgs/other/settings/security").await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_saved_is_shown_and_logged() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let form = with(&[
        ("hides_source", "never"),
        ("plugins", "limited"),
        ("allowed_plugins", "Acme/*\r\nother/plugin"),
        ("cooldown_days", "7"),
        ("cooldown_exceptions", "symfony/*"),
    ]);
    assert_eq!(grace.post(PAGE, &form).await.location, format!("{PAGE}?done=saved"));
    let page = grace.get(PAGE).await.body;
    assert!(page.contains("other/plugin\nacme/*") && page.contains("value=\"7\""), "{page}");
    assert!(page.contains("A refused download can be passed by."), "{page}");
    let line = log(&mut grace).await;
    assert!(
        line.contains("changed the security settings")
            && line.contains("minimum age of a release in days: 7"),
        "{line}"
    );

    let mut linus = site.browser();
    linus.register(&bitbucket, "linus").await;
    assert_eq!(linus.get(PAGE).await.status, StatusCode::NOT_FOUND);
    grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
    assert_eq!(linus.get(PAGE).await.status, StatusCode::FORBIDDEN);
    assert_eq!(linus.post(PAGE, &with(&[])).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_cannot_be_is_said_and_nothing_is_saved() {
    let (_site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    for (field, typed, sentence) in [
        ("cooldown_days", "soon", "Type a number of days from 0 to 365"),
        ("private_names", "acme/*, other/*", "fits no package"),
        ("cooldown_exceptions", "php", "names a part of the platform"),
        ("allowed_plugins", "<script>", "is not a package name"),
        ("hides_source", "", "Choose from the list whose source"),
        ("clients", "2.5", "Choose from the list which Composer clients"),
        ("plugins", "some", "Choose from the list which Composer plugins"),
    ] {
        let refused = grace.post(PAGE, &with(&[(field, typed), ("blocks_malware", "")])).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert!(refused.body.contains(sentence), "{field}: {}", refused.body);
        assert!(!refused.body.contains("<script>\n"), "{}", refused.body);
    }
    assert!(!log(&mut grace).await.contains("changed the security settings"));
}

#[tokio::test]
async fn other_composers_are_turned_away_at_once() {
    let (site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let token = site.token_of(&mut grace).await;
    let old = "Composer/2.5.5 (Linux; 6.1; PHP 8.2.36; cURL 7.88.1)";
    assert_eq!(ask(&site, &token, Some(old)).await.status, StatusCode::OK);
    grace.post(PAGE, &with(&[("clients", "supported")])).await;
    let refused = ask(&site, &token, Some(old)).await;
    assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE);
    assert_eq!(refused.headers[CONTENT_TYPE], "application/json");
    let sentence = "\"warning\":\"Composer 2.5.5 may not be used with this repository: its organization allows Composer 2.2.* or 2.10.*";
    assert!(refused.body.contains(sentence), "{}", refused.body);
    for client in [Some("Composer/2.2.29 (Linux)"), Some("Composer/2.11.0 (Linux)"), Some("curl/8.5.0"), None]
    {
        assert_eq!(ask(&site, &token, client).await.status, StatusCode::OK, "{client:?}");
    }
    let nobody = ask(&site, "stave_ort_0", Some(old)).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "who has no token learns nothing of the settings");
    grace.post(PAGE, &with(&[("clients", "newest")])).await;
    assert_eq!(ask(&site, &token, Some("Composer/2.2.29 (Linux)")).await.status, StatusCode::NOT_ACCEPTABLE);
    grace.post(PAGE, &with(&[])).await;
    assert_eq!(ask(&site, &token, Some(old)).await.status, StatusCode::OK);
}
