//! An application wants its visitor to log out (OpenID Connect RP-Initiated Logout 1.0). The browser's cookie says who that is;
//! what the application sends only decides whether they are asked, and where they go afterwards.

use super::{Issuer, SignedIn, authorize::parameters, key::Hint};
use crate::{App, Failure};
use stave_domain::website::{Asked, Client, Member};
use url::{Url, form_urlencoded};

/// What happens to a visitor who is sent here to log out.
#[derive(Debug)]
pub enum LogOut {
    /// They are asked whether they want to.
    Ask {
        /// What the application sent, to go on with: a query string.
        request: String,
        /// Who is signed in.
        member: Box<Member>,
        /// Which application sent them, if that is known.
        client: Option<Box<Client>>,
    },
    /// Nobody is signed in in this browser any more.
    Done {
        /// Where they go on; `None` is a page of ours that says so.
        back: Option<Url>,
    },
}

impl App {
    /// Logs out whoever is signed in, if the application shows by an ID token that it means this sign-in; otherwise they are asked.
    pub async fn issuer_log_out_begin(
        &self,
        issuer: &Issuer,
        parameters: &[(String, String)],
        signed_in: Option<&SignedIn>,
    ) -> Result<LogOut, Failure> {
        let asked = Asked(parameters);
        let wish = self.issuer_log_out_wish(issuer, asked).await?;
        let Some(SignedIn { login, member }) = signed_in else {
            return Ok(LogOut::Done { back: wish.back(asked, wish.hint.is_some()) });
        };
        if wish.hint.as_ref().is_some_and(|hint| hint.sid == Some(login.id)) {
            self.issuer_log_out(issuer, login).await?;
            return Ok(LogOut::Done { back: wish.back(asked, true) });
        }
        let request = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        Ok(LogOut::Ask { request, member: Box::new(member.clone()), client: wish.client.map(Box::new) })
    }

    /// Logs out a visitor who was asked and wants to.
    pub async fn issuer_log_out_confirm(
        &self,
        issuer: &Issuer,
        request: &str,
        signed_in: Option<&SignedIn>,
    ) -> Result<LogOut, Failure> {
        let parameters = parameters(request);
        let asked = Asked(&parameters);
        let wish = self.issuer_log_out_wish(issuer, asked).await?;
        if let Some(SignedIn { login, .. }) = signed_in {
            self.issuer_log_out(issuer, login).await?;
        }
        Ok(LogOut::Done { back: wish.back(asked, true) })
    }

    async fn issuer_log_out_wish(&self, issuer: &Issuer, asked: Asked<'_>) -> Result<Wish, Failure> {
        let hint = match asked.get("id_token_hint") {
            Some(token) => Some(self.issuer_hint(&issuer.website, token).await?),
            None => None,
        };
        let named = asked.get("client_id");
        // A hint that is none, or another client's, makes the whole wish one that nobody can be held to.
        let (hint, client_id) = match (hint, named) {
            (None, named) => (None, named.map(str::to_owned)),
            (Some(Some(hint)), named) if named.is_none_or(|named| named == hint.aud) => {
                let client_id = hint.aud.clone();
                (Some(hint), Some(client_id))
            }
            (Some(_), _) => (None, None),
        };
        let client = self.issuer_client(issuer, client_id.as_deref()).await?;
        Ok(Wish { hint, client })
    }
}

/// What an application wants, as far as it can be believed.
struct Wish {
    /// An ID token of ours.
    hint: Option<Hint>,
    /// The one who got it, or who says so.
    client: Option<Client>,
}

impl Wish {
    /// Where to go afterwards: an address that is registered, byte for byte, when the application or the visitor said so.
    fn back(&self, asked: Asked<'_>, is_meant: bool) -> Option<Url> {
        let typed = asked.get("post_logout_redirect_uri").filter(|_| is_meant)?;
        let uri = self.client.as_ref()?.post_logout_uris.iter().find(|uri| uri.as_str() == typed)?;
        let state: Vec<_> = asked.get("state").map(|state| ("state", state)).into_iter().collect();
        Some(uri.with(&state))
    }
}
