//! Application links: of OAuth 2 ("External application") and of OAuth 1 ("Atlassian product", Generic Application).

use super::{
    oauth1::{AccessToken, PublicKey, SignedTokens},
    state::{Fake, State},
    token::Pair,
    user::User,
};
use crate::{Tokens, common::chance};
use std::{fmt, sync::Arc};

/// An incoming OAuth 2 link of the fake.
pub struct Link {
    fake: Arc<Fake>,
    id: u32,
}

/// A link of OAuth 1 with its incoming authentication.
pub struct Consumer {
    fake: Arc<Fake>,
    id: u32,
}

#[derive(Clone)]
pub(crate) struct LinkRecord {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Clone)]
pub(crate) enum Kind {
    External(External),
    Product(Product),
}

/// OAuth 2.
#[derive(Clone)]
pub(crate) struct External {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// One at least.
    pub(crate) redirect_urls: Vec<String>,
    pub(crate) scopes: Vec<String>,
}

/// OAuth 1.
#[derive(Clone)]
pub(crate) struct Product {
    /// "Application URL"
    pub(crate) url: String,
    /// "Incoming Authentication", once it is filled in.
    pub(crate) consumer: Option<ConsumerRecord>,
}

#[derive(Clone)]
pub(crate) struct ConsumerRecord {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) public_key: PublicKey,
    /// For requests that name none; empty if there is none.
    pub(crate) callback: String,
}

impl fmt::Debug for ConsumerRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConsumerRecord({})", self.key)
    }
}

impl LinkRecord {
    pub(crate) fn external(&self) -> Option<&External> {
        match &self.kind {
            Kind::External(external) => Some(external),
            Kind::Product(_) => None,
        }
    }

    pub(crate) fn consumer(&self) -> Option<&ConsumerRecord> {
        match &self.kind {
            Kind::External(_) => None,
            Kind::Product(product) => product.consumer.as_ref(),
        }
    }

    fn external_mut(&mut self) -> &mut External {
        match &mut self.kind {
            Kind::External(external) => external,
            Kind::Product(_) => panic!("a link of OAuth 1 does not become one of OAuth 2"),
        }
    }

    fn product_mut(&mut self) -> &mut Product {
        match &mut self.kind {
            Kind::Product(product) => product,
            Kind::External(_) => panic!("a link of OAuth 2 does not become one of OAuth 1"),
        }
    }
}

impl External {
    /// With a new id and secret.
    pub(crate) fn new(redirect_urls: Vec<String>, scopes: Vec<String>) -> Self {
        Self { client_id: chance(16), client_secret: chance(32), redirect_urls, scopes }
    }
}

impl State {
    /// Keeps a new link and gives its id.
    pub(crate) fn link_insert(&mut self, name: &str, kind: Kind) -> u32 {
        let id = self.id_new("link");
        self.links.push(LinkRecord { id, name: name.to_owned(), kind });
        id
    }

    /// Removes a link; its tokens die with it.
    pub(crate) fn link_delete(&mut self, id: u32) {
        self.links.retain(|link| link.id != id);
        self.codes.retain(|_, code| code.link != id);
        self.pairs.retain(|pair| pair.link != id);
        self.request_tokens.retain(|_, token| token.link != id);
        self.access_tokens.retain(|_, token| token.link != id);
    }

    pub(crate) fn link_of_client(&self, client_id: &str) -> Option<(&LinkRecord, &External)> {
        let links = self.links.iter().filter_map(|link| Some((link, link.external()?)));
        links.into_iter().find(|(_, external)| external.client_id == client_id)
    }

    pub(crate) fn link_of_consumer(&self, key: &str) -> Option<(&LinkRecord, &ConsumerRecord)> {
        let links = self.links.iter().filter_map(|link| Some((link, link.consumer()?)));
        links.into_iter().find(|(_, consumer)| consumer.key == key)
    }
}

