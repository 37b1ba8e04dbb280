use crate::{client, read};
use stave_testkit::FakeBitbucket;

struct Browser {
    base: String,
    cookie: String,
}

impl Browser {
    async fn of(bitbucket: &FakeBitbucket, nickname: &str) -> Self {
        let base = bitbucket.base_url();
        let user = bitbucket.user(nickname);
        let form = [("user", user.uuid()), ("next", "/")];
        let answer = client().post(format!("{base}/account/signin")).form(&form).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Self { base, cookie }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer =
            client().get(format!("{}{path}", self.base)).header("cookie", &self.cookie).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Sends a form and gives where it leads.
    async fn send(&self, path: &str, form: &[(&str, &str)]) -> String {
        let request = client().post(format!("{}{path}", self.base)).header("cookie", &self.cookie).form(form);
        request.send().await.unwrap().headers()["location"].to_str().unwrap().to_owned()
    }
}

fn value_of(page: &str, label: &str) -> String {
    let after = page.split_once(&format!("<label>{label} <input readonly")).unwrap().1;
    after.split_once("value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn an_owner_creates_a_consumer_in_the_browser() {
    let bitbucket = FakeBitbucket::start().await;
    bitbucket.workspace("acme").owner("ada").member("grace");
    let ada = Browser::of(&bitbucket, "ada").await;
    let settings = "/acme/workspace/settings/oauth-consumers";
    let (_, page) = ada.get(&format!("{settings}/new")).await;
    for label in [
        "Name",
        "Callback URL",
        "This is a private consumer",
        "Save",
        "Read and write",
        "Workspace membership",
    ] {
        assert!(page.contains(label), "{label}: {page}");
    }
    let form = [
        ("name", "Stave <1>"),
        ("callback", "http://127.0.0.1:1/"),
        ("scope", "account"),
        ("scope", "pullrequest:write"),
    ];
    let shown = ada.send(settings, &form).await;
    let (_, page) = ada.get(&shown).await;
    assert!(page.contains("Stave &lt;1&gt;"), "{page}");
    // Reading the account ticks e-mail, writing pull requests ticks reading repositories.
    assert!(page.contains("account, pullrequest:write, email, pullrequest, repository"), "{page}");
    let (key, secret) = (value_of(&page, "Key"), value_of(&page, "Secret"));

    let edited =
        ada.send(&shown, &[("name", "Stave"), ("callback", "http://127.0.0.1:2/"), ("scope", "team")]).await;
    let (_, page) = ada.get(&edited).await;
    assert!(page.contains("http://127.0.0.1:2/") && page.contains("<code>team</code>"), "{page}");
    assert!(
        ada.get(&format!("{shown}/edit"))
            .await
            .1
            .contains("value=\"team\" aria-label=\"Workspace membership: Read\" checked")
    );
    assert!(ada.get(settings).await.1.contains(&shown));

    let url = format!("{}/site/oauth2/access_token", bitbucket.base_url());
    let form = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let (_, error) = read(client().post(url).basic_auth(key, Some(secret)).form(&form)).await;
    assert_eq!(error["error"], "invalid_request", "the key and the secret are right");
}

#[tokio::test]
async fn others_do_not_see_consumers() {
    let bitbucket = FakeBitbucket::start().await;
    bitbucket.workspace("acme").owner("ada").member("grace");
    let consumer = bitbucket.consumer("acme", "http://127.0.0.1:1/", &[]);
    let path = format!("/acme/workspace/settings/oauth-consumers/{}", consumer.key());
    let (status, page) = Browser::of(&bitbucket, "grace").await.get(&path).await;
    assert_eq!((status, page.contains(&consumer.secret())), (403, false));
    let nobody = Browser { base: bitbucket.base_url(), cookie: String::new() };
    let (_, page) = nobody.get(&path).await;
    assert!(page.contains("Log in as ada") && !page.contains(&consumer.secret()), "{page}");
}
