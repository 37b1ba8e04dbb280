use super::{
    api,
    signer::{Answer, Signer},
    start,
};
use crate::{CALLBACK, client};
use stave_testkit::{FakeDataCenter, TwoFactor, Version};

const LINKS: &str = "/plugins/servlet/applinks/listApplicationLinks";

/// A browser that is logged in and follows no redirect.
struct Browser {
    origin: String,
    base: String,
    cookie: String,
}

impl Browser {
    async fn of(server: &FakeDataCenter, name: &str) -> Self {
        server.user(name);
        let base = server.base_url();
        let form = [("username", name), ("next", "")];
        let answer = client().post(format!("{base}/login")).form(&form).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("Path=/bitbucket/;"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { origin: base.replace("/bitbucket", ""), base, cookie }
    }

    async fn get(&self, path: &str) -> Answer {
        let url = if path.starts_with("/bitbucket") {
            format!("{}{path}", self.origin)
        } else {
            format!("{}{path}", self.base)
        };
        Answer::of(client().get(url).header("cookie", &self.cookie).send().await.unwrap()).await
    }

    /// Sends a form: where it leads, or the page that complains.
    async fn send(&self, path: &str, form: &[(&str, &str)]) -> String {
        let request = client().post(format!("{}{path}", self.base)).header("cookie", &self.cookie).form(form);
        let answer = request.send().await.unwrap();
        match answer.headers().get("location") {
            Some(location) => location.to_str().unwrap().to_owned(),
            None => answer.text().await.unwrap(),
        }
    }
}

fn value_of(page: &str, label: &str) -> String {
    let after = page.split_once(&format!("<label>{label} <input readonly")).unwrap().1;
    after.split_once("value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}

fn expect_words(page: &str, words: &[&str]) {
    for word in words {
        assert!(page.contains(word), "{word}: {page}");
    }
}

#[tokio::test]
async fn an_admin_makes_an_incoming_link_of_oauth_2() {
    let server = start(Version::V9_4).await;
    server.user("root").system_admin();
    let root = Browser::of(&server, "root").await;
    expect_words(&root.get(LINKS).await.text, &[">Create link</a>"]);
    let choice = "/plugins/servlet/applinks/createApplicationLink";
    let page = root.get(choice).await.text;
    expect_words(
        &page,
        &["External application", "Atlassian product", "Incoming", "Outgoing", ">Continue</button>"],
    );
    let form = root.send(choice, &[("type", "external"), ("direction", "incoming")]).await;
    let page = root.get(&form).await.text;
    let words = [
        "<label>Name ",
        "<label>Redirect URL ",
        "Application permissions",
        "Repositories: Read",
        ">Save</button>",
    ];
    expect_words(&page, &words);
    let provider = "/plugins/servlet/oauth2/provider";
    let complaint = root.send(provider, &[("name", "Stave"), ("redirectUrl", "nonsense")]).await;
    expect_words(&complaint, &["not a valid URL", "value=\"nonsense\""]);
    let fields = [("name", "Stave <1>"), ("redirectUrl", CALLBACK), ("scope", "REPO_READ")];
    let shown = root.send(provider, &fields).await;
    let page = root.get(&shown).await.text;
    expect_words(&page, &["Stave &lt;1&gt;", "REPO_READ"]);
    let (id, secret) = (value_of(&page, "Client ID"), value_of(&page, "Client secret"));
    let authorize = format!(
        "{}/rest/oauth2/latest/authorize?client_id={id}&redirect_uri={CALLBACK}&response_type=code&scope=REPO_READ",
        server.base_url()
    );
    let back = server.grant_access(&authorize, "ada").await;
    let code = super::parameters(&back).remove("code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
    ];
    let url = format!("{}/rest/oauth2/latest/token", server.base_url());
    assert_eq!(client().post(url).form(&form).send().await.unwrap().status(), 200);

    let below = shown.trim_start_matches("/bitbucket");
    expect_words(
        &root.get(&format!("{below}/edit")).await.text,
        &["value=\"REPO_READ\" aria-label=\"Repositories: Read\" checked"],
    );
    root.send(below, &[("name", "Stave"), ("redirectUrl", "http://127.0.0.1:2/"), ("scope", "REPO_ADMIN")])
        .await;
    let page = root.get(&shown).await.text;
    expect_words(&page, &["http://127.0.0.1:2/", "REPO_ADMIN", &secret]);
    let list = root.get(LINKS).await.text;
    expect_words(&list, &[&shown, ">Delete</button>"]);
    root.send(&format!("{LINKS}/1/delete"), &[]).await;
    assert!(!root.get(LINKS).await.text.contains(&shown));
}

#[tokio::test]
async fn an_admin_makes_a_link_of_oauth_1_in_the_old_way_and_in_the_new() {
    let (warning, generic) =
        ("/plugins/servlet/applinks/confirmApplicationUrl", "/plugins/servlet/applinks/linkApplications");
    for version in [Version::V5_16, Version::V7_20, Version::V7_21, Version::V9_4] {
        let server = start(version).await;
        server.user("root").admin();
        let root = Browser::of(&server, "root").await;
        let list = root.get(LINKS).await.text;
        if version.has_oauth2() {
            let form = [("type", "product"), ("url", "http://127.0.0.1:1")];
            let to = root.send("/plugins/servlet/applinks/createApplicationLink", &form).await;
            assert_eq!(to, format!("/bitbucket{warning}?url=http%3A%2F%2F127.0.0.1%3A1"));
        } else {
            expect_words(&list, &["<label>Application URL ", ">Create new link</button>"]);
            assert_eq!(root.get("/plugins/servlet/oauth2/provider").await.status, 404);
        }
        let page = root.get(&format!("{warning}?url=http%3A%2F%2F127.0.0.1%3A1")).await.text;
        expect_words(
            &page,
            &["No response was received", "value=\"http://127.0.0.1:1\"", ">Continue</button>"],
        );
        let page = root.get(&format!("{generic}?url=http%3A%2F%2F127.0.0.1%3A1")).await.text;
        expect_words(
            &page,
            &["<h1>Link applications</h1>", "<label>Application Name ", "<option>Generic Application<"],
        );
        let form = [("name", "Stave"), ("type", "Generic Application"), ("url", "http://127.0.0.1:1")];
        assert_eq!(root.send(generic, &form).await, format!("/bitbucket{LINKS}"));
        expect_words(&root.get(LINKS).await.text, &["aria-label=\"Edit Stave\"", "http://127.0.0.1:1"]);
        fill_in_incoming(&server, &root).await;
    }
}

/// The pencil, "Incoming Authentication", and a request that is signed with the key.
async fn fill_in_incoming(server: &FakeDataCenter, root: &Browser) {
    let incoming = "/plugins/servlet/applinks/incoming/1";
    let labels = ["Consumer Key", "Consumer Name", "Description", "Public Key", "Consumer Callback URL"];
    let page = root.get(incoming).await.text;
    expect_words(&page, &labels.map(|label| format!("<label>{label} ")).each_ref().map(String::as_str));
    expect_words(&page, &["Incoming Authentication", ">Save</button>"]);
    let signer = Signer::new("stave");
    let pkcs1 = signer.public_key.replace("PUBLIC", "RSA PUBLIC");
    let wrong = [("key", "stave"), ("name", "Stave"), ("publicKey", &pkcs1)];
    expect_words(&root.send(incoming, &wrong).await, &["public key is not valid", "value=\"stave\""]);
    let windows = signer.public_key.replace('\n', "\r\n");
    let form = [("key", "stave"), ("name", "Stave"), ("publicKey", &*windows), ("callback", "")];
    assert_eq!(root.send(incoming, &form).await, format!("/bitbucket{LINKS}"));
    expect_words(&root.get(incoming).await.text, &["-----BEGIN PUBLIC KEY-----", "value=\"stave\""]);
    let url = format!("{}/plugins/servlet/oauth/request-token", server.base_url());
    let answer = signer.post(&url, &[("oauth_callback", CALLBACK)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test]
async fn links_are_for_admins() {
    let server = start(Version::V9_4).await;
    let secret = server.link(CALLBACK, &[]).client_secret();
    let nobody = client().get(format!("{}{LINKS}", server.base_url())).send().await.unwrap();
    assert!(nobody.headers()["location"].to_str().unwrap().starts_with("/bitbucket/login?next="));
    let ada = Browser::of(&server, "ada").await;
    for path in [LINKS, "/plugins/servlet/oauth2/provider/1"] {
        let page = ada.get(path).await;
        assert_eq!((page.status, page.text.contains(&secret)), (403, false));
    }
    server.user("ada").admin();
    assert!(ada.get("/plugins/servlet/oauth2/provider/1").await.text.contains(&secret));
}

#[tokio::test]
async fn an_admin_enables_the_oauth_whitelist() {
    let server = start(Version::V9_4).await;
    server.user("root").admin();
    let root = Browser::of(&server, "root").await;
    let settings = "/plugins/servlet/tfa/configuration";
    assert_eq!(root.get(settings).await.status, 404);
    let token = server.link(CALLBACK, &["REPO_READ"]).tokens_of("ada").access;
    server.two_factor(TwoFactor::Redirect);
    assert_eq!(api(&server, &token, "/users/ada").await.0, 302);
    expect_words(&root.get(settings).await.text, &[">Enable OAuth whitelist</button>"]);
    root.send(settings, &[]).await;
    assert_eq!(api(&server, &token, "/users/ada").await.0, 200);
}
