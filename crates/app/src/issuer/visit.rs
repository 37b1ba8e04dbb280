//! A visitor of a page behind a proxy on the way to the login form and back. The site is then a client like any other, except that
//! it is Stave itself that redeems the code: what the browser brings home is a [`Pass`].

use super::{
    claims::claims,
    forward_auth::{Door, Guest, Standing},
    token::{challenge_of, proves},
    too_often,
};
use crate::{App, Failure, Visitor, entropy, limit::network};
use stave_domain::{
    Secret,
    id::WebsiteLoginId,
    secret::SecretHash,
    website::{CODE_LIMIT, Client, ClientKind, Grant, Pass, ReturnPath, Scopes, Visit},
};
use stave_storage::Redeemed;
use std::collections::BTreeMap;
use subtle::ConstantTimeEq;
use url::Url;

/// What a browser at a site behind a proxy holds.
#[derive(Debug, Default)]
pub struct SiteBrowser {
    /// Of the visits that it is on; several may share it.
    pub visit: Option<Secret>,
    /// Of the visitor who is signed in.
    pub pass: Option<Secret>,
}

/// Where a visit goes on.
pub enum VisitStep {
    /// To the login form; the secret is for the browser.
    Away {
        /// The authorization request.
        url: Url,
        /// What the browser has to show when it is back.
        browser: Secret,
    },
    /// To the page that was asked for.
    Home {
        /// Its address.
        url: String,
        /// The pass, if it is a new one.
        pass: Option<Secret>,
    },
    /// Nowhere: going on would lead in a circle. The page says why.
    Circle {
        /// Where the visitor was going.
        url: String,
        /// What has to be mended.
        sentence: &'static str,
        /// The pass, if it is a new one.
        pass: Option<Secret>,
    },
    /// Nowhere: nobody was signed in.
    Stopped {
        /// Why.
        sentence: String,
        /// The page that was asked for; trying again leads there.
        return_path: ReturnPath,
    },
}

impl App {
    /// Sends a visitor to the login form. Who has a good pass already goes back at once; if they come here again and again, the
    /// check does not see what this page sees.
    pub async fn visit_begin(
        &self,
        door: &Door,
        return_path: ReturnPath,
        browser: SiteBrowser,
        visitor: &Visitor,
    ) -> Result<VisitStep, Failure> {
        match self.pass_check(door, browser.pass.as_ref()).await? {
            Standing::Out => self.visit_depart(door, return_path, browser.visit, visitor).await,
            Standing::In(guest) => {
                Ok(self.visit_home(door, &return_path, (guest.login().id, NOT_CHECKED), None))
            }
            Standing::Barred(sentence) => Ok(VisitStep::Stopped { sentence: sentence.into(), return_path }),
        }
    }

