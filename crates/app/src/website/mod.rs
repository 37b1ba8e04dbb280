//! Websites, as their owners manage them: making one, its settings, its end.
//!
//! Every use case begins with [`App::website_owned`]. How visitors meet a website is in [`crate::issuer`].

mod blame;
mod client;
mod event;
mod form;
mod look;
mod member;
mod provider;
mod proxy_key;
mod setting;
mod test;
mod wiring;

pub(crate) use blame::{for_owner, for_visitor};
pub use client::{ClientForm, NewClient};
pub use event::EventPage;
pub use form::WebsiteForm;
pub use member::{MemberAddress, MemberPage, MemberSearch, MemberView};
pub(crate) use provider::{Server, form_changed};
pub use setting::{
    Held, ProviderForm, RevisionView, SettingForm, SettingView, email_choices, setting_changes,
};
pub use wiring::Finding;

use crate::{Actor, App, Failure, entropy};
use stave_domain::{
    Timestamp,
    organization::Organization,
    website::{
        Client, ClientKind, Origin, RedirectUri, SigningKey, Slug, Website, keys_published, signing_key,
    },
};
use stave_storage::WebsiteCounts;

/// A website in the list of its organization.
#[derive(Debug)]
pub struct WebsiteLine {
    /// Which.
    pub website: Website,
    /// The address that its applications know it by.
    pub issuer: String,
    /// How much there is.
    pub counts: WebsiteCounts,
}

/// A website's settings.
#[derive(Debug)]
pub struct WebsiteView {
    /// Which.
    pub website: Website,
    /// The address that its applications know it by.
    pub issuer: String,
    /// What goes with it.
    pub counts: WebsiteCounts,
    /// Its keys, oldest first.
    pub keys: Vec<KeyLine>,
}

/// A key with which a website's tokens are signed.
#[derive(Debug)]
pub struct KeyLine {
    /// `kid`.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it does now.
    pub state: KeyState,
}

/// What a signing key does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It is published and does not sign yet.
    Next,
    /// It signs.
    Signing,
    /// It is published for what it signed.
    Retiring,
    /// It is no longer published.
    Retired,
}

impl App {
    /// A website that the actor owns by its organization. One of another organization does not exist here.
    pub async fn website_owned(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
    ) -> Result<(Organization, Website), Failure> {
        let organization = self.organization_managed(actor, organization).await?;
        let missing = || Failure::NotFound("website");
        let slug: Slug = slug.parse().map_err(|_| missing())?;
        let website = self.storage.website_find_by_slug(&slug).await?;
        let website = website.filter(|website| website.organization_id == organization.id);
        Ok((organization, website.ok_or_else(missing)?))
    }

    /// The websites of an organization, for its owners.
    pub async fn website_list(
        &self,
        actor: &Actor,
        organization: &str,
    ) -> Result<(Organization, Vec<WebsiteLine>), Failure> {
        let organization = self.organization_managed(actor, organization).await?;
        let mut lines = Vec::new();
        for website in self.storage.website_list(organization.id).await? {
            let counts = self.storage.website_counts(website.id).await?;
            lines.push(WebsiteLine { issuer: self.issuer_address(&website), website, counts });
        }
        Ok((organization, lines))
    }

    /// The settings of a website, and what goes with it.
    pub async fn website_show(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
    ) -> Result<WebsiteView, Failure> {
        let (_, website) = self.website_owned(actor, organization, slug).await?;
        let counts = self.storage.website_counts(website.id).await?;
        let keys = self.storage.website_key_list(website.id).await?;
        let keys = key_lines(&keys, self.clock.now());
        Ok(WebsiteView { issuer: self.issuer_address(&website), website, counts, keys })
    }

