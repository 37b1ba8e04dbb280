//! The keys of a website: they sign its tokens, and recognise those that come back.

use crate::{Actor, App, Failure, entropy, key_pair};
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use stave_domain::{
    Secret, Timestamp,
    id::{WebsiteId, WebsiteLoginId},
    website::{KEY_LEAD, SigningKey, Website, keys_published, signing_key},
};

/// A key that signed for so long gets a successor by itself.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 180);
/// How long a key that signs no more is kept, to recognise old ID tokens by which somebody logs out.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 365);
/// As what private keys are sealed.
const SEALED_AS: &str = "website key";

/// What is looked at of an ID token that a client gives back as a hint.
#[derive(Debug, Deserialize)]
pub(super) struct Hint {
    /// Whom it is about.
    pub(super) sub: String,
    /// Which client got it.
    pub(super) aud: String,
    /// In which browser they were signed in.
    pub(super) sid: Option<WebsiteLoginId>,
}

/// A key that signs, out of its seal.
pub(super) struct Signer {
    header: Header,
    private: EncodingKey,
}

impl Signer {
    /// Signs claims (RFC 7515).
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<Secret, Failure> {
        jsonwebtoken::encode(&self.header, claims, &self.private).map(Secret::new).map_err(Failure::internal)
    }
}

impl App {
    /// A fresh key for a website; not stored yet.
    pub(crate) async fn website_key_new(&self, website: WebsiteId) -> Result<SigningKey, Failure> {
        let made = tokio::task::spawn_blocking(key_pair::token_key).await.map_err(Failure::internal)??;
        let id = hex::encode(entropy::bytes::<8>());
        Ok(SigningKey {
            private_key: self.keys.seal(SEALED_AS, whose(website, &id), &made.private_pem),
            id,
            website_id: website,
            modulus: made.modulus,
            exponent: made.exponent,
            created_at: self.clock.now(),
        })
    }

    /// Makes the key that signs from an hour on, when every client has learnt it.
    pub async fn website_key_rotate(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
    ) -> Result<(), Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let keys = self.storage.website_key_list(website.id).await?;
        if keys.last().is_some_and(|newest| self.clock.now().duration_since(newest.created_at) < KEY_LEAD) {
            return Err(Failure::Conflict(
                "The newest key of this website is not an hour old. Clients are learning it; make another one later.".into(),
            ));
        }
        self.storage.website_key_insert(&self.website_key_new(website.id).await?).await?;
        self.log_by(
            actor,
            Some(organization.id),
            format!("made a new signing key for the website {}", website.slug),
        )
        .await
    }

    /// Gives keys that signed for long a successor, and forgets those that nobody can have a token of.
    pub(crate) async fn website_keys_renew(&self) -> Result<(), Failure> {
        let now = self.clock.now();
        for website in self.storage.website_key_list_aged(now - LONGEST).await? {
            self.storage.website_key_insert(&self.website_key_new(website).await?).await?;
            for key in forgettable(&self.storage.website_key_list(website).await?, now) {
                self.storage.website_key_delete(website, &key.id).await?;
            }
        }
        Ok(())
    }

    /// The keys of a website that clients have to know, as a JSON Web Key Set (RFC 7517).
    pub async fn issuer_key_set(&self, website: &Website) -> Result<serde_json::Value, Failure> {
        let keys = self.storage.website_key_list(website.id).await?;
        let json = |key: &SigningKey| {
            serde_json::json!({
                "kty": "RSA",
                "use": "sig",
                "alg": "RS256",
                "kid": key.id,
                "n": key.modulus,
                "e": key.exponent,
            })
        };
        let published: Vec<_> = keys_published(&keys, self.clock.now()).into_iter().map(json).collect();
        Ok(serde_json::json!({ "keys": published }))
    }

    /// Signs claims with the key that a website signs with now.
    pub(crate) async fn issuer_sign(
        &self,
        website: &Website,
        claims: &impl Serialize,
    ) -> Result<Secret, Failure> {
        self.issuer_signer(website.id).await?.sign(claims)
    }

    /// The key that a website signs with now, out of its seal.
    pub(super) async fn issuer_signer(&self, website: WebsiteId) -> Result<Signer, Failure> {
        let keys = self.storage.website_key_list(website).await?;
        let key = signing_key(&keys, self.clock.now())
            .ok_or_else(|| Failure::internal("a website without a key"))?;
        let pem = self
            .keys
            .open(SEALED_AS, whose(website, &key.id), &key.private_key)
            .map_err(Failure::internal)?;
        let private = EncodingKey::from_rsa_pem(pem.expose().as_bytes()).map_err(Failure::internal)?;
        Ok(Signer { header: Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::RS256) }, private })
    }

    /// What an ID token says that one of a website's keys signed once for this issuer; it may be over. `None` if none did. The
    /// algorithm is ours, never the token's (RFC 8725, section 3.1).
    pub(super) async fn issuer_hint(&self, website: &Website, token: &str) -> Result<Option<Hint>, Failure> {
        let Ok(header) = jsonwebtoken::decode_header(token) else { return Ok(None) };
        let keys = self.storage.website_key_list(website.id).await?;
        let Some(key) = keys.iter().find(|key| Some(&key.id) == header.kid.as_ref()) else { return Ok(None) };
        let public =
            DecodingKey::from_rsa_components(&key.modulus, &key.exponent).map_err(Failure::internal)?;
        let mut checks = Validation::new(Algorithm::RS256);
        checks.validate_exp = false;
        checks.validate_aud = false;
        checks.set_required_spec_claims(&["iss", "sub", "aud"]);
        checks.set_issuer(&[self.issuer_address(website)]);
        Ok(jsonwebtoken::decode(token, &public, &checks).ok().map(|token| token.claims))
    }
}

