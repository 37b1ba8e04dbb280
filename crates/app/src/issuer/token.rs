//! The token endpoint (RFC 6749, section 3.2): a code for tokens, a refresh token for new ones, and taking them back.

use super::{
    Issuer, IssuerNote,
    application::{Call, CallRefused},
    claims::claims,
    login::SEEN_PRECISION,
};
use crate::{App, Failure, entropy};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde_json::json;
use sha2::{Digest, Sha256};
use stave_domain::{
    Secret, Timestamp,
    id::WebsiteGrantId,
    secret::SecretHash,
    website::{
        AccessToken, Asked, CODE_LIMIT, Client, Grant, Login, Member, MemberStatus, RequestError, Scope,
        Scopes,
    },
};
use stave_storage::{Redeemed, Storage, StorageError};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// How long an access token works.
const ACCESS_LIMIT: SignedDuration = SignedDuration::from_mins(15);
/// How long an ID token says who somebody is.
const ID_LIMIT: SignedDuration = SignedDuration::from_mins(10);
/// How long a refresh token waits to be used.
const REFRESH_IDLE: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How long refresh tokens follow one another.
pub(super) const REFRESH_LONGEST: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How long the one before buys the same successor again: the answer may have been lost.
const REFRESH_AGAIN: SignedDuration = SignedDuration::from_secs(3);

/// What an application gets.
#[derive(Debug)]
pub struct Tokens {
    /// For the user info endpoint.
    pub access_token: Secret,
    /// In seconds.
    pub expires_in: i64,
    /// For the next tokens.
    pub refresh_token: Option<Secret>,
    /// What the access token is for.
    pub scopes: Scopes,
    /// Who the member is.
    pub id_token: Option<Secret>,
}

const INVALID_GRANT: RequestError =
    RequestError::new("invalid_grant", "The code or token is not known, was used already, or is over.");
const NO_GRANT_TYPE: RequestError = RequestError::new("invalid_request", "grant_type is missing.");
const OTHER_GRANT_TYPE: RequestError =
    RequestError::new("unsupported_grant_type", "grant_type has to be authorization_code or refresh_token.");
const NOT_FOR_IT: RequestError =
    RequestError::new("unauthorized_client", "This client may not use refresh tokens.");
const TOO_MUCH: RequestError =
    RequestError::new("invalid_scope", "scope has more in it than the member agreed to.");

impl App {
    /// Gives an application tokens for what it shows.
    pub async fn issuer_token(&self, issuer: &Issuer, call: Call<'_>) -> Result<Tokens, CallRefused> {
        let client = self.issuer_client_of(issuer, call).await?;
        let asked = Asked(call.form);
        let given = match asked.get("grant_type") {
            None => return Err(NO_GRANT_TYPE.into()),
            Some("authorization_code") => self.issuer_redeem(issuer, &client, asked).await,
            Some("refresh_token") => self.issuer_refresh(issuer, &client, asked).await,
            Some(_) => return Err(OTHER_GRANT_TYPE.into()),
        };
        if matches!(&given, Err(CallRefused::Wrong(error)) if *error == INVALID_GRANT) {
            self.issuer_guess(&client, call);
        }
        given
    }

    /// Ends a token and the grant it belongs to, if it is this application's (RFC 7009). Whether there was one is not told.
    pub async fn issuer_revoke(&self, issuer: &Issuer, call: Call<'_>) -> Result<(), CallRefused> {
        let client = self.issuer_client_of(issuer, call).await?;
        let token = required(Asked(call.form), "token")?;
        let website = issuer.website.id;
        if let Some(refresh) = self.issuer_refresh_read(&client, token) {
            self.storage.website_grant_delete(website, refresh.grant).await?;
        } else if let Some((access, grant, _)) =
            self.storage.website_access_find(website, &SecretHash::of(&Secret::new(token))).await?
            && grant.client_id == client.id
        {
            self.storage.website_access_delete(website, &access.hash).await?;
        }
        Ok(())
    }

