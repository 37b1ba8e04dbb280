//! What a proxy asks before it lets a visitor through to a site: may they, and who are they?
//!
//! It is asked for every page and every picture. So what was found out once is kept with everything that the answer says, and is
//! true until a statement changes something that it was made of ([`Warm::of_websites`]): a warm check costs no statement.

use super::{IssuerNote, key::Signer, login::SEEN_PRECISION};
use crate::{App, Failure, warm::Warm};
use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::json;
use stave_domain::{
    Secret, Timestamp,
    id::WebsiteId,
    secret::SecretHash,
    website::{Login, Member, MemberStatus, Origin, Slug, Website},
};
use std::{
    error::Error,
    fmt::Write as _,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};
use subtle::ConstantTimeEq;

/// How long a token for the site is good.
const TOKEN_LIMIT: SignedDuration = SignedDuration::from_secs(60);
/// After this time there is a fresh one.
const TOKEN_FRESH: SignedDuration = SignedDuration::from_secs(30);

/// What is kept for the proxies of websites.
pub(crate) struct Warmth {
    gates: Warm<String, Arc<Gate>>,
    guests: Warm<(WebsiteId, SecretHash), Arc<Guest>>,
}

impl Default for Warmth {
    fn default() -> Self {
        Self { gates: Warm::of_websites(), guests: Warm::of_websites() }
    }
}

/// What a proxy says about itself and about where the visitor stands.
#[derive(Debug)]
pub struct Knock<'a> {
    /// The website that the address names.
    pub slug: &'a str,
    /// What it shows to be believed.
    pub proxy_key: Option<Secret>,
    /// `http` or `https`, as the visitor's browser speaks.
    pub scheme: &'a str,
    /// Host and port as the browser wrote them.
    pub host: &'a str,
    /// The proxy's own address, for the website's log.
    pub proxy: Option<IpAddr>,
}

/// A website behind a proxy that has shown who it is, and where the visitor stands.
#[derive(Clone)]
pub struct Door {
    gate: Arc<Gate>,
    place: usize,
}

struct Gate {
    website: Website,
    issuer: String,
    signer: Signer,
}

impl Door {
    /// Which website.
    #[must_use]
    pub fn website(&self) -> &Website {
        &self.gate.website
    }

    /// At which of its addresses the visitor stands.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.gate.website.origins[self.place]
    }
}

impl Gate {
    /// Every key is compared to its end, so that the time tells nothing.
    fn knows(&self, proxy_key: &Secret) -> bool {
        let shown = SecretHash::of(proxy_key);
        let keys = &self.website.proxy_keys;
        keys.iter().fold(false, |known, key| known | bool::from(key.hash.0.ct_eq(&shown.0)))
    }

    /// Which of the website's addresses this is; proxies call it a websocket's by another scheme.
    fn place(&self, scheme: &str, host: &str) -> Option<usize> {
        let (is_https, usual) = match scheme {
            "https" | "wss" => (true, ":443"),
            "http" | "ws" => (false, ":80"),
            _ => return None,
        };
        let host = host.strip_suffix(usual).unwrap_or(host);
        let is_it =
            |origin: &Origin| origin.is_https() == is_https && origin.authority().eq_ignore_ascii_case(host);
        self.website.origins.iter().position(is_it)
    }
}

/// Whether a visitor may pass.
pub enum Standing {
    /// They may.
    In(Arc<Guest>),
    /// Nobody is signed in in this browser.
    Out,
    /// They are signed in, and may not: why, in a sentence for them.
    Barred(&'static str),
}

/// Somebody who may pass, with everything that the site is told about them: ASCII without control characters, and empty where there
/// is nothing to tell.
pub struct Guest {
    /// `sub`.
    pub user: Bytes,
    /// The name to show.
    pub name: Bytes,
    /// The address, if it is verified.
    pub email: Bytes,
    /// The roles, with commas between them.
    pub groups: Bytes,
    /// What the platform calls them.
    pub handle: Bytes,
    /// Who it is.
    pub member: Member,
    origin: Origin,
    life: Mutex<Life>,
}

/// What changes while they come and go.
struct Life {
    login: Login,
    written_at: Timestamp,
    token: Bytes,
    signed_at: Timestamp,
}

impl Guest {
    fn life(&self) -> std::sync::MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sign-in on which the pass hangs.
    pub(super) fn login(&self) -> Login {
        self.life().login.clone()
    }

