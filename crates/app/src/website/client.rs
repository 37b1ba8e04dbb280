//! The applications of a website: clients of its OpenID Connect issuer, as its owners manage them.

use super::form::lines;
use crate::{Actor, App, Failure, Problems, entropy};
use stave_domain::{
    Secret,
    id::WebsiteClientId,
    website::{Client, ClientKind, HeldSecret, RedirectUri, Website},
};

/// So many addresses of a kind a client has at most.
const MOST_URIS: usize = 50;
/// So many secrets of a client are valid at once: one that is in use, and the one that takes its place.
const MOST_SECRETS: usize = 2;

/// What is typed into the form of a client.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct ClientForm {
    /// As its owner calls it.
    pub name: String,
    /// A [`ClientKind`]'s key; only a new client has it to choose.
    pub kind: String,
    /// Where visitors come back to: one [`RedirectUri`] per line.
    pub redirect_uris: String,
    /// Where they go after they signed out: one per line.
    pub post_logout_uris: String,
    /// Present if the box is ticked.
    pub pkce_required: Option<String>,
    /// Present if the box is ticked.
    pub is_own: Option<String>,
    /// Present if the box is ticked.
    pub may_refresh: Option<String>,
}

/// A client whose secret can be read this once.
#[derive(Debug)]
pub struct NewClient {
    /// What is kept.
    pub client: Client,
    /// What is shown once; `None` if it needs none.
    pub secret: Option<Secret>,
}

/// What a form says once it has been read.
struct Typed {
    name: String,
    redirect_uris: Vec<RedirectUri>,
    post_logout_uris: Vec<RedirectUri>,
}

impl ClientForm {
    /// The form of a client that is to be made.
    #[must_use]
    pub fn new() -> Self {
        let on = || Some("on".to_owned());
        Self {
            kind: ClientKind::Confidential.key().to_owned(),
            pkce_required: on(),
            is_own: on(),
            ..Self::default()
        }
    }

    /// The form of a client that exists.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        let joined =
            |uris: &[RedirectUri]| uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>().join("\n");
        let ticked = |is_on: bool| is_on.then(|| "on".to_owned());
        Self {
            name: client.name.clone(),
            kind: client.kind.key().to_owned(),
            redirect_uris: joined(&client.redirect_uris),
            post_logout_uris: joined(&client.post_logout_uris),
            pkce_required: ticked(client.pkce_required),
            is_own: ticked(client.is_own),
            may_refresh: ticked(client.may_refresh),
        }
    }

    fn read(&self, problems: &mut Problems) -> Option<Typed> {
        let name = problems.text("name", "Name", &self.name, 100);
        let redirect_uris = uris(problems, "redirect_uris", &self.redirect_uris);
        let post_logout_uris = uris(problems, "post_logout_uris", &self.post_logout_uris);
        if redirect_uris.as_ref().is_some_and(Vec::is_empty) {
            problems.add(
                "redirect_uris",
                "Without a redirect address nobody can come back to the application. Type at least one.",
            );
            return None;
        }
        Some(Typed { name: name?, redirect_uris: redirect_uris?, post_logout_uris: post_logout_uris? })
    }

    /// A script in a browser has nothing but PKCE to show who it is.
    fn pkce_required(&self, kind: ClientKind) -> bool {
        kind == ClientKind::Browser || self.pkce_required.is_some()
    }
}

impl App {
    /// A random text with which an application can seal its own sessions. It is another one each time, and kept nowhere.
    #[must_use]
    pub fn website_client_passphrase() -> Secret {
        entropy::secret()
    }

    /// The clients that owners manage. The one that stands for the site's own pages manages itself.
    pub async fn website_client_list(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
    ) -> Result<Vec<Client>, Failure> {
        let (_, website) = self.website_owned(actor, organization, slug).await?;
        let clients = self.storage.website_client_list(website.id).await?;
        Ok(clients.into_iter().filter(|client| client.kind != ClientKind::Site).collect())
    }

