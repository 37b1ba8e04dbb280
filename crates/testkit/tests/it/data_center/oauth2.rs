use super::{api, parameters, start, text};
use crate::{CALLBACK, client, read};
use serde_json::{Value, json};
use stave_testkit::{FakeDataCenter, Version, data_center::Link};
use std::time::Duration;

/// From RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct Story {
    server: FakeDataCenter,
    link: Link,
}

impl Story {
    async fn start() -> Self {
        let server = start(Version::V9_4).await;
        let link = server.link(&format!("{CALLBACK}, http://127.0.0.1:1/second"), &["REPO_READ"]);
        Self { server, link }
    }

    fn authorize(&self, more: &str) -> String {
        format!(
            "{}/rest/oauth2/latest/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&scope=REPO_READ{more}",
            self.server.base_url(),
            self.link.client_id()
        )
    }

    fn token_url(&self) -> String {
        format!("{}/rest/oauth2/latest/token", self.server.base_url())
    }

    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let (id, secret) = (self.link.client_id(), self.link.client_secret());
        let own = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
        let form: Vec<_> = own.into_iter().chain(form.iter().copied()).collect();
        read(client().post(self.token_url()).form(&form)).await
    }

    /// The code that ada gets.
    async fn code(&self, more: &str) -> String {
        let back = self.server.grant_access(&self.authorize(more), "ada").await;
        parameters(&back).remove("code").unwrap_or_else(|| panic!("no code: {back}"))
    }

    async fn redeem(&self, code: &str, more: &[(&str, &str)]) -> (u16, Value) {
        let own = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
        self.token(&own.into_iter().chain(more.iter().copied()).collect::<Vec<_>>()).await
    }

    async fn refresh(&self, token: &str, more: &[(&str, &str)]) -> (u16, Value) {
        let own = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.token(&own.into_iter().chain(more.iter().copied()).collect::<Vec<_>>()).await
    }
}