    /// Makes a website with its first signing key and its first clients: one for its own pages behind a proxy, one for its script.
    pub async fn website_create(
        &self,
        actor: &Actor,
        organization: &str,
        form: &WebsiteForm,
    ) -> Result<Website, Failure> {
        let organization = self.organization_managed(actor, organization).await?;
        let (slug, typed) = form.read_new()?;
        let website = Website {
            id: entropy::id(),
            organization_id: organization.id,
            slug,
            name: typed.name,
            origins: typed.origins,
            proxy_keys: Vec::new(),
            revision: None,
            created_at: self.clock.now(),
        };
        let key = self.website_key_new(website.id).await?;
        let txn = self.storage.begin().await?;
        if !txn.website_slug_is_free(&website.slug).await? {
            return Err(Failure::invalid("slug", "Another website here has this slug. Choose another."));
        }
        txn.website_insert(&website).await?;
        txn.website_key_insert(&key).await?;
        for client in first_clients(&website)? {
            txn.website_client_insert(&client).await?;
        }
        txn.commit().await?;
        self.log_by(actor, Some(organization.id), format!("created the website {}", website.slug)).await?;
        Ok(website)
    }

    /// Changes a website's name and addresses; the clients that stand for the site itself follow them. Its slug stays.
    pub async fn website_update(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
        form: &WebsiteForm,
    ) -> Result<(), Failure> {
        let (organization, before) = self.website_owned(actor, organization, slug).await?;
        let typed = form.read()?;
        let txn = self.storage.begin().await?;
        let before = txn.website_find(before.id).await?.ok_or(Failure::NotFound("website"))?;
        let website = Website { name: typed.name, origins: typed.origins, ..before.clone() };
        txn.website_update(&website).await?;
        for client in txn.website_client_list(website.id).await? {
            if let Some(client) = moved(&client, &before.origins, &website.origins)? {
                txn.website_client_update(&client).await?;
            }
        }
        txn.commit().await?;
        let what = if before.origins == website.origins { "" } else { "addresses of the " };
        let action = format!("changed the {what}website {}", website.slug);
        self.log_by(actor, Some(organization.id), action).await
    }

    /// Deletes a website with everything in it. `typed` is its slug, so that nobody deletes the wrong one.
    pub async fn website_delete(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
        typed: &str,
    ) -> Result<(), Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        if typed.trim() != website.slug.as_str() {
            return Err(Failure::invalid("typed", format!("Type {} to delete this website.", website.slug)));
        }
        let members = self.storage.website_counts(website.id).await?.members;
        self.storage.website_delete(website.id).await?;
        let members = if members == 1 { "1 member".to_owned() } else { format!("{members} members") };
        let action = format!("deleted the website {} with {members}", website.slug);
        self.log_by(actor, Some(organization.id), action).await
    }
}

/// What the keys of a website do now; `keys` are oldest first.
fn key_lines(keys: &[SigningKey], now: Timestamp) -> Vec<KeyLine> {
    let (signing, published) = (signing_key(keys, now), keys_published(keys, now));
    let place = |key: &SigningKey| keys.iter().position(|other| other.id == key.id);
    let state = |key: &SigningKey| match signing {
        Some(signing) if signing.id == key.id => KeyState::Signing,
        Some(signing) if place(key) > place(signing) => KeyState::Next,
        _ if published.iter().any(|other| other.id == key.id) => KeyState::Retiring,
        _ => KeyState::Retired,
    };
    keys.iter()
        .map(|key| KeyLine { id: key.id.clone(), created_at: key.created_at, state: state(key) })
        .collect()
}

/// What a website begins with: itself behind a proxy, and its script.
fn first_clients(website: &Website) -> Result<[Client; 2], Failure> {
    let client = |kind, name: &str, redirect_uris| -> Result<Client, Failure> {
        Ok(Client {
            id: entropy::id(),
            website_id: website.id,
            public_id: client::public_id(),
            name: name.to_owned(),
            kind,
            secrets: Vec::new(),
            redirect_uris,
            post_logout_uris: front_pages(&website.origins)?,
            pkce_required: true,
            is_own: true,
            may_refresh: kind == ClientKind::Browser,
            created_at: website.created_at,
        })
    };
    Ok([
        client(ClientKind::Site, "Pages behind a proxy", proxy_callbacks(&website.origins)?)?,
        client(ClientKind::Browser, "Script tag", front_pages(&website.origins)?)?,
    ])
}

