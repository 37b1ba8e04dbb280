use super::{
    parameters,
    signer::{Answer, Signer, now},
    start,
};
use crate::{CALLBACK, client};
use stave_testkit::{FakeDataCenter, Version, data_center::Consumer};
use std::{collections::HashMap, time::Duration};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

struct Story {
    server: FakeDataCenter,
    signer: Signer,
    consumer: Consumer,
}

impl Story {
    async fn start() -> Self {
        let server = start(Version::V7_20).await;
        let signer = Signer::new("stave");
        let consumer = server.consumer("stave", &signer.public_key);
        Self { server, signer, consumer }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.base_url())
    }

    async fn ask(&self, own: &[(&str, &str)]) -> Answer {
        self.signer.post(&self.url("/plugins/servlet/oauth/request-token"), own).await
    }

    async fn request_token(&self) -> String {
        let answer = self.ask(&[("oauth_callback", CALLBACK)]).await;
        assert_eq!(
            (answer.status, &*answer.form()["oauth_callback_confirmed"]),
            (200, "true"),
            "{}",
            answer.text
        );
        answer.form().remove("oauth_token").unwrap()
    }

    fn authorize(&self, token: &str) -> String {
        self.url(&format!("/plugins/servlet/oauth/authorize?oauth_token={token}"))
    }

    async fn allowed(&self) -> HashMap<String, String> {
        let token = self.request_token().await;
        parameters(&self.server.grant_access(&self.authorize(&token), "ada").await)
    }

    async fn exchange(&self, own: &[(&str, &str)]) -> Answer {
        self.signer.post(&self.url("/plugins/servlet/oauth/access-token"), own).await
    }

    async fn redeem(&self, back: &HashMap<String, String>) -> Answer {
        let own = [
            ("oauth_token", back["oauth_token"].as_str()),
            ("oauth_verifier", back["oauth_verifier"].as_str()),
        ];
        self.exchange(&own).await
    }

    async fn whoami(&self, token: &str) -> Answer {
        self.signer.get(&self.url("/plugins/servlet/applinks/whoami"), &[("oauth_token", token)]).await
    }
}

#[tokio::test]
async fn a_person_allows_access_and_is_recognised() {
    let story = Story::start().await;
    let token = story.request_token().await;
    let back = story.server.grant_access(&story.authorize(&token), "ada").await;
    assert!(back.starts_with(CALLBACK), "{back}");
    let back = parameters(&back);
    assert_eq!(back["oauth_token"], token);
    let answer = story.redeem(&back).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let tokens = answer.form();
    assert_eq!(
        (&*tokens["oauth_expires_in"], &*tokens["oauth_authorization_expires_in"]),
        ("157680000", "160272000")
    );
    let who = story.whoami(&tokens["oauth_token"]).await;
    assert_eq!((who.status, who.text.as_str(), who.user.as_deref()), (200, "ada", Some("ada")));
    let url = story.url("/rest/api/1.0/users?filter=ada%20ex&limit=1");
    let listed = story.signer.get(&url, &[("oauth_token", &tokens["oauth_token"])]).await;
    assert_eq!(listed.status, 200, "the query is signed, too: {}", listed.text);
    assert_eq!(story.redeem(&back).await.problem(), (401, "token_rejected".to_owned()));
}

#[tokio::test]
async fn a_person_who_denies_is_sent_back_without_an_error() {
    let story = Story::start().await;
    let token = story.request_token().await;
    let back = parameters(&story.server.deny_access(&story.authorize(&token), "ada").await);
    assert_eq!(back["oauth_verifier"], "denied");
    assert_eq!(story.redeem(&back).await.problem(), (401, "permission_denied".to_owned()));
}