    async fn issuer_redeem(
        &self,
        issuer: &Issuer,
        client: &Client,
        asked: Asked<'_>,
    ) -> Result<Tokens, CallRefused> {
        let code = SecretHash::of(&Secret::new(required(asked, "code")?));
        let redirect_uri = required(asked, "redirect_uri")?;
        let now = self.clock.now();
        // In one transaction: whoever comes second with the code finds the tokens of the first, and ends them.
        let txn = self.storage.begin().await?;
        let grant = match txn.website_grant_redeem(issuer.website.id, client.id, &code, now).await? {
            Redeemed::Now(grant) => grant,
            Redeemed::Before(grant) => {
                drop(txn);
                self.issuer_grant_end(issuer, client, &grant, "used a code twice").await?;
                return Err(INVALID_GRANT.into());
            }
            Redeemed::Unknown => return Err(INVALID_GRANT.into()),
        };
        let is_good = now.duration_since(grant.created_at) < CODE_LIMIT
            && grant.redirect_uri.as_str() == redirect_uri
            && proves(&grant, asked.get("code_verifier"));
        let holder = if is_good { self.issuer_holder(&txn, &grant).await? } else { None };
        let Some(holder) = holder else {
            // The code was seen: it is good for nobody any more.
            txn.commit().await?;
            return Err(INVALID_GRANT.into());
        };
        let refresh_token = if client.may_refresh && grant.scopes.has(Scope::OfflineAccess) {
            let token = self.issuer_refresh_token(client, grant.id, 1);
            txn.website_grant_refresh(grant.id, None, &SecretHash::of(&token), now).await?;
            Some(token)
        } else {
            None
        };
        let gift = Gift { issuer, client, grant: &grant, holder: &holder, scopes: grant.scopes.clone() };
        let access_token = self.issuer_access(&txn, &gift).await?;
        txn.commit().await?;
        let id_token = self.issuer_id_token(&gift, &access_token, grant.nonce.as_deref()).await?;
        Ok(gift.tokens(access_token, refresh_token, id_token))
    }

    async fn issuer_refresh(
        &self,
        issuer: &Issuer,
        client: &Client,
        asked: Asked<'_>,
    ) -> Result<Tokens, CallRefused> {
        let token = required(asked, "refresh_token")?;
        if !client.may_refresh {
            return Err(NOT_FOR_IT.into());
        }
        let refresh = self.issuer_refresh_read(client, token).ok_or(INVALID_GRANT)?;
        let (hash, now) = (SecretHash::of(&Secret::new(token)), self.clock.now());
        let website = issuer.website.id;
        let txn = self.storage.begin().await?;
        let found = txn.website_grant_find_by_refresh(website, client.id, &hash).await?;
        let again =
            |grant: &Grant| grant.refreshed_at.is_some_and(|at| now.duration_since(at) < REFRESH_AGAIN);
        let Some((grant, is_current)) = found.filter(|(grant, is_current)| *is_current || again(grant))
        else {
            drop(txn);
            return self.issuer_refresh_again(issuer, client, refresh.grant).await;
        };
        let Some(holder) = self.issuer_holder(&txn, &grant).await?.filter(|_| can_refresh(&grant, now))
        else {
            return Err(INVALID_GRANT.into());
        };
        let scopes = shrunk(&grant.scopes, asked.get("scope"))?;
        let next = self.issuer_refresh_token(client, grant.id, refresh.count + 1);
        if is_current {
            txn.website_grant_refresh(grant.id, Some(&hash), &SecretHash::of(&next), now).await?;
        }
        if now.duration_since(holder.login.seen_at) >= SEEN_PRECISION {
            // Behind the application is the visitor whose browser this is.
            txn.website_login_seen(holder.login.id, now).await?;
        }
        let gift = Gift { issuer, client, grant: &grant, holder: &holder, scopes };
        let access_token = self.issuer_access(&txn, &gift).await?;
        txn.commit().await?;
        let id_token = self.issuer_id_token(&gift, &access_token, None).await?;
        Ok(gift.tokens(access_token, Some(next), id_token))
    }

