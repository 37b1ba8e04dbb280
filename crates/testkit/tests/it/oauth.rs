use crate::{CALLBACK, api, client, read};
use serde_json::{Value, json};
use stave_testkit::{Consumer, FakeBitbucket};
use std::{collections::HashMap, time::Duration};
use url::Url;

const SCOPES: [&str; 3] = ["account", "email", "repository"];
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

struct Story {
    bitbucket: FakeBitbucket,
    consumer: Consumer,
}

impl Story {
    async fn start() -> Self {
        let bitbucket = FakeBitbucket::start().await;
        bitbucket.workspace("acme").owner("ada");
        let consumer = bitbucket.consumer("acme", CALLBACK, &SCOPES);
        Self { bitbucket, consumer }
    }

    fn authorize(&self, more: &str) -> String {
        let (base, key) = (self.bitbucket.base_url(), self.consumer.key());
        format!("{base}/site/oauth2/authorize?client_id={key}&response_type=code{more}")
    }

    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let url = format!("{}/site/oauth2/access_token", self.bitbucket.base_url());
        read(client().post(url).basic_auth(self.consumer.key(), Some(self.consumer.secret())).form(form))
            .await
    }

    /// The code that ada gets.
    async fn code(&self, more: &str) -> String {
        let back = self.bitbucket.grant_access(&self.authorize(more), "ada").await;
        parameters(&back)["code"].clone()
    }

    async fn refresh(&self, refresh_token: &str) -> (u16, Value) {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }
}

fn parameters(url: &str) -> HashMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is missing: {value}"))
}

#[tokio::test]
async fn a_person_grants_access_and_is_recognised() {
    let story = Story::start().await;
    let back = story.bitbucket.grant_access(&story.authorize("&state=abc%20d"), "ada").await;
    assert!(back.starts_with(CALLBACK), "{back}");
    let back = parameters(&back);
    assert_eq!(back["state"], "abc d");
    let (status, tokens) =
        story.token(&[("grant_type", "authorization_code"), ("code", &back["code"])]).await;
    assert_eq!(status, 200, "{tokens}");
    let about =
        [&tokens["token_type"], &tokens["expires_in"], &tokens["scope"], &tokens["state"], &tokens["scopes"]];
    let expected = [
        json!("bearer"),
        json!(7200),
        json!("account email repository"),
        json!("authorization_code"),
        json!(null),
    ];
    assert_eq!(about, expected.each_ref());
    let access = text(&tokens, "access_token");
    assert!(access.len() > 2500);
    let (status, user) = api(&story.bitbucket, access, "/user").await;
    assert_eq!((status, text(&user, "nickname"), text(&user, "type")), (200, "ada", "user"));
    assert_eq!(text(&user, "uuid"), story.bitbucket.user("ada").uuid());
}

#[tokio::test]
async fn a_person_who_cancels_is_sent_back_with_the_reason() {
    let story = Story::start().await;
    let back = parameters(&story.bitbucket.deny_access(&story.authorize("&state=s1"), "ada").await);
    assert_eq!((back["error"].as_str(), back["state"].as_str()), ("access_denied", "s1"));
    assert!(!back.contains_key("code"));
}

#[tokio::test]
async fn a_browser_chooses_who_it_is_and_presses_the_buttons() {
    let story = Story::start().await;
    let browser = client();
    let page = browser.get(story.authorize("&state=s")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(">Log in as ada</button>"), "{page}");
    let next = Url::parse(&story.authorize("&state=s")).unwrap();
    let next = format!("{}?{}", next.path(), next.query().unwrap());
    let ada = story.bitbucket.user("ada");
    let chosen = [("user", ada.uuid()), ("next", next.as_str())];
    let signin = browser.post(format!("{}/account/signin", story.bitbucket.base_url())).form(&chosen);
    let signed_in = signin.send().await.unwrap();
    assert_eq!(
        (signed_in.status().as_u16(), &signed_in.headers()["location"]),
        (303, &next.parse().unwrap())
    );
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = browser.get(story.authorize("&state=s")).header("cookie", cookie).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains(">Grant access</button>") && page.contains(">Cancel</button>"), "{page}");
}

#[tokio::test]
async fn what_is_misconfigured_stays_on_the_site_as_a_page() {
    let story = Story::start().await;
    let base = story.bitbucket.base_url();
    let rows = [
        (story.authorize("&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fother"), "Invalid redirect_uri"),
        (
            story.authorize("&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Foauth%2Fcallback%2Fbitbucket%2Fx"),
            "Invalid redirect_uri",
        ),
        (format!("{base}/site/oauth2/authorize?client_id=nobody&response_type=code"), "Invalid client_id"),
    ];
    for (url, title) in rows {
        let answer = client().get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{url}");
        assert!(answer.text().await.unwrap().contains(title), "{url}");
    }
    story.bitbucket.allow_redirect_prefix();
    let longer =
        story.authorize("&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Foauth%2Fcallback%2Fbitbucket%2Fx");
    assert!(story.bitbucket.grant_access(&longer, "ada").await.starts_with(&format!("{CALLBACK}/x?")));
}

#[tokio::test]
async fn a_code_works_once_with_the_redirect_uri_it_was_asked_for_with() {
    let story = Story::start().await;
    let more = "&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Foauth%2Fcallback%2Fbitbucket";
    let code = story.code(more).await;
    let (status, error) = story.token(&[("grant_type", "authorization_code"), ("code", &code)]).await;
    assert_eq!((status, text(&error, "error")), (400, "invalid_request"));
    let code = story.code(more).await;
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
    assert_eq!(story.token(&form).await.0, 200);
    let (status, error) = story.token(&form).await;
    assert_eq!((status, text(&error, "error")), (400, "invalid_grant"));
    let late = story.code("").await;
    story.bitbucket.advance(HOUR);
    assert_eq!(story.token(&[("grant_type", "authorization_code"), ("code", &late)]).await.0, 400);
}