impl Link {
    /// Several redirect URLs are separated by commas.
    pub(super) fn create(fake: &Arc<Fake>, redirect_url: &str, scopes: &[&str]) -> Self {
        let urls = redirect_url.split(',').map(|url| url.trim().to_owned()).collect();
        let external = External::new(urls, owned(scopes));
        let id = fake.state().link_insert("Link", Kind::External(external));
        Self { fake: Arc::clone(fake), id }
    }

    /// "Client ID"
    pub fn client_id(&self) -> String {
        self.read(|link| link.client_id.clone())
    }

    /// "Client secret"
    pub fn client_secret(&self) -> String {
        self.read(|link| link.client_secret.clone())
    }

    /// Gives it another secret; the old one stops working at once.
    pub fn rotate_secret(&self) -> &Self {
        self.change(|link| link.client_secret = chance(32))
    }

    /// Replaces the ticked permissions; tokens that were issued before keep theirs.
    pub fn scopes(&self, scopes: &[&str]) -> &Self {
        self.change(|link| link.scopes = owned(scopes))
    }

    /// Replaces the redirect URLs.
    pub fn redirect_urls(&self, urls: &[&str]) -> &Self {
        self.change(|link| link.redirect_urls = owned(urls))
    }

    /// What this person would get by allowing access, without the trip through a browser.
    pub fn tokens_of(&self, name: &str) -> Tokens {
        let user = User::named(&self.fake, name).id();
        let scopes = self.read(|link| link.scopes.clone());
        let pair = Pair::issue(&mut self.fake.state(), self.id, user, scopes);
        Tokens { access: pair.access, refresh: pair.refresh }
    }

    /// Deletes it; its tokens die with it.
    pub fn delete(self) {
        self.fake.state().link_delete(self.id);
    }

    fn read<T>(&self, read: impl FnOnce(&External) -> T) -> T {
        let state = self.fake.state();
        read(state.link(self.id).and_then(LinkRecord::external).expect("a link stays until it is deleted"))
    }

    fn change(&self, change: impl FnOnce(&mut External)) -> &Self {
        let mut state = self.fake.state();
        change(state.link_mut(self.id).expect("a link stays until it is deleted").external_mut());
        drop(state);
        self
    }
}

impl Consumer {
    pub(super) fn create(fake: &Arc<Fake>, key: &str, public_key: &str) -> Self {
        let consumer = ConsumerRecord {
            key: key.to_owned(),
            name: key.to_owned(),
            description: String::new(),
            public_key: PublicKey::expect(public_key),
            callback: String::new(),
        };
        let kind = Kind::Product(Product { url: "http://localhost".to_owned(), consumer: Some(consumer) });
        let id = fake.state().link_insert("Generic Application", kind);
        Self { fake: Arc::clone(fake), id }
    }

    /// "Consumer Key"
    pub fn key(&self) -> String {
        let state = self.fake.state();
        state.link(self.id).and_then(LinkRecord::consumer).map(|it| it.key.clone()).unwrap_or_default()
    }

    /// Replaces the public key: PEM, `BEGIN PUBLIC KEY`.
    ///
    /// # Panics
    /// If it is none.
    pub fn public_key(&self, pem: &str) -> &Self {
        self.change(|consumer| consumer.public_key = PublicKey::expect(pem))
    }

    /// Fills in "Consumer Callback URL", which counts where a request names no callback; an empty text removes it.
    pub fn callback(&self, url: &str) -> &Self {
        self.change(|consumer| url.clone_into(&mut consumer.callback))
    }

    /// What this person would get by allowing access, without the trip through a browser.
    pub fn tokens_of(&self, name: &str) -> SignedTokens {
        let user = User::named(&self.fake, name).id();
        AccessToken::issue(&mut self.fake.state(), self.id, user)
    }

    /// Deletes the link; its tokens die with it.
    pub fn delete(self) {
        self.fake.state().link_delete(self.id);
    }

    fn change(&self, change: impl FnOnce(&mut ConsumerRecord)) -> &Self {
        let mut state = self.fake.state();
        let link = state.link_mut(self.id).expect("a link stays until it is deleted");
        change(link.product_mut().consumer.as_mut().expect("it was made with a consumer"));
        drop(state);
        self
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}