    /// Notes a sign of life; `None` if they have been away too long. Tells whether it is time to write it down.
    fn seen(&self, now: Timestamp) -> Option<bool> {
        let mut life = self.life();
        if !life.login.is_valid_at(now) {
            return None;
        }
        life.login.seen_at = life.login.seen_at.max(now);
        let is_due = now.duration_since(life.written_at) >= SEEN_PRECISION;
        if is_due {
            life.written_at = now;
        }
        Some(is_due)
    }
}

impl App {
    /// Lets a proxy ask about a visitor: `Denied` if it does not show a key of the website, or stands at no address of it.
    pub async fn door_open(&self, knock: Knock<'_>) -> Result<Door, Failure> {
        let gate = self.warmth.gates.get(&self.storage, knock.slug.to_owned(), self.gate_read(knock.slug));
        let gate = match gate.await {
            Err(Failure::NotFound(_)) => return Err(Failure::Denied(NO_KEY.into())),
            found => found?,
        };
        if !knock.proxy_key.as_ref().is_some_and(|key| gate.knows(key)) {
            return self.door_shut(&gate.website, "key", knock.proxy, NO_KEY.into()).await;
        }
        match gate.place(knock.scheme, knock.host) {
            Some(place) => Ok(Door { gate, place }),
            None => self.door_shut(&gate.website, "host", knock.proxy, no_place(&knock)).await,
        }
    }

    /// Refuses a proxy, and writes so into the website's log: once in a while, not for every request.
    async fn door_shut(
        &self,
        website: &Website,
        why: &'static str,
        proxy: Option<IpAddr>,
        sentence: String,
    ) -> Result<Door, Failure> {
        let now = self.clock.now();
        if self.issuer_limits.refusals.count((website.id, why), now).is_ok() {
            let (sentence, address) =
                (format!("A proxy was refused. {sentence}"), proxy.map(|ip| ip.to_string()));
            let address = address.as_deref().unwrap_or_default();
            self.issuer_note(IssuerNote { website, member: None, sentence, is_failure: true, address })
                .await?;
        }
        Err(Failure::Denied(sentence))
    }

    async fn gate_read(&self, slug: &str) -> Result<Arc<Gate>, Failure> {
        let slug: Slug = slug.parse().map_err(|_| Failure::NotFound("website"))?;
        let website = self.storage.website_find_by_slug(&slug).await?.ok_or(Failure::NotFound("website"))?;
        let (issuer, signer) = (self.issuer_address(&website), self.issuer_signer(website.id).await?);
        Ok(Arc::new(Gate { website, issuer, signer }))
    }

    /// Whether a visitor may pass, by the secret in the cookie of the site. It is good at the one address that it was given for.
    pub async fn pass_check(&self, door: &Door, pass: Option<&Secret>) -> Result<Standing, Failure> {
        let Some(pass) = pass.filter(|pass| is_secret(pass)) else { return Ok(Standing::Out) };
        let asked = (door.website().id, SecretHash::of(pass));
        let now = self.clock.now();
        let mut is_second_look = false;
        loop {
            let found = self.warmth.guests.get(&self.storage, asked, self.guest_read(door, asked.1)).await;
            let guest = match found {
                Err(Failure::LogInNeeded) => return Ok(Standing::Out),
                Err(Failure::Denied(_)) => return Ok(Standing::Barred(BARRED)),
                found => found?,
            };
            if guest.origin != *door.origin() {
                return Ok(Standing::Out);
            }
            match guest.seen(now) {
                Some(is_due) => {
                    if is_due {
                        self.guest_seen(&guest, now).await;
                    }
                    return Ok(Standing::In(guest));
                }
                // They may have shown themselves elsewhere.
                None if is_second_look => return Ok(Standing::Out),
                None => self.warmth.guests.forget(&asked),
            }
            is_second_look = true;
        }
    }

    /// Writes a sign of life down. Who is in stays in if that fails; it is tried again in a minute.
    async fn guest_seen(&self, guest: &Guest, now: Timestamp) {
        let login = guest.login().id;
        if let Err(error) = self.storage.website_login_seen(login, now).await {
            tracing::warn!(error = &error as &dyn Error, %login, "a visitor's sign of life could not be written down");
        }
    }