    async fn visit_depart(
        &self,
        door: &Door,
        return_path: ReturnPath,
        browser: Option<Secret>,
        visitor: &Visitor,
    ) -> Result<VisitStep, Failure> {
        let (website, now) = (door.website(), self.clock.now());
        let limits = &self.issuer_limits;
        limits.visits.count((website.id, network(&visitor.address)), now).map_err(too_often)?;
        limits.visits_by_website.count(website.id, now).map_err(too_often)?;
        let client = self.site_client(door).await?;
        let browser = browser.filter(is_verifier).unwrap_or_else(entropy::secret);
        let state = entropy::secret();
        let visit = Visit {
            state_hash: SecretHash::of(&state),
            secret_hash: SecretHash::of(&browser),
            website_id: website.id,
            origin: door.origin().clone(),
            return_to: return_path.as_str().to_owned(),
            created_at: now,
        };
        self.storage.website_visit_insert(&visit).await?;
        let mut url =
            Url::parse(&format!("{}/authorize", self.issuer_address(website))).map_err(Failure::internal)?;
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &client.public_id),
            ("redirect_uri", &callback(door)),
            ("scope", "openid profile email groups"),
            ("state", state.expose()),
            ("code_challenge", &challenge_of(browser.expose())),
            ("code_challenge_method", "S256"),
        ]);
        Ok(VisitStep::Away { url, browser })
    }

    /// Ends a visit: the code that came back becomes a pass, in the browser that left. What it held before ends.
    pub async fn visit_end(
        &self,
        door: &Door,
        answer: &BTreeMap<String, String>,
        browser: SiteBrowser,
    ) -> Result<VisitStep, Failure> {
        let (website, now) = (door.website(), self.clock.now());
        let said = |name| answer.get(name).map(String::as_str).unwrap_or_default();
        let visit =
            self.storage.website_visit_take(website.id, &SecretHash::of(&Secret::new(said("state")))).await?;
        let visit = visit.filter(|visit| visit.origin == *door.origin() && visit.is_valid_at(now));
        let return_path = visit.as_ref().map(|visit| ReturnPath::of(&visit.return_to)).unwrap_or_default();
        let stopped = |sentence: &str| {
            Ok(VisitStep::Stopped { sentence: sentence.to_owned(), return_path: return_path.clone() })
        };
        let secret = browser.visit.filter(|secret| visit.as_ref().is_some_and(|visit| is_of(visit, secret)));
        let Some(verifier) = secret else {
            // Another tab of this browser may have been faster.
            return match self.pass_check(door, browser.pass.as_ref()).await? {
                Standing::In(guest) => {
                    Ok(self.visit_home(door, &return_path, (guest.login().id, NOT_CHECKED), None))
                }
                _ => stopped(LOST),
            };
        };
        if said("iss") != self.issuer_address(website) {
            return stopped(
                "This answer did not come from the login form of this website. Log in once more.",
            );
        }
        match (said("code"), said("error")) {
            ("", "access_denied") => return stopped("You did not log in."),
            ("", "temporarily_unavailable") => {
                return stopped(
                    "Nobody can log in to this website at this time. Its owner has to publish a login form first.",
                );
            }
            ("", _) => return stopped("The login form could not do its part. Try again."),
            _ => {}
        }
        let Some(grant) = self.visit_redeem(door, &Secret::new(said("code")), &verifier).await? else {
            return stopped(
                "This log-in is over: it took too long, or it was used already. Log in once more.",
            );
        };
        let Some(pass) = self.pass_make(door, &grant, browser.pass.as_ref()).await? else {
            return stopped("You were logged out while you were on your way. Log in once more.");
        };
        Ok(self.visit_home(door, &return_path, (grant.login_id, NOT_KEPT), Some(pass)))
    }

    /// Redeems a code as the site's own client: for its pages, with the verifier that fits.
    async fn visit_redeem(
        &self,
        door: &Door,
        code: &Secret,
        verifier: &Secret,
    ) -> Result<Option<Grant>, Failure> {
        let (website, now) = (door.website().id, self.clock.now());
        let client = self.site_client(door).await?;
        let grant =
            match self.storage.website_grant_redeem(website, client.id, &SecretHash::of(code), now).await? {
                Redeemed::Unknown => return Ok(None),
                Redeemed::Before(grant) => {
                    self.storage.website_grant_delete(website, grant.id).await?;
                    return Ok(None);
                }
                Redeemed::Now(grant) => grant,
            };
        // There is nothing more to be had for it.
        self.storage.website_grant_delete(website, grant.id).await?;
        let fits = proves(&grant, Some(verifier.expose()))
            && grant.redirect_uri.as_str() == callback(door)
            && now.duration_since(grant.created_at) < CODE_LIMIT;
        Ok(fits.then_some(grant))
    }

    /// A new pass on the sign-in of a grant, in place of the one that the browser held. `None` if that sign-in has ended.
    async fn pass_make(
        &self,
        door: &Door,
        grant: &Grant,
        before: Option<&Secret>,
    ) -> Result<Option<Secret>, Failure> {
        let (website, now) = (door.website().id, self.clock.now());
        self.pass_end(door, before).await?;
        let login = self.storage.website_login_find_by_id(website, grant.login_id).await?;
        let Some(login) = login.filter(|login| login.is_valid_at(now)) else { return Ok(None) };
        let secret = entropy::secret();
        let pass = Pass {
            secret_hash: SecretHash::of(&secret),
            login_id: login.id,
            website_id: website,
            origin: door.origin().clone(),
            created_at: now,
        };
        self.storage.website_pass_insert(&pass).await?;
        Ok(Some(secret))
    }

    async fn pass_end(&self, door: &Door, pass: Option<&Secret>) -> Result<(), Failure> {
        let Some(hash) = pass.map(SecretHash::of) else { return Ok(()) };
        if self.storage.website_pass_find(door.website().id, &hash).await?.is_some() {
            self.storage.website_pass_delete(&hash).await?;
        }
        Ok(())
    }

    /// Back to the page that was asked for, unless this browser came here for it twice within the last minute.
    fn visit_home(
        &self,
        door: &Door,
        return_path: &ReturnPath,
        (login, why): (WebsiteLoginId, &'static str),
        pass: Option<Secret>,
    ) -> VisitStep {
        let url = door.origin().at(return_path.as_str());
        match self.issuer_limits.rounds.count((login, url.clone()), self.clock.now()) {
            Ok(()) => VisitStep::Home { url, pass },
            Err(_) => VisitStep::Circle { url, sentence: why, pass },
        }
    }

    /// Signs the visitor of a site out: at the site, at the login form and everywhere that hangs on it.
    pub async fn visit_log_out(&self, door: &Door, pass: Option<&Secret>) -> Result<(), Failure> {
        let (Some(pass), website) = (pass, door.website().id) else { return Ok(()) };
        let found = self.storage.website_pass_find(website, &SecretHash::of(pass)).await?;
        if let Some((_, login, _)) = found.filter(|(pass, ..)| pass.origin == *door.origin()) {
            self.storage.website_login_delete(website, login.id).await?;
        }
        Ok(())
    }

    /// The client that stands for the website's own pages.
    async fn site_client(&self, door: &Door) -> Result<Client, Failure> {
        let clients = self.storage.website_client_list(door.website().id).await?;
        let site = clients.into_iter().find(|client| client.kind == ClientKind::Site);
        site.ok_or_else(|| Failure::internal("a website without the client for its own pages"))
    }
}