#[tokio::test]
async fn a_person_allows_access_and_is_recognised() {
    let story = Story::start().await;
    let back = story.server.grant_access(&story.authorize("&state=abc"), "ada").await;
    assert!(back.starts_with(CALLBACK), "{back}");
    let back = parameters(&back);
    assert_eq!(back["state"], "abc");
    let (status, tokens) = story.redeem(&back["code"], &[]).await;
    assert_eq!(status, 200, "{tokens}");
    let about = [&tokens["token_type"], &tokens["expires_in"], &tokens["scope"]];
    assert_eq!(about, [&json!("bearer"), &json!(3600), &json!("REPO_READ")]);
    let (status, user) = api(&story.server, text(&tokens, "access_token"), "/users/ada").await;
    assert_eq!((status, &user["id"]), (200, &json!(story.server.user("ada").id())));
    assert_eq!(story.redeem(&back["code"], &[]).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn a_browser_logs_in_first_and_sees_the_consent_page() {
    let story = Story::start().await;
    let location = async |url: &str, cookie: &str| {
        let answer = client().get(url).header("cookie", cookie).send().await.unwrap();
        answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned())
    };
    let origin = story.server.base_url().replace("/bitbucket", "");
    let consent = location(&story.authorize("&state=s"), "").await.unwrap();
    assert!(consent.starts_with("/bitbucket/plugins/servlet/oauth2/consent?client_id="), "{consent}");
    let login = location(&format!("{origin}{consent}"), "").await.unwrap();
    assert!(login.starts_with("/bitbucket/login?next=%2Fbitbucket%2Fplugins"), "{login}");
    story.server.user("ada");
    let page = client().get(format!("{origin}{login}")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(">Log in as ada</button>") && page.contains("<label>Username"), "{page}");
    let next = parameters(&format!("{origin}{login}")).remove("next").unwrap();
    let form = [("username", "ada"), ("password", ""), ("next", next.as_str())];
    let logged_in = client().post(format!("{origin}/bitbucket/login")).form(&form).send().await.unwrap();
    assert_eq!(logged_in.headers()["location"].to_str().unwrap(), consent);
    let cookie = logged_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = client().get(format!("{origin}{consent}")).header("cookie", cookie).send().await.unwrap();
    let page = page.text().await.unwrap();
    for words in [">Allow</button>", ">Deny</button>", "Repositories: Read"] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_link_stays_as_a_page_and_the_rest_goes_back() {
    let story = Story::start().await;
    let right = story.authorize("");
    let pages = [
        right.replace("client_id=", "client_id=x"),
        right.replace(CALLBACK, "http://127.0.0.1:1/other"),
        right.replace(CALLBACK, &format!("{CALLBACK}/")),
        right.replace("redirect_uri", "other"),
    ];
    for url in pages {
        let answer = client().get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{url}");
        assert!(answer.text().await.unwrap().contains("OAuth error"), "{url}");
    }
    let second = right.replace(CALLBACK, "http://127.0.0.1:1/second");
    assert!(story.server.grant_access(&second, "ada").await.starts_with("http://127.0.0.1:1/second?code="));
    let back = [
        (right.replace("=code", "=token"), "unsupported_response_type"),
        (right.replace("REPO_READ", "REPO_ADMIN"), "invalid_scope"),
        (right.replace("REPO_READ", "NONSENSE"), "invalid_scope"),
        (format!("{right}&code_challenge=x&code_challenge_method=S512"), "invalid_request"),
    ];
    for (url, error) in back {
        let back = story.server.grant_access(&url, "ada").await;
        assert_eq!(parameters(&back)["error"], error, "{back}");
    }
    let denied = parameters(&story.server.deny_access(&story.authorize("&state=s"), "ada").await);
    assert_eq!((&*denied["error"], &*denied["state"]), ("access_denied", "s"));
}

#[tokio::test]
async fn the_state_is_decoded_once_too_often() {
    let story = Story::start().await;
    for (sent, expected) in [("a-_.9", "a-_.9"), ("a%2520b", "a b"), ("a%252Bb", "a+b"), ("a%2Bb", "a b")] {
        let back = story.server.grant_access(&story.authorize(&format!("&state={sent}")), "ada").await;
        assert_eq!(parameters(&back)["state"], expected, "{sent}");
    }
}

#[tokio::test]
async fn a_verifier_is_needed_where_a_challenge_was_sent() {
    let story = Story::start().await;
    for method in ["S256", "s256", "sha256"] {
        let more = format!("&code_challenge={CHALLENGE}&code_challenge_method={method}");
        for (verifier, expected) in [(VERIFIER, 200), (CHALLENGE, 400), ("", 400)] {
            let code = story.code(&more).await;
            let (status, body) = story.redeem(&code, &[("code_verifier", verifier)]).await;
            assert_eq!(status, expected, "{method} {verifier} {body}");
        }
    }
}

#[tokio::test]
async fn a_code_lives_for_ten_seconds_and_belongs_to_its_redirect() {
    let story = Story::start().await;
    let code = story.code("").await;
    story.server.advance(Duration::from_secs(10));
    assert_eq!(story.redeem(&code, &[]).await.1["error"], "invalid_grant");
    let code = story.code("").await;
    let other = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "http://127.0.0.1:1/second"),
    ];
    assert_eq!(story.token(&other[..2]).await.1["error"], "invalid_request");
    assert_eq!(story.token(&other).await.1["error"], "invalid_grant");
    let code = story.code("").await;
    let thief = story.server.link(CALLBACK, &["REPO_READ"]);
    let (id, secret) = (thief.client_id(), thief.client_secret());
    let own = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
    let stolen = own.into_iter().chain([("client_id", id.as_str()), ("client_secret", secret.as_str())]);
    let (_, body) = read(client().post(story.token_url()).form(&stolen.collect::<Vec<_>>())).await;
    assert_eq!(body["error"], "invalid_grant");
}