    /// Who has a pass: `LogInNeeded` if nobody does, `Denied` if they may not come in.
    async fn guest_read(&self, door: &Door, pass: SecretHash) -> Result<Arc<Guest>, Failure> {
        let now = self.clock.now();
        let found = self.storage.website_pass_find(door.website().id, &pass).await?;
        let found = found.filter(|(_, login, _)| login.is_valid_at(now));
        let Some((pass, login, member)) = found else { return Err(Failure::LogInNeeded) };
        if member.status != MemberStatus::Active {
            return Err(Failure::Denied(BARRED.into()));
        }
        let email = member.email.as_ref().filter(|email| email.is_verified);
        let email = email.map_or("", |email| email.address.as_str()).to_owned();
        let token = token(&door.gate, (&pass.origin, &member, &email), now)?;
        let life = Life { written_at: login.seen_at, login, token, signed_at: now };
        Ok(Arc::new(Guest {
            user: header_text(&member.sub),
            name: header_text(member.display_name()),
            email: header_text(&email),
            groups: header_text(&member.roles.to_string()),
            handle: header_text(&member.handle),
            member,
            origin: pass.origin,
            life: Mutex::new(life),
        }))
    }

    /// A signed word for the site about who passes (RFC 7519), so that it need not trust the network; good for 30 seconds at least.
    pub fn guest_token(&self, door: &Door, guest: &Guest) -> Result<Bytes, Failure> {
        let now = self.clock.now();
        {
            let life = guest.life();
            if now.duration_since(life.signed_at) < TOKEN_FRESH {
                return Ok(life.token.clone());
            }
        }
        let email = String::from_utf8_lossy(&guest.email);
        let token = token(&door.gate, (&guest.origin, &guest.member, &email), now)?;
        let mut life = guest.life();
        (life.token, life.signed_at) = (token.clone(), now);
        Ok(token)
    }
}

/// What somebody is told who is signed in and may not pass.
const BARRED: &str = "You are logged in, but whoever runs this website has not let you in, or not yet.";

/// What whoever asks without a key is told. It does not say whether there is such a website.
const NO_KEY: &str = "Only a proxy that shows a key of this website (X-Stave-Proxy-Key) may ask here. The page Connect of the website has a text with such a key in it.";

fn no_place(knock: &Knock<'_>) -> String {
    let begin = |text: &str, most| text.chars().take(most).collect::<String>();
    let said = format!("{}://{}", begin(knock.scheme, 10), begin(knock.host, 80));
    format!(
        "It asked for {said}, which is no address of this website. Add the address under Settings, or check X-Forwarded-Proto and X-Forwarded-Host in the configuration of the proxy."
    )
}

/// Whether it can be a secret of ours at all: 256 bits in base64url.
pub(super) fn is_secret(secret: &Secret) -> bool {
    let text = secret.expose();
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn token(
    gate: &Gate,
    (origin, member, email): (&Origin, &Member, &str),
    now: Timestamp,
) -> Result<Bytes, Failure> {
    let mut claims = json!({
        "iss": gate.issuer,
        "sub": member.sub,
        "aud": origin.as_str(),
        "iat": now.as_second(),
        "exp": (now + TOKEN_LIMIT).as_second(),
        "groups": member.roles.names().collect::<Vec<_>>(),
    });
    if !email.is_empty() {
        claims["email"] = email.into();
    }
    Ok(Bytes::copy_from_slice(gate.signer.sign(&claims)?.expose().as_bytes()))
}

/// A text as it may stand in a header: without control characters; whatever is not ASCII, and the percent sign itself, as `%C3%A4`.
fn header_text(text: &str) -> Bytes {
    let mut ascii = String::with_capacity(text.len());
    for c in text.trim().chars().filter(|c| !c.is_control()) {
        if c.is_ascii() && c != '%' {
            ascii.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            // Nothing can go wrong when a text grows.
            _ = write!(ascii, "%{byte:02X}");
        }
    }
    ascii.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_a_header() {
        for (name, header) in [
            ("Ada Lovelace", "Ada Lovelace"),
            ("J\u{fc}rgen", "J%C3%BCrgen"),
            ("a\r\nRemote-Groups: admin", "aRemote-Groups: admin"),
            ("100% %0d%0a", "100%25 %250d%250a"),
            (" a\u{0}\u{7f}\u{85}b ", "ab"),
            ("\u{202e}x", "%E2%80%AEx"),
            ("", ""),
        ] {
            assert_eq!(header_text(name), header.as_bytes(), "{name:?}");
        }
    }

    #[test]
    fn only_what_can_be_a_secret_is_looked_up() {
        let secret = crate::entropy::secret();
        assert!(is_secret(&secret));
        for bad in
            ["", "a", &"a".repeat(42), &"a".repeat(44), &format!("{} ", "a".repeat(42)), &"%".repeat(43)]
        {
            assert!(!is_secret(&Secret::new(bad)), "{bad}");
        }
    }
}