    /// A refresh token of ours that works no more: either two have it, of whom one stole it, or its grant is over.
    async fn issuer_refresh_again(
        &self,
        issuer: &Issuer,
        client: &Client,
        grant: WebsiteGrantId,
    ) -> Result<Tokens, CallRefused> {
        if self.storage.website_grant_delete(issuer.website.id, grant).await? {
            self.issuer_suspect(issuer, client, "used a refresh token twice").await?;
        }
        Err(INVALID_GRANT.into())
    }

    /// Ends a grant that two seem to have.
    async fn issuer_grant_end(
        &self,
        issuer: &Issuer,
        client: &Client,
        grant: &Grant,
        what: &str,
    ) -> Result<(), Failure> {
        if self.storage.website_grant_delete(issuer.website.id, grant.id).await? {
            self.issuer_suspect(issuer, client, what).await?;
        }
        Ok(())
    }

    async fn issuer_suspect(&self, issuer: &Issuer, client: &Client, what: &str) -> Result<(), Failure> {
        let sentence = format!(
            "{} {what}, so everything that was bought with it has ended. Somebody else may have had it.",
            client.name
        );
        let website = &issuer.website;
        self.issuer_note(IssuerNote { website, member: None, sentence, is_failure: true, address: "" }).await
    }

    /// Whose grant it is, if they may still come in and are still signed in where they gave it.
    pub(super) async fn issuer_holder(
        &self,
        storage: &Storage,
        grant: &Grant,
    ) -> Result<Option<Holder>, Failure> {
        let now = self.clock.now();
        let login = storage.website_login_find_by_id(grant.website_id, grant.login_id).await?;
        let member = storage.website_member_find(grant.website_id, grant.member_id).await?;
        let login = login.filter(|login| login.is_valid_at(now));
        let member = member.filter(|member| member.status == MemberStatus::Active);
        Ok(login.zip(member).map(|(login, member)| Holder { login, member }))
    }

    async fn issuer_access(&self, txn: &Storage, gift: &Gift<'_>) -> Result<Secret, CallRefused> {
        let access_token = entropy::secret();
        let access = AccessToken {
            hash: SecretHash::of(&access_token),
            grant_id: gift.grant.id,
            website_id: gift.grant.website_id,
            scopes: gift.scopes.clone(),
            expires_at: self.clock.now() + ACCESS_LIMIT,
        };
        match txn.website_access_insert(&access).await {
            Ok(()) => Ok(access_token),
            // The grant ended at this moment: the member logged out, or somebody came second with the code.
            Err(StorageError::Detached) => Err(INVALID_GRANT.into()),
            Err(other) => Err(other.into()),
        }
    }

    /// OpenID Connect Core, section 2. All that the user info endpoint tells is in it: many applications look nowhere else.
    async fn issuer_id_token(
        &self,
        Gift { issuer, client, grant, holder, scopes }: &Gift<'_>,
        access_token: &Secret,
        nonce: Option<&str>,
    ) -> Result<Option<Secret>, Failure> {
        if !scopes.has(Scope::OpenId) {
            return Ok(None);
        }
        let now = self.clock.now();
        let mut token = claims(&holder.member, scopes);
        let mut say = |name: &str, value: serde_json::Value| {
            token.insert(name.to_owned(), value);
        };
        say("iss", json!(self.issuer_address(&issuer.website)));
        say("aud", json!(client.public_id));
        say("exp", json!((now + ID_LIMIT).as_second()));
        say("iat", json!(now.as_second()));
        say("auth_time", json!(grant.authenticated_at.as_second()));
        say("sid", json!(grant.login_id));
        say("at_hash", json!(half_hash(access_token)));
        if let Some(nonce) = nonce {
            say("nonce", json!(nonce));
        }
        self.issuer_sign(&issuer.website, &token).await.map(Some)
    }