#[tokio::test]
async fn a_refresh_kills_the_old_pair_at_once_and_wants_the_redirect() {
    let story = Story::start().await;
    let old = story.link.tokens_of("ada");
    let redirect = [("redirect_uri", CALLBACK)];
    assert_eq!(story.refresh(&old.refresh, &[]).await, (400, json!({"error": "invalid_grant"})));
    let (status, new) = story.refresh(&old.refresh, &redirect).await;
    assert_eq!(status, 200, "{new}");
    assert_eq!(api(&story.server, &old.access, "/users/ada").await.0, 401);
    assert_eq!(story.refresh(&old.refresh, &redirect).await.1["error"], "invalid_grant");
    assert_eq!(api(&story.server, text(&new, "access_token"), "/users/ada").await.0, 200);
    story.server.advance(Duration::from_hours(1));
    assert_eq!(api(&story.server, text(&new, "access_token"), "/users/ada").await.0, 401);
    story.server.refresh_without_redirect_uri();
    let (status, newer) = story.refresh(text(&new, "refresh_token"), &[]).await;
    assert_eq!(status, 200, "{newer}");
    story.server.advance(Duration::from_hours(24 * 90));
    assert_eq!(story.refresh(text(&newer, "refresh_token"), &redirect).await.0, 400);
}

#[tokio::test]
async fn the_token_endpoint_takes_id_and_secret_in_a_form_only() {
    let story = Story::start().await;
    let (id, secret) = (story.link.client_id(), story.link.client_secret());
    let grant = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("redirect_uri", CALLBACK)];
    let basic = client().post(story.token_url()).basic_auth(&id, Some(&secret)).form(&grant);
    assert_eq!(read(basic).await.0, 401);
    let nobody = read(client().post(story.token_url()).form(&grant)).await;
    assert_eq!((nobody.0, text(&nobody.1, "error")), (400, "invalid_request"));
    let body = format!("client_id={id}&client_secret={secret}&grant_type=refresh_token");
    let untyped = client().post(story.token_url()).body(body.clone());
    assert_eq!(read(untyped).await.0, 400);
    let in_query = client().post(format!("{}?{body}", story.token_url())).form(&grant[1..]);
    assert_eq!(text(&read(in_query).await.1, "error"), "invalid_grant");
    story.link.rotate_secret();
    let form = [("client_id", id.as_str()), ("client_secret", secret.as_str()), grant[0], grant[1]];
    let (status, body) = read(client().post(story.token_url()).form(&form)).await;
    assert_eq!((status, text(&body, "error")), (401, "invalid_client"));
    assert_eq!(story.token(&[("grant_type", "password")]).await.1["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn there_is_no_provider_below_7_21_or_without_https() {
    let story = Story::start().await;
    let probe = async || api_probe(&story.server).await;
    for version in Version::ALL {
        story.server.set_version(version);
        let expected = if version.has_oauth2() { 401 } else { 404 };
        assert_eq!(probe().await, expected, "{version:?}");
        assert_eq!(story.token(&[("grant_type", "x")]).await.0, if version.has_oauth2() { 400 } else { 404 });
    }
    story.server.insist_on_https();
    assert_eq!(probe().await, 404);
    story.server.believes_base_url("https://git.example.com/bitbucket");
    assert_eq!(probe().await, 401);
    let answer = client().get(story.authorize("")).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains("must be https"));
}

async fn api_probe(server: &FakeDataCenter) -> u16 {
    read(client().get(format!("{}/rest/oauth2/1.0/client", server.base_url()))).await.0
}

#[tokio::test]
async fn tokens_die_with_their_link_and_when_they_are_revoked() {
    let story = Story::start().await;
    let first = story.link.tokens_of("ada").access;
    story.server.revoke_tokens("ada");
    assert_eq!(api(&story.server, &first, "/users/ada").await.0, 401);
    let second = story.link.tokens_of("ada").access;
    assert_eq!(api(&story.server, &second, "/users/ada").await.0, 200);
    let Story { server, link } = story;
    link.delete();
    assert_eq!(api(&server, &second, "/users/ada").await.0, 401);
}