#[tokio::test]
async fn a_request_without_a_callback_uses_the_links_or_shows_the_verifier() {
    let story = Story::start().await;
    let token = async || story.ask(&[("oauth_callback", "oob")]).await.form().remove("oauth_token").unwrap();
    story.consumer.callback("http://127.0.0.1:1/fallback");
    let back = story.server.grant_access(&story.authorize(&token().await), "ada").await;
    assert!(back.starts_with("http://127.0.0.1:1/fallback?oauth_token="), "{back}");
    story.consumer.callback("");
    let url = story.url("/login");
    let login = client().post(&url).form(&[("username", "ada"), ("next", "/")]).send().await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = client().post(story.authorize(&token().await)).header("cookie", cookie);
    let page = request.form(&[("decision", "allow")]).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Your verification code is"), "{page}");
}

/// What the request token step makes of parameters: status and problem. Empty ones are not sent.
#[tokio::test]
async fn every_mistake_has_its_problem() {
    let story = Story::start().await;
    let (late, early) = ((now() + 400).to_string(), (now() - 400).to_string());
    let rows = [
        (("oauth_consumer_key", ""), 400, "parameter_absent"),
        (("oauth_consumer_key", "other"), 401, "consumer_key_unknown"),
        (("oauth_nonce", ""), 400, "parameter_absent"),
        (("oauth_version", "2.0"), 400, "version_rejected"),
        (("oauth_timestamp", "yesterday"), 400, "parameter_rejected"),
        (("oauth_timestamp", &late), 400, "timestamp_refused"),
        (("oauth_timestamp", &early), 400, "timestamp_refused"),
        (("oauth_signature_method", "HMAC-SHA1"), 400, "signature_method_rejected"),
        (("oauth_signature", "d3Jvbmc="), 401, "signature_invalid"),
        (("oauth_callback", "/relative"), 400, "parameter_rejected"),
    ];
    for ((name, value), status, problem) in rows {
        let answer = story.ask(&[("oauth_callback", CALLBACK), (name, value)]).await;
        assert_eq!(answer.problem(), (status, problem.to_owned()), "{name}={value}");
        let challenge = answer.challenge.unwrap();
        assert!(challenge.contains(&format!("oauth_problem=\"{problem}\"")), "{challenge}");
    }
    let refused = story.ask(&[("oauth_callback", CALLBACK), ("oauth_timestamp", &late)]).await.form();
    let (from, to) = refused["oauth_acceptable_timestamps"].split_once('-').unwrap();
    assert_eq!(to.parse::<u64>().unwrap() - from.parse::<u64>().unwrap(), 600);
    let again = [("oauth_callback", CALLBACK), ("oauth_nonce", "once")];
    let stamp = now().to_string();
    let again = [again[0], again[1], ("oauth_timestamp", stamp.as_str())];
    assert_eq!(story.ask(&again).await.status, 200);
    assert_eq!(story.ask(&again).await.problem(), (401, "nonce_used".to_owned()));
}

#[tokio::test]
async fn a_wrong_key_and_a_wrong_proxy_show_the_base_string() {
    let story = Story::start().await;
    story.consumer.public_key(&Signer::new("other").public_key);
    let answer = story.ask(&[("oauth_callback", CALLBACK)]).await;
    assert_eq!(answer.problem(), (401, "signature_invalid".to_owned()));
    assert!(answer.form()["oauth_signature_base_string"].starts_with("POST&http%3A%2F%2F127.0.0.1%3A"));
    story.consumer.public_key(&story.signer.public_key);
    story.server.believes_base_url("https://git.example.com:443/bitbucket");
    let answer = story.ask(&[("oauth_callback", CALLBACK)]).await;
    let expected =
        "POST&https%3A%2F%2Fgit.example.com%2Fbitbucket%2Fplugins%2Fservlet%2Foauth%2Frequest-token&";
    assert!(answer.form()["oauth_signature_base_string"].starts_with(expected), "{}", answer.text);
    story.server.heal();
    story.request_token().await;
}