/// A client after the site moved, if it stands for the site itself: the one for its pages, and those in browsers that name every
/// front page. What else such a client names stays.
fn moved(client: &Client, before: &[Origin], after: &[Origin]) -> Result<Option<Client>, Failure> {
    let (left, reached) = (front_pages(before)?, front_pages(after)?);
    let follow = |uris: &[RedirectUri]| {
        if !left.iter().all(|page| uris.contains(page)) {
            return uris.to_vec();
        }
        let others = uris.iter().filter(|uri| !left.contains(uri) && !reached.contains(uri));
        reached.iter().chain(others).cloned().collect()
    };
    let redirect_uris = match client.kind {
        ClientKind::Site => proxy_callbacks(after)?,
        ClientKind::Browser => follow(&client.redirect_uris),
        ClientKind::Confidential => client.redirect_uris.clone(),
    };
    let client =
        Client { redirect_uris, post_logout_uris: follow(&client.post_logout_uris), ..client.clone() };
    Ok((before != after).then_some(client))
}

fn front_pages(origins: &[Origin]) -> Result<Vec<RedirectUri>, Failure> {
    at_each(origins, "/")
}

/// Where a visitor of a page behind a proxy comes back to.
fn proxy_callbacks(origins: &[Origin]) -> Result<Vec<RedirectUri>, Failure> {
    at_each(origins, "/.stave/callback")
}

fn at_each(origins: &[Origin], path: &str) -> Result<Vec<RedirectUri>, Failure> {
    let at =
        |origin: &Origin| origin.at(path).parse().map_err(|error| Failure::internal(format!("{error:?}")));
    origins.iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        KeyState::{Next, Retired, Retiring, Signing},
        *,
    };
    use stave_domain::secret::Sealed;

    fn origins(all: &[&str]) -> Vec<Origin> {
        all.iter().map(|origin| origin.parse().unwrap()).collect()
    }

    fn website(all: &[&str]) -> Website {
        Website {
            id: entropy::id(),
            organization_id: entropy::id(),
            slug: "shop".parse().unwrap(),
            name: "Shop".into(),
            origins: origins(all),
            proxy_keys: Vec::new(),
            revision: None,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn texts(uris: &[RedirectUri]) -> Vec<&str> {
        uris.iter().map(RedirectUri::as_str).collect()
    }

    #[test]
    fn the_sites_own_clients_follow_its_addresses() {
        let before = website(&["https://a.example", "https://b.example"]);
        let [site, mut script] = first_clients(&before).unwrap();
        script.redirect_uris.push("https://a.example/app".parse().unwrap());
        let after = origins(&["https://b.example", "https://c.example"]);
        let there = |client: &Client| moved(client, &before.origins, &after).unwrap().unwrap();
        assert_eq!(
            texts(&there(&site).redirect_uris),
            ["https://b.example/.stave/callback", "https://c.example/.stave/callback"]
        );
        assert_eq!(
            texts(&there(&script).redirect_uris),
            ["https://b.example/", "https://c.example/", "https://a.example/app"]
        );
        script.redirect_uris = vec!["https://a.example/app".parse().unwrap()];
        assert_eq!(
            texts(&there(&script).redirect_uris),
            ["https://a.example/app"],
            "it stands for something else"
        );
        let server = Client { kind: ClientKind::Confidential, ..site };
        assert_eq!(there(&server).redirect_uris, server.redirect_uris);
        assert_eq!(moved(&server, &before.origins, &before.origins).unwrap(), None);
    }

    #[test]
    fn what_each_key_does() {
        let key = |id: &str, hours: i64| SigningKey {
            id: id.into(),
            website_id: entropy::id(),
            private_key: Sealed(vec![]),
            modulus: String::new(),
            exponent: String::new(),
            created_at: Timestamp::from_second(3600 * hours).unwrap(),
        };
        let keys = [key("a", 0), key("b", 10), key("c", 20)];
        let states = |minutes: i64| -> Vec<KeyState> {
            let now = Timestamp::from_second(60 * minutes).unwrap();
            key_lines(&keys, now).iter().map(|line| line.state).collect()
        };
        assert_eq!(states(20 * 60 + 30), [Retired, Signing, Next]);
        assert_eq!(states(21 * 60 + 30), [Retired, Retiring, Signing]);
        assert_eq!(states(40 * 60), [Retired, Retired, Signing]);
    }
}