#[tokio::test]
async fn a_refresh_token_is_replaced_and_dies_ten_minutes_after_its_first_use() {
    let story = Story::start().await;
    let first = story.consumer.tokens_of("ada").refresh;
    let (status, tokens) = story.refresh(&first).await;
    assert_eq!(status, 200);
    let second = text(&tokens, "refresh_token").to_owned();
    assert_ne!(first, second);
    story.bitbucket.advance(Duration::from_mins(9));
    assert_eq!(story.refresh(&first).await.0, 200);
    story.bitbucket.advance(Duration::from_secs(61));
    let (status, error) = story.refresh(&first).await;
    assert_eq!(status, 400);
    assert_eq!(error, json!({"error": "invalid_request", "error_description": "Invalid refresh_token"}));
    story.bitbucket.advance(80 * DAY);
    let third = story.refresh(&second).await.1;
    story.bitbucket.advance(92 * DAY);
    assert_eq!(story.refresh(text(&third, "refresh_token")).await.0, 400);
    let fresh = story.consumer.tokens_of("ada").refresh;
    story.bitbucket.revoke_refresh_tokens();
    assert_eq!(story.refresh(&fresh).await.0, 400);
}

#[tokio::test]
async fn an_access_token_lives_for_two_hours_and_only_in_the_header() {
    let story = Story::start().await;
    let access = story.consumer.tokens_of("ada").access;
    let url = format!("{}/2.0/user", story.bitbucket.base_url());
    assert_eq!(api(&story.bitbucket, &access, "/user").await.0, 200);
    assert_eq!(read(client().get(format!("{url}?access_token={access}"))).await.0, 401);
    assert_eq!(read(client().get(&url).basic_auth("x-token-auth", Some(&access))).await.0, 401);
    story.bitbucket.advance(2 * HOUR);
    let (status, error) = api(&story.bitbucket, &access, "/user").await;
    assert_eq!(status, 401);
    assert!(text(&error["error"], "message").starts_with("Access token expired."), "{error}");
    let again = story.consumer.tokens_of("ada").access;
    assert_eq!(api(&story.bitbucket, &again, "/user").await.0, 200);
    story.bitbucket.expire_access_tokens();
    assert_eq!(api(&story.bitbucket, &again, "/user").await.0, 401);
}

#[tokio::test]
async fn the_token_endpoint_says_what_is_missing() {
    let story = Story::start().await;
    let url = format!("{}/site/oauth2/access_token", story.bitbucket.base_url());
    let form = [("grant_type", "client_credentials")];
    let missing = read(client().post(&url).form(&form)).await;
    assert_eq!((missing.0, text(&missing.1, "error")), (400, "unauthorized_client"));
    let wrong = read(client().post(&url).basic_auth(story.consumer.key(), Some("wrong")).form(&form)).await;
    assert_eq!((wrong.0, text(&wrong.1, "error")), (400, "invalid_client"));
    let old = story.consumer.secret();
    story.consumer.rotate_secret();
    assert_eq!(
        read(client().post(&url).basic_auth(story.consumer.key(), Some(old)).form(&form)).await.0,
        400
    );
    let html = client().post(&url).bearer_auth("x").form(&form).send().await.unwrap();
    assert!(html.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let (status, error) = story.token(&[("grant_type", "password")]).await;
    assert_eq!((status, text(&error, "error")), (400, "invalid_grant"));
    let in_form = [
        ("client_id", story.consumer.key()),
        ("client_secret", &story.consumer.secret()),
        ("grant_type", "x"),
    ];
    assert_eq!(text(&read(client().post(&url).form(&in_form)).await.1, "error"), "invalid_grant");
    let code = story.code("").await;
    story.consumer.callback("");
    let (_, error) = story.token(&[("grant_type", "authorization_code"), ("code", &code)]).await;
    assert_eq!(text(&error, "error_description"), "No callback uri defined for the OAuth client.");
}

#[tokio::test]
async fn a_consumer_that_acts_for_itself_is_no_person() {
    let story = Story::start().await;
    assert_eq!(story.token(&[("grant_type", "client_credentials")]).await.0, 400);
    story.consumer.private();
    let (status, tokens) = story.token(&[("grant_type", "client_credentials")]).await;
    assert_eq!((status, tokens.get("refresh_token")), (200, None));
    let (_, user) = api(&story.bitbucket, text(&tokens, "access_token"), "/user").await;
    assert_eq!(text(&user, "type"), "app_user");
}

#[tokio::test]
async fn scopes_are_the_consumers_and_can_be_narrowed() {
    let story = Story::start().await;
    story.bitbucket.answer_scopes();
    let code = story.code("&scope=account").await;
    let (_, tokens) = story.token(&[("grant_type", "authorization_code"), ("code", &code)]).await;
    assert_eq!((&tokens["scopes"], tokens.get("scope")), (&json!("account"), None));
    let (status, error) = api(&story.bitbucket, text(&tokens, "access_token"), "/user/emails").await;
    assert_eq!(status, 403);
    assert_eq!(error["error"]["detail"], json!({"required": ["email"], "granted": ["account"]}));
    let back = story.bitbucket.grant_access(&story.authorize("&scope=webhook"), "ada").await;
    assert_eq!(parameters(&back)["error"], "invalid_scope");
    let answer = client().get(format!("{}/2.0/user", story.bitbucket.base_url()));
    let answer = answer.bearer_auth(text(&tokens, "access_token")).send().await.unwrap();
    assert_eq!(answer.headers()["x-oauth-scopes"], "account");
}