    /// Makes a client; one on a server gets its first secret with it.
    pub async fn website_client_create(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
        form: &ClientForm,
    ) -> Result<NewClient, Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let mut problems = Problems::default();
        let kind = problems.parse::<ClientKind>("kind", &form.kind);
        let typed = form.read(&mut problems);
        let (kind, typed) = kind.zip(typed).ok_or_else(|| problems.into_failure())?;
        if kind == ClientKind::Site {
            return Err(Failure::invalid(
                "kind",
                "Choose where the application runs: on a server or in a browser.",
            ));
        }
        let secret = (kind == ClientKind::Confidential).then(entropy::secret);
        let now = self.clock.now();
        let client = Client {
            id: entropy::id(),
            website_id: website.id,
            public_id: public_id(),
            name: typed.name,
            kind,
            secrets: secret.iter().map(|secret| HeldSecret::of(secret, now)).collect(),
            redirect_uris: typed.redirect_uris,
            post_logout_uris: typed.post_logout_uris,
            pkce_required: form.pkce_required(kind),
            is_own: form.is_own.is_some(),
            may_refresh: form.may_refresh.is_some(),
            created_at: now,
        };
        self.storage.website_client_insert(&client).await?;
        self.log_by(actor, Some(organization.id), told("created", &client, &website)).await?;
        Ok(NewClient { client, secret })
    }

    /// Changes a client. Where it runs, its id and its secrets stay.
    pub async fn website_client_update(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        id: WebsiteClientId,
        form: &ClientForm,
    ) -> Result<(), Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let txn = self.storage.begin().await?;
        let client = managed(txn.website_client_find(website.id, id).await?)?;
        let mut problems = Problems::default();
        let typed = form.read(&mut problems).ok_or_else(|| problems.into_failure())?;
        let client = Client {
            name: typed.name,
            redirect_uris: typed.redirect_uris,
            post_logout_uris: typed.post_logout_uris,
            pkce_required: form.pkce_required(client.kind),
            is_own: form.is_own.is_some(),
            may_refresh: form.may_refresh.is_some(),
            ..client
        };
        txn.website_client_update(&client).await?;
        txn.commit().await?;
        self.log_by(actor, Some(organization.id), told("changed", &client, &website)).await
    }

    /// Deletes a client: its tokens die at once, and it can no longer ask who visitors are.
    pub async fn website_client_delete(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        id: WebsiteClientId,
    ) -> Result<(), Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let client = managed(self.storage.website_client_find(website.id, id).await?)?;
        self.storage.website_client_delete(website.id, id).await?;
        self.log_by(actor, Some(organization.id), told("deleted", &client, &website)).await
    }

    /// Gives a client a second secret, to be shown once, so that it can change over without a pause.
    pub async fn website_client_secret_add(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        id: WebsiteClientId,
    ) -> Result<Secret, Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let txn = self.storage.begin().await?;
        let mut client = managed(txn.website_client_find(website.id, id).await?)?;
        if client.kind != ClientKind::Confidential {
            return Err(Failure::Conflict("An application in a browser has no secret: it uses PKCE.".into()));
        }
        if client.secrets.len() >= MOST_SECRETS {
            return Err(Failure::Conflict(
                "Two secrets are valid already. Remove the older one first.".into(),
            ));
        }
        let secret = entropy::secret();
        client.secrets.insert(0, HeldSecret::of(&secret, self.clock.now()));
        txn.website_client_update(&client).await?;
        txn.commit().await?;
        self.log_by(actor, Some(organization.id), told("made another secret for", &client, &website)).await?;
        Ok(secret)
    }

    /// Ends every secret of a client but the newest.
    pub async fn website_client_secret_retire(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        id: WebsiteClientId,
    ) -> Result<(), Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let txn = self.storage.begin().await?;
        let mut client = managed(txn.website_client_find(website.id, id).await?)?;
        client.secrets.truncate(1);
        txn.website_client_update(&client).await?;
        txn.commit().await?;
        self.log_by(actor, Some(organization.id), told("removed the older secret of", &client, &website))
            .await
    }
}

/// A fresh `client_id`: no secret, but unlike all others.
pub(super) fn public_id() -> String {
    hex::encode(entropy::bytes::<12>())
}