/// Keys of which a successor signs so long that no token of theirs matters. `keys` are one website's, oldest first.
fn forgettable(keys: &[SigningKey], now: Timestamp) -> impl Iterator<Item = &SigningKey> {
    keys.windows(2).filter_map(move |pair| match pair {
        [old, next] => (now.duration_since(next.created_at) >= REMEMBERED).then_some(old),
        _ => None,
    })
}

fn whose(website: WebsiteId, key: &str) -> String {
    format!("{website} {key}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeySource, Settings};
    use stave_domain::{organization::Organization, outbound::Outbound};
    use tempfile::TempDir;

    /// A Stave with a website and its first key.
    async fn opened() -> (TempDir, App, Website) {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings {
            data: data.path().to_owned(),
            url: "https://stave.example".parse().unwrap(),
            database_url: None,
            storage_url: None,
            outbound: Outbound::default(),
            key: KeySource::DataFolder,
            mail: None,
            docs_edit_url: None,
            mirror_url: None,
            trusted_proxies: Vec::new(),
        };
        let app = App::start(settings).await.unwrap();
        let now = app.clock.now();
        let organization = Organization {
            id: entropy::id(),
            short_name: "acme".parse().unwrap(),
            name: "Acme".into(),
            enforced: None,
            deactivates_found: false,
            created_at: now,
        };
        app.storage.organization_insert(&organization).await.unwrap();
        let website = Website {
            id: entropy::id(),
            organization_id: organization.id,
            slug: "shop".parse().unwrap(),
            name: "Shop".into(),
            origins: vec!["https://shop.example".parse().unwrap()],
            proxy_keys: vec![],
            revision: None,
            created_at: now,
        };
        app.storage.website_insert(&website).await.unwrap();
        let key = app.website_key_new(website.id).await.unwrap();
        app.storage.website_key_insert(&key).await.unwrap();
        (data, app, website)
    }

    #[tokio::test]
    async fn a_key_that_signed_for_long_gets_a_successor_and_is_forgotten_at_last() {
        let (_data, app, website) = opened().await;
        let keys = async || {
            app.website_keys_renew().await.unwrap();
            app.storage.website_key_list(website.id).await.unwrap().len()
        };
        assert_eq!(keys().await, 1);
        app.clock.advance(LONGEST + SignedDuration::from_secs(1));
        assert_eq!(keys().await, 2);
        assert_eq!(keys().await, 2, "the next one is young");
        for expected in [3, 4, 4] {
            app.clock.advance(LONGEST + SignedDuration::from_secs(1));
            assert_eq!(keys().await, expected);
        }
    }

    #[tokio::test]
    async fn a_hint_is_what_this_website_signed() {
        let (_data, app, website) = opened().await;
        let claims = |iss: &str| serde_json::json!({ "iss": iss, "sub": "s", "aud": "shop", "exp": 1 });
        let issuer = app.issuer_address(&website);
        let good = app.issuer_sign(&website, &claims(&issuer)).await.unwrap();
        let read = async |token: &str| app.issuer_hint(&website, token).await.unwrap().map(|hint| hint.sub);
        assert_eq!(read(good.expose()).await.as_deref(), Some("s"), "although it is over");
        let parts: Vec<_> = good.expose().split('.').collect();
        let other = app.issuer_sign(&website, &claims("https://evil.example")).await.unwrap();
        let unnamed = jsonwebtoken::encode(
            &Header::default(),
            &claims(&issuer),
            &EncodingKey::from_secret(parts[2].as_bytes()),
        );
        let foreign = Website { id: entropy::id(), ..website.clone() };
        let key = app.website_key_new(foreign.id).await.unwrap();
        app.storage
            .website_insert(&Website { slug: "zoo".parse().unwrap(), ..foreign.clone() })
            .await
            .unwrap();
        app.storage.website_key_insert(&key).await.unwrap();
        let foreign = app.issuer_sign(&foreign, &claims(&issuer)).await.unwrap();
        for bad in [
            other.expose().to_owned(),
            foreign.expose().to_owned(),
            unnamed.unwrap(),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}.{}", parts[0], parts[1], foreign.expose().rsplit('.').next().unwrap()),
            String::new(),
        ] {
            assert_eq!(read(&bad).await, None, "{bad}");
        }
    }
}