#[tokio::test]
async fn the_access_token_step_asks_in_its_order() {
    let story = Story::start().await;
    let problem = async |own: &[(&str, &str)]| story.exchange(own).await.problem();
    let expect = |status, name: &str| (status, name.to_owned());
    assert_eq!(problem(&[("oauth_token", "nobody")]).await, expect(401, "token_rejected"));
    let open = story.request_token().await;
    assert_eq!(problem(&[("oauth_token", &open)]).await, expect(401, "permission_unknown"));
    let back = story.allowed().await;
    let token = back["oauth_token"].as_str();
    assert_eq!(problem(&[("oauth_token", token)]).await, expect(400, "parameter_absent"));
    let wrong = [("oauth_token", token), ("oauth_verifier", "wrong")];
    assert_eq!(problem(&wrong).await, expect(401, "token_rejected"));
    let forged = [wrong[0], ("oauth_verifier", back["oauth_verifier"].as_str()), ("oauth_signature", "eA==")];
    assert_eq!(problem(&forged).await, expect(401, "signature_invalid"));
    let other = Signer::new("other");
    story.server.consumer("other", &other.public_key);
    let stolen = other.post(&story.url("/plugins/servlet/oauth/access-token"), &forged[..2]).await;
    assert_eq!(stolen.problem(), expect(401, "token_rejected"));
    story.server.advance(10 * MINUTE);
    assert_eq!(problem(&forged[..2]).await, expect(401, "token_expired"));
}

#[tokio::test]
async fn an_access_token_expires_is_renewed_and_is_revoked() {
    let story = Story::start().await;
    let tokens = story.consumer.tokens_of("ada");
    assert_eq!(story.whoami(&tokens.token).await.text, "ada");
    story.server.advance(5 * 365 * DAY);
    assert_eq!(story.whoami(&tokens.token).await.problem(), (401, "token_expired".to_owned()));
    let token = ("oauth_token", tokens.token.as_str());
    assert_eq!(story.exchange(&[token]).await.problem().1, "parameter_absent");
    assert_eq!(story.exchange(&[token, ("oauth_session_handle", "x")]).await.problem().1, "token_rejected");
    let renewed = story.exchange(&[token, ("oauth_session_handle", &tokens.session_handle)]).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text);
    let renewed = renewed.form();
    assert_eq!(story.whoami(&renewed["oauth_token"]).await.text, "ada");
    assert_eq!(story.whoami(&tokens.token).await.problem(), (401, "token_rejected".to_owned()));
    let handle = ("oauth_session_handle", renewed["oauth_session_handle"].as_str());
    story.server.advance((5 * 365 + 31) * DAY);
    let late = story.exchange(&[("oauth_token", &renewed["oauth_token"]), handle]).await;
    assert_eq!(late.problem(), (401, "permission_denied".to_owned()));
    let fresh = story.consumer.tokens_of("ada");
    story.server.revoke_tokens("ada");
    assert_eq!(story.whoami(&fresh.token).await.problem(), (401, "token_rejected".to_owned()));
    assert_eq!(story.whoami("").await.problem(), (401, "permission_denied".to_owned()));
}

#[tokio::test]
async fn a_clock_that_is_wrong_refuses_every_signature() {
    let story = Story::start().await;
    story.server.clock_ahead(6 * MINUTE);
    assert_eq!(story.ask(&[("oauth_callback", CALLBACK)]).await.problem().1, "timestamp_refused");
    story.server.clock_behind(12 * MINUTE);
    assert_eq!(story.ask(&[("oauth_callback", CALLBACK)]).await.problem().1, "timestamp_refused");
    story.server.clock_ahead(4 * MINUTE);
    story.request_token().await;
}

#[tokio::test]
async fn an_upgrade_keeps_links_and_tokens_until_oauth_1_is_refused() {
    let story = Story::start().await;
    let tokens = story.consumer.tokens_of("ada");
    story.server.refuse_oauth1();
    assert_eq!(story.whoami(&tokens.token).await.text, "ada", "7.20 does not refuse");
    story.server.set_version(Version::V8_19);
    let refused = (503, "consumer_key_refused".to_owned());
    assert_eq!(story.whoami(&tokens.token).await.problem(), refused);
    assert_eq!(story.ask(&[("oauth_callback", CALLBACK)]).await.problem(), refused);
}