    /// The refresh token with this number. It follows from the key, so that its like can be given again, and so that one of ours
    /// is recognised however old it is; only its hash is kept.
    fn issuer_refresh_token(&self, client: &Client, grant: WebsiteGrantId, count: u32) -> Secret {
        let name = format!("{}.{count}", Uuid::from(grant).simple());
        let proof = self.keys.derive_long("website refresh", format!("{} {name}", client.id));
        Secret::new(format!("{name}.{}", proof.expose()))
    }

    /// What a refresh token says, if it is one that this client got from us.
    fn issuer_refresh_read(&self, client: &Client, token: &str) -> Option<Refresh> {
        let mut parts = token.splitn(3, '.');
        let (grant, count) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let expected = self.issuer_refresh_token(client, grant, count);
        let is_ours = bool::from(expected.expose().as_bytes().ct_eq(token.as_bytes()));
        is_ours.then_some(Refresh { grant, count })
    }
}

/// Whose grant it is, and in which browser they gave it.
pub(super) struct Holder {
    pub(super) login: Login,
    pub(super) member: Member,
}

/// What a refresh token says.
struct Refresh {
    grant: WebsiteGrantId,
    count: u32,
}

/// What tokens are made of.
struct Gift<'a> {
    issuer: &'a Issuer,
    client: &'a Client,
    grant: &'a Grant,
    holder: &'a Holder,
    scopes: Scopes,
}

impl Gift<'_> {
    fn tokens(self, access_token: Secret, refresh_token: Option<Secret>, id_token: Option<Secret>) -> Tokens {
        let expires_in = ACCESS_LIMIT.as_secs();
        Tokens { access_token, expires_in, refresh_token, scopes: self.scopes, id_token }
    }
}

fn required<'a>(asked: Asked<'a>, name: &'static str) -> Result<&'a str, CallRefused> {
    let missing = match name {
        "code" => "code is missing.",
        "redirect_uri" => "redirect_uri is missing.",
        "refresh_token" => "refresh_token is missing.",
        _ => "token is missing.",
    };
    asked.get(name).ok_or(CallRefused::Wrong(RequestError::new("invalid_request", missing)))
}

/// The challenge of a verifier by `S256` (RFC 7636, section 4.2).
pub(super) fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Whether the one with the code is the one who asked for it (RFC 7636, section 4.6). A verifier where no challenge was is as bad
/// as none where one was: somebody took the challenge away (RFC 9700, section 4.8).
pub(super) fn proves(grant: &Grant, verifier: Option<&str>) -> bool {
    match (&grant.challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
            (43..=128).contains(&verifier.len())
                && verifier.bytes().all(is_allowed)
                && bool::from(challenge_of(verifier).as_bytes().ct_eq(challenge.as_bytes()))
        }
        _ => false,
    }
}

fn can_refresh(grant: &Grant, now: Timestamp) -> bool {
    now.duration_since(grant.created_at) < REFRESH_LONGEST
        && grant.refreshed_at.is_some_and(|at| now.duration_since(at) < REFRESH_IDLE)
}

/// What is asked for, if it is no more than what was given (RFC 6749, section 6).
fn shrunk(given: &Scopes, asked: Option<&str>) -> Result<Scopes, CallRefused> {
    let Some(asked) = asked else { return Ok(given.clone()) };
    let is_given = |name: &str| given.0.iter().any(|scope| scope.key() == name);
    if asked.split_ascii_whitespace().all(is_given) {
        Ok(Scopes::known_in(asked))
    } else {
        Err(TOO_MUCH.into())
    }
}

/// `at_hash` (OpenID Connect Core, section 3.1.3.6).
fn half_hash(access_token: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token.expose())[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_shrink_and_never_grow() {
        let given = Scopes::known_in("openid email offline_access");
        for (asked, shrunken) in [
            (None, Some("openid email offline_access")),
            (Some("openid"), Some("openid")),
            (Some("email openid"), Some("openid email")),
            (Some("openid profile"), None),
            (Some("openid nonsense"), None),
        ] {
            let result = shrunk(&given, asked).ok().map(|scopes| scopes.to_string());
            assert_eq!(result.as_deref(), shrunken, "{asked:?}");
        }
    }
}