impl Guest {
    /// What a page of the site may know of them (OpenID Connect Core, section 5.1).
    #[must_use]
    pub fn claims(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut claims = claims(&self.member, &Scopes::all());
        if claims.get("email_verified") != Some(&true.into()) {
            claims.remove("email");
        }
        claims
    }
}

const LOST: &str = "This log-in is over: it took more than ten minutes, it was used already, or it began in another browser. If it happens each time, this browser refuses cookies, or the proxy in front of the website does not pass Set-Cookie and Cookie on for /.stave/.";

const NOT_CHECKED: &str = "You are logged in, and this page sees that. But the check that the proxy makes for every page does not: either the proxy does not pass the header Cookie on to the check, or it tells the check another address of the website (X-Forwarded-Proto, X-Forwarded-Host) than here.";

const NOT_KEPT: &str = "You logged in three times within a minute, and the website still does not know you. Either the proxy does not pass Set-Cookie on for /.stave/, or it does not pass the header Cookie on to the check, or it tells the check another address of the website (X-Forwarded-Proto, X-Forwarded-Host) than here.";

/// Where the site's own client gets its answers.
fn callback(door: &Door) -> String {
    door.origin().at("/.stave/callback")
}

/// Whether a cookie can be a verifier (RFC 7636, section 4.1): 256 bits in base64url.
fn is_verifier(secret: &Secret) -> bool {
    super::forward_auth::is_secret(secret)
}

fn is_of(visit: &Visit, secret: &Secret) -> bool {
    SecretHash::of(secret).0.ct_eq(&visit.secret_hash.0).into()
}