fn managed(client: Option<Client>) -> Result<Client, Failure> {
    client.filter(|client| client.kind != ClientKind::Site).ok_or(Failure::NotFound("application"))
}

fn told(what: &str, client: &Client, website: &Website) -> String {
    format!("{what} the application “{}” of the website {}", client.name, website.slug)
}

fn uris(problems: &mut Problems, field: &'static str, typed: &str) -> Option<Vec<RedirectUri>> {
    let mut uris: Vec<RedirectUri> = Vec::new();
    for uri in lines(problems, field, typed)? {
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    if uris.len() > MOST_URIS {
        problems.add(field, format!("These are too many addresses: {MOST_URIS} at most."));
        return None;
    }
    Some(uris)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem_of(redirect_uris: &str) -> Option<String> {
        let form =
            ClientForm { name: "App".into(), redirect_uris: redirect_uris.into(), ..ClientForm::new() };
        let mut problems = Problems::default();
        form.read(&mut problems);
        problems.of("redirect_uris").map(str::to_owned)
    }

    #[test]
    fn good_addresses_are_registered_as_they_are_typed() {
        for good in [
            "https://app.example/callback",
            "https://app.example",
            "https://app.example/",
            "https://app.example:8443/cb",
            "https://app.example/cb?tenant=7",
            "https://app.example/c%2Fb",
            "https://xn--bcher-kva.example/cb",
            "http://localhost:3000/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:9/cb",
        ] {
            assert_eq!(problem_of(good), None, "{good}");
            let kept = good.parse::<RedirectUri>().unwrap();
            assert_eq!(kept.as_str(), good);
        }
    }

    /// RFC 9700, sections 2.1 and 4.1.
    #[test]
    fn near_misses_are_refused_at_registration() {
        for bad in [
            "http://app.example/cb",
            "http://localhost.app.example/cb",
            "http://127.0.0.1.app.example/cb",
            "http://10.0.0.1/cb",
            "http://192.168.0.1/cb",
            "http://[::ffff:127.0.0.1]/cb",
            "http://0.0.0.0/cb",
            "https://app.example/cb#",
            "https://app.example/cb#part",
            "https://app.example/#",
            "https://ada@app.example/cb",
            "https://ada:pw@app.example/cb",
            "https://app.example@evil.example/cb",
            "https://:@app.example/cb",
            "https://*.app.example/cb",
            "https://app.example/*",
            "https://app.example/cb?x=*",
            "https://App.Example/cb",
            "HTTPS://app.example/cb",
            "https://app.example:443/cb",
            "http://127.0.0.1:80/cb",
            "https://app.example/../cb",
            "https://app.example/a/./cb",
            "https://app.example/%2e%2e/cb",
            "https://app.example/a/%2E/cb",
            "https://app.example\\cb",
            "https:\\\\app.example/cb",
            "https://app.example/c b",
            "https://app.example/c\tb",
            "https://bücher.example/cb",
            "https://app.example/ü",
            "https://2130706433/cb",
            "http://2130706433/cb",
            "http://0x7f.1/cb",
            "http://127.1/cb",
            "https:app.example/cb",
            "https:/app.example/cb",
            "https:///app.example/cb",
            "//app.example/cb",
            "/cb",
            "app.example/cb",
            "myapp://callback",
            "javascript:alert(1)",
            "data:text/html,x",
            "urn:ietf:wg:oauth:2.0:oob",
            "file:///etc/passwd",
            "https://",
            "https://app.example/cb\u{202e}",
            "https://app.example/<script>",
        ] {
            let problem = problem_of(&format!("https://good.example/cb\n{bad}"));
            let named = problem.as_deref().is_some_and(|problem| problem.starts_with("Line 2: "));
            assert!(named, "{bad}: {problem:?}");
        }
        assert!(problem_of(" \n").is_some_and(|problem| problem.contains("at least one")));
    }

    #[test]
    fn a_client_in_a_browser_always_uses_pkce() {
        let form = ClientForm { pkce_required: None, ..ClientForm::new() };
        assert!(form.pkce_required(ClientKind::Browser));
        assert!(!form.pkce_required(ClientKind::Confidential));
    }
}
