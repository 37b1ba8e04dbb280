//! Passwords, tokens and secrets: none in the log at any level, none in clear in the data folder.

use crate::support::{
    Browser,
    process::{Place, Process},
};
use stave_testkit::{FakeBitbucket, samples};
use std::{collections::BTreeMap, fs, path::Path, time::Duration};
use url::Url;

/// Every file below a folder that has one of these texts in it.
fn files_with(folder: &Path, secrets: &[(&str, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, secrets));
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_default();
        for (what, secret) in secrets {
            if bytes.windows(secret.len()).any(|window| window == secret.as_bytes()) {
                found.push(format!("{what} in {}", path.display()));
            }
        }
    }
    found
}

/// What must be nowhere: a name for the message, and the secret itself.
type Secrets = Vec<(&'static str, String)>;

#[tokio::test]
async fn no_secret_is_in_the_log_or_in_clear_on_disk() {
    let bitbucket = FakeBitbucket::start().await;
    bitbucket.workspace("acme").owner("ada").repository("mailer").private().push(samples::mailer);
    let place = Place::new().await;
    let stave = place.serve(&["--outbound-allow", "127.0.0.0/8", "--log-level", "trace"]).await;
    let browser = Browser::new(&stave.url("/"));
    browser.open(stave.setup_link()).await.shows("Admin Panel");
    let mut secrets = vec![("the setup token", stave.setup_link().rsplit('/').next().unwrap().to_owned())];
    secrets.extend(sign_in(&stave, &browser, &bitbucket).await);
    secrets.extend(
        read_with_token(&stave, &browser, &format!("{}/acme/mailer.git", bitbucket.base_url())).await,
    );
    let sent = bitbucket.requests();
    let bearer = sent.iter().find_map(|request| request.header("authorization")?.strip_prefix("Bearer "));
    secrets.push(("the access token", bearer.expect("Stave used its access token").to_owned()));
    for name in ["stave_login", "stave_setup"] {
        secrets.extend(browser.cookie(name).map(|value| ("a cookie", value)));
    }
    let wrong = [("email", "ada@example.com"), ("password", "open-sesame-open-sesame")];
    browser.send("/login", &wrong).await;
    secrets.push(("the typed password", wrong[1].1.to_owned()));

    stave.signal("TERM").await;
    let (_, log) = stave.end().await;
    let log = log.join("\n");
    for (what, secret) in &secrets {
        assert!(!log.contains(secret.as_str()), "{what} is in the log");
    }
    assert_eq!(files_with(&place.data(), &secrets), [""; 0]);
}

/// Adds the integration and logs in with it as the first admin.
async fn sign_in(stave: &Process, browser: &Browser, bitbucket: &FakeBitbucket) -> Secrets {
    let scopes = ["account", "email", "repository"];
    let consumer = bitbucket.consumer("acme", &stave.url("/oauth/callback/bitbucket"), &scopes);
    let integration = [
        ("name", "Bitbucket"),
        ("platform", "bitbucket"),
        ("base_url", &bitbucket.base_url()),
        ("client_id", consumer.key()),
        ("client_secret", &consumer.secret()),
        ("slug", "bitbucket"),
    ];
    browser.send("/admin/integrations/new", &integration).await.shows("The integration was created");
    browser.send("/admin/configuration", &[("password_login", "true")]).await;
    let departure = browser.open("/login/bitbucket").await.url.to_string();
    let back = bitbucket.grant_access(&departure, "ada").await;
    browser.open(&back).await.shows("Create account");
    let account = [("username", "ada"), ("name", ""), ("email", "ada@example.com")];
    browser.send("/login/register", &account).await;
    let query: BTreeMap<_, _> = back.parse::<Url>().unwrap().query_pairs().into_owned().collect();
    vec![
        ("the client secret", consumer.secret()),
        ("the code", query["code"].clone()),
        ("the state", query["state"].clone()),
    ]
}

/// Makes an organization with a credential, a token and a package, and reads the package with the token.
async fn read_with_token(stave: &Process, browser: &Browser, repository: &str) -> Secrets {
    browser.send("/orgs/new", &[("name", "Acme"), ("short_name", "acme")]).await.shows("Acme");
    let page = browser.send("/orgs/acme/token", &[]).await;
    let at = page.body.find("stave_uut_").unwrap_or_else(|| panic!("no token on the page:\n{}", page.text()));
    let token = page.body[at..at + 78].to_owned();
    let password = "swordfish-swordfish";
    let stored =
        [("description", "Robot"), ("host", "git.example.com"), ("username", "robot"), ("secret", password)];
    browser.send("/orgs/acme/settings/credentials", &stored).await.shows("Robot");
    let page = browser.send("/orgs/acme/packages", &[("url", repository), ("credential", "auto")]).await;
    let at = page.body.find("/hooks/repositories/").expect("a hook URL");
    let hook = page.body[at..].split(['"', '<']).next().unwrap().to_owned();
    for _ in 0..300 {
        if !browser.open(page.url.path()).await.body.contains("data-refresh") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    browser.open(page.url.path()).await.shows("acme/mailer");
    let client = reqwest::Client::new();
    let metadata = stave.url("/repo/acme/p2/acme/mailer.json");
    let read = client.get(metadata).basic_auth("ada", Some(&token)).send().await.unwrap();
    assert_eq!(read.status(), 200);
    client.post(stave.url(&hook)).send().await.unwrap();
    vec![
        ("the user token", token),
        ("the stored password", password.to_owned()),
        ("the hook's secret", hook.rsplit('/').next().unwrap().to_owned()),
    ]
}
